/* Refunds: check what is left, give back in proportion, remember the answer. */
#include <inttypes.h>

#include "audit/audit.h"
#include "coupons/coupons.h"
#include "orders/store.h"
#include "points/points.h"
#include "points/share.h"
#include "program/programs.h"
#include "tiers/tiers.h"

/* ------------------------------------------------------------------ what is asked */

static size_t line_find(const struct file *file, int64_t line_no)
{
        for (size_t i = 0; i < file->line_count; i++)
                if (file->lines[i].line_no == line_no)
                        return i;
        return SIZE_MAX;
}

/* One line of the request against what is left of it; noted as a fault only when the line is unknown or named
 * twice. */
static void giving_read(struct ctx *c, const struct file *file, const struct refund_in *in, size_t index,
                        struct giving *ret)
{
        const struct refund_line_in *asked = &in->lines.v[index];
        const char *pointer = arena_printf(c->arena, "#/lines/%zu/line_no", index);

        ret->line = line_find(file, asked->line_no);
        if (ret->line == SIZE_MAX) {
                fault_body(c, pointer, "unknown_line", "the order has no line %" PRId64, asked->line_no);
                return;
        }
        for (size_t i = 0; i < index; i++)
                if (in->lines.v[i].line_no == asked->line_no) {
                        fault_body(c, pointer, "duplicate", "line %" PRId64 " is named before",
                                   asked->line_no);
                        break;
                }
        const struct order_line *line = &file->lines[ret->line];
        ret->quantity = asked->quantity.set ? asked->quantity.v : 0;
        if (asked->amount_minor.set) {
                ret->amount_minor = asked->amount_minor.v;
        } else if (ret->quantity <= line->quantity - line->refunded_quantity) {
                int64_t left = line->paid_minor - line->refunded_minor;
                int64_t cost = proportion_cumulative(line->paid_minor, line->refunded_quantity,
                                                     line->refunded_quantity + ret->quantity, line->quantity);
                ret->amount_minor = cost < left ? cost : left;
        }
        if (ret->quantity == 0 && ret->amount_minor == 0)
                fault_body(c, arena_printf(c->arena, "#/lines/%zu", index), "nothing", "gives nothing back");
}

static enum err exceeds(struct ctx *c, const char *what, int64_t left, int64_t asked)
{
        problem_string(c, "of", what);
        problem_int(c, "left", left);
        problem_int(c, "asked", asked);
        return fail(c, ERR_REFUND_EXCEEDS, "Of the %s %" PRId64 " is left; the refund asks for %" PRId64 ".",
                    what, left, asked);
}

static enum err left_check(struct ctx *c, const struct file *file, const struct giving *givings, size_t n,
                           int64_t shipping_minor)
{
        for (size_t i = 0; i < n; i++) {
                const struct order_line *line = &file->lines[givings[i].line];
                if (givings[i].quantity > line->quantity - line->refunded_quantity)
                        return exceeds(c, arena_printf(c->arena, "quantity of line %" PRId64, line->line_no),
                                       line->quantity - line->refunded_quantity, givings[i].quantity);
                if (givings[i].amount_minor > line->paid_minor - line->refunded_minor)
                        return exceeds(c, arena_printf(c->arena, "amount of line %" PRId64, line->line_no),
                                       line->paid_minor - line->refunded_minor, givings[i].amount_minor);
        }
        int64_t shipping_left = file->order.shipping_minor - file->order.refunded_shipping_minor;
        return shipping_minor > shipping_left ? exceeds(c, "shipping", shipping_left, shipping_minor)
                                              : ERR_OK;
}

static enum err refund_check(struct ctx *c, const struct file *file, const struct refund_in *in,
                             struct giving **ret)
{
        struct giving *givings = ARENA_ARRAY(c->arena, in->lines.n, struct giving);

        if (in->lines.n == 0 && in->shipping_minor == 0)
                fault_body(c, "#/lines", "required",
                           "must name what comes back: lines, shipping_minor or both");
        for (size_t i = 0; i < in->lines.n; i++)
                giving_read(c, file, in, i, &givings[i]);
        TRY(problem_check(c));
        if (!order_counts(&file->order) || file->order.status == ORDER_CANCELLED)
                return fail(c, ERR_NOT_REFUNDABLE, "The order is %s.",
                            order_status_names.v[file->order.status]);
        TRY(left_check(c, file, givings, in->lines.n, in->shipping_minor));
        *ret = givings;
        return ERR_OK;
}

