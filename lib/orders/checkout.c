#include "orders/checkout.h"

#include <inttypes.h>

#include "coupons/coupons.h"
#include "customers/tags.h"
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
      FIELD(now, .in = IN_QUERY,
            .doc = "What if it were then: points that become active or lapse until then, coupons, tiers."),
      FIELD(customer, .max = 300, .doc = "UUID or ext:<external id>; null: somebody unknown."),
      FIELD(tier, .min = 1, .max = 50, .doc = "What if the customer had this tier; null: his own."),
      FIELD(channel, .names = &channel_names, .dflt = "direct"),
      FIELD(channel_detail, .max = SOURCE_DETAIL_MAX), FIELD(campaign, .max = SOURCE_CAMPAIGN_MAX),
      FIELD(referrer, .min = 1, .max = 300, .doc = "Who refers the customer: UUID or ext:<external id>."),
      LIST(lines, checkout_line, .need = true, .min = 1, .max = ORDER_LINES_MAX),
      FIELD(shipping_minor, MONEY, .dflt = "0"),
      FIELD(coupons, .min = 1, .max = 60,
            .doc = "Codes, taken in this order; at most 5. One that can't be used says why."),
      FIELD(coupon_session, .min = 1, .max = 200, .doc = "Under which they are locked."),
      FIELD(points, .min = 1, .max = POINTS_MAX, .doc = "To be spent at most; null: none."));
#undef SHAPE_T

#define SHAPE_T struct checkout_priced
SHAPE(checkout_priced, "A line, priced.", FIELD(sku, .need = true), FIELD(quantity), FIELD(goods_minor),
      FIELD(discount_minor), FIELD(tier_discount_minor), FIELD(full_reduction_minor), FIELD(coupon_minor),
      FIELD(points_minor), FIELD(total_minor));
#undef SHAPE_T

#define SHAPE_T struct checkout_order_line
SHAPE(checkout_order_line, "A line as an order states it.", FIELD(line_no), FIELD(sku, .need = true),
      FIELD(name), FIELD(category), FIELD(brand), FIELD(quantity), FIELD(unit_price_minor),
      FIELD(discount_minor, .doc = "Its own, the tier's and its share of the full reduction."),
      FIELD(total_minor));
#undef SHAPE_T

#define SHAPE_T struct checkout_order
SHAPE(checkout_order, "The basket as an order states it: sent so, it is accepted.",
      LIST(lines, checkout_order_line), FIELD(shipping_minor),
      FIELD(discount_minor, .doc = "What coupons and points take off."), FIELD(coupon),
      FIELD(coupon_discount_minor), FIELD(total_minor));
#undef SHAPE_T

SHAPE_DECLARE(outcome_points);
SHAPE_DECLARE(outcome_growth);
SHAPE_DECLARE(outcome_tier);

#define SHAPE_T struct checkout
SHAPE(checkout, "What the basket costs and would bring.", FIELD(goods_minor, .doc = "Before any discount."),
      LIST(steps, quote_step, .doc = "In order; each says what it takes off, or why it does not."),
      LIST(lines, checkout_priced), FIELD(shipping_minor),
      FIELD(total_minor, .doc = "To be paid, shipping included."),
      FIELD(points_spent, .doc = "Points that the price takes: hold so many."),
      NEST(order, checkout_order, .doc = "The same for POST /v1/orders."),
      NEST(points, outcome_points, .doc = "As if it were paid now."), NEST(growth, outcome_growth),
      NEST(tier, outcome_tier));
#undef SHAPE_T

