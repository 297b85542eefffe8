/* Points: accounts, the ledger, lots; loading and storing books; what the API asks. */
#pragma once

#include "base/page.h"
#include "points/book.h"
#include "points/earn.h"

/* ---- books of a batch, for whoever decides in a transaction that holds the customers' locks */

/* Queue: the accounts of these customers; *ret (struct points_account) is filled by the next round trip. */
enum err points_accounts_later(struct ctx *c, const struct uuids *customers, struct list *ret) MUST_CHECK;

/* Queue: every lot of these customers with something left (struct lot). */
enum err points_lots_later(struct ctx *c, const struct uuids *customers, struct list *ret) MUST_CHECK;

/* Give a book the lots among rows that are its customer's. Once, before any posting. */
void points_lots_give(struct arena *arena, struct book *book, const struct list *rows);

/* A hold that a statement found, and such ones (a list of them) to be loaded. */
struct hold_named {
        struct uuid customer_id, id;
};
SHAPE_DECLARE(hold_named);
struct hold_probe {
        struct uuids customers, holds;
};
struct hold_probe hold_probe_of(struct arena *arena, const struct list *named);

/* Queue: holds by pairs of customer and id, what they drew, and the lots that are empty since. */
struct hold_rows {
        struct list holds, draws, lots;
};
enum err points_holds_later(struct ctx *c, const struct hold_probe *probe, struct hold_rows *ret) MUST_CHECK;

/* Give a book the holds among rows that are its customer's, and the empty lots, which must come to those of
 * points_lots_give. Before any posting. */
void points_holds_give(struct arena *arena, struct book *book, const struct hold_rows *rows);

/* Book what time has caused to these books by a moment, as the housekeeper would have, before anything else
 * is decided. Reads more only when something is due, lots and holds of those books among it, and does nothing
 * while history comes in. */
enum err points_catch_up(struct ctx *c, struct book *const *books, size_t n, struct journal *journal,
                         struct instant at) MUST_CHECK;

/* Queue the writes of these books and their journal, and the events of what has lapsed. */
enum err points_store(struct ctx *c, struct book *const *books, size_t n,
                      const struct journal *journal) MUST_CHECK;

/* ---- caps by day and month, where the programme has any */

/* Queue: what these customers earned under caps (struct cap_day) from the first of the month of a day on. */
enum err points_caps_later(struct ctx *c, const struct uuids *customers, struct date day,
                           struct list *ret) MUST_CHECK;

/* The days among rows that are the customer's. */
struct caps_used points_caps_of(struct arena *arena, const struct list *rows, struct uuid customer_id);

/* Queue the writes of what changed. */
enum err points_caps_store(struct ctx *c, const struct caps_used *const *used, size_t n) MUST_CHECK;

/* ---- the API */

struct expiry {
        struct instant expires_at; /* none: never */
        int64_t points;
};
struct points_balance {
        struct uuid customer_id;
        int64_t active, pending, held, debt;
        int64_t lifetime_earned, lifetime_spent, lifetime_expired;
        LIST_OF(struct expiry) next_expiries; /* by date, sums to active */
};
SHAPE_DECLARE(points_balance);

/* One reader of a batch. */
struct points_read {
        struct ctx *c;
        const char *customer; /* reference */
        struct points_balance *balance;
        struct instant as_of; /* a past instant; none: now */
        enum err err;         /* out: ERR_OK, ERR_NOT_FOUND, or ERR_INVALID (as_of lies in the future) */
};
/* Balances of several customers in one round trip (a second one for old ids and those without an account). */
enum err points_balances(struct ctx *c, struct points_read *reads, size_t n) MUST_CHECK;

/* Points of one movement, at most. */
#define POINTS_MAX INT64_C(1000000000000)

struct points_spending {
        const char *customer;
        int64_t points;
        const char *reason;
};
struct points_spent {
        struct uuid customer_id;
        int64_t seq; /* of the ledger entry */
        int64_t points;
        struct points_balance balance;
};
SHAPE_DECLARE(points_spent);

/* Spend points, earliest expiry first. In a transaction. ERR_NOT_FOUND, ERR_POINTS_TOO_FEW (with balance,
 * required). */
enum err points_spend(struct ctx *c, const struct points_spending *in, struct points_spent *ret) MUST_CHECK;

/* ---- holds. Each in a transaction. */

