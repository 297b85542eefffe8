#include "orders/lines.h"

#include "base/idmap.h"
#include "orders/store.h"

#define READ_ONLY .doc = "As exported; not read."

#define SHAPE_T struct bulk_order
static const struct field order_more[] = {
        FIELD(awarded, .dflt = "true", .doc = "false: the order earns no points and no growth."),
        FIELD(id, READ_ONLY),
        FIELD(refunded_minor, READ_ONLY),
        FIELD(points_earned, READ_ONLY),
        FIELD(points_reversed, READ_ONLY),
        FIELD(growth_earned, READ_ONLY),
        FIELD(growth_reversed, READ_ONLY),
};
#undef SHAPE_T

#define SHAPE_T struct bulk_refund
static const struct field refund_more[] = {
        {.name = "order",
         .wire = WIRE_TEXT,
         .offset = offsetof(SHAPE_T, order_reference),
         .size = sizeof(const char *),
         .need = true,
         .max = 300,
         .doc = "UUID or ext:<external id> of the order."},
        FIELD(id, READ_ONLY),
};
#undef SHAPE_T

static const struct shape *order_shape_, *refund_shape_;

__attribute__((constructor)) static void shapes_make(void)
{
        order_shape_ = shape_extend(&order_in_shape, "order_line_of_file", "An order in a file.",
                                    sizeof(struct bulk_order), order_more, ARRAY_SIZE(order_more));
        refund_shape_ = shape_extend(&refund_in_shape, "refund_line_of_file", "A refund in a file.",
                                     sizeof(struct bulk_refund), refund_more, ARRAY_SIZE(refund_more));
}

const struct shape *bulk_order_shape(void)
{
        return order_shape_;
}

const struct shape *bulk_refund_shape(void)
{
        return refund_shape_;
}

#define SHAPE_T struct bulk_order_page
SHAPE(bulk_order_page, "A position.", FIELD(customer_id), FIELD(since), FIELD(until), FIELD(after_at),
      FIELD(after_id), FIELD(after_parent), FIELD(limit));
#undef SHAPE_T

/* A line with its order, as an export reads them. */
struct order_export_row {
        struct order order;
        struct order_line line;
        const char *customer; /* the shop's number; NULL: none */
};
#define SHAPE_T struct order_export_row
SHAPE(order_export_row, "A line with its order.", NEST(order, order), NEST(line, order_line),
      FIELD(customer));
#undef SHAPE_T

#define OF_ORDER(name) "o." name " AS \"order." name "\", "
#define OF_LINE(name)  "l." name " AS \"line." name "\", "
/* Only what a line of a file has. How to join is the planner's choice: for everybody's it is worth reading
 * all tables from end to end, for one customer's not. */
#define EXPORTED                                                                                                                            \
        "SELECT " OF_ORDER("customer_id") OF_ORDER("id") OF_ORDER("external_id") OF_ORDER("status") OF_ORDER(                               \
                "channel") OF_ORDER("channel_detail") OF_ORDER("campaign") OF_ORDER("referrer_id")                                          \
                OF_ORDER("currency") OF_ORDER("coupon") OF_ORDER("shipping_minor") OF_ORDER(                                                \
                        "discount_minor") OF_ORDER("total_minor") OF_ORDER("refunded_minor")                                                \
                        OF_ORDER("points_earned") OF_ORDER("growth_earned") OF_ORDER(                                                       \
                                "points_reversed") OF_ORDER("growth_reversed") OF_ORDER("awarded")                                          \
                                OF_ORDER("placed_at") OF_ORDER("paid_at") OF_ORDER("shipped_at") OF_ORDER(                                  \
                                        "delivered_at") OF_ORDER("completed_at") OF_ORDER("cancelled_at")                                   \
                                        OF_ORDER("line_count") OF_LINE("line_no") OF_LINE("sku") OF_LINE(                                   \
                                                "name") OF_LINE("category") OF_LINE("brand")                                                \
                                                OF_LINE("quantity") OF_LINE("unit_price_minor") OF_LINE(                                    \
                                                        "discount_minor") OF_LINE("total_minor")                                            \
                                                        OF_LINE("cost_minor") "c.external_id AS customer FROM orders o JOIN order_lines l " \
                                                                              "ON l.customer_id = o.customer_id AND l.order_id = o.id "     \
                                                                              "LEFT JOIN customers c ON c.id = o.customer_id"
