#include "base/instant.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND  INT64_C(253402300799)

static bool leap(int year)
{
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
        static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return month == 2 && leap(year) ? 29 : days[month - 1];
}

int64_t date_days(struct date date)
{
        int64_t y = date.month <= 2 ? date.year - 1 : date.year;
        int64_t era = (y >= 0 ? y : y - 399) / 400;
        int64_t yoe = y - era * 400;
        int64_t shifted_month = (date.month + 9) % 12; /* March is 0, so that the leap day comes last */
        int64_t doy = (153 * shifted_month + 2) / 5 + date.day - 1;
        int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

        return era * 146097 + doe - 719468;
}

struct date date_from_days(int64_t days)
{
        days += 719468;
        int64_t era = (days >= 0 ? days : days - 146096) / 146097;
        int64_t doe = days - era * 146097;
        int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        int64_t shifted_month = (5 * doy + 2) / 153;
        int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

        return (struct date){
                .year = (int16_t)(yoe + era * 400 + (month <= 2)),
                .month = (uint8_t)month,
                .day = (uint8_t)(doy - (153 * shifted_month + 2) / 5 + 1),
        };
}

int date_compare(struct date a, struct date b)
{
        if (a.year != b.year)
                return a.year < b.year ? -1 : 1;
        if (a.month != b.month)
                return a.month < b.month ? -1 : 1;
        return (a.day > b.day) - (a.day < b.day);
}

struct date date_add_months(struct date date, int months)
{
        int total = date.year * 12 + date.month - 1 + months;
        int year = (total >= 0 ? total : total - 11) / 12;
        int month = total - year * 12 + 1;
        int last = month_days(year, month);

        return (struct date){
                .year = (int16_t)year,
                .month = (uint8_t)month,
                .day = date.day > last ? (uint8_t)last : date.day,
        };
}

struct date date_add_days(struct date date, int64_t days)
{
        return date_from_days(date_days(date) + days);
}

/* Exactly width digits at *p; moves *p behind them. */
static bool digits(const char **p, int width, int *ret)
{
        int value = 0;

        for (int i = 0; i < width; i++, (*p)++) {
                if (**p < '0' || **p > '9')
                        return false;
                value = value * 10 + (**p - '0');
        }
        *ret = value;
        return true;
}

static bool expect(const char **p, char c)
{
        if (**p != c)
                return false;
        (*p)++;
        return true;
}

static bool month_and_day(const char **p, int year, int *ret_month, int *ret_day)
{
        return digits(p, 2, ret_month) && expect(p, '-') && digits(p, 2, ret_day) && *ret_month >= 1 &&
               *ret_month <= 12 && *ret_day >= 1 && *ret_day <= month_days(year, *ret_month);
}

static bool year_month_day(const char **p, struct date *ret)
{
        int year, month, day;

        if (!digits(p, 4, &year) || year == 0 || !expect(p, '-') || !month_and_day(p, year, &month, &day))
                return false;
        *ret = (struct date){.year = (int16_t)year, .month = (uint8_t)month, .day = (uint8_t)day};
        return true;
}

bool date_parse(const char *text, struct date *ret)
{
        struct date date;

        if (!year_month_day(&text, &date) || *text != '\0')
                return false;
        *ret = date;
        return true;
}

/* By hand, for printf would be a tenth of what an export costs. */
static char *put_digits(char *at, unsigned value, int digits)
{
        for (int i = digits - 1; i >= 0; i--, value /= 10)
                at[i] = (char)('0' + value % 10);
        return at + digits;
}

static void put_month_and_day(char *at, unsigned month, unsigned day)
{
        at = put_digits(at, month, 2);
        *at++ = '-';
        *put_digits(at, day, 2) = '\0';
}

void date_format(struct date date, char ret[DATE_TEXT_SIZE])
{
        const int year_last = 9999; /* of four digits */

        if (date.year < 0 || date.year > year_last) {
                snprintf(ret, DATE_TEXT_SIZE, "%d-%02u-%02u", date.year, date.month, date.day);
                return;
        }
        char *at = put_digits(ret, (unsigned)date.year, 4);
        *at++ = '-';
        put_month_and_day(at, date.month, date.day);
}

bool birthday_parse(const char *text, struct birthday *ret)
{
        const int leap_year = 2000; /* 02-29 is a birthday */
        int month, day;
        struct date date = {0};

        if (strlen(text) == strlen("05-20")) {
                if (!month_and_day(&text, leap_year, &month, &day))
                        return false;
                *ret = (struct birthday){.month = (uint8_t)month, .day = (uint8_t)day};
                return true;
        }
        if (!date_parse(text, &date))
                return false;
        *ret = (struct birthday){.year = date.year, .month = date.month, .day = date.day};
        return true;
}

