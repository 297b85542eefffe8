/* What a coupon promises, and what it takes off a basket. Pure. Amounts are minor units.
 *
 * The same functions price a quote and judge an order, so the two can't differ. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "expr/expr.h"

enum coupon_kind { COUPON_KIND_NONE, COUPON_AMOUNT, COUPON_PERCENT };
extern const struct names coupon_kind_names;

/* All that a shop says of a template. */
#define COUPON_RULE                                                                                          \
        const char *name;                                                                                    \
        unsigned kind;                                                                                       \
        int64_t off_minor, off_permille; /* one of them, by kind */                                          \
        struct opt_int max_off_minor;                                                                        \
        int64_t threshold_minor;                                                                             \
        const char *goods;                   /* condition on a line; NULL: all goods */                      \
        struct date valid_from, valid_until; /* both included, in the shop's zone */                         \
        struct opt_int valid_days;           /* after the issue */                                           \
        struct opt_int per_customer_limit, total_limit;                                                      \
        bool with_tier_discount, with_full_reduction, with_points, with_coupons;                             \
        bool returns_on_refund;                                                                              \
        int64_t returned_days; /* what comes back is good for so long at least */                            \
        bool active

struct coupon_template_in {
        const char *template; /* path: its code */
        COUPON_RULE;
};
SHAPE_DECLARE(coupon_template_in);

struct coupon_template {
        const char *code;
        int64_t version;
        COUPON_RULE;
        int64_t issued;
        struct instant created_at, updated_at;
        const struct expr *condition; /* `goods` compiled; NULL: all. Not in the document. */
};
SHAPE_DECLARE(coupon_template);

#define COUPON_MINOR_MAX INT64_C(1000000000000)

/* Check what a shape cannot, and compile the condition, into c's arena. Faults are noted; ERR_INVALID then.
 */
enum err coupon_template_compile(struct ctx *c, struct coupon_template *template) MUST_CHECK;

/* When a coupon that is issued at an instant holds; *ret_expires_at may be none: for ever. */
void coupon_template_validity(const struct coupon_template *template, const struct zone *zone,
                              struct instant at, struct instant *ret_from, struct instant *ret_expires_at);

/* A line as it stands before a coupon. */
struct coupon_line {
        struct expr_line goods;
        int64_t left_minor; /* what is to be paid for it so far */
};

/* What a coupon takes off these lines: shares[i] of line i by largest remainder, never more than is left of
 * it; their sum is returned. 0 comes with *ret_why_not, a sentence for a person, else NULL. */
int64_t coupon_take_off(struct arena *arena, const struct zone *zone, const struct coupon_template *template,
                        const struct coupon_line *lines, size_t n, int64_t *shares, const char **ret_why_not);

/* What else is asked of a basket beside a coupon. */
struct coupon_beside {
        bool points;                                 /* points are spent on it */
        const struct coupon_template *const *before; /* coupons that were taken before it */
        size_t before_count;
};

/* Why the coupon can't be combined with what else there is, as a sentence, or NULL. (Tier discount and full
 * reduction give way to a coupon instead.) */
const char *coupon_why_not_beside(const struct coupon_template *template, const struct coupon_beside *beside);