/* ------------------------------------------------------------------ loading and storing one order */

struct loaded {
        struct customer customer;
        struct desk desk;
        struct file file;
        struct list refunds; /* struct refund_row */
};

/* The points that paid for part of it: another round trip, for few orders have any. */
static enum err load_hold(struct ctx *c, struct loaded *l)
{
        struct hold_probe probe = {{&l->customer.id, 1}, {&l->file.order.points_hold, 1}};
        struct hold_rows holds = {0};

        if (!uuid_known(l->file.order.points_hold))
                return ERR_OK;
        TRY(points_holds_later(c, &probe, &holds));
        TRY(db_flush(c));
        points_holds_give(c->arena, &l->desk.book, &holds);
        return ERR_OK;
}

/* Likewise the coupons. */
static enum err load_coupons(struct ctx *c, const struct loaded *l, struct session *s)
{
        struct coupon_names names = coupon_names_read(c->arena, l->file.order.coupon);
        struct uuid order_id = l->file.order.id;
        struct coupon_rows rows = {0}, brought = {0};

        if (names.n == 0 && !s->program->withdraws_coupons)
                return ERR_OK;
        if (names.n > 0)
                TRY(coupons_later(c, &(struct texts){names.codes, names.n}, &rows));
        if (s->program->withdraws_coupons)
                TRY(coupons_from_later(c, &(struct uuids){&order_id, 1}, &brought));
        TRY(db_flush(c));
        TRY(coupons_give(c, &rows, &s->coupons));
        return coupons_give(c, &brought, &s->coupons);
}

static enum err load(struct ctx *c, const struct program *program, const struct order *found,
                     struct loaded *ret)
{
        struct uuids id = {&ret->customer.id, 1};
        struct uuid order_id = found->id;
        struct list orders = {0}, lines = {0}, accounts = {0}, lots = {0}, others = {0};
        struct stand_rows stands = {0};

        TRY(customer_lock_id(c, found->customer_id, &ret->customer));
        struct order_probe probe = {id, {&order_id, 1}};
        TRY(orders_later(c, &probe.orders, &orders)); /* again, behind the lock */
        TRY(order_lines_later(c, &probe, &lines));
        TRY(refunds_later(c, &probe, &ret->refunds));
        TRY(last_orders_later(c, &probe, &others));
        TRY(points_accounts_later(c, &id, &accounts));
        TRY(points_lots_later(c, &id, &lots));
        TRY(stands_later(c, &id, /* from= */ (struct date){0}, &stands));
        TRY(db_flush(c));
        ret->file.order = *(const struct order *)orders.v;
        file_lines_give(c->arena, &ret->file, &lines);
        ret->desk.customer = &ret->customer;
        ret->desk.book.account.customer_id = ret->customer.id;
        if (accounts.n == 1)
                ret->desk.book.account = *(const struct points_account *)accounts.v;
        if (others.n == 1)
                ret->desk.others_last = ((const struct last_order *)others.v)->last_order_at;
        points_lots_give(c->arena, &ret->desk.book, &lots);
        TRY(load_hold(c, ret));
        ret->desk.stand = stand_of(c->arena, program, &stands, ret->customer.id, ret->customer.created_at);
        return ERR_OK;
}

static enum err store(struct ctx *c, struct loaded *l, struct session *s, const struct refund_kept *kept)
{
        struct file *file = &l->file;
        struct book *book = &l->desk.book;
        struct stand *stand = &l->desk.stand;

        TRY(files_store(c, &file, 1));
        TRY(files_tell_referrals(c, s->program, &file, 1));
        TRY(points_store(c, &book, 1, &s->journal));
        TRY(stands_store(c, &stand, 1));
        TRY(returns_store(c, s, kept));
        TRY(coupons_store(c, &s->coupons));
        return events_store(c, &s->events);
}

static void note_refund(struct session *s, const struct loaded *l, const struct outcome *outcome,
                        const struct moment *moment)
{
        const struct order *order = &l->file.order;
        struct order_event event = {
                .order_id = order->id,
                .external_id = order->external_id,
                .refund_external_id = outcome->refund->external_id,
                .total_minor = order->total_minor,
                .refunded_minor = order->refunded_minor,
                .points = -outcome->points.reversed,
                .growth = -outcome->growth.reversed,
        };

        event_add(s->arena, &s->events, EVENT_ORDER_REFUNDED, order->customer_id, moment->at,
                  &order_event_shape, &event);
}

