#include "orders/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "coupons/code.h"
#include "points/book.h"

/* A clock ahead of ours by more than this is a mistake. */
#define CLOCK_SKEW_US (24 * 3600 * INSTANT_SECOND)

int64_t order_line_no(const struct order_in *in, size_t index)
{
        return in->lines.v[index].line_no.set ? in->lines.v[index].line_no.v : (int64_t)index + 1;
}

int64_t order_goods_minor(const struct order_in *in)
{
        int64_t sum = 0;

        for (size_t i = 0; i < in->lines.n; i++)
                sum += in->lines.v[i].total_minor; /* 1000 lines of at most 10^12: far below 2^63 */
        return sum;
}

static const char *line_pointer(struct ctx *c, size_t index, const char *field)
{
        return arena_printf(c->arena, "#/lines/%zu/%s", index, field);
}

static void line_check(struct ctx *c, const struct order_in *in, size_t index)
{
        const struct order_line_in *line = &in->lines.v[index];
        int64_t full, expected;

        for (size_t i = 0; i < index; i++)
                if (order_line_no(in, i) == order_line_no(in, index)) {
                        fault_body(c, line_pointer(c, index, "line_no"), "duplicate",
                                   "line %zu has the number %" PRId64 " already", i,
                                   order_line_no(in, index));
                        break;
                }
        if (!line->unit_price_minor.set)
                return;
        if (__builtin_mul_overflow(line->quantity, line->unit_price_minor.v, &full) ||
            full > ORDER_MINOR_MAX) {
                fault_body(c, line_pointer(c, index, "unit_price_minor"), "too_large",
                           "quantity x unit_price_minor must be at most %" PRId64, ORDER_MINOR_MAX);
                return;
        }
        expected = full - line->discount_minor;
        if (expected < 0)
                fault_body(c, line_pointer(c, index, "discount_minor"), "too_large",
                           "must be at most %" PRId64, full);
        else if (expected != line->total_minor)
                fault_body(c, line_pointer(c, index, "total_minor"), "wrong_total",
                           "must be %" PRId64
                           " (quantity x unit_price_minor - discount_minor); the difference is %" PRId64,
                           expected, line->total_minor - expected);
}

static void total_check(struct ctx *c, const struct order_in *in)
{
        int64_t goods = order_goods_minor(in);
        int64_t expected = goods + in->shipping_minor - in->discount_minor;

        if (goods > ORDER_MINOR_MAX)
                fault_body(c, "#/lines", "too_large", "must be worth at most %" PRId64 " together",
                           ORDER_MINOR_MAX);
        else if (in->discount_minor > goods)
                fault_body(c, "#/discount_minor", "too_large", "must be at most the lines' sum, %" PRId64,
                           goods);
        else if (in->total_minor != expected)
                fault_body(c, "#/total_minor", "wrong_total",
                           "must be %" PRId64
                           " (lines + shipping_minor - discount_minor); the difference is %" PRId64,
                           expected, in->total_minor - expected);
}

static void coupons_check(struct ctx *c, const struct order_in *in)
{
        struct coupon_names names = coupon_names_read(c->arena, in->coupon);

        if (names.mistyped > 0 && !in->backfill)
                fault_body(c, "#/coupon", "mistyped", "a code is mistyped: its check character does not fit");
        if (names.too_many)
                fault_body(c, "#/coupon", "too_many", "must be at most %d coupons", COUPONS_PER_ORDER_MAX);
        if (!in->coupon_discount_minor.set)
                return;
        if (in->coupon == NULL)
                fault_body(c, "#/coupon_discount_minor", "not_allowed", "there is no coupon");
        else if (in->coupon_discount_minor.v > in->discount_minor)
                fault_body(c, "#/coupon_discount_minor", "too_large",
                           "must be at most discount_minor, %" PRId64, in->discount_minor);
}

