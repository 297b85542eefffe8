#include "test.h"

#include "points/allocate.h"

#define ROUNDS   5000
#define LOTS     10
#define NOW      ((struct instant){1000 * INSTANT_DAY})
#define DAYS(n_) ((struct instant){NOW.us + (n_)*INSTANT_DAY})
#define NEVER    ((struct instant){0})

static struct uuid order(uint8_t number)
{
        return (struct uuid){{number}};
}

static size_t lots_random(struct lot *lots)
{
        size_t n = (size_t)test_between(0, LOTS);

        for (size_t i = 0; i < n; i++) {
                int64_t amount = test_between(0, 20);
                lots[i] = (struct lot){.lot_no = (int64_t)i + 1,
                                       .amount = amount,
                                       .remaining = test_between(0, amount),
                                       .pending = test_between(0, 3) == 0,
                                       .expires_at = test_between(0, 3) ? DAYS(test_between(-2, 4)) : NEVER,
                                       .order_id = order((uint8_t)test_between(0, 3))};
        }
        for (size_t i = n; i > 1; i--) { /* the array's order must not matter */
                size_t j = (size_t)test_between(0, (int64_t)i - 1);
                struct lot swap = lots[i - 1];
                lots[i - 1] = lots[j];
                lots[j] = swap;
        }
        return n;
}

static int64_t lots_remaining(const struct lot *lots, size_t n)
{
        int64_t sum = 0;

        for (size_t i = 0; i < n; i++) {
                EXPECT(lots[i].remaining >= 0 && lots[i].remaining <= lots[i].amount);
                sum += lots[i].remaining;
        }
        return sum;
}

static bool lapsed(const struct lot *lot)
{
        return lot->expires_at.us != 0 && lot->expires_at.us <= NOW.us;
}

/* The step of a reversal that a lot belongs to, 4 when to none. */
static int slow_step(const struct lot *lot, const struct uuid *order_id)
{
        bool own = order_id != NULL && memcmp(&lot->order_id, order_id, sizeof *order_id) == 0;

        if (own)
                return lot->pending ? 0 : 1;
        return lapsed(lot) ? 4 : lot->pending ? 3 : 2;
}

/* Take one point from the lot that is next; false when there is none. */
static bool slow_take(struct lot *lots, size_t n, const struct uuid *order_id, int first, int last)
{
        struct lot *best = NULL;

        for (int step = first; step <= last && best == NULL; step++)
                for (size_t i = 0; i < n; i++) {
                        struct lot *lot = &lots[i];
                        int64_t expiry = lot->expires_at.us != 0 ? lot->expires_at.us : INT64_MAX;
                        if (lot->remaining == 0 || slow_step(lot, order_id) != step)
                                continue;
                        int64_t best_expiry = best == NULL               ? 0
                                              : best->expires_at.us != 0 ? best->expires_at.us
                                                                         : INT64_MAX;
                        if (best == NULL || expiry < best_expiry ||
                            (expiry == best_expiry && lot->lot_no < best->lot_no))
                                best = lot;
                }
        if (best == NULL)
                return false;
        best->remaining--;
        return true;
}

static void expect_same(const struct lot *lots, const struct lot *expected, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                EXPECT_INT(lots[i].remaining, expected[i].remaining);
                EXPECT_INT(lots[i].expires_at.us, expected[i].expires_at.us);
        }
}

/* The allocations must tell what happened to the lots. */
static void expect_told(const struct allocations *told, const struct lot *before, const struct lot *after,
                        size_t n)
{
        struct lot rest[LOTS];

        memcpy(rest, before, n * sizeof *rest);
        for (size_t i = 0; i < told->n; i++) {
                EXPECT(told->v[i].amount > 0 && told->v[i].lot < n);
                rest[told->v[i].lot].remaining -= told->v[i].amount;
        }
        expect_same(rest, after, n);
}

