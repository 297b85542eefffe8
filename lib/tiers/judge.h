/* Which tier a customer has earned. Pure: over what the customer bought, day by day, net of refunds.
 *
 * A window of N months at `today` holds the days after date_add_months(today, -N); there is no upper bound,
 * so what a shop's clock dates a little ahead counts at once. Ranks are indexes of program->tiers. */
#pragma once

#include "base/arena.h"
#include "base/instant.h"
#include "program/program.h"

/* One day's net metrics; a day without orders may be left out. */
struct metric_day {
        struct date day;
        int64_t spend_minor, orders, growth;
};

/* All that requirements look at. */
struct metrics {
        const struct metric_day
                *days; /* any order; at least those of the longest window (program_window_months) */
        size_t day_count;
        int64_t spend_minor, orders, growth; /* lifetime */
};

/* The value of a metric over a window (unset: lifetime) as of today. */
int64_t metric_value(const struct metrics *metrics, enum metric metric, struct opt_int window_months,
                     struct date today);

/* Met when (any_of is empty or one of it is met) and all of all_of are met; empty ones are met by everyone.
 */
bool requirements_met(const struct requirements *requirements, const struct metrics *metrics,
                      struct date today);

/* The highest rank whose `qualify` is met; rank 0 always is. */
size_t judge_qualified(const struct program *program, const struct metrics *metrics, struct date today);

/* The rank after something was earned: the qualified one when it is higher, else the current one. */
size_t judge_upgrade(const struct program *program, size_t current, const struct metrics *metrics,
                     struct date today);

/* The rank after a refund. It falls only when the refund is the cause: with the metrics before it `qualify`
 * or `keep` of the current tier was met, after it neither is. Then it falls to the highest lower rank whose
 * `qualify` or `keep` is met. A tier with an empty `keep` is never lost. */
size_t judge_after_refund(const struct program *program, size_t current, const struct metrics *before,
                          const struct metrics *after, struct date today);

/* The rank after the end of a cycle. A tier that its `keep` holds stays; else it falls as the programme says
 * (one step, to what is met, or not at all), never below what is qualified for, nor below the highest floor
 * up to it. */
size_t judge_cycle_end(const struct program *program, size_t current, const struct metrics *metrics,
                       struct date today);

/* The rank were the cycle to end on that day: the one qualified for when it is higher, else what the end of
 * the cycle leaves. */
size_t judge_projected(const struct program *program, size_t current, const struct metrics *metrics,
                       struct date today);

/* The first day after `day` on which a cycle ends: anchored at the tier's start (`day` itself), at the day of
 * joining, or at January 1. */
struct date cycle_end(const struct tier_settings *settings, struct date day, struct date joined);

/* What one requirement still lacks; exactly one of missing_minor (spend) and missing (orders, growth) is set.
 */
struct missing {
        unsigned metric; /* enum metric */
        struct opt_int window_months;
        struct opt_int missing_minor, missing;
        bool any; /* of any_of: one of these is enough */
};
SHAPE_DECLARE(missing);

struct progress {
        const struct tier *next; /* NULL in the highest tier */
        LIST_OF(struct missing) missing;
};

/* What is missing to the next tier: each requirement of its any_of (unless one is met) and all_of that is not
 * met. The list is in the arena. */
struct progress progress_missing(struct arena *arena, const struct program *program, size_t current,
                                 const struct metrics *metrics, struct date today);
