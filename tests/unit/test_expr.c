/* The expression language, one behaviour at a time. Random expressions: test_expr_random.c. */
#include "test.h"

#include "base/money.h"
#include "expr_fixture.h"

/* Does the text hold for these facts? Says so when it does not even compile. */
static bool holds(const char *text, const struct expr_facts *facts)
{
        struct fixture f = fixture_new();
        const struct expr *expr = NULL;
        bool result = false;

        if (expr_compile(&f.c, "#/when", text, &fixture_names, &expr) == ERR_OK) {
                result = expr_true(expr, facts);
        } else {
                printf("  %s\n    %s\n", text, f.c.problem.faults[0].detail);
                test_faults++;
        }
        fixture_free(&f);
        return result;
}

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

static const char *printed(const char *text)
{
        static char canonical[8192];
        struct fixture f = fixture_new();
        const struct expr *expr = NULL;

        canonical[0] = '\0';
        if (expr_compile(&f.c, "#/when", text, &fixture_names, &expr) == ERR_OK) {
                struct text out = {0};
                expr_print(expr, &out);
                snprintf(canonical, sizeof canonical, "%s", out.data);
                text_free(&out);
        }
        fixture_free(&f);
        return canonical;
}

TEST(expr_numbers_compare)
{
        struct expr_facts facts = fixture_facts();

        expr_set_number(&facts, FACT_ORDERS_COUNT, 3);
        EXPECT(holds("orders.count = 3", &facts));
        EXPECT(!holds("orders.count = 4", &facts));
        EXPECT(holds("orders.count != 4", &facts));
        EXPECT(!holds("orders.count != 3", &facts));
        EXPECT(holds("orders.count < 4", &facts));
        EXPECT(!holds("orders.count < 3", &facts));
        EXPECT(holds("orders.count <= 3", &facts));
        EXPECT(!holds("orders.count <= 2", &facts));
        EXPECT(holds("orders.count > 2", &facts));
        EXPECT(!holds("orders.count > 3", &facts));
        EXPECT(holds("orders.count >= 3", &facts));
        EXPECT(!holds("orders.count >= 4", &facts));
        EXPECT(holds("orders.count between 3 and 5", &facts));
        EXPECT(holds("orders.count between 1 and 3", &facts));
        EXPECT(!holds("orders.count between 4 and 5", &facts));
        EXPECT(!holds("orders.count between 1 and 2", &facts));
        EXPECT(holds("orders.count in (1, 3)", &facts));
        EXPECT(!holds("orders.count in (1, 2)", &facts));
        EXPECT(holds("orders.count not in (1, 2)", &facts));
        EXPECT(!holds("orders.count not in (1, 3)", &facts));
        expr_set_number(&facts, FACT_ORDERS_COUNT, -7);
        EXPECT(holds("orders.count = -7 and orders.count < -6", &facts));
}

TEST(expr_money_is_written_in_major_units)
{
        struct expr_facts facts = fixture_facts();

        expr_set_number(&facts, FACT_ORDER_TOTAL, 150050);
        EXPECT(holds("order.total = 1500.50", &facts));
        EXPECT(holds("order.total = 1500.5", &facts));
        EXPECT(holds("order.total > 1500", &facts));
        EXPECT(!holds("order.total > 1500.50", &facts));
        EXPECT(holds("order.total between 1500.50 and 1500.51", &facts));
        expr_set_number(&facts, FACT_ORDER_TOTAL, -5);
        EXPECT(holds("order.total = -0.05", &facts));
}

TEST(expr_money_follows_the_currency)
{
        struct fixture f = fixture_new();
        struct shop shop = {.currency = "JPY"};
        struct expr_facts facts = fixture_facts();
        const struct expr *expr = NULL;
        struct text out = {0};

        f.c.shop = &shop;
        EXPECT_INT(expr_compile(&f.c, "#", "spend = 1500", &fixture_names, &expr), ERR_OK);
        expr_set_number(&facts, FACT_SPEND, 1500);
        EXPECT(expr_true(expr, &facts));
        expr_print(expr, &out);
        EXPECT_TEXT(out.data, "spend = 1500");
        EXPECT_INT(expr_compile(&f.c, "#", "spend = 1500.00", &fixture_names, &expr), ERR_INVALID);
        text_free(&out);
        fixture_free(&f);
        EXPECT_INT(money_digits("CNY"), 2);
        EXPECT_INT(money_digits("KWD"), 3);
        EXPECT_INT(money_digits("CLF"), 4);
        EXPECT_INT(money_digits("???"), 2);
}

