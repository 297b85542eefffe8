/* What goes back when goods or money do. Pure. */
#include <assert.h>

#include "orders/desk.h"
#include "points/share.h"
#include "tiers/overdue.h"

/* How far a line has come back: by money, or by pieces when it cost nothing. */
static int64_t back_of(int64_t amount, const struct order_line *line, const struct giving *giving)
{
        int64_t paid = line->paid_minor;

        if (paid > 0)
                return proportion_cumulative(amount, line->refunded_minor,
                                             line->refunded_minor + giving->amount_minor, paid);
        return proportion_cumulative(amount, line->refunded_quantity,
                                     line->refunded_quantity + giving->quantity, line->quantity);
}

size_t return_everything(struct arena *arena, const struct file *file, struct giving **ret_givings,
                         int64_t *ret_shipping_minor)
{
        struct giving *givings = ARENA_ARRAY(arena, file->line_count, struct giving);
        size_t n = 0;

        for (size_t i = 0; i < file->line_count; i++) {
                const struct order_line *line = &file->lines[i];
                int64_t quantity = line->quantity - line->refunded_quantity;
                int64_t amount = line->paid_minor - line->refunded_minor;
                if (quantity > 0 || amount > 0)
                        givings[n++] = (struct giving){i, quantity, amount};
        }
        *ret_givings = givings;
        *ret_shipping_minor = file->order.shipping_minor - file->order.refunded_shipping_minor;
        return n;
}

/* Book one line's return; its shares of points and growth are added to the sums. */
static struct refunded_line line_back(struct file *file, const struct giving *giving)
{
        struct order_line *line = &file->lines[giving->line];
        struct refunded_line back = {
                .line_no = line->line_no,
                .quantity = giving->quantity,
                .amount_minor = giving->amount_minor,
                .points = back_of(line->points, line, giving),
                .growth = back_of(line->growth, line, giving),
        };

        line->refunded_quantity += giving->quantity;
        line->refunded_minor += giving->amount_minor;
        assert(line->refunded_quantity <= line->quantity && line->refunded_minor <= line->paid_minor);
        return back;
}

static void reverse_points(struct session *s, struct desk *desk, struct file *file, int64_t points,
                           const char *reference, const struct moment *moment, struct outcome *outcome)
{
        struct posting why = {
                .at = moment->at, .cause = "refund", .order_id = file->order.id, .reference = reference};

        file->order.points_reversed += points;
        outcome->points.reversed = points;
        if (points == 0)
                return;
        book_reverse(&desk->book, &s->journal, &why, points, s->program->points.refund_policy);
        const struct ledger_entry *last = &s->journal.entries.v[s->journal.entries.n - 1];
        if (last->kind == ENTRY_WRITE_OFF) /* the reversal, then what of it was forgiven */
                outcome->points.written_off = last->amount;
}

static struct metrics metrics_kept(struct arena *arena, const struct stand *stand)
{
        struct metrics metrics = stand_metrics(stand);
        struct metric_day *days = ARENA_ARRAY(arena, metrics.day_count, struct metric_day);

        for (size_t i = 0; i < metrics.day_count; i++)
                days[i] = metrics.days[i];
        metrics.days = days;
        return metrics;
}

/* The customer's last order is the latest of those that still count: one that was undone shows no life. */
static void last_order_follow(const struct session *s, struct desk *desk)
{
        struct instant last = desk->others_last;

        for (size_t i = 0; i < s->file_count; i++) {
                const struct order *order = &s->files[i].order;
                if (uuid_equal(order->customer_id, desk->customer->id) && order_counts(order) &&
                    !order_given_back(order) && (!instant_known(last) || order->paid_at.us > last.us))
                        last = order->paid_at;
        }
        desk->stand.standing.last_order_at = last;
}

/* Keep it for the store. */
static void note_return(struct session *s, const struct order *order, const struct outcome *outcome,
                        const struct moment *moment)
{
        if (s->returns.n == s->return_room) {
                s->return_room = s->return_room == 0 ? 4 : s->return_room * 2;
                struct returned *larger = ARENA_ARRAY(s->arena, s->return_room, struct returned);
                for (size_t i = 0; i < s->returns.n; i++)
                        larger[i] = s->returns.v[i];
                s->returns.v = larger;
        }
        s->returns.v[s->returns.n++] = (struct returned){
                .customer_id = order->customer_id,
                .order_id = order->id,
                .refund = outcome->refund,
                .points = outcome->points.reversed,
                .growth = outcome->growth.reversed,
                .at = moment->at,
        };
}

void return_goods(struct session *s, struct desk *desk, struct file *file, const struct giving *givings,
                  size_t n, int64_t shipping_minor, const char *reference, const struct moment *moment,
                  struct outcome *outcome)
{
        struct order *order = &file->order;
        struct metrics before = metrics_kept(s->arena, &desk->stand);
        bool whole_before = order->total_minor > 0 && order->refunded_minor == order->total_minor;
        int64_t amount = shipping_minor, points = 0, growth = 0;

        assert(order_counts(order));
        outcome->refund->lines.v = ARENA_ARRAY(s->arena, n, struct refunded_line);
        for (size_t i = 0; i < n; i++) {
                struct refunded_line back = line_back(file, &givings[i]);
                outcome->refund->lines.v[outcome->refund->lines.n++] = back;
                amount += back.amount_minor;
                points += back.points;
                growth += back.growth;
        }
        order->refunded_minor += amount;
        order->refunded_shipping_minor += shipping_minor;
        order->growth_reversed += growth;
        file->changed = file->lines_changed = true;
        outcome->refund->amount_minor = amount;
        outcome->refund->shipping_minor = shipping_minor;
        outcome->growth.reversed = growth;
        coupon_come_back(s, file, reference, moment, outcome);
        hold_return(s, desk, file, reference, moment, outcome); /* first: it may be what is taken back */
        reverse_points(s, desk, file, points, reference, moment, outcome);
        note_return(s, order, outcome, moment);
        bool lost = !whole_before && order_given_back(order);
        file->is_lost = lost;
        if (lost)
                last_order_follow(s, desk);
        stand_count(&desk->stand, s->arena,
                    &(struct metric_day){.day = order->counted_on,
                                         .spend_minor = -amount,
                                         .growth = -growth,
                                         .orders = lost ? -1 : 0});
        stand_lowered(&desk->stand, &before, s->program, &s->shop->zone);
        if (s->program->cycle.after_refund != JUDGING_AT_ONCE)
                return;
        struct metrics after = stand_metrics(&desk->stand);
        size_t rank = judge_after_refund(s->program, desk->stand.rank, &before, &after, moment->today);
        if (rank != desk->stand.rank)
                desk_move_tier(s, desk, file, rank, "refund", moment);
}