static void times_check(struct ctx *c, const struct order_in *in)
{
        const struct {
                const char *pointer;
                struct instant at;
        } times[] = {{"#/placed_at", in->placed_at},       {"#/paid_at", in->paid_at},
                     {"#/shipped_at", in->shipped_at},     {"#/delivered_at", in->delivered_at},
                     {"#/completed_at", in->completed_at}, {"#/cancelled_at", in->cancelled_at}};
        size_t last = 0; /* the latest known step before this one */

        for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
                if (!instant_known(times[i].at))
                        continue;
                if (times[i].at.us > c->now.us + CLOCK_SKEW_US)
                        fault_body(c, times[i].pointer, "in_future", "lies more than a day ahead");
                else if (instant_known(times[last].at) && times[i].at.us < times[last].at.us)
                        fault_body(c, times[i].pointer, "too_early", "must not be before %s",
                                   times[last].pointer + 2);
                last = i;
        }
}

void order_check(struct ctx *c, const struct order_in *in)
{
        for (size_t i = 0; i < in->lines.n; i++)
                line_check(c, in, i);
        total_check(c, in);
        coupons_check(c, in);
        times_check(c, in);
        if (in->currency != NULL && strcmp(in->currency, c->shop->currency) != 0)
                fault_body(c, "#/currency", "unknown_value", "must be %s, the currency of this shop",
                           c->shop->currency);
}

/* ------------------------------------------------------------------ differences */

struct difference {
        struct text *out;
        size_t count;
};

static void differ(struct difference *d, const char *pointer, const char *known, const char *sent)
{
        text_puts(d->out, d->count++ == 0 ? ",\"differences\":[{" : ",{");
        text_puts(d->out, "\"pointer\":");
        text_put_json(d->out, pointer);
        text_puts(d->out, ",\"known\":");
        text_put_json(d->out, known);
        text_puts(d->out, ",\"sent\":");
        text_put_json(d->out, sent);
        text_putc(d->out, '}');
}

static void differ_int(struct difference *d, const char *pointer, int64_t known, int64_t sent)
{
        char a[24], b[24];

        if (known == sent)
                return;
        snprintf(a, sizeof a, "%" PRId64, known);
        snprintf(b, sizeof b, "%" PRId64, sent);
        differ(d, pointer, a, b);
}

static void differ_opt(struct difference *d, const char *pointer, struct opt_int known, struct opt_int sent)
{
        if (known.set && sent.set)
                differ_int(d, pointer, known.v, sent.v);
}

static void differ_text(struct difference *d, const char *pointer, const char *known, const char *sent)
{
        known = known != NULL ? known : "";
        sent = sent != NULL ? sent : "";
        if (strcmp(known, sent) != 0)
                differ(d, pointer, known, sent);
}

/* What describes the goods, or the way that led to them: a call may leave it out. */
static void differ_described(struct difference *d, const char *pointer, const char *known, const char *sent)
{
        if (known != NULL && sent != NULL)
                differ_text(d, pointer, known, sent);
}

static void differ_instant(struct difference *d, const char *pointer, struct instant known,
                           struct instant sent)
{
        char a[INSTANT_TEXT_SIZE], b[INSTANT_TEXT_SIZE];

        if (!instant_known(sent) || known.us == sent.us)
                return;
        instant_format(known, a);
        instant_format(sent, b);
        differ(d, pointer, a, b);
}

static void differ_line(struct ctx *c, struct difference *d, const struct order_line *line,
                        const struct order_in *in, size_t index)
{
        const struct order_line_in *sent = &in->lines.v[index];

        differ_text(d, line_pointer(c, index, "sku"), line->sku, sent->sku);
        differ_int(d, line_pointer(c, index, "quantity"), line->quantity, sent->quantity);
        differ_int(d, line_pointer(c, index, "total_minor"), line->total_minor, sent->total_minor);
        differ_int(d, line_pointer(c, index, "discount_minor"), line->discount_minor, sent->discount_minor);
        differ_opt(d, line_pointer(c, index, "unit_price_minor"), line->unit_price_minor,
                   sent->unit_price_minor);
        differ_described(d, line_pointer(c, index, "name"), line->name, sent->name);
        differ_described(d, line_pointer(c, index, "category"), line->category, sent->category);
        differ_described(d, line_pointer(c, index, "brand"), line->brand, sent->brand);
        differ_opt(d, line_pointer(c, index, "cost_minor"), line->cost_minor, sent->cost_minor);
}

