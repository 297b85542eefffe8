#include "program/program.h"

#include <string.h>

#include "expr/expr.h"

static const char *rule_pointer(struct ctx *c, size_t index, const char *field)
{
        return arena_printf(c->arena, "#/earning/%zu/%s", index, field);
}

static const char *tier_pointer(struct ctx *c, size_t index, const char *field)
{
        return arena_printf(c->arena, "#/tiers/%zu/%s", index, field);
}

/* ---- earning rules */

/* A field that belongs to one kind of rule: needed there (above 0), meaningless elsewhere (0). */
static void kind_field_check(struct ctx *c, size_t index, const char *name, int64_t value, bool its_kind)
{
        const char *pointer = rule_pointer(c, index, name);

        if (its_kind && value <= 0)
                fault_body(c, pointer, "required", "A rule of this kind needs %s above 0.", name);
        else if (!its_kind && value != 0)
                fault_body(c, pointer, "not_for_kind", "A rule of this kind has no %s.", name);
}

static void rule_code_check(struct ctx *c, const struct program *program, size_t index)
{
        const char *code = program->earning.v[index].code;
        const char *pointer = rule_pointer(c, index, "code");

        if (strcmp(code, BENEFIT_TIER_POINTS) == 0 || strcmp(code, BENEFIT_BIRTHDAY_MONTH) == 0)
                fault_body(c, pointer, "reserved", "Explanations use %s for the benefits of a tier.", code);
        if (strcmp(code, CAPS_OF_PROGRAM) == 0)
                fault_body(c, pointer, "reserved", "Explanations use %s for the caps of the programme.",
                           code);
        for (size_t i = 0; i < index; i++)
                if (strcmp(program->earning.v[i].code, code) == 0) {
                        fault_body(c, pointer, "duplicate", "Rule %zu has the code %s already.", i, code);
                        return;
                }
}

/* Compile a condition; its faults are noted and found by problem_check at the end. */
static void condition_compile(struct ctx *c, const char *pointer, const char *text,
                              const struct expr_names *names, const struct expr **ret)
{
        const struct expr *condition;

        if (text != NULL && expr_compile(c, pointer, text, names, &condition) == ERR_OK)
                *ret = condition;
}

static void rule_compile(struct ctx *c, struct program *program, size_t index, const struct expr_names *names)
{
        struct earning_rule *rule = &program->earning.v[index];

        rule_code_check(c, program, index);
        kind_field_check(c, index, "rate_millionths", rule->rate_millionths, rule->kind == RULE_BASE);
        kind_field_check(c, index, "factor_millionths", rule->factor_millionths, rule->kind == RULE_MULTIPLY);
        kind_field_check(c, index, "points", rule->points, rule->kind == RULE_ADD);
        if (date_known(rule->valid_from) && date_known(rule->valid_until) &&
            date_compare(rule->valid_from, rule->valid_until) > 0)
                fault_body(c, rule_pointer(c, index, "valid_until"), "too_small",
                           "The last day lies before the first.");
        rule->condition = NULL;
        condition_compile(c, rule_pointer(c, index, "when"), rule->when, names, &rule->condition);
}

/* ---- tiers */

static void tier_code_check(struct ctx *c, const struct program *program, size_t index)
{
        for (size_t i = 0; i < index; i++)
                if (strcmp(program->tiers.v[i].code, program->tiers.v[index].code) == 0) {
                        fault_body(c, tier_pointer(c, index, "code"), "duplicate",
                                   "Tier %zu has the code %s already.", i, program->tiers.v[i].code);
                        return;
                }
}

static void tier_rank_check(struct ctx *c, const struct tier *tier, size_t index)
{
        const struct requirements *qualify = &tier->qualify;
        const char *pointer = tier_pointer(c, index, "qualify");
        bool everyone = qualify->any_of.n + qualify->all_of.n == 0;

        if (tier->rank != (int64_t)index)
                fault_body(c, tier_pointer(c, index, "rank"), "out_of_order",
                           "Ranks count up from 0 in the order of the list; this one must be %zu.", index);
        if (index == 0 && !everyone)
                fault_body(c, pointer, "not_allowed",
                           "Everyone has the lowest tier; it can't have requirements.");
        if (index > 0 && everyone)
                fault_body(c, pointer, "required",
                           "Everyone would have this tier; say what it takes to reach it.");
}