TEST(expr_texts_compare_with_case)
{
        struct expr_facts facts = fixture_facts();

        expr_set_text(&facts, FACT_LINE_CATEGORY, "bags");
        expr_set_text(&facts, FACT_LINE_NAME, "L'Amour 限量 bag");
        EXPECT(holds("category = 'bags'", &facts));
        EXPECT(holds("line.category = 'bags'", &facts));
        EXPECT(!holds("category = 'Bags'", &facts));
        EXPECT(!holds("category = 'bag'", &facts));
        EXPECT(holds("category != 'shoes'", &facts));
        EXPECT(holds("category in ('shoes','bags')", &facts));
        EXPECT(!holds("category not in ('shoes','bags')", &facts));
        EXPECT(holds("line.name contains '限量'", &facts));
        EXPECT(!holds("line.name contains 'Bag'", &facts));
        EXPECT(holds("line.name starts_with 'L''Am'", &facts));
        EXPECT(!holds("line.name starts_with 'Amour'", &facts));
        EXPECT(holds("line.name contains ''", &facts));
}

TEST(expr_choices_need_no_quotes)
{
        struct expr_facts facts = fixture_facts();

        expr_set_text(&facts, FACT_ORDER_CHANNEL, "live");
        expr_set_text(&facts, FACT_GENDER, "female");
        EXPECT(holds("order.channel = live and order.channel = 'live'", &facts));
        EXPECT(holds("order.channel in (search, live) and gender = female", &facts));
        EXPECT(holds("order.channel starts_with 'li'", &facts));
}

TEST(expr_tiers_compare_by_rank)
{
        struct expr_facts facts = fixture_facts();

        expr_set_number(&facts, FACT_TIER, 2);
        EXPECT(holds("tier = gold", &facts));
        EXPECT(holds("tier = 'gold'", &facts));
        EXPECT(holds("tier >= silver and tier < diamond", &facts));
        EXPECT(!holds("tier > gold", &facts));
        EXPECT(holds("tier between basic and gold", &facts));
        EXPECT(holds("tier in (gold, diamond)", &facts));
        EXPECT(holds("tier not in (basic)", &facts));
}

TEST(expr_booleans_stand_alone)
{
        struct expr_facts facts = fixture_facts();

        expr_set_bool(&facts, FACT_FIRST_ORDER, true);
        expr_set_bool(&facts, FACT_BIRTHDAY_MONTH, false);
        EXPECT(holds("first_order", &facts));
        EXPECT(!holds("birthday_month", &facts));
        EXPECT(holds("not birthday_month", &facts));
        EXPECT(holds("birthday_month is known", &facts));
}

TEST(expr_sets_are_asked_for_members)
{
        struct expr_facts facts = fixture_facts();
        const char *tags[] = {"staff", "88VIP"};

        EXPECT(!holds("has tag 'staff'", &facts));
        EXPECT(!holds("in segment 'vip'", &facts));
        expr_set_texts(&facts, FACT_TAGS, tags, 2);
        EXPECT(holds("has tag 'staff' and has tag '88VIP'", &facts));
        EXPECT(!holds("has tag 'vip'", &facts));
        EXPECT(!holds("in segment 'staff'", &facts));
        expr_set_texts(&facts, FACT_SEGMENTS, tags, 1);
        EXPECT(holds("in segment 'staff' and not in segment '88VIP'", &facts));
        expr_set_texts(&facts, FACT_TAGS, NULL, 0);
        EXPECT(holds("not has tag 'staff'", &facts));
}

TEST(expr_and_binds_tighter_than_or)
{
        struct expr_facts facts = fixture_facts();

        expr_set_number(&facts, FACT_GROWTH, 1);
        EXPECT(holds("growth = 1 or growth = 2 and growth = 3", &facts));
        EXPECT(!holds("(growth = 1 or growth = 2) and growth = 3", &facts));
        EXPECT(holds("not growth = 2 and growth = 1", &facts));
        EXPECT(!holds("not (growth = 2 or growth = 1)", &facts));
        EXPECT(holds("not not growth = 1", &facts));
        EXPECT(!holds("growth between 0 and 2 and growth = 2", &facts));
        EXPECT(holds("growth = 2 OR NOT growth = 2", &facts));
}