TEST(spend_draws_the_earliest_expiry_then_the_oldest)
{
        struct arena *arena = arena_new();
        struct lot lots[] = {{.lot_no = 1, .amount = 5, .remaining = 5, .expires_at = NEVER},
                             {.lot_no = 2, .amount = 5, .remaining = 5, .expires_at = DAYS(9)},
                             {.lot_no = 3, .amount = 5, .remaining = 5, .expires_at = DAYS(3)},
                             {.lot_no = 4, .amount = 5, .remaining = 5, .expires_at = DAYS(3)},
                             {.lot_no = 5, .amount = 5, .remaining = 5, .expires_at = NOW},
                             {.lot_no = 6, .amount = 5, .remaining = 5, .pending = true}};
        struct allocations taken;

        EXPECT(allocate_spend(arena, lots, ARRAY_SIZE(lots), 12, NOW, &taken));
        EXPECT_INT(taken.n, 3);
        EXPECT_INT(taken.v[0].lot, 2);
        EXPECT_INT(taken.v[1].lot, 3);
        EXPECT_INT(taken.v[2].lot, 1);
        EXPECT_INT(taken.v[2].amount, 2);
        EXPECT(!allocate_spend(arena, lots, ARRAY_SIZE(lots), 9, NOW, &taken)); /* 8 are left */
        EXPECT_INT(lots[0].remaining, 5);
        EXPECT_INT(lots[1].remaining, 3);
        EXPECT(allocate_spend(arena, lots, ARRAY_SIZE(lots), 8, NOW, &taken));
        EXPECT_INT(lots[4].remaining + lots[5].remaining, 10);
        arena_free(arena);
}

TEST(spend_of_random_lots_equals_the_slow_way)
{
        int spent = 0, refused = 0;

        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct lot lots[LOTS], before[LOTS], expected[LOTS];
                struct allocations taken;
                size_t n = lots_random(lots);
                int64_t amount = test_between(0, 40), had = 0;

                memcpy(before, lots, sizeof lots);
                memcpy(expected, lots, sizeof lots);
                while (had < amount && slow_take(expected, n, /* order_id= */ NULL, 2, 2))
                        had++;
                if (allocate_spend(arena, lots, n, amount, NOW, &taken)) {
                        EXPECT_INT(had, amount);
                        EXPECT_INT(lots_remaining(before, n) - lots_remaining(lots, n), amount);
                        expect_same(lots, expected, n);
                        expect_told(&taken, before, lots, n);
                        spent++;
                } else {
                        EXPECT(had < amount);
                        expect_same(lots, before, n);
                        refused++;
                }
                arena_free(arena);
        }
        EXPECT(spent > ROUNDS / 10 && refused > ROUNDS / 10);
}

TEST(reverse_takes_the_orders_own_lots_first_and_the_rest_by_policy)
{
        const struct lot start[] = {
                {.lot_no = 1, .amount = 5, .remaining = 5, .expires_at = DAYS(1), .order_id = order(7)},
                {.lot_no = 2, .amount = 5, .remaining = 5, .pending = true, .order_id = order(7)},
                {.lot_no = 3, .amount = 5, .remaining = 5, .expires_at = DAYS(5), .order_id = order(1)},
                {.lot_no = 4, .amount = 5, .remaining = 1, .expires_at = DAYS(-1), .order_id = order(1)},
                {.lot_no = 5, .amount = 5, .remaining = 5, .pending = true, .order_id = order(2)}};
        struct arena *arena = arena_new();
        struct lot lots[ARRAY_SIZE(start)];
        struct reversal reversal;

        memcpy(lots, start, sizeof lots);
        allocate_reverse(arena, lots, ARRAY_SIZE(lots), order(1), 7, REFUND_ONLY_PENDING, NOW, &reversal);
        EXPECT_INT(reversal.taken.n, 0);
        EXPECT_INT(reversal.write_off, 7);
        allocate_reverse(arena, lots, ARRAY_SIZE(lots), order(7), 7, REFUND_ONLY_PENDING, NOW, &reversal);
        EXPECT_INT(reversal.taken_pending, 5);
        EXPECT_INT(reversal.write_off, 2);
        EXPECT_INT(reversal.debt, 0);

        memcpy(lots, start, sizeof lots);
        allocate_reverse(arena, lots, ARRAY_SIZE(lots), order(7), 13, REFUND_WITHIN_BALANCE, NOW, &reversal);
        EXPECT_INT(reversal.taken.n, 3);
        EXPECT_INT(reversal.taken.v[0].lot, 1);
        EXPECT_INT(reversal.taken.v[1].lot, 0);
        EXPECT_INT(reversal.taken.v[2].lot, 2);
        EXPECT_INT(reversal.taken_pending, 5);
        EXPECT_INT(reversal.taken_active, 8);
        allocate_reverse(arena, lots, ARRAY_SIZE(lots), order(7), 10, REFUND_UNLIMITED, NOW, &reversal);
        EXPECT_INT(reversal.taken_active, 2);
        EXPECT_INT(reversal.taken_pending, 5);
        EXPECT_INT(reversal.debt, 3);
        EXPECT_INT(reversal.write_off, 0);
        EXPECT_INT(lots[3].remaining, 1); /* another order's lapsed lot is not touched */
        arena_free(arena);
}

