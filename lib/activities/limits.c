#include "activities/limits.h"

#include <string.h>

#define DAYS_OF_WEEK 7
#define THURSDAY     3 /* 1970-01-01, counted from Monday */

static struct instant midnight_after(const struct zone *zone, struct date day, int64_t days)
{
        return zone_midnight(zone, date_add_days(day, days));
}

struct activity_spans activity_spans_of(const struct zone *zone, struct instant at)
{
        struct date day = zone_date(zone, at), first = {day.year, day.month, 1};
        int64_t weekday = (date_days(day) + THURSDAY) % DAYS_OF_WEEK;

        if (weekday < 0)
                weekday += DAYS_OF_WEEK;
        return (struct activity_spans){
                .day_from = zone_midnight(zone, day),
                .day_until = midnight_after(zone, day, 1),
                .week_from = midnight_after(zone, day, -weekday),
                .week_until = midnight_after(zone, day, DAYS_OF_WEEK - weekday),
                .month_from = zone_midnight(zone, first),
                .month_until = zone_midnight(zone, date_add_months(first, 1)),
        };
}

const char *activity_limit_reached(const struct activity_rule *rule, const struct activity_counts *counts)
{
        const struct {
                const struct opt_int *limit;
                int64_t count;
                const char *name;
        } limits[] = {{&rule->per_day, counts->day, "per_day"},
                      {&rule->per_week, counts->week, "per_week"},
                      {&rule->per_month, counts->month, "per_month"},
                      {&rule->per_lifetime, counts->lifetime, "per_lifetime"}};

        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
                if (limits[i].limit->set && limits[i].count >= limits[i].limit->v)
                        return limits[i].name;
        return NULL;
}

const struct activity_rule *activity_rule_of(const struct program *program, unsigned type, const char *code)
{
        for (size_t i = 0; i < program->activities.n; i++) {
                const struct activity_rule *rule = &program->activities.v[i];
                if (rule->type == type && (code == NULL || strcmp(rule->code, code) == 0))
                        return rule;
        }
        return NULL;
}
