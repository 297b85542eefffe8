/* Expressions that are refused, what they are told, and the page that explains the language. */
#include "test.h"

#include "expr_fixture.h"

/* All faults of a text, "code: detail" in one line each; in a buffer that the next call overwrites. */
static const char *faults(const char *text)
{
        static char lines[8192];
        struct fixture f = fixture_new();
        const struct expr *expr = NULL;
        size_t len = 0;

        lines[0] = '\0';
        enum err code = expr_compile(&f.c, "#/when", text, &fixture_names, &expr);
        EXPECT_INT(code, f.c.problem.fault_count > 0 ? ERR_INVALID : ERR_OK);
        EXPECT((expr == NULL) == (code != ERR_OK));
        for (size_t i = 0; i < f.c.problem.fault_count; i++) {
                const struct fault *fault = &f.c.problem.faults[i];
                EXPECT_TEXT(fault->pointer, "#/when");
                len += (size_t)snprintf(lines + len, sizeof lines - len, "%s%s: %s", i == 0 ? "" : "\n",
                                        fault->code, fault->detail);
        }
        fixture_free(&f);
        return lines;
}

TEST(expr_unknown_fields_are_guessed)
{
        EXPECT_TEXT(
                faults("first_order and catgory = 'bags'"),
                "expression_unknown_field: At character 17: there is no field catgory. Did you mean category?");
        EXPECT_TEXT(faults("Teir >= gold"),
                    "expression_unknown_field: At character 1: there is no field Teir. Did you mean tier?");
        EXPECT_TEXT(
                faults("order.totel > 1"),
                "expression_unknown_field: At character 1: there is no field order.totel. Did you mean order.total?");
        EXPECT_TEXT(
                faults("unit_price > 1"),
                "expression_unknown_field: At character 1: there is no field unit_price. Did you mean line.unit_price?");
        EXPECT_TEXT(faults("weather = 'fine'"),
                    "expression_unknown_field: At character 1: there is no field weather.");
}

TEST(expr_positions_count_characters)
{
        EXPECT_TEXT(faults("city = '北京' and x > 1"),
                    "expression_unknown_field: At character 17: there is no field x.");
        EXPECT_TEXT(faults("\n\tcity ="),
                    "expression_syntax: At character 9: a value should stand here, not the end of the text.");
}

TEST(expr_syntax_faults)
{
        static const struct {
                const char *text, *fault;
        } cases[] = {
                {"", "At character 1: a condition should stand here, not the end of the text."},
                {"   ", "At character 4: a condition should stand here, not the end of the text."},
                {"and first_order", "At character 1: a condition should stand here, not and."},
                {"first_order and",
                 "At character 16: a condition should stand here, not the end of the text."},
                {"first_order first_order",
                 "At character 13: and, or or the end should stand here, not first_order."},
                {"(first_order", "At character 13: ) should stand here, not the end of the text."},
                {"first_order)", "At character 12: and, or or the end should stand here, not )."},
                {"sku = 'a", "At character 7: the text that begins here has no closing quote."},
                {"sku = \"a\"",
                 "At character 7: a value should stand here, not \". Texts stand in single quotes."},
                {"growth == 1", "At character 9: a value should stand here, not =."},
                {"growth in 1", "At character 11: ( should stand here, not 1."},
                {"growth in ()", "At character 12: a value should stand here, not )."},
                {"growth in (1 2)", "At character 14: ) should stand here, not 2."},
                {"growth not 1", "At character 12: in should stand here, not 1."},
                {"growth between 1 or 2", "At character 18: and should stand here, not or."},
                {"growth > 30d", "At character 10: a value should stand here, not 30d."},
                {"growth > 1.", "At character 10: a value should stand here, not 1.."},
                {"sku is 'a'", "At character 8: known should stand here, not 'a'."},
                {"has 'staff'", "At character 5: tag should stand here, not 'staff'."},
                {"in ('a')", "At character 4: segment should stand here, not (."},
                {"joined_at < 3 days", "At character 19: ago should stand here, not the end of the text."},
                {"joined_at within 3",
                 "At character 18: a span of time such as 30 days should stand here, not 3."},
                {"joined_at within days",
                 "At character 18: a span of time such as 30 days should stand here, not days."},
                {"（first_order）",
                 "At character 1: a condition should stand here, not （. Outside quotes only plain ASCII signs have a meaning."},
                {"growth ＞ 1",
                 "At character 8: and, or or the end should stand here, not ＞. Outside quotes only plain ASCII signs have a meaning."},
                {"not", "At character 4: a condition should stand here, not the end of the text."},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *found = strstr(faults(cases[i].text), "expression_syntax: ");
                EXPECT(found != NULL);
                EXPECT_TEXT(found != NULL ? found + strlen("expression_syntax: ") : NULL, cases[i].fault);
        }
}

