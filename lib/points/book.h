/* The book of one customer's points while a transaction decides: every posting moves the balance, writes one
 * ledger entry and keeps lots and balance together. Pure; points.h loads and stores books.
 *
 * Always true (book_check): active + pending == sum of the lots' remaining, once the lots are loaded. An
 * entry's effect on active + pending + held - debt is its amount, but for those that only move points between
 * them (activate, hold, release). What was drawn comes back as a negative draw. */
#pragma once

#include "points/allocate.h"

enum entry_kind {
        ENTRY_NONE,
        ENTRY_EARN,
        ENTRY_ACTIVATE,
        ENTRY_SPEND,
        ENTRY_REVERSE,
        ENTRY_WRITE_OFF,
        ENTRY_HOLD,
        ENTRY_RELEASE,
        ENTRY_RESTORE,
        ENTRY_EXPIRE,
        ENTRY_ADJUST,
        /* when merged customers are taken apart (separate.h) */
        ENTRY_TRANSFER_IN,
        ENTRY_TRANSFER_OUT,
        ENTRY_TRANSFER_DEBT,
};
extern const struct names entry_kind_names;

struct points_account {
        struct uuid customer_id;
        int64_t active, pending, held, debt;
        int64_t lifetime_earned; /* or given; net of what refunds and adjustments took back, not of write-offs
                                  */
        int64_t lifetime_spent;  /* net of what refunds gave back */
        int64_t lifetime_expired;
        int64_t last_seq;        /* of the ledger */
        struct instant moved_at; /* when points were last earned, became active or were spent; none: never */
        struct instant due_at;   /* no points become active or lapse by a date, and no hold ends, before that;
                                  * none: that won't happen at all. It may lie too early. */
};
SHAPE_DECLARE(points_account);

struct ledger_entry {
        struct uuid customer_id;
        int64_t seq;
        unsigned kind;  /* enum entry_kind */
        int64_t amount; /* signed */
        int64_t active_after, pending_after, held_after, debt_after;
        const char *cause;
        struct uuid order_id;
        const char *reference;
        struct opt_int lot_no; /* of an activation: the lot that became active */
        const char *actor;     /* key of whoever asked for it; NULL: time, or the command line */
        const char *reason;
        struct instant created_at;
};
SHAPE_DECLARE(ledger_entry);

SHAPE_DECLARE(lot);

/* Points that an entry drew from a lot; negative: that it gave back to it. */
struct lot_draw {
        struct uuid customer_id;
        int64_t seq, lot_no, amount;
};

/* A lot that an entry gave another life, and when it would have lapsed (none: not by a date). */
struct lot_life {
        struct uuid customer_id;
        int64_t lot_no, seq;
        struct instant expires_before;
};

/* What the postings of one transaction go by, and what they wrote, over all its books. */
struct journal {
        struct arena *arena;
        const struct expiry_settings *expiry; /* of the programme in force */
        const struct zone *zone;              /* the shop's */
        const char *actor;                    /* who asks for what is posted next */
        LIST_OF(struct ledger_entry) entries;
        LIST_OF(struct lot_draw) draws;
        LIST_OF(struct lot_life) lives;
        size_t entry_room, draw_room, life_room;
};

enum hold_state { HOLD_NONE, HOLD_OPEN, HOLD_CAPTURED, HOLD_RELEASED, HOLD_EXPIRED };
extern const struct names hold_state_names;

/* What a hold drew from a lot, and how much of that has gone back. */
struct hold_draw {
        struct uuid customer_id, hold_id;
        int64_t draw_no, lot_no, amount, returned;
};
SHAPE_DECLARE(hold_draw);

/* Points reserved: out of their lots, not yet spent. */
struct hold {
        struct uuid customer_id, id;
        unsigned state; /* enum hold_state */
        int64_t points;
        int64_t captured; /* spent; the rest of a hold that was resolved went back */
        int64_t restored; /* of the captured ones, by refunds */
        const char *reason, *reference;
        struct uuid order_id;
        struct uuid redemption_id; /* of a reward: only that resolves it */
        int64_t seq, spend_seq;    /* ledger entries: of the hold, of its capture (0: none) */
        struct instant created_at;
        struct instant expires_at; /* none: it waits for its order */
        struct instant resolved_at;
        LIST_OF(struct hold_draw) draws; /* in the order in which the lots were drawn */
        bool changed;
};
SHAPE_DECLARE(hold);

enum lot_state { LOT_STORED, LOT_CHANGED, LOT_NEW };

struct book {
        struct points_account account;
        struct lot *lots; /* those loaded, then those of this transaction */
        unsigned char *lot_states;
        size_t lot_count, lot_room;
        bool lots_loaded;   /* all lots with something left are here, and all that the holds drew from */
        struct hold *holds; /* those loaded, then those of this transaction */
        size_t hold_count, hold_room;
        bool changed;
};

/* Why something is posted. */
struct posting {
        struct instant at;
        const char *cause; /* a word or two for the ledger */
        struct uuid order_id;
        const char *reference; /* the shop's own, or NULL */
        const char *reason;    /* a person's, or NULL */
};

/* Add lots (struct lot) as they are stored to those of the book, each once. */
void book_lots_add(struct book *book, struct arena *arena, const struct list *rows);

/* A journal without entries. */
struct journal journal_of(const struct ctx *c, const struct program *program);

/* Must the lots be at hand before anything is earned at a moment? So it is when what there was has lapsed by
 * inactivity: it must not come to life again. */