void birthday_format(struct birthday birthday, char ret[DATE_TEXT_SIZE])
{
        if (birthday.year != 0)
                date_format((struct date){birthday.year, birthday.month, birthday.day}, ret);
        else
                put_month_and_day(ret, birthday.month, birthday.day);
}

/* "Z" or "+08:00" to seconds east of UTC. */
static bool utc_offset(const char **p, int *ret_seconds)
{
        int sign, hours, minutes;

        if (expect(p, 'Z') || expect(p, 'z')) {
                *ret_seconds = 0;
                return true;
        }
        sign = **p == '-' ? -1 : 1;
        if (!expect(p, '+') && !expect(p, '-'))
                return false;
        if (!digits(p, 2, &hours) || !expect(p, ':') || !digits(p, 2, &minutes) || hours > 23 || minutes > 59)
                return false;
        *ret_seconds = sign * (hours * 3600 + minutes * 60);
        return true;
}

bool instant_parse(const char *text, struct instant *ret)
{
        struct date date;
        int hour, minute, second, offset;
        int64_t fraction_us = 0;

        if (!year_month_day(&text, &date) || !(expect(&text, 'T') || expect(&text, 't')) ||
            !digits(&text, 2, &hour) || !expect(&text, ':') || !digits(&text, 2, &minute) ||
            !expect(&text, ':') || !digits(&text, 2, &second))
                return false;
        if (hour > 23 || minute > 59 || second > 60)
                return false;
        if (expect(&text, '.')) {
                int64_t unit = INSTANT_SECOND / 10;
                if (*text < '0' || *text > '9')
                        return false;
                for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
                        fraction_us += (*text - '0') * unit; /* beyond microseconds the unit is 0 */
        }
        if (!utc_offset(&text, &offset) || *text != '\0')
                return false;
        int64_t seconds = date_days(date) * 86400 + hour * 3600 + minute * 60 + second - offset;
        if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
                return false; /* the offset moved it out of the years that can be written */
        struct instant at = {seconds * INSTANT_SECOND + fraction_us};
        if (!instant_known(at))
                at.us = 1; /* the epoch itself would read as "no instant" */
        *ret = at;
        return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
        return a / b - (a % b < 0);
}

void instant_format(struct instant instant, char ret[INSTANT_TEXT_SIZE])
{
        int64_t seconds = floor_div(instant.us, INSTANT_SECOND);
        unsigned us = (unsigned)(instant.us - seconds * INSTANT_SECOND);
        int64_t days = floor_div(seconds, 86400);
        unsigned in_day = (unsigned)(seconds - days * 86400);

        date_format(date_from_days(days), ret);
        char *at = ret + strlen(ret);
        *at++ = 'T';
        at = put_digits(at, in_day / 3600, 2);
        *at++ = ':';
        at = put_digits(at, in_day / 60 % 60, 2);
        *at++ = ':';
        at = put_digits(at, in_day % 60, 2);
        if (us != 0) {
                *at++ = '.';
                at = put_digits(at, us, 6);
        }
        *at++ = 'Z';
        *at = '\0';
}

/* The offset that holds at an instant: binary search over the changes. */
static int32_t zone_offset(const struct zone *zone, int64_t at_us)
{
        size_t low = 0, high = zone->count;

        assert(zone->count > 0);
        while (high - low > 1) {
                size_t middle = (low + high) / 2;
                if (zone->changes[middle].from_us <= at_us)
                        low = middle;
                else
                        high = middle;
        }
        return zone->changes[low].offset_seconds;
}

int64_t zone_local_us(const struct zone *zone, struct instant at)
{
        return at.us + zone_offset(zone, at.us) * INSTANT_SECOND;
}

struct date zone_date(const struct zone *zone, struct instant at)
{
        return date_from_days(floor_div(zone_local_us(zone, at), INSTANT_DAY));
}

struct instant zone_instant(const struct zone *zone, int64_t local_us)
{
        int32_t before = zone_offset(zone, local_us - INSTANT_DAY),
                after = zone_offset(zone, local_us + INSTANT_DAY);
        int64_t before_us = local_us - before * INSTANT_SECOND, after_us = local_us - after * INSTANT_SECOND;

        /* PostgreSQL's choice too: of two such instants the later one; of none the one that the old offset
         * would give. */
        return (struct instant){zone_offset(zone, after_us) == after ? after_us : before_us};
}

struct instant zone_midnight(const struct zone *zone, struct date date)
{
        return zone_instant(zone, date_days(date) * INSTANT_DAY);
}
