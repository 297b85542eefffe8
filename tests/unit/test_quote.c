#include "test.h"

#include "orders/quote.h"

static struct quoted quote_of(struct arena *arena, const struct benefits *benefits,
                              const struct quote_line *lines, size_t n)
{
        return quote_decide(arena,
                            &(struct quote_input){.benefits = benefits, .lines = lines, .line_count = n});
}

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
        struct quoted quoted = quote_of(arena, &gold, lines, ARRAY_SIZE(lines));

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
        struct quoted quoted = quote_of(arena, &none, lines, 1);

        EXPECT_INT(quoted.total_minor, 55555);
        EXPECT_TEXT(quoted.steps.v[0].why_not, "No line has a discount of its own.");
        EXPECT_TEXT(quoted.steps.v[1].why_not, "The tier gives no discount.");
        EXPECT_TEXT(quoted.steps.v[2].why_not, "The tier has no full reduction.");
        quoted = quote_of(arena, &gold, lines, 1); /* 55555 - 5556 = 49999 */
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

        EXPECT_INT(quote_of(arena, &gold, at, 1).total_minor, 38000);
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
                struct quoted quoted = quote_of(arena, &benefits, lines, n);
                expect_sums(&quoted, &benefits, lines, n);
                arena_free(arena);
        }
}

/* ------------------------------------------------------------------ coupons and points */

static const struct zone_change utc = {.from_us = INT64_MIN};
static const struct zone zone = {.name = "UTC", .changes = &utc, .count = 1};
static const struct spending_settings fen = {.minimum = 100, .step = 50, .max_share_permille = 500};

static const struct coupon_template ten_yuan = {.kind = COUPON_AMOUNT,
                                                .off_minor = 1000,
                                                .threshold_minor = 5000,
                                                .with_full_reduction = true,
                                                .with_points = true};
static const struct coupon_template half_alone = {
        .kind = COUPON_PERCENT, .off_permille = 500, .with_tier_discount = true};

TEST(quote_gives_way_to_a_coupon_and_says_so)
{
        struct arena *arena = arena_new();
        const struct quote_line lines[] = {{.quantity = 1, .unit_price_minor = 60000}};
        const struct quote_coupon coupons[] = {{.code = "TEN", .template = &ten_yuan},
                                               {.code = "HALF", .template = &half_alone},
                                               {.code = "OLD", .why_not = "The coupon has expired."}};
        struct quote_input input = {.benefits = &gold,
                                    .lines = lines,
                                    .line_count = 1,
                                    .zone = &zone,
                                    .coupons = coupons,
                                    .coupon_count = 3,
                                    .spending = &fen,
                                    .value_minor_per_100 = 100,
                                    .points = 1099,
                                    .points_active = 1000000};
        struct quoted quoted = quote_decide(arena, &input);

        EXPECT_INT(quoted.steps.n, 7);
        EXPECT_TEXT(quoted.steps.v[1].why_not, "The coupon TEN does not combine with the tier's discount.");
        EXPECT_INT(quoted.steps.v[2].off_minor, 12000);
        EXPECT_INT(quoted.steps.v[3].off_minor, 1000);
        EXPECT_TEXT(quoted.steps.v[3].code, "TEN");
        EXPECT_TEXT(quoted.steps.v[4].why_not, "The coupon does not combine with other coupons.");
        EXPECT_TEXT(quoted.steps.v[5].why_not, "The coupon has expired.");
        EXPECT_INT(quoted.points, 1050);
        EXPECT_INT(quoted.total_minor, 60000 - 12000 - 1000 - 1050);
        input.coupons++; /* the second one alone */
        input.coupon_count = 1;
        quoted = quote_decide(arena, &input);
        EXPECT_INT(quoted.steps.v[1].off_minor, 6000);
        EXPECT_TEXT(quoted.steps.v[2].why_not,
                    "The coupon HALF does not combine with the tier's full reduction.");
        EXPECT_INT(quoted.steps.v[3].off_minor, 27000);
        EXPECT_TEXT(quoted.steps.v[4].why_not, "The coupon HALF does not combine with points.");
        EXPECT_INT(quoted.points, 0);
        arena_free(arena);
}

TEST(quote_keeps_nothing_away_for_a_coupon_of_no_use)
{
        struct arena *arena = arena_new();
        const struct quote_line lines[] = {{.quantity = 1, .unit_price_minor = 4000}};
        const struct quote_coupon coupons[] = {{.code = "TEN", .template = &ten_yuan},
                                               {.code = "HALF", .template = &half_alone}};
        struct quoted quoted = quote_decide(arena, &(struct quote_input){.benefits = &gold,
                                                                         .lines = lines,
                                                                         .line_count = 1,
                                                                         .zone = &zone,
                                                                         .coupons = coupons,
                                                                         .coupon_count = 2});

        EXPECT_INT(quoted.steps.v[1].off_minor, 400); /* TEN would have kept it away */
        EXPECT_TEXT(quoted.steps.v[3].why_not,
                    "The goods that the coupon is for lack 1000 minor units to its threshold 5000.");
        EXPECT_INT(quoted.steps.v[4].off_minor, 1800); /* and this one too */
        EXPECT_INT(quoted.total_minor, 1800);
        arena_free(arena);
}

