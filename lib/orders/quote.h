/* What a basket costs a customer: line discounts, tier discount, best full reduction, coupons, points, in
 * that order, every step shown. Pure. Amounts are minor units. */
#pragma once

#include "base/arena.h"
#include "coupons/template.h"
#include "program/program.h"

/* A line asked for: quantity x unit price - discount, neither negative nor above QUOTE_MINOR_MAX (asserted).
 */
struct quote_line {
        int64_t quantity, unit_price_minor;
        int64_t discount_minor; /* of the whole line */
        const char *sku, *name, *category, *brand;
};
#define QUOTE_MINOR_MAX INT64_C(1000000000000) /* of all lines before discounts */

/* A coupon asked for. */
struct quote_coupon {
        const char *code;
        const struct coupon_template *template; /* NULL with why_not only */
        const char *why_not; /* it can't be used at all, as a sentence for a person; NULL: it may */
};

struct quote_input {
        const struct benefits *benefits; /* of the customer's tier */
        const struct quote_line *lines;
        size_t line_count;
        const struct zone *zone;
        const struct quote_coupon *coupons; /* in the order in which they are to be taken */
        size_t coupon_count;
        const struct spending_settings *spending; /* only with points, as the next one */
        int64_t value_minor_per_100;              /* of 100 points */
        int64_t points;                           /* that the customer wants to spend; 0: none */
        int64_t points_active;                    /* that he has */
};

/* A line priced: goods - discount - tier_discount - full_reduction - coupon - points == total >= 0. */
struct quoted_line {
        int64_t goods_minor; /* quantity x unit price */
        int64_t discount_minor, tier_discount_minor, full_reduction_minor, coupon_minor, points_minor;
        int64_t total_minor;
};

struct quote_step {
        const char *name;       /* line_discounts, tier_discount, full_reduction, coupon, points */
        const char *code;       /* of the coupon, else NULL */
        int64_t off_minor;      /* what it takes off */
        int64_t subtotal_minor; /* the basket after it */
        const char *why_not;    /* a sentence for a person when it takes nothing off, else NULL */
};
SHAPE_DECLARE(quote_step);

struct quoted {
        int64_t goods_minor, total_minor; /* goods minus the steps' off_minor is total */
        int64_t coupon_minor, points_minor, points;
        LIST_OF(struct quote_step)
        steps; /* the first three always; one for each coupon; points when asked for */
        LIST_OF(struct quoted_line) lines; /* in the order of the input; columns sum to the steps */
};

/* Price the lines. The tier discount is rounded half up for each line; the full reduction is the one that
 * takes most off among those whose threshold the basket reaches after the tier discount, and is spread over
 * the lines by largest remainder. Where a coupon is taken that does not combine with one of these, or with
 * points, that gives way to it; a coupon that takes nothing off keeps nothing away. Points are as many as are
 * wanted, there, and allowed by the programme. All memory is the arena's. */
struct quoted quote_decide(struct arena *arena, const struct quote_input *input);

/* The reduction that takes most off among those whose threshold a basket reaches, or NULL. */
const struct full_reduction *full_reduction_best(const struct benefits *benefits, int64_t basket_minor);
