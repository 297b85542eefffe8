#include "test.h"

#include "base/shape_json.h"
#include "expr/expr.h"
#include "program/default.h"
#include "program/program.h"

static const struct shop shop = {.currency = "CNY"};

/* Decode a document; the faults of decoding and of compiling stay in c. */
static enum err program_read(struct ctx *c, const char *text, struct program *program)
{
        json_t *json = NULL;

        *c = (struct ctx){.arena = arena_new(), .shop = &shop};
        EXPECT(json_parse(c, text, strlen(text), &json) == ERR_OK);
        shape_decode(c, &program_shape, json, program);
        json_decref(json);
        TRY(problem_check(c));
        return program_compile(c, program);
}

static void program_end(struct ctx *c)
{
        problem_reset(c);
        arena_free(c->arena);
}

static bool has_fault(const struct ctx *c, const char *pointer, const char *code)
{
        for (size_t i = 0; i < c->problem.fault_count; i++)
                if (strcmp(c->problem.faults[i].pointer, pointer) == 0 &&
                    strcmp(c->problem.faults[i].code, code) == 0)
                        return true;
        return false;
}

TEST(program_that_was_stored_may_name_a_segment_that_there_is_not)
{
        struct program program = {0};
        struct ctx c;

        EXPECT_INT(
                program_read(
                        &c,
                        "{\"earning\":[{\"code\":\"a\",\"kind\":\"add\",\"points\":1,\"when\":\"in segment 'vip'\"}],"
                        "\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}",
                        &program),
                ERR_INVALID);
        EXPECT(has_fault(&c, "#/earning/0/when", "expression_value"));
        problem_reset(&c);
        EXPECT_INT(program_compile_stored(&c, &program), ERR_OK);
        EXPECT(!program.asks_tags && program.earning.v[0].condition != NULL);
        program_end(&c);
}

TEST(program_default_is_the_table_of_the_rules)
{
        const struct {
                const char *code, *name;
                int64_t yearly, lifetime, keep, discount, threshold, off, return_days;
        } table[] = {{"basic", "普通", 0, 0, 0, 20, 0, 0, 7},
                     {"silver", "银卡", 50000, 80000, 500, 50, 30000, 5000, 15},
                     {"gold", "金卡", 150000, 250000, 1500, 100, 50000, 12000, 30},
                     {"diamond", "钻石", 300000, 500000, 3000, 150, 100000, 30000, 30}};
        struct program program = {0};
        struct ctx c;

        EXPECT_INT(program_read(&c, program_default_json, &program), ERR_OK);
        EXPECT_INT(program.tiers.n, ARRAY_SIZE(table));
        for (size_t i = 0; i < ARRAY_SIZE(table) && i < program.tiers.n; i++) {
                const struct tier *tier = &program.tiers.v[i];
                EXPECT_TEXT(tier->code, table[i].code);
                EXPECT_TEXT(tier->name, table[i].name);
                EXPECT_INT(tier->benefits.discount_permille, table[i].discount);
                EXPECT_INT(tier->benefits.return_window_days, table[i].return_days);
                EXPECT_INT(tier->benefits.points_multiplier_permille, 1000);
                EXPECT_INT(tier->benefits.birthday_month_multiplier_permille, i == 3 ? 2000 : 1000);
                if (i == 0)
                        continue;
                EXPECT_INT(tier->qualify.any_of.v[0].metric, METRIC_SPEND);
                EXPECT_INT(tier->qualify.any_of.v[0].window_months.v, 12);
                EXPECT_INT(tier->qualify.any_of.v[0].at_least, table[i].yearly);
                EXPECT(!tier->qualify.any_of.v[1].window_months.set);
                EXPECT_INT(tier->qualify.any_of.v[1].at_least, table[i].lifetime);
                EXPECT_INT(tier->keep.all_of.v[0].metric, METRIC_GROWTH);
                EXPECT_INT(tier->keep.all_of.v[0].at_least, table[i].keep);
                EXPECT_INT(tier->benefits.full_reduction.v[0].threshold_minor, table[i].threshold);
                EXPECT_INT(tier->benefits.full_reduction.v[0].off_minor, table[i].off);
        }
        EXPECT_INT(program_tier(&program, "gold"), 2);
        EXPECT_INT(program_tier(&program, "platinum"), -1);
        EXPECT_INT(program_window_months(&program), 12);
        program_end(&c);
}

TEST(program_compile_makes_conditions_ready)
{
        const char *text =
                "{\"tiers\":[{\"rank\":0,\"code\":\"a\",\"name\":\"A\"},"
                "{\"rank\":1,\"code\":\"b\",\"name\":\"B\",\"qualify\":{\"all_of\":[{\"metric\":\"orders\","
                "\"window_months\":30,\"at_least\":2}]}}],"
                "\"earning\":[{\"code\":\"twice\",\"kind\":\"multiply\",\"factor_millionths\":2000000,"
                "\"when\":\"tier >= b and category = 'bags'\"}]}";
        struct program program = {0};
        struct expr_facts facts = {0};
        struct ctx c;

        EXPECT_INT(program_read(&c, text, &program), ERR_OK);
        expr_set_number(&facts, FACT_TIER, 1);
        expr_set_text(&facts, FACT_LINE_CATEGORY, "bags");
        EXPECT(expr_true(program.earning.v[0].condition, &facts));
        expr_set_number(&facts, FACT_TIER, 0);
        EXPECT(!expr_true(program.earning.v[0].condition, &facts));
        EXPECT_INT(program_window_months(&program), 30);
        program_end(&c);
}

