/* Orders and refunds: one call carries the whole order, one answer the whole outcome. */
#pragma once

#include "base/ctx.h"
#include "base/page.h"
#include "customers/customers.h"
#include "customers/lifecycle.h"
#include "points/earn.h"
#include "tiers/judge.h"

enum order_status {
        ORDER_NONE,
        ORDER_PLACED,
        ORDER_PAID, /* counts from here on */
        ORDER_SHIPPED,
        ORDER_DELIVERED,
        ORDER_COMPLETED,
        ORDER_CANCELLED,
};
extern const struct names order_status_names;

/* Of a row of orders: it counts, and something of it is kept (order_given_back says the same in C). */
#define ORDER_KEPT                                                                                           \
        "counted_on IS NOT NULL AND status <> 'cancelled' AND (total_minor = 0 OR refunded_minor < total_minor)"

/* Lines of one order: more is a wholesale invoice, which is split. */
#define ORDER_LINES_MAX 1000
/* Money of one line or order, in minor units. */
#define ORDER_MINOR_MAX INT64_C(1000000000000)

struct order_line_in {
        struct opt_int line_no; /* unset: its place, from 1 */
        const char *sku, *name, *category, *brand;
        int64_t quantity;
        struct opt_int unit_price_minor; /* set: quantity x price - discount must be the total */
        int64_t discount_minor, total_minor;
        struct opt_int cost_minor;
};

struct order_in {
        bool backfill, award; /* query: history with its own times; does it earn */
        const char *external_id;
        unsigned status; /* enum order_status */
        unsigned channel;
        const char *channel_detail, *campaign, *referrer;
        const char *currency; /* NULL: the shop's */
        struct customer_in customer;
        struct instant placed_at, paid_at, shipped_at, delivered_at, completed_at, cancelled_at;
        LIST_OF(struct order_line_in) lines;
        int64_t shipping_minor, discount_minor;
        const char *coupon;         /* codes, separated by commas */
        const char *coupon_session; /* of their locks; NULL: external_id */
        struct opt_int
                coupon_discount_minor; /* what they take off, within discount_minor; unset: all of that */
        const char *points_hold;
        int64_t total_minor;
};
SHAPE_DECLARE(order_in);