static void benefits_check(struct ctx *c, const struct benefits *benefits, size_t index,
                           const struct expr_names *names)
{
        const struct expr *goods = NULL;

        for (size_t i = 0; i < benefits->full_reduction.n; i++) {
                const struct full_reduction *reduction = &benefits->full_reduction.v[i];
                if (reduction->off_minor > reduction->threshold_minor)
                        fault_body(c,
                                   arena_printf(c->arena, "#/tiers/%zu/benefits/full_reduction/%zu/off_minor",
                                                index, i),
                                   "too_large",
                                   "More would go off than the basket is worth; at most the threshold.");
        }
        const char *pointer = tier_pointer(c, index, "benefits/lifetime_repair_goods");
        if (benefits->lifetime_repair_goods != NULL && !benefits->lifetime_repair)
                fault_body(c, pointer, "not_allowed", "Goods are named, but lifetime_repair is false.");
        condition_compile(c, pointer, benefits->lifetime_repair_goods, names, &goods);
        if (goods != NULL && (expr_uses(goods, EXPR_SCOPE_ORDER) || expr_uses(goods, EXPR_SCOPE_CUSTOMER)))
                fault_body(c, pointer, "not_allowed", "Goods are told by fields of an order's line alone.");
}

/* ---- expiry */

/* A yearly date or two a month is a plan; more is a mistake. */
#define EXPIRY_DATES_MAX 24

static void expiry_dates_check(struct ctx *c, const struct expiry_settings *expiry)
{
        struct birthday day;

        if (expiry->form == EXPIRY_DATES && expiry->dates.n == 0)
                fault_body(c, "#/points/expiry/dates", "required", "With form = dates say which.");
        if (expiry->form != EXPIRY_DATES && expiry->dates.n > 0)
                fault_body(c, "#/points/expiry/dates", "not_allowed", "Dates count only with form = dates.");
        if (expiry->dates.n > EXPIRY_DATES_MAX)
                fault_body(c, "#/points/expiry/dates", "too_many", "At most %d dates a year.",
                           EXPIRY_DATES_MAX);
        for (size_t i = 0; i < expiry->dates.n; i++)
                if (!birthday_parse(expiry->dates.v[i], &day) || day.year != 0)
                        fault_body(c, arena_printf(c->arena, "#/points/expiry/dates/%zu", i), "wrong_format",
                                   "must be a day of the year, as MM-DD");
}

static void expiry_check(struct ctx *c, const struct expiry_settings *expiry)
{
        bool counts_months = expiry->form == EXPIRY_MONTHS || expiry->form == EXPIRY_INACTIVITY;

        if (counts_months && expiry->months == 0)
                fault_body(c, "#/points/expiry/months", "required", "With this form say how many.");
        if (expiry->form == EXPIRY_NEVER && expiry->months != 0)
                fault_body(c, "#/points/expiry/months", "not_allowed", "What never lapses counts no months.");
        if (!counts_months && expiry->round_to != ROUND_NOT)
                fault_body(c, "#/points/expiry/round_to", "not_allowed",
                           "Only months and inactivity are rounded.");
        if (expiry->form == EXPIRY_NEVER && expiry->warn_days != 0)
                fault_body(c, "#/points/expiry/warn_days", "not_allowed",
                           "What never lapses needs no warning.");
        expiry_dates_check(c, expiry);
}

/* ---- activities */

static const char *activity_pointer(struct ctx *c, size_t index, const char *field)
{
        return arena_printf(c->arena, "#/activities/%zu/%s", index, field);
}

static bool same_activity(const struct activity_rule *a, const struct activity_rule *b)
{
        return a->type == b->type && (a->code == NULL || b->code == NULL || strcmp(a->code, b->code) == 0);
}