TEST(program_goods_repaired_for_life_are_told_by_their_line)
{
        static const struct {
                const char *goods;
                enum err err;
        } cases[] = {{"category = 'bags' and line.quantity >= 2", ERR_OK},
                     {"order.total >= 10.00", ERR_INVALID},
                     {"category = 'bags' or city = 'x'", ERR_INVALID}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[400];
                struct program program = {0};
                struct ctx c;
                snprintf(
                        text, sizeof text,
                        "{\"tiers\":[{\"rank\":0,\"code\":\"t\",\"name\":\"T\",\"benefits\":{\"lifetime_repair\":true,"
                        "\"lifetime_repair_goods\":\"%s\"}}]}",
                        cases[i].goods);
                EXPECT_INT(program_read(&c, text, &program), cases[i].err);
                EXPECT(has_fault(&c, "#/tiers/0/benefits/lifetime_repair_goods", "not_allowed") ==
                       (cases[i].err == ERR_INVALID));
                problem_reset(&c);
                arena_free(c.arena);
        }
}

TEST(program_compile_names_every_fault_at_once)
{
        const char *text =
                "{\"points\":{\"pending\":\"days\"},"
                "\"earning\":["
                "{\"code\":\"x\",\"kind\":\"base\",\"factor_millionths\":1,\"points\":1},"
                "{\"code\":\"x\",\"kind\":\"multiply\",\"rate_millionths\":1},"
                "{\"code\":\"tier_points\",\"kind\":\"add\",\"when\":\"colour = 'red'\","
                "\"valid_from\":\"2026-02-01\",\"valid_until\":\"2026-01-31\"}],"
                "\"tiers\":[{\"rank\":1,\"code\":\"t\",\"name\":\"T\","
                "\"qualify\":{\"any_of\":[{\"metric\":\"orders\",\"at_least\":1}]}},"
                "{\"rank\":1,\"code\":\"t\",\"name\":\"T\",\"benefits\":{\"lifetime_repair_goods\":\"category =\","
                "\"full_reduction\":[{\"threshold_minor\":10,\"off_minor\":10},"
                "{\"threshold_minor\":10,\"off_minor\":11}]}}]}";
        const char *const expected[][2] = {{"#/points/pending_days", "required"},
                                           {"#/earning/0/rate_millionths", "required"},
                                           {"#/earning/0/factor_millionths", "not_for_kind"},
                                           {"#/earning/0/points", "not_for_kind"},
                                           {"#/earning/1/code", "duplicate"},
                                           {"#/earning/1/rate_millionths", "not_for_kind"},
                                           {"#/earning/1/factor_millionths", "required"},
                                           {"#/earning/2/code", "reserved"},
                                           {"#/earning/2/points", "required"},
                                           {"#/earning/2/valid_until", "too_small"},
                                           {"#/earning/2/when", "expression_unknown_field"},
                                           {"#/tiers/0/rank", "out_of_order"},
                                           {"#/tiers/0/qualify", "not_allowed"},
                                           {"#/tiers/1/code", "duplicate"},
                                           {"#/tiers/1/qualify", "required"},
                                           {"#/tiers/1/benefits/full_reduction/1/off_minor", "too_large"},
                                           {"#/tiers/1/benefits/lifetime_repair_goods", "not_allowed"},
                                           {"#/tiers/1/benefits/lifetime_repair_goods", "expression_syntax"}};
        struct program program = {0};
        struct ctx c;

        EXPECT_INT(program_read(&c, text, &program), ERR_INVALID);
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                if (!has_fault(&c, expected[i][0], expected[i][1])) {
                        printf("  missing: %s %s\n", expected[i][0], expected[i][1]);
                        test_faults++;
                }
        EXPECT_INT(c.problem.fault_count, ARRAY_SIZE(expected));
        program_end(&c);
}

TEST(program_compile_refuses_days_without_pending_days)
{
        const char *text = "{\"points\":{\"pending\":\"none\",\"pending_days\":3},"
                           "\"tiers\":[{\"rank\":0,\"code\":\"a\",\"name\":\"A\"}]}";
        struct program program = {0};
        struct ctx c;

        EXPECT_INT(program_read(&c, text, &program), ERR_INVALID);
        EXPECT_INT(c.problem.fault_count, 1);
        EXPECT(has_fault(&c, "#/points/pending_days", "not_allowed"));
        program_end(&c);
}

TEST_MAIN
