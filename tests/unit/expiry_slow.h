/* When points lapse, counted day by day: slow, and nothing of lib/points/expiry.c in it. The zone is eight
 * hours ahead of UTC. */
#pragma once

#include "test.h"

#include "program/program.h"

#define SLOW_OFFSET_US (8 * 3600 * INSTANT_SECOND)

static const struct zone_change slow_changes[] = {{INT64_MIN, 8 * 3600}};
static const struct zone slow_zone = {"Asia/Shanghai", slow_changes, 1};

struct slow_day {
        int year, month, day;
};

static int slow_month_days(int year, int month)
{
        static const int days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return days[month] + (month == 2 && leap);
}

static void slow_next(struct slow_day *at)
{
        if (++at->day <= slow_month_days(at->year, at->month))
                return;
        at->day = 1;
        if (++at->month <= 12)
                return;
        at->month = 1;
        at->year++;
}

/* The day that lies so many days after 2026-01-01, where every simulation begins. */
static struct slow_day slow_day_of(int64_t days)
{
        struct slow_day at = {2026, 1, 1};

        for (; days > 0; days--)
                slow_next(&at);
        return at;
}

#define SLOW_EPOCH_DAYS INT64_C(20454) /* 2026-01-01 */

static int64_t slow_days(struct instant at)
{
        return (at.us + SLOW_OFFSET_US) / INSTANT_DAY - SLOW_EPOCH_DAYS;
}

static bool slow_is_date(const struct slow_day *at, const char *date)
{
        int month = atoi(date), day = atoi(date + 3), last = slow_month_days(at->year, month);

        return at->month == month && at->day == (day < last ? day : last);
}

static bool slow_is_end(const struct slow_day *at, unsigned round_to)
{
        bool last = at->day == slow_month_days(at->year, at->month);
        static const int months[] = {0, 0, 1, 3, 6, 12};

        return round_to <= ROUND_NOT || (last && at->month % months[round_to] == 0);
}

/* The end of the last day of a life that begins at a moment. */
static struct instant slow_end(const struct expiry_settings *settings, struct instant from)
{
        int64_t days = slow_days(from);
        struct slow_day at = slow_day_of(days), start = at;
        int64_t months = settings->months;

        while (months > 0 || at.day < start.day) {
                if (months == 0 && at.day == slow_month_days(at.year, at.month))
                        break;
                slow_next(&at);
                days++;
                months -= at.day == 1;
        }
        for (bool end = false;; slow_next(&at), days++) {
                if (settings->form == EXPIRY_DATES)
                        for (size_t i = 0; i < settings->dates.n; i++)
                                end |= slow_is_date(&at, settings->dates.v[i]);
                else
                        end = slow_is_end(&at, settings->round_to);
                if (end)
                        break;
        }
        return (struct instant){(days + 1 + SLOW_EPOCH_DAYS) * INSTANT_DAY - SLOW_OFFSET_US};
}

/* Settings of any form. */
static struct expiry_settings slow_settings(void)
{
        static const char *dates[] = {"12-31", "06-30", "02-29", "03-01", "11-11"};
        struct expiry_settings settings = {.form = (unsigned)test_between(EXPIRY_NEVER, EXPIRY_INACTIVITY)};

        settings.round_to = ROUND_NOT;
        if (settings.form == EXPIRY_NEVER)
                return settings;
        settings.months = test_between(settings.form == EXPIRY_DATES ? 0 : 1, 14);
        if (settings.form != EXPIRY_DATES) {
                settings.round_to = (unsigned)test_between(ROUND_NOT, ROUND_YEAR);
                return settings;
        }
        settings.dates.n = (size_t)test_between(1, 3);
        settings.dates.v = dates + test_between(0, 5 - (int64_t)settings.dates.n);
        return settings;
}
