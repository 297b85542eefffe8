#include "birthdays/occasion.h"

#include "test.h"

static struct arena *arena;

static struct date day(const char *text)
{
        struct date date;

        if (!date_parse(text, &date))
                abort();
        return date;
}

static const char *told(const struct birthday_rule *rule, const char *last, const char *today)
{
        struct occasions occasions =
                occasions_of(arena, rule, last != NULL ? day(last) : (struct date){0}, day(today));
        const char *text = "";

        for (size_t i = 0; i < occasions.n; i++) {
                char date[DATE_TEXT_SIZE];
                date_format(occasions.v[i].day, date);
                text = arena_printf(arena, "%s%s..%s=%s;", text, occasions.v[i].first, occasions.v[i].last,
                                    date);
        }
        return text;
}

TEST(a_day_is_looked_at_on_itself_and_after_days_without_anybody_each_of_them)
{
        const struct birthday_rule rule = {.on = BIRTHDAY_ON_DAY};

        EXPECT_TEXT(told(&rule, NULL, "2026-05-20"), "05-20..05-20=2026-05-20;");
        EXPECT_TEXT(told(&rule, "2026-05-19", "2026-05-20"),
                    "05-19..05-19=2026-05-19;05-20..05-20=2026-05-20;");
        EXPECT_TEXT(told(&rule, "2026-12-30", "2027-01-01"),
                    "12-30..12-30=2026-12-30;12-31..12-31=2026-12-31;01-01..01-01=2027-01-01;");
        struct occasions missed = occasions_of(arena, &rule, day("2020-01-01"), day("2026-05-20"));
        EXPECT_INT(missed.n, OCCASION_MISSED_DAYS + 1);
}

TEST(the_leap_day_is_the_last_of_february)
{
        const struct birthday_rule rule = {.on = BIRTHDAY_ON_DAY};

        EXPECT_TEXT(told(&rule, NULL, "2027-02-28"), "02-28..02-29=2027-02-28;");
        EXPECT_TEXT(told(&rule, "2028-02-28", "2028-02-29"),
                    "02-28..02-28=2028-02-28;02-29..02-29=2028-02-29;");
        EXPECT_TEXT(told(&rule, NULL, "2027-03-01"), "03-01..03-01=2027-03-01;");
}

TEST(days_before_reach_into_the_next_year)
{
        const struct birthday_rule rule = {.on = BIRTHDAY_ON_DAY, .days_before = 2};

        EXPECT_TEXT(told(&rule, NULL, "2026-12-30"),
                    "12-30..12-30=2026-12-30;12-31..12-31=2026-12-31;01-01..01-01=2027-01-01;");
}

TEST(a_month_is_looked_at_until_it_is_over)
{
        const struct birthday_rule rule = {.on = BIRTHDAY_ON_MONTH, .days_before = 5};

        EXPECT_TEXT(told(&rule, NULL, "2026-12-26"), "12-01..12-31=2026-12-01;");
        EXPECT_TEXT(told(&rule, NULL, "2026-12-27"), "12-01..12-31=2026-12-01;01-01..01-31=2027-01-01;");
        EXPECT_TEXT(told(&rule, "2026-12-31", "2027-01-01"),
                    "12-01..12-31=2026-12-01;01-01..01-31=2027-01-01;");
        EXPECT_TEXT(told(&rule, "2027-01-01", "2027-01-02"), "01-01..01-31=2027-01-01;");
}

TEST(a_year_brings_it_once_and_not_two_years_in_a_few_weeks)
{
        struct occasion occasion = {.day = day("2027-05-20")};

        EXPECT_INT(date_compare(occasion_last_before(&occasion), day("2026-07-20")), 0);
        occasion.day = day("2027-12-28");
        EXPECT_INT(date_compare(occasion_last_before(&occasion), day("2026-12-31")), 0);
        occasion.day = day("2028-02-28");
        EXPECT_INT(date_compare(occasion_last_before(&occasion), day("2027-04-28")), 0);
}

TEST(an_occasion_knows_its_birthdays)
{
        const struct birthday_rule rule = {.on = BIRTHDAY_ON_DAY};
        struct occasion february = occasions_of(arena, &rule, day("2027-02-28"), day("2027-02-28")).v[0];

        EXPECT(occasion_is_of(&february, (struct birthday){.year = 2000, .month = 2, .day = 29}));
        EXPECT(occasion_is_of(&february, (struct birthday){.month = 2, .day = 28}));
        EXPECT(!occasion_is_of(&february, (struct birthday){.month = 3, .day = 1}));
        EXPECT(!occasion_is_of(&february, (struct birthday){0}));
}

int main(void)
{
        arena = arena_new();
        int status = test_run_all();
        arena_free(arena);
        return status;
}
