#include "test.h"

#include "points/earn.h"

#define ROUNDS 3000
#define LINES  5
#define RULES  6

static const struct benefits plain = {.points_multiplier_permille = 1000,
                                      .birthday_month_multiplier_permille = 1000};
static const struct date may_20 = {.year = 2026, .month = 5, .day = 20};

/* ---- room */

TEST(caps_room_is_the_narrowest_of_order_day_and_month)
{
        struct arena *arena = arena_new();
        struct caps_used used = {0};
        const struct cap_limits limits = {
                .per_order = {true, 50}, .per_day = {true, 80}, .per_month = {true, 100}};
        const struct {
                struct date day;
                const char *rule;
                int64_t points;
        } earned[] = {{{2026, 5, 1}, "base", 30},   {{2026, 5, 20}, "base", 20}, {{2026, 5, 20}, "base", 25},
                      {{2026, 5, 20}, "other", 99}, {{2026, 4, 20}, "base", 99}, {{2025, 5, 20}, "base", 99}};

        EXPECT_INT(caps_room(&limits, NULL, "base", may_20).points, 50);
        for (size_t i = 0; i < ARRAY_SIZE(earned); i++)
                caps_count(&used, arena,
                           &(struct cap_day){
                                   .day = earned[i].day, .rule = earned[i].rule, .points = earned[i].points});
        EXPECT_INT(used.n, 5);
        EXPECT_INT(caps_room(&limits, &used, "base", may_20).points, 25); /* 75 of 100 */
        EXPECT_TEXT(caps_room(&limits, &used, "base", may_20).cap, "cap_per_month");
        EXPECT_TEXT(caps_room(&limits, &used, "base", (struct date){2026, 6, 1}).cap, "cap_per_order");
        caps_count(&used, arena, &(struct cap_day){.day = may_20, .rule = "base", .points = 40});
        EXPECT_INT(caps_room(&limits, &used, "base", may_20).points, 0);
        EXPECT_INT(caps_room(&(struct cap_limits){0}, &used, "base", may_20).points, INT64_MAX);
        arena_free(arena);
}

/* ---- known orders */

static struct earned earn(struct arena *arena, const struct program *program, const struct earn_line *lines,
                          size_t n, const struct caps_used *used)
{
        struct expr_facts facts = {0};
        const struct earn_input input = {.program = program,
                                         .target = TARGET_POINTS,
                                         .lines = lines,
                                         .line_count = n,
                                         .facts = &facts,
                                         .date = may_20,
                                         .caps = used,
                                         .benefits = &plain};

        return earn_decide(arena, &input);
}

static void expect_explained(const struct earned *earned, size_t i, const char *rule, int64_t points)
{
        EXPECT(i < earned->explanation.n);
        if (i >= earned->explanation.n)
                return;
        EXPECT_TEXT(earned->explanation.v[i].rule, rule);
        EXPECT_INT(earned->explanation.v[i].points, points);
}

#define RULE(code_, kind_, ...)                                                                              \
        {                                                                                                    \
                .code = (code_), .target = TARGET_POINTS, .kind = (kind_), ##__VA_ARGS__                     \
        }

