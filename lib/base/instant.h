/* Instants, dates and the shop's time zone. Nothing here reads a clock.
 *
 * Calendar arithmetic is the proleptic Gregorian one (days_from_civil after H. Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTANT_SECOND INT64_C(1000000)
#define INSTANT_DAY    (86400 * INSTANT_SECOND)

/* Microseconds since 1970-01-01T00:00:00Z; 0 is "no instant". */
struct instant {
        int64_t us;
};

/* A calendar date; all zero is "no date". */
struct date {
        int16_t year;
        uint8_t month, day;
};

/* Month and day with an optional year (0 is unknown); all zero is "no birthday". */
struct birthday {
        int16_t year;
        uint8_t month, day;
};

/* The offsets of one IANA zone, ascending; read from PostgreSQL once, so that both always agree. */
struct zone_change {
        int64_t from_us; /* the instant from which the offset holds; INT64_MIN in the first */
        int32_t offset_seconds;
};
struct zone {
        const char *name;
        const struct zone_change *changes;
        size_t count; /* at least 1 */
};

static inline bool instant_known(struct instant at)
{
        return at.us != 0;
}
static inline bool date_known(struct date date)
{
        return date.month != 0;
}

/* Longest text of an instant ("2026-11-01T10:00:00.123456Z") and of a date, with NUL. */
#define INSTANT_TEXT_SIZE 32
#define DATE_TEXT_SIZE    16

/* RFC 3339 in and out. Parsing takes any offset; false when the text is not an instant from year 1 to 9999.
 */
bool instant_parse(const char *text, struct instant *ret);
void instant_format(struct instant instant, char ret[INSTANT_TEXT_SIZE]);
bool date_parse(const char *text, struct date *ret);
void date_format(struct date date, char ret[DATE_TEXT_SIZE]);
bool birthday_parse(const char *text, struct birthday *ret); /* "05-20" or "1990-05-20" */
void birthday_format(struct birthday birthday, char ret[DATE_TEXT_SIZE]);

/* Days since 1970-01-01, and back. */
int64_t date_days(struct date date);
struct date date_from_days(int64_t days);
int date_compare(struct date a, struct date b);

/* The date months later (or earlier); a day that the month lacks becomes its last one, as in SQL. */
struct date date_add_months(struct date date, int months);
struct date date_add_days(struct date date, int64_t days);

/* What the shop's clock shows at an instant, as microseconds since its own 1970-01-01T00:00. */
int64_t zone_local_us(const struct zone *zone, struct instant at);

/* The date that the shop's clock shows at an instant. */
struct date zone_date(const struct zone *zone, struct instant at);

/* When the shop's clock shows what it does so many microseconds after its own 1970-01-01T00:00, as SQL has it
 * (timestamp AT TIME ZONE name), where the clocks jump too. */
struct instant zone_instant(const struct zone *zone, int64_t local_us);

/* Midnight of a date in the zone. */
struct instant zone_midnight(const struct zone *zone, struct date date);
