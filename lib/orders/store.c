#include "orders/store.h"

#include <sodium.h>

#include "activities/activities.h"
#include "base/shape_json.h"

#define SHAPE_T struct order_ids
SHAPE(order_ids, "Orders.", FIELD(ids));
#undef SHAPE_T
#define SHAPE_T struct order_probe
SHAPE(order_probe, "Orders with their customers.", FIELD(customers), FIELD(orders));
#undef SHAPE_T
#define SHAPE_T struct order_call_row
SHAPE(order_call_row, "A call.", FIELD(customer_id), FIELD(order_id), FIELD(call_no), FIELD(fingerprint),
      FIELD(outcome), FIELD(key_id), FIELD(request_id));
#undef SHAPE_T
#define SHAPE_T struct refund_row
SHAPE(refund_row, "A refund.", FIELD(customer_id), FIELD(order_id), FIELD(id), FIELD(external_id),
      FIELD(reason), FIELD(amount_minor), FIELD(shipping_minor), FIELD(points_reversed),
      FIELD(growth_reversed), FIELD(fingerprint), FIELD(outcome), FIELD(created_at));
#undef SHAPE_T
#define SHAPE_T struct refund_line_row
SHAPE(refund_line_row, "A refunded line.", FIELD(customer_id), FIELD(order_id), FIELD(refund_id),
      FIELD(line_no), FIELD(quantity), FIELD(amount_minor), FIELD(points), FIELD(growth));
#undef SHAPE_T

#define ORDER_VALUES                                                                                                                                                             \
        "unnest(:customer_id, :id, :external_id, :status, :channel, :channel_detail, :campaign, :referrer_id, :currency, :coupon, :points_hold, :goods_minor, :shipping_minor, " \
        ":discount_minor, :total_minor, :refunded_minor, :refunded_shipping_minor, :points_earned, :growth_earned, "                                                             \
        ":points_reversed, :growth_reversed, :awarded, :counted_on, :placed_at, :paid_at, :shipped_at, :delivered_at, "                                                          \
        ":completed_at, :cancelled_at, :line_count, :calls, :version, :created_at, :updated_at)"
#define LINE_COLUMNS                                                                                               \
        "customer_id, order_id, line_no, sku, name, category, brand, quantity, unit_price_minor, discount_minor, " \
        "total_minor, cost_minor, paid_minor, points, growth, refunded_quantity, refunded_minor"
#define LINE_VALUES                                                                                                \
        "unnest(:customer_id, :order_id, :line_no, :sku, :name, :category, :brand, :quantity, :unit_price_minor, " \
        ":discount_minor, :total_minor, :cost_minor, :paid_minor, :points, :growth, :refunded_quantity, :refunded_minor)"

SQL_LATER(orders_load, order_ids, order, "SELECT " ORDER_COLUMNS " FROM orders WHERE id = ANY(:ids)")

/* Pairs are looked up one by one in the key; OFFSET 0 keeps the planner from joining the whole table. */
#define OF_PAIRS(columns, table)                                                                             \
        "SELECT t.* FROM unnest(:customers, :orders) AS k(c, o), LATERAL (SELECT " columns " FROM " table    \
        " WHERE customer_id = k.c AND order_id = k.o OFFSET 0) AS t"

SQL_LATER(lines_load, order_probe, order_line,
          OF_PAIRS(LINE_COLUMNS, "order_lines") " ORDER BY order_id, line_no")
SQL_LATER(calls_load, order_probe, order_call_row,
          OF_PAIRS("customer_id, order_id, call_no, fingerprint, outcome", "order_calls"))
SQL_LATER(
        refunds_load, order_probe, refund_row,
        OF_PAIRS(
                "customer_id, order_id, id, external_id, reason, amount_minor, shipping_minor, points_reversed, "
                "growth_reversed, fingerprint, outcome, created_at",
                "refunds") " ORDER BY created_at, id")
SQL_LATER(refund_lines_load, order_probe, refund_line_row,
          OF_PAIRS("customer_id, order_id, refund_id, line_no, quantity, amount_minor, points, growth",
                   "refund_lines") " ORDER BY refund_id, line_no")

