#include "test.h"

#include "coupons/template.h"

#define LINES 6

static const struct zone_change utc = {.from_us = INT64_MIN};
static const struct zone zone = {.name = "UTC", .changes = &utc, .count = 1};
static const struct shop shop = {.currency = "CNY", .zone = {.name = "UTC", .changes = &utc, .count = 1}};

static struct ctx context(struct arena *arena)
{
        return (struct ctx){.arena = arena, .shop = &shop};
}

static struct coupon_line line_of(const char *category, int64_t left)
{
        return (struct coupon_line){
                .goods = {.category = category, .quantity = 1, .unit_price_minor = left, .total_minor = left},
                .left_minor = left};
}

static int64_t sum(const int64_t *v, size_t n)
{
        int64_t total = 0;

        for (size_t i = 0; i < n; i++)
                total += v[i];
        return total;
}

TEST(coupon_takes_off_only_what_it_is_for)
{
        struct arena *arena = arena_new();
        struct ctx c = context(arena);
        struct coupon_template template = {.kind = COUPON_PERCENT,
                                           .off_permille = 100,
                                           .max_off_minor = {true, 1000},
                                           .threshold_minor = 5000,
                                           .goods = "category = 'bags'"};
        struct coupon_line lines[] = {line_of("bags", 3000), line_of("pens", 9000), line_of("bags", 2005)};
        int64_t shares[3];
        const char *why_not;

        EXPECT_INT(coupon_template_compile(&c, &template), ERR_OK);
        EXPECT_INT(coupon_take_off(arena, &zone, &template, lines, 3, shares, &why_not),
                   501); /* 500.5, half up */
        EXPECT(why_not == NULL);
        EXPECT_INT(shares[0], 300);
        EXPECT_INT(shares[1], 0);
        EXPECT_INT(shares[2], 201);
        lines[2].left_minor = 1999;
        EXPECT_INT(coupon_take_off(arena, &zone, &template, lines, 3, shares, &why_not), 0);
        EXPECT_TEXT(why_not, "The goods that the coupon is for lack 1 minor units to its threshold 5000.");
        EXPECT_INT(sum(shares, 3), 0);
        lines[0].left_minor = 90000;
        EXPECT_INT(coupon_take_off(arena, &zone, &template, lines, 3, shares, &why_not), 1000);
        lines[0].goods.category = lines[2].goods.category = NULL;
        EXPECT_INT(coupon_take_off(arena, &zone, &template, lines, 3, shares, &why_not), 0);
        EXPECT_TEXT(why_not, "Nothing in the basket is what the coupon is for.");
        problem_reset(&c);
        arena_free(arena);
}

/* Whatever the basket: the shares sum to the discount, none is below zero or more than its line has, all are
 * on what the coupon is for, and the discount is what a slow reading of the rule says. */
TEST(coupon_shares_always_add_up)
{
        struct arena *arena = arena_new();
        struct ctx c = context(arena);

        for (int round = 0; round < 5000; round++) {
                bool amount = test_between(0, 1) == 1;
                struct coupon_template template = {
                        .kind = amount ? COUPON_AMOUNT : COUPON_PERCENT,
                        .off_minor = amount ? test_between(1, 3000) : 0,
                        .off_permille = amount ? 0 : test_between(1, 1000),
                        .max_off_minor = {!amount && test_between(0, 1) == 1, test_between(1, 500)},
                        .threshold_minor = test_between(0, 2) == 0 ? test_between(0, 4000) : 0,
                        .goods = test_between(0, 1) == 1 ? "category = 'a'" : NULL,
                };
                struct coupon_line lines[LINES];
                int64_t shares[LINES], eligible = 0;
                size_t n = (size_t)test_between(1, LINES);
                const char *why_not;
                for (size_t i = 0; i < n; i++) {
                        lines[i] = line_of(test_between(0, 1) == 1 ? "a" : "b", test_between(0, 1500));
                        if (template.goods == NULL || lines[i].goods.category[0] == 'a')
                                eligible += lines[i].left_minor;
                }
                EXPECT_INT(coupon_template_compile(&c, &template), ERR_OK);
                int64_t off = coupon_take_off(arena, &zone, &template, lines, n, shares, &why_not);
                int64_t expected =
                        amount ? template.off_minor : (eligible * template.off_permille + 500) / 1000;
                if (expected > eligible)
                        expected = eligible;
                if (template.max_off_minor.set && expected > template.max_off_minor.v)
                        expected = template.max_off_minor.v;
                if (eligible < template.threshold_minor)
                        expected = 0;
                EXPECT_INT(off, expected);
                EXPECT_INT(sum(shares, n), off);
                EXPECT((why_not == NULL) == (off > 0));
                for (size_t i = 0; i < n; i++) {
                        bool its = template.goods == NULL || lines[i].goods.category[0] == 'a';
                        EXPECT(shares[i] >= 0 && shares[i] <= (its ? lines[i].left_minor : 0));
                }
        }
        problem_reset(&c);
        arena_free(arena);
}

