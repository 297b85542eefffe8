/* What a basket costs a customer: line discounts, tier discount, best full reduction, in that order, every
 * step shown. Pure. Amounts are minor units. */
#pragma once

#include "base/arena.h"
#include "program/program.h"

/* A line asked for: quantity x unit price - discount, neither negative nor above QUOTE_MINOR_MAX (asserted).
 */
struct quote_line {
        int64_t quantity, unit_price_minor;
        int64_t discount_minor; /* of the whole line */
};
#define QUOTE_MINOR_MAX INT64_C(1000000000000) /* of all lines before discounts */

/* A line priced: goods - discount - tier_discount - full_reduction == total >= 0. */
struct quoted_line {
        int64_t goods_minor; /* quantity x unit price */
        int64_t discount_minor, tier_discount_minor, full_reduction_minor;
        int64_t total_minor;
};

struct quote_step {
        const char *name;       /* line_discounts, tier_discount, full_reduction */
        int64_t off_minor;      /* what it takes off */
        int64_t subtotal_minor; /* the basket after it */
        const char *why_not;    /* a sentence for a person when it takes nothing off, else NULL */
};
SHAPE_DECLARE(quote_step);

struct quoted {
        int64_t goods_minor, total_minor;  /* goods minus the steps' off_minor is total */
        LIST_OF(struct quote_step) steps;  /* always all of them, in order */
        LIST_OF(struct quoted_line) lines; /* in the order of the input; columns sum to the steps */
};

/* Price the lines with a tier's benefits. The tier discount is rounded half up for each line; the full
 * reduction is the one that takes most off among those whose threshold the basket reaches after the tier
 * discount, and is spread over the lines by largest remainder. All memory is the arena's. */
struct quoted quote_decide(struct arena *arena, const struct benefits *benefits,
                           const struct quote_line *lines, size_t n);

/* The reduction that takes most off among those whose threshold a basket reaches, or NULL. */
const struct full_reduction *full_reduction_best(const struct benefits *benefits, int64_t basket_minor);