SQL_BATCH(orders_insert, order, "INSERT INTO orders (" ORDER_COLUMNS ") SELECT * FROM " ORDER_VALUES)
SQL_BATCH(
        orders_update, order,
        "INSERT INTO orders (" ORDER_COLUMNS ") SELECT * FROM " ORDER_VALUES
        " ON CONFLICT (customer_id, id) DO UPDATE SET "
        "status = excluded.status, channel = excluded.channel, channel_detail = excluded.channel_detail, campaign = excluded.campaign, "
        "referrer_id = excluded.referrer_id, coupon = excluded.coupon, points_hold = excluded.points_hold, goods_minor = excluded.goods_minor, "
        "shipping_minor = excluded.shipping_minor, discount_minor = excluded.discount_minor, "
        "total_minor = excluded.total_minor, refunded_minor = excluded.refunded_minor, "
        "refunded_shipping_minor = excluded.refunded_shipping_minor, points_earned = excluded.points_earned, "
        "growth_earned = excluded.growth_earned, points_reversed = excluded.points_reversed, "
        "growth_reversed = excluded.growth_reversed, awarded = excluded.awarded, counted_on = excluded.counted_on, "
        "placed_at = excluded.placed_at, paid_at = excluded.paid_at, shipped_at = excluded.shipped_at, "
        "delivered_at = excluded.delivered_at, completed_at = excluded.completed_at, cancelled_at = excluded.cancelled_at, "
        "line_count = excluded.line_count, calls = excluded.calls, version = excluded.version, "
        "updated_at = excluded.updated_at")
SQL_BATCH(lines_insert, order_line, "INSERT INTO order_lines (" LINE_COLUMNS ") SELECT * FROM " LINE_VALUES)
SQL_BATCH(
        lines_update, order_line,
        "INSERT INTO order_lines (" LINE_COLUMNS ") SELECT * FROM " LINE_VALUES
        " ON CONFLICT (customer_id, order_id, line_no) DO UPDATE SET paid_minor = excluded.paid_minor, "
        "points = excluded.points, growth = excluded.growth, refunded_quantity = excluded.refunded_quantity, "
        "refunded_minor = excluded.refunded_minor")
SQL_EXEC(lines_drop, order, "DELETE FROM order_lines WHERE customer_id = :customer_id AND order_id = :id")
SQL_BATCH(
        calls_insert, order_call_row,
        "INSERT INTO order_calls (customer_id, order_id, call_no, fingerprint, outcome, key_id, request_id, created_at) "
        "SELECT c, o, n, f, t, y, r, :now FROM unnest(:customer_id, :order_id, :call_no, :fingerprint, :outcome, :key_id, "
        ":request_id) AS k(c, o, n, f, t, y, r)")
SQL_EXEC(
        refund_insert, refund_row,
        "INSERT INTO refunds (customer_id, order_id, id, external_id, reason, amount_minor, shipping_minor, "
        "points_reversed, growth_reversed, fingerprint, outcome, created_at) VALUES (:customer_id, :order_id, :id, "
        ":external_id, :reason, :amount_minor, :shipping_minor, :points_reversed, :growth_reversed, :fingerprint, :outcome, "
        ":created_at)")
SQL_BATCH(
        refund_lines_insert, refund_line_row,
        "INSERT INTO refund_lines (customer_id, order_id, refund_id, line_no, quantity, amount_minor, points, growth) "
        "SELECT * FROM unnest(:customer_id, :order_id, :refund_id, :line_no, :quantity, :amount_minor, :points, :growth)")

#define SHAPE_T struct last_order
SHAPE(last_order, "A customer's latest order.", FIELD(customer_id), FIELD(last_order_at));
#undef SHAPE_T

SQL_LATER(last_orders_load, order_probe, last_order,
          "SELECT customer_id, max(paid_at) AS last_order_at FROM orders WHERE customer_id = ANY(:customers) "
          "AND id <> ALL(:orders) AND " ORDER_KEPT " GROUP BY customer_id")

enum err last_orders_later(struct ctx *c, const struct order_probe *probe, struct list *ret)
{
        return last_orders_load(c, probe, ret);
}

enum err orders_later(struct ctx *c, const struct uuids *ids, struct list *ret)
{
        return orders_load(c, &(struct order_ids){*ids}, ret);
}

enum err order_lines_later(struct ctx *c, const struct order_probe *probe, struct list *ret)
{
        return lines_load(c, probe, ret);
}

enum err order_calls_later(struct ctx *c, const struct order_probe *probe, struct list *ret)
{
        return calls_load(c, probe, ret);
}

enum err refunds_later(struct ctx *c, const struct order_probe *probe, struct list *ret)
{
        return refunds_load(c, probe, ret);
}

enum err refund_lines_later(struct ctx *c, const struct order_probe *probe, struct list *ret)
{
        return refund_lines_load(c, probe, ret);
}

/* The lines of some files, one after the other. */
struct gathered {
        struct order_line *v;
        size_t n;
};

static void gather(struct gathered *to, const struct file *file)
{
        if (file->line_count > 0)
                memcpy(to->v + to->n, file->lines, file->line_count * sizeof *file->lines);
        to->n += file->line_count;
}

enum err files_store(struct ctx *c, struct file *const *files, size_t n)
{
        size_t lines = 0, inserts = 0, updates = 0;

