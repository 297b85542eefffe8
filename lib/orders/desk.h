/* The desk: what one customer has, and one order, in memory while a transaction decides about them. Pure: the
 * decisions (settle.c, return.c) change desks and files and note events; batch.c and refund.c load and store.
 */
#pragma once

#include "coupons/code.h"
#include "coupons/coupon.h"
#include "coupons/offers.h"
#include "events/events.h"
#include "expr/expr.h"
#include "orders/orders.h"
#include "points/book.h"
#include "program/program.h"
#include "tiers/standing.h"

/* One customer's account of everything. */
struct desk {
        struct customer *customer;
        struct book book;
        struct stand stand;
        struct caps_used caps;      /* what was earned under caps by day and month */
        struct texts tags;          /* none where no condition asks them */
        bool live;                  /* some call is no history: it is decided as of now */
        struct instant others_last; /* of the orders that are kept and not in the session: the latest; read
                                       only where one of the session may be given back */
        struct instant asked_at;    /* he first asked, by an order that nobody has paid: to be noted */
};

/* One order with its lines. */
struct file {
        struct order order;
        struct order_line *lines;
        size_t line_count;
        bool is_new;
        bool changed;
        bool lines_replaced;    /* the stored lines go, these come */
        bool lines_changed;     /* counters of the stored lines moved */
        bool is_first;          /* it began to count as its customer's first one */
        bool is_lost;           /* it was given back as a whole */
        struct seen_call *seen; /* calls answered in this transaction, latest first */
};

/* A call answered in this transaction: the same one again gets the same answer. */
struct seen_call {
        struct bytes fingerprint;
        const char *outcome;
        size_t outcome_len;
        struct seen_call *next;
};

/* A return that was decided: what is stored of it. */
struct returned {
        struct uuid customer_id, order_id;
        struct outcome_refund *refund;
        int64_t points, growth;
        struct instant at;
};

/* What the decisions of one transaction share. */
struct session {
        struct arena *arena;
        const struct program *program;
        const struct shop *shop;
        struct journal journal;
        struct event_list events;
        struct coupon_book coupons;  /* those that the orders name or have or bring */
        struct coupon_offers offers; /* what the programme's rules may issue */
        LIST_OF(struct returned) returns;
        size_t return_room;
        const struct file *files; /* all of them, of all desks */
        size_t file_count;
};

/* The session's coupons, ready to be changed. */
struct coupon_book *session_coupons(struct session *s);

/* When a decision takes place: `at` dates entries and events, `today` is its day in the shop's zone. */
struct moment {
        struct instant at;
        struct date today;
};
struct moment moment_of(const struct shop *shop, struct instant at);

/* What conditions may ask of the customer, as he stands at that moment; of the session as desk_lifecycle. */
void desk_facts(const struct session *s, const struct desk *desk, const struct moment *moment,
                struct expr_facts *facts);

/* And of the order. */
void file_facts(const struct file *file, const struct moment *moment, struct expr_facts *facts);

/* Lifecycle as of a day; of the session the programme and the shop are looked at. */
enum lifecycle desk_lifecycle(const struct session *s, const struct desk *desk, struct date today);

/* The part of the outcome that every call has: order, customer, balances, tier, lifecycle segments entered
 * and left. Call desk_before first, decide, then desk_after. */
void desk_before(const struct session *s, const struct desk *desk, const struct moment *moment,
                 struct outcome *ret);
void desk_after(const struct session *s, const struct desk *desk, const struct file *file,
                const struct moment *moment, struct outcome *outcome);

/* ---- decisions */

/* The order counts from this moment on: points, growth, spend, tier. */
void settle_count(struct session *s, struct desk *desk, struct file *file, const struct moment *moment,
                  struct outcome *outcome);

/* Points of the order that waited for its state become active. Needs the lots. */
void settle_activate(struct session *s, struct desk *desk, const struct file *file,
                     const struct moment *moment);

/* Are there points that may wait for a state, and does this one end their wait under the programme? One that
 * no longer waits for a state lets go with the delivery what an earlier one had kept waiting. */
bool settle_releases(const struct program *program, const struct book *book, unsigned status);

/* Another tier from now on, in the history and as an event. */
void desk_move_tier(struct session *s, struct desk *desk, const struct file *file, size_t rank,
                    const char *cause, const struct moment *moment);