static const struct order_line *line_find(const struct order_line *lines, size_t n, int64_t line_no)
{
        for (size_t i = 0; i < n; i++)
                if (lines[i].line_no == line_no)
                        return &lines[i];
        return NULL;
}

/* A hold that came with a merge keeps its reference, but not the id that the reference would have here. */
static void differ_hold(struct difference *d, const struct order *order, const struct hold *hold,
                        const char *sent)
{
        struct uuid id = {0};
        char known[UUID_TEXT_SIZE] = "";

        bool understood = sent == NULL || hold_reference(order->customer_id, sent, &id);
        if (understood && uuid_equal(id, order->points_hold))
                return;
        if (hold != NULL && sent != NULL && hold_is_named(hold, sent))
                return;
        if (uuid_known(order->points_hold))
                uuid_to_text(order->points_hold, known);
        differ(d, "#/points_hold", known, sent != NULL ? sent : "");
}

static void differ_referrer(struct difference *d, const struct order *order, const struct order_in *in,
                            struct uuid referrer_id)
{
        char known[UUID_TEXT_SIZE];

        if (!uuid_known(order->referrer_id) || !uuid_known(referrer_id) ||
            uuid_equal(order->referrer_id, referrer_id))
                return;
        uuid_to_text(order->referrer_id, known);
        differ(d, "#/referrer", known, in->referrer);
}

static size_t differences_tell(struct ctx *c, struct difference *d)
{
        if (d->count > 0) {
                text_putc(d->out, ']');
                text_append(&c->problem.extra, d->out->data, d->out->len);
        }
        text_free(d->out);
        return d->count;
}

bool order_referrer_differs(struct ctx *c, const struct order *order, const struct order_in *in,
                            struct uuid referrer_id)
{
        struct text out = {0};
        struct difference d = {.out = &out};

        differ_referrer(&d, order, in, referrer_id);
        return differences_tell(c, &d) > 0;
}

size_t order_differences(struct ctx *c, const struct order *order, const struct hold *hold,
                         const struct order_line *lines, size_t line_count, const struct order_in *in,
                         struct uuid referrer_id)
{
        struct text out = {0};
        struct difference d = {.out = &out};

        differ_int(&d, "#/total_minor", order->total_minor, in->total_minor);
        differ_int(&d, "#/shipping_minor", order->shipping_minor, in->shipping_minor);
        differ_int(&d, "#/discount_minor", order->discount_minor, in->discount_minor);
        differ_text(&d, "#/coupon", order->coupon, coupon_names_read(c->arena, in->coupon).text);
        differ_described(&d, "#/channel_detail", order->channel_detail, in->channel_detail);
        differ_described(&d, "#/campaign", order->campaign, in->campaign);
        differ_referrer(&d, order, in, referrer_id);
        differ_hold(&d, order, hold, in->points_hold);
        differ_instant(&d, "#/placed_at", order->placed_at, in->placed_at);
        if (instant_known(order->paid_at))
                differ_instant(&d, "#/paid_at", order->paid_at, in->paid_at);
        differ_int(&d, "#/lines", (int64_t)line_count, (int64_t)in->lines.n);
        for (size_t i = 0; i < in->lines.n && line_count == in->lines.n; i++) {
                const struct order_line *line = line_find(lines, line_count, order_line_no(in, i));
                if (line == NULL)
                        differ(&d, line_pointer(c, i, "line_no"), "", "unknown");
                else
                        differ_line(c, &d, line, in, i);
        }
        return differences_tell(c, &d);
}
