/* Instants, dates and zones: RFC 3339 in and out, the calendar, days of a shop whose clocks jump. */
#include "test.h"

#include "base/err.h"
#include "base/instant.h"

#define DAYS_CHECKED 200000

static const char *shown(const char *text)
{
        static char out[INSTANT_TEXT_SIZE];
        struct instant at;

        if (!instant_parse(text, &at))
                return "refused";
        instant_format(at, out);
        return out;
}

TEST(instants_of_any_offset_are_shown_in_utc)
{
        EXPECT_TEXT(shown("2026-11-01T10:00:00Z"), "2026-11-01T10:00:00Z");
        EXPECT_TEXT(shown("2026-11-01t10:00:00z"), "2026-11-01T10:00:00Z");
        EXPECT_TEXT(shown("2026-11-01T00:00:00+08:00"), "2026-10-31T16:00:00Z");
        EXPECT_TEXT(shown("2026-12-31T23:30:00-01:00"), "2027-01-01T00:30:00Z");
        EXPECT_TEXT(shown("2026-11-01T10:00:00+00:00"), "2026-11-01T10:00:00Z");
        EXPECT_TEXT(shown("2026-11-01T10:00:00-23:59"), "2026-11-02T09:59:00Z");
        EXPECT_TEXT(shown("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59.500000Z");
        EXPECT_TEXT(shown("2016-12-31T23:59:60Z"),
                    "2017-01-01T00:00:00Z"); /* the leap second is the next one */
}

TEST(fractions_are_kept_to_the_microsecond)
{
        EXPECT_TEXT(shown("2026-11-01T10:00:00.1Z"), "2026-11-01T10:00:00.100000Z");
        EXPECT_TEXT(shown("2026-11-01T10:00:00.000001Z"), "2026-11-01T10:00:00.000001Z");
        EXPECT_TEXT(shown("2026-11-01T10:00:00.9999999999Z"), "2026-11-01T10:00:00.999999Z");
        EXPECT_TEXT(shown("2026-11-01T10:00:00.0Z"), "2026-11-01T10:00:00Z");
}

TEST(the_first_and_the_last_instant_are_taken_and_none_beyond)
{
        EXPECT_TEXT(shown("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
        EXPECT_TEXT(shown("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z");
        EXPECT_TEXT(shown("0001-01-01T00:00:00+00:01"), "refused");
        EXPECT_TEXT(shown("9999-12-31T23:59:59-00:01"), "refused");
        EXPECT_TEXT(shown("0000-12-31T23:59:59Z"), "refused");
        EXPECT_TEXT(shown("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00.000001Z"); /* 0 is "no instant" */
}

TEST(what_is_no_instant_is_refused)
{
        static const char *const bad[] = {"",
                                          "2026-11-01",
                                          "2026-11-01 10:00:00Z",
                                          "2026-11-01T10:00Z",
                                          "2026-11-01T10:00:00",
                                          "2026-11-01T10:00:00+0800",
                                          "2026-11-01T10:00:00+08",
                                          "2026-11-01T24:00:00Z",
                                          "2026-11-01T10:60:00Z",
                                          "2026-11-01T10:00:61Z",
                                          "2026-02-29T00:00:00Z",
                                          "2026-13-01T00:00:00Z",
                                          "2026-00-01T00:00:00Z",
                                          "2026-04-31T00:00:00Z",
                                          "2026-11-00T00:00:00Z",
                                          "2026-11-01T10:00:00.Z",
                                          "2026-11-01T10:00:00Zx",
                                          "2026-11-01T10:00:00+24:00",
                                          "2026-11-01T10:00:00+08:60",
                                          "+2026-11-01T10:00:00Z",
                                          "12026-11-01T10:00:00Z",
                                          "2026-1-1T10:00:00Z",
                                          " 2026-11-01T10:00:00Z"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                EXPECT_TEXT(shown(bad[i]), "refused");
                struct instant at = {7};
                (void)instant_parse(bad[i], &at);
                EXPECT_INT(at.us, 7); /* written only on success */
        }
}

TEST(random_instants_are_read_as_they_were_written)
{
        for (int i = 0; i < DAYS_CHECKED; i++) {
                struct instant at = {test_between(INT64_C(-62135596800), INT64_C(253402300799)) *
                                             INSTANT_SECOND +
                                     test_between(0, INSTANT_SECOND - 1)},
                               again;
                char text[INSTANT_TEXT_SIZE];
                instant_format(at, text);
                EXPECT(instant_parse(text, &again) && again.us == at.us);
        }
}

TEST(every_day_follows_the_one_before)
{
        struct date date = {1600, 1, 1};
        int64_t days = date_days(date);

        EXPECT_INT(date_days((struct date){1970, 1, 1}), 0);
        EXPECT_INT(date_days((struct date){2000, 3, 1}), 11017);
        for (int i = 0; i < DAYS_CHECKED; i++) {
                struct date next = date_add_days(date, 1);
                EXPECT_INT(date_days(next), ++days);
                EXPECT(date_compare(date, next) < 0 && date_compare(next, date) > 0 &&
                       date_compare(next, next) == 0);
                EXPECT(next.day == date.day + 1 ||
                       (next.day == 1 && (next.month == date.month + 1 || next.year == date.year + 1)));
                date = next;
        }
        EXPECT(date.year == 2147 && date.month == 8 && date.day == 1); /* GNU date says so */
}

static const char *months_later(const char *from, int months)
{
        static char out[DATE_TEXT_SIZE];
        struct date date;

        if (!date_parse(from, &date))
                return "refused";
        date_format(date_add_months(date, months), out);
        return out;
}

TEST(months_end_on_the_last_day_where_the_day_is_missing)
{
        EXPECT_TEXT(months_later("2026-01-31", 1), "2026-02-28");
        EXPECT_TEXT(months_later("2024-01-31", 1), "2024-02-29");
        EXPECT_TEXT(months_later("2024-02-29", 12), "2025-02-28");
        EXPECT_TEXT(months_later("2024-02-29", -48), "2020-02-29");
        EXPECT_TEXT(months_later("2026-03-31", -1), "2026-02-28");
        EXPECT_TEXT(months_later("2026-01-15", -1), "2025-12-15");
        EXPECT_TEXT(months_later("2026-12-31", 2), "2027-02-28");
        EXPECT_TEXT(months_later("2026-05-20", 0), "2026-05-20");
        EXPECT_TEXT(months_later("2000-02-29", 1200), "2100-02-28"); /* no leap year */
}

TEST(dates_and_birthdays_are_checked)
{
        struct date date;
        struct birthday birthday;
        char text[DATE_TEXT_SIZE];

        EXPECT(date_parse("2024-02-29", &date) && !date_parse("2100-02-29", &date) &&
               date_parse("2000-02-29", &date));
        EXPECT(!date_parse("2026-2-01", &date) && !date_parse("2026-02-01x", &date) &&
               !date_parse("0000-01-01", &date));
        EXPECT(birthday_parse("02-29", &birthday) && birthday.year == 0);
        birthday_format(birthday, text);
        EXPECT_TEXT(text, "02-29");
        EXPECT(birthday_parse("1990-05-20", &birthday));
        birthday_format(birthday, text);
        EXPECT_TEXT(text, "1990-05-20");
        EXPECT(!birthday_parse("02-30", &birthday) && !birthday_parse("2-3", &birthday) &&
               !birthday_parse("1990-02-29", &birthday));
        EXPECT(!birthday_parse("00-10", &birthday) && !birthday_parse("", &birthday) &&
               !birthday_parse("05-20 ", &birthday));
}

/* London in 2026: forward on 29 March, back on 25 October, both at 01:00 UTC. Beirut springs forward at
 * midnight. */
static const struct zone_change london_changes[] = {{INT64_MIN, 0},
                                                    {INT64_C(1774746000) * INSTANT_SECOND, 3600},
                                                    {INT64_C(1792890000) * INSTANT_SECOND, 0}};
static const struct zone london = {"Europe/London", london_changes, 3};
static const struct zone_change beirut_changes[] = {{INT64_MIN, 7200},
                                                    {INT64_C(1774735200) * INSTANT_SECOND, 10800},
                                                    {INT64_C(1792875600) * INSTANT_SECOND, 7200}};
static const struct zone beirut = {"Asia/Beirut", beirut_changes, 3};

static const char *day_at(const struct zone *zone, const char *text)
{
        static char out[DATE_TEXT_SIZE];
        struct instant at;

        if (!instant_parse(text, &at))
                return "refused";
        date_format(zone_date(zone, at), out);
        return out;
}

static const char *midnight_of(const struct zone *zone, const char *day)
{
        static char out[INSTANT_TEXT_SIZE];
        struct date date;

        if (!date_parse(day, &date))
                return "refused";
        instant_format(zone_midnight(zone, date), out);
        return out;
}

TEST(the_day_is_that_of_the_shops_clock)
{
        EXPECT_TEXT(day_at(&london, "2026-03-29T00:59:59Z"), "2026-03-29");
        EXPECT_TEXT(day_at(&london, "2026-06-30T22:59:59Z"), "2026-06-30");
        EXPECT_TEXT(day_at(&london, "2026-06-30T23:00:00Z"), "2026-07-01");
        EXPECT_TEXT(day_at(&london, "2026-12-31T23:59:59Z"), "2026-12-31");
        EXPECT_TEXT(day_at(&london, "1960-01-01T00:00:00Z"), "1960-01-01"); /* before the first change */
}

TEST(midnights_on_both_sides_of_a_change)
{
        EXPECT_TEXT(midnight_of(&london, "2026-03-29"), "2026-03-29T00:00:00Z");
        EXPECT_TEXT(midnight_of(&london, "2026-03-30"), "2026-03-29T23:00:00Z");
        EXPECT_TEXT(midnight_of(&london, "2026-10-25"), "2026-10-24T23:00:00Z");
        EXPECT_TEXT(midnight_of(&london, "2026-10-26"), "2026-10-26T00:00:00Z");
        /* a day without midnight begins when the clock has jumped; of two midnights the later one is meant */
        EXPECT_TEXT(midnight_of(&beirut, "2026-03-29"), "2026-03-28T22:00:00Z");
        EXPECT_TEXT(midnight_of(&beirut, "2026-10-25"), "2026-10-24T22:00:00Z");
        EXPECT_TEXT(midnight_of(&beirut, "2026-10-26"), "2026-10-25T22:00:00Z");
}

TEST(the_days_midnight_is_on_that_day_all_year)
{
        for (struct date day = {2026, 1, 1}; day.year == 2026; day = date_add_days(day, 1)) {
                EXPECT(date_compare(zone_date(&london, zone_midnight(&london, day)), day) == 0);
                EXPECT(date_compare(zone_date(&beirut, zone_midnight(&beirut, day)), day) == 0);
                struct instant before = {zone_midnight(&london, day).us - 1};
                EXPECT(date_compare(zone_date(&london, before), date_add_days(day, -1)) == 0);
        }
}

TEST_MAIN
