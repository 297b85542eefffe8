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
        struct instant now;   /* query: what if it were then; none: now */
        const char *customer; /* reference; NULL: somebody unknown */
        const char *tier;     /* code: what if he had it; NULL: his own */
        unsigned channel;
        const char *channel_detail, *campaign, *referrer; /* as an order has them */
        LIST_OF(struct checkout_line) lines;
        int64_t shipping_minor;
        struct texts coupons;
        const char *coupon_session; /* of their locks */
        struct opt_int points;
};
SHAPE_DECLARE(checkout_in);

struct checkout_priced {
        const char *sku;
        int64_t quantity, goods_minor, discount_minor, tier_discount_minor, full_reduction_minor,
                coupon_minor, points_minor, total_minor;
};

/* The basket as an order states it: POST /v1/orders takes it so. */
struct checkout_order_line {
        int64_t line_no;
        const char *sku, *name, *category, *brand;
        int64_t quantity, unit_price_minor, discount_minor, total_minor;
};
struct checkout_order {
        LIST_OF(struct checkout_order_line) lines;
        int64_t shipping_minor, discount_minor;
        const char *coupon;
        struct opt_int coupon_discount_minor;
        int64_t total_minor;
};

struct checkout {
        int64_t goods_minor;
        LIST_OF(struct quote_step) steps;
        LIST_OF(struct checkout_priced) lines;
        int64_t shipping_minor, total_minor;
        int64_t points_spent;
        struct checkout_order order;
        struct outcome_points points; /* as if it were paid now */
        struct outcome_growth growth;
        struct outcome_tier tier;
};
SHAPE_DECLARE(checkout);

/* ERR_NOT_FOUND (the customer), ERR_INVALID. */
enum err checkout_quote(struct ctx *c, const struct checkout_in *in, struct checkout *ret) MUST_CHECK;
