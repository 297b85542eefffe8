#include "orders/quote.h"

#include <assert.h>
#include <inttypes.h>

#include "points/share.h"

#define PERMILLE 1000
#define HUNDRED  100 /* points, of which the programme says the value */
#define STEPS    3   /* that every quote has */

#define SHAPE_T struct quote_step
SHAPE(quote_step, "One step of a price.",
      FIELD(name, .need = true, .doc = "line_discounts, tier_discount, full_reduction, coupon or points."),
      FIELD(code, .doc = "Of the coupon."), FIELD(off_minor, .doc = "What it takes off, minor units."),
      FIELD(subtotal_minor, .doc = "The basket after it."),
      FIELD(why_not, .max = 500, .doc = "Why it takes nothing off; null when it does."));
#undef SHAPE_T

/* One way through the steps, with the coupons that are not refused. */
struct work {
        struct arena *arena;
        const struct quote_input *in;
        const char **useless; /* of each coupon: why it takes nothing off, or NULL while it may */
        const char **refused; /* of each coupon: why it is not taken, or NULL */
        struct quoted quoted;
};

/* Sum up a step whose part of each line was just taken off. */
static void step_close(struct quoted *quoted, const char *name, const char *why_not)
{
        int64_t subtotal = 0;

        for (size_t i = 0; i < quoted->lines.n; i++)
                subtotal += quoted->lines.v[i].total_minor;
        quoted->steps.v[quoted->steps.n++] = (struct quote_step){.name = name,
                                                                 .off_minor = quoted->total_minor - subtotal,
                                                                 .subtotal_minor = subtotal,
                                                                 .why_not = why_not};
        quoted->total_minor = subtotal;
}

/* An amount off, spread over what is left of the lines: parts[i] of line i. */
static void spread(struct work *w, int64_t off_minor, int64_t *parts)
{
        struct quoted *quoted = &w->quoted;
        int64_t *weights = ARENA_ARRAY(w->arena, quoted->lines.n, int64_t);

        for (size_t i = 0; i < quoted->lines.n; i++)
                weights[i] = quoted->lines.v[i].total_minor;
        share_largest_remainder(w->arena, off_minor, weights, quoted->lines.n, parts);
        for (size_t i = 0; i < quoted->lines.n; i++)
                quoted->lines.v[i].total_minor -= parts[i];
}

static void lines_begin(struct quoted *quoted, const struct quote_line *lines)
{
        for (size_t i = 0; i < quoted->lines.n; i++) {
                struct quoted_line *line = &quoted->lines.v[i];
                bool overflow = __builtin_mul_overflow(lines[i].quantity, lines[i].unit_price_minor,
                                                       &line->goods_minor);
                assert(!overflow && lines[i].quantity >= 0 && lines[i].unit_price_minor >= 0);
                assert(line->goods_minor <= QUOTE_MINOR_MAX - quoted->goods_minor);
                assert(lines[i].discount_minor >= 0 && lines[i].discount_minor <= line->goods_minor);
                line->discount_minor = lines[i].discount_minor;
                line->total_minor = line->goods_minor - line->discount_minor;
                quoted->goods_minor += line->goods_minor;
        }
        quoted->total_minor = quoted->goods_minor;
}

static void line_discounts_apply(struct quoted *quoted)
{
        step_close(quoted, "line_discounts", /* why_not= */ NULL);
        struct quote_step *step = &quoted->steps.v[quoted->steps.n - 1];
        if (step->off_minor == 0)
                step->why_not = "No line has a discount of its own.";
}

static void tier_discount_apply(struct quoted *quoted, const struct benefits *benefits)
{
        for (size_t i = 0; i < quoted->lines.n; i++) {
                struct quoted_line *line = &quoted->lines.v[i];
                line->tier_discount_minor =
                        proportion(line->total_minor, benefits->discount_permille, PERMILLE);
                line->total_minor -= line->tier_discount_minor;
        }
        step_close(quoted, "tier_discount", /* why_not= */ NULL);
        struct quote_step *step = &quoted->steps.v[quoted->steps.n - 1];
        if (benefits->discount_permille == 0)
                step->why_not = "The tier gives no discount.";
        else if (step->off_minor == 0)
                step->why_not = "The basket is too small for the tier's discount to make one minor unit.";
}