static void activity_check(struct ctx *c, const struct program *program, size_t index)
{
        const struct activity_rule *rule = &program->activities.v[index];

        if ((rule->type == ACTIVITY_CUSTOM) != (rule->code != NULL))
                fault_body(c, activity_pointer(c, index, "code"),
                           rule->code == NULL ? "required" : "not_allowed",
                           "A custom activity has a code, no other has.");
        if (rule->points == 0 && rule->growth == 0)
                fault_body(c, activity_pointer(c, index, "points"), "required",
                           "It must bring points, growth or both.");
        if (rule->take_back && rule->type != ACTIVITY_REFERRAL)
                fault_body(c, activity_pointer(c, index, "take_back"), "not_allowed",
                           "Only a referral is paid for an order.");
        for (size_t i = 0; i < index; i++)
                if (same_activity(&program->activities.v[i], rule)) {
                        fault_body(c, activity_pointer(c, index, "type"), "duplicate",
                                   "Activity %zu is the same already.", i);
                        return;
                }
}

/* ---- coupons */

static const char *coupon_pointer(struct ctx *c, size_t index, const char *field)
{
        return arena_printf(c->arena, "#/coupons/%zu/%s", index, field);
}

static void coupon_code_check(struct ctx *c, const struct program *program, size_t index)
{
        const char *code = program->coupons.v[index].code;

        for (size_t i = 0; i < index; i++)
                if (strcmp(program->coupons.v[i].code, code) == 0) {
                        fault_body(c, coupon_pointer(c, index, "code"), "duplicate",
                                   "Rule %zu has the code %s already.", i, code);
                        return;
                }
}

static void coupon_rule_compile(struct ctx *c, struct program *program, size_t index,
                                const struct expr_names *names)
{
        struct coupon_rule *rule = &program->coupons.v[index];

        coupon_code_check(c, program, index);
        if (rule->tier != NULL && rule->on != COUPON_ON_TIER)
                fault_body(c, coupon_pointer(c, index, "tier"), "not_allowed",
                           "A tier counts only with on = tier_reached.");
        else if (rule->tier != NULL && program_tier(program, rule->tier) <= 0)
                fault_body(c, coupon_pointer(c, index, "tier"), "unknown_value",
                           "No tier that can be reached has the code %s.", rule->tier);
        if (date_known(rule->valid_from) && date_known(rule->valid_until) &&
            date_compare(rule->valid_from, rule->valid_until) > 0)
                fault_body(c, coupon_pointer(c, index, "valid_until"), "too_small",
                           "The last day lies before the first.");
        rule->condition = NULL;
        condition_compile(c, coupon_pointer(c, index, "when"), rule->when, names, &rule->condition);
}

/* ---- birthdays */

static const char *birthday_pointer(struct ctx *c, size_t index, const char *field)
{
        return arena_printf(c->arena, "#/birthdays/%zu/%s", index, field);
}

static void birthday_rule_compile(struct ctx *c, struct program *program, size_t index,
                                  const struct expr_names *names)
{
        struct birthday_rule *rule = &program->birthdays.v[index];
        const char *when = birthday_pointer(c, index, "when");

        for (size_t i = 0; i < index; i++)
                if (strcmp(program->birthdays.v[i].code, rule->code) == 0)
                        fault_body(c, birthday_pointer(c, index, "code"), "duplicate",
                                   "Rule %zu has the code %s already.", i, rule->code);
        if (rule->points == 0 && rule->template == NULL)
                fault_body(c, birthday_pointer(c, index, "points"), "required",
                           "It must bring points, a coupon or both.");
        if (date_known(rule->valid_from) && date_known(rule->valid_until) &&
            date_compare(rule->valid_from, rule->valid_until) > 0)
                fault_body(c, birthday_pointer(c, index, "valid_until"), "too_small",
                           "The last day lies before the first.");
        rule->condition = NULL;
        condition_compile(c, when, rule->when, names, &rule->condition);
        if (rule->condition != NULL &&
            (expr_uses(rule->condition, EXPR_SCOPE_ORDER) || expr_uses(rule->condition, EXPR_SCOPE_LINE)))
                fault_body(c, when, "expression_scope", "may speak of the customer only, as tier >= gold");
}

/* ---- the whole */

