#include "test.h"

#include "customers/lifecycle.h"

static const struct lifecycle_limits limits = {.repeat_orders = 2,
                                               .loyal_orders = 5,
                                               .loyal_window_months = 12,
                                               .at_risk_months = 6,
                                               .lost_months = 12};

static enum lifecycle decide(int64_t orders, int64_t in_window, bool inquired, const char *last_order,
                             const char *today)
{
        struct lifecycle_facts facts = {
                .orders = orders, .orders_in_window = in_window, .inquired = inquired};
        struct date day = {0};

        EXPECT(last_order == NULL || date_parse(last_order, &facts.last_order));
        EXPECT(date_parse(today, &day));
        return lifecycle_decide(&facts, &limits, day);
}

TEST(lifecycle_without_orders_is_lead_or_inquiring)
{
        EXPECT_INT(decide(0, 0, false, NULL, "2026-11-21"), LIFECYCLE_LEAD);
        EXPECT_INT(decide(0, 0, true, NULL, "2026-11-21"), LIFECYCLE_INQUIRING);
}

TEST(lifecycle_counts_orders)
{
        EXPECT_INT(decide(1, 1, true, "2026-11-21", "2026-11-21"), LIFECYCLE_NEW);
        EXPECT_INT(decide(2, 2, false, "2026-11-01", "2026-11-21"), LIFECYCLE_REPEAT);
        EXPECT_INT(decide(9, 4, false, "2026-11-01", "2026-11-21"), LIFECYCLE_REPEAT);
        EXPECT_INT(decide(5, 5, false, "2026-11-01", "2026-11-21"), LIFECYCLE_LOYAL);
}

TEST(lifecycle_silence_outweighs_orders_on_the_day_after_the_months)
{
        EXPECT_INT(decide(9, 9, false, "2026-05-21", "2026-11-21"), LIFECYCLE_LOYAL);
        EXPECT_INT(decide(9, 9, false, "2026-05-20", "2026-11-21"), LIFECYCLE_AT_RISK);
        EXPECT_INT(decide(1, 1, false, "2025-11-21", "2026-11-21"), LIFECYCLE_AT_RISK);
        EXPECT_INT(decide(1, 0, false, "2025-11-20", "2026-11-21"), LIFECYCLE_LOST);
        EXPECT_INT(decide(1, 1, false, "2025-08-31", "2026-02-28"),
                   LIFECYCLE_NEW); /* 6 months back: August 28 */
        EXPECT_INT(decide(1, 1, false, "2025-08-27", "2026-02-28"), LIFECYCLE_AT_RISK);
}

TEST(lifecycle_never_brightens_as_time_passes)
{
        for (int round = 0; round < 200; round++) {
                struct date last = date_from_days(test_between(15000, 20000)), today = last;
                struct lifecycle_facts facts = {.orders = test_between(1, 9), .last_order = last};
                enum lifecycle before = LIFECYCLE_NONE;

                facts.orders_in_window = test_between(0, facts.orders);
                for (int day = 0; day < 800; day++) {
                        enum lifecycle now = lifecycle_decide(&facts, &limits, today);
                        EXPECT(now >= before);
                        before = now;
                        today = date_add_days(today, 1);
                }
                EXPECT_INT(before, LIFECYCLE_LOST);
        }
}

TEST(lifecycle_names_follow_the_enum)
{
        EXPECT_TEXT(lifecycle_names.v[LIFECYCLE_LEAD], "lead");
        EXPECT_TEXT(lifecycle_names.v[LIFECYCLE_LOST], "lost");
        EXPECT_INT(lifecycle_names.n, LIFECYCLE_LOST + 1);
}

TEST_MAIN
