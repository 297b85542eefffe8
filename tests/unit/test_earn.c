#include "test.h"

#include "points/earn.h"
#include "points/share.h"

#define ROUNDS 3000
#define LINES  6
#define RULES  9

static const struct shop shop = {.currency = "CNY"};
static const struct benefits plain = {.points_multiplier_permille = 1000,
                                      .birthday_month_multiplier_permille = 1000};

static const struct expr *condition(struct ctx *c, const char *text)
{
        static const char *const tiers[] = {"basic", "silver"};
        const struct expr_names names = {.tiers = tiers, .tier_count = ARRAY_SIZE(tiers)};
        const struct expr *expr = NULL;

        EXPECT(expr_compile(c, "#", text, &names, &expr) == ERR_OK);
        return expr;
}

static void expect_explained(const struct earned *earned, size_t i, const char *rule, int64_t points)
{
        EXPECT(i < earned->explanation.n);
        if (i >= earned->explanation.n)
                return;
        EXPECT_TEXT(earned->explanation.v[i].rule, rule);
        EXPECT_INT(earned->explanation.v[i].points, points);
}

/* ---- known orders */

#define BASE(code_, rate_, ...)                                                                              \
        {                                                                                                    \
                .code = (code_), .target = TARGET_POINTS, .kind = RULE_BASE, .rate_millionths = (rate_),     \
                ##__VA_ARGS__                                                                                \
        }
#define MULTIPLY(code_, factor_, ...)                                                                        \
        {                                                                                                    \
                .code = (code_), .target = TARGET_POINTS, .kind = RULE_MULTIPLY,                             \
                .factor_millionths = (factor_), ##__VA_ARGS__                                                \
        }
#define ADD(code_, points_, ...)                                                                             \
        {                                                                                                    \
                .code = (code_), .target = TARGET_POINTS, .kind = RULE_ADD, .points = (points_),             \
                ##__VA_ARGS__                                                                                \
        }

static const struct earn_line bag_and_pen[] = {{.paid_minor = 15050,
                                                .category = "bags",
                                                .quantity = 1,
                                                .unit_price_minor = 15050,
                                                .total_minor = 15050},
                                               {.paid_minor = 4999,
                                                .category = "pens",
                                                .quantity = 1,
                                                .unit_price_minor = 4999,
                                                .total_minor = 4999}};

/* What bag_and_pen earns on 2026-05-20 under some rules. */
static struct earned earn_by(struct arena *arena, struct earning_rule *rules, size_t n,
                             const struct benefits *benefits, enum rule_target target)
{
        struct program program = {.earning = {rules, n}};
        struct expr_facts facts = {0};
        const struct earn_input input = {.program = &program,
                                         .target = target,
                                         .lines = bag_and_pen,
                                         .line_count = ARRAY_SIZE(bag_and_pen),
                                         .facts = &facts,
                                         .date = {.year = 2026, .month = 5, .day = 20},
                                         .benefits = benefits,
                                         .birthday = {.month = 5, .day = 1}};

        return earn_decide(arena, &input);
}

TEST(earn_floors_the_order_once_and_shares_by_largest_remainder)
{
        struct arena *arena = arena_new();
        struct earning_rule rules[] = {BASE("base", 1000000)};
        struct earned earned = earn_by(arena, rules, 1, &plain, TARGET_POINTS);

        EXPECT_INT(earned.total, 200); /* 150.50 + 49.99 = 200.49 */
        EXPECT_INT(earned.line_points[0], 150);
        EXPECT_INT(earned.line_points[1], 50);
        EXPECT_INT(earned.explanation.n, 1);
        expect_explained(&earned, 0, "base", 200);
        EXPECT_INT(earn_by(arena, rules, 1, &plain, TARGET_GROWTH).total, 0);
        arena_free(arena);
}