        for (size_t i = 0; i < n; i++)
                lines += files[i]->line_count;
        struct order *new_orders = ARENA_ARRAY(c->arena, n, struct order);
        struct order *old_orders = ARENA_ARRAY(c->arena, n, struct order);
        struct gathered new_lines = {ARENA_ARRAY(c->arena, lines, struct order_line), 0};
        struct gathered old_lines = {ARENA_ARRAY(c->arena, lines, struct order_line), 0};
        for (size_t i = 0; i < n; i++) {
                const struct file *file = files[i];
                if (file->is_new)
                        new_orders[inserts++] = file->order;
                else if (file->changed)
                        old_orders[updates++] = file->order;
                if (!file->is_new && file->lines_replaced)
                        TRY(lines_drop(c, &file->order));
                if (file->is_new || file->lines_replaced)
                        gather(&new_lines, file);
                else if (file->lines_changed)
                        gather(&old_lines, file);
        }
        TRY(orders_insert(c, new_orders, inserts));
        TRY(orders_update(c, old_orders, updates));
        TRY(lines_insert(c, new_lines.v, new_lines.n));
        return lines_update(c, old_lines.v, old_lines.n);
}

enum err files_tell_referrals(struct ctx *c, const struct program *program, struct file *const *files,
                              size_t n)
{
        if (!program->pays_referrals)
                return ERR_OK;
        struct order_turn *first = ARENA_ARRAY(c->arena, n, struct order_turn);
        struct order_turn *lost = ARENA_ARRAY(c->arena, n, struct order_turn);
        size_t first_count = 0, lost_count = 0;
        for (size_t i = 0; i < n; i++) {
                struct order_turn turn = {files[i]->order.customer_id, files[i]->order.id};
                if (files[i]->is_first && files[i]->order.awarded)
                        first[first_count++] = turn;
                if (files[i]->is_lost)
                        lost[lost_count++] = turn;
        }
        TRY(activities_first_orders(c, first, first_count));
        return activities_lost_orders(c, lost, lost_count);
}

enum err order_calls_store(struct ctx *c, const struct order_call_row *rows, size_t n)
{
        return calls_insert(c, rows, n);
}

enum err returns_store(struct ctx *c, const struct session *s, const struct refund_kept *kept)
{
        for (size_t i = 0; i < s->returns.n; i++) {
                const struct returned *back = &s->returns.v[i];
                const struct outcome_refund *refund = back->refund;
                struct refund_line_row *lines =
                        ARENA_ARRAY(c->arena, refund->lines.n, struct refund_line_row);
                struct refund_row row = {
                        .customer_id = back->customer_id,
                        .order_id = back->order_id,
                        .id = refund->id,
                        .external_id = refund->external_id,
                        .reason = refund->reason,
                        .amount_minor = refund->amount_minor,
                        .shipping_minor = refund->shipping_minor,
                        .points_reversed = back->points,
                        .growth_reversed = back->growth,
                        .created_at = back->at,
                };
                if (kept != NULL) {
                        row.fingerprint = kept->fingerprint;
                        row.outcome = kept->outcome;
                }
                for (size_t k = 0; k < refund->lines.n; k++) {
                        const struct refunded_line *line = &refund->lines.v[k];
                        lines[k] = (struct refund_line_row){
                                row.customer_id, row.order_id,       row.id,       line->line_no,
                                line->quantity,  line->amount_minor, line->points, line->growth};
                }
                TRY(refund_insert(c, &row));
                TRY(refund_lines_insert(c, lines, refund->lines.n));
        }
        return ERR_OK;
}

void file_lines_give(struct arena *arena, struct file *file, const struct list *rows)
{
        const struct order_line *lines = rows->v;
        size_t n = 0;

        for (size_t i = 0; i < rows->n; i++)
                n += uuid_equal(lines[i].order_id, file->order.id);
        file->lines = ARENA_ARRAY(arena, n, struct order_line);
        file->line_count = 0;
        for (size_t i = 0; i < rows->n; i++)
                if (uuid_equal(lines[i].order_id, file->order.id))
                        file->lines[file->line_count++] = lines[i];
}

struct bytes input_fingerprint(struct arena *arena, const struct shape *shape, const void *in)
{
        struct text canonical = {0};
        uint8_t *hash = arena_alloc(arena, crypto_generichash_BYTES_MIN);

        shape_encode_content(&canonical, shape, in);
        crypto_generichash(hash, crypto_generichash_BYTES_MIN, (const unsigned char *)canonical.data,
                           canonical.len, NULL, 0);
        text_free(&canonical);
        return (struct bytes){.v = hash, .n = crypto_generichash_BYTES_MIN};
}

bool fingerprints_equal(struct bytes a, struct bytes b)
{
        return a.n == b.n && memcmp(a.v, b.v, a.n) == 0;
}

const char *outcome_write(struct arena *arena, const struct outcome *outcome, size_t *ret_len)
{
        struct text json = {0};

        shape_encode(&json, &outcome_shape, outcome, /* masked= */ true);
        const char *copy = arena_strndup(arena, json.data, json.len);
        *ret_len = json.len;
        text_free(&json);
        return copy;
}