TEST(caps_cut_a_rule_before_the_next_one_multiplies_it)
{
        struct arena *arena = arena_new();
        static const struct earn_line lines[] = {{.paid_minor = 45050, .quantity = 1},
                                                 {.paid_minor = 15099, .quantity = 1}};
        struct earning_rule rules[] = {
                RULE("base", RULE_BASE, .rate_millionths = 1000000, .caps.per_order = {true, 100}),
                RULE("double", RULE_MULTIPLY, .factor_millionths = 2000000, .caps.per_day = {true, 60}),
                RULE("gift", RULE_ADD, .points = 30, .caps.per_month = {true, 20})};
        struct program program = {.earning = {rules, ARRAY_SIZE(rules)},
                                  .points.caps.per_order = {true, 150}};
        struct earned earned = earn(arena, &program, lines, ARRAY_SIZE(lines), NULL);

        EXPECT_INT(earned.total, 150);
        EXPECT_INT(earned.explanation.n, 7);
        expect_explained(&earned, 0, "base", 601);
        expect_explained(&earned, 1, "base:cap_per_order", -501);
        expect_explained(&earned, 2, "double", 100);
        expect_explained(&earned, 3, "double:cap_per_day", -40);
        expect_explained(&earned, 4, "gift", 30);
        expect_explained(&earned, 5, "gift:cap_per_month", -10);
        expect_explained(&earned, 6, "program:cap_per_order", -30);
        EXPECT_INT(earned.line_points[0] + earned.line_points[1], 150);
        EXPECT_INT(earned.line_points[0], 113); /* 135 of 180: of 150 that is 112.5 */
        EXPECT_INT(earned.counted.n, 2);
        EXPECT_TEXT(earned.counted.v[0].rule, "double");
        EXPECT_INT(earned.counted.v[0].points, 60);
        EXPECT_INT(earned.counted.v[1].points, 20);
        arena_free(arena);
}

TEST(caps_that_are_used_up_leave_nothing_and_say_so)
{
        struct arena *arena = arena_new();
        static const struct earn_line line = {.paid_minor = 5000, .quantity = 1};
        struct cap_day spent = {.day = may_20, .rule = CAPS_OF_PROGRAM, .points = 70};
        struct caps_used used = {&spent, 1, 1};
        struct earning_rule rules[] = {RULE("base", RULE_BASE, .rate_millionths = 1000000)};
        struct program program = {.earning = {rules, 1}, .points.caps.per_day = {true, 70}};
        struct earned earned = earn(arena, &program, &line, 1, &used);

        EXPECT_INT(earned.total, 0);
        EXPECT_INT(earned.line_points[0], 0);
        EXPECT_INT(earned.counted.n, 0);
        expect_explained(&earned, 0, "base", 50);
        expect_explained(&earned, 1, "program:cap_per_day", -50);
        arena_free(arena);
}

TEST(caps_hold_at_the_limits_of_what_can_be_earned)
{
        struct arena *arena = arena_new();
        static const struct earn_line lines[] = {{.paid_minor = EARN_PAID_MAX - 7, .quantity = 1},
                                                 {.paid_minor = 7, .quantity = 1}};
        const int64_t cap = INT64_C(9999999999999999); /* 10^13 x 1000 would be earned */
        struct earning_rule rules[] = {RULE("base", RULE_BASE, .rate_millionths = 1000000000),
                                       RULE("a lot", RULE_MULTIPLY, .factor_millionths = 1000000000,
                                            .caps.per_order = {true, cap - 10000000000000})};
        struct program program = {.earning = {rules, ARRAY_SIZE(rules)}};
        struct earned earned = earn(arena, &program, lines, ARRAY_SIZE(lines), NULL);

        EXPECT_INT(earned.total, cap);
        EXPECT_INT(earned.line_points[0] + earned.line_points[1], cap);
        arena_free(arena);
}

/* ---- random orders */

static struct opt_int cap_random(void)
{
        return (struct opt_int){test_between(0, 2) == 0, test_between(1, 400)};
}

static struct cap_limits caps_random(void)
{
        return (struct cap_limits){cap_random(), cap_random(), cap_random()};
}

/* What the entries of a rule and its cuts come to. */
static int64_t net_of(const struct earned *earned, const char *rule)
{
        size_t len = strlen(rule);
        int64_t net = 0;

        for (size_t i = 0; i < earned->explanation.n; i++) {
                const struct explained *one = &earned->explanation.v[i];
                if (strncmp(one->rule, rule, len) == 0 && (one->rule[len] == '\0' || one->rule[len] == ':'))
                        net += one->points;
        }
        return net;
}

