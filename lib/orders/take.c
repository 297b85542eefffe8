#include "orders/take.h"

#include <assert.h>

#include "base/shape_json.h"
#include "orders/check.h"

static bool counts_in(unsigned status)
{
        return status >= ORDER_PAID && status <= ORDER_COMPLETED;
}

/* History in one call: an order that was paid, and cancelled since. */
static bool was_paid_before(const struct order_in *in)
{
        return in->backfill && in->status == ORDER_CANCELLED && instant_known(in->paid_at);
}

bool take_needs_lots(const struct program *program, const struct book *book, const struct order *known,
                     const struct order_in *in)
{
        if (was_paid_before(in))
                return true;
        if (known == NULL || !order_counts(known))
                return false;
        return in->status == ORDER_CANCELLED || settle_releases(program, book, in->status);
}

/* ------------------------------------------------------------------ content */

static void lines_fill(struct session *s, struct file *file, const struct order_in *in)
{
        const struct order *order = &file->order;

        file->lines = ARENA_ARRAY(s->arena, in->lines.n, struct order_line);
        file->line_count = in->lines.n;
        for (size_t i = 0; i < in->lines.n; i++) {
                const struct order_line_in *line = &in->lines.v[i];
                file->lines[i] = (struct order_line){
                        .customer_id = order->customer_id,
                        .order_id = order->id,
                        .line_no = order_line_no(in, i),
                        .sku = line->sku,
                        .name = line->name,
                        .category = line->category,
                        .brand = line->brand,
                        .quantity = line->quantity,
                        .unit_price_minor = line->unit_price_minor,
                        .discount_minor = line->discount_minor,
                        .total_minor = line->total_minor,
                        .cost_minor = line->cost_minor,
                        .paid_minor = line->total_minor, /* until it counts */
                };
        }
}

static void content_fill(struct session *s, struct desk *desk, struct file *file, const struct order_in *in,
                         const struct coupon_plan *plan, const struct moment *moment)
{
        struct order *order = &file->order;

        order->goods_minor = order_goods_minor(in);
        order->shipping_minor = in->shipping_minor;
        order->discount_minor = in->discount_minor;
        order->total_minor = in->total_minor;
        order->channel = in->channel;
        order->channel_detail = in->channel_detail;
        order->campaign = in->campaign;
        order->line_count = (int64_t)in->lines.n;
        lines_fill(s, file, in);
        file->lines_replaced = true;
        coupon_attach(s, file, plan, moment);
        hold_attach(s, desk, file, in->points_hold, moment);
}

static void order_start(struct session *s, struct desk *desk, struct file *file, const struct order_in *in,
                        const struct coupon_plan *plan, const struct moment *moment)
{
        file->is_new = true;
        file->order = (struct order){
                .customer_id = desk->customer->id,
                .id = uuid_of_external("order", in->external_id),
                .external_id = in->external_id,
                .status = ORDER_PLACED,
                .currency = s->shop->currency,
                .awarded = in->award,
                .placed_at = instant_known(in->placed_at) ? in->placed_at : moment->at,
                .created_at = moment->at,
        };
        content_fill(s, desk, file, in, plan, moment);
}

/* ------------------------------------------------------------------ known orders */

static enum err differs(struct ctx *c, const struct order *order)
{
        return fail(c, ERR_ORDER_DIFFERS, "The order %s is known with other values.", order->external_id);
}

/* Once something was paid, or nothing will be, the basket stands. */
static bool content_is_fixed(const struct order *order)
{
        return order_counts(order) || order->status == ORDER_CANCELLED;
}

/* May this call go on with the known order? */
static enum err known_check(struct ctx *c, const struct desk *desk, const struct file *file,
                            const struct order_in *in, struct uuid referrer_id)
{
        const struct order *order = &file->order;
        const struct hold *hold = book_hold_find(&desk->book, order->points_hold);

        if (!uuid_equal(order->customer_id, desk->customer->id)) {
                text_puts(&c->problem.extra,
                          ",\"differences\":[{\"pointer\":\"#/customer\",\"known\":\"another customer\","
                          "\"sent\":\"this customer\"}]");
                return differs(c, order);
        }
        if (content_is_fixed(order)
                    ? order_differences(c, order, hold, file->lines, file->line_count, in, referrer_id) > 0
                    : order_referrer_differs(c, order, in, referrer_id))
                return differs(c, order);
        bool forward = in->status >= order->status;
        bool cancels_completed = in->status == ORDER_CANCELLED && order->status == ORDER_COMPLETED;
        if (forward && !cancels_completed)
                return ERR_OK;
        problem_string(c, "known", order_status_names.v[order->status]);
        problem_string(c, "sent", order_status_names.v[in->status]);
        return fail(c, ERR_ORDER_STATE, "The order is %s; it cannot become %s.",
                    order_status_names.v[order->status], order_status_names.v[in->status]);
}

/* ------------------------------------------------------------------ states */

static void take_time(struct instant *known, struct instant sent)
{
        if (instant_known(sent))
                *known = sent;
}

static void times_take(struct order *order, const struct order_in *in)
{
        take_time(&order->shipped_at, in->shipped_at);
        take_time(&order->delivered_at, in->delivered_at);
        take_time(&order->completed_at, in->completed_at);
        if (!order_counts(order)) { /* later these have had their effect */
                take_time(&order->placed_at, in->placed_at);
                take_time(&order->paid_at, in->paid_at);
        }
}

