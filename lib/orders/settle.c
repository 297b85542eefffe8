/* What an order brings from the moment it counts. Pure. */
#include <assert.h>

#include "base/shape_json.h"
#include "orders/desk.h"
#include "points/earn.h"
#include "points/share.h"

struct moment moment_of(const struct shop *shop, struct instant at)
{
        return (struct moment){.at = at, .today = zone_date(&shop->zone, at)};
}

void file_facts(const struct file *file, const struct moment *moment, struct expr_facts *facts)
{
        const struct order *order = &file->order;
        int64_t pieces = 0;

        for (size_t i = 0; i < file->line_count; i++)
                pieces += file->lines[i].quantity;
        facts->now = moment->at;
        expr_set_number(facts, FACT_ORDER_TOTAL, order->total_minor);
        expr_set_number(facts, FACT_ORDER_GOODS, order->goods_minor - order->discount_minor);
        expr_set_number(facts, FACT_ORDER_SHIPPING, order->shipping_minor);
        expr_set_number(facts, FACT_ORDER_DISCOUNT, order->discount_minor);
        expr_set_text(facts, FACT_ORDER_CHANNEL, channel_names.v[order->channel]);
        expr_set_text(facts, FACT_ORDER_CHANNEL_DETAIL, order->channel_detail);
        expr_set_text(facts, FACT_ORDER_CAMPAIGN, order->campaign);
        expr_set_bool(facts, FACT_ORDER_REFERRED, uuid_known(order->referrer_id));
        expr_set_number(facts, FACT_ORDER_LINE_COUNT, (int64_t)file->line_count);
        expr_set_number(facts, FACT_ORDER_QUANTITY, pieces);
        expr_set_placed_at(facts, order->placed_at);
        expr_set_instant(facts, FACT_ORDER_PAID_AT, order->paid_at);
        expr_set_bool(facts, FACT_FIRST_ORDER, file->is_first);
        expr_set_text(facts, FACT_COUPON, order->coupon);
}

void desk_facts(const struct session *s, const struct desk *desk, const struct moment *moment,
                struct expr_facts *facts)
{
        const struct customer *customer = desk->customer;
        const struct standing *standing = &desk->stand.standing;

        expr_set_number(facts, FACT_TIER, (int64_t)stand_rank(&desk->stand, moment->at));
        if (customer->birthday.month != 0)
                expr_set_bool(facts, FACT_BIRTHDAY_MONTH, customer->birthday.month == moment->today.month);
        expr_set_text(facts, FACT_GENDER, gender_names.v[customer->gender]);
        expr_set_text(facts, FACT_LANGUAGE, customer->language);
        expr_set_text(facts, FACT_COUNTRY, customer->country);
        expr_set_text(facts, FACT_PROVINCE, customer->province);
        expr_set_text(facts, FACT_CITY, customer->city);
        expr_set_text(facts, FACT_DISTRICT, customer->district);
        expr_set_text(facts, FACT_SOURCE_DETAIL, customer->source.detail);
        expr_set_text(facts, FACT_SOURCE_CAMPAIGN, customer->source.campaign);
        expr_set_text(facts, FACT_SOURCE_CHANNEL, channel_names.v[customer->source.channel]);
        expr_set_bool(facts, FACT_SOURCE_REFERRED, uuid_known(customer->source.referrer_id));
        expr_set_number(facts, FACT_ORDERS_COUNT, standing->orders);
        expr_set_number(facts, FACT_SPEND, standing->spend_minor);
        expr_set_number(facts, FACT_GROWTH, standing->growth);
        expr_set_number(facts, FACT_POINTS_ACTIVE, desk->book.account.active);
        expr_set_instant(facts, FACT_JOINED_AT, customer->created_at);
        expr_set_instant(facts, FACT_LAST_ORDER_AT, standing->last_order_at);
        expr_set_texts(facts, FACT_TAGS, desk->tags.v, desk->tags.n);
        expr_set_texts(facts, FACT_SEGMENTS, &lifecycle_names.v[desk_lifecycle(s, desk, moment->today)], 1);
}

/* What coupons take off is with its lines already; the rest of the order's own discount is shared by the
 * lines in proportion to what is left of them. */
static void share_discount(struct arena *arena, struct file *file)
{
        int64_t *left = ARENA_ARRAY(arena, file->line_count, int64_t);
        int64_t *shares = ARENA_ARRAY(arena, file->line_count, int64_t);
        int64_t rest = file->order.discount_minor;

        for (size_t i = 0; i < file->line_count; i++) {
                left[i] = file->lines[i].paid_minor;
                rest -= file->lines[i].total_minor - left[i];
        }
        share_largest_remainder(arena, rest, left, file->line_count, shares);
        for (size_t i = 0; i < file->line_count; i++)
                file->lines[i].paid_minor = left[i] - shares[i];
}

static struct earn_line *earn_lines(struct arena *arena, const struct file *file)
{
        struct earn_line *lines = ARENA_ARRAY(arena, file->line_count, struct earn_line);

        for (size_t i = 0; i < file->line_count; i++) {
                const struct order_line *line = &file->lines[i];
                lines[i] = (struct earn_line){
                        .paid_minor = line->paid_minor,
                        .sku = line->sku,
                        .name = line->name,
                        .category = line->category,
                        .brand = line->brand,
                        .quantity = line->quantity,
                        .unit_price_minor = line->unit_price_minor.set ? line->unit_price_minor.v
                                                                       : line->total_minor / line->quantity,
                        .total_minor = line->total_minor,
                };
        }
        return lines;
}