TEST(expr_type_faults)
{
        static const struct {
                const char *text, *fault;
        } cases[] = {
                {"order.total >= 'much'",
                 "At character 16: order.total is compared with an amount such as 1500.00, not with 'much'."},
                {"order.total = 1.005", "At character 15: CNY has at most 2 digits after the point."},
                {"growth > 1.5", "At character 10: a whole number should stand here, not 1.5."},
                {"growth = gold",
                 "At character 10: growth is compared with a whole number such as 3, not with gold."},
                {"category = 3",
                 "At character 12: line.category is compared with a text in single quotes such as 'bags', not with 3."},
                {"category = bags", "At character 12: a text is written in single quotes: 'bags'."},
                {"category < 'b'",
                 "At character 10: line.category is not asked this way; it is asked with = !=, in, contains or starts_with."},
                {"tier = 3", "At character 8: tier is compared with a tier such as gold, not with 3."},
                {"growth",
                 "At character 1: growth is not asked this way; it is asked with = != < <= > >=, between or in."},
                {"first_order = 1",
                 "At character 13: first_order is not asked this way; it is asked with its bare name, "
                 "or not and its name."},
                {"tags = 'x'",
                 "At character 6: tags is not asked this way; it is asked with has tag 'x' or in segment 'x'."},
                {"has tag staff",
                 "At character 9: tags is compared with a text in single quotes such as 'vip', not with staff."},
                {"joined_at = 3 days ago",
                 "At character 13: a moment is never met exactly; compare it with < <= > >= or between."},
                {"growth > 3 days ago",
                 "At character 10: growth is compared with a whole number such as 3, not with a moment."},
                {"joined_at < '2026-11-01'",
                 "At character 13: joined_at is compared with a date such as 2026-11-01 or a moment such as 180 days "
                 "ago, not with '2026-11-01'."},
                {"order.total is unknown", "At character 13: order.total is always known."},
                {"orders.count within 12 months >= 3",
                 "At character 14: orders.count is not asked this way; it is asked with = != < <= > >=, between or in."},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *found = faults(cases[i].text);
                EXPECT(strncmp(found, "expression_type: ", strlen("expression_type: ")) == 0);
                EXPECT(strstr(found, cases[i].fault) != NULL);
                if (strstr(found, cases[i].fault) == NULL)
                        printf("    %s\n    %s\n", cases[i].text, found);
        }
}

TEST(expr_value_faults)
{
        EXPECT_TEXT(faults("tier >= golden"),
                    "expression_value: At character 9: there is no tier golden. Did you mean gold?");
        EXPECT_TEXT(faults("order.channel in (live, 'serach')"),
                    "expression_value: At character 25: there is no channel serach. Did you mean search?");
        EXPECT_TEXT(faults("gender = other"), "expression_value: At character 10: there is no gender other.");
        EXPECT_TEXT(faults("growth > 1234567890123"),
                    "expression_value: At character 10: a number has at most 12 digits before the point.");
        EXPECT_TEXT(faults("growth between 5 and 1"),
                    "expression_value: At character 16: between takes the smaller value first.");
        EXPECT_TEXT(
                faults("joined_at < 2026-02-29"),
                "expression_value: At character 13: 2026-02-29 is no time; write a date as 2026-11-01, an instant as "
                "2026-11-01T10:00:00Z.");
        EXPECT(strstr(faults("joined_at < 2026-11-01T25:00:00Z"), "is no time") != NULL);
        EXPECT(strstr(faults("joined_at < 0001-01-01T00:00:00+08:00"), "is no time") != NULL);
        EXPECT_TEXT(faults("joined_at within 101 years"),
                    "expression_value: At character 18: from 0 to 100 years can be counted.");
        EXPECT_TEXT(faults("joined_at < -1 days ago"),
                    "expression_value: At character 13: from 0 to 36525 days can be counted.");
}

TEST(expr_names_that_the_shop_does_not_list_are_free)
{
        struct fixture f = fixture_new();
        const struct expr_names bare = {.tiers = NULL};
        const struct expr *expr = NULL;

        EXPECT_INT(expr_compile(&f.c, "#", "order.channel = anything and gender = 'x'", &bare, &expr),
                   ERR_OK);
        EXPECT_INT(expr_compile(&f.c, "#", "tier = gold", &bare, &expr), ERR_INVALID);
        fixture_free(&f);
}

TEST(expr_all_faults_but_syntax_come_at_once)
{
        EXPECT_TEXT(
                faults("catgory = 'a' and tier > golden and growth = 'x' and bogus between 1 and 'a'"),
                "expression_unknown_field: At character 1: there is no field catgory. Did you mean category?\n"
                "expression_value: At character 26: there is no tier golden. Did you mean gold?\n"
                "expression_type: At character 46: growth is compared with a whole number such as 3, not with 'x'.\n"
                "expression_unknown_field: At character 54: there is no field bogus.");
}