static void basket_check(struct ctx *c, const struct checkout_in *in)
{
        int64_t sum = 0, full;

        if (in->coupons.n > COUPONS_PER_ORDER_MAX)
                fault_body(c, "#/coupons", "too_many", "must be at most %d", COUPONS_PER_ORDER_MAX);
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
static enum err desk_read(struct ctx *c, struct session *s, const struct checkout_in *in, struct instant at,
                          struct customer *customer, struct desk *ret)
{
        struct list accounts = {0}, caps = {0}, tags = {0};
        struct stand_rows stands = {0};

        *customer = (struct customer){.created_at = c->now};
        ret->customer = customer;
        if (in->customer != NULL) {
                TRY(customer_get(c, in->customer, customer));
                struct uuids id = {&customer->id, 1};
                TRY(points_accounts_later(c, &id, &accounts));
                TRY(stands_later(c, &id, /* from= */ (struct date){0}, &stands));
                if (s->program->counts_days)
                        TRY(points_caps_later(c, &id, zone_date(&c->shop->zone, c->now), &caps));
                if (s->program->asks_tags)
                        TRY(tags_later(c, &id, at, &tags));
                TRY(db_flush(c));
        }
        ret->caps = points_caps_of(c->arena, &caps, customer->id);
        ret->tags = tags_of(c->arena, &tags, customer->id);
        ret->book.account.customer_id = customer->id;
        if (accounts.n == 1)
                ret->book.account = *(const struct points_account *)accounts.v;
        ret->stand = stand_of(c->arena, s->program, &stands, customer->id, customer->created_at);
        /* points and tier as they will be at that moment */
        TRY(points_catch_up(c, (struct book *[]){&ret->book}, 1, &s->journal, at));
        return stands_catch_up(c, s->program, at, (struct stand *[]){&ret->stand}, 1, /* events= */ NULL);
}

/* As if the customer had another tier. */
static enum err tier_assume(struct ctx *c, const struct program *program, const char *code,
                            struct stand *stand)
{
        if (code == NULL)
                return ERR_OK;
        int rank = program_tier(program, code);
        if (rank < 0) {
                fault_body(c, "#/tier", "unknown_value", "the programme has no tier %s", code);
                return problem_check(c);
        }
        stand->rank = (size_t)rank;
        stand->pin_rank = SIZE_MAX;
        stand->standing.tier = program->tiers.v[rank].code;
        return ERR_OK;
}

/* ------------------------------------------------------------------ coupons */

/* Why somebody can't use a coupon now, whatever the basket. */
static const char *why_not_at_all(const struct coupon_card *card, const struct coupon_use *use)
{
        const char *state;

        if (card == NULL)
                return "There is no coupon with this code.";
        if (uuid_known(card->coupon.customer_id) && !uuid_equal(card->coupon.customer_id, use->customer_id))
                return "The coupon belongs to somebody else.";
        return coupon_why_not_usable(&card->coupon, use, &state);
}

static enum err coupons_find(struct ctx *c, const struct checkout_in *in, const struct coupon_use *use,
                             struct quote_input *quote)
{
        struct coupon_book book = {.arena = c->arena};
        struct quote_coupon *coupons = ARENA_ARRAY(c->arena, in->coupons.n, struct quote_coupon);
        struct texts codes = {.v = ARENA_ARRAY(c->arena, in->coupons.n, const char *)};
        char code[COUPON_CODE_SIZE];

        for (size_t i = 0; i < in->coupons.n; i++) {
                bool right = coupon_code_read(in->coupons.v[i], code) == COUPON_CODE_OK;
                coupons[i].code = right ? arena_strdup(c->arena, code) : in->coupons.v[i];
                if (!right)
                        coupons[i].why_not = "The code is mistyped: a character is wrong or missing.";
                for (size_t k = 0; k < i && right; k++)
                        if (strcmp(coupons[k].code, coupons[i].code) == 0)
                                coupons[i].why_not = "The coupon is named before.";
                if (coupons[i].why_not == NULL)
                        codes.v[codes.n++] = coupons[i].code;
        }
        if (codes.n > 0)
                TRY(coupons_read(c, &codes, &book));
        for (size_t i = 0; i < in->coupons.n; i++) {
                const struct coupon_card *card = coupon_book_find(&book, coupons[i].code);
                if (coupons[i].why_not == NULL)
                        coupons[i].why_not = why_not_at_all(card, use);
                coupons[i].template = card != NULL ? card->template : NULL;
        }
        quote->coupons = coupons;
        quote->coupon_count = in->coupons.n;
        return ERR_OK;
}

/* ------------------------------------------------------------------ the price */

static struct quote_line *quote_lines(struct ctx *c, const struct checkout_in *in)
{
        struct quote_line *lines = ARENA_ARRAY(c->arena, in->lines.n, struct quote_line);

        for (size_t i = 0; i < in->lines.n; i++) {
                const struct checkout_line *line = &in->lines.v[i];
                lines[i] = (struct quote_line){
                        line->quantity, line->unit_price_minor, line->discount_minor, line->sku,
                        line->name,     line->category,         line->brand};
        }
        return lines;
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
                        line->coupon_minor,   line->points_minor,        line->total_minor};
        }
}

/* The codes of the coupons that were taken, as an order names them. */
static const char *coupons_taken(struct ctx *c, const struct quoted *quoted)
{
        const char *text = NULL;

        for (size_t i = 0; i < quoted->steps.n; i++) {
                const struct quote_step *step = &quoted->steps.v[i];
                if (step->code == NULL || step->why_not != NULL)
                        continue;
                text = text != NULL ? arena_printf(c->arena, "%s,%s", text, step->code) : step->code;
        }
        return text;
}

/* The basket as an order states it. */
static void order_state(struct ctx *c, const struct checkout_in *in, const struct quoted *quoted,
                        struct checkout_order *ret)
{
        *ret = (struct checkout_order){.shipping_minor = in->shipping_minor,
                                       .discount_minor = quoted->coupon_minor + quoted->points_minor,
                                       .coupon = coupons_taken(c, quoted),
                                       .total_minor = quoted->total_minor + in->shipping_minor};
        ret->coupon_discount_minor = (struct opt_int){ret->coupon != NULL, quoted->coupon_minor};
        ret->lines.v = ARENA_ARRAY(c->arena, in->lines.n, struct checkout_order_line);
        ret->lines.n = in->lines.n;
        for (size_t i = 0; i < in->lines.n; i++) {
                const struct checkout_line *line = &in->lines.v[i];
                const struct quoted_line *priced = &quoted->lines.v[i];
                int64_t total = priced->total_minor + priced->coupon_minor + priced->points_minor;
                ret->lines.v[i] = (struct checkout_order_line){(int64_t)i + 1,
                                                               line->sku,
                                                               line->name,
                                                               line->category,
                                                               line->brand,
                                                               line->quantity,
                                                               line->unit_price_minor,
                                                               priced->goods_minor - total,
                                                               total};
        }
}

