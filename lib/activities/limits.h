/* How often an activity is paid. Pure. */
#pragma once

#include "program/program.h"

/* The spans around a moment in which payments are counted, [from, until) each, in the shop's zone; weeks
 * begin on Monday. */
struct activity_spans {
        struct instant day_from, day_until, week_from, week_until, month_from, month_until;
};
struct activity_spans activity_spans_of(const struct zone *zone, struct instant at);

/* How often it was paid so far. */
struct activity_counts {
        int64_t day, week, month, lifetime;
};

/* The limit that one more payment would exceed, as the programme calls it, or NULL. */
const char *activity_limit_reached(const struct activity_rule *rule, const struct activity_counts *counts);

/* The rule of a type (and, for a custom one, its code), or NULL. */
const struct activity_rule *activity_rule_of(const struct program *program, unsigned type, const char *code);
