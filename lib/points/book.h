/* The book of one customer's points while a transaction decides: every posting moves the balance, writes one
 * ledger entry and keeps lots and balance together. Pure; points.h loads and stores books.
 *
 * Always true (book_check): active + pending == sum of the lots' remaining, once the lots are loaded. An
 * entry's effect on active + pending + held - debt is its amount, but for those that only move points between
 * them (activate). */
#pragma once

#include "points/allocate.h"

enum entry_kind { ENTRY_NONE, ENTRY_EARN, ENTRY_ACTIVATE, ENTRY_SPEND, ENTRY_REVERSE, ENTRY_WRITE_OFF };
extern const struct names entry_kind_names;

struct points_account {
        struct uuid customer_id;
        int64_t active, pending, held, debt;
        int64_t lifetime_earned; /* net of what refunds took back */
        int64_t lifetime_spent, lifetime_expired;
        int64_t last_seq; /* of the ledger */
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
        struct instant created_at;
};
SHAPE_DECLARE(ledger_entry);

/* Points that an entry drew from a lot. */
struct lot_draw {
        struct uuid customer_id;
        int64_t seq, lot_no, amount;
};

/* What the postings of one transaction wrote, over all its books. */
struct journal {
        struct arena *arena;
        LIST_OF(struct ledger_entry) entries;
        LIST_OF(struct lot_draw) draws;
        size_t entry_room, draw_room;
};

enum lot_state { LOT_STORED, LOT_CHANGED, LOT_NEW };

struct book {
        struct points_account account;
        struct lot *lots; /* those loaded, then those of this transaction */
        unsigned char *lot_states;
        size_t lot_count, lot_room;
        bool lots_loaded; /* all lots with something left are here */
        bool changed;
};

/* Why something is posted. */
struct posting {
        struct instant at;
        const char *cause; /* a word or two for the ledger */
        struct uuid order_id;
        const char *reference; /* the shop's own, or NULL */
};

/* Earn amount > 0. Active points pay off debt first. A pending lot waits until active_from (none: until it is
 * activated by hand). */
void book_earn(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
               bool pending, struct instant active_from);

/* Activate every pending lot of an order (nil: of any) that is due at why->at; lots that wait for a state are
 * due only when their order is named. Needs the lots. Returns the points that became active or paid debt. */
int64_t book_activate(struct book *book, struct journal *journal, const struct posting *why,
                      struct uuid order_id);

/* Spend amount > 0 from the active lots, or nothing: false when there are too few. Needs the lots. */
bool book_spend(struct book *book, struct journal *journal, const struct posting *why, int64_t amount);

/* Take back amount > 0 that why->order_id earned; what can't be taken becomes debt or is written off, by
 * policy. Needs the lots. */
void book_reverse(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
                  enum refund_policy policy);

/* Do lots and balance agree? For assertions and tests; true while the lots are not loaded. */
bool book_check(const struct book *book);
