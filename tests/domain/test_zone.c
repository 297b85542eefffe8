/* Zones as C knows them against PostgreSQL's own arithmetic. */
#include "fixture.h"
#include "test.h"

#include "base/clock.h"
#include "db/statement.h"
#include "db/zone.h"

#define INSTANTS 3000

static struct fixture *fixture;

struct moment {
        const char *zone;
        struct texts at;
};
#define SHAPE_T struct moment
SHAPE(moment, "Instants in a zone.", FIELD(zone), FIELD(at));
#undef SHAPE_T

struct local_day {
        struct date day;
        struct instant midnight;
};
#define SHAPE_T struct local_day
SHAPE(local_day, "The day there, and when it began.", FIELD(day), FIELD(midnight));
#undef SHAPE_T

SQL_MANY(
        local_days, moment, local_day,
        "SELECT (t AT TIME ZONE :zone)::date AS day, (t AT TIME ZONE :zone)::date::timestamp AT TIME ZONE :zone AS midnight"
        " FROM (SELECT a.at::timestamptz AS t, a.i FROM unnest(:at) WITH ORDINALITY AS a (at, i)) AS x ORDER BY x.i")

static struct ctx *ready(void)
{
        struct ctx *c = fixture_ctx(fixture);

        EXPECT_INT(db_ready(c), ERR_OK);
        return c;
}

/* Half of the instants lie within two days of a change of the offset, where mistakes would be. */
static struct instant some_instant(const struct zone *zone)
{
        const int64_t low_s = INT64_C(86400), high_s = INT64_C(4102444800); /* 1970-01-02 to 2100-01-01 */

        if (zone->count > 1 && test_random() % 2 == 0) {
                const struct zone_change *change = &zone->changes[test_between(1, (int64_t)zone->count - 1)];
                return (struct instant){change->from_us + test_between(-172800, 172800) * INSTANT_SECOND + 1};
        }
        return (struct instant){test_between(low_s, high_s) * INSTANT_SECOND + 1};
}

static void compare_with_database(const char *name)
{
        struct ctx *c = ready();
        struct zone zone;
        struct instant at[INSTANTS];
        const char *texts[INSTANTS];
        char text[INSTANT_TEXT_SIZE];
        struct list rows = {0};
        int wrong_days = 0, wrong_midnights = 0;

        EXPECT_INT(zone_load(c, name, &zone), ERR_OK);
        for (int i = 0; i < INSTANTS; i++) {
                at[i] = some_instant(&zone);
                instant_format(at[i], text);
                texts[i] = arena_strdup(c->arena, text);
        }
        EXPECT_INT(local_days(c, &(struct moment){name, {texts, INSTANTS}}, &rows), ERR_OK);
        EXPECT_INT(rows.n, INSTANTS);
        for (size_t i = 0; i < rows.n; i++) {
                const struct local_day *row = (const struct local_day *)rows.v + i;
                wrong_days += date_compare(zone_date(&zone, at[i]), row->day) != 0;
                wrong_midnights += zone_midnight(&zone, row->day).us != row->midnight.us;
        }
        EXPECT_INT(wrong_days, 0);
        EXPECT_INT(wrong_midnights, 0);
}

TEST(zone_date_agrees_with_postgresql)
{
        compare_with_database("Asia/Shanghai");
        compare_with_database("Europe/London");
        compare_with_database("America/New_York");
        compare_with_database("Asia/Kathmandu");
        compare_with_database("America/St_Johns"); /* changed at 00:01 */
        compare_with_database("Africa/Monrovia");  /* seconds in its offset until 1972 */
        compare_with_database("UTC");
}

TEST(zone_load_takes_less_than_a_blink)
{
        const int64_t limit_us = 150 * 1000 * 4; /* 150 ms, fourfold for a busy machine and sanitizers */
        struct ctx *c = ready();
        struct zone zone;

        int64_t start_us = clock_monotonic_us();
        EXPECT_INT(zone_load(c, "Europe/London", &zone), ERR_OK);
        EXPECT(clock_monotonic_us() - start_us < limit_us);
        EXPECT(zone.count > 250 && zone.changes[0].from_us == INT64_MIN);
        EXPECT_INT(zone.changes[0].offset_seconds, 3600); /* British Standard Time, until 1971 */
        EXPECT_TEXT(zone.name, "Europe/London");
}

TEST(zone_load_refuses_what_is_no_iana_zone)
{
        static const char *const names[] = {"Asia/Atlantis", "CST",   "",
                                            "Shop/Here5",    "UTC+8", "Asia/Shanghai'; --"};
        struct zone zone;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct ctx *c = ready();
                EXPECT_INT(zone_load(c, names[i], &zone), ERR_INVALID);
                EXPECT(strstr(c->problem.detail, "There is no time zone") != NULL);
        }
        struct ctx *c = ready();
        EXPECT_INT(zone_load(c, "Etc/GMT+8", &zone), ERR_OK);
        EXPECT_INT(zone.changes[0].offset_seconds, -8 * 3600);
}

int main(void)
{
        fixture = fixture_new("zone");
        int status = test_run_all();
        fixture_free(fixture);
        return status;
}
