#include "test.h"

#include "expiry_slow.h"
#include "points/expiry.h"
#include "program/silence.h"

#define ROUNDS 3000

static const char *text_of(struct instant at)
{
        static char text[INSTANT_TEXT_SIZE];

        instant_format(at, text);
        return text;
}

static struct instant instant_of(const char *text)
{
        struct instant at = {0};

        EXPECT(instant_parse(text, &at));
        return at;
}

static void expect_end(struct expiry_settings settings, const char *from, const char *end)
{
        EXPECT_TEXT(text_of(expiry_of(&settings, &slow_zone, instant_of(from))), end);
}

TEST(expiry_of_months_is_the_end_of_the_same_day_or_of_the_period_it_lies_in)
{
        const struct expiry_settings year = {.form = EXPIRY_MONTHS, .months = 12, .round_to = ROUND_NOT};
        struct expiry_settings rounded = year;

        expect_end(year, "2026-11-21T15:59:59Z", "2027-11-21T16:00:00Z");
        expect_end(year, "2026-11-21T16:00:00Z", "2027-11-22T16:00:00Z"); /* the shop's next day */
        expect_end(year, "2028-02-29T00:00:00Z", "2029-02-28T16:00:00Z");
        rounded.round_to = ROUND_MONTH;
        expect_end(rounded, "2026-02-03T00:00:00Z", "2027-02-28T16:00:00Z");
        rounded.round_to = ROUND_QUARTER;
        expect_end(rounded, "2026-02-03T00:00:00Z", "2027-03-31T16:00:00Z");
        expect_end(rounded, "2026-03-31T00:00:00Z", "2027-03-31T16:00:00Z");
        rounded.round_to = ROUND_HALF_YEAR;
        expect_end(rounded, "2026-07-01T00:00:00Z", "2027-12-31T16:00:00Z");
        rounded.round_to = ROUND_YEAR;
        expect_end(rounded, "2026-01-01T00:00:00Z", "2027-12-31T16:00:00Z");
}

TEST(expiry_of_dates_is_the_next_one_that_leaves_the_least_life)
{
        const char *dates[] = {"12-31", "06-30"};
        struct expiry_settings settings = {.form = EXPIRY_DATES, .round_to = ROUND_NOT, .dates = {dates, 2}};

        expect_end(settings, "2026-06-30T00:00:00Z", "2026-06-30T16:00:00Z");
        expect_end(settings, "2026-06-30T16:00:00Z", "2026-12-31T16:00:00Z");
        settings.months = 6;
        expect_end(settings, "2026-12-31T00:00:00Z", "2027-06-30T16:00:00Z");
        expect_end(settings, "2026-07-01T00:00:00Z", "2027-06-30T16:00:00Z");
}

TEST(expiry_of_any_settings_is_what_counting_days_gives)
{
        for (int round = 0; round < ROUNDS; round++) {
                struct expiry_settings settings = slow_settings();
                struct instant from = {(SLOW_EPOCH_DAYS + test_between(1, 1500)) * INSTANT_DAY +
                                       test_between(0, INSTANT_DAY - 1)};
                struct instant end = {0}, inactive = {0};
                if (test_between(0, 1) == 0)
                        settings.silent_from.us = from.us + test_between(-400, 400) * INSTANT_DAY;
                if (settings.form == EXPIRY_INACTIVITY)
                        inactive = slow_end(&settings,
                                            settings.silent_from.us > from.us ? settings.silent_from : from);
                else if (settings.form != EXPIRY_NEVER)
                        end = slow_end(&settings, from);
                EXPECT_INT(expiry_of(&settings, &slow_zone, from).us, end.us);
                EXPECT_INT(expiry_by_inactivity(&settings, &slow_zone, from).us, inactive.us);
        }
}

TEST(expiry_inactive_before_parts_those_who_have_lapsed_from_those_who_have_not)
{
        for (int round = 0; round < ROUNDS; round++) {
                struct expiry_settings settings = {.form = EXPIRY_INACTIVITY, .months = test_between(1, 30)};
                settings.round_to = (unsigned)test_between(ROUND_NOT, ROUND_YEAR);
                struct instant now = {(SLOW_EPOCH_DAYS + test_between(1500, 3000)) * INSTANT_DAY +
                                      test_between(0, 2) * 8 * 3600 * INSTANT_SECOND};
                struct instant bound = expiry_inactive_before(&settings, &slow_zone, now);
                EXPECT(slow_end(&settings, (struct instant){bound.us - 1}).us <= now.us);
                EXPECT(slow_end(&settings, bound).us > now.us);
                settings.silent_from.us = now.us - test_between(0, 1500) * INSTANT_DAY;
                bool lapses = slow_end(&settings, settings.silent_from).us <= now.us;
                EXPECT_INT(expiry_inactive_before(&settings, &slow_zone, now).us, lapses ? bound.us : 0);
        }
}

static struct expiry_settings silence(int64_t months, unsigned round_to)
{
        return (struct expiry_settings){
                .form = EXPIRY_INACTIVITY, .months = months, .round_to = round_to, .silent_from = {7}};
}

TEST(silence_counts_anew_when_points_may_lapse_sooner_and_goes_on_counting_otherwise)
{
        static const struct expiry_settings never = {.form = EXPIRY_NEVER, .round_to = ROUND_NOT};
        const struct expiry_settings year = silence(12, ROUND_MONTH);
        const struct {
                struct expiry_settings after;
                int64_t from;
        } cases[] = {{silence(12, ROUND_MONTH), 7},  {silence(13, ROUND_MONTH), 7},
                     {silence(12, ROUND_YEAR), 7},   {silence(11, ROUND_MONTH), 1000},
                     {silence(12, ROUND_NOT), 1000}, {silence(11, ROUND_YEAR), 1000},
                     {silence(24, ROUND_NOT), 1000}, {never, 0}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                EXPECT_INT(silence_counts_from(&year, &cases[i].after, (struct instant){1000}).us,
                           cases[i].from);
        EXPECT_INT(silence_counts_from(&never, &year, (struct instant){1000}).us, 1000);
}

TEST(expiry_by_inactivity_of_somebody_who_never_moved_is_none)
{
        const struct expiry_settings settings = {
                .form = EXPIRY_INACTIVITY, .months = 3, .round_to = ROUND_NOT};

        EXPECT(!instant_known(expiry_by_inactivity(&settings, &slow_zone, (struct instant){0})));
}

TEST_MAIN