TEST(expr_unknown_makes_every_comparison_false)
{
        static const char *const questions[] = {
                "brand = 'B'",
                "brand != 'B'",
                "brand in ('B')",
                "brand not in ('B')",
                "brand contains ''",
                "brand starts_with ''",
                "order.paid_at < 2999-01-01",
                "order.paid_at >= 1970-01-02",
                "order.paid_at within 100 years",
                "order.paid_at between 1970-01-02 and 2999-01-01",
                "birthday_month",
                "brand is known",
        };
        struct expr_facts facts = fixture_facts();

        for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
                char negated[200];
                snprintf(negated, sizeof negated, "not %s", questions[i]);
                EXPECT(!holds(questions[i], &facts));
                EXPECT(holds(negated, &facts));
        }
        EXPECT(holds("brand is unknown", &facts));
        expr_set_text(&facts, FACT_LINE_BRAND, "");
        EXPECT(holds("brand is known and brand = ''", &facts));
        expr_set_text(&facts, FACT_LINE_BRAND, NULL);
        EXPECT(holds("brand is unknown", &facts));
        expr_set_text(&facts, FACT_LINE_BRAND, "C");
        expr_set_unknown(&facts, FACT_LINE_BRAND);
        EXPECT(holds("brand is unknown", &facts));
}

static struct instant at(const char *text)
{
        struct instant instant = {0};

        EXPECT(instant_parse(text, &instant));
        return instant;
}

TEST(expr_a_date_is_the_whole_day_of_the_shop)
{
        struct expr_facts facts = fixture_facts();

        expr_set_instant(&facts, FACT_ORDER_PLACED_AT, at("2026-11-11T23:59:59.999999+08:00"));
        EXPECT(holds("order.placed_at = 2026-11-11", &facts));
        EXPECT(holds("order.placed_at <= 2026-11-11", &facts));
        EXPECT(holds("order.placed_at between 2026-11-01 and 2026-11-11", &facts));
        EXPECT(!holds("order.placed_at > 2026-11-11", &facts));
        EXPECT(holds("order.placed_at != 2026-11-12", &facts));
        expr_set_instant(&facts, FACT_ORDER_PLACED_AT, at("2026-11-12T00:00:00+08:00"));
        EXPECT(holds("order.placed_at > 2026-11-11", &facts));
        EXPECT(holds("order.placed_at = 2026-11-12", &facts));
        EXPECT(holds("order.placed_at = 2026-11-12T00:00:00+08:00", &facts));
        EXPECT(holds("order.placed_at = 2026-11-11T16:00:00Z", &facts));
        EXPECT(!holds("order.placed_at > 2026-11-11T16:00:00Z", &facts));
}

TEST(expr_moments_count_back_from_now)
{
        struct expr_facts facts = fixture_facts();

        facts.now = at("2026-07-31T12:00:00+08:00");
        expr_set_instant(&facts, FACT_LAST_ORDER_AT, at("2026-07-01T12:00:00+08:00"));
        EXPECT(holds("last_order_at <= 30 days ago", &facts));
        EXPECT(!holds("last_order_at < 30 days ago", &facts));
        EXPECT(holds("last_order_at > 31 days ago and last_order_at >= 720 hours ago", &facts));
        EXPECT(holds("last_order_at within 30 days", &facts));
        EXPECT(!holds("last_order_at within 29 days", &facts));
        EXPECT(holds("last_order_at between 5 weeks ago and 719 hours ago", &facts));
        /* The 31st of June is the 30th: that moment comes before the 1st of July. */
        EXPECT(holds("last_order_at > 1 month ago", &facts));
        EXPECT(holds("last_order_at < 0 days ago and last_order_at > 1 year ago", &facts));
        expr_set_instant(&facts, FACT_LAST_ORDER_AT, at("2026-06-30T12:00:00+08:00"));
        EXPECT(holds("last_order_at >= 1 month ago and last_order_at <= 1 month ago", &facts));
        expr_set_instant(&facts, FACT_LAST_ORDER_AT, at("2026-07-31T12:00:01+08:00"));
        EXPECT(!holds("last_order_at within 30 days", &facts)); /* it is yet to come */
}

TEST(expr_months_keep_the_time_of_day_over_a_clock_change)
{
        struct expr_facts facts = fixture_facts();

        facts.zone = &fixture_london;
        facts.now = at("2011-04-10T09:00:00+01:00");
        expr_set_instant(&facts, FACT_LAST_ORDER_AT, at("2011-03-10T09:00:00Z"));
        EXPECT(holds("last_order_at <= 1 month ago and last_order_at >= 1 month ago", &facts));
        EXPECT(holds("last_order_at < 30 days ago", &facts)); /* 31 days less one hour */
}

