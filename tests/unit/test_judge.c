#include "test.h"

#include "base/shape_json.h"
#include "program/default.h"
#include "tiers/judge.h"

#define ROUNDS       3000
#define TIERS        4
#define REQUIREMENTS 3
#define DAYS         40
#define MONTH_MAX    6

static struct date day(const char *text)
{
        struct date date = {0};

        EXPECT(date_parse(text, &date));
        return date;
}

static const struct opt_int lifetime = {0};
static struct opt_int months(int64_t n)
{
        return (struct opt_int){.set = true, .v = n};
}

static struct program *program_of_default(struct ctx *c)
{
        struct program *program = ARENA_NEW(c->arena, struct program);
        json_t *json;

        EXPECT(json_parse(c, program_default_json, strlen(program_default_json), &json) == ERR_OK);
        shape_decode(c, &program_shape, json, program);
        EXPECT(problem_check(c) == ERR_OK);
        json_decref(json);
        return program;
}

TEST(metric_window_begins_the_day_after_the_date_months_ago)
{
        struct metric_day days[] = {
                {.day = day("2025-11-21"), .spend_minor = 1, .orders = 10, .growth = 100},
                {.day = day("2025-11-22"), .spend_minor = 2, .orders = 20, .growth = 200},
                {.day = day("2026-11-21"), .spend_minor = 4, .orders = 40, .growth = 400}};
        struct metrics metrics = {
                .days = days, .day_count = 3, .spend_minor = 9, .orders = 90, .growth = 900};
        struct date today = day("2026-11-21");

        EXPECT_INT(metric_value(&metrics, METRIC_SPEND, months(12), today), 6);
        EXPECT_INT(metric_value(&metrics, METRIC_ORDERS, months(12), today), 60);
        EXPECT_INT(metric_value(&metrics, METRIC_GROWTH, months(13), today), 700);
        EXPECT_INT(metric_value(&metrics, METRIC_GROWTH, lifetime, today), 900);
        days[2].day = day("2027-02-28"); /* 12 months before 2028-02-29 is 2027-02-28 */
        EXPECT_INT(metric_value(&metrics, METRIC_SPEND, months(12), day("2028-02-29")), 0);
        EXPECT_INT(metric_value(&metrics, METRIC_SPEND, months(12), day("2028-02-27")), 4);
}

TEST(default_programme_raises_at_once_and_says_what_is_missing)
{
        struct ctx c = {.arena = arena_new()};
        const struct program *program = program_of_default(&c);
        struct date today = day("2026-11-01");
        struct metric_day bought = {.day = today, .spend_minor = 60000, .orders = 1, .growth = 600};
        struct metrics metrics = {
                .days = &bought, .day_count = 1, .spend_minor = 60000, .orders = 1, .growth = 600};

        EXPECT_INT(judge_upgrade(program, 0, &metrics, today), 1);
        EXPECT_INT(judge_upgrade(program, 3, &metrics, today), 3);
        struct progress progress = progress_missing(c.arena, program, 1, &metrics, today);
        EXPECT_TEXT(progress.next->code, "gold");
        EXPECT_INT(progress.missing.n, 2);
        EXPECT_INT(progress.missing.v[0].metric, METRIC_SPEND);
        EXPECT_INT(progress.missing.v[0].window_months.v, 12);
        EXPECT_INT(progress.missing.v[0].missing_minor.v, 90000);
        EXPECT(!progress.missing.v[0].missing.set);
        EXPECT(!progress.missing.v[1].window_months.set);
        EXPECT_INT(progress.missing.v[1].missing_minor.v, 190000);
        EXPECT(progress_missing(c.arena, program, 3, &metrics, today).next == NULL);
        arena_free(c.arena);
}