TEST(earn_multiplies_matching_lines_then_by_tier_and_birthday_month)
{
        struct ctx c = {.arena = arena_new(), .shop = &shop};
        struct earning_rule rules[] = {
                BASE("base", 1000000),
                MULTIPLY("bags", 2000000, .condition = condition(&c, "category = 'bags'")), ADD("thanks", 7),
                ADD("pens", 5, .condition = condition(&c, "category = 'pens'")),
                ADD("hats", 9, .condition = condition(&c, "category = 'hats'"))};
        const struct benefits tier = {.points_multiplier_permille = 1500,
                                      .birthday_month_multiplier_permille = 2000};
        struct earned earned = earn_by(c.arena, rules, ARRAY_SIZE(rules), &tier, TARGET_POINTS);

        /* lines 301 and 49.99: 350.99; x 1.5 = 526.485; x 2 = 1052.97 (903 and 149.97) */
        EXPECT_INT(earned.total, 1052 + 7 + 5);
        EXPECT_INT(earned.explanation.n, 6);
        expect_explained(&earned, 0, "base", 200);
        expect_explained(&earned, 1, "bags", 150);
        expect_explained(&earned, 2, BENEFIT_TIER_POINTS, 176);
        expect_explained(&earned, 3, BENEFIT_BIRTHDAY_MONTH, 526);
        expect_explained(&earned, 4, "thanks", 7);
        expect_explained(&earned, 5, "pens", 5);
        EXPECT_INT(earned.line_points[0], 903 + 5); /* 7 by 15050 : 4999 is 5.25 and 1.75 */
        EXPECT_INT(earned.line_points[1], 149 + 2 + 5);
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                rules[i].target = TARGET_GROWTH;
        EXPECT_INT(earn_by(c.arena, rules, ARRAY_SIZE(rules), &tier, TARGET_GROWTH).total, 350 + 12);
        arena_free(c.arena);
}

TEST(earn_takes_exclusive_rules_as_documented)
{
        struct ctx c = {.arena = arena_new(), .shop = &shop};
        struct earning_rule rules[] = {BASE("low", 1000000, .priority = -1),
                                       BASE("bags", 3000000, .priority = 5, .stacking = STACKING_EXCLUSIVE,
                                            .condition = condition(&c, "category = 'bags'")),
                                       BASE("late", 9000000, .priority = -2, .stacking = STACKING_EXCLUSIVE),
                                       ADD("first", 3),
                                       ADD("second", 4, .stacking = STACKING_EXCLUSIVE),
                                       ADD("third", 5)};
        struct earned earned = earn_by(c.arena, rules, ARRAY_SIZE(rules), &plain, TARGET_POINTS);

        /* the bag by `bags` alone: 451.50; the pen by `low`, after which `late` does not count: 49.99 */
        EXPECT_INT(earned.total, 501 + 3 + 5);
        EXPECT_INT(earned.explanation.n, 4);
        expect_explained(&earned, 0, "bags", 451);
        expect_explained(&earned, 1, "low", 50);
        expect_explained(&earned, 2, "first", 3);
        expect_explained(&earned, 3, "third", 5);
        arena_free(c.arena);
}

TEST(earn_honours_the_days_of_a_rule)
{
        struct arena *arena = arena_new();
        const struct date day = {.year = 2026, .month = 5, .day = 20};
        struct earning_rule rules[] = {ADD("until", 1, .valid_until = day), ADD("from", 2, .valid_from = day),
                                       ADD("past", 4, .valid_until = {.year = 2026, .month = 5, .day = 19}),
                                       ADD("future", 8, .valid_from = {.year = 2026, .month = 5, .day = 21})};

        EXPECT_INT(earn_by(arena, rules, ARRAY_SIZE(rules), &plain, TARGET_POINTS).total, 3);
        arena_free(arena);
}

TEST(earn_of_nothing_still_says_what_was_tried)
{
        struct arena *arena = arena_new();
        struct earning_rule rules[] = {BASE("base", 1000000), MULTIPLY("never", 1, .priority = 3)};
        struct earned earned = earn_by(arena, rules, ARRAY_SIZE(rules), &plain, TARGET_POINTS);

        EXPECT_INT(earned.total, 0);
        EXPECT_INT(earned.explanation.n, 2);
        expect_explained(&earned, 0, "base", 200);
        expect_explained(&earned, 1, "never", -200);
        EXPECT_INT(earned.line_points[0] + earned.line_points[1], 0);
        rules[0].rate_millionths = 1;
        earned = earn_by(arena, rules, 1, &plain, TARGET_POINTS);
        EXPECT_INT(earned.explanation.n, 1);
        expect_explained(&earned, 0, "base", 0);
        arena_free(arena);
}

