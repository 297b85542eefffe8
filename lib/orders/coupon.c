/* The coupons that take something off an order: used in its own transaction, given back when it is cancelled,
 * and when all of it is refunded if their rule says so. Pure. */
#include <inttypes.h>

#include "orders/check.h"
#include "orders/desk.h"

struct coupon_book *session_coupons(struct session *s)
{
        s->coupons.arena = s->arena;
        s->coupons.events = &s->events;
        return &s->coupons;
}

/* ------------------------------------------------------------------ may it use them? */

static struct coupon_line *lines_of(struct arena *arena, const struct order_in *in)
{
        struct coupon_line *lines = ARENA_ARRAY(arena, in->lines.n, struct coupon_line);

        for (size_t i = 0; i < in->lines.n; i++) {
                const struct order_line_in *line = &in->lines.v[i];
                lines[i] = (struct coupon_line){
                        .goods = {.sku = line->sku,
                                  .name = line->name,
                                  .category = line->category,
                                  .brand = line->brand,
                                  .quantity = line->quantity,
                                  .unit_price_minor = line->unit_price_minor.set
                                                              ? line->unit_price_minor.v
                                                              : line->total_minor / line->quantity,
                                  .total_minor = line->total_minor},
                        .left_minor = line->total_minor};
        }
        return lines;
}

/* One coupon after those that the plan has already; its faults are noted. */
static enum err card_check(struct ctx *c, const struct desk *desk, const struct order_in *in,
                           const struct coupon_use *use, const char *code, struct coupon_card *card,
                           const struct coupon_plan *plan)
{
        const struct coupon_template *before[COUPONS_PER_ORDER_MAX];

        if (card == NULL) {
                fault_body(c, "#/coupon", "unknown_coupon", "there is no coupon %s", code);
                return ERR_OK;
        }
        const struct coupon *coupon = &card->coupon;
        if (uuid_known(coupon->customer_id) && !uuid_equal(coupon->customer_id, desk->customer->id)) {
                fault_body(c, "#/coupon", "other_customer", "the coupon %s belongs to somebody else", code);
                return ERR_OK;
        }
        if (coupon->state != COUPON_REDEEMED || !uuid_equal(coupon->order_id, use->order_id))
                TRY(coupon_usable(c, coupon, use));
        for (size_t i = 0; i < plan->n; i++)
                before[i] = plan->cards[i]->template;
        const char *why_not = coupon_why_not_beside(card->template,
                                                    &(struct coupon_beside){.points = in->points_hold != NULL,
                                                                            .before = before,
                                                                            .before_count = plan->n});
        if (why_not != NULL)
                fault_body(c, "#/coupon", "not_combinable", "%s: %s", code, why_not);
        return ERR_OK;
}

static void stated_check(struct ctx *c, const struct order_in *in, const struct coupon_names *names,
                         int64_t off)
{
        bool apart = in->coupon_discount_minor.set;
        int64_t stated = apart ? in->coupon_discount_minor.v : in->discount_minor;

        if (!apart && names->foreign > 0)
                fault_body(c, "#/coupon_discount_minor", "required",
                           "must say what the coupons of Patron take off, beside the shop's own");
        else if (stated != off)
                fault_body(c, apart ? "#/coupon_discount_minor" : "#/discount_minor", "wrong_discount",
                           "must be %" PRId64 ", what the coupons take off; the difference is %" PRId64, off,
                           stated - off);
}

enum err coupon_check(struct ctx *c, const struct session *s, const struct desk *desk,
                      const struct order_in *in, const struct moment *moment, struct coupon_plan *ret)
{
        struct coupon_names names = coupon_names_read(s->arena, in->coupon);
        struct coupon_plan plan = {.text = names.text};
        struct coupon_use use = {.customer_id = desk->customer->id,
                                 .session = in->coupon_session != NULL ? in->coupon_session : in->external_id,
                                 .order_id = uuid_of_external("order", in->external_id),
                                 .at = moment->at};
        int64_t off = 0;

        *ret = plan;
        if (names.n == 0 || in->backfill || in->status == ORDER_CANCELLED)
                return ERR_OK; /* history, or of no account: only recorded */
        struct coupon_line *lines = lines_of(s->arena, in);
        int64_t *shares = ARENA_ARRAY(s->arena, in->lines.n, int64_t);
        plan.shares = ARENA_ARRAY(s->arena, in->lines.n, int64_t);
        for (size_t i = 0; i < names.n; i++) {
                struct coupon_card *card = coupon_book_find(&s->coupons, names.codes[i]);
                const char *why_not = NULL;
                TRY(card_check(c, desk, in, &use, names.codes[i], card, &plan));
                TRY(problem_check(c));
                plan.cards[plan.n] = card;
                plan.offs[plan.n] = coupon_take_off(s->arena, &s->shop->zone, card->template, lines,
                                                    in->lines.n, shares, &why_not);
                if (why_not != NULL)
                        fault_body(c, "#/coupon", "not_applicable", "%s: %s", names.codes[i], why_not);
                off += plan.offs[plan.n++];
                for (size_t k = 0; k < in->lines.n; k++) {
                        plan.shares[k] += shares[k];
                        lines[k].left_minor -= shares[k];
                }
        }
        TRY(problem_check(c));
        stated_check(c, in, &names, off);
        TRY(problem_check(c));
        *ret = plan;
        return ERR_OK;
}

