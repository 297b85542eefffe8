#include "points/caps.h"

#include <assert.h>
#include <string.h>

#define SHAPE_T struct cap_day
SHAPE(cap_day, "What was earned under a cap.", FIELD(customer_id), FIELD(day), FIELD(rule), FIELD(points));
#undef SHAPE_T

static bool same_month(struct date a, struct date b)
{
        return a.year == b.year && a.month == b.month;
}

static void narrow(struct cap_room *room, const struct opt_int *limit, int64_t earned, const char *cap)
{
        int64_t left = limit->v > earned ? limit->v - earned : 0;

        if (limit->set && left < room->points)
                *room = (struct cap_room){left, cap};
}

struct cap_room caps_room(const struct cap_limits *limits, const struct caps_used *used, const char *rule,
                          struct date day)
{
        struct cap_room room = {.points = INT64_MAX};
        int64_t of_day = 0, of_month = 0;

        for (size_t i = 0; used != NULL && cap_limits_by_day(limits) && i < used->n; i++) {
                const struct cap_day *one = &used->v[i];
                if (strcmp(one->rule, rule) != 0 || !same_month(one->day, day))
                        continue;
                of_month += one->points;
                of_day += one->day.day == day.day ? one->points : 0;
        }
        narrow(&room, &limits->per_order, 0, "cap_per_order");
        narrow(&room, &limits->per_day, of_day, "cap_per_day");
        narrow(&room, &limits->per_month, of_month, "cap_per_month");
        return room;
}

void caps_count(struct caps_used *used, struct arena *arena, const struct cap_day *earned)
{
        assert(earned->points > 0);
        for (size_t i = 0; i < used->n; i++) {
                struct cap_day *one = &used->v[i];
                if (strcmp(one->rule, earned->rule) != 0 || date_compare(one->day, earned->day) != 0)
                        continue;
                one->points += earned->points;
                one->changed = true;
                return;
        }
        if (used->n == used->room) {
                used->room = used->room == 0 ? 4 : 2 * used->room;
                struct cap_day *larger = ARENA_ARRAY(arena, used->room, struct cap_day);
                if (used->n > 0)
                        memcpy(larger, used->v, used->n * sizeof *larger);
                used->v = larger;
        }
        used->v[used->n] = *earned;
        used->v[used->n++].changed = true;
}
