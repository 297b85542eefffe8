/* What customers do beside buying: recorded once, paid as the programme says. A referral waits until the
 * referred customer's first order counts, and may be taken back when that order is refunded as a whole. */
#pragma once

#include "base/page.h"
#include "points/points.h"

enum activity_state {
        ACTIVITY_STATE_NONE,
        ACTIVITY_PAID,
        ACTIVITY_NOT_PAID, /* `why` tells */
        ACTIVITY_WAITING,  /* for the referred customer's first order */
        ACTIVITY_TAKEN_BACK,
};
extern const struct names activity_state_names;

struct activity {
        struct uuid customer_id, id;
        const char *key;
        unsigned type; /* enum activity_type */
        const char *code;
        struct uuid referred_id;
        unsigned state; /* enum activity_state */
        const char *why;
        int64_t points, growth; /* paid */
        bool take_back;
        struct opt_int seq;
        struct uuid order_id;
        struct instant due_at, occurred_at, created_at, paid_at;
};
SHAPE_DECLARE(activity);

struct activity_in {
        const char *key, *customer;
        unsigned type;
        const char *code, *referred;
        struct instant occurred_at; /* none: now */
};
struct activity_result {
        struct activity activity;
        int64_t growth; /* of the lifetime */
        const char *tier_before, *tier_after;
        struct points_balance balance;
};
SHAPE_DECLARE(activity_result);

struct activity_answer {
        struct uuid customer_id;
        const char *outcome; /* struct activity_result as JSON, in c's arena */
        size_t outcome_len;
        bool replayed; /* it was known already: this is the answer given then */
};

/* Record one and pay for it. In a transaction. ERR_NOT_FOUND (the customer), ERR_INVALID,
 * ERR_ACTIVITY_DIFFERS. */
enum err activity_record(struct ctx *c, const struct activity_in *in, struct activity_answer *ret) MUST_CHECK;

/* Activities of a customer (struct activity), newest first, before a position (none: from the newest). */
struct activity_page {
        struct uuid customer_id;
        struct instant before_at;
        struct uuid before_id;
        PAGED;
};
enum err activities_list(struct ctx *c, const struct activity_page *page, struct list *ret) MUST_CHECK;

/* ---- referrals */

/* An order that has begun to count as its customer's first one, or was given back as a whole. */
struct order_turn {
        struct uuid customer_id, order_id;
};
/* Queue: referrals of these customers are to be paid; those paid for these orders to be taken back. */
enum err activities_first_orders(struct ctx *c, const struct order_turn *turns, size_t n) MUST_CHECK;
enum err activities_lost_orders(struct ctx *c, const struct order_turn *turns, size_t n) MUST_CHECK;

/* Pay and take back what is due, at most `limit` referrals, each in a transaction of its own. Safe to run
 * anywhere, any time. */
enum err activities_settle_due(struct ctx *c, int64_t limit, bool *ret_more) MUST_CHECK;