const struct full_reduction *full_reduction_best(const struct benefits *benefits, int64_t basket_minor)
{
        const struct full_reduction *best = NULL;

        for (size_t i = 0; i < benefits->full_reduction.n; i++) {
                const struct full_reduction *reduction = &benefits->full_reduction.v[i];
                if (reduction->threshold_minor <= basket_minor &&
                    (best == NULL || reduction->off_minor > best->off_minor))
                        best = reduction;
        }
        return best;
}

static const char *full_reduction_why_not(struct arena *arena, const struct benefits *benefits,
                                          int64_t basket_minor)
{
        if (benefits->full_reduction.n == 0)
                return "The tier has no full reduction.";
        const struct full_reduction *nearest = &benefits->full_reduction.v[0];
        for (size_t i = 1; i < benefits->full_reduction.n; i++)
                if (benefits->full_reduction.v[i].threshold_minor < nearest->threshold_minor)
                        nearest = &benefits->full_reduction.v[i];
        return arena_printf(arena,
                            "The basket lacks %" PRId64 " minor units to the threshold %" PRId64
                            ", from which %" PRId64 " go off.",
                            nearest->threshold_minor - basket_minor, nearest->threshold_minor,
                            nearest->off_minor);
}

static void full_reduction_apply(struct work *w)
{
        struct quoted *quoted = &w->quoted;
        const struct benefits *benefits = w->in->benefits;
        const struct full_reduction *best = full_reduction_best(benefits, quoted->total_minor);

        if (best == NULL) {
                step_close(quoted, "full_reduction",
                           full_reduction_why_not(w->arena, benefits, quoted->total_minor));
                return;
        }
        int64_t *parts = ARENA_ARRAY(w->arena, quoted->lines.n, int64_t);
        assert(best->off_minor <= best->threshold_minor); /* program_compile saw to it */
        spread(w, best->off_minor, parts);
        for (size_t i = 0; i < quoted->lines.n; i++)
                quoted->lines.v[i].full_reduction_minor = parts[i];
        step_close(quoted, "full_reduction", /* why_not= */ NULL);
}

/* ------------------------------------------------------------------ coupons */

/* What may have to give way to a coupon. */
enum other { OTHER_TIER_DISCOUNT, OTHER_FULL_REDUCTION, OTHER_POINTS };

static bool combines(const struct coupon_template *template, enum other other)
{
        switch (other) {
        case OTHER_TIER_DISCOUNT:
                return template->with_tier_discount;
        case OTHER_FULL_REDUCTION:
                return template->with_full_reduction;
        case OTHER_POINTS:
                break;
        }
        return template->with_points;
}

/* The first coupon taken that keeps it away, as a sentence; NULL: none does. */
static const char *kept_away(const struct work *w, enum other other)
{
        static const char *const names[] = {[OTHER_TIER_DISCOUNT] = "the tier's discount",
                                            [OTHER_FULL_REDUCTION] = "the tier's full reduction",
                                            [OTHER_POINTS] = "points"};

        for (size_t i = 0; i < w->in->coupon_count; i++)
                if (w->refused[i] == NULL && !combines(w->in->coupons[i].template, other))
                        return arena_printf(w->arena, "The coupon %s does not combine with %s.",
                                            w->in->coupons[i].code, names[other]);
        return NULL;
}

/* Those that may not be used, or not beside those before them. */
static void coupons_refuse(struct work *w)
{
        const struct coupon_template **before =
                ARENA_ARRAY(w->arena, w->in->coupon_count, const struct coupon_template *);
        struct coupon_beside beside = {.before = before};

        for (size_t i = 0; i < w->in->coupon_count; i++) {
                const struct quote_coupon *coupon = &w->in->coupons[i];
                w->refused[i] = coupon->why_not != NULL ? coupon->why_not : w->useless[i];
                if (w->refused[i] == NULL)
                        w->refused[i] = coupon_why_not_beside(coupon->template, &beside);
                if (w->refused[i] == NULL)
                        before[beside.before_count++] = coupon->template;
        }
}

/* The lines as they are before the first coupon. */
static struct coupon_line *coupon_lines(const struct work *w)
{
        struct coupon_line *lines = ARENA_ARRAY(w->arena, w->in->line_count, struct coupon_line);

        for (size_t i = 0; i < w->in->line_count; i++) {
                const struct quote_line *line = &w->in->lines[i];
                int64_t total = w->quoted.lines.v[i].total_minor;
                lines[i] = (struct coupon_line){.goods = {line->sku, line->name, line->category, line->brand,
                                                          line->quantity, line->unit_price_minor, total},
                                                .left_minor = total};
        }
        return lines;
}