TEST(default_programme_lowers_only_when_the_refund_is_the_cause)
{
        struct ctx c = {.arena = arena_new()};
        const struct program *program = program_of_default(&c);
        struct date today = day("2026-11-01");
        struct metric_day much = {.day = today, .spend_minor = 160000, .orders = 2, .growth = 1600};
        struct metric_day kept = {.day = today, .spend_minor = 149000, .orders = 2, .growth = 1500};
        struct metric_day less = {.day = today, .spend_minor = 60000, .orders = 1, .growth = 600};
        struct metric_day none = {.day = today};
        struct metrics before = {
                .days = &much, .day_count = 1, .spend_minor = 160000, .orders = 2, .growth = 1600};
        struct metrics still = {
                .days = &kept, .day_count = 1, .spend_minor = 149000, .orders = 2, .growth = 1500};
        struct metrics after = {
                .days = &less, .day_count = 1, .spend_minor = 60000, .orders = 1, .growth = 600};
        struct metrics nothing = {.days = &none, .day_count = 1};

        EXPECT_INT(judge_after_refund(program, 2, &before, &still, today), 2);
        EXPECT_INT(judge_after_refund(program, 2, &before, &after, today), 1);
        EXPECT_INT(judge_after_refund(program, 2, &before, &nothing, today), 0);
        EXPECT_INT(judge_after_refund(program, 3, &before, &nothing, today),
                   3); /* diamond was not earned by these */
        arena_free(c.arena);
}

/* ---- random programmes against a reference that walks the calendar day by day */

struct world {
        struct requirement store[TIERS * 4 * REQUIREMENTS];
        size_t used;
        struct tier tiers[TIERS];
        struct program program;
        struct date today;
        struct metric_day before_days[DAYS], after_days[DAYS];
        struct metrics before, after;
};

static void requirements_random(struct world *world, struct requirement **v, size_t *n)
{
        *v = &world->store[world->used];
        *n = (size_t)test_between(0, REQUIREMENTS);
        for (size_t i = 0; i < *n; i++)
                world->store[world->used++] = (struct requirement){
                        .metric = (unsigned)test_between(METRIC_SPEND, METRIC_GROWTH),
                        .window_months = test_between(0, 3) ? months(test_between(1, MONTH_MAX)) : lifetime,
                        .at_least = test_between(1, 60)};
}

static void world_random(struct world *world)
{
        *world = (struct world){.today = date_from_days(test_between(18000, 21000))};
        world->program.tiers.v = world->tiers;
        world->program.tiers.n = (size_t)test_between(1, TIERS);
        for (size_t i = 0; i < world->program.tiers.n; i++) {
                struct tier *tier = &world->tiers[i];
                if (i > 0) {
                        requirements_random(world, &tier->qualify.any_of.v, &tier->qualify.any_of.n);
                        requirements_random(world, &tier->qualify.all_of.v, &tier->qualify.all_of.n);
                }
                requirements_random(world, &tier->keep.any_of.v, &tier->keep.any_of.n);
                requirements_random(world, &tier->keep.all_of.v, &tier->keep.all_of.n);
        }
        size_t n = (size_t)test_between(0, DAYS);
        world->before = (struct metrics){.days = world->before_days, .day_count = n};
        world->after = (struct metrics){.days = world->after_days, .day_count = n};
        for (size_t i = 0; i < n; i++) {
                struct metric_day *had = &world->before_days[i], *has = &world->after_days[i];
                *had = (struct metric_day){.day = date_add_days(world->today, -test_between(0, 220)),
                                           .spend_minor = test_between(0, 6),
                                           .orders = test_between(0, 6),
                                           .growth = test_between(0, 6)};
                bool refunded = test_between(0, 3) == 0;
                *has = refunded ? (struct metric_day){.day = had->day} : *had;
                world->before.spend_minor += had->spend_minor, world->after.spend_minor += has->spend_minor;
                world->before.orders += had->orders, world->after.orders += has->orders;
                world->before.growth += had->growth, world->after.growth += has->growth;
        }
}