TEST(earn_stays_in_range_at_the_limits)
{
        struct arena *arena = arena_new();
        const int64_t most = 1000000000;
        struct earning_rule rules[] = {BASE("a", most), BASE("b", most), MULTIPLY("c", most),
                                       MULTIPLY("d", most)};
        struct program program = {.earning = {rules, ARRAY_SIZE(rules)}};
        const struct benefits tier = {.points_multiplier_permille = 100000,
                                      .birthday_month_multiplier_permille = 100000};
        const struct earn_line lines[] = {{.paid_minor = EARN_PAID_MAX - 1}, {.paid_minor = 1}};
        struct expr_facts facts = {0};
        const struct earn_input input = {.program = &program,
                                         .target = TARGET_POINTS,
                                         .lines = lines,
                                         .line_count = ARRAY_SIZE(lines),
                                         .facts = &facts,
                                         .date = {.year = 2026, .month = 5, .day = 20},
                                         .benefits = &tier};
        struct earned earned = earn_decide(arena, &input);

        EXPECT_INT(earned.total, EARN_PAID_MAX / 100 * EARN_THOUSANDFOLD * EARN_THOUSANDFOLD);
        EXPECT_INT(earned.line_points[1], EARN_THOUSANDFOLD * EARN_THOUSANDFOLD / 100);
        EXPECT_INT(earned.explanation.n, 2);
        arena_free(arena);
}

/* ---- random orders against long arithmetic on decimal digits
 *
 * Every denominator of the domain is a power of ten, so flooring is dropping digits. */

#define DIGITS 80
struct digits {
        unsigned char d[DIGITS]; /* least first */
};

static void digits_add(struct digits *sum, const struct digits *more)
{
        unsigned carry = 0;

        for (int i = 0; i < DIGITS; i++) {
                carry += (unsigned)sum->d[i] + more->d[i];
                sum->d[i] = (unsigned char)(carry % 10);
                carry /= 10;
        }
}

static void digits_multiply(struct digits *number, int64_t factor)
{
        uint64_t carry = 0;

        for (int i = 0; i < DIGITS; i++) {
                carry += number->d[i] * (uint64_t)factor;
                number->d[i] = (unsigned char)(carry % 10);
                carry /= 10;
        }
        EXPECT(carry == 0);
}

static int64_t digits_floor(const struct digits *number, int decimals)
{
        int64_t value = 0;

        for (int i = DIGITS - 1; i >= decimals; i--)
                value = value * 10 + number->d[i];
        return value;
}

/* A random order, and for each rule the lines on which it must count by the reference's own reasoning. */
struct world {
        struct ctx c;
        struct earning_rule rules[RULES];
        struct program program;
        struct benefits benefits;
        struct earn_line lines[LINES];
        size_t n;
        struct expr_facts facts;
        struct earn_input input;
        size_t order[RULES]; /* rules by priority */
        bool counts[RULES][LINES];
};

enum asks { ASKS_NOTHING, ASKS_CATEGORY, ASKS_FIRST_ORDER, ASKS_LINE_TOTAL, ASKS_COUNT_ };
static const char *const asks_text[] = {NULL, "category = 'a'", "first_order", "line.total >= 10.00"};

static bool slow_holds(const struct world *w, enum asks asks, size_t line)
{
        switch (asks) {
        case ASKS_CATEGORY:
                return w->lines[line].category != NULL && w->lines[line].category[0] == 'a';
        case ASKS_FIRST_ORDER:
                return w->facts.v[FACT_FIRST_ORDER].number != 0;
        case ASKS_LINE_TOTAL:
                return w->lines[line].total_minor >= 1000;
        default:
                return true;
        }
}

static void slow_order(struct world *w)
{
        bool used[RULES] = {false};

        for (size_t place = 0; place < RULES; place++) {
                size_t best = RULES;
                for (size_t i = 0; i < RULES; i++)
                        if (!used[i] && (best == RULES || w->rules[i].priority > w->rules[best].priority))
                                best = i;
                used[best] = true;
                w->order[place] = best;
        }
}

/* Was a rule of the kind that comes earlier taken on any of these lines, and was an exclusive one? */
static void slow_earlier(const struct world *w, size_t place, size_t from, size_t to, bool *ret_any,
                         bool *ret_ended)
{
        const struct earning_rule *rule = &w->rules[w->order[place]];

        *ret_any = *ret_ended = false;
        for (size_t p = 0; p < place; p++)
                for (size_t line = from; line < to; line++)
                        if (w->rules[w->order[p]].kind == rule->kind && w->counts[w->order[p]][line]) {
                                *ret_any = true;
                                *ret_ended |= w->rules[w->order[p]].stacking == STACKING_EXCLUSIVE;
                        }
}

