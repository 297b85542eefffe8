/* The checkout's question: what would this basket cost this customer, and what would it bring? Nothing is
 * written. */
#pragma once

#include "orders/orders.h"
#include "orders/quote.h"

struct checkout_line {
        const char *sku, *name, *category, *brand;
        int64_t quantity, unit_price_minor, discount_minor;
};
struct checkout_in {
        const char *customer; /* reference; NULL: somebody unknown */
        unsigned channel;
        LIST_OF(struct checkout_line) lines;
        int64_t shipping_minor;
};
SHAPE_DECLARE(checkout_in);

struct checkout_priced {
        const char *sku;
        int64_t quantity, goods_minor, discount_minor, tier_discount_minor, full_reduction_minor, total_minor;
};
struct checkout {
        int64_t goods_minor;
        LIST_OF(struct quote_step) steps;
        LIST_OF(struct checkout_priced) lines;
        int64_t shipping_minor, total_minor;
        struct outcome_points points; /* as if it were paid now */
        struct outcome_growth growth;
        struct outcome_tier tier;
};
SHAPE_DECLARE(checkout);

/* ERR_NOT_FOUND (the customer), ERR_INVALID. */
enum err checkout_quote(struct ctx *c, const struct checkout_in *in, struct checkout *ret) MUST_CHECK;