/* The order that the basket would be. */
static void file_fill(struct ctx *c, const struct checkout_in *in, struct uuid referrer_id,
                      const struct checkout *priced, const struct moment *moment, struct file *ret)
{
        const struct checkout_order *stated = &priced->order;

        ret->lines = ARENA_ARRAY(c->arena, in->lines.n, struct order_line);
        ret->line_count = in->lines.n;
        ret->order = (struct order){.external_id = "quote",
                                    .status = ORDER_PAID,
                                    .channel = in->channel,
                                    .channel_detail = in->channel_detail,
                                    .campaign = in->campaign,
                                    .referrer_id = referrer_id,
                                    .coupon = stated->coupon,
                                    .awarded = true,
                                    .shipping_minor = in->shipping_minor,
                                    .discount_minor = stated->discount_minor,
                                    .total_minor = stated->total_minor,
                                    .placed_at = moment->at,
                                    .paid_at = moment->at};
        for (size_t i = 0; i < in->lines.n; i++) {
                const struct checkout_order_line *line = &stated->lines.v[i];
                ret->order.goods_minor += line->total_minor;
                ret->lines[i] = (struct order_line){
                        .line_no = line->line_no,
                        .sku = line->sku,
                        .name = line->name,
                        .category = line->category,
                        .brand = line->brand,
                        .quantity = line->quantity,
                        .unit_price_minor = {true, line->unit_price_minor},
                        .discount_minor = line->discount_minor,
                        .total_minor = line->total_minor,
                        .paid_minor = line->total_minor - priced->lines.v[i].coupon_minor,
                };
        }
}

/* What it would bring, were it paid now. */
static void bring(struct ctx *c, const struct checkout_in *in, struct uuid referrer_id, struct session *s,
                  struct desk *desk, const struct moment *moment, struct checkout *priced)
{
        struct file file = {0};
        struct outcome outcome;

        file_fill(c, in, referrer_id, priced, moment, &file);
        desk_before(s, desk, moment, &outcome);
        settle_count(s, desk, &file, moment, &outcome);
        desk_after(s, desk, &file, moment, &outcome);
        priced->points = outcome.points;
        priced->growth = outcome.growth;
        priced->tier = outcome.tier;
}

enum err checkout_quote(struct ctx *c, const struct checkout_in *in, struct checkout *ret)
{
        PROGRAM(program);
        struct session session = {
                .arena = c->arena, .program = program, .shop = c->shop, .journal = journal_of(c, program)};
        struct instant at = instant_known(in->now) ? in->now : c->now;
        struct moment moment = moment_of(c->shop, at);
        struct customer customer;
        struct uuid referrer_id = {0};
        struct desk desk = {0};
        struct checkout priced = {.shipping_minor = in->shipping_minor};

        basket_check(c, in);
        TRY(problem_check(c));
        TRY(desk_read(c, &session, in, at, &customer, &desk));
        if (in->referrer != NULL)
                TRY(customer_referrer(c, "#/referrer", in->referrer, customer.id, &referrer_id));
        TRY(tier_assume(c, program, in->tier, &desk.stand));
        struct quote_input input = {.benefits = &program->tiers.v[stand_rank(&desk.stand, at)].benefits,
                                    .lines = quote_lines(c, in),
                                    .line_count = in->lines.n,
                                    .zone = &c->shop->zone,
                                    .spending = &program->points.spending,
                                    .value_minor_per_100 = program->points.value_minor_per_100,
                                    .points = in->points.set ? in->points.v : 0,
                                    .points_active = desk.book.account.active};
        struct coupon_use use = {.customer_id = customer.id, .session = in->coupon_session, .at = at};
        TRY(coupons_find(c, in, &use, &input));
        struct quoted quoted = quote_decide(c->arena, &input);
        priced.goods_minor = quoted.goods_minor;
        priced.total_minor = quoted.total_minor + in->shipping_minor;
        priced.points_spent = quoted.points;
        priced.steps.v = quoted.steps.v;
        priced.steps.n = quoted.steps.n;
        priced_lines(c, in, &quoted, &priced);
        order_state(c, in, &quoted, &priced.order);
        bring(c, in, referrer_id, &session, &desk, &moment, &priced);
        shape_copy(c->arena, &checkout_shape, &priced, ret); /* the programme may go */
        return ERR_OK;
}
