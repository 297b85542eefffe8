/* From which lots points are taken, and to which they go back. Pure: over an array of one customer's lots,
 * whose `remaining` the calls change as they decide, so that several decisions of one transaction build on
 * each other.
 *
 * The spending order: earliest expiry first (lots without expiry last), then the lower lot_no. A lot is
 * active when it is not pending and has not lapsed: `pending` alone says so, active_from is only carried
 * along. `remaining` is never negative and never more than `amount`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/instant.h"
#include "base/uuid.h"
#include "program/program.h"

/* Points of one earning. */
struct lot {
        int64_t lot_no; /* counts up per customer */
        int64_t amount, remaining;
        bool pending;
        struct instant active_from;
        struct instant expires_at; /* none: never. Lapsed when <= now. */
        struct uuid order_id;      /* none: not from an order */
};

/* So many points of one lot. */
struct allocation {
        size_t lot; /* index in the array of lots */
        int64_t amount;
};
struct allocations {
        struct allocation *v; /* in the order in which the lots were drawn; in the arena */
        size_t n;
};

/* Take amount >= 0 from the active lots in the spending order: all of it or nothing. False, with the lots as
 * they were, when they hold too few. */
bool allocate_spend(struct arena *arena, struct lot *lots, size_t n, int64_t amount, struct instant now,
                    struct allocations *ret);

/* What a reversal took. taken_pending + taken_active + debt + write_off == the amount asked for. */
struct reversal {
        struct allocations taken;
        int64_t taken_pending, taken_active; /* sums of `taken` by what the lot was */
        int64_t debt;      /* not found, to be paid off by the next earnings (REFUND_UNLIMITED) */
        int64_t write_off; /* not found and forgiven (the other policies) */
};

/* Take back amount >= 0 that an order earned: from that order's pending lots, its active ones (even lapsed:
 * what is left there is still booked), then the customer's other lots, active ones in the spending order
 * before pending ones. REFUND_ONLY_PENDING stops after the first step. */
void allocate_reverse(struct arena *arena, struct lot *lots, size_t n, struct uuid order_id, int64_t amount,
                      enum refund_policy policy, struct instant now, struct reversal *ret);

/* What an earlier spend drew from a lot, and how much of that has gone back since. */
struct spent {
        size_t lot; /* index in the array of lots */
        int64_t amount, restored;
};

/* Points that go back to a lot. When the lot had lapsed it lives again for the minimum life: its expires_at
 * is changed, and what was still in it (not yet booked as expired) is `expired` first, so that it does not
 * revive. */
struct restoration {
        size_t lot;
        int64_t amount, expired;
};
struct restorations {
        struct restoration *v; /* in the arena */
        size_t n;
};

/* Give amount >= 0 spent points back to the lots they came from, last drawn first; spent[] is in the order in
 * which the lots were drawn and its `restored` counts on. A lapsed lot lives min_life_days >= 1 from now.
 * amount is at most what spent[] holds minus what was restored (asserted). */
void allocate_restore(struct arena *arena, struct lot *lots, struct spent *spent, size_t spent_count,
                      int64_t amount, struct instant now, int64_t min_life_days, struct restorations *ret);
