/* Taking the points of two customers apart again, who had been one for a while. Pure.
 *
 * Every entry has a side: what was moved, and what has happened since to what was moved (orders, holds), is
 * the leaver's; all else stays. A ledger keeps what each entry did. Where an entry of one side drew from a
 * lot of the other, points change hands once, at the end: the lot's side gives them (ENTRY_TRANSFER_OUT), the
 * entry's side gets them in a lot of its own that is spent already (ENTRY_TRANSFER_IN). Debt that was paid
 * stays paid; what is left of it goes to whose entries made it (ENTRY_TRANSFER_DEBT). Nothing is won or lost
 * by it. */
#pragma once

#include "points/book.h"

enum side { SIDE_STAYS, SIDE_LEAVES, SIDE_COUNT };

/* All that one customer has in points. */
struct pile {
        LIST_OF(struct ledger_entry) entries; /* by seq, from 1 without gaps */
        LIST_OF(struct lot) lots;
        LIST_OF(struct lot_draw) draws;
        LIST_OF(struct hold) holds; /* none is open; their draws are hold_draws */
        LIST_OF(struct hold_draw) hold_draws;
        int64_t debt;
};

/* What the leaver came with. */
struct leaving {
        struct uuid stays, leaves;   /* customers */
        struct uuid merge_id;        /* by which they became one */
        int64_t first_seq, last_seq; /* the entries that were moved; first > last: none */
        const struct uuid *orders;   /* that were moved */
        size_t order_count;
        struct instant at;
};

/* Where a stored number went. */
struct renumbered {
        struct uuid customer_id;
        int64_t from, to;
};

struct separated {
        LIST_OF(struct ledger_entry) entries; /* in step with pile.entries: as they are now */
        LIST_OF(struct renumbered) lots;      /* in step with pile.lots */
        LIST_OF(struct lot_draw) draws;       /* all, in place of the stored ones */
        LIST_OF(struct hold) holds;           /* in step with pile.holds */
        LIST_OF(struct hold_draw) hold_draws; /* all, in place of the stored ones */
        LIST_OF(struct ledger_entry) new_entries;
        LIST_OF(struct lot) new_lots;
        struct points_account accounts[SIDE_COUNT];
};

/* False when the piles can't be taken apart: a hold lies across both. */
bool pile_separate(struct arena *arena, const struct pile *pile, const struct leaving *leaving,
                   struct separated *ret);