TEST(reverse_of_random_lots_equals_the_slow_way)
{
        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct lot lots[LOTS], before[LOTS], expected[LOTS];
                struct reversal reversal;
                size_t n = lots_random(lots);
                struct uuid order_id = order((uint8_t)test_between(1, 3));
                enum refund_policy policy =
                        (enum refund_policy)test_between(REFUND_ONLY_PENDING, REFUND_UNLIMITED);
                int64_t amount = test_between(0, 40), had = 0;

                memcpy(before, lots, sizeof lots);
                memcpy(expected, lots, sizeof lots);
                while (had < amount &&
                       slow_take(expected, n, &order_id, 0, policy == REFUND_ONLY_PENDING ? 0 : 3))
                        had++;
                allocate_reverse(arena, lots, n, order_id, amount, policy, NOW, &reversal);
                expect_same(lots, expected, n);
                expect_told(&reversal.taken, before, lots, n);
                EXPECT_INT(reversal.taken_pending + reversal.taken_active, had);
                EXPECT_INT(lots_remaining(before, n) - lots_remaining(lots, n), had);
                EXPECT_INT(reversal.debt, policy == REFUND_UNLIMITED ? amount - had : 0);
                EXPECT_INT(reversal.write_off, policy == REFUND_UNLIMITED ? 0 : amount - had);
                arena_free(arena);
        }
}

TEST(restore_revives_a_lapsed_lot_for_the_minimum_life)
{
        struct arena *arena = arena_new();
        struct lot lots[] = {{.lot_no = 1, .amount = 10, .remaining = 2, .expires_at = DAYS(-3)},
                             {.lot_no = 2, .amount = 10, .remaining = 0, .expires_at = DAYS(1)}};
        struct spent spent[] = {{.lot = 0, .amount = 8}, {.lot = 1, .amount = 10}};
        struct restorations back;

        allocate_restore(arena, lots, spent, ARRAY_SIZE(spent), 13, NOW, 30, &back);
        EXPECT_INT(back.n, 2);
        EXPECT_INT(back.v[0].lot, 1);
        EXPECT_INT(back.v[0].amount, 10);
        EXPECT_INT(back.v[0].expired, 0);
        EXPECT_INT(lots[1].expires_at.us, DAYS(1).us);
        EXPECT_INT(back.v[1].amount, 3);
        EXPECT_INT(back.v[1].expired, 2);
        EXPECT_INT(lots[0].remaining, 3);
        EXPECT_INT(lots[0].expires_at.us, DAYS(30).us);
        allocate_restore(arena, lots, spent, ARRAY_SIZE(spent), 5, NOW, 30, &back);
        EXPECT_INT(back.v[0].expired, 0);
        EXPECT_INT(lots[0].remaining, 8);
        EXPECT_INT(spent[0].restored, 8);
        arena_free(arena);
}

TEST(restore_in_random_parts_undoes_a_random_spend)
{
        int undone = 0;

        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct lot lots[LOTS], before[LOTS];
                struct spent spent[LOTS];
                struct allocations taken;
                struct restorations back;
                size_t n = lots_random(lots);
                int64_t left = test_between(1, 20);

                memcpy(before, lots, sizeof lots);
                if (allocate_spend(arena, lots, n, left, NOW, &taken)) {
                        for (size_t i = 0; i < taken.n; i++)
                                spent[i] = (struct spent){.lot = taken.v[i].lot, .amount = taken.v[i].amount};
                        while (left > 0) {
                                int64_t part = test_between(1, left), sum = 0;
                                allocate_restore(arena, lots, spent, taken.n, part, NOW, 30, &back);
                                for (size_t i = 0; i < back.n; i++) {
                                        EXPECT(back.v[i].amount > 0);
                                        EXPECT_INT(back.v[i].expired, 0);
                                        sum += back.v[i].amount;
                                }
                                EXPECT_INT(sum, part);
                                left -= part;
                        }
                        expect_same(lots, before, n);
                        undone++;
                }
                arena_free(arena);
        }
        EXPECT(undone > ROUNDS / 10);
}

TEST_MAIN
