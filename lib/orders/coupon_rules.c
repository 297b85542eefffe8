/* Coupons that the programme gives for an order: issued when it counts, withdrawn when nothing is left of it.
 * Pure. */
#include "orders/desk.h"

static bool rule_runs(const struct coupon_rule *rule, struct date today)
{
        return (!date_known(rule->valid_from) || date_compare(rule->valid_from, today) <= 0) &&
               (!date_known(rule->valid_until) || date_compare(today, rule->valid_until) <= 0);
}

/* Is this what the rule waits for? */
static bool rule_occasion(const struct program *program, const struct coupon_rule *rule, int before,
                          int after)
{
        if (rule->on == COUPON_ON_ORDER)
                return true;
        int rank = rule->tier != NULL ? program_tier(program, rule->tier) : after;
        return before < rank && rank <= after;
}

/* A condition on lines holds when it holds for one of them. */
static bool rule_holds(const struct coupon_rule *rule, const struct file *file, struct expr_facts *facts)
{
        if (rule->condition == NULL)
                return true;
        if (!expr_uses(rule->condition, EXPR_SCOPE_LINE))
                return expr_true(rule->condition, facts);
        for (size_t i = 0; i < file->line_count; i++) {
                const struct order_line *line = &file->lines[i];
                int64_t price = line->unit_price_minor.set ? line->unit_price_minor.v
                                                           : line->total_minor / line->quantity;
                expr_set_line(facts, &(struct expr_line){line->sku, line->name, line->category, line->brand,
                                                         line->quantity, price, line->total_minor});
                if (expr_true(rule->condition, facts))
                        return true;
        }
        return false;
}

static struct outcome_coupon rule_follow(struct session *s, const struct desk *desk, const struct file *file,
                                         const struct coupon_rule *rule, const struct moment *moment)
{
        struct outcome_coupon told = {.rule = rule->code, .template = rule->template};
        struct coupon_card *card = NULL;
        char id[UUID_TEXT_SIZE];

        uuid_to_text(file->order.id, id);
        const struct coupon_wish wish = {.template = rule->template,
                                         .key = arena_printf(s->arena, "%s/%s", rule->code, id),
                                         .customer_id = desk->customer->id,
                                         .origin_id = file->order.id,
                                         .source = COUPON_SOURCE_ORDER,
                                         .at = moment->at};
        told.status = coupon_offer_take(&s->offers, session_coupons(s), s->shop, &wish, &card);
        if (card != NULL) {
                told.code = card->coupon.code;
                told.valid_from = card->coupon.valid_from;
                told.expires_at = card->coupon.expires_at;
        }
        return told;
}

void coupon_rules_count(struct session *s, struct desk *desk, const struct file *file,
                        const struct moment *moment, struct outcome *outcome)
{
        const struct program *program = s->program;
        int before = program_tier(program, outcome->tier.before);
        int after = (int)stand_rank(&desk->stand, moment->at);
        struct expr_facts *facts;

        if (program->coupons.n == 0 || !file->order.awarded)
                return;
        facts = ARENA_NEW(s->arena, struct expr_facts);
        facts->zone = &s->shop->zone;
        file_facts(file, moment, facts);
        desk_facts(s, desk, moment, facts);
        outcome->coupons.v = ARENA_ARRAY(s->arena, program->coupons.n, struct outcome_coupon);
        for (size_t i = 0; i < program->coupons.n; i++) {
                const struct coupon_rule *rule = &program->coupons.v[i];
                if (rule_runs(rule, moment->today) && rule_occasion(program, rule, before, after) &&
                    rule_holds(rule, file, facts))
                        outcome->coupons.v[outcome->coupons.n++] = rule_follow(s, desk, file, rule, moment);
        }
}

/* ------------------------------------------------------------------ nothing is left of the order */

/* The rule that issued a coupon, if it is still there: its code begins the issue's key. */
static const struct coupon_rule *rule_of(const struct program *program, const struct coupon *coupon)
{
        for (size_t i = 0; i < program->coupons.n; i++) {
                const struct coupon_rule *rule = &program->coupons.v[i];
                size_t len = strlen(rule->code);
                if (strncmp(coupon->issue_key, rule->code, len) == 0 && coupon->issue_key[len] == '/')
                        return rule;
        }
        return NULL;
}

void coupon_rules_undo(struct session *s, const struct file *file, const char *reference,
                       const struct moment *moment, struct outcome *outcome)
{
        struct coupon_book *book = session_coupons(s);
        struct coupon_use use = {.customer_id = file->order.customer_id,
                                 .order_id = file->order.id,
                                 .reference = reference,
                                 .at = moment->at};

        if (!s->program->withdraws_coupons)
                return;
        outcome->coupons.v = ARENA_ARRAY(s->arena, book->cards.n, struct outcome_coupon);
        for (size_t i = 0; i < book->cards.n; i++) {
                struct coupon_card *card = &book->cards.v[i];
                const struct coupon *coupon = &card->coupon;
                enum coupon_state state = coupon_state_at(coupon, moment->at);
                if (coupon->source != COUPON_SOURCE_ORDER || !uuid_equal(coupon->origin_id, file->order.id) ||
                    (state != COUPON_AVAILABLE && state != COUPON_LOCKED))
                        continue;
                const struct coupon_rule *rule = rule_of(s->program, coupon);
                if (rule == NULL || !rule->withdrawn_on_refund)
                        continue;
                coupon_revoke(book, card, &use);
                outcome->coupons.v[outcome->coupons.n++] =
                        (struct outcome_coupon){.rule = rule->code,
                                                .template = coupon->template,
                                                .status = COUPON_WITHDRAWN,
                                                .code = coupon->code,
                                                .valid_from = coupon->valid_from,
                                                .expires_at = coupon->expires_at};
        }
}
