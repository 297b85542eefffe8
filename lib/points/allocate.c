#include "points/allocate.h"

#include <assert.h>
#include <stdlib.h>

/* The steps of a reversal, in order; a spend knows only STEP_OTHER_ACTIVE. */
enum step { STEP_OWN_PENDING, STEP_OWN_ACTIVE, STEP_OTHER_ACTIVE, STEP_OTHER_PENDING, STEP_NEVER };

/* A lot on its place in the queue to be drawn from. */
struct turn {
        enum step step;
        struct instant expires_at;
        int64_t lot_no;
        size_t lot;
};

static int turn_order(const void *a, const void *b)
{
        const struct turn *x = a, *y = b;

        if (x->step != y->step)
                return x->step < y->step ? -1 : 1;
        if (x->expires_at.us != y->expires_at.us) {
                if (!instant_known(x->expires_at) || !instant_known(y->expires_at))
                        return instant_known(x->expires_at) ? -1 : 1;
                return x->expires_at.us < y->expires_at.us ? -1 : 1;
        }
        return x->lot_no < y->lot_no ? -1 : x->lot_no > y->lot_no;
}

static bool lot_lapsed(const struct lot *lot, struct instant now)
{
        return instant_known(lot->expires_at) && lot->expires_at.us <= now.us;
}

static enum step reversal_step(const struct lot *lot, struct uuid order_id, struct instant now)
{
        if (uuid_known(order_id) && uuid_equal(lot->order_id, order_id))
                return lot->pending ? STEP_OWN_PENDING : STEP_OWN_ACTIVE;
        if (lot_lapsed(lot, now))
                return STEP_NEVER;
        return lot->pending ? STEP_OTHER_PENDING : STEP_OTHER_ACTIVE;
}

/* The lots that hold something and whose step lies in [first, last], in the order to draw from them. */
static struct turn *turns_line_up(struct arena *arena, const struct lot *lots, size_t n, struct uuid order_id,
                                  struct instant now, enum step first, enum step last, size_t *ret_count)
{
        struct turn *turns = ARENA_ARRAY(arena, n, struct turn);
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                enum step step = reversal_step(&lots[i], order_id, now);
                assert(lots[i].remaining >= 0 && lots[i].remaining <= lots[i].amount);
                if (lots[i].remaining > 0 && step >= first && step <= last)
                        turns[count++] = (struct turn){step, lots[i].expires_at, lots[i].lot_no, i};
        }
        if (count > 1)
                qsort(turns, count, sizeof *turns, turn_order);
        *ret_count = count;
        return turns;
}

/* Draw up to amount from the lots in turn; returns what could not be had. */
static int64_t turns_draw(struct arena *arena, struct lot *lots, const struct turn *turns, size_t count,
                          int64_t amount, struct allocations *taken)
{
        taken->v = ARENA_ARRAY(arena, count, struct allocation);
        taken->n = 0;
        for (size_t i = 0; i < count && amount > 0; i++) {
                struct lot *lot = &lots[turns[i].lot];
                int64_t part = lot->remaining < amount ? lot->remaining : amount;
                lot->remaining -= part;
                amount -= part;
                taken->v[taken->n++] = (struct allocation){.lot = turns[i].lot, .amount = part};
        }
        return amount;
}

bool allocate_spend(struct arena *arena, struct lot *lots, size_t n, int64_t amount, struct instant now,
                    struct allocations *ret)
{
        static const struct uuid no_order;
        struct allocations taken;
        size_t count;
        struct turn *turns =
                turns_line_up(arena, lots, n, no_order, now, STEP_OTHER_ACTIVE, STEP_OTHER_ACTIVE, &count);
        int64_t missing = amount;

        assert(amount >= 0);
        for (size_t i = 0; i < count && missing > 0; i++)
                missing -= lots[turns[i].lot].remaining;
        if (missing > 0)
                return false;
        (void)turns_draw(arena, lots, turns, count, amount, &taken);
        *ret = taken;
        return true;
}

void allocate_reverse(struct arena *arena, struct lot *lots, size_t n, struct uuid order_id, int64_t amount,
                      enum refund_policy policy, struct instant now, struct reversal *ret)
{
        enum step last = policy == REFUND_ONLY_PENDING ? STEP_OWN_PENDING : STEP_OTHER_PENDING;
        struct reversal reversal = {0};
        size_t count;

        assert(amount >= 0 && policy != REFUND_NONE && uuid_known(order_id));
        struct turn *turns = turns_line_up(arena, lots, n, order_id, now, STEP_OWN_PENDING, last, &count);
        int64_t missing = turns_draw(arena, lots, turns, count, amount, &reversal.taken);
        for (size_t i = 0; i < reversal.taken.n; i++) {
                const struct allocation *part = &reversal.taken.v[i];
                *(lots[part->lot].pending ? &reversal.taken_pending : &reversal.taken_active) += part->amount;
        }
        *(policy == REFUND_UNLIMITED ? &reversal.debt : &reversal.write_off) = missing;
        *ret = reversal;
}

static struct restoration lot_restore(struct lot *lot, size_t index, int64_t amount, struct instant now,
                                      int64_t min_life_days)
{
        struct restoration restoration = {.lot = index, .amount = amount};

        if (lot_lapsed(lot, now)) {
                restoration.expired = lot->remaining;
                lot->remaining = 0;
                lot->expires_at.us = now.us + min_life_days * INSTANT_DAY;
        }
        lot->remaining += amount;
        assert(lot->remaining <= lot->amount);
        return restoration;
}

void allocate_restore(struct arena *arena, struct lot *lots, struct spent *spent, size_t spent_count,
                      int64_t amount, struct instant now, int64_t min_life_days, struct restorations *ret)
{
        struct restorations back = {.v = ARENA_ARRAY(arena, spent_count, struct restoration), .n = 0};

        assert(amount >= 0 && min_life_days >= 1);
        for (size_t i = spent_count; i-- > 0 && amount > 0;) {
                int64_t open = spent[i].amount - spent[i].restored;
                int64_t part = open < amount ? open : amount;
                assert(open >= 0);
                if (part == 0)
                        continue;
                spent[i].restored += part;
                amount -= part;
                back.v[back.n++] = lot_restore(&lots[spent[i].lot], spent[i].lot, part, now, min_life_days);
        }
        assert(amount == 0);
        *ret = back;
}
