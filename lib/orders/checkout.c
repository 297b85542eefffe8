#include "orders/checkout.h"

#include <inttypes.h>

#include "db/db.h"
#include "orders/desk.h"
#include "points/points.h"
#include "program/programs.h"
#include "tiers/tiers.h"

#define MONEY        .from_zero = true, .max = ORDER_MINOR_MAX
#define QUANTITY_MAX 10000000

#define SHAPE_T struct checkout_line
SHAPE(checkout_line, "A line of the basket.", FIELD(sku, .need = true, .min = 1, .max = 100),
      FIELD(name, .max = 500), FIELD(category, .max = 200), FIELD(brand, .max = 200),
      FIELD(quantity, .min = 1, .max = QUANTITY_MAX, .dflt = "1"),
      FIELD(unit_price_minor, .need = true, MONEY),
      FIELD(discount_minor, MONEY, .dflt = "0", .doc = "Off the whole line."));
#undef SHAPE_T

#define SHAPE_T struct checkout_in
SHAPE(checkout_in, "A basket and who holds it.",
      FIELD(customer, .max = 300, .doc = "UUID or ext:<external id>; null: somebody unknown."),
      FIELD(channel, .names = &channel_names, .dflt = "direct"),
      LIST(lines, checkout_line, .need = true, .min = 1, .max = ORDER_LINES_MAX),
      FIELD(shipping_minor, MONEY, .dflt = "0"));
#undef SHAPE_T

#define SHAPE_T struct checkout_priced
SHAPE(checkout_priced, "A line, priced.", FIELD(sku, .need = true), FIELD(quantity), FIELD(goods_minor),
      FIELD(discount_minor), FIELD(tier_discount_minor), FIELD(full_reduction_minor), FIELD(total_minor));
#undef SHAPE_T

SHAPE_DECLARE(outcome_points);
SHAPE_DECLARE(outcome_growth);
SHAPE_DECLARE(outcome_tier);

#define SHAPE_T struct checkout
SHAPE(checkout, "What the basket costs and would bring.", FIELD(goods_minor, .doc = "Before any discount."),
      LIST(steps, quote_step, .doc = "In order; each says what it takes off, or why it does not."),
      LIST(lines, checkout_priced), FIELD(shipping_minor),
      FIELD(total_minor, .doc = "To be paid, shipping included."),
      NEST(points, outcome_points, .doc = "As if it were paid now."), NEST(growth, outcome_growth),
      NEST(tier, outcome_tier));
#undef SHAPE_T

static void basket_check(struct ctx *c, const struct checkout_in *in)
{
        int64_t sum = 0, full;

        for (size_t i = 0; i < in->lines.n; i++) {
                const struct checkout_line *line = &in->lines.v[i];
                if (__builtin_mul_overflow(line->quantity, line->unit_price_minor, &full) ||
                    full > QUOTE_MINOR_MAX - sum) {
                        fault_body(c, arena_printf(c->arena, "#/lines/%zu/unit_price_minor", i), "too_large",
                                   "the basket must be worth at most %" PRId64, QUOTE_MINOR_MAX);
                        return;
                }
                sum += full;
                if (line->discount_minor > full)
                        fault_body(c, arena_printf(c->arena, "#/lines/%zu/discount_minor", i), "too_large",
                                   "must be at most %" PRId64, full);
        }
}

/* Who asks: the customer's desk, or an empty one. Read without a lock. */
static enum err desk_read(struct ctx *c, const struct session *s, const char *reference,
                          struct customer *customer, struct desk *ret)
{
        struct list accounts = {0}, lots = {0}, caps = {0};
        struct stand_rows stands = {0};

        *customer = (struct customer){.created_at = c->now};
        ret->customer = customer;
        if (reference != NULL) {
                TRY(customer_get(c, reference, customer));
                struct uuids id = {&customer->id, 1};
                TRY(points_accounts_later(c, &id, &accounts));
                TRY(stands_later(c, &id, /* from= */ (struct date){0}, &stands));
                if (s->program->counts_days)
                        TRY(points_caps_later(c, &id, zone_date(&c->shop->zone, c->now), &caps));
                TRY(db_flush(c));
        }
        ret->caps = points_caps_of(c->arena, &caps, customer->id);
        ret->book.account.customer_id = customer->id;
        if (accounts.n == 1)
                ret->book.account = *(const struct points_account *)accounts.v;
        if (book_earn_needs_lots(&ret->book, &s->journal, c->now)) {
                TRY(points_lots_later(c, &(struct uuids){&customer->id, 1}, &lots));
                TRY(db_flush(c));
                points_lots_give(c->arena, &ret->book, &lots);
        }
        ret->stand = stand_of(c->arena, s->program, &stands, customer->id, customer->created_at);
        return ERR_OK;
}