bool book_earn_needs_lots(const struct book *book, const struct journal *journal, struct instant at);

/* Is there, at a moment, something to book that time has caused: points to become active or to lapse, a hold
 * to end? */
bool book_is_due(const struct book *book, const struct journal *journal, struct instant at);

/* Book that, as nobody's doing: holds whose time is over go back, points that waited become active, and what
 * has lapsed expires. Needs the lots, and all open holds. */
void book_catch_up(struct book *book, struct journal *journal, struct instant at);

/* Find out when something will be due next; account.due_at. */
void book_due_note(struct book *book);

/* Earn amount > 0. Active points pay off debt first. A pending lot waits until active_from (none: until it is
 * activated by hand). The programme says when what is active lapses. */
void book_earn(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
               bool pending, struct instant active_from);

/* When points that are given lapse. */
enum grant_expiry { GRANT_EXPIRY_NONE, GRANT_EXPIRY_PROGRAM, GRANT_EXPIRY_NEVER, GRANT_EXPIRY_AT };
extern const struct names grant_expiry_names;

/* How points are given or taken by hand. */
struct adjust_how {
        unsigned expiry;           /* enum grant_expiry, of points given */
        struct instant expires_at; /* with GRANT_EXPIRY_AT */
        bool allow_debt;           /* what can't be taken becomes debt */
};

/* Give points > 0, which are active at once and pay off debt first, or take -points from the active lots in
 * the spending order: false, with nothing done, when there are too few and debt is not allowed. What has
 * lapsed expires first. Needs the lots. */
bool book_adjust(struct book *book, struct journal *journal, const struct posting *why, int64_t points,
                 const struct adjust_how *how);

/* Activate every pending lot of an order (nil: of any) that is due at why->at; lots that wait for a state are
 * due only when their order is named. Their life is counted from the moment they were due. Needs the lots.
 * Returns the points that became active or paid debt. */
int64_t book_activate(struct book *book, struct journal *journal, const struct posting *why,
                      struct uuid order_id);

/* Spend amount > 0 from the active lots, or nothing: false when there are too few. What has lapsed expires
 * first. Needs the lots. */
bool book_spend(struct book *book, struct journal *journal, const struct posting *why, int64_t amount);

/* Take back amount > 0 that why->order_id earned; what has lapsed expires first, what can't be taken becomes
 * debt or is written off, by policy. Needs the lots. */
void book_reverse(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
                  enum refund_policy policy);

/* Take back amount > 0 of a lot, be there anything left in it or not: from it first, then as book_reverse
 * does.
 */
void book_take_back(struct book *book, struct journal *journal, const struct posting *why, int64_t lot_no,
                    int64_t amount, enum refund_policy policy);

/* Reserve hold->points > 0 of the active lots, or nothing: NULL when there are too few. What has lapsed
 * expires first. The hold is added to the book and returned; the pointer is good until the next one is added.
 * Needs the lots. */
struct hold *book_hold(struct book *book, struct journal *journal, const struct posting *why,
                       const struct hold *hold);

/* Spend 0 < points <= hold->points of an open hold; the rest goes back, which needs the lots. */
void book_capture(struct book *book, struct journal *journal, const struct posting *why, struct hold *hold,
                  int64_t points);

/* Give an open hold back whole: it is HOLD_RELEASED or HOLD_EXPIRED then. Points return to their lots with
 * their expiry, but for those that pay off debt; what has lapsed meanwhile expires at once. Needs the lots.
 */
void book_release(struct book *book, struct journal *journal, const struct posting *why, struct hold *hold,
                  enum hold_state state);

/* Give points > 0 of a captured hold back to the lots they came from, last drawn first; a lapsed lot lives
 * min_life_days from why->at on. At most what was captured less what was restored (asserted). Needs the lots.
 */
void book_restore(struct book *book, struct journal *journal, const struct posting *why, struct hold *hold,
                  int64_t points, int64_t min_life_days);

/* Expire what is left of lapsed lots, one entry for each date, which is the entry's reference. Returns the
 * points. Needs the lots. */
int64_t book_expire(struct book *book, struct journal *journal, const struct posting *why);

/* The hold of this id in the book, or NULL. */
struct hold *book_hold_find(const struct book *book, struct uuid id);

/* May the hold still be resolved at this moment? One whose time is over may not, be it expired yet or not. */
bool hold_is_open(const struct hold *hold, struct instant at);

/* ERR_HOLD_RESOLVED, with its state, when it may not be resolved now. */
enum err hold_resolvable(struct ctx *c, const struct hold *hold) MUST_CHECK;

/* ERR_HOLD_BOUND, with which, when it belongs to a redemption or to another order than this one (nil: to
 * any). */
enum err hold_unbound(struct ctx *c, const struct hold *hold, struct uuid order_id) MUST_CHECK;

/* The id of the hold that a customer has under a reference, and the one that "ext:<reference>" or a UUID in a
 * path or an order means; false when the text is neither. */
struct uuid hold_named(struct uuid customer_id, const char *reference);
bool hold_reference(struct uuid customer_id, const char *text, struct uuid *ret);

/* Is "ext:<reference>" the reference under which the hold was made, be its customer another one by now? */
bool hold_is_named(const struct hold *hold, const char *text);

/* Do lots and balance agree? For assertions and tests; true while the lots are not loaded. */
bool book_check(const struct book *book);