/* Does this state end the wait of points that wait for one? */
static bool state_ends_wait(const struct program *program, unsigned status)
{
        if (program->points.pending == PENDING_COMPLETED)
                return status == ORDER_COMPLETED;
        return status == ORDER_DELIVERED || status == ORDER_COMPLETED;
}

bool settle_releases(const struct program *program, const struct book *book, unsigned status)
{
        return book->account.pending > 0 && state_ends_wait(program, status);
}

/* Do points wait, and until when? */
static bool pending_until(const struct program *program, const struct order *order,
                          const struct moment *moment, struct instant *ret)
{
        *ret = (struct instant){0};
        switch (program->points.pending) {
        case PENDING_DAYS:
                ret->us = moment->at.us + program->points.pending_days * INSTANT_DAY;
                return true;
        case PENDING_DELIVERED:
        case PENDING_COMPLETED:
                return !state_ends_wait(program, order->status);
        default:
                return false;
        }
}

static void award_points(struct session *s, struct desk *desk, struct file *file, const struct earned *earned,
                         const struct moment *moment, struct outcome *outcome)
{
        struct posting why = {.at = moment->at,
                              .cause = "order",
                              .order_id = file->order.id,
                              .reference = file->order.external_id};
        struct instant active_from;

        file->order.points_earned = earned->total;
        for (size_t i = 0; i < file->line_count; i++)
                file->lines[i].points = earned->line_points[i];
        outcome->points.earned = earned->total;
        outcome->points.explanation.v = earned->explanation.v;
        outcome->points.explanation.n = earned->explanation.n;
        if (earned->total == 0)
                return;
        bool pending = pending_until(s->program, &file->order, moment, &active_from);
        book_earn(&desk->book, &s->journal, &why, earned->total, pending, active_from);
        outcome->points.status = pending ? AWARD_PENDING : AWARD_ACTIVE;
}

static void count_caps(struct session *s, struct desk *desk, const struct earned *earned,
                       const struct moment *moment)
{
        for (size_t i = 0; i < earned->counted.n; i++)
                caps_count(&desk->caps, s->arena,
                           &(struct cap_day){.customer_id = desk->customer->id,
                                             .day = moment->today,
                                             .rule = earned->counted.v[i].rule,
                                             .points = earned->counted.v[i].points});
}

static void award(struct session *s, struct desk *desk, struct file *file, const struct moment *moment,
                  struct metric_day *count, struct outcome *outcome)
{
        struct expr_facts *facts = ARENA_NEW(s->arena, struct expr_facts);
        struct earn_input input = {
                .program = s->program,
                .target = TARGET_POINTS,
                .lines = earn_lines(s->arena, file),
                .line_count = file->line_count,
                .facts = facts,
                .date = moment->today,
                .caps = &desk->caps,
                .benefits = &s->program->tiers.v[stand_rank(&desk->stand, moment->at)].benefits,
                .birthday = desk->customer->birthday,
        };

        facts->zone = &s->shop->zone;
        file_facts(file, moment, facts);
        desk_facts(s, desk, moment, facts);
        struct earned points = earn_decide(s->arena, &input);
        input.target = TARGET_GROWTH;
        struct earned growth = earn_decide(s->arena, &input);
        count_caps(s, desk, &points, moment);
        count_caps(s, desk, &growth, moment);
        award_points(s, desk, file, &points, moment, outcome);
        file->order.growth_earned = count->growth = outcome->growth.earned = growth.total;
        for (size_t i = 0; i < file->line_count; i++)
                file->lines[i].growth = growth.line_points[i];
}

void desk_move_tier(struct session *s, struct desk *desk, const struct file *file, size_t rank,
                    const char *cause, const struct moment *moment)
{
        struct tier_event event = {.before = desk->stand.standing.tier, .order_id = file->order.id};

        stand_move(&desk->stand, s->arena, s->program, &s->shop->zone,
                   &(struct stand_move){
                           .rank = rank, .cause = cause, .order_id = file->order.id, .at = moment->at});
        event.after = desk->stand.standing.tier;
        event_add(s->arena, &s->events, EVENT_TIER_CHANGED, desk->customer->id, moment->at, &tier_event_shape,
                  &event);
}

void settle_count(struct session *s, struct desk *desk, struct file *file, const struct moment *moment,
                  struct outcome *outcome)
{
        struct order *order = &file->order;
        struct standing *standing = &desk->stand.standing;
        struct instant counted = instant_known(order->paid_at) ? order->paid_at : moment->at;
        struct metric_day count = {.orders = 1, .spend_minor = order->total_minor};

        assert(!order_counts(order));
        file->is_first = standing->orders == 0;
        order->counted_on = count.day = zone_date(&s->shop->zone, counted);
        share_discount(s->arena, file);
        file->lines_changed = true;
        hold_count(s, desk, file, moment, outcome);
        if (order->awarded)
                award(s, desk, file, moment, &count, outcome);
        stand_count(&desk->stand, s->arena, &count);
        if (!instant_known(standing->first_order_at) || counted.us < standing->first_order_at.us)
                standing->first_order_at = counted;
        if (counted.us > standing->last_order_at.us || !instant_known(standing->last_order_at))
                standing->last_order_at = counted;
        struct metrics metrics = stand_metrics(&desk->stand);
        size_t rank = judge_upgrade(s->program, desk->stand.rank, &metrics, moment->today);
        if (rank != desk->stand.rank)
                desk_move_tier(s, desk, file, rank, "order", moment);
}

void settle_activate(struct session *s, struct desk *desk, const struct file *file,
                     const struct moment *moment)
{
        struct posting why = {.at = moment->at,
                              .cause = order_status_names.v[file->order.status],
                              .order_id = file->order.id,
                              .reference = file->order.external_id};

        book_activate(&desk->book, &s->journal, &why, file->order.id);
}