#define EXPORT_ORDER " ORDER BY o.placed_at, o.id"

SQL_EACH(orders_out, order_page, order_export_row, EXPORTED " WHERE " ORDER_ONLY EXPORT_ORDER)
SQL_EACH(orders_out_of, order_page, order_export_row,
         EXPORTED " WHERE " ORDER_ONLY " AND o.customer_id = :customer_id" EXPORT_ORDER)

static void line_of(const struct order *order, struct bulk_order *ret)
{
        *ret = (struct bulk_order){
                .in = {.award = order->awarded,
                       .external_id = order->external_id,
                       .status = order->status,
                       .channel = order->channel,
                       .channel_detail = order->channel_detail,
                       .campaign = order->campaign,
                       .currency = order->currency,
                       .customer = {.id = order->customer_id},
                       .placed_at = order->placed_at,
                       .paid_at = order->paid_at,
                       .shipped_at = order->shipped_at,
                       .delivered_at = order->delivered_at,
                       .completed_at = order->completed_at,
                       .cancelled_at = order->cancelled_at,
                       .shipping_minor = order->shipping_minor,
                       .discount_minor = order->discount_minor,
                       .coupon = order->coupon,
                       .total_minor = order->total_minor},
                .awarded = order->awarded,
                .id = order->id,
                .refunded_minor = order->refunded_minor,
                .points_earned = order->points_earned,
                .points_reversed = order->points_reversed,
                .growth_earned = order->growth_earned,
                .growth_reversed = order->growth_reversed,
        };
}

static struct order_line_in line_in_of(const struct order_line *line)
{
        return (struct order_line_in){
                .line_no = {.set = true, .v = line->line_no},
                .sku = line->sku,
                .name = line->name,
                .category = line->category,
                .brand = line->brand,
                .quantity = line->quantity,
                .unit_price_minor = line->unit_price_minor,
                .discount_minor = line->discount_minor,
                .total_minor = line->total_minor,
                .cost_minor = line->cost_minor,
        };
}

/* Orders whose memory is freed together. */
#define ORDERS_TOGETHER 500

/* An order whose lines are still coming. */
struct gathering {
        SQL_VISIT(visit);
        void *arg;
        struct arena *arena;
        struct bulk_order order; /* id nil: none has come */
        size_t count;            /* of all orders */
};

static const char *kept(struct arena *arena, const char *text)
{
        return text != NULL ? arena_strdup(arena, text) : NULL;
}

static void order_begin(struct gathering *g, const struct order_export_row *row)
{
        if (g->count++ % ORDERS_TOGETHER == 0) {
                arena_free(g->arena);
                g->arena = arena_new();
        }
        line_of(&row->order, &g->order);
        struct order_in *in = &g->order.in;
        in->external_id = kept(g->arena, in->external_id);
        in->channel_detail = kept(g->arena, in->channel_detail);
        in->campaign = kept(g->arena, in->campaign);
        in->referrer = uuid_written(g->arena, row->order.referrer_id);
        in->currency = kept(g->arena, in->currency);
        in->coupon = kept(g->arena, in->coupon);
        if (row->customer != NULL)
                in->customer = (struct customer_in){.external_id = kept(g->arena, row->customer)};
        in->lines.v = ARENA_ARRAY(g->arena, (size_t)row->order.line_count, struct order_line_in);
}

