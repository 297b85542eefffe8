/* Instants, dates and birthdays as a client may write them: what is taken reads the same when it is written
 * out, and days and midnights of a zone with changes agree. Input: a text. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/instant.h"

static const struct zone_change changes[] = {{INT64_MIN, 7200},
                                             {INT64_C(1774735200) * INSTANT_SECOND, 10800},
                                             {INT64_C(1792875600) * INSTANT_SECOND, 7200}};
static const struct zone zone = {"Asia/Beirut", changes, 3};

static void check_instant(struct instant at)
{
        char text[INSTANT_TEXT_SIZE];
        struct instant again;

        assert(instant_known(at));
        instant_format(at, text);
        bool read = instant_parse(text, &again);
        assert(read && again.us == at.us);
        struct date day = zone_date(&zone, at);
        assert(zone_midnight(&zone, day).us <= at.us);
        assert(at.us < zone_midnight(&zone, date_add_days(day, 1)).us);
}

static void check_date(struct date date)
{
        char text[DATE_TEXT_SIZE];
        struct date again;

        assert(date_known(date));
        date_format(date, text);
        bool read = date_parse(text, &again);
        assert(read && date_compare(date, again) == 0);
        assert(date_compare(date_from_days(date_days(date)), date) == 0);
        struct date later = date_add_months(date, 1);
        assert(date_compare(date, later) < 0 && date_compare(date_add_months(later, -1), date) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *arena = arena_new();
        const char *text = arena_strndup(arena, (const char *)data, size);
        struct instant at;
        struct date date;
        struct birthday birthday, again;
        char out[DATE_TEXT_SIZE];

        if (instant_parse(text, &at))
                check_instant(at);
        if (date_parse(text, &date))
                check_date(date);
        if (birthday_parse(text, &birthday)) {
                birthday_format(birthday, out);
                bool read = birthday_parse(out, &again);
                assert(read && memcmp(&birthday, &again, sizeof again) == 0);
        }
        arena_free(arena);
        return 0;
}