static void slow_choose(struct world *w, const enum asks *asks)
{
        for (size_t place = 0; place < RULES; place++) {
                size_t i = w->order[place];
                const struct earning_rule *rule = &w->rules[i];
                for (size_t line = 0; line < w->n; line++) {
                        bool add = rule->kind == RULE_ADD, any, ended;
                        slow_earlier(w, place, add ? 0 : line, add ? w->n : line + 1, &any, &ended);
                        bool barred = ended || (any && rule->stacking == STACKING_EXCLUSIVE);
                        w->counts[i][line] =
                                rule->target == w->input.target && slow_holds(w, asks[i], line) && !barred;
                }
        }
}

static void rules_random(struct world *w, enum asks *asks)
{
        static const char *const codes[RULES] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"};

        for (size_t i = 0; i < RULES; i++) {
                unsigned kind = (unsigned)(RULE_BASE + i % 3);
                asks[i] = (enum asks)test_between(0, ASKS_COUNT_ - 1);
                w->rules[i] = (struct earning_rule){
                        .code = codes[i],
                        .target = test_between(0, 5) ? TARGET_POINTS : TARGET_GROWTH,
                        .kind = kind,
                        .priority = test_between(-2, 2),
                        .stacking = test_between(0, 4) ? STACKING_STACK : STACKING_EXCLUSIVE,
                        .rate_millionths = kind == RULE_BASE ? test_between(1, 3000000) : 0,
                        .factor_millionths = kind == RULE_MULTIPLY ? test_between(1, 300) * 10000 : 0,
                        .points = kind == RULE_ADD ? test_between(1, 50) : 0,
                        .condition =
                                asks_text[asks[i]] == NULL ? NULL : condition(&w->c, asks_text[asks[i]])};
        }
}

static void world_random(struct world *w)
{
        enum asks asks[RULES];

        *w = (struct world){.c = {.arena = arena_new(), .shop = &shop}, .n = (size_t)test_between(1, LINES)};
        rules_random(w, asks);
        w->program.earning.v = w->rules;
        w->program.earning.n = RULES;
        w->benefits.points_multiplier_permille = test_between(0, 1) ? 1000 : test_between(0, 300) * 10;
        w->benefits.birthday_month_multiplier_permille = test_between(0, 300) * 10;
        bool free = test_between(0, 9) == 0;
        for (size_t i = 0; i < w->n; i++)
                w->lines[i] = (struct earn_line){
                        .paid_minor = free ? 0 : test_between(0, 3) * test_between(0, 9999),
                        .category = test_between(0, 1)   ? "a"
                                    : test_between(0, 1) ? "b"
                                                         : NULL,
                        .total_minor = test_between(0, 2000)};
        expr_set_bool(&w->facts, FACT_FIRST_ORDER, test_between(0, 1));
        w->input = (struct earn_input){.program = &w->program,
                                       .target = test_between(0, 3) ? TARGET_POINTS : TARGET_GROWTH,
                                       .lines = w->lines,
                                       .line_count = w->n,
                                       .facts = &w->facts,
                                       .date = {.year = 2026, .month = 5, .day = 20},
                                       .benefits = &w->benefits,
                                       .birthday = {.month = test_between(0, 1) ? 5 : 6, .day = 1}};
        slow_order(w);
        slow_choose(w, asks);
}

/* Decimals of digits_line: rates per 100 in millionths; three multiply rules; tier and birthday. */
#define DECIMALS (2 + 6 + 3 * 6 + 2 * 3)

/* A line's worth after the first `stages` of: base rules by priority, multiply rules by priority, tier,
 * birthday. */
static struct digits slow_line(const struct world *w, size_t line, size_t stages)
{
        struct digits value = {{0}}, paid = {{1}};
        bool points = w->input.target == TARGET_POINTS, birthday = w->input.birthday.month == 5;

        digits_multiply(&paid, w->lines[line].paid_minor);
        for (size_t place = 0; place < RULES; place++) {
                const struct earning_rule *rule = &w->rules[w->order[place]];
                if (rule->kind != RULE_BASE || !w->counts[w->order[place]][line] || place >= stages)
                        continue;
                struct digits part = paid;
                digits_multiply(&part, rule->rate_millionths);
                digits_add(&value, &part);
        }
        for (size_t place = 0; place < RULES; place++) {
                const struct earning_rule *rule = &w->rules[w->order[place]];
                if (rule->kind == RULE_MULTIPLY)
                        digits_multiply(&value, w->counts[w->order[place]][line] && RULES + place < stages
                                                        ? rule->factor_millionths
                                                        : 1000000);
        }
        digits_multiply(&value, points && 2 * RULES < stages ? w->benefits.points_multiplier_permille : 1000);
        digits_multiply(&value, points && birthday && 2 * RULES + 1 < stages
                                        ? w->benefits.birthday_month_multiplier_permille
                                        : 1000);
        return value;
}

