/* Points given and taken by hand, singly and in bulk, and the second pair of eyes that large ones need. */
#pragma once

#include "base/page.h"
#include "points/points.h"

/* Adjustments of one request. */
#define ADJUSTMENTS_MAX 500

/* What is asked for; the members and fields that every way of asking shares. */
#define ADJUSTMENT_MEMBERS                                                                                   \
        const char *customer; /* reference */                                                                \
        int64_t points;       /* signed, not 0 */                                                            \
        const char *reason;                                                                                  \
        const char *external_id; /* the shop's own name of it, one for each customer; NULL: none */          \
        unsigned expiry;         /* enum grant_expiry */                                                     \
        struct instant expires_at;                                                                           \
        bool allow_debt
#define ADJUSTMENT_FIELDS                                                                                                         \
        FIELD(points, .need = true, .min = -POINTS_MAX, .max = POINTS_MAX,                                                        \
              .doc = "Points to give, or with a minus to take; not 0."),                                                          \
                FIELD(reason, .need = true, .min = 1, .max = 500, .doc = "Shown in the ledger."),                                 \
                FIELD(external_id, .min = 1, .max = 200, .format = &format_printable,                                             \
                      .doc = "The shop's own name of it: the same one again is the same adjustment, which is not booked twice."), \
                FIELD(expiry, .names = &grant_expiry_names, .dflt = "program",                                                    \
                      .doc = "When points that are given lapse: as the programme says, never by date, or at expires_at."),        \
                FIELD(expires_at, .doc = "With expiry = at."),                                                                    \
                FIELD(allow_debt,                                                                                                 \
                      .doc = "Take more than there is: the rest is debt, paid off by what is earned next.")

struct adjustment_in {
        ADJUSTMENT_MEMBERS;
};
SHAPE_DECLARE(adjustment_in); /* with the customer in the body */

enum adjustment_state {
        ADJUSTMENT_NONE,
        ADJUSTMENT_APPLIED,
        ADJUSTMENT_PENDING, /* waits for a second key */
        ADJUSTMENT_DECLINED,
        ADJUSTMENT_REFUSED, /* approved, but it could no longer be booked */
};
extern const struct names adjustment_state_names;

struct adjustment {
        struct uuid customer_id, id;
        const char *external_id;
        unsigned state; /* enum adjustment_state */
        int64_t points;
        const char *reason;
        unsigned expiry;
        struct instant expires_at;
        bool allow_debt;
        struct uuid approval_id;
        int64_t item_no;
        struct opt_int seq;  /* of the ledger entry */
        const char *refusal; /* slug */
        const char *key_id;
        struct instant created_at, resolved_at;
};
SHAPE_DECLARE(adjustment);

/* One of a request. */
struct adjustment_call {
        struct ctx *c; /* its own problem; may share the arena */
        const struct adjustment_in *in;
        struct uuid id; /* of an exported line without external_id, which is known by it; else nil */
        enum err
                err; /* out: ERR_OK, ERR_INVALID, ERR_NOT_FOUND, ERR_POINTS_TOO_FEW, ERR_ADJUSTMENT_DIFFERS */
        struct adjustment adjustment; /* out */
        bool replayed;                /* out: it was known already */
};

/* An adjustment in a file. */
struct adjustment_line {
        union {
                struct adjustment_in in;
                struct {
                        ADJUSTMENT_MEMBERS;
                };
        };
        unsigned state;
        struct uuid id;
        struct instant created_at;
};
SHAPE_DECLARE(adjustment_line);

/* Book n <= ADJUSTMENTS_MAX adjustments, each for itself; when the good ones together are more than the
 * programme's approval_above they all wait for one approval, whose id is *ret_approval (else nil). In a
 * transaction. An error is the request's as a whole. */
enum err points_adjust(struct ctx *c, struct adjustment_call *calls, size_t n,
                       struct uuid *ret_approval) MUST_CHECK;

/* The same for a part of a request that is known to be too much for one pair of eyes: all wait. */
enum err points_adjust_waiting(struct ctx *c, struct adjustment_call *calls, size_t n,
                               struct uuid *ret_approval) MUST_CHECK;

/* ---- approvals */

enum approval_state { APPROVAL_NONE, APPROVAL_PENDING, APPROVAL_APPROVED, APPROVAL_DECLINED };
extern const struct names approval_state_names;

struct approval {
        struct uuid id;
        unsigned state; /* enum approval_state */
        int64_t items, points_given, points_taken;
        const char *requested_by, *decided_by; /* keys */
        const char *reason;
        struct instant created_at, decided_at;
};
SHAPE_DECLARE(approval);

struct approval_view {
        struct approval approval;
        LIST_OF(struct adjustment) adjustments; /* as they were asked for */
};
SHAPE_DECLARE(approval_view);

/* Decide a request: its adjustments are booked, each that still can be, or will never be. In a transaction.
 * ERR_NOT_FOUND, ERR_APPROVAL_DECIDED, ERR_OWN_APPROVAL. */
struct approval_decision {
        const char *approval; /* id as text */
        bool approve;
        const char *reason;
};
enum err points_approval_decide(struct ctx *c, const struct approval_decision *in,
                                struct approval_view *ret) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err points_approval_get(struct ctx *c, const char *id, struct approval_view *ret) MUST_CHECK;

/* Requests (struct approval), newest first, before an id (nil: from the newest); state APPROVAL_NONE: in any.
 */
struct approval_page {
        unsigned state;
        struct uuid before_id;
        PAGED;
};
enum err points_approvals(struct ctx *c, const struct approval_page *page, struct list *ret) MUST_CHECK;
