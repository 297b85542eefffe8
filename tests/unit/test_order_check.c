/* Is an order coherent, and how does it differ from the one that is known? */
#include "test.h"

#include "base/shape_json.h"
#include "orders/check.h"

static const struct zone_change utc[] = {{INT64_MIN, 0}};
static const struct shop shop = {.currency = "CNY", .zone = {"UTC", utc, 1}};
static struct ctx c;

static const struct order_in *order(const char *json)
{
        struct order_in *in;
        json_t *value;

        c = (struct ctx){.arena = arena_new(), .shop = &shop};
        instant_parse("2026-11-21T12:00:00Z", &c.now);
        in = ARENA_NEW(c.arena, struct order_in);
        EXPECT_INT(json_parse(&c, json, strlen(json), &value), ERR_OK);
        shape_decode(&c, &order_in_shape, value, in);
        json_decref(value);
        EXPECT_INT(problem_check(&c), ERR_OK);
        return in;
}

static void end(void)
{
        problem_reset(&c);
        arena_free(c.arena);
}

/* The faults of an order as "pointer code" lines. */
static void expect_faults(const char *json, const char *expected)
{
        struct text out = {0};

        order_check(&c, order(json));
        text_puts(&out, "");
        for (size_t i = 0; i < c.problem.fault_count; i++)
                text_printf(&out, "%s%s %s", i == 0 ? "" : ", ", c.problem.faults[i].pointer,
                            c.problem.faults[i].code);
        EXPECT_TEXT(out.data, expected);
        text_free(&out);
        end();
}

#define BODY(rest) "{\"external_id\":\"A\",\"customer\":{\"external_id\":\"C\"}," rest "}"
#define ONE        "\"lines\":[{\"sku\":\"S\",\"total_minor\":100}]"

TEST(totals_that_add_up_pass)
{
        expect_faults(BODY(ONE ",\"total_minor\":100"), "");
        expect_faults(BODY(ONE ",\"total_minor\":130,\"shipping_minor\":50,\"discount_minor\":20"), "");
        expect_faults(BODY(ONE ",\"total_minor\":0,\"discount_minor\":100"), "");
        expect_faults(
                BODY("\"lines\":[{\"sku\":\"S\",\"quantity\":3,\"unit_price_minor\":40,\"discount_minor\":20,\"total_minor\":100}],"
                     "\"total_minor\":100"),
                "");
        expect_faults(
                BODY("\"lines\":[{\"sku\":\"S\",\"quantity\":10000000,\"unit_price_minor\":100000,\"total_minor\":1000000000000}],"
                     "\"total_minor\":1000000000000"),
                "");
}

TEST(totals_that_do_not_add_up_are_named_with_the_difference)
{
        order_check(
                &c,
                order(BODY(
                        "\"lines\":[{\"sku\":\"S\",\"quantity\":3,\"unit_price_minor\":40,\"total_minor\":100}],"
                        "\"shipping_minor\":7,\"total_minor\":100")));
        EXPECT_INT(c.problem.fault_count, 2);
        EXPECT_TEXT(c.problem.faults[0].pointer, "#/lines/0/total_minor");
        EXPECT(strstr(c.problem.faults[0].detail, "must be 120") &&
               strstr(c.problem.faults[0].detail, "difference is -20"));
        EXPECT_TEXT(c.problem.faults[1].pointer, "#/total_minor");
        EXPECT(strstr(c.problem.faults[1].detail, "must be 107") &&
               strstr(c.problem.faults[1].detail, "difference is -7"));
        end();
}

TEST(discounts_and_products_have_their_bounds)
{
        expect_faults(BODY(ONE ",\"discount_minor\":101,\"total_minor\":0"), "#/discount_minor too_large");
        expect_faults(
                BODY("\"lines\":[{\"sku\":\"S\",\"unit_price_minor\":10,\"discount_minor\":11,\"total_minor\":0}],\"total_minor\":0"),
                "#/lines/0/discount_minor too_large");
        expect_faults(
                BODY("\"lines\":[{\"sku\":\"S\",\"quantity\":10000000,\"unit_price_minor\":1000000000000,\"total_minor\":0}],"
                     "\"total_minor\":0"),
                "#/lines/0/unit_price_minor too_large");
        expect_faults(
                BODY("\"lines\":[{\"sku\":\"S\",\"total_minor\":1000000000000},{\"sku\":\"T\",\"total_minor\":1}],"
                     "\"total_minor\":1000000000000"),
                "#/lines too_large");
}