/* The time of the state itself is known at the latest now. */
static void state_time(struct order *order, const struct moment *moment)
{
        struct instant *times[] = {
                [ORDER_PLACED] = &order->placed_at,       [ORDER_PAID] = &order->paid_at,
                [ORDER_SHIPPED] = &order->shipped_at,     [ORDER_DELIVERED] = &order->delivered_at,
                [ORDER_COMPLETED] = &order->completed_at, [ORDER_CANCELLED] = &order->cancelled_at,
        };

        if (!instant_known(*times[order->status]))
                *times[order->status] = moment->at;
        if (counts_in(order->status) && !instant_known(order->paid_at))
                order->paid_at = moment->at;
}

static void note_state(struct session *s, const struct file *file, const struct moment *moment,
                       const struct outcome *outcome)
{
        static const enum event_type types[] = {
                [ORDER_PLACED] = EVENT_ORDER_PLACED,       [ORDER_PAID] = EVENT_ORDER_PAID,
                [ORDER_SHIPPED] = EVENT_ORDER_SHIPPED,     [ORDER_DELIVERED] = EVENT_ORDER_DELIVERED,
                [ORDER_COMPLETED] = EVENT_ORDER_COMPLETED, [ORDER_CANCELLED] = EVENT_ORDER_CANCELLED,
        };
        const struct order *order = &file->order;
        struct order_event event = {
                .order_id = order->id,
                .external_id = order->external_id,
                .total_minor = order->total_minor,
                .refunded_minor = order->refunded_minor,
                .points = outcome->points.earned - outcome->points.reversed,
                .growth = outcome->growth.earned - outcome->growth.reversed,
        };

        event_add(s->arena, &s->events, types[order->status], order->customer_id, moment->at,
                  &order_event_shape, &event);
}

static void cancel(struct session *s, struct desk *desk, struct file *file, const struct moment *moment,
                   struct outcome *outcome)
{
        struct giving *givings = NULL;
        int64_t shipping_minor;

        if (!order_counts(&file->order)) {
                coupon_let_go(s, file, moment);
                hold_let_go(s, desk, file, moment);
                return;
        }
        outcome->refund = ARENA_NEW(s->arena, struct outcome_refund);
        outcome->refund->id = uuid_of_child("cancellation", file->order.id, file->order.external_id);
        outcome->refund->external_id = "cancellation";
        size_t n = return_everything(s->arena, file, &givings, &shipping_minor);
        return_goods(s, desk, file, givings, n, shipping_minor, file->order.external_id, moment, outcome);
}

static void state_take(struct session *s, struct desk *desk, struct file *file, const struct order_in *in,
                       const struct moment *moment, struct outcome *outcome)
{
        struct order *order = &file->order;

        /* History counts when it was paid, whatever came later. */
        struct moment paid =
                in->backfill && instant_known(order->paid_at) ? moment_of(s->shop, order->paid_at) : *moment;

        if (was_paid_before(in) && !order_counts(order)) {
                order->status = ORDER_PAID;
                settle_count(s, desk, file, &paid, outcome);
        }
        order->status = in->status;
        take_time(&order->cancelled_at, in->cancelled_at);
        state_time(order, moment);
        if (in->status == ORDER_CANCELLED)
                cancel(s, desk, file, moment, outcome);
        else if (counts_in(in->status) && !order_counts(order)) {
                settle_count(s, desk, file, &paid, outcome);
                if (!in->backfill)
                        coupon_rules_count(s, desk, file, &paid, outcome);
        } else if (order_counts(order) && settle_releases(s->program, &desk->book, in->status))
                settle_activate(s, desk, file, moment);
}

/* Whoever orders and does not pay has asked. */
static void asks(struct desk *desk, const struct order *order)
{
        if (!order_counts(order) && !instant_known(desk->customer->inquired_at) &&
            !instant_known(desk->asked_at))
                desk->asked_at = order->placed_at;
}

struct instant take_time_of(const struct order_in *in, struct instant now)
{
        const struct instant times[] = {in->placed_at,    in->paid_at,      in->shipped_at,
                                        in->delivered_at, in->completed_at, in->cancelled_at};
        struct instant latest = {0};

        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                if (instant_known(times[i]))
                        latest = times[i];
        return in->backfill && instant_known(latest) ? latest : now;
}

enum err take_order(struct session *s, struct ctx *c, struct desk *desk, struct file *file,
                    const struct order_in *in, struct uuid referrer_id, struct outcome *ret)
{
        struct moment moment = moment_of(s->shop, take_time_of(in, c->now));
        struct order *order = &file->order;
        struct coupon_plan plan = {0};
        bool known = uuid_known(order->id);

        if (known)
                TRY(known_check(c, desk, file, in, referrer_id));
        if (!known || !content_is_fixed(order)) {
                TRY(hold_check(c, desk, uuid_of_external("order", in->external_id), in->points_hold));
                TRY(coupon_check(c, s, desk, in, &moment, &plan));
        }
        desk_before(s, desk, &moment, ret);
        if (!known)
                order_start(s, desk, file, in, &plan, &moment);
        else if (!content_is_fixed(order))
                content_fill(s, desk, file, in, &plan,
                             &moment); /* nothing was paid: the basket may still change */
        if (!uuid_known(order->referrer_id))
                order->referrer_id = referrer_id;
        times_take(order, in);
        if (!known || in->status != order->status) {
                state_take(s, desk, file, in, &moment, ret);
                note_state(s, file, &moment, ret);
        }
        if (!known)
                asks(desk, order);
        order->version++;
        order->calls++;
        order->updated_at = moment.at;
        file->changed = true;
        desk_after(s, desk, file, &moment, ret);
        return ERR_OK;
}