static struct quoted price(struct ctx *c, const struct benefits *benefits, const struct checkout_in *in)
{
        struct quote_line *lines = ARENA_ARRAY(c->arena, in->lines.n, struct quote_line);

        for (size_t i = 0; i < in->lines.n; i++)
                lines[i] = (struct quote_line){in->lines.v[i].quantity, in->lines.v[i].unit_price_minor,
                                               in->lines.v[i].discount_minor};
        return quote_decide(c->arena, benefits, lines, in->lines.n);
}

static void priced_lines(struct ctx *c, const struct checkout_in *in, const struct quoted *quoted,
                         struct checkout *ret)
{
        ret->lines.v = ARENA_ARRAY(c->arena, in->lines.n, struct checkout_priced);
        ret->lines.n = in->lines.n;
        for (size_t i = 0; i < in->lines.n; i++) {
                const struct quoted_line *line = &quoted->lines.v[i];
                ret->lines.v[i] = (struct checkout_priced){
                        in->lines.v[i].sku,   in->lines.v[i].quantity,   line->goods_minor,
                        line->discount_minor, line->tier_discount_minor, line->full_reduction_minor,
                        line->total_minor};
        }
}

/* The order that the basket would be. */
static void file_fill(struct ctx *c, const struct checkout_in *in, const struct checkout *priced,
                      struct file *ret)
{
        ret->lines = ARENA_ARRAY(c->arena, in->lines.n, struct order_line);
        ret->line_count = in->lines.n;
        ret->order = (struct order){.external_id = "quote",
                                    .status = ORDER_PAID,
                                    .channel = in->channel,
                                    .awarded = true,
                                    .goods_minor = priced->total_minor - in->shipping_minor,
                                    .shipping_minor = in->shipping_minor,
                                    .total_minor = priced->total_minor,
                                    .placed_at = c->now,
                                    .paid_at = c->now};
        for (size_t i = 0; i < in->lines.n; i++) {
                const struct checkout_line *line = &in->lines.v[i];
                ret->lines[i] = (struct order_line){
                        .line_no = (int64_t)i + 1,
                        .sku = line->sku,
                        .name = line->name,
                        .category = line->category,
                        .brand = line->brand,
                        .quantity = line->quantity,
                        .unit_price_minor = {true, line->unit_price_minor},
                        .total_minor = priced->lines.v[i].total_minor,
                };
        }
}

enum err checkout_quote(struct ctx *c, const struct checkout_in *in, struct checkout *ret)
{
        PROGRAM(program);
        struct session session = {
                .arena = c->arena, .program = program, .shop = c->shop, .journal = journal_of(c, program)};
        struct moment moment = moment_of(c->shop, c->now);
        struct customer customer;
        struct desk desk = {0};
        struct file file = {0};
        struct outcome outcome;
        struct checkout priced = {.shipping_minor = in->shipping_minor};

        basket_check(c, in);
        TRY(problem_check(c));
        TRY(desk_read(c, &session, in->customer, &customer, &desk));
        struct quoted quoted = price(c, &program->tiers.v[stand_rank(&desk.stand, c->now)].benefits, in);
        priced.goods_minor = quoted.goods_minor;
        priced.total_minor = quoted.total_minor + in->shipping_minor;
        priced.steps.v = quoted.steps.v;
        priced.steps.n = quoted.steps.n;
        priced_lines(c, in, &quoted, &priced);
        file_fill(c, in, &priced, &file);
        desk_before(&session, &desk, &moment, &outcome);
        settle_count(&session, &desk, &file, &moment, &outcome);
        desk_after(&session, &desk, &file, &moment, &outcome);
        priced.points = outcome.points;
        priced.growth = outcome.growth;
        priced.tier = outcome.tier;
        shape_copy(c->arena, &checkout_shape, &priced, ret); /* the programme may go */
        return ERR_OK;
}