TEST(numbers_of_lines_are_unique_given_or_counted)
{
        expect_faults(
                BODY("\"lines\":[{\"sku\":\"S\",\"total_minor\":1},{\"line_no\":1,\"sku\":\"T\",\"total_minor\":1}],\"total_minor\":2"),
                "#/lines/1/line_no duplicate");
        expect_faults(
                BODY("\"lines\":[{\"line_no\":7,\"sku\":\"S\",\"total_minor\":1},{\"sku\":\"S\",\"total_minor\":1},"
                     "{\"line_no\":7,\"sku\":\"T\",\"total_minor\":1}],\"total_minor\":3"),
                "#/lines/2/line_no duplicate");
        expect_faults(
                BODY("\"lines\":[{\"line_no\":2,\"sku\":\"S\",\"total_minor\":1},{\"line_no\":1,\"sku\":\"S\",\"total_minor\":1}],"
                     "\"total_minor\":2"),
                "");
}

TEST(times_follow_each_other_and_are_not_far_ahead)
{
        expect_faults(
                BODY(ONE
                     ",\"total_minor\":100,\"placed_at\":\"2026-11-20T00:00:00Z\",\"paid_at\":\"2026-11-20T00:00:00Z\","
                     "\"completed_at\":\"2026-11-22T11:00:00Z\""),
                "");
        expect_faults(
                BODY(ONE
                     ",\"total_minor\":100,\"placed_at\":\"2026-11-20T00:00:01Z\",\"delivered_at\":\"2026-11-20T00:00:00Z\""),
                "#/delivered_at too_early");
        expect_faults(BODY(ONE ",\"total_minor\":100,\"shipped_at\":\"2026-11-22T12:00:01Z\""),
                      "#/shipped_at in_future");
        expect_faults(
                BODY(ONE
                     ",\"total_minor\":100,\"paid_at\":\"2026-11-05T00:00:00Z\",\"shipped_at\":\"2026-11-04T00:00:00Z\","
                     "\"delivered_at\":\"2026-11-03T00:00:00Z\""),
                "#/shipped_at too_early, #/delivered_at too_early");
}

TEST(currency_is_the_shops)
{
        expect_faults(BODY(ONE ",\"total_minor\":100,\"currency\":\"CNY\""), "");
        expect_faults(BODY(ONE ",\"total_minor\":100,\"currency\":\"EUR\",\"points_hold\":\"h\""),
                      "#/currency unknown_value");
}

/* ------------------------------------------------------------------ differences */

static struct order_line stored_lines[] = {
        {.line_no = 2, .sku = "B", .quantity = 1, .total_minor = 40},
        {.line_no = 1,
         .sku = "A",
         .name = "Bag",
         .category = "bags",
         .brand = "X",
         .quantity = 2,
         .unit_price_minor = {true, 30},
         .cost_minor = {true, 10},
         .total_minor = 60},
};
static const struct order stored = {.total_minor = 105, .shipping_minor = 5, .coupon = "X"};

static size_t differences(const char *json)
{
        return order_differences(&c, &stored, /* hold= */ NULL, stored_lines, ARRAY_SIZE(stored_lines),
                                 order(json),
                                 /* referrer_id= */ (struct uuid){0});
}

#define LINE_A "{\"sku\":\"A\",\"quantity\":2,\"unit_price_minor\":30,\"total_minor\":60}"
#define LINE_B "{\"sku\":\"B\",\"total_minor\":40}"

TEST(the_same_content_has_no_differences)
{
        EXPECT_INT(differences(BODY("\"lines\":[" LINE_A "," LINE_B
                                    "],\"shipping_minor\":5,\"coupon\":\"X\",\"total_minor\":105")),
                   0);
        EXPECT_INT(c.problem.extra.len, 0);
        end();
        /* a unit price that only one side names is none, nor are later times and the state */
        EXPECT_INT(
                differences(BODY(
                        "\"lines\":[{\"sku\":\"A\",\"quantity\":2,\"total_minor\":60},{\"sku\":\"B\",\"unit_price_minor\":40,"
                        "\"total_minor\":40}],\"shipping_minor\":5,\"coupon\":\"X\",\"total_minor\":105,\"status\":\"shipped\","
                        "\"shipped_at\":\"2026-11-20T00:00:00Z\"")),
                0);
        end();
}