static int64_t slow_total(const struct world *w, size_t stages)
{
        struct digits sum = {{0}};

        for (size_t line = 0; line < w->n; line++) {
                struct digits value = slow_line(w, line, stages);
                digits_add(&sum, &value);
        }
        return digits_floor(&sum, DECIMALS);
}

#define ALL_STAGES (2 * RULES + 2)

static int64_t slow_adds(const struct world *w)
{
        int64_t sum = 0;

        for (size_t i = 0; i < RULES; i++) {
                bool any = false;
                for (size_t line = 0; line < w->n; line++)
                        any |= w->counts[i][line];
                sum += any ? w->rules[i].points : 0;
        }
        return sum;
}

/* The points that the reference says a rule, or a multiplier of the tier, brought. */
static int64_t slow_brought(const struct world *w, const char *code)
{
        if (strcmp(code, BENEFIT_TIER_POINTS) == 0)
                return slow_total(w, 2 * RULES + 1) - slow_total(w, 2 * RULES);
        if (strcmp(code, BENEFIT_BIRTHDAY_MONTH) == 0)
                return slow_total(w, 2 * RULES + 2) - slow_total(w, 2 * RULES + 1);
        for (size_t place = 0; place < RULES; place++) {
                const struct earning_rule *rule = &w->rules[w->order[place]];
                size_t stage = (rule->kind == RULE_MULTIPLY ? RULES : 0) + place;
                if (strcmp(rule->code, code) == 0)
                        return rule->kind == RULE_ADD ? rule->points
                                                      : slow_total(w, stage + 1) - slow_total(w, stage);
        }
        return INT64_MIN;
}

/* Each line: its own worth rounded down or up, plus its shares of the adds. */
static void expect_line_shares(const struct world *w, const struct earned *earned)
{
        int64_t adds[LINES] = {0}, sum = 0;

        for (size_t i = 0; i < RULES; i++) {
                int64_t weights[LINES] = {0}, shares[LINES], paid = 0;
                bool any = false;
                for (size_t line = 0; line < w->n; line++) {
                        any |= w->counts[i][line];
                        paid += weights[line] = w->counts[i][line] ? w->lines[line].paid_minor : 0;
                }
                if (w->rules[i].kind != RULE_ADD || !any)
                        continue;
                for (size_t line = 0; line < w->n && paid == 0; line++)
                        weights[line] = w->counts[i][line];
                share_largest_remainder(w->c.arena, w->rules[i].points, weights, w->n, shares);
                for (size_t line = 0; line < w->n; line++)
                        adds[line] += shares[line];
        }
        for (size_t line = 0; line < w->n; line++) {
                struct digits value = slow_line(w, line, ALL_STAGES);
                int64_t base = earned->line_points[line] - adds[line], down = digits_floor(&value, DECIMALS);
                EXPECT(base == down || base == down + 1);
                sum += earned->line_points[line];
        }
        EXPECT_INT(sum, earned->total);
}

TEST(earn_of_random_programmes_equals_long_arithmetic)
{
        int explained = 0, earning = 0;

        for (int round = 0; round < ROUNDS; round++) {
                struct world w;
                int64_t sum = 0;

                world_random(&w);
                struct earned earned = earn_decide(w.c.arena, &w.input);
                EXPECT_INT(earned.total, slow_total(&w, ALL_STAGES) + slow_adds(&w));
                for (size_t i = 0; i < earned.explanation.n; i++) {
                        const struct explained *entry = &earned.explanation.v[i];
                        EXPECT_INT(entry->points, slow_brought(&w, entry->rule));
                        EXPECT(entry->points != 0 || earned.total == 0);
                        sum += entry->points;
                        explained++;
                }
                EXPECT_INT(sum, earned.total);
                expect_line_shares(&w, &earned);
                earning += earned.total > 0;
                arena_free(w.c.arena);
        }
        EXPECT(explained > 2 * ROUNDS && earning > ROUNDS / 2);
}

TEST_MAIN