static void points_settings_check(struct ctx *c, const struct points_settings *points)
{
        if (points->pending == PENDING_DAYS && points->pending_days == 0)
                fault_body(c, "#/points/pending_days", "required", "With pending = days say how many.");
        if (points->pending != PENDING_DAYS && points->pending_days != 0)
                fault_body(c, "#/points/pending_days", "not_allowed", "Days count only with pending = days.");
}

static bool counts_days(const struct program *program)
{
        bool counts = cap_limits_by_day(&program->points.caps);

        for (size_t i = 0; i < program->earning.n; i++)
                counts = counts || cap_limits_by_day(&program->earning.v[i].caps);
        return counts;
}

static bool asks_tags(const struct program *program)
{
        bool asks = false;

        for (size_t i = 0; i < program->earning.n; i++)
                asks |= expr_asks(program->earning.v[i].condition, FACT_TAGS);
        for (size_t i = 0; i < program->coupons.n; i++)
                asks |= expr_asks(program->coupons.v[i].condition, FACT_TAGS);
        return asks;
}

static enum err compile(struct ctx *c, struct program *program, const struct names *segments)
{
        const char **codes = ARENA_ARRAY(c->arena, program->tiers.n, const char *);
        struct expr_names names = {.tiers = codes, .tier_count = program->tiers.n, .segments = segments};

        points_settings_check(c, &program->points);
        expiry_check(c, &program->points.expiry);
        if (program->lifecycle.lost_months < program->lifecycle.at_risk_months)
                fault_body(c, "#/lifecycle/lost_months", "too_small", "Nobody is lost before he is at risk.");
        for (size_t i = 0; i < program->tiers.n; i++) {
                codes[i] = program->tiers.v[i].code;
                tier_code_check(c, program, i);
                tier_rank_check(c, &program->tiers.v[i], i);
        }
        for (size_t i = 0; i < program->tiers.n; i++)
                benefits_check(c, &program->tiers.v[i].benefits, i, &names);
        for (size_t i = 0; i < program->earning.n; i++)
                rule_compile(c, program, i, &names);
        program->counts_days = counts_days(program);
        program->pays_referrals = false;
        for (size_t i = 0; i < program->activities.n; i++) {
                activity_check(c, program, i);
                program->pays_referrals |= program->activities.v[i].type == ACTIVITY_REFERRAL;
        }
        program->withdraws_coupons = false;
        for (size_t i = 0; i < program->coupons.n; i++) {
                coupon_rule_compile(c, program, i, &names);
                program->withdraws_coupons |= program->coupons.v[i].withdrawn_on_refund;
        }
        for (size_t i = 0; i < program->birthdays.n; i++)
                birthday_rule_compile(c, program, i, &names);
        program->asks_tags = asks_tags(program);
        return problem_check(c);
}

enum err program_compile(struct ctx *c, struct program *program)
{
        return compile(c, program, &lifecycle_names);
}

enum err program_compile_stored(struct ctx *c, struct program *program)
{
        return compile(c, program, /* segments= */ NULL);
}

int program_tier(const struct program *program, const char *code)
{
        for (size_t i = 0; i < program->tiers.n; i++)
                if (strcmp(program->tiers.v[i].code, code) == 0)
                        return (int)i;
        return -1;
}

static int64_t requirements_window(const struct requirements *requirements)
{
        int64_t longest = 0;

        for (size_t i = 0; i < requirements->any_of.n; i++)
                if (requirements->any_of.v[i].window_months.v > longest)
                        longest = requirements->any_of.v[i].window_months.v;
        for (size_t i = 0; i < requirements->all_of.n; i++)
                if (requirements->all_of.v[i].window_months.v > longest)
                        longest = requirements->all_of.v[i].window_months.v;
        return longest;
}

int program_window_months(const struct program *program)
{
        int64_t longest = 0;

        for (size_t i = 0; i < program->tiers.n; i++) {
                int64_t qualify = requirements_window(&program->tiers.v[i].qualify);
                int64_t keep = requirements_window(&program->tiers.v[i].keep);
                longest = qualify > longest ? qualify : longest;
                longest = keep > longest ? keep : longest;
        }
        return (int)longest;
}
