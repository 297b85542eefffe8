#include "jobs/csv_time.h"

#include <ctype.h>
#include <string.h>

#define HOURS   24
#define MINUTES 60

static bool take(const char **at, const char *what)
{
        size_t len = strlen(what);

        if (strncmp(*at, what, len) != 0)
                return false;
        *at += len;
        return true;
}

/* A number of at least `least` and at most `most` digits. */
static bool take_number(const char **at, int least, int most, int *ret)
{
        int number = 0, digits = 0;

        for (; digits < most && isdigit((unsigned char)**at); digits++, (*at)++)
                number = number * 10 + (**at - '0');
        if (digits < least)
                return false;
        *ret = number;
        return true;
}

/* False: the calendar has no such day. */
static bool date_of(int year, int month, int day, struct date *ret)
{
        struct date date = {(int16_t)year, (uint8_t)month, (uint8_t)day};

        if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 ||
            date_compare(date_from_days(date_days(date)), date) != 0)
                return false;
        *ret = date;
        return true;
}

static bool take_month_day(const char **at, int year, struct date *ret)
{
        int month, day;

        return take_number(at, 1, 2, &month) && take(at, "月") && take_number(at, 1, 2, &day) &&
               take(at, "日") && date_of(year, month, day, ret);
}

static bool take_date(const char **at, struct date *ret)
{
        int year, month, day;

        if (!take_number(at, 4, 4, &year))
                return false;
        if (take(at, "年"))
                return take_month_day(at, year, ret);
        const char *separator = **at == '/' ? "/" : "-";
        return take(at, separator) && take_number(at, 1, 2, &month) && take(at, separator) &&
               take_number(at, 1, 2, &day) && date_of(year, month, day, ret);
}

/* Hours and minutes, seconds where they are; in microseconds. */
static bool take_clock(const char **at, int64_t *ret)
{
        int hour, minute, second = 0;

        if (!take_number(at, 1, 2, &hour) || !take(at, ":") || !take_number(at, 2, 2, &minute))
                return false;
        if (take(at, ":") && !take_number(at, 2, 2, &second))
                return false;
        *ret = ((int64_t)(hour * MINUTES + minute) * MINUTES + second) * INSTANT_SECOND;
        return hour < HOURS && minute < MINUTES && second < MINUTES;
}

bool csv_instant(const char *cell, const struct zone *zone, struct instant *ret)
{
        struct date date;
        int64_t clock_us = 0;

        if (!take_date(&cell, &date))
                return false;
        if ((take(&cell, " ") || take(&cell, "T")) && !take_clock(&cell, &clock_us))
                return false;
        if (*cell != '\0')
                return false;
        *ret = zone_instant(zone, date_days(date) * INSTANT_DAY + clock_us);
        return true;
}

bool csv_date(const char *cell, struct date *ret)
{
        struct date date;

        if (!take_date(&cell, &date) || *cell != '\0')
                return false;
        *ret = date;
        return true;
}

bool csv_birthday(const char *cell, struct birthday *ret)
{
        const int leap_year = 2000; /* 2月29日 is a birthday */
        const char *at = cell;
        struct date date;

        if (take_month_day(&at, leap_year, &date) && *at == '\0') {
                *ret = (struct birthday){.month = date.month, .day = date.day};
                return true;
        }
        if (!csv_date(cell, &date))
                return false;
        *ret = (struct birthday){date.year, date.month, date.day};
        return true;
}
