/* The points that pay for part of an order: a hold that waits for it, is captured when it counts, and comes
 * back. Pure. */
#include <assert.h>

#include "orders/desk.h"
#include "points/share.h"

static struct posting posting_of(const struct order *order, const char *cause, const char *reference,
                                 const struct moment *moment)
{
        return (struct posting){
                .at = moment->at, .cause = cause, .order_id = order->id, .reference = reference};
}

enum err hold_check(struct ctx *c, const struct desk *desk, struct uuid order_id, const char *reference)
{
        struct uuid id;
        const struct hold *hold = NULL;

        if (reference == NULL)
                return ERR_OK;
        if (hold_reference(desk->customer->id, reference, &id))
                hold = book_hold_find(&desk->book, id);
        if (hold == NULL) {
                fault_body(c, "#/points_hold", "unknown_hold", "the customer has no hold with this name");
                return problem_check(c);
        }
        TRY(hold_resolvable(c, hold));
        return hold_unbound(c, hold, order_id);
}

void hold_attach(struct session *s, struct desk *desk, struct file *file, const char *reference,
                 const struct moment *moment)
{
        struct order *order = &file->order;
        struct uuid wanted = {0};

        if (reference != NULL) {
                bool meant = hold_reference(desk->customer->id, reference, &wanted);
                assert(meant);
                (void)meant;
        }
        if (uuid_equal(wanted, order->points_hold))
                return;
        hold_let_go(s, desk, file, moment);
        order->points_hold = wanted;
        if (!uuid_known(wanted))
                return;
        struct hold *hold = book_hold_find(&desk->book, wanted);
        hold->order_id = order->id;
        hold->expires_at = (struct instant){0}; /* from here on it waits for the order */
        hold->changed = true;
}

void hold_let_go(struct session *s, struct desk *desk, const struct file *file, const struct moment *moment)
{
        struct posting why = posting_of(&file->order, "release", file->order.external_id, moment);

        if (uuid_known(file->order.points_hold))
                book_release(&desk->book, &s->journal, &why,
                             book_hold_find(&desk->book, file->order.points_hold), HOLD_RELEASED);
}

void hold_count(struct session *s, struct desk *desk, const struct file *file, const struct moment *moment,
                struct outcome *outcome)
{
        struct posting why = posting_of(&file->order, "order", file->order.external_id, moment);

        if (!uuid_known(file->order.points_hold))
                return;
        struct hold *hold = book_hold_find(&desk->book, file->order.points_hold);
        book_capture(&desk->book, &s->journal, &why, hold, hold->points);
        outcome->points.spent = hold->captured;
}

/* How many of the captured points have come back when so much of the order has: by money, or by pieces when
 * it cost nothing else. */
static int64_t back_in_all(const struct file *file, int64_t captured)
{
        const struct order *order = &file->order;
        int64_t pieces = 0, back = 0;

        if (order->status == ORDER_CANCELLED)
                return captured;
        if (order->total_minor > 0)
                return proportion(captured, order->refunded_minor, order->total_minor);
        for (size_t i = 0; i < file->line_count; i++) {
                pieces += file->lines[i].quantity;
                back += file->lines[i].refunded_quantity;
        }
        return proportion(captured, back, pieces);
}

void hold_return(struct session *s, struct desk *desk, const struct file *file, const char *reference,
                 const struct moment *moment, struct outcome *outcome)
{
        struct posting why = posting_of(&file->order, "refund", reference, moment);

        if (!uuid_known(file->order.points_hold))
                return;
        struct hold *hold = book_hold_find(&desk->book, file->order.points_hold);
        int64_t points = back_in_all(file, hold->captured) - hold->restored;
        outcome->points.restored = points;
        if (points > 0)
                book_restore(&desk->book, &s->journal, &why, hold, points,
                             s->program->points.restored_life_days);
}