TEST(each_difference_is_named_with_both_values)
{
        EXPECT_INT(
                differences(BODY(
                        "\"lines\":[{\"sku\":\"A\",\"quantity\":1,\"unit_price_minor\":31,\"total_minor\":60},"
                        "{\"sku\":\"C\",\"total_minor\":41}],\"shipping_minor\":4,\"total_minor\":105")),
                6);
        EXPECT_TEXT(c.problem.extra.data,
                    ",\"differences\":[{\"pointer\":\"#/shipping_minor\",\"known\":\"5\",\"sent\":\"4\"},"
                    "{\"pointer\":\"#/coupon\",\"known\":\"X\",\"sent\":\"\"},"
                    "{\"pointer\":\"#/lines/0/quantity\",\"known\":\"2\",\"sent\":\"1\"},"
                    "{\"pointer\":\"#/lines/0/unit_price_minor\",\"known\":\"30\",\"sent\":\"31\"},"
                    "{\"pointer\":\"#/lines/1/sku\",\"known\":\"B\",\"sent\":\"C\"},"
                    "{\"pointer\":\"#/lines/1/total_minor\",\"known\":\"40\",\"sent\":\"41\"}]");
        end();
}

TEST(goods_described_otherwise_differ_and_what_one_side_leaves_out_does_not)
{
        EXPECT_INT(
                differences(BODY(
                        "\"lines\":[{\"sku\":\"A\",\"name\":\"Sack\",\"category\":\"sacks\",\"brand\":\"Y\",\"cost_minor\":11,"
                        "\"quantity\":2,\"total_minor\":60},{\"sku\":\"B\",\"name\":\"Hat\",\"cost_minor\":5,\"total_minor\":40}],"
                        "\"shipping_minor\":5,\"coupon\":\"X\",\"total_minor\":105")),
                4);
        EXPECT_TEXT(c.problem.extra.data,
                    ",\"differences\":[{\"pointer\":\"#/lines/0/name\",\"known\":\"Bag\",\"sent\":\"Sack\"},"
                    "{\"pointer\":\"#/lines/0/category\",\"known\":\"bags\",\"sent\":\"sacks\"},"
                    "{\"pointer\":\"#/lines/0/brand\",\"known\":\"X\",\"sent\":\"Y\"},"
                    "{\"pointer\":\"#/lines/0/cost_minor\",\"known\":\"10\",\"sent\":\"11\"}]");
        end();
}

TEST(lines_more_fewer_or_of_other_numbers_differ)
{
        EXPECT_INT(differences(BODY("\"lines\":[" LINE_A
                                    "],\"shipping_minor\":5,\"coupon\":\"X\",\"total_minor\":65")),
                   2);
        EXPECT(strstr(c.problem.extra.data, "{\"pointer\":\"#/lines\",\"known\":\"2\",\"sent\":\"1\"}") !=
               NULL);
        end();
        EXPECT_INT(differences(BODY("\"lines\":[" LINE_A
                                    ",{\"line_no\":3,\"sku\":\"B\",\"total_minor\":40}],\"shipping_minor\":5,"
                                    "\"coupon\":\"X\",\"total_minor\":105")),
                   1);
        EXPECT(strstr(c.problem.extra.data, "#/lines/1/line_no") != NULL);
        end();
}

/* ------------------------------------------------------------------ told apart by content */

static const char *content(const char *json)
{
        struct text out = {0};
        const struct order_in *in = order(json);

        shape_encode_content(&out, &order_in_shape, in);
        const char *copy = arena_strdup(c.arena, out.data);
        text_free(&out);
        return copy;
}

TEST(content_of_an_order_without_addresses_is_what_it_was_before_there_were_any)
{
        EXPECT(strstr(content(BODY(ONE ",\"total_minor\":100")), "addresses") == NULL);
        end();
        EXPECT(strstr(content("{\"external_id\":\"A\",\"customer\":{\"external_id\":\"C\",\"addresses\":[{\"name\":"
                              "\"home\",\"street\":\"s\"}]}," ONE ",\"total_minor\":100}"),
                      "\"addresses\":[{\"name\":\"home\"") != NULL);
        end();
}

TEST(content_of_an_order_without_a_source_is_what_it_was_before_there_were_any)
{
        static const char *const later[] = {"\"channel_detail\"", "\"campaign\"", "\"referrer\""};
        const char *without = content(BODY(ONE ",\"total_minor\":100"));
        EXPECT(strstr(without, later[0]) == NULL && strstr(without, later[2]) == NULL);
        EXPECT(strstr(without, "\"channel\":\"direct\",\"currency\"") != NULL);
        end();
        const char *with =
                content(BODY(ONE ",\"total_minor\":100,\"channel_detail\":\"d\",\"campaign\":\"c\","
                                 "\"referrer\":\"ext:R\""));
        for (size_t i = 0; i < ARRAY_SIZE(later); i++)
                EXPECT(strstr(with, later[i]) != NULL);
        end();
}

TEST_MAIN