TEST(expr_weekday_and_hour_follow_the_shops_clock)
{
        struct expr_facts facts = fixture_facts();

        expr_set_placed_at(&facts, at("2026-11-01T15:59:59Z")); /* Sunday, one second before midnight */
        EXPECT(holds("order.weekday = 7 and order.hour = 23 and order.placed_at = 2026-11-01", &facts));
        expr_set_placed_at(&facts, at("2026-11-01T16:00:00Z"));
        EXPECT(holds("order.weekday = 1 and order.hour = 0", &facts));
        expr_set_placed_at(&facts, at("1969-12-28T16:00:00Z"));
        EXPECT(holds("order.weekday = 1 and order.hour = 0", &facts));
        facts.zone = &fixture_london;
        expr_set_placed_at(&facts, at("2011-03-27T10:30:00+01:00")); /* the day that lost an hour */
        EXPECT(holds("order.weekday = 7 and order.hour = 10", &facts));
}

TEST(expr_says_whose_fields_it_uses)
{
        struct fixture f = fixture_new();
        const struct expr *expr = NULL;

        EXPECT_INT(expr_compile(&f.c, "#", "sku = 'a' or order.total > 1", &fixture_names, &expr), ERR_OK);
        EXPECT(expr_uses(expr, EXPR_SCOPE_LINE) && expr_uses(expr, EXPR_SCOPE_ORDER));
        EXPECT(!expr_uses(expr, EXPR_SCOPE_CUSTOMER));
        EXPECT_INT(expr_compile(&f.c, "#", "has tag 'a'", &fixture_names, &expr), ERR_OK);
        EXPECT(expr_uses(expr, EXPR_SCOPE_CUSTOMER) && !expr_uses(expr, EXPR_SCOPE_LINE));
        fixture_free(&f);
}

TEST(expr_prints_canonical_text)
{
        EXPECT_TEXT(printed("  ( Sku='a''b' ) "), ""); /* fields are in lower case */
        EXPECT_TEXT(printed("  ( sku='a''b' ) "), "line.sku = 'a''b'");
        EXPECT_TEXT(printed("first_order OR (growth>1 AND NOT(growth in(1,2)))"),
                    "first_order or growth > 1 and not growth in (1, 2)");
        EXPECT_TEXT(printed("(first_order or growth>1)and(growth<9 and first_order)"),
                    "(first_order or growth > 1) and (growth < 9 and first_order)");
        EXPECT_TEXT(printed("not (first_order and growth != 1)"), "not (first_order and growth != 1)");
        EXPECT_TEXT(printed("spend between 1 and 2.5"), "spend between 1.00 and 2.50");
        EXPECT_TEXT(printed("spend = -0.05"), "spend = -0.05");
        EXPECT_TEXT(printed("tier not in (gold, 'basic')"), "tier not in ('gold', 'basic')");
        EXPECT_TEXT(printed("joined_at < 1 day ago or joined_at within 02 Weeks"),
                    "joined_at < 1 day ago or joined_at within 2 weeks");
        EXPECT_TEXT(printed("joined_at >= 2026-11-01T08:00:00+08:00 and joined_at<2026-12-01"),
                    "joined_at >= 2026-11-01T00:00:00Z and joined_at < 2026-12-01");
        EXPECT_TEXT(printed("coupon is known and not in segment 'x' and has tag 'y'"),
                    "coupon is known and not in segment 'x' and has tag 'y'");
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

TEST(expr_catalogue_is_complete)
{
        struct expr_facts facts = fixture_facts();

        for (unsigned i = 0; i < FACT_COUNT_; i++) {
                const struct expr_field_info *info = expr_field_info((enum expr_field)i);
                EXPECT(info->name[0] != '\0' && info->doc[strlen(info->doc) - 1] != ' ');
                EXPECT(info->nullable || info->type != EXPR_TEXT); /* texts may be missing */
                for (unsigned other = 0; other < i; other++)
                        EXPECT(strcmp(info->name, expr_field_info((enum expr_field)other)->name) != 0);
                if (info->nullable) {
                        char text[100];
                        snprintf(text, sizeof text, "%s is unknown", info->name);
                        EXPECT(holds(text, &facts));
                }
        }
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