/* ---- the hold of points that pays for part of an order; the book has it and, but for hold_count, the lots
 */

/* May an order with this id name this hold (NULL: none)? ERR_INVALID, ERR_HOLD_RESOLVED, ERR_HOLD_BOUND. */
enum err hold_check(struct ctx *c, const struct desk *desk, struct uuid order_id,
                    const char *reference) MUST_CHECK;

/* The order is paid for with this hold (NULL: none) and no longer with the one before, which goes back. */
void hold_attach(struct session *s, struct desk *desk, struct file *file, const char *reference,
                 const struct moment *moment);

/* The order's hold goes back: it was cancelled before it counted. */
void hold_let_go(struct session *s, struct desk *desk, const struct file *file, const struct moment *moment);

/* The order counts: its hold is spent. */
void hold_count(struct session *s, struct desk *desk, const struct file *file, const struct moment *moment,
                struct outcome *outcome);

/* As much of the order's hold comes back as of the order, cumulatively rounded. After its sums have changed.
 */
void hold_return(struct session *s, struct desk *desk, const struct file *file, const char *reference,
                 const struct moment *moment, struct outcome *outcome);

/* ---- the coupons that take something off the order */

/* What an order's coupons take off, before anything is changed. */
struct coupon_plan {
        const char *text; /* for the order; NULL: none */
        struct coupon_card *cards[COUPONS_PER_ORDER_MAX];
        int64_t offs[COUPONS_PER_ORDER_MAX];
        size_t n;
        int64_t *shares; /* of the lines, all coupons together */
};

/* May this order use its coupons, and does it state what they take off? ERR_INVALID, ERR_COUPON_STATE. */
enum err coupon_check(struct ctx *c, const struct session *s, const struct desk *desk,
                      const struct order_in *in, const struct moment *moment,
                      struct coupon_plan *ret) MUST_CHECK;

/* The order uses these coupons and no others: those that it had before and has not now go back. */
void coupon_attach(struct session *s, struct file *file, const struct coupon_plan *plan,
                   const struct moment *moment);

/* The order's coupons as it is now, and what gave way to each. */
size_t coupons_used(struct arena *arena, const struct coupon_book *book, const struct order *order,
                    struct used_coupon **ret);

/* The order's coupons go back: it was cancelled before it counted. */
void coupon_let_go(struct session *s, const struct file *file, const struct moment *moment);

/* Nothing is left of an order that counted: those of its coupons whose rule says so come back, those that it
 * brought go. After its sums have changed. */
void coupon_come_back(struct session *s, const struct file *file, const char *reference,
                      const struct moment *moment, struct outcome *outcome);

/* ---- the coupons that the programme gives for the order */

/* The order counts: they are issued. After the customer's sums and tier have changed; outcome->tier.before is
 * the one before. */
void coupon_rules_count(struct session *s, struct desk *desk, const struct file *file,
                        const struct moment *moment, struct outcome *outcome);

/* Nothing is left of the order: those that nobody has used are withdrawn, if their rule says so. */
void coupon_rules_undo(struct session *s, const struct file *file, const char *reference,
                       const struct moment *moment, struct outcome *outcome);

/* What is to be given back of one line. */
struct giving {
        size_t line; /* index in file->lines */
        int64_t quantity, amount_minor;
};
/* Give back lines and shipping of an order that counts: points, growth and spend go back in proportion, the
 * tier is judged again. All of it must be there (return_check). Needs the lots. */
void return_goods(struct session *s, struct desk *desk, struct file *file, const struct giving *givings,
                  size_t n, int64_t shipping_minor, const char *reference, const struct moment *moment,
                  struct outcome *outcome);

/* Everything that is left of an order, for a cancellation. */
size_t return_everything(struct arena *arena, const struct file *file, struct giving **ret_givings,
                         int64_t *ret_shipping_minor);

/* The order as one that counts: its day and its lines' shares. */
static inline bool order_counts(const struct order *order)
{
        return date_known(order->counted_on);
}

/* Is nothing left of an order that was worth something? Then it no longer counts as one. */
static inline bool order_given_back(const struct order *order)
{
        return order->status == ORDER_CANCELLED ||
               (order->total_minor > 0 && order->refunded_minor == order->total_minor);
}