/* The same refund again is answered as before; another one of its name is refused. */
static enum err replay(struct ctx *c, const struct loaded *l, struct uuid id, struct bytes fingerprint,
                       struct refund_answer *ret)
{
        const struct refund_row *rows = l->refunds.v;

        for (size_t i = 0; i < l->refunds.n; i++) {
                if (!uuid_equal(rows[i].id, id))
                        continue;
                if (!fingerprints_equal(rows[i].fingerprint, fingerprint))
                        return fail(c, ERR_REFUND_DIFFERS, "The refund %s is known with other values.",
                                    rows[i].external_id);
                *ret = (struct refund_answer){rows[i].outcome, strlen(rows[i].outcome), .replayed = true};
        }
        return ERR_OK;
}

static enum err refund_decide(struct ctx *c, struct session *s, struct loaded *l, const struct refund_in *in,
                              struct uuid id, struct bytes fingerprint, struct refund_answer *ret)
{
        struct giving *givings = NULL;
        struct outcome outcome;
        bool dated = in->backfill && instant_known(in->refunded_at);
        struct moment moment = moment_of(c->shop, dated ? in->refunded_at : c->now);

        TRY(refund_check(c, &l->file, in, &givings));
        desk_before(s, &l->desk, &moment, &outcome);
        outcome.refund = ARENA_NEW(c->arena, struct outcome_refund);
        *outcome.refund =
                (struct outcome_refund){.id = id, .external_id = in->external_id, .reason = in->reason};
        return_goods(s, &l->desk, &l->file, givings, in->lines.n, in->shipping_minor, in->external_id,
                     &moment, &outcome);
        l->file.order.version++;
        l->file.order.updated_at = moment.at;
        note_refund(s, l, &outcome, &moment);
        desk_after(s, &l->desk, &l->file, &moment, &outcome);
        ret->outcome = outcome_write(c->arena, &outcome, &ret->outcome_len);
        ret->replayed = false;
        return store(c, l, s, &(struct refund_kept){fingerprint, ret->outcome});
}

static enum err note_write(struct ctx *c, const struct order *order)
{
        char id[UUID_TEXT_SIZE];

        uuid_to_text(order->id, id);
        return audit_write(c, &(struct audit_change){.customer_id = order->customer_id,
                                                     .subject = arena_printf(c->arena, "/v1/orders/%s", id)});
}

/* What is given back is given back by somebody as he stands now. */
static enum err catch_up(struct ctx *c, struct session *s, struct desk *desk)
{
        TRY(stands_catch_up(c, s->program, c->now, (struct stand *[]){&desk->stand}, 1, &s->events));
        return points_catch_up(c, (struct book *[]){&desk->book}, 1, &s->journal, c->now);
}

enum err order_refund(struct ctx *c, const struct refund_in *in, struct refund_answer *ret)
{
        PROGRAM(program);
        TX(tx);
        struct order found;
        struct loaded loaded = {0};
        struct session session = {
                .arena = c->arena, .program = program, .shop = c->shop, .journal = journal_of(c, program)};
        struct refund_answer answer = {0};

        session.files = &loaded.file;
        session.file_count = 1;
        TRY(tx_begin(c, &tx));
        TRY(order_find(c, in->order, &found));
        TRY(load(c, program, &found, &loaded));
        struct refund_in content = *in;
        content.order = NULL; /* however the order is called */
        struct bytes fingerprint = input_fingerprint(c->arena, &refund_in_shape, &content);
        struct uuid id = uuid_of_child("refund", found.id, in->external_id);
        TRY(replay(c, &loaded, id, fingerprint, &answer));
        if (!answer.replayed) {
                TRY(load_coupons(c, &loaded, &session));
                if (!in->backfill)
                        TRY(catch_up(c, &session, &loaded.desk));
                TRY(refund_decide(c, &session, &loaded, in, id, fingerprint, &answer));
                TRY(note_write(c, &found));
        }
        TRY(tx_commit(&tx));
        answer.order_id = found.id;
        answer.id = id;
        *ret = answer;
        return ERR_OK;
}
