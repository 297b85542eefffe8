#include "coupons/template.h"

#include <assert.h>
#include <inttypes.h>

#include "points/share.h"

#define PERMILLE 1000

/* ------------------------------------------------------------------ what a shop writes */

/* A field that belongs to one kind: needed there (above 0), meaningless elsewhere (0). */
static void kind_field_check(struct ctx *c, const char *pointer, int64_t value, bool its_kind)
{
        if (its_kind && value <= 0)
                fault_body(c, pointer, "required", "a template of this kind needs it, above 0");
        else if (!its_kind && value != 0)
                fault_body(c, pointer, "not_for_kind", "a template of this kind has none");
}

enum err coupon_template_compile(struct ctx *c, struct coupon_template *template)
{
        static const struct expr_names names = {0};

        kind_field_check(c, "#/off_minor", template->off_minor, template->kind == COUPON_AMOUNT);
        kind_field_check(c, "#/off_permille", template->off_permille, template->kind == COUPON_PERCENT);
        if (template->max_off_minor.set && template->kind != COUPON_PERCENT)
                fault_body(c, "#/max_off_minor", "not_for_kind", "only a percentage has a maximum");
        if (date_known(template->valid_from) && date_known(template->valid_until) &&
            date_compare(template->valid_from, template->valid_until) > 0)
                fault_body(c, "#/valid_until", "too_small", "the last day lies before the first");
        if (template->returned_days != 0 && !template->returns_on_refund)
                fault_body(c, "#/returned_days", "not_allowed", "the coupon does not come back");
        template->condition = NULL;
        if (template->goods != NULL &&
            expr_compile(c, "#/goods", template->goods, &names, &template->condition) == ERR_OK &&
            (expr_uses(template->condition, EXPR_SCOPE_ORDER) ||
             expr_uses(template->condition, EXPR_SCOPE_CUSTOMER)))
                fault_body(c, "#/goods", "expression_scope",
                           "may speak of the line only, as category = 'bags'");
        return problem_check(c);
}

void coupon_template_validity(const struct coupon_template *template, const struct zone *zone,
                              struct instant at, struct instant *ret_from, struct instant *ret_expires_at)
{
        struct instant end = {0};

        *ret_from = at;
        if (date_known(template->valid_from)) {
                struct instant first = zone_midnight(zone, template->valid_from);
                if (first.us > at.us)
                        *ret_from = first;
        }
        if (date_known(template->valid_until))
                end = zone_midnight(zone, date_add_days(template->valid_until, 1));
        if (template->valid_days.set) {
                struct date last = date_add_days(zone_date(zone, *ret_from), template->valid_days.v);
                struct instant days_end = zone_midnight(zone, date_add_days(last, 1));
                if (!instant_known(end) || days_end.us < end.us)
                        end = days_end;
        }
        *ret_expires_at = end;
}

/* ------------------------------------------------------------------ what it takes off */

static int64_t off_of(const struct coupon_template *template, int64_t eligible_minor)
{
        if (template->kind == COUPON_AMOUNT)
                return template->off_minor < eligible_minor ? template->off_minor : eligible_minor;
        int64_t off = proportion(eligible_minor, template->off_permille, PERMILLE);
        return template->max_off_minor.set && template->max_off_minor.v < off ? template->max_off_minor.v
                                                                              : off;
}

int64_t coupon_take_off(struct arena *arena, const struct zone *zone, const struct coupon_template *template,
                        const struct coupon_line *lines, size_t n, int64_t *shares, const char **ret_why_not)
{
        struct expr_facts *facts = ARENA_NEW(arena, struct expr_facts);
        int64_t *weights = ARENA_ARRAY(arena, n, int64_t);
        int64_t eligible = 0;

        facts->zone = zone;
        *ret_why_not = NULL;
        for (size_t i = 0; i < n; i++) {
                shares[i] = 0;
                expr_set_line(facts, &lines[i].goods);
                if (template->condition == NULL || expr_true(template->condition, facts))
                        weights[i] = lines[i].left_minor;
                eligible += weights[i];
        }
        if (eligible == 0) {
                *ret_why_not = "Nothing in the basket is what the coupon is for.";
                return 0;
        }
        if (eligible < template->threshold_minor) {
                *ret_why_not = arena_printf(arena,
                                            "The goods that the coupon is for lack %" PRId64
                                            " minor units to its threshold %" PRId64 ".",
                                            template->threshold_minor - eligible, template->threshold_minor);
                return 0;
        }
        int64_t off = off_of(template, eligible);
        if (off == 0) {
                *ret_why_not = "The basket is too small for the coupon to make one minor unit.";
                return 0;
        }
        share_largest_remainder(arena, off, weights, n, shares);
        for (size_t i = 0; i < n; i++)
                assert(shares[i] >= 0 && shares[i] <= lines[i].left_minor);
        return off;
}

const char *coupon_why_not_beside(const struct coupon_template *template, const struct coupon_beside *beside)
{
        if (beside->points && !template->with_points)
                return "The coupon does not combine with points.";
        if (beside->before_count > 0 && !template->with_coupons)
                return "The coupon does not combine with other coupons.";
        for (size_t i = 0; i < beside->before_count; i++)
                if (!beside->before[i]->with_coupons)
                        return "A coupon before it does not combine with other coupons.";
        return NULL;
}