/* Lines come in any order, mostly their own. */
static void order_line_put(struct gathering *g, const struct order_line *line)
{
        struct order_in *in = &g->order.in;
        struct order_line_in *v = in->lines.v;
        size_t at = in->lines.n++;

        for (; at > 0 && v[at - 1].line_no.v > line->line_no; at--)
                v[at] = v[at - 1];
        v[at] = line_in_of(line);
        v[at].sku = kept(g->arena, v[at].sku);
        v[at].name = kept(g->arena, v[at].name);
        v[at].category = kept(g->arena, v[at].category);
        v[at].brand = kept(g->arena, v[at].brand);
}

static enum err row_gather(struct ctx *c, const void *arg_row, void *arg)
{
        const struct order_export_row *row = arg_row;
        struct gathering *g = arg;

        if (!uuid_equal(g->order.id, row->order.id)) {
                if (uuid_known(g->order.id))
                        TRY(g->visit(c, &g->order, g->arg));
                order_begin(g, row);
        }
        order_line_put(g, &row->line);
        return ERR_OK;
}

enum err bulk_orders(struct ctx *c, const struct order_page *page, SQL_VISIT(visit), void *arg)
{
        struct gathering g = {.visit = visit, .arg = arg};
        enum err err = uuid_known(page->customer_id) ? orders_out_of(c, page, row_gather, &g)
                                                     : orders_out(c, page, row_gather, &g);

        if (err == ERR_OK && uuid_known(g.order.id))
                err = visit(c, &g.order, arg);
        arena_free(g.arena);
        return err;
}

/* ------------------------------------------------------------------ refunds */

struct order_owner {
        struct uuid id, customer_id;
};
#define SHAPE_T struct order_owner
SHAPE(order_owner, "Whose order it is.", FIELD(id), FIELD(customer_id));
#undef SHAPE_T

SQL_MANY(order_owners, order_ids, order_owner, "SELECT id, customer_id FROM orders WHERE id = ANY(:ids)")

enum err bulk_refunds_meet(struct ctx *c, struct bulk_refund **refunds, size_t n)
{
        struct order_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct uuid *orders = ARENA_ARRAY(c->arena, n, struct uuid);
        struct idmap by_id = idmap_new(c->arena, n);
        struct list owners;

        for (size_t i = 0; i < n; i++) {
                struct ctx own = {.arena = c->arena};
                if (order_reference(&own, refunds[i]->order_reference, &orders[i]) == ERR_OK)
                        ids.ids.v[ids.ids.n++] = orders[i];
                problem_reset(&own);
        }
        TRY(order_owners(c, &ids, &owners));
        const struct order_owner *owner = owners.v;
        for (size_t i = 0; i < owners.n; i++)
                idmap_put(&by_id, owner[i].id, i);
        for (size_t i = 0; i < n; i++) {
                size_t at = uuid_known(orders[i]) ? idmap_get(&by_id, orders[i]) : SIZE_MAX;
                if (at != SIZE_MAX)
                        refunds[i]->customer_id = owner[at].customer_id;
        }
        return ERR_OK;
}

/* One line of a refund, with what its refund and order say. */
struct refund_export_row {
        struct uuid customer_id, order_id, id;
        const char *order_external_id, *external_id, *reason;
        int64_t shipping_minor;
        struct instant created_at;
};
#define SHAPE_T struct refund_export_row
SHAPE(refund_export_row, "A refund.", FIELD(customer_id), FIELD(order_id), FIELD(id),
      FIELD(order_external_id), FIELD(external_id), FIELD(reason), FIELD(shipping_minor), FIELD(created_at));
#undef SHAPE_T

#define REFUNDS                                                                                                 \
        "SELECT r.customer_id, r.order_id, r.id, o.external_id AS order_external_id, r.external_id, r.reason, " \
        "r.shipping_minor, r.created_at FROM refunds r JOIN orders o ON o.customer_id = r.customer_id AND "     \
        "o.id = r.order_id WHERE r.fingerprint IS NOT NULL AND o.status <> 'cancelled' AND "                    \
        "(:since::timestamptz IS NULL OR r.created_at >= :since) AND "                                          \
        "(:until::timestamptz IS NULL OR r.created_at < :until) AND "                                           \
        "(r.created_at, r.order_id, r.id) > (coalesce(:after_at, '-infinity'), "                                \
        "coalesce(:after_parent, '00000000-0000-0000-0000-000000000000'), "                                     \
        "coalesce(:after_id, '00000000-0000-0000-0000-000000000000'))"
