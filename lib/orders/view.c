/* Orders as they are shown. */
#include "coupons/coupons.h"
#include "db/page.h"
#include "orders/desk.h"
#include "orders/store.h"

enum err order_reference(struct ctx *c, const char *reference, struct uuid *ret)
{
        if (strncmp(reference, "ext:", 4) == 0 && reference[4] != '\0' &&
            text_chars(reference + 4) <= TEXT_MAX_DEFAULT) {
                *ret = uuid_of_external("order", reference + 4);
                return ERR_OK;
        }
        if (uuid_from_text(reference, ret))
                return ERR_OK;
        return fail(c, ERR_NOT_FOUND, "\"%s\" is neither an order's UUID nor ext:<external id>.", reference);
}

enum err order_find(struct ctx *c, const char *reference, struct order *ret)
{
        struct uuid id;
        struct list orders = {0};

        TRY(order_reference(c, reference, &id));
        TRY(orders_later(c, &(struct uuids){&id, 1}, &orders));
        TRY(db_flush(c));
        if (orders.n == 0)
                return fail(c, ERR_NOT_FOUND, "There is no order %s.", reference);
        *ret = *(const struct order *)orders.v;
        return ERR_OK;
}

static void refunds_give(struct arena *arena, const struct list *refunds, const struct list *lines,
                         struct order_view *ret)
{
        const struct refund_row *rows = refunds->v;
        const struct refund_line_row *line = lines->v;

        ret->refunds.v = ARENA_ARRAY(arena, refunds->n, struct outcome_refund);
        ret->refunds.n = refunds->n;
        for (size_t i = 0; i < refunds->n; i++) {
                struct outcome_refund *refund = &ret->refunds.v[i];
                *refund = (struct outcome_refund){.id = rows[i].id,
                                                  .external_id = rows[i].external_id,
                                                  .reason = rows[i].reason,
                                                  .amount_minor = rows[i].amount_minor,
                                                  .shipping_minor = rows[i].shipping_minor};
                refund->lines.v = ARENA_ARRAY(arena, lines->n, struct refunded_line);
                for (size_t k = 0; k < lines->n; k++)
                        if (uuid_equal(line[k].refund_id, rows[i].id))
                                refund->lines.v[refund->lines.n++] = (struct refunded_line){
                                        line[k].line_no, line[k].quantity, line[k].amount_minor,
                                        line[k].points, line[k].growth};
        }
}

enum err order_get(struct ctx *c, const char *reference, struct order_view *ret)
{
        struct list lines = {0}, refunds = {0}, refund_lines = {0};

        TRY(order_find(c, reference, &ret->order));
        struct order_probe probe = {{&ret->order.customer_id, 1}, {&ret->order.id, 1}};
        TRY(order_lines_later(c, &probe, &lines));
        TRY(refunds_later(c, &probe, &refunds));
        TRY(refund_lines_later(c, &probe, &refund_lines));
        TRY(db_flush(c));
        ret->lines.v = lines.v;
        ret->lines.n = lines.n;
        refunds_give(c->arena, &refunds, &refund_lines, ret);
        struct coupon_names names = coupon_names_read(c->arena, ret->order.coupon);
        struct coupon_book book = {.arena = c->arena};
        if (names.n > 0)
                TRY(coupons_read(c, &(struct texts){names.codes, names.n}, &book));
        ret->used_coupons.n = coupons_used(c->arena, &book, &ret->order, &ret->used_coupons.v);
        return ERR_OK;
}

NAMES(order_sort_names, "placed_at", "-placed_at");

#define SHAPE_T struct order_page
SHAPE(order_page, "A position.", FIELD(customer_id), FIELD(status, .names = &order_status_names),
      FIELD(channel, .names = &channel_names), FIELD(campaign), FIELD(referrer_id), FIELD(since),
      FIELD(until), FIELD(total_min), FIELD(total_max), NEST(page, paging));
#undef SHAPE_T

/* Along the index of the time, or that of the customer, the campaign or the referrer. Who filters by what has
 * no index, a state or a sum, reads until the page is full; a span of time bounds it. */
SQL_LIST(orders_sorted, order_page, order, ORDER_COLUMNS,
         "orders o WHERE (:customer_id::uuid IS NULL OR o.customer_id = :customer_id) AND " ORDER_ONLY, "o.",
         "id", order_sort_names)

enum err orders_list(struct ctx *c, const struct order_page *page, struct page_rows *ret)
{
        return orders_sorted(c, page, ret);
}
