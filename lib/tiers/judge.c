#include "tiers/judge.h"

#include <assert.h>
#include <stdlib.h>

#define SHAPE_T struct missing
SHAPE(missing, "What a requirement of the next tier still lacks.",
      FIELD(metric, .need = true, .names = &metric_names, .doc = "What is measured."),
      FIELD(window_months, .doc = "Months looked back; null: the whole lifetime."),
      FIELD(missing_minor, .doc = "Of spend: minor units; null for other metrics."),
      FIELD(missing, .doc = "Of orders and growth: how many; null for spend."),
      FIELD(any, .doc = "One of those with any is enough; those without are all needed."));
#undef SHAPE_T

static int64_t metric_pick(enum metric metric, int64_t spend_minor, int64_t orders, int64_t growth)
{
        switch (metric) {
        case METRIC_SPEND:
                return spend_minor;
        case METRIC_ORDERS:
                return orders;
        case METRIC_GROWTH:
                return growth;
        case METRIC_NONE:
                break;
        }
        abort(); /* a shape lets no such requirement in */
}

int64_t metric_value(const struct metrics *metrics, enum metric metric, struct opt_int window_months,
                     struct date today)
{
        int64_t value = 0;

        if (!window_months.set)
                return metric_pick(metric, metrics->spend_minor, metrics->orders, metrics->growth);
        struct date before = date_add_months(today, -(int)window_months.v);
        for (size_t i = 0; i < metrics->day_count; i++) {
                const struct metric_day *day = &metrics->days[i];
                if (date_compare(day->day, before) > 0)
                        value += metric_pick(metric, day->spend_minor, day->orders, day->growth);
        }
        return value;
}

/* What the requirement lacks; 0 or less: it is met. */
static int64_t requirement_gap(const struct requirement *requirement, const struct metrics *metrics,
                               struct date today)
{
        return requirement->at_least -
               metric_value(metrics, requirement->metric, requirement->window_months, today);
}

static bool any_met(const struct requirements *requirements, const struct metrics *metrics, struct date today)
{
        for (size_t i = 0; i < requirements->any_of.n; i++)
                if (requirement_gap(&requirements->any_of.v[i], metrics, today) <= 0)
                        return true;
        return requirements->any_of.n == 0;
}

bool requirements_met(const struct requirements *requirements, const struct metrics *metrics,
                      struct date today)
{
        for (size_t i = 0; i < requirements->all_of.n; i++)
                if (requirement_gap(&requirements->all_of.v[i], metrics, today) > 0)
                        return false;
        return any_met(requirements, metrics, today);
}

size_t judge_qualified(const struct program *program, const struct metrics *metrics, struct date today)
{
        size_t rank = program->tiers.n - 1;

        while (rank > 0 && !requirements_met(&program->tiers.v[rank].qualify, metrics, today))
                rank--;
        return rank;
}

size_t judge_upgrade(const struct program *program, size_t current, const struct metrics *metrics,
                     struct date today)
{
        size_t qualified = judge_qualified(program, metrics, today);

        return qualified > current ? qualified : current;
}

/* Does the customer still have a right to the tier? */
static bool tier_held(const struct tier *tier, const struct metrics *metrics, struct date today)
{
        return requirements_met(&tier->qualify, metrics, today) ||
               requirements_met(&tier->keep, metrics, today);
}

size_t judge_after_refund(const struct program *program, size_t current, const struct metrics *before,
                          const struct metrics *after, struct date today)
{
        const struct tier *tier = &program->tiers.v[current];
        size_t rank = current;

        assert(current < program->tiers.n);
        if (!tier_held(tier, before, today) || tier_held(tier, after, today))
                return current;
        while (rank > 0 && !tier_held(&program->tiers.v[rank], after, today))
                rank--;
        return rank;
}

size_t judge_cycle_end(const struct program *program, size_t current, const struct metrics *metrics,
                       struct date today)
{
        size_t least = judge_qualified(program, metrics, today), rank = current;

        assert(current < program->tiers.n);
        if (least >= current || requirements_met(&program->tiers.v[current].keep, metrics, today))
                return current;
        for (size_t i = current; i > least; i--)
                if (program->tiers.v[i].floor)
                        least = i;
        switch (program->cycle.downgrade) {
        case DOWNGRADE_ONE_STEP:
                rank = current - 1;
                break;
        case DOWNGRADE_REASSESS:
                while (rank > 0 && !tier_held(&program->tiers.v[rank], metrics, today))
                        rank--;
                break;
        default:
                break;
        }
        return rank > least ? rank : least;
}

size_t judge_projected(const struct program *program, size_t current, const struct metrics *metrics,
                       struct date today)
{
        size_t risen = judge_upgrade(program, current, metrics, today);

        return risen > current ? risen : judge_cycle_end(program, current, metrics, today);
}

struct date cycle_end(const struct tier_settings *settings, struct date day, struct date joined)
{
        int months = (int)settings->cycle_months;
        struct date anchor = joined;

        if (settings->anchor == ANCHOR_TIER_START)
                return date_add_months(day, months);
        if (settings->anchor == ANCHOR_CALENDAR_YEAR)
                anchor = (struct date){.year = day.year, .month = 1, .day = 1};
        /* The n-th anniversary, counted from the anchor itself: so February 29 does not wander. */
        int cycles = ((day.year - anchor.year) * 12 + day.month - anchor.month) / months;
        if (cycles < 0)
                cycles = 0;
        struct date end = date_add_months(anchor, cycles * months);
        while (date_compare(end, day) <= 0)
                end = date_add_months(anchor, ++cycles * months);
        return end;
}

static void missing_add(struct progress *progress, const struct requirement *requirement, bool any,
                        const struct metrics *metrics, struct date today)
{
        int64_t gap = requirement_gap(requirement, metrics, today);

        if (gap <= 0)
                return;
        struct missing *missing = &progress->missing.v[progress->missing.n++];
        *missing = (struct missing){
                .metric = requirement->metric, .window_months = requirement->window_months, .any = any};
        *(requirement->metric == METRIC_SPEND ? &missing->missing_minor : &missing->missing) =
                (struct opt_int){.set = true, .v = gap};
}

struct progress progress_missing(struct arena *arena, const struct program *program, size_t current,
                                 const struct metrics *metrics, struct date today)
{
        struct progress progress = {0};

        if (current + 1 >= program->tiers.n)
                return progress;
        progress.next = &program->tiers.v[current + 1];
        const struct requirements *qualify = &progress.next->qualify;
        progress.missing.v = ARENA_ARRAY(arena, qualify->any_of.n + qualify->all_of.n, struct missing);
        if (!any_met(qualify, metrics, today))
                for (size_t i = 0; i < qualify->any_of.n; i++)
                        missing_add(&progress, &qualify->any_of.v[i], /* any= */ true, metrics, today);
        for (size_t i = 0; i < qualify->all_of.n; i++)
                missing_add(&progress, &qualify->all_of.v[i], /* any= */ false, metrics, today);
        return progress;
}