TEST(quote_takes_as_many_points_as_the_programme_allows)
{
        static const struct {
                int64_t wanted, active, value, share, points, off;
        } cases[] = {
                {1000, 5000, 100, 1000, 1000, 1000}, {1000, 430, 100, 1000, 400, 400},
                {9000, 9000, 100, 500, 2000, 2000},  {99, 5000, 100, 1000, 0, 0},
                {1000, 5000, 50, 1000, 1000, 500},   {5000, 5000, 300, 1000, 1300, 3900},
                {1000, 5000, 0, 1000, 0, 0},         {1000, 5000, 100, 0, 0, 0},
                {100, 5000, 0, 500, 0, 0},
        };
        const struct quote_line lines[] = {{.quantity = 1, .unit_price_minor = 4000}};
        const struct benefits none = {0};
        struct arena *arena = arena_new();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct spending_settings spending = {100, 100, cases[i].share};
                struct quoted quoted =
                        quote_decide(arena, &(struct quote_input){.benefits = &none,
                                                                  .lines = lines,
                                                                  .line_count = 1,
                                                                  .zone = &zone,
                                                                  .spending = &spending,
                                                                  .value_minor_per_100 = cases[i].value,
                                                                  .points = cases[i].wanted,
                                                                  .points_active = cases[i].active});
                EXPECT_INT(quoted.points, cases[i].points);
                EXPECT_INT(quoted.points_minor, cases[i].off);
                EXPECT_INT(quoted.total_minor, 4000 - cases[i].off);
                EXPECT((quoted.steps.v[3].why_not == NULL) == (cases[i].points > 0));
        }
        arena_free(arena);
}

#define COUPONS 4

/* Whatever is asked for: columns sum to steps, no line is below zero, and what was taken combines. */
TEST(quote_of_random_baskets_with_coupons_and_points_adds_up)
{
        struct arena *arena = arena_new();

        for (int round = 0; round < ROUNDS; round++) {
                struct coupon_template templates[COUPONS];
                struct quote_coupon coupons[COUPONS];
                struct quote_line lines[LINES];
                size_t n = (size_t)test_between(1, LINES), count = (size_t)test_between(0, COUPONS),
                       taken = 0;
                bool alone = false, no_tier = false, no_reduction = false, no_points = false;
                for (size_t i = 0; i < n; i++)
                        lines[i] = (struct quote_line){.quantity = test_between(1, 3),
                                                       .unit_price_minor = test_between(0, 20000)};
                for (size_t i = 0; i < count; i++) {
                        templates[i] =
                                (struct coupon_template){.kind = COUPON_AMOUNT,
                                                         .off_minor = test_between(1, 30000),
                                                         .threshold_minor = test_between(0, 40000),
                                                         .with_tier_discount = test_between(0, 1) == 1,
                                                         .with_full_reduction = test_between(0, 1) == 1,
                                                         .with_points = test_between(0, 1) == 1,
                                                         .with_coupons = test_between(0, 3) > 0};
                        coupons[i] = (struct quote_coupon){.code = "C", .template = &templates[i]};
                }
                struct quoted quoted =
                        quote_decide(arena, &(struct quote_input){.benefits = &gold,
                                                                  .lines = lines,
                                                                  .line_count = n,
                                                                  .zone = &zone,
                                                                  .coupons = coupons,
                                                                  .coupon_count = count,
                                                                  .spending = &fen,
                                                                  .value_minor_per_100 = 100,
                                                                  .points = test_between(1, 3000),
                                                                  .points_active = 2000});
                EXPECT_INT(quoted.steps.n, 4 + count);
                int64_t off = 0, total = 0, columns = 0;
                for (size_t i = 0; i < quoted.steps.n; i++) {
                        off += quoted.steps.v[i].off_minor;
                        EXPECT((quoted.steps.v[i].why_not == NULL) == (quoted.steps.v[i].off_minor > 0));
                }
                for (size_t i = 0; i < n; i++) {
                        const struct quoted_line *line = &quoted.lines.v[i];
                        EXPECT(line->total_minor >= 0 && line->coupon_minor >= 0 && line->points_minor >= 0);
                        total += line->total_minor;
                        columns += line->tier_discount_minor + line->full_reduction_minor +
                                   line->coupon_minor + line->points_minor;
                }
                EXPECT_INT(total, quoted.total_minor);
                EXPECT_INT(quoted.goods_minor - off, total);
                EXPECT_INT(columns, off);
                for (size_t i = 0; i < count; i++) {
                        if (quoted.steps.v[3 + i].why_not != NULL)
                                continue;
                        taken++;
                        alone = alone || !templates[i].with_coupons;
                        no_tier = no_tier || !templates[i].with_tier_discount;
                        no_reduction = no_reduction || !templates[i].with_full_reduction;
                        no_points = no_points || !templates[i].with_points;
                }
                EXPECT(taken <= 1 || !alone);
                EXPECT(!no_tier || quoted.steps.v[1].off_minor == 0);
                EXPECT(!no_reduction || quoted.steps.v[2].off_minor == 0);
                EXPECT(!no_points || quoted.points == 0);
        }
        arena_free(arena);
}

TEST_MAIN