TEST(expr_faults_of_another_value_are_not_its_own)
{
        struct fixture f = fixture_new();
        const struct expr *expr = NULL;

        fault_body(&f.c, "#/name", "required", "must not be null");
        EXPECT_INT(expr_compile(&f.c, "#/when", "first_order", &fixture_names, &expr), ERR_OK);
        EXPECT(expr != NULL);
        EXPECT_INT(f.c.problem.fault_count, 1);
        fixture_free(&f);
}

/* count times part, between start and end; freed by the caller. */
static char *repeated(const char *start, const char *part, int count, const char *end)
{
        struct text text = {0};
        size_t len;

        text_puts(&text, start);
        for (int i = 0; i < count; i++)
                text_puts(&text, part);
        text_puts(&text, end);
        return text_take(&text, &len);
}

static bool fits(char *text)
{
        const char *found = faults(text);
        bool limited = strstr(found, "expression_limit: ") != NULL;

        EXPECT((*found == '\0') != limited);
        free(text);
        return !limited;
}

TEST(expr_limits)
{
        static char deep[400];

        EXPECT(fits(repeated("", "not ", EXPR_DEPTH_MAX, "first_order")));
        EXPECT(!fits(repeated("", "not ", EXPR_DEPTH_MAX + 1, "first_order")));
        EXPECT(!fits(repeated("", "not ", 400, "first_order")));
        snprintf(deep, sizeof deep, "first_order%.*s", EXPR_DEPTH_MAX, "))))))))))))))))))))))))))))))))");
        EXPECT(fits(repeated("", "(", EXPR_DEPTH_MAX, deep)));
        EXPECT(!fits(repeated("", "(", EXPR_DEPTH_MAX + 1, deep)));
        EXPECT(!fits(repeated("", "(", EXPR_CHARS_MAX, "")));
        EXPECT(fits(repeated("", "not(not(", EXPR_DEPTH_MAX / 4, "first_order))))))))))))))))")));
        /* Side by side is not deeper. */
        EXPECT(fits(repeated("first_order", " and (not first_order)", EXPR_DEPTH_MAX * 2, "")));
        /* One node for the condition and one for each value. */
        EXPECT(fits(repeated("growth in (1", ",1", EXPR_NODES_MAX - 2, ")")));
        EXPECT(!fits(repeated("growth in (1", ",1", EXPR_NODES_MAX - 1, ")")));
        EXPECT(fits(repeated("first_order", " ", EXPR_CHARS_MAX - (int)strlen("first_order"), "")));
        EXPECT(!fits(repeated("first_order", " ", EXPR_CHARS_MAX - (int)strlen("first_order") + 1, "")));
        EXPECT(fits(repeated("sku = '", "鱼", EXPR_CHARS_MAX - (int)strlen("sku = ''"), "'")));
}

TEST(expr_long_words_are_cut_in_faults)
{
        char *text = repeated("", "a", 500, " = 1");
        const char *found = faults(text);

        EXPECT(strstr(found, "expression_unknown_field: ") != NULL && strlen(found) < 200);
        free(text);
        text = repeated("growth = '", "鱼", 100, "'");
        found = faults(text);
        EXPECT(strstr(found, "鱼...") != NULL);
        EXPECT(strlen(found) < 250);
        free(text);
}

/* ---- the page for shop staff */

static char *read_page(void)
{
        FILE *file = fopen(PATRON_SOURCE_DIR "/docs/expressions.md", "rb");
        static char page[1 << 16];

        EXPECT(file != NULL);
        if (file == NULL)
                return NULL;
        size_t len = fread(page, 1, sizeof page - 1, file);
        fclose(file);
        page[len] = '\0';
        return page;
}

/* The next fenced block of a language: its text, and where to go on; NULL when there is none. */
static char *next_block(char **rest, const char *fence)
{
        char *start = strstr(*rest, fence),
             *end = start != NULL ? strstr(start + strlen(fence), "\n```") : NULL;

        if (end == NULL)
                return NULL;
        *end = '\0';
        *rest = end + 1;
        return start + strlen(fence);
}

TEST(expr_examples_of_the_page_compile)
{
        char *page = read_page();
        int examples = 0, refused = 0;

        for (char *rest = page, *text; page != NULL && (text = next_block(&rest, "```expression\n")) != NULL;
             examples++)
                EXPECT_TEXT(faults(text), "");
        page = read_page();
        for (char *rest = page, *text; page != NULL && (text = next_block(&rest, "```refused\n")) != NULL;
             refused++)
                EXPECT(*faults(text) != '\0');
        EXPECT(examples >= 10);
        EXPECT(refused >= 4);
}

TEST(expr_page_lists_every_field)
{
        const char *page = read_page();

        for (unsigned i = 0; page != NULL && i < FACT_COUNT_; i++) {
                char quoted[100];
                snprintf(quoted, sizeof quoted, "`%s`", expr_field_info((enum expr_field)i)->name);
                if (strstr(page, quoted) == NULL)
                        printf("    not in docs/expressions.md: %s\n", quoted);
                EXPECT(strstr(page, quoted) != NULL);
        }
}

TEST_MAIN