static int64_t slow_value(const struct requirement *requirement, const struct metrics *metrics,
                          struct date today)
{
        int64_t value = 0, first = INT64_MIN;

        if (requirement->window_months.set)
                first = date_days(date_add_months(today, -(int)requirement->window_months.v)) + 1;
        for (size_t i = 0; i < metrics->day_count; i++) {
                const struct metric_day *d = &metrics->days[i];
                const int64_t values[] = {0, d->spend_minor, d->orders, d->growth};
                if (date_days(d->day) >= first)
                        value += values[requirement->metric];
        }
        return value;
}

static size_t slow_met_count(const struct requirement *v, size_t n, const struct metrics *metrics,
                             struct date today)
{
        size_t met = 0;

        for (size_t i = 0; i < n; i++)
                met += slow_value(&v[i], metrics, today) >= v[i].at_least;
        return met;
}

static bool slow_met(const struct requirements *r, const struct metrics *metrics, struct date today)
{
        bool any = r->any_of.n == 0 || slow_met_count(r->any_of.v, r->any_of.n, metrics, today) > 0;

        return any && slow_met_count(r->all_of.v, r->all_of.n, metrics, today) == r->all_of.n;
}

static bool slow_held(const struct tier *tier, const struct metrics *metrics, struct date today)
{
        return slow_met(&tier->qualify, metrics, today) || slow_met(&tier->keep, metrics, today);
}

TEST(judge_of_random_programmes_equals_the_slow_way)
{
        int risen = 0, fallen = 0;

        for (int round = 0; round < ROUNDS; round++) {
                struct world world;
                size_t qualified = 0, held = 0;

                world_random(&world);
                size_t n = world.program.tiers.n, current = (size_t)test_between(0, (int64_t)n - 1);
                const struct tier *tier = &world.tiers[current];
                for (size_t i = 0; i < n; i++) {
                        if (slow_met(&world.tiers[i].qualify, &world.before, world.today))
                                qualified = i;
                        if (i <= current && slow_held(&world.tiers[i], &world.after, world.today))
                                held = i;
                }
                EXPECT_INT(judge_qualified(&world.program, &world.before, world.today), qualified);
                size_t up = judge_upgrade(&world.program, current, &world.before, world.today);
                EXPECT_INT(up, qualified > current ? qualified : current);
                bool cause = slow_held(tier, &world.before, world.today) &&
                             !slow_held(tier, &world.after, world.today);
                size_t down =
                        judge_after_refund(&world.program, current, &world.before, &world.after, world.today);
                EXPECT_INT(down, cause ? held : current);
                risen += up > current;
                fallen += down < current;
        }
        EXPECT(risen > ROUNDS / 20 && fallen > ROUNDS / 100);
}

/* Give the customer what is missing (of each metric the most, today): then the next tier is reached. */
TEST(progress_of_random_programmes_is_what_leads_to_the_next_tier)
{
        int led = 0;

        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct world world;

                world_random(&world);
                size_t current = (size_t)test_between(0, (int64_t)world.program.tiers.n - 1);
                struct progress progress =
                        progress_missing(arena, &world.program, current, &world.before, world.today);
                EXPECT((progress.next == NULL) == (current == world.program.tiers.n - 1));
                if (progress.next != NULL) {
                        int64_t gift[METRIC_GROWTH + 1] = {0};
                        bool met = slow_met(&progress.next->qualify, &world.before, world.today);
                        EXPECT(met == (progress.missing.n == 0));
                        for (size_t i = 0; i < progress.missing.n; i++) {
                                const struct missing *m = &progress.missing.v[i];
                                bool spend = m->metric == METRIC_SPEND;
                                int64_t lack = spend ? m->missing_minor.v : m->missing.v;
                                EXPECT(lack > 0 && m->missing_minor.set == spend && m->missing.set == !spend);
                                if (lack > gift[m->metric])
                                        gift[m->metric] = lack;
                        }
                        struct metric_day days[DAYS + 1];
                        memcpy(days, world.before_days, sizeof world.before_days);
                        days[world.before.day_count] = (struct metric_day){
                                world.today, gift[METRIC_SPEND], gift[METRIC_ORDERS], gift[METRIC_GROWTH]};
                        struct metrics then = {.days = days,
                                               .day_count = world.before.day_count + 1,
                                               .spend_minor = world.before.spend_minor + gift[METRIC_SPEND],
                                               .orders = world.before.orders + gift[METRIC_ORDERS],
                                               .growth = world.before.growth + gift[METRIC_GROWTH]};
                        EXPECT(requirements_met(&progress.next->qualify, &then, world.today));
                        led += !met;
                }
                arena_free(arena);
        }
        EXPECT(led > ROUNDS / 10);
}

