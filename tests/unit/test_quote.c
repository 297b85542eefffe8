#include "test.h"

#include "orders/quote.h"

#define ROUNDS     5000
#define LINES      8
#define REDUCTIONS 4

static struct full_reduction gold_reduction = {.threshold_minor = 50000, .off_minor = 12000};
static const struct benefits gold = {.discount_permille = 100, .full_reduction = {&gold_reduction, 1}};

TEST(quote_applies_the_steps_in_order_and_shows_each)
{
        struct arena *arena = arena_new();
        const struct quote_line lines[] = {{.quantity = 2, .unit_price_minor = 30000, .discount_minor = 4000},
                                           {.quantity = 1, .unit_price_minor = 4005}};
        struct quoted quoted = quote_decide(arena, &gold, lines, ARRAY_SIZE(lines));

        EXPECT_INT(quoted.goods_minor, 64005);
        EXPECT_INT(quoted.steps.n, 3);
        EXPECT_TEXT(quoted.steps.v[0].name, "line_discounts");
        EXPECT_INT(quoted.steps.v[0].off_minor, 4000);
        EXPECT_INT(quoted.steps.v[0].subtotal_minor, 60005);
        EXPECT_TEXT(quoted.steps.v[1].name, "tier_discount");
        EXPECT_INT(quoted.steps.v[1].off_minor, 5600 + 401); /* 400.5 is rounded up */
        EXPECT_TEXT(quoted.steps.v[2].name, "full_reduction");
        EXPECT_INT(quoted.steps.v[2].off_minor, 12000);
        EXPECT_INT(quoted.total_minor, 42004);
        EXPECT(quoted.steps.v[0].why_not == NULL && quoted.steps.v[1].why_not == NULL &&
               quoted.steps.v[2].why_not == NULL);
        EXPECT_INT(quoted.lines.v[0].full_reduction_minor, 11199); /* 12000 * 50400 / 54004 = 11199.2 */
        EXPECT_INT(quoted.lines.v[1].full_reduction_minor, 801);
        arena_free(arena);
}

TEST(quote_says_why_a_step_takes_nothing_off)
{
        struct arena *arena = arena_new();
        const struct benefits none = {0};
        const struct quote_line lines[] = {{.quantity = 1, .unit_price_minor = 55555}};
        struct quoted quoted = quote_decide(arena, &none, lines, 1);

        EXPECT_INT(quoted.total_minor, 55555);
        EXPECT_TEXT(quoted.steps.v[0].why_not, "No line has a discount of its own.");
        EXPECT_TEXT(quoted.steps.v[1].why_not, "The tier gives no discount.");
        EXPECT_TEXT(quoted.steps.v[2].why_not, "The tier has no full reduction.");
        quoted = quote_decide(arena, &gold, lines, 1); /* 55555 - 5556 = 49999 */
        EXPECT_INT(quoted.total_minor, 49999);
        EXPECT_TEXT(quoted.steps.v[2].why_not,
                    "The basket lacks 1 minor units to the threshold 50000, from which 12000 go off.");
        arena_free(arena);
}

static int64_t slow_best(const struct benefits *benefits, int64_t basket)
{
        int64_t best = 0;

        for (size_t i = 0; i < benefits->full_reduction.n; i++)
                if (benefits->full_reduction.v[i].threshold_minor <= basket &&
                    benefits->full_reduction.v[i].off_minor > best)
                        best = benefits->full_reduction.v[i].off_minor;
        return best;
}

TEST(quote_reaches_a_threshold_exactly)
{
        struct arena *arena = arena_new();
        const struct quote_line at[] = {
                {.quantity = 1, .unit_price_minor = 55556}}; /* 55556 - 5556 = 50000 */

        EXPECT_INT(quote_decide(arena, &gold, at, 1).total_minor, 38000);
        arena_free(arena);
}

/* Every line adds up across, every step down, and nothing is ever below zero. */
static void expect_sums(const struct quoted *quoted, const struct benefits *benefits,
                        const struct quote_line *lines, size_t n)
{
        int64_t goods = 0, discounts = 0, tier = 0, reduction = 0, total = 0;

        for (size_t i = 0; i < n; i++) {
                const struct quoted_line *line = &quoted->lines.v[i];
                int64_t base = lines[i].quantity * lines[i].unit_price_minor - lines[i].discount_minor;
                int64_t thousandths = base * benefits->discount_permille;
                EXPECT_INT(line->tier_discount_minor, thousandths / 1000 + (thousandths % 1000 >= 500));
                EXPECT_INT(line->goods_minor - line->discount_minor, base);
                EXPECT_INT(base - line->tier_discount_minor - line->full_reduction_minor, line->total_minor);
                EXPECT(line->total_minor >= 0 && line->full_reduction_minor >= 0);
                goods += line->goods_minor;
                discounts += line->discount_minor;
                tier += line->tier_discount_minor;
                reduction += line->full_reduction_minor;
                total += line->total_minor;
        }
        EXPECT_INT(quoted->goods_minor, goods);
        EXPECT_INT(quoted->total_minor, total);
        EXPECT_INT(quoted->steps.v[0].off_minor, discounts);
        EXPECT_INT(quoted->steps.v[1].off_minor, tier);
        EXPECT_INT(quoted->steps.v[2].off_minor, reduction);
        EXPECT_INT(reduction, slow_best(benefits, goods - discounts - tier));
        EXPECT_INT(quoted->steps.v[1].subtotal_minor, goods - discounts - tier);
        for (size_t i = 0; i < quoted->steps.n; i++)
                EXPECT((quoted->steps.v[i].off_minor == 0) == (quoted->steps.v[i].why_not != NULL));
}

TEST(quote_of_random_baskets_adds_up)
{
        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct full_reduction reductions[REDUCTIONS];
                struct benefits benefits = {.discount_permille =
                                                    test_between(0, 1) ? test_between(0, 1000) : 0};
                struct quote_line lines[LINES];
                size_t n = (size_t)test_between(1, LINES);

                benefits.full_reduction.v = reductions;
                benefits.full_reduction.n = (size_t)test_between(0, REDUCTIONS);
                for (size_t i = 0; i < benefits.full_reduction.n; i++) {
                        reductions[i].threshold_minor = test_between(1, 20000);
                        reductions[i].off_minor = test_between(1, reductions[i].threshold_minor);
                }
                for (size_t i = 0; i < n; i++) {
                        lines[i] = (struct quote_line){.quantity = test_between(0, 4),
                                                       .unit_price_minor = test_between(0, 3000)};
                        lines[i].discount_minor =
                                test_between(0, 2)
                                        ? 0
                                        : test_between(0, lines[i].quantity * lines[i].unit_price_minor);
                }
                struct quoted quoted = quote_decide(arena, &benefits, lines, n);
                expect_sums(&quoted, &benefits, lines, n);
                arena_free(arena);
        }
}

TEST_MAIN
