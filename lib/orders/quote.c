#include "orders/quote.h"

#include <assert.h>
#include <inttypes.h>

#include "points/share.h"

#define PERMILLE 1000
#define STEPS    3

#define SHAPE_T struct quote_step
SHAPE(quote_step, "One step of a price.",
      FIELD(name, .need = true, .doc = "line_discounts, tier_discount or full_reduction."),
      FIELD(off_minor, .doc = "What it takes off, minor units."),
      FIELD(subtotal_minor, .doc = "The basket after it."),
      FIELD(why_not, .max = 500, .doc = "Why it takes nothing off; null when it does."));
#undef SHAPE_T

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

static void full_reduction_apply(struct arena *arena, struct quoted *quoted, const struct benefits *benefits)
{
        const struct full_reduction *best = full_reduction_best(benefits, quoted->total_minor);

        if (best == NULL) {
                step_close(quoted, "full_reduction",
                           full_reduction_why_not(arena, benefits, quoted->total_minor));
                return;
        }
        int64_t *weights = ARENA_ARRAY(arena, quoted->lines.n, int64_t);
        int64_t *shares = ARENA_ARRAY(arena, quoted->lines.n, int64_t);
        assert(best->off_minor <= best->threshold_minor); /* program_compile saw to it */
        for (size_t i = 0; i < quoted->lines.n; i++)
                weights[i] = quoted->lines.v[i].total_minor;
        share_largest_remainder(arena, best->off_minor, weights, quoted->lines.n, shares);
        for (size_t i = 0; i < quoted->lines.n; i++) {
                quoted->lines.v[i].full_reduction_minor = shares[i];
                quoted->lines.v[i].total_minor -= shares[i];
        }
        step_close(quoted, "full_reduction", /* why_not= */ NULL);
}

struct quoted quote_decide(struct arena *arena, const struct benefits *benefits,
                           const struct quote_line *lines, size_t n)
{
        struct quoted quoted = {0};

        quoted.lines.v = ARENA_ARRAY(arena, n, struct quoted_line);
        quoted.lines.n = n;
        quoted.steps.v = ARENA_ARRAY(arena, STEPS, struct quote_step);
        lines_begin(&quoted, lines);
        line_discounts_apply(&quoted);
        tier_discount_apply(&quoted, benefits);
        full_reduction_apply(arena, &quoted, benefits);
        return quoted;
}