static void expect_within(const struct earned *earned, const struct cap_limits *caps,
                          const struct caps_used *used, const char *rule, int64_t net)
{
        struct cap_room room = caps_room(caps, used, rule, may_20);
        int64_t counted = 0;

        EXPECT(net <= room.points);
        for (size_t i = 0; i < earned->counted.n; i++)
                if (strcmp(earned->counted.v[i].rule, rule) == 0)
                        counted += earned->counted.v[i].points;
        EXPECT_INT(counted, cap_limits_by_day(caps) && net > 0 ? net : 0);
}

TEST(caps_of_random_programmes_are_never_exceeded_and_the_entries_sum_up)
{
        static const char *const codes[RULES] = {"r0", "r1", "r2", "r3", "r4", "r5"};

        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct earning_rule rules[RULES] = {0};
                struct earn_line lines[LINES] = {0};
                struct caps_used used = {0};
                struct program program = {.earning = {rules, RULES}, .points.caps = caps_random()};
                size_t n = (size_t)test_between(1, LINES);
                int64_t sum = 0, shares = 0;

                for (size_t i = 0; i < RULES; i++) {
                        rules[i] = (struct earning_rule)RULE(codes[i], (unsigned)(RULE_BASE + i % 3),
                                                             .caps = caps_random());
                        rules[i].rate_millionths = i % 3 == 0 ? test_between(1, 3000000) : 0;
                        rules[i].factor_millionths = i % 3 == 1 ? test_between(100000, 5000000) : 0;
                        rules[i].points = i % 3 == 2 ? test_between(1, 300) : 0;
                        if (test_between(0, 1))
                                caps_count(&used, arena,
                                           &(struct cap_day){.day = {2026, 5, (uint8_t)test_between(19, 20)},
                                                             .rule = codes[i],
                                                             .points = test_between(1, 200)});
                }
                for (size_t i = 0; i < n; i++)
                        lines[i] = (struct earn_line){.paid_minor = test_between(0, 60000), .quantity = 1};
                struct earned earned = earn(arena, &program, lines, n, &used);
                for (size_t i = 0; i < earned.explanation.n; i++)
                        sum += earned.explanation.v[i].points;
                for (size_t i = 0; i < n; i++) {
                        shares += earned.line_points[i];
                        EXPECT(earned.line_points[i] >= 0);
                }
                EXPECT_INT(sum, earned.total);
                EXPECT_INT(shares, earned.total);
                for (size_t i = 0; i < RULES; i++)
                        expect_within(&earned, &rules[i].caps, &used, codes[i], net_of(&earned, codes[i]));
                expect_within(&earned, &program.points.caps, &used, CAPS_OF_PROGRAM, earned.total);
                arena_free(arena);
        }
}

TEST(caps_that_are_wide_enough_change_nothing)
{
        for (int round = 0; round < ROUNDS; round++) {
                struct arena *arena = arena_new();
                struct earn_line lines[LINES] = {0};
                struct earning_rule rules[] = {
                        RULE("base", RULE_BASE, .rate_millionths = test_between(1, 3000000)),
                        RULE("times", RULE_MULTIPLY, .factor_millionths = test_between(1000000, 5000000))};
                struct program program = {.earning = {rules, ARRAY_SIZE(rules)}};
                for (size_t i = 0; i < LINES; i++)
                        lines[i] = (struct earn_line){.paid_minor = test_between(0, 60000), .quantity = 1};
                struct earned free = earn(arena, &program, lines, LINES, NULL);
                rules[0].caps.per_order = (struct opt_int){true, INT64_C(1000000000)};
                rules[1].caps.per_order = (struct opt_int){true, free.total};
                struct earned capped = earn(arena, &program, lines, LINES, NULL);
                EXPECT_INT(capped.total, free.total);
                for (size_t i = 0; i < LINES; i++)
                        EXPECT_INT(capped.line_points[i], free.line_points[i]);
                arena_free(arena);
        }
}

TEST_MAIN