#define REFUNDS_IN_ORDER " ORDER BY r.created_at, r.order_id, r.id LIMIT :limit"

SQL_LATER(bulk_refunds_load, bulk_order_page, refund_export_row, REFUNDS REFUNDS_IN_ORDER)
SQL_LATER(bulk_refunds_load_of, bulk_order_page, refund_export_row,
          REFUNDS " AND r.customer_id = :customer_id" REFUNDS_IN_ORDER)

static void refund_lines_give(struct ctx *c, const struct list *rows, struct bulk_refund *lines, size_t n)
{
        const struct refund_line_row *row = rows->v;
        struct idmap by_id = idmap_new(c->arena, n);
        size_t *counts = ARENA_ARRAY(c->arena, n, size_t);

        for (size_t i = 0; i < n; i++)
                idmap_put(&by_id, lines[i].id, i);
        for (size_t i = 0; i < rows->n; i++)
                if (idmap_get(&by_id, row[i].refund_id) != SIZE_MAX)
                        counts[idmap_get(&by_id, row[i].refund_id)]++;
        for (size_t i = 0; i < rows->n; i++) {
                size_t at = idmap_get(&by_id, row[i].refund_id);
                if (at == SIZE_MAX) /* another refund of the same order */
                        continue;
                struct refund_in *in = &lines[at].in;
                if (in->lines.v == NULL)
                        in->lines.v = ARENA_ARRAY(c->arena, counts[at], struct refund_line_in);
                in->lines.v[in->lines.n++] = (struct refund_line_in){row[i].line_no,
                                                                     {.set = true, .v = row[i].quantity},
                                                                     {.set = true, .v = row[i].amount_minor}};
        }
}

enum err bulk_refunds(struct ctx *c, struct bulk_order_page *page, struct list *ret)
{
        struct list rows = {0}, refund_lines = {0};

        TRY(uuid_known(page->customer_id) ? bulk_refunds_load_of(c, page, &rows)
                                          : bulk_refunds_load(c, page, &rows));
        TRY(db_flush(c));
        const struct refund_export_row *refunds = rows.v;
        struct bulk_refund *lines = ARENA_ARRAY(c->arena, rows.n, struct bulk_refund);
        struct order_probe probe = {.customers.v = ARENA_ARRAY(c->arena, rows.n, struct uuid),
                                    .orders.v = ARENA_ARRAY(c->arena, rows.n, struct uuid)};
        struct idmap orders = idmap_new(c->arena, rows.n);
        for (size_t i = 0; i < rows.n; i++) {
                lines[i] = (struct bulk_refund){
                        .in = {.external_id = refunds[i].external_id,
                               .reason = refunds[i].reason,
                               .shipping_minor = refunds[i].shipping_minor,
                               .refunded_at = refunds[i].created_at},
                        .order_reference = arena_printf(c->arena, "ext:%s", refunds[i].order_external_id),
                        .id = refunds[i].id,
                };
                if (idmap_get(&orders, refunds[i].order_id) != SIZE_MAX)
                        continue;
                idmap_put(&orders, refunds[i].order_id, i);
                probe.customers.v[probe.customers.n++] = refunds[i].customer_id;
                probe.orders.v[probe.orders.n++] = refunds[i].order_id;
        }
        if (rows.n > 0) {
                page->after_at = refunds[rows.n - 1].created_at;
                page->after_parent = refunds[rows.n - 1].order_id;
                page->after_id = refunds[rows.n - 1].id;
        }
        TRY(refund_lines_later(c, &probe, &refund_lines));
        TRY(db_flush(c));
        refund_lines_give(c, &refund_lines, lines, rows.n);
        *ret = (struct list){lines, rows.n};
        return ERR_OK;
}
