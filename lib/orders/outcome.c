/* The outcome that every call about an order answers with. Pure. */
#include "orders/desk.h"

enum lifecycle desk_lifecycle(const struct session *s, const struct desk *desk, struct date today)
{
        const struct standing *standing = &desk->stand.standing;
        struct metrics metrics = stand_metrics(&desk->stand);
        const struct lifecycle_limits *limits = &s->program->lifecycle;
        struct lifecycle_facts facts = {.orders = standing->orders,
                                        .inquired = instant_known(desk->customer->inquired_at) ||
                                                    instant_known(desk->asked_at)};

        facts.orders_in_window =
                metric_value(&metrics, METRIC_ORDERS,
                             (struct opt_int){.set = true, .v = limits->loyal_window_months}, today);
        if (instant_known(standing->last_order_at))
                facts.last_order = zone_date(&s->shop->zone, standing->last_order_at);
        return lifecycle_decide(&facts, limits, today);
}

static const char *tier_code(const struct session *s, const struct desk *desk, const struct moment *moment)
{
        return s->program->tiers.v[stand_rank(&desk->stand, moment->at)].code;
}

/* Before: who he is, where he stands, and the segment that he may leave. */
void desk_before(const struct session *s, const struct desk *desk, const struct moment *moment,
                 struct outcome *ret)
{
        const char **left = ARENA_ARRAY(s->arena, 1, const char *);

        *left = lifecycle_names.v[desk_lifecycle(s, desk, moment->today)];
        *ret = (struct outcome){
                .customer = {.id = desk->customer->id, .external_id = desk->customer->external_id},
                .points.status = AWARD_NONE,
                .tier.before = tier_code(s, desk, moment),
                .segments.left = {.v = left, .n = 1},
        };
}

static void segments_after(const struct session *s, const struct desk *desk, const struct moment *moment,
                           struct outcome *outcome)
{
        const char **entered = ARENA_ARRAY(s->arena, 1, const char *);

        *entered = lifecycle_names.v[desk_lifecycle(s, desk, moment->today)];
        bool same = strcmp(*entered, outcome->segments.left.v[0]) == 0;
        bool was_lead = strcmp(outcome->segments.left.v[0], lifecycle_names.v[LIFECYCLE_LEAD]) == 0;
        bool is_lead = strcmp(*entered, lifecycle_names.v[LIFECYCLE_LEAD]) == 0;
        outcome->segments.entered = (struct texts){.v = entered, .n = same || is_lead ? 0 : 1};
        if (same || was_lead) /* a lead is somebody without a segment */
                outcome->segments.left.n = 0;
}

void desk_after(const struct session *s, const struct desk *desk, const struct file *file,
                const struct moment *moment, struct outcome *outcome)
{
        const struct points_account *account = &desk->book.account;
        struct metrics metrics = stand_metrics(&desk->stand);
        struct progress progress = progress_missing(
                s->arena, s->program, stand_rank(&desk->stand, moment->at), &metrics, moment->today);

        outcome->order = file->order;
        outcome->used_coupons.n = coupons_used(s->arena, &s->coupons, &file->order, &outcome->used_coupons.v);
        outcome->points.active = account->active;
        outcome->points.pending = account->pending;
        outcome->points.held = account->held;
        outcome->points.debt = account->debt;
        outcome->growth.total = desk->stand.standing.growth;
        outcome->tier.after = tier_code(s, desk, moment);
        outcome->tier.next = progress.next != NULL ? progress.next->code : NULL;
        outcome->tier.missing.v = progress.missing.v;
        outcome->tier.missing.n = progress.missing.n;
        segments_after(s, desk, moment, outcome);
}