TEST(coupon_template_faults_are_told_at_once)
{
        struct arena *arena = arena_new();
        struct ctx c = context(arena);
        struct coupon_template template = {.kind = COUPON_AMOUNT,
                                           .off_permille = 5,
                                           .max_off_minor = {true, 5},
                                           .goods = "tier >= gold",
                                           .valid_from = {2026, 2, 1},
                                           .valid_until = {2026, 1, 1},
                                           .returned_days = 3};

        EXPECT_INT(coupon_template_compile(&c, &template), ERR_INVALID);
        EXPECT_INT(c.problem.fault_count, 6);
        problem_reset(&c);
        template = (struct coupon_template){
                .kind = COUPON_AMOUNT, .off_minor = 1, .goods = "order.total > 5.00 and category = 'a'"};
        EXPECT_INT(coupon_template_compile(&c, &template), ERR_INVALID);
        EXPECT_INT(c.problem.fault_count, 1);
        EXPECT_TEXT(c.problem.faults[0].code, "expression_scope");
        problem_reset(&c);
        arena_free(arena);
}

static void validity_is(const struct coupon_template *template, const char *at, const char *from,
                        const char *end)
{
        struct instant now, starts, ends;
        char text[INSTANT_TEXT_SIZE];

        EXPECT(instant_parse(at, &now));
        coupon_template_validity(template, &zone, now, &starts, &ends);
        instant_format(starts, text);
        EXPECT_TEXT(text, from);
        if (end == NULL) {
                EXPECT(!instant_known(ends));
                return;
        }
        instant_format(ends, text);
        EXPECT_TEXT(text, end);
}

TEST(coupon_holds_from_its_first_day_to_the_end_of_its_last)
{
        struct coupon_template template = {0};

        validity_is(&template, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", NULL);
        template.valid_days = (struct opt_int){true, 7};
        validity_is(&template, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2026-03-09T00:00:00Z");
        template.valid_from = (struct date){2026, 3, 5};
        validity_is(&template, "2026-03-01T10:00:00Z", "2026-03-05T00:00:00Z", "2026-03-13T00:00:00Z");
        template.valid_until = (struct date){2026, 3, 6};
        validity_is(&template, "2026-03-01T10:00:00Z", "2026-03-05T00:00:00Z", "2026-03-07T00:00:00Z");
}

TEST(coupon_says_what_it_does_not_combine_with)
{
        const struct coupon_template alone = {0}, open = {.with_points = true, .with_coupons = true};
        const struct coupon_template *before[] = {&open}, *closed[] = {&alone};

        EXPECT(coupon_why_not_beside(&alone, &(struct coupon_beside){0}) == NULL);
        EXPECT_TEXT(coupon_why_not_beside(&alone, &(struct coupon_beside){.points = true}),
                    "The coupon does not combine with points.");
        EXPECT_TEXT(
                coupon_why_not_beside(&alone, &(struct coupon_beside){.before = before, .before_count = 1}),
                "The coupon does not combine with other coupons.");
        EXPECT_TEXT(
                coupon_why_not_beside(&open, &(struct coupon_beside){.before = closed, .before_count = 1}),
                "A coupon before it does not combine with other coupons.");
        EXPECT(coupon_why_not_beside(
                       &open, &(struct coupon_beside){.points = true, .before = before, .before_count = 1}) ==
               NULL);
}

TEST_MAIN
