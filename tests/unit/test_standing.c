/* Where a customer stands in memory: sums by day and for life, and moves between tiers. */
#include "test.h"

#include "base/err.h"
#include "tiers/standing.h"

static const struct zone_change shanghai_changes[] = {{INT64_MIN, 8 * 3600}};
static const struct zone shanghai = {"Asia/Shanghai", shanghai_changes, 1};

static struct tier tiers[] = {
        {.rank = 0, .code = "basic"}, {.rank = 1, .code = "silver"}, {.rank = 2, .code = "gold"}};
static const struct program program = {.cycle = {.cycle_months = 12, .anchor = ANCHOR_TIER_START},
                                       .tiers = {tiers, ARRAY_SIZE(tiers)}};

static struct stand stand_new(void)
{
        return (struct stand){.standing = {.customer_id = {{1}}, .tier = "basic"}};
}

static void count(struct stand *stand, struct arena *arena, const char *day, int64_t spend, int64_t orders,
                  int64_t growth)
{
        struct metric_day delta = {.spend_minor = spend, .orders = orders, .growth = growth};

        EXPECT(date_parse(day, &delta.day));
        stand_count(stand, arena, &delta);
}

TEST(counting_adds_to_the_day_and_to_life)
{
        struct arena *arena = arena_new();
        struct stand stand = stand_new();

        count(&stand, arena, "2026-11-21", 1000, 1, 10);
        count(&stand, arena, "2026-11-20", 500, 1, 5);
        count(&stand, arena, "2026-11-21", 300, 1, 3);
        count(&stand, arena, "2026-11-21", -1000, -1, -10);
        EXPECT_INT(stand.day_count, 2);
        EXPECT_INT(stand.standing.spend_minor, 800);
        EXPECT_INT(stand.standing.orders, 2);
        EXPECT_INT(stand.standing.growth, 8);
        struct metrics metrics = stand_metrics(&stand);
        EXPECT(metrics.day_count == 2 && metrics.spend_minor == 800 && metrics.days[0].spend_minor == 300);
        EXPECT(stand.changed);
        arena_free(arena);
}

TEST(deltas_hold_only_what_this_transaction_did)
{
        struct arena *arena = arena_new();
        struct stand stand = stand_new();

        stand.day_room = stand.day_count = 1;
        stand.days = ARENA_ARRAY(arena, 1, struct metric_day);
        stand.deltas = ARENA_ARRAY(arena, 1, struct metric_day);
        stand.days[0] =
                (struct metric_day){.day = {2026, 11, 21}, .spend_minor = 5000, .orders = 5, .growth = 50};
        stand.deltas[0].day = stand.days[0].day;
        count(&stand, arena, "2026-11-21", 100, 1, 1);
        count(&stand, arena, "2026-11-22", 7, 1, 0);
        EXPECT(stand.days[0].spend_minor == 5100 && stand.deltas[0].spend_minor == 100);
        EXPECT(stand.days[1].spend_minor == 7 && stand.deltas[1].spend_minor == 7);
        arena_free(arena);
}

TEST(many_days_are_all_kept)
{
        struct arena *arena = arena_new();
        struct stand stand = stand_new();
        int64_t spend = 0;

        for (int i = 0; i < 400; i++) {
                struct metric_day delta = {.day = date_add_days((struct date){2026, 1, 1}, i % 200),
                                           .spend_minor = i,
                                           .orders = 1};
                stand_count(&stand, arena, &delta);
                spend += i;
        }
        EXPECT_INT(stand.day_count, 200);
        EXPECT_INT(stand.standing.spend_minor, spend);
        for (size_t i = 0; i < stand.day_count; i++) {
                EXPECT_INT(stand.days[i].spend_minor, 2 * (int64_t)i + 200);
                EXPECT_INT(stand.deltas[i].spend_minor, stand.days[i].spend_minor);
        }
        arena_free(arena);
}

static void move(struct stand *stand, struct arena *arena, size_t rank, const char *at)
{
        struct stand_move to = {.rank = rank, .cause = "order", .order_id = {{9}}};

        EXPECT(instant_parse(at, &to.at));
        stand_move(stand, arena, &program, &shanghai, &to);
}

static const char *until(const struct stand *stand)
{
        static char text[INSTANT_TEXT_SIZE];

        if (!instant_known(stand->standing.until))
                return "for good";
        instant_format(stand->standing.until, text);
        return text;
}

TEST(a_tier_lasts_to_the_shops_midnight_a_cycle_later)
{
        struct arena *arena = arena_new();
        struct stand stand = stand_new();

        move(&stand, arena, 1, "2026-11-21T15:59:59Z");
        EXPECT_TEXT(until(&stand), "2027-11-20T16:00:00Z");
        move(&stand, arena, 2, "2026-11-21T16:00:00Z"); /* the 22nd in Shanghai */
        EXPECT_TEXT(until(&stand), "2027-11-21T16:00:00Z");
        move(&stand, arena, 1, "2028-02-28T20:00:00Z"); /* the 29th */
        EXPECT_TEXT(until(&stand), "2029-02-27T16:00:00Z");
        move(&stand, arena, 0, "2028-03-01T00:00:00Z");
        EXPECT_TEXT(until(&stand), "for good");
        arena_free(arena);
}

TEST(every_move_is_in_the_history)
{
        struct arena *arena = arena_new();
        struct stand stand = stand_new();

        stand.standing.changes = 6;
        for (size_t i = 0; i < 20; i++)
                move(&stand, arena, i % 2 + 1, "2026-11-21T12:00:00Z");
        EXPECT_INT(stand.history.n, 20);
        EXPECT_INT(stand.standing.changes, 26);
        EXPECT_INT(stand.rank, 2);
        EXPECT_TEXT(stand.standing.tier, "gold");
        for (size_t i = 0; i < stand.history.n; i++) {
                EXPECT_INT(stand.history.v[i].change_no, i + 7);
                EXPECT_TEXT(stand.history.v[i].tier_before, i == 0 ? "basic" : tiers[(i - 1) % 2 + 1].code);
                EXPECT_TEXT(stand.history.v[i].tier_after, tiers[i % 2 + 1].code);
                EXPECT_INT(stand.history.v[i].order_id.b[0], 9);
        }
        arena_free(arena);
}

TEST_MAIN
