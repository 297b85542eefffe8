#include "points/earn.h"

#include <assert.h>

#include "points/share.h"

#define MILLIONTHS INT64_C(1000000)
#define PERMILLE   INT64_C(1000)
#define PER_MINOR  100                    /* rates are per 100 minor units */
#define FACTOR_ONE INT64_C(1000000000000) /* 10^EARN_FACTOR_DIGITS */
#define RATE_MAX   (EARN_THOUSANDFOLD * MILLIONTHS)
#define FACTOR_MAX (EARN_THOUSANDFOLD * FACTOR_ONE)
#define POINT                                                                                                \
        (uint128_of(PER_MINOR * MILLIONTHS) *                                                                \
         uint128_of(FACTOR_ONE)) /* one point in the unit of line_value */

/* A rule that may count, and the lines on which it holds (later: is taken). */
struct candidate {
        const struct earning_rule *rule;
        bool *holds;
};

/* What a line has gathered so far. */
struct gain {
        int64_t rate;   /* millionths per 100 minor units, at most RATE_MAX */
        int64_t factor; /* in 1 / FACTOR_ONE, at most FACTOR_MAX */
};

struct work {
        struct arena *arena;
        const struct earn_input *in;
        struct candidate *candidates; /* best first */
        size_t candidate_count;
        struct gain *gains; /* one per line */
        struct earned out;  /* with entries of 0, until the end */
};

static bool rule_applies(const struct earning_rule *rule, const struct earn_input *in)
{
        return rule->target == in->target &&
               (!date_known(rule->valid_from) || date_compare(rule->valid_from, in->date) <= 0) &&
               (!date_known(rule->valid_until) || date_compare(in->date, rule->valid_until) <= 0);
}

static void line_facts_set(struct expr_facts *facts, const struct earn_line *line)
{
        expr_set_line(facts, &(struct expr_line){line->sku, line->name, line->category, line->brand,
                                                 line->quantity, line->unit_price_minor, line->total_minor});
}

/* On which lines does each candidate hold? */
static void candidates_ask(struct work *w)
{
        struct expr_facts facts = *w->in->facts;

        for (size_t line = 0; line < w->in->line_count; line++) {
                line_facts_set(&facts, &w->in->lines[line]);
                for (size_t i = 0; i < w->candidate_count; i++) {
                        const struct expr *condition = w->candidates[i].rule->condition;
                        w->candidates[i].holds[line] = condition == NULL || expr_true(condition, &facts);
                }
        }
}

/* The rules that apply, by priority; insertion keeps the document's order among equals. */
static void candidates_gather(struct work *w)
{
        const struct program *program = w->in->program;

        w->candidates = ARENA_ARRAY(w->arena, program->earning.n, struct candidate);
        for (size_t i = 0; i < program->earning.n; i++) {
                const struct earning_rule *rule = &program->earning.v[i];
                if (!rule_applies(rule, w->in))
                        continue;
                size_t at = w->candidate_count++;
                for (; at > 0 && w->candidates[at - 1].rule->priority < rule->priority; at--)
                        w->candidates[at] = w->candidates[at - 1];
                w->candidates[at] = (struct candidate){
                        .rule = rule, .holds = ARENA_ARRAY(w->arena, w->in->line_count, bool)};
        }
        candidates_ask(w);
}

static bool holds_between(const struct candidate *candidate, size_t from, size_t to)
{
        for (size_t line = from; line < to; line++)
                if (candidate->holds[line])
                        return true;
        return false;
}

/* Settle exclusive rules of a kind over the lines [from, to), which stand or fall together: a candidate that
 * is not taken no longer holds there. */
static void exclusives_settle(struct work *w, enum rule_kind kind, size_t from, size_t to)
{
        bool taken = false, ended = false;

        for (size_t i = 0; i < w->candidate_count; i++) {
                struct candidate *candidate = &w->candidates[i];
                bool exclusive = candidate->rule->stacking == STACKING_EXCLUSIVE;
                if (candidate->rule->kind != kind || !holds_between(candidate, from, to))
                        continue;
                if (ended || (exclusive && taken)) {
                        for (size_t line = from; line < to; line++)
                                candidate->holds[line] = false;
                        continue;
                }
                taken = true;
                ended = exclusive;
        }
}

/* What the line is worth now, in 1 / POINT of a point: at most 10^36. */
static uint128 line_value(const struct work *w, size_t line)
{
        return uint128_of(w->in->lines[line].paid_minor) * uint128_of(w->gains[line].rate) *
               uint128_of(w->gains[line].factor);
}

static int64_t lines_total(const struct work *w)
{
        uint128 sum = 0;

        for (size_t line = 0; line < w->in->line_count; line++)
                sum += line_value(w, line);
        return (int64_t)(sum / POINT);
}

/* Note what the rule brought on top of the total so far. */
static void entry_add(struct work *w, const char *rule, int64_t total)
{
        w->out.explanation.v[w->out.explanation.n++] = (struct earn_entry){rule, total - w->out.total};
        w->out.total = total;
}

static void gain_multiply(struct gain *gain, int64_t factor, int64_t one)
{
        uint128 product = uint128_of(gain->factor) * uint128_of(factor) / uint128_of(one);

        gain->factor = product < FACTOR_MAX ? (int64_t)product : FACTOR_MAX;
}

