/* The token bucket. */
#include "test.h"

#include "access/bucket.h"

#define SECOND_NS INT64_C(1000000000)

TEST(bucket_full_gives_its_burst_and_then_refuses)
{
        struct bucket_policy policy = {.per_second = 10, .burst = 3};
        struct bucket_level level;
        int64_t full_at = 0, now = 5 * SECOND_NS;

        for (int64_t left = 2; left >= 0; left--) {
                EXPECT(bucket_take(policy, now, &full_at, &level));
                EXPECT_INT(level.remaining, left);
                EXPECT_INT(level.retry_in_seconds, 0);
        }
        int64_t before = full_at;
        EXPECT(!bucket_take(policy, now, &full_at, &level));
        EXPECT_INT(level.remaining, 0);
        EXPECT_INT(level.retry_in_seconds, 1);
        EXPECT_INT(level.full_in_seconds, 1);
        EXPECT_INT(full_at, before);
}

TEST(bucket_fills_a_token_at_a_time_and_no_further_than_its_size)
{
        struct bucket_policy policy = {.per_second = 10, .burst = 3};
        struct bucket_level level;
        int64_t full_at = 0, now = SECOND_NS;

        for (int i = 0; i < 3; i++)
                EXPECT(bucket_take(policy, now, &full_at, &level));
        EXPECT(!bucket_take(policy, now + SECOND_NS / 10 - 1, &full_at, &level));
        EXPECT(bucket_take(policy, now + SECOND_NS / 10, &full_at, &level));
        EXPECT(!bucket_take(policy, now + SECOND_NS / 10, &full_at, &level));
        now += 3600 * SECOND_NS;
        for (int i = 0; i < 3; i++)
                EXPECT(bucket_take(policy, now, &full_at, &level));
        EXPECT(!bucket_take(policy, now, &full_at, &level));
}

TEST(bucket_waits_of_a_slow_key_are_told_in_whole_seconds)
{
        struct bucket_policy policy = {.per_second = 1, .burst = 5};
        struct bucket_level level;
        int64_t full_at = 0;

        for (int i = 0; i < 5; i++)
                EXPECT(bucket_take(policy, SECOND_NS, &full_at, &level));
        EXPECT_INT(level.full_in_seconds, 5);
        EXPECT_INT(bucket_window_seconds(policy), 5);
        EXPECT(!bucket_take(policy, SECOND_NS + SECOND_NS / 4, &full_at, &level));
        EXPECT_INT(level.retry_in_seconds, 1);
        EXPECT_INT(level.full_in_seconds, 5);
}

/* However the calls fall, a span of time lets through its share and the burst, and never more. */
TEST(bucket_never_lets_more_through_than_rate_and_burst)
{
        for (int round = 0; round < 200; round++) {
                struct bucket_policy policy = {test_between(1, 5000), test_between(1, 200)};
                struct bucket_level level;
                int64_t full_at = 0, start = test_between(1, SECOND_NS), now = start, taken = 0;
                for (int i = 0; i < 500; i++) {
                        now += test_between(0, 2 * SECOND_NS / policy.per_second);
                        taken += bucket_take(policy, now, &full_at, &level);
                        EXPECT(level.remaining >= 0 && level.remaining < policy.burst);
                }
                int64_t token_ns = SECOND_NS / policy.per_second;
                EXPECT(taken <= policy.burst + (now - start) / token_ns);
                EXPECT(taken == 500 || taken >= (now - start) / token_ns / 2);
        }
}

TEST_MAIN