TEST(cycle_end_counts_from_its_anchor)
{
        struct tier_settings settings = {.cycle_months = 12, .anchor = ANCHOR_TIER_START};
        struct date joined = day("2024-02-29"), end = cycle_end(&settings, day("2026-05-05"), joined);

        EXPECT_INT(date_compare(end, day("2027-05-05")), 0);
        settings.anchor = ANCHOR_CALENDAR_YEAR;
        end = cycle_end(&settings, day("2026-01-01"), joined);
        EXPECT_INT(date_compare(end, day("2027-01-01")), 0);
        settings.anchor = ANCHOR_JOINING;
        end = cycle_end(&settings, day("2026-02-27"), joined);
        EXPECT_INT(date_compare(end, day("2026-02-28")), 0);
        end = cycle_end(&settings, day("2026-02-28"), joined);
        EXPECT_INT(date_compare(end, day("2027-02-28")), 0);
        end = cycle_end(&settings, day("2027-03-01"), joined); /* the leap day does not wander */
        EXPECT_INT(date_compare(end, day("2028-02-29")), 0);
        settings.cycle_months = 5;
        end = cycle_end(&settings, day("2024-12-30"), joined);
        EXPECT_INT(date_compare(end, day("2025-05-29")), 0);
}

TEST(judge_cycle_end_keeps_falls_and_stops_at_what_is_due)
{
        struct arena *arena = arena_new();
        struct ctx c = {.arena = arena};
        struct program *program = program_of_default(&c);
        struct date today = day("2026-11-21");
        struct metric_day recent = {.day = today, .growth = 1500};
        struct metrics kept = {.days = &recent, .day_count = 1, .growth = 1500}, none = {0};
        struct metrics lifetime_silver = {.spend_minor = 80000};

        program->cycle.downgrade = DOWNGRADE_ONE_STEP;
        EXPECT_INT(judge_cycle_end(program, 2, &kept, today), 2);
        EXPECT_INT(judge_cycle_end(program, 3, &kept, today), 2);
        EXPECT_INT(judge_cycle_end(program, 3, &none, today), 2);
        EXPECT_INT(judge_cycle_end(program, 1, &none, today), 0);
        EXPECT_INT(judge_cycle_end(program, 0, &none, today), 0);
        EXPECT_INT(judge_cycle_end(program, 1, &lifetime_silver, today), 1);
        program->cycle.downgrade = DOWNGRADE_REASSESS;
        EXPECT_INT(judge_cycle_end(program, 3, &none, today), 0);
        EXPECT_INT(judge_cycle_end(program, 3, &lifetime_silver, today), 1);
        program->tiers.v[2].floor = true;
        EXPECT_INT(judge_cycle_end(program, 3, &none, today), 2);
        EXPECT_INT(judge_cycle_end(program, 1, &none, today), 0); /* a floor above does not lift */
        program->cycle.downgrade = DOWNGRADE_NONE;
        EXPECT_INT(judge_cycle_end(program, 3, &none, today), 3);
        problem_reset(&c);
        arena_free(arena);
}

TEST_MAIN
