/* The statements that the files of lib/orders share; nobody else includes this. */
#pragma once

#include "db/statement.h"
#include "orders/desk.h"

#define ORDER_COLUMNS                                                                                                                                                        \
        "customer_id, id, external_id, status, channel, channel_detail, campaign, referrer_id, currency, coupon, points_hold, goods_minor, shipping_minor, discount_minor, " \
        "total_minor, refunded_minor, refunded_shipping_minor, points_earned, growth_earned, points_reversed, "                                                              \
        "growth_reversed, awarded, counted_on, placed_at, paid_at, shipped_at, delivered_at, completed_at, cancelled_at, "                                                   \
        "line_count, calls, version, created_at, updated_at"

/* What lists and exports of orders are limited to, of `orders o` by a struct order_page. */
#define ORDER_ONLY                                                                                            \
        "(:status::text IS NULL OR o.status = :status) AND (:channel::text IS NULL OR o.channel = :channel) " \
        "AND (:campaign::text IS NULL OR o.campaign = :campaign) "                                            \
        "AND (:referrer_id::uuid IS NULL OR o.referrer_id = :referrer_id) "                                   \
        "AND (:since::timestamptz IS NULL OR o.placed_at >= :since) AND (:until::timestamptz IS NULL OR "     \
        "o.placed_at < :until) AND (:total_min::bigint IS NULL OR o.total_minor >= :total_min) "              \
        "AND (:total_max::bigint IS NULL OR o.total_minor <= :total_max)"

/* The id that a reference ("ext:A-1001" or a UUID) stands for, whether there is such an order or not.
 * ERR_NOT_FOUND: it is no reference. */
enum err order_reference(struct ctx *c, const char *reference, struct uuid *ret) MUST_CHECK;

/* The order behind a reference ("ext:A-1001" or a UUID), not locked. ERR_NOT_FOUND. */
enum err order_find(struct ctx *c, const char *reference, struct order *ret) MUST_CHECK;

struct order_ids {
        struct uuids ids;
};
SHAPE_DECLARE(order_ids);

/* An order, and which of its calls is meant. */
struct order_probe {
        struct uuids customers, orders;
};
SHAPE_DECLARE(order_probe);

struct order_call_row {
        struct uuid customer_id, order_id;
        int64_t call_no;
        struct bytes fingerprint;
        const char *outcome;
        const char *key_id, *request_id; /* who made it; only written */
};
SHAPE_DECLARE(order_call_row);

struct refund_row {
        struct uuid customer_id, order_id, id;
        const char *external_id, *reason;
        int64_t amount_minor, shipping_minor, points_reversed, growth_reversed;
        struct bytes fingerprint;
        const char *outcome;
        struct instant created_at;
};
SHAPE_DECLARE(refund_row);

struct refund_line_row {
        struct uuid customer_id, order_id, refund_id;
        int64_t line_no, quantity, amount_minor, points, growth;
};
SHAPE_DECLARE(refund_line_row);

/* Queue reads; *ret is filled by the next round trip. Orders by id; the others of known orders, in pairs. */
enum err orders_later(struct ctx *c, const struct uuids *ids, struct list *ret) MUST_CHECK;
enum err order_lines_later(struct ctx *c, const struct order_probe *probe, struct list *ret) MUST_CHECK;
enum err order_calls_later(struct ctx *c, const struct order_probe *probe, struct list *ret) MUST_CHECK;
enum err refunds_later(struct ctx *c, const struct order_probe *probe, struct list *ret) MUST_CHECK;
enum err refund_lines_later(struct ctx *c, const struct order_probe *probe, struct list *ret) MUST_CHECK;

/* Queue: when these customers' latest orders that are kept, but for these ones, were paid. */
struct last_order {
        struct uuid customer_id;
        struct instant last_order_at;
};
enum err last_orders_later(struct ctx *c, const struct order_probe *probe, struct list *ret) MUST_CHECK;

/* Queue the writes of files, calls and refunds. */
enum err files_store(struct ctx *c, struct file *const *files, size_t n) MUST_CHECK;
enum err order_calls_store(struct ctx *c, const struct order_call_row *rows, size_t n) MUST_CHECK;
/* The returns of a session; an answer (NULL: a cancellation, which is answered by its order's call) is kept
 * with them. */
struct refund_kept {
        struct bytes fingerprint;
        const char *outcome;
};
enum err returns_store(struct ctx *c, const struct session *s, const struct refund_kept *kept) MUST_CHECK;

/* Queue what referrals are told of these orders, where the programme pays any. */
enum err files_tell_referrals(struct ctx *c, const struct program *program, struct file *const *files,
                              size_t n) MUST_CHECK;

/* Give a file the lines among rows that are its order's. */
void file_lines_give(struct arena *arena, struct file *file, const struct list *rows);

/* BLAKE2b of an input in its canonical form: the same call has the same fingerprint, however its JSON was
 * written. */
struct bytes input_fingerprint(struct arena *arena, const struct shape *shape, const void *in);
bool fingerprints_equal(struct bytes a, struct bytes b);

/* The outcome as JSON in the arena. */
const char *outcome_write(struct arena *arena, const struct outcome *outcome, size_t *ret_len);