/* False when a coupon takes nothing off: all is to be priced anew without it. */
static bool coupons_apply(struct work *w)
{
        struct quoted *quoted = &w->quoted;
        struct coupon_line *lines = coupon_lines(w);
        int64_t *shares = ARENA_ARRAY(w->arena, w->in->line_count, int64_t);

        for (size_t i = 0; i < w->in->coupon_count; i++) {
                const struct quote_coupon *coupon = &w->in->coupons[i];
                if (w->refused[i] == NULL) {
                        quoted->coupon_minor +=
                                coupon_take_off(w->arena, w->in->zone, coupon->template, lines,
                                                w->in->line_count, shares, &w->useless[i]);
                        if (w->useless[i] != NULL)
                                return false;
                        for (size_t k = 0; k < w->in->line_count; k++) {
                                lines[k].left_minor -= shares[k];
                                quoted->lines.v[k].coupon_minor += shares[k];
                                quoted->lines.v[k].total_minor -= shares[k];
                        }
                }
                step_close(quoted, "coupon", w->refused[i]);
                quoted->steps.v[quoted->steps.n - 1].code = coupon->code;
        }
        return true;
}

/* ------------------------------------------------------------------ points */

/* How many points go into the basket; 0 with the reason. */
static int64_t points_allowed(const struct work *w, const char **ret_why_not)
{
        const struct spending_settings *spending = w->in->spending;
        int64_t points = w->in->points;

        *ret_why_not = kept_away(w, OTHER_POINTS);
        if (*ret_why_not != NULL)
                return 0;
        int64_t value = w->in->value_minor_per_100;
        if (value == 0) {
                *ret_why_not = "Points don't pay in this programme.";
                return 0;
        }
        int64_t most_minor = w->quoted.total_minor * spending->max_share_permille / PERMILLE;
        int64_t most = most_minor * HUNDRED / value;
        if (points > w->in->points_active)
                points = w->in->points_active;
        if (points > most)
                points = most;
        points -= points % spending->step;
        if (points < spending->minimum || points * value < HUNDRED) {
                *ret_why_not = arena_printf(w->arena,
                                            "Of the points that are wanted %" PRId64
                                            " can be spent on the basket, fewer than the least.",
                                            points);
                return 0;
        }
        return points;
}

static void points_apply(struct work *w)
{
        struct quoted *quoted = &w->quoted;
        const char *why_not;
        int64_t points = points_allowed(w, &why_not);

        if (points > 0) {
                int64_t *parts = ARENA_ARRAY(w->arena, quoted->lines.n, int64_t);
                quoted->points = points;
                quoted->points_minor = points * w->in->value_minor_per_100 / HUNDRED;
                spread(w, quoted->points_minor, parts);
                for (size_t i = 0; i < quoted->lines.n; i++)
                        quoted->lines.v[i].points_minor = parts[i];
        }
        step_close(quoted, "points", why_not);
}

/* ------------------------------------------------------------------ the whole */

/* False when a coupon turned out to be of no use. */
static bool price(struct work *w)
{
        const struct quote_input *in = w->in;
        struct quoted *quoted = &w->quoted;

        *quoted = (struct quoted){0};
        quoted->lines.v = ARENA_ARRAY(w->arena, in->line_count, struct quoted_line);
        quoted->lines.n = in->line_count;
        quoted->steps.v = ARENA_ARRAY(w->arena, STEPS + in->coupon_count + 1, struct quote_step);
        lines_begin(quoted, in->lines);
        line_discounts_apply(quoted);
        const char *no_tier = kept_away(w, OTHER_TIER_DISCOUNT);
        if (no_tier != NULL)
                step_close(quoted, "tier_discount", no_tier);
        else
                tier_discount_apply(quoted, in->benefits);
        const char *no_reduction = kept_away(w, OTHER_FULL_REDUCTION);
        if (no_reduction != NULL)
                step_close(quoted, "full_reduction", no_reduction);
        else
                full_reduction_apply(w);
        if (!coupons_apply(w))
                return false;
        if (in->points > 0)
                points_apply(w);
        return true;
}

struct quoted quote_decide(struct arena *arena, const struct quote_input *input)
{
        struct work w = {.arena = arena,
                         .in = input,
                         .useless = ARENA_ARRAY(arena, input->coupon_count, const char *),
                         .refused = ARENA_ARRAY(arena, input->coupon_count, const char *)};

        do
                coupons_refuse(&w);
        while (!price(&w)); /* each round leaves out one more */
        return w.quoted;
}