/* ------------------------------------------------------------------ changes */

/* The order's own coupons among those that its text names. */
static size_t cards_of(struct arena *arena, const struct coupon_book *book, const struct order *order,
                       struct coupon_card **ret)
{
        struct coupon_names names = coupon_names_read(arena, order->coupon);
        size_t n = 0;

        for (size_t i = 0; i < names.n; i++) {
                struct coupon_card *card = coupon_book_find(book, names.codes[i]);
                if (card != NULL && card->coupon.state == COUPON_REDEEMED &&
                    uuid_equal(card->coupon.order_id, order->id))
                        ret[n++] = card;
        }
        return n;
}

static struct coupon_use use_of(const struct order *order, const char *reference, const struct moment *moment)
{
        return (struct coupon_use){.customer_id = order->customer_id,
                                   .order_id = order->id,
                                   .reference = reference,
                                   .at = moment->at};
}

/* Which of the plan's coupons this card is; plan->n when it is none of them. */
static size_t plan_find(const struct coupon_plan *plan, const struct coupon_card *card)
{
        size_t at = 0;

        while (at < plan->n && plan->cards[at] != card)
                at++;
        return at;
}

void coupon_attach(struct session *s, struct file *file, const struct coupon_plan *plan,
                   const struct moment *moment)
{
        struct order *order = &file->order;
        struct coupon_use use = use_of(order, order->external_id, moment);
        struct coupon_card *had[COUPONS_PER_ORDER_MAX];
        size_t n = cards_of(s->arena, &s->coupons, order, had);

        for (size_t i = 0; i < n; i++) {
                size_t at = plan_find(plan, had[i]);
                if (at == plan->n || plan->offs[at] != had[i]->coupon.off_minor)
                        coupon_return(session_coupons(s), had[i], &use, /* min_days= */ 0);
        }
        for (size_t i = 0; i < plan->n; i++)
                if (plan->cards[i]->coupon.state != COUPON_REDEEMED)
                        coupon_redeem(session_coupons(s), plan->cards[i], &use, plan->offs[i]);
        for (size_t i = 0; plan->n > 0 && i < file->line_count; i++)
                file->lines[i].paid_minor -= plan->shares[i];
        order->coupon = plan->text;
}

static struct used_coupon used_of(struct arena *arena, const struct coupon_card *card)
{
        const struct coupon_template *template = card->template;
        const struct {
                bool with;
                const char *name;
        } others[] = {{template->with_tier_discount, "tier_discount"},
                      {template->with_full_reduction, "full_reduction"},
                      {template->with_points, "points"},
                      {template->with_coupons, "coupon"}};
        struct used_coupon used = {
                .code = card->coupon.code, .template = template->code, .off_minor = card->coupon.off_minor};

        used.not_with.v = ARENA_ARRAY(arena, ARRAY_SIZE(others), const char *);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (!others[i].with)
                        used.not_with.v[used.not_with.n++] = others[i].name;
        return used;
}

size_t coupons_used(struct arena *arena, const struct coupon_book *book, const struct order *order,
                    struct used_coupon **ret)
{
        struct coupon_card *cards[COUPONS_PER_ORDER_MAX];
        size_t n = cards_of(arena, book, order, cards);

        *ret = ARENA_ARRAY(arena, n, struct used_coupon);
        for (size_t i = 0; i < n; i++)
                (*ret)[i] = used_of(arena, cards[i]);
        return n;
}

void coupon_let_go(struct session *s, const struct file *file, const struct moment *moment)
{
        struct coupon_use use = use_of(&file->order, file->order.external_id, moment);
        struct coupon_card *cards[COUPONS_PER_ORDER_MAX];
        size_t n = cards_of(s->arena, &s->coupons, &file->order, cards);

        for (size_t i = 0; i < n; i++)
                coupon_return(session_coupons(s), cards[i], &use, /* min_days= */ 0);
}

/* Has all of the order come back: its money, or its pieces when it cost nothing? */
static bool all_is_back(const struct file *file)
{
        const struct order *order = &file->order;

        if (order->status == ORDER_CANCELLED)
                return true;
        if (order->total_minor > 0)
                return order->refunded_minor == order->total_minor;
        for (size_t i = 0; i < file->line_count; i++)
                if (file->lines[i].refunded_quantity < file->lines[i].quantity)
                        return false;
        return true;
}

void coupon_come_back(struct session *s, const struct file *file, const char *reference,
                      const struct moment *moment, struct outcome *outcome)
{
        struct coupon_use use = use_of(&file->order, reference, moment);
        struct coupon_card *cards[COUPONS_PER_ORDER_MAX];

        if (!all_is_back(file))
                return;
        size_t n = cards_of(s->arena, &s->coupons, &file->order, cards);
        for (size_t i = 0; i < n; i++)
                if (cards[i]->template->returns_on_refund)
                        coupon_return(session_coupons(s), cards[i], &use, cards[i]->template->returned_days);
        coupon_rules_undo(s, file, reference, moment, outcome);
}