static void gain_apply(struct gain *gain, const struct earning_rule *rule)
{
        if (rule->kind == RULE_MULTIPLY)
                gain_multiply(gain, rule->factor_millionths, MILLIONTHS);
        else
                gain->rate = gain->rate + rule->rate_millionths < RATE_MAX
                                     ? gain->rate + rule->rate_millionths
                                     : RATE_MAX;
}

static void rules_apply(struct work *w, enum rule_kind kind)
{
        for (size_t line = 0; line < w->in->line_count; line++)
                exclusives_settle(w, kind, line, line + 1);
        for (size_t i = 0; i < w->candidate_count; i++) {
                struct candidate *candidate = &w->candidates[i];
                if (candidate->rule->kind != kind || !holds_between(candidate, 0, w->in->line_count))
                        continue;
                for (size_t line = 0; line < w->in->line_count; line++)
                        if (candidate->holds[line])
                                gain_apply(&w->gains[line], candidate->rule);
                entry_add(w, candidate->rule->code, lines_total(w));
        }
}

static void benefit_apply(struct work *w, const char *name, int64_t permille)
{
        if (permille == PERMILLE)
                return;
        for (size_t line = 0; line < w->in->line_count; line++)
                gain_multiply(&w->gains[line], permille, PERMILLE);
        entry_add(w, name, lines_total(w));
}

/* Each line gets its value rounded down; what that leaves of the floored total goes to the largest fractions.
 */
static void lines_share(struct work *w)
{
        struct share_rest *rests = ARENA_ARRAY(w->arena, w->in->line_count, struct share_rest);
        int64_t left = w->out.total;

        for (size_t line = 0; line < w->in->line_count; line++) {
                uint128 value = line_value(w, line);
                w->out.line_points[line] = (int64_t)(value / POINT);
                rests[line] = (struct share_rest){.rest = value % POINT, .index = line};
                left -= w->out.line_points[line];
        }
        share_rests(rests, w->in->line_count, (size_t)left, w->out.line_points);
}

static void add_share(struct work *w, const struct candidate *candidate)
{
        size_t n = w->in->line_count;
        int64_t *weights = ARENA_ARRAY(w->arena, n, int64_t);
        int64_t *shares = ARENA_ARRAY(w->arena, n, int64_t);
        int64_t paid = 0;

        for (size_t line = 0; line < n; line++)
                paid += candidate->holds[line] ? w->in->lines[line].paid_minor : 0;
        for (size_t line = 0; line < n; line++)
                if (candidate->holds[line])
                        weights[line] = paid > 0 ? w->in->lines[line].paid_minor : 1;
        share_largest_remainder(w->arena, candidate->rule->points, weights, n, shares);
        for (size_t line = 0; line < n; line++)
                w->out.line_points[line] += shares[line];
}

static void adds_apply(struct work *w)
{
        exclusives_settle(w, RULE_ADD, 0, w->in->line_count);
        for (size_t i = 0; i < w->candidate_count; i++) {
                const struct candidate *candidate = &w->candidates[i];
                if (candidate->rule->kind != RULE_ADD || !holds_between(candidate, 0, w->in->line_count))
                        continue;
                add_share(w, candidate);
                entry_add(w, candidate->rule->code, w->out.total + candidate->rule->points);
        }
}

static void explanation_shorten(struct earned *earned)
{
        size_t kept = 0;

        if (earned->total == 0)
                return;
        for (size_t i = 0; i < earned->explanation.n; i++)
                if (earned->explanation.v[i].points != 0)
                        earned->explanation.v[kept++] = earned->explanation.v[i];
        earned->explanation.n = kept;
}

static void gains_begin(struct work *w)
{
        int64_t paid = 0;

        w->gains = ARENA_ARRAY(w->arena, w->in->line_count, struct gain);
        for (size_t line = 0; line < w->in->line_count; line++) {
                int64_t part = w->in->lines[line].paid_minor;
                assert(part >= 0 && part <= EARN_PAID_MAX - paid);
                paid += part;
                w->gains[line].factor = FACTOR_ONE;
        }
}

struct earned earn_decide(struct arena *arena, const struct earn_input *input)
{
        struct work w = {.arena = arena, .in = input};
        const size_t pseudo_rules = 2; /* BENEFIT_TIER_POINTS and BENEFIT_BIRTHDAY_MONTH */

        candidates_gather(&w);
        gains_begin(&w);
        w.out.explanation.v = ARENA_ARRAY(arena, w.candidate_count + pseudo_rules, struct earn_entry);
        w.out.line_points = ARENA_ARRAY(arena, input->line_count, int64_t);
        rules_apply(&w, RULE_BASE);
        rules_apply(&w, RULE_MULTIPLY);
        if (input->target == TARGET_POINTS) {
                benefit_apply(&w, BENEFIT_TIER_POINTS, input->benefits->points_multiplier_permille);
                if (input->birthday.month != 0 && input->birthday.month == input->date.month)
                        benefit_apply(&w, BENEFIT_BIRTHDAY_MONTH,
                                      input->benefits->birthday_month_multiplier_permille);
        }
        lines_share(&w);
        adds_apply(&w);
        explanation_shorten(&w.out);
        return w.out;
}
