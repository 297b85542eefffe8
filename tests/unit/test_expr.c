/* What expressions mean, one behaviour at a time. What is refused: test_expr_faults.c; random ones:
 * test_expr_random.c. */
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

TEST_MAIN
