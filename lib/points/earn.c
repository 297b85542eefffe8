#include "points/earn.h"

#include <assert.h>

#include "points/share.h"

#define MILLIONTHS INT64_C(1000000)
#define PERMILLE   INT64_C(1000)
#define PER_MINOR  100                    /* rates are per 100 minor units */
#define FACTOR_ONE INT64_C(1000000000000) /* 10^EARN_FACTOR_DIGITS */
#define RATE_MAX   (EARN_THOUSANDFOLD * MILLIONTHS)
#define FACTOR_MAX (EARN_THOUSANDFOLD * FACTOR_ONE)
#define BASE_POINT (PER_MINOR * MILLIONTHS)                          /* one point in the unit of gain.base */
#define POINT      (uint128_of(BASE_POINT) * uint128_of(FACTOR_ONE)) /* one point in the unit of line_value */

/* A rule that may count, and the lines on which it holds (later: is taken). */
struct candidate {
        const struct earning_rule *rule;
        bool *holds;
};

/* What a line has gathered so far. */
struct gain {
        int64_t rate;   /* millionths per 100 minor units, at most RATE_MAX */
        uint128 base;   /* paid x rate, less what caps cut off, in 1 / BASE_POINT: at most 10^24 */
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

/* Does its condition look at the line? What does not is asked once for the whole order. */
static bool asks_lines(const struct earning_rule *rule)
{
        return rule->condition != NULL && expr_uses(rule->condition, EXPR_SCOPE_LINE);
}

/* On which lines does each candidate hold? */
static void candidates_ask(struct work *w)
{
        struct expr_facts *facts = NULL;

        for (size_t i = 0; i < w->candidate_count; i++) {
                const struct expr *condition = w->candidates[i].rule->condition;
                bool *holds = w->candidates[i].holds;
                if (asks_lines(w->candidates[i].rule)) {
                        if (facts == NULL)
                                facts = ARENA_NEW(w->arena, struct expr_facts);
                        continue;
                }
                bool held = condition == NULL || expr_true(condition, w->in->facts);
                for (size_t line = 0; line < w->in->line_count; line++)
                        holds[line] = held;
        }
        if (facts == NULL)
                return;
        *facts = *w->in->facts;
        for (size_t line = 0; line < w->in->line_count; line++) {
                line_facts_set(facts, &w->in->lines[line]);
                for (size_t i = 0; i < w->candidate_count; i++)
                        if (asks_lines(w->candidates[i].rule))
                                w->candidates[i].holds[line] =
                                        expr_true(w->candidates[i].rule->condition, facts);
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
        return w->gains[line].base * uint128_of(w->gains[line].factor);
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
        w->out.explanation.v[w->out.explanation.n++] = (struct explained){rule, total - w->out.total};
        w->out.total = total;
}

static void gain_multiply(struct gain *gain, int64_t factor, int64_t one)
{
        uint128 product = uint128_of(gain->factor) * uint128_of(factor) / uint128_of(one);

        gain->factor = product < FACTOR_MAX ? (int64_t)product : FACTOR_MAX;
}

static void gain_apply(struct gain *gain, const struct earning_rule *rule, int64_t paid_minor)
{
        if (rule->kind == RULE_MULTIPLY) {
                gain_multiply(gain, rule->factor_millionths, MILLIONTHS);
                return;
        }
        int64_t room = RATE_MAX - gain->rate;
        int64_t rate = rule->rate_millionths < room ? rule->rate_millionths : room;
        gain->rate += rate;
        gain->base += uint128_of(paid_minor) * uint128_of(rate);
}

/* ------------------------------------------------------------------ caps */

/* Sums of weights stay below 2^WEIGHT_BITS, so that 10^24 times one of them fits into 128 bits. */
#define WEIGHT_BITS 40

/* Add `units` to the lines' bases in proportion to the weights; what rounding leaves, fewer than there are
 * lines, goes to the first line that has any. */
static void bases_add(struct work *w, uint128 *weights, uint128 units)
{
        size_t n = w->in->line_count, first = n;
        uint128 sum = 0, left = units;

        for (size_t i = 0; i < n; i++)
                sum += weights[i];
        for (; sum >> WEIGHT_BITS != 0; sum >>= 1)
                for (size_t i = 0; i < n; i++)
                        weights[i] >>= 1;
        sum = 0;
        for (size_t i = 0; i < n; i++) {
                sum += weights[i];
                first = first == n && weights[i] > 0 ? i : first;
        }
        for (size_t i = 0; sum > 0 && i < n; i++) {
                uint128 part = units * weights[i] / sum;
                w->gains[i].base += part;
                left -= part;
        }
        w->gains[first < n ? first : 0].base += left;
}

/* The lines again as they were, and of what they are now only so much more that their total is as given. */
static void lines_cut(struct work *w, const uint128 *before, int64_t total)
{
        uint128 *weights = ARENA_ARRAY(w->arena, w->in->line_count, uint128);
        uint128 wanted = uint128_of(total) * BASE_POINT, sum = 0;

        for (size_t i = 0; i < w->in->line_count; i++) {
                struct gain *gain = &w->gains[i];
                uint128 old = before[i] / FACTOR_ONE, now = line_value(w, i) / FACTOR_ONE;
                weights[i] = now > old ? now - old : 0;
                gain->base = old;
                gain->factor = FACTOR_ONE;
                sum += old;
        }
        if (wanted > sum)
                bases_add(w, weights, wanted - sum);
        assert(lines_total(w) == total);
}

static void cut_note(struct work *w, const char *rule, const struct cap_room *room, int64_t total)
{
        entry_add(w, arena_printf(w->arena, "%s:%s", rule, room->cap), total);
}

/* What a rule brought, after its caps, counts for the days. */
static void count_note(struct work *w, const char *rule, const struct cap_limits *caps, int64_t points)
{
        if (cap_limits_by_day(caps) && points > 0)
                w->out.counted.v[w->out.counted.n++] = (struct capped){rule, points};
}

/* Cut what the last rule brought beyond `before`, when the total was `was`. */
static void rule_cap(struct work *w, const struct earning_rule *rule, const uint128 *before, int64_t was)
{
        struct cap_room room = caps_room(&rule->caps, w->in->caps, rule->code, w->in->date);

        if (w->out.total - was > room.points) {
                lines_cut(w, before, was + room.points);
                cut_note(w, rule->code, &room, was + room.points);
        }
        count_note(w, rule->code, &rule->caps, w->out.total - was);
}

static bool is_capped(const struct cap_limits *caps)
{
        return caps->per_order.set || cap_limits_by_day(caps);
}

/* What the lines are worth now, for a rule that may be cut; else NULL. */
static const uint128 *lines_kept(const struct work *w, const struct earning_rule *rule)
{
        if (!is_capped(&rule->caps))
                return NULL;
        uint128 *kept = ARENA_ARRAY(w->arena, w->in->line_count, uint128);
        for (size_t line = 0; line < w->in->line_count; line++)
                kept[line] = line_value(w, line);
        return kept;
}

/* ------------------------------------------------------------------ rules in turn */

static void rules_apply(struct work *w, enum rule_kind kind)
{
        for (size_t line = 0; line < w->in->line_count; line++)
                exclusives_settle(w, kind, line, line + 1);
        for (size_t i = 0; i < w->candidate_count; i++) {
                struct candidate *candidate = &w->candidates[i];
                if (candidate->rule->kind != kind || !holds_between(candidate, 0, w->in->line_count))
                        continue;
                const uint128 *before = lines_kept(w, candidate->rule);
                int64_t was = w->out.total;
                for (size_t line = 0; line < w->in->line_count; line++)
                        if (candidate->holds[line])
                                gain_apply(&w->gains[line], candidate->rule, w->in->lines[line].paid_minor);
                entry_add(w, candidate->rule->code, lines_total(w));
                if (before != NULL)
                        rule_cap(w, candidate->rule, before, was);
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

static void add_share(struct work *w, const struct candidate *candidate, int64_t points)
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
        share_largest_remainder(w->arena, points, weights, n, shares);
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
                const struct earning_rule *rule = candidate->rule;
                struct cap_room room = caps_room(&rule->caps, w->in->caps, rule->code, w->in->date);
                int64_t points = rule->points < room.points ? rule->points : room.points, was = w->out.total;
                add_share(w, candidate, points);
                entry_add(w, rule->code, was + rule->points);
                if (points < rule->points)
                        cut_note(w, rule->code, &room, was + points);
                count_note(w, rule->code, &rule->caps, points);
        }
}

/* The caps of the programme are on what all rules together bring. */
static void program_cap(struct work *w)
{
        const struct cap_limits *caps = &w->in->program->points.caps;
        size_t n = w->in->line_count;

        if (w->in->target != TARGET_POINTS || !is_capped(caps))
                return;
        struct cap_room room = caps_room(caps, w->in->caps, CAPS_OF_PROGRAM, w->in->date);
        if (w->out.total > room.points) {
                int64_t *shares = ARENA_ARRAY(w->arena, n, int64_t);
                share_largest_remainder(w->arena, room.points, w->out.line_points, n, shares);
                w->out.line_points = shares;
                cut_note(w, CAPS_OF_PROGRAM, &room, room.points);
        }
        count_note(w, CAPS_OF_PROGRAM, caps, w->out.total);
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
        /* each may be cut, and so may all of them together */
        w.out.explanation.v = ARENA_ARRAY(arena, 2 * w.candidate_count + pseudo_rules + 1, struct explained);
        w.out.counted.v = ARENA_ARRAY(arena, w.candidate_count + 1, struct capped);
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
        program_cap(&w);
        explanation_shorten(&w.out);
        return w.out;
}
