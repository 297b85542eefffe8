#include "test.h"

#include "points/share.h"

#define ROUNDS 20000
#define LINES  12
#define GREAT  INT64_C(1000000000000)
#define MOST   INT64_MAX

/* The exact quota split into whole and rest, by schoolbook halving instead of one wide product. */
static void slow_quota(int64_t total, int64_t weight, int64_t sum, int64_t *ret_whole, int64_t *ret_rest)
{
        int64_t whole = 0, rest = 0;

        for (int bit = 62; bit >= 0; bit--) {
                rest *= 2;
                whole *= 2;
                if (weight >> bit & 1) {
                        whole += total / sum;
                        rest += total % sum;
                }
                whole += rest / sum;
                rest %= sum;
        }
        *ret_whole = whole;
        *ret_rest = rest;
}

TEST(share_gives_known_splits)
{
        struct arena *arena = arena_new();
        int64_t out[3];

        share_largest_remainder(arena, 10, (const int64_t[]){1, 1, 1}, 3, out);
        EXPECT_INT(out[0], 4);
        EXPECT_INT(out[1], 3);
        EXPECT_INT(out[2], 3);
        share_largest_remainder(arena, 5, (const int64_t[]){0, 0, 0}, 3, out);
        EXPECT_INT(out[0], 2);
        EXPECT_INT(out[1], 2);
        EXPECT_INT(out[2], 1);
        share_largest_remainder(arena, 7, (const int64_t[]){0, 3, 1}, 3, out);
        EXPECT_INT(out[0], 0);
        EXPECT_INT(out[1], 5);
        EXPECT_INT(out[2], 2);
        share_largest_remainder(arena, MOST, (const int64_t[]){MOST, MOST, 0}, 3, out);
        EXPECT_INT(out[0], MOST / 2 + 1);
        EXPECT_INT(out[1], MOST / 2);
        EXPECT_INT(out[2], 0);
        arena_free(arena);
}

/* One unit at a time to the largest rest not yet served: what largest remainder means. */
static void slow_share(int64_t total, const int64_t *weights, size_t n, int64_t *out)
{
        int64_t rests[LINES], sum = 0, left = total;

        for (size_t i = 0; i < n; i++)
                sum += weights[i];
        for (size_t i = 0; i < n; i++) {
                slow_quota(total, sum > 0 ? weights[i] : 1, sum > 0 ? sum : (int64_t)n, &out[i], &rests[i]);
                left -= out[i];
        }
        for (; left > 0; left--) {
                size_t best = 0;
                for (size_t i = 1; i < n; i++)
                        if (rests[i] > rests[best])
                                best = i;
                out[best]++;
                rests[best] = -1;
        }
}

TEST(share_of_random_weights_equals_the_slow_way)
{
        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                int64_t weights[LINES], out[LINES], expected[LINES], sum = 0;
                size_t n = (size_t)test_between(1, LINES);
                int64_t top = test_between(0, 2) == 0 ? GREAT : test_between(0, 9);
                int64_t total = test_between(0, test_between(0, 1) ? GREAT : 20);

                for (size_t i = 0; i < n; i++)
                        weights[i] = test_between(0, top);
                share_largest_remainder(arena, total, weights, n, out);
                slow_share(total, weights, n, expected);
                for (size_t i = 0; i < n; i++) {
                        EXPECT_INT(out[i], expected[i]);
                        sum += out[i];
                }
                EXPECT_INT(sum, total);
                arena_free(arena);
        }
}

TEST(proportion_rounds_half_up)
{
        EXPECT_INT(proportion(10, 1, 3), 3);
        EXPECT_INT(proportion(10, 2, 3), 7);
        EXPECT_INT(proportion(1, 1, 2), 1);
        EXPECT_INT(proportion(5, 1, 2), 3);
        EXPECT_INT(proportion(5, 0, 1), 0);
        EXPECT_INT(proportion(MOST, MOST, MOST), MOST);
        EXPECT_INT(proportion(MOST, 1, MOST), 1);
}

TEST(proportion_of_random_values_equals_the_slow_way)
{
        for (int round = 0; round < ROUNDS; round++) {
                int64_t whole = test_between(1, test_between(0, 1) ? GREAT : 50),
                        part = test_between(0, whole);
                int64_t amount = test_between(0, test_between(0, 1) ? GREAT : 50), down, rest;

                slow_quota(amount, part, whole, &down, &rest);
                EXPECT_INT(proportion(amount, part, whole), down + (rest * 2 >= whole));
        }
}

TEST(proportion_steps_of_thirds_take_everything)
{
        EXPECT_INT(proportion_cumulative(10, 0, 1, 3), 3);
        EXPECT_INT(proportion_cumulative(10, 1, 2, 3), 4);
        EXPECT_INT(proportion_cumulative(10, 2, 3, 3), 3);
}

/* Cut one line's refund anywhere, as often as you like: each step takes something or nothing, together
 * exactly all. */
TEST(proportion_random_partial_refunds_sum_to_the_full_one)
{
        for (int round = 0; round < ROUNDS; round++) {
                int64_t paid = test_between(1, test_between(0, 1) ? GREAT : 30);
                int64_t points = test_between(0, test_between(0, 1) ? GREAT : 30), taken = 0;

                for (int64_t before = 0, after; before < paid; before = after) {
                        after = test_between(0, 7) ? test_between(before, paid) : paid;
                        int64_t step = proportion_cumulative(points, before, after, paid);
                        EXPECT(step >= 0 && taken + step <= points);
                        taken += step;
                }
                EXPECT_INT(taken, points);
        }
}

/* A whole order: points shared over the lines, then every line refunded in random pieces in random order. */
TEST(proportion_random_refunds_of_an_order_return_every_share)
{
        for (int round = 0; round < ROUNDS / 10; round++) {
                struct arena *arena = arena_new();
                int64_t paid[LINES], shares[LINES], refunded[LINES] = {0}, taken[LINES] = {0}, sum = 0;
                size_t n = (size_t)test_between(1, LINES), open = n;
                int64_t points = test_between(0, 1000);

                for (size_t i = 0; i < n; i++)
                        paid[i] = test_between(1, 5000);
                share_largest_remainder(arena, points, paid, n, shares);
                while (open > 0) {
                        size_t i = (size_t)test_between(0, (int64_t)n - 1);
                        if (refunded[i] == paid[i])
                                continue;
                        int64_t after = test_between(refunded[i] + 1, paid[i]);
                        taken[i] += proportion_cumulative(shares[i], refunded[i], after, paid[i]);
                        refunded[i] = after;
                        open -= after == paid[i];
                }
                for (size_t i = 0; i < n; i++) {
                        EXPECT_INT(taken[i], shares[i]);
                        sum += taken[i];
                }
                EXPECT_INT(sum, points);
                arena_free(arena);
        }
}

TEST_MAIN