struct hold_in {
        const char *customer; /* path */
        int64_t points;
        int64_t expires_in_seconds;
        const char *reason, *reference;
};
struct hold_result {
        struct hold hold;
        struct points_balance balance;
};
SHAPE_DECLARE(hold_result);

/* Reserve points. ERR_NOT_FOUND, ERR_POINTS_TOO_FEW, ERR_HOLD_EXISTS (the reference is taken). */
enum err points_hold(struct ctx *c, const struct hold_in *in, struct hold_result *ret) MUST_CHECK;

/* Spend a hold, or a part of it (unset: all); the rest goes back. ERR_NOT_FOUND, ERR_INVALID (more than there
 * is), ERR_HOLD_RESOLVED, ERR_HOLD_BOUND. */
struct hold_capture {
        const char *customer, *hold;
        struct opt_int points;
};
enum err points_hold_capture(struct ctx *c, const struct hold_capture *in,
                             struct hold_result *ret) MUST_CHECK;

/* Give a hold back. ERR_NOT_FOUND, ERR_HOLD_RESOLVED, ERR_HOLD_BOUND. */
struct hold_release {
        const char *customer, *hold, *reason;
};
enum err points_hold_release(struct ctx *c, const struct hold_release *in,
                             struct hold_result *ret) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err points_hold_get(struct ctx *c, const char *customer, const char *hold, struct hold *ret) MUST_CHECK;

/* Holds of a customer (struct hold), newest first, before a ledger number (0: from the newest); state
 * HOLD_NONE: in any. */
struct hold_page {
        struct uuid customer_id;
        unsigned state;
        int64_t before_seq;
        PAGED;
};
enum err points_holds(struct ctx *c, const struct hold_page *page, struct list *ret) MUST_CHECK;

/* ---- points that a redemption of a reward reserves: only it resolves them, they don't lapse by themselves.
 * In a transaction that holds the customer's lock. */

struct points_reserve {
        struct uuid customer_id, redemption_id;
        int64_t points;
        const char *reference; /* for the ledger */
};
/* ERR_POINTS_TOO_FEW. */
enum err points_reserve(struct ctx *c, const struct points_reserve *in, struct uuid *ret_hold_id) MUST_CHECK;

/* Spend such a hold, or give it back. ERR_HOLD_RESOLVED. */
enum reserve_end { RESERVE_SPENT, RESERVE_RELEASED, RESERVE_EXPIRED };
struct points_reserved {
        struct uuid customer_id, hold_id;
        enum reserve_end end;
        const char *reference;
};
enum err points_reserve_end(struct ctx *c, const struct points_reserved *in) MUST_CHECK;

/* ---- the ledger */

/* Points of one earning that an entry drew; negative: that it gave back. */
struct drawn {
        int64_t lot_no, amount;
        const char *order_external_id; /* that earned them; NULL: none */
        struct instant earned_at, expires_at;
};

/* An entry with all that explains it. */
struct ledger_line {
        struct uuid customer_id;
        int64_t seq;
        unsigned kind; /* enum entry_kind */
        int64_t amount, active_after, pending_after, held_after, debt_after;
        const char *cause;
        struct uuid order_id;
        const char *order_external_id, *reference, *reason, *actor, *actor_name, *approved_by,
                *approved_by_name;
        struct opt_int lot_no, lot_remaining;
        struct instant active_from, expires_at;
        LIST_OF(struct explained) explanation;
        LIST_OF(struct drawn) draws;
        struct instant created_at;
};
SHAPE_DECLARE(ledger_line);

/* Lines (struct ledger_line), newest first, before a ledger number (0: from the newest). */
struct ledger_page {
        struct uuid customer_id;
        int64_t before_seq;
        PAGED;
};
enum err points_ledger(struct ctx *c, const struct ledger_page *page, struct list *ret) MUST_CHECK;

/* ---- what time causes: for a share of those that are due (customers/due.h), in transactions of their own;
 * *ret_more when there may be more. Safe to run anywhere, any time. */
struct share;

/* Activate points whose waiting time is over. */
enum err points_activate_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;

/* Give back holds whose time is over. */
enum err points_holds_expire_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;

/* Expire what has lapsed on its date; what has lapsed by inactivity. */
enum err points_expire_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;
enum err points_expire_inactive(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;

/* Warn, once, of what will lapse within the programme's warn_days. */
enum err points_warn_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;
