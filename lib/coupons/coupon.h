/* One coupon and what may become of it. Pure: every change is decided on the coupon as it stands behind its
 * lock, and leaves a line of its history. */
#pragma once

#include "coupons/template.h"
#include "events/events.h"

enum coupon_state {
        COUPON_STATE_NONE,
        COUPON_AVAILABLE,
        COUPON_LOCKED, /* by a checkout, until a time */
        COUPON_REDEEMED,
        COUPON_EXPIRED,
        COUPON_REVOKED,
};
extern const struct names coupon_state_names;

enum coupon_source {
        COUPON_SOURCE_NONE,
        COUPON_SOURCE_API,
        COUPON_SOURCE_REWARD,
        COUPON_SOURCE_JOB,
        COUPON_SOURCE_ORDER,    /* a rule of the programme, when an order counted */
        COUPON_SOURCE_BIRTHDAY, /* likewise, for a birthday */
};
extern const struct names coupon_source_names;

struct coupon {
        const char *code;
        struct uuid id;
        const char *template;
        int64_t template_version;
        struct uuid customer_id; /* nil: whoever bears it */
        unsigned state;          /* enum coupon_state, as stored: see coupon_state_at */
        unsigned source;         /* enum coupon_source */
        struct uuid origin_id;   /* of the job or order that issued it; nil: neither */
        const char *issue_key;
        struct instant valid_from, expires_at; /* expires_at none: never */
        const char *session;                   /* of the lock */
        struct instant locked_at, locked_until;
        struct uuid used_by, order_id;
        const char *redemption;
        int64_t off_minor;
        struct instant redeemed_at;
        int64_t changes;
        struct instant created_at;
};
SHAPE_DECLARE(coupon);

enum coupon_action {
        COUPON_ACTION_NONE,
        COUPON_ACTION_ISSUED,
        COUPON_ACTION_LOCKED,
        COUPON_ACTION_RELEASED, /* the lock ended before its use */
        COUPON_ACTION_REDEEMED,
        COUPON_ACTION_RETURNED, /* what had used it was undone */
        COUPON_ACTION_EXPIRED,
        COUPON_ACTION_REVOKED,
};
extern const struct names coupon_action_names;

struct coupon_change {
        const char *code;
        int64_t change_no;
        unsigned action; /* enum coupon_action */
        unsigned state;  /* after it */
        struct uuid customer_id, order_id;
        const char *reference;
        struct instant created_at;
};
SHAPE_DECLARE(coupon_change);

/* Coupons of one transaction, locked, with what they promise and what became of them. */
struct coupon_card {
        struct coupon coupon;
        const struct coupon_template *template;
        bool changed;
};
struct coupon_book {
        struct arena *arena;
        LIST_OF(struct coupon_card) cards;
        LIST_OF(struct coupon_change) history;
        size_t history_room;
        struct event_list *events; /* where they are noted */
};

/* The card of a code in its right form, or NULL. */
struct coupon_card *coupon_book_find(const struct coupon_book *book, const char *code);

/* What whoever looks at an instant sees: a lock or a validity that is over is over, be it written down or
 * not. */
enum coupon_state coupon_state_at(const struct coupon *coupon, struct instant at);

/* Who wants to use a coupon, and how. */
struct coupon_use {
        struct uuid customer_id;
        const char *session; /* under which it may be locked; NULL: none */
        struct uuid order_id;
        const char *reference; /* for the history */
        struct instant at;
};

/* May it be used so? A lock of the same session keeps it usable though its time is over meanwhile.
 * ERR_COUPON_STATE with the state. */
enum err coupon_usable(struct ctx *c, const struct coupon *coupon, const struct coupon_use *use) MUST_CHECK;

/* The same as a sentence for a person; NULL: it may. *ret_state is the state's name in that case. */
const char *coupon_why_not_usable(const struct coupon *coupon, const struct coupon_use *use,
                                  const char **ret_state);

/* Each of these has been allowed by coupon_usable or by its caller. */
void coupon_issue(struct coupon_book *book, struct coupon_card *card, struct instant at);
void coupon_lock(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use,
                 struct instant until);
void coupon_release(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use);
void coupon_redeem(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use,
                   int64_t off_minor);
/* What redeemed it was undone; it is good for at least min_days from then on. */
void coupon_return(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use,
                   int64_t min_days);
void coupon_expire(struct coupon_book *book, struct coupon_card *card, struct instant at);
void coupon_revoke(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use);
