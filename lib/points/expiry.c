#include "points/expiry.h"

#include <assert.h>

static struct instant end_of_day(const struct zone *zone, struct date day)
{
        return zone_midnight(zone, date_add_days(day, 1));
}

/* The last day of the period of so many months, counted from January, that a day lies in. */
static struct date end_of_period(struct date day, int months)
{
        int last_month = (day.month + months - 1) / months * months;
        struct date first = {.year = day.year, .month = (uint8_t)last_month, .day = 1};

        return date_add_days(date_add_months(first, 1), -1);
}

static struct date rounded(struct date day, unsigned round_to)
{
        static const int months[] = {
                [ROUND_MONTH] = 1, [ROUND_QUARTER] = 3, [ROUND_HALF_YEAR] = 6, [ROUND_YEAR] = 12};

        return round_to == ROUND_UNSET || round_to == ROUND_NOT ? day : end_of_period(day, months[round_to]);
}

/* A day of the year; one that the year lacks is the last of its month. */
static struct date day_in_year(int year, struct birthday day)
{
        struct date january = {.year = (int16_t)year, .month = 1, .day = day.day}; /* which has every day */

        return date_add_months(january, day.month - 1);
}

/* The first of the programme's dates on or after a day. */
static struct date next_date(const struct expiry_settings *settings, struct date from)
{
        struct date best = {0};

        for (size_t i = 0; i < settings->dates.n; i++) {
                struct birthday day = {0};
                bool valid = birthday_parse(settings->dates.v[i], &day);
                assert(valid); /* program_compile */
                (void)valid;
                struct date date = day_in_year(from.year, day);
                if (date_compare(date, from) < 0)
                        date = day_in_year(from.year + 1, day);
                if (!date_known(best) || date_compare(date, best) < 0)
                        best = date;
        }
        return best;
}

struct instant expiry_of(const struct expiry_settings *settings, const struct zone *zone,
                         struct instant active_from)
{
        if (settings->form != EXPIRY_MONTHS && settings->form != EXPIRY_DATES)
                return (struct instant){0};
        struct date last = date_add_months(zone_date(zone, active_from), (int)settings->months);
        if (settings->form == EXPIRY_DATES)
                return end_of_day(zone, next_date(settings, last));
        return end_of_day(zone, rounded(last, settings->round_to));
}

/* Silence begins with the last movement, or later when it did not count then. */
static struct instant silent_since(const struct expiry_settings *settings, struct instant moved_at)
{
        bool counts = !instant_known(settings->silent_from) || settings->silent_from.us < moved_at.us;

        return counts ? moved_at : settings->silent_from;
}

static struct instant end_of_silence(const struct expiry_settings *settings, const struct zone *zone,
                                     struct instant since)
{
        return end_of_day(zone, rounded(date_add_months(zone_date(zone, since), (int)settings->months),
                                        settings->round_to));
}

struct instant expiry_by_inactivity(const struct expiry_settings *settings, const struct zone *zone,
                                    struct instant moved_at)
{
        if (settings->form != EXPIRY_INACTIVITY || !instant_known(moved_at))
                return (struct instant){0};
        return end_of_silence(settings, zone, silent_since(settings, moved_at));
}

struct instant expiry_inactive_before(const struct expiry_settings *settings, const struct zone *zone,
                                      struct instant now)
{
        /* Whoever moved a month later than the plain count of months says has not lapsed for sure. */
        struct date day = date_add_months(zone_date(zone, now), 1 - (int)settings->months);

        assert(settings->form == EXPIRY_INACTIVITY);
        if (instant_known(settings->silent_from) &&
            end_of_silence(settings, zone, settings->silent_from).us > now.us)
                return (struct instant){0};
        for (;; day = date_add_days(day, -1)) { /* some hundred days at most: what rounding to a year adds */
                struct instant bound = zone_midnight(zone, day), last = {bound.us - 1};
                if (end_of_silence(settings, zone, last).us <= now.us)
                        return bound;
        }
}