/* An order as stored and shown. */
struct order {
        struct uuid customer_id, id;
        const char *external_id;
        unsigned status, channel;
        const char *channel_detail, *campaign;
        struct uuid referrer_id;
        const char *currency, *coupon;
        struct uuid points_hold;
        int64_t goods_minor, shipping_minor, discount_minor, total_minor;
        int64_t refunded_minor, refunded_shipping_minor;
        int64_t points_earned, growth_earned, points_reversed, growth_reversed;
        bool awarded;
        struct date counted_on;
        struct instant placed_at, paid_at, shipped_at, delivered_at, completed_at, cancelled_at;
        int64_t line_count, calls, version;
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(order);

struct order_line {
        struct uuid customer_id, order_id;
        int64_t line_no;
        const char *sku, *name, *category, *brand;
        int64_t quantity;
        struct opt_int unit_price_minor;
        int64_t discount_minor, total_minor;
        struct opt_int cost_minor;
        int64_t paid_minor; /* total less its share of the order's discount */
        int64_t points, growth;
        int64_t refunded_quantity, refunded_minor;
};
SHAPE_DECLARE(order_line);

/* ---- the outcome: what one call changed, all of it */

struct outcome_customer {
        struct uuid id;
        const char *external_id;
        bool created;
};
enum award_status { AWARD_UNSET, AWARD_NONE, AWARD_ACTIVE, AWARD_PENDING };
struct outcome_points {
        int64_t earned;
        unsigned status; /* enum award_status: what became of the earned ones */
        int64_t reversed;
        int64_t written_off;     /* could not be taken back and was forgiven */
        int64_t spent, restored; /* of the order's hold: captured now, given back now */
        int64_t active, pending, held, debt;
        LIST_OF(struct explained) explanation;
};
struct outcome_growth {
        int64_t earned, reversed, total;
};
struct outcome_tier {
        const char *before, *after, *next;
        LIST_OF(struct missing) missing;
};
struct outcome_segments {
        struct texts entered, left;
};
struct refunded_line {
        int64_t line_no, quantity, amount_minor, points, growth;
};
struct outcome_refund {
        struct uuid id;
        const char *external_id, *reason;
        int64_t amount_minor, shipping_minor;
        LIST_OF(struct refunded_line) lines;
};
struct outcome_coupon {
        const char *rule, *template;
        unsigned status;  /* enum coupon_offered */
        const char *code; /* NULL: none was issued */
        struct instant valid_from, expires_at;
};
/* A coupon that the order uses. */
struct used_coupon {
        const char *code, *template;
        int64_t off_minor;
        struct texts not_with; /* what gave way to it: steps of the quote */
};
struct outcome {
        struct order order;
        struct outcome_refund *refund; /* NULL: the call was no refund */
        struct outcome_customer customer;
        struct outcome_points points;
        struct outcome_growth growth;
        struct outcome_tier tier;
        struct outcome_segments segments;
        LIST_OF(struct outcome_coupon) coupons;   /* issued by this order, and withdrawn with it */
        LIST_OF(struct used_coupon) used_coupons; /* as the order is now */
};
SHAPE_DECLARE(outcome);

/* One call of a batch. */
struct order_call {
        struct ctx *c; /* its own arena and problem */
        const struct order_in *in;
        enum err err; /* out: ERR_OK, ERR_INVALID, ERR_IDENTITY_TAKEN, ERR_ORDER_DIFFERS, ERR_ORDER_STATE ...
                       */
        struct uuid order_id; /* out */
        const char *outcome;  /* out: struct outcome as JSON, in c's arena */
        size_t outcome_len;
        bool created;  /* out: the order is new */
        bool replayed; /* out: this very call was answered before; outcome is that answer */
};

/* Take a batch of orders, new ones and later states, in one transaction. An error is the batch's: nothing was
 * done then, and its calls may be tried one by one. */
enum err orders_take(struct ctx *c, struct order_call *calls, size_t n) MUST_CHECK;

/* Which worker an order goes to: a function of its customer as it is named. */
uint64_t order_lane_key(const struct order_in *in);

/* ---- reading */

struct order_view {
        struct order order;
        LIST_OF(struct order_line) lines;
        LIST_OF(struct outcome_refund) refunds;
        LIST_OF(struct used_coupon) used_coupons;
};
SHAPE_DECLARE(order_view);

/* ERR_NOT_FOUND. */
enum err order_get(struct ctx *c, const char *reference, struct order_view *ret) MUST_CHECK;

/* A page in one of these orders. */
extern const struct names order_sort_names;
struct order_page {
        struct uuid customer_id;     /* nil: of everybody */
        unsigned status, channel;    /* 0: any */
        const char *campaign;        /* NULL: any */
        struct uuid referrer_id;     /* nil: anybody, or nobody */
        struct instant since, until; /* placed then; none: any */
        struct opt_int total_min, total_max;
        struct paging page;
};
SHAPE_DECLARE(order_page);
enum err orders_list(struct ctx *c, const struct order_page *page, struct page_rows *ret) MUST_CHECK;

/* ---- refunds */

struct refund_line_in {
        int64_t line_no;
        struct opt_int quantity;     /* unset: none comes back */
        struct opt_int amount_minor; /* unset: what the quantity cost */
};
struct refund_in {
        const char *order; /* path */
        bool backfill;     /* query */
        const char *external_id, *reason;
        LIST_OF(struct refund_line_in) lines;
        int64_t shipping_minor;
        struct instant refunded_at; /* with backfill */
};
SHAPE_DECLARE(refund_in);

struct refund_answer {
        const char *outcome; /* struct outcome as JSON, in c's arena */
        size_t outcome_len;
        bool replayed;
        struct uuid order_id;
        struct uuid id; /* of the refund */
};
/* Refund part or all of an order. In a transaction. ERR_NOT_FOUND, ERR_INVALID, ERR_NOT_REFUNDABLE,
 * ERR_REFUND_EXCEEDS, ERR_REFUND_DIFFERS. */
enum err order_refund(struct ctx *c, const struct refund_in *in, struct refund_answer *ret) MUST_CHECK;
