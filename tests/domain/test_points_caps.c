/* Caps on what orders earn, over orders, batches, days and refunds. */
#include "test.h"
#include "till.h"

static struct fixture *shop;

#define PROGRAM_TEXT(points_, rule_)                                                                         \
        "{\"points\":{" points_                                                                              \
        "},\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000" rule_              \
        "}],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}"
#define ORDER(id, customer, rest)                                                                            \
        "{\"external_id\":\"" id "\",\"status\":\"paid\",\"customer\":{\"external_id\":\"" customer          \
        "\"}," rest "}"
#define WORTH(total) "\"lines\":[{\"sku\":\"A\",\"total_minor\":" total "}],\"total_minor\":" total

static int64_t counted(const char *customer, const char *rule)
{
        return till_int(
                shop,
                "SELECT coalesce(sum(points), 0) FROM points_cap_days d JOIN customers c ON c.id = d.customer_id "
                "WHERE c.external_id = '%s' AND rule = '%s'",
                customer, rule);
}

TEST(the_orders_of_one_batch_share_the_cap_of_the_day)
{
        static const char *const orders[] = {
                ORDER("a-1", "a", WORTH("6000")), ORDER("b-1", "b", WORTH("6000")),
                ORDER("a-2", "a", WORTH("6000")), ORDER("a-3", "a", WORTH("6000"))};
        struct answer answers[ARRAY_SIZE(orders)];

        till_program(shop, PROGRAM_TEXT("\"caps\":{\"per_day\":100}", ""));
        till_clock(shop, "2026-05-20T04:00:00Z");
        EXPECT(till_take_all(shop, orders, ARRAY_SIZE(orders), answers));
        EXPECT_INT(answer_int(&answers[0], "points.earned"), 60);
        EXPECT_INT(answer_int(&answers[1], "points.earned"), 60);
        EXPECT_INT(answer_int(&answers[2], "points.earned"), 40);
        EXPECT_TEXT(answer_text(&answers[2], "points.explanation.1.rule"), "program:cap_per_day");
        EXPECT_INT(answer_int(&answers[2], "points.explanation.1.points"), -20);
        EXPECT_INT(answer_int(&answers[3], "points.earned"), 0);
        EXPECT_INT(counted("a", "program"), 100);
        till_clock(shop, "2026-05-20T15:59:59Z"); /* a second before the shop's midnight */
        struct answer late = till_take(shop, ORDER("a-4", "a", WORTH("6000")));
        EXPECT_INT(answer_int(&late, "points.earned"), 0);
        till_clock(shop, "2026-05-20T16:00:00Z");
        struct answer next = till_take(shop, ORDER("a-5", "a", WORTH("6000")));
        EXPECT_INT(answer_int(&next, "points.earned"), 60);
        EXPECT(till_sound(shop));
}

TEST(the_cap_of_a_rule_holds_for_the_month_of_the_shop)
{
        till_program(shop, PROGRAM_TEXT("", ",\"caps\":{\"per_month\":150}"));
        till_clock(shop, "2026-05-01T04:00:00Z");
        struct answer first = till_take(shop, ORDER("m-1", "m", WORTH("10000")));
        till_clock(shop, "2026-05-31T15:00:00Z");
        struct answer second = till_take(shop, ORDER("m-2", "m", WORTH("10000")));
        till_clock(shop, "2026-05-31T16:00:00Z"); /* June there */
        struct answer third = till_take(shop, ORDER("m-3", "m", WORTH("10000")));

        EXPECT_INT(answer_int(&first, "points.earned"), 100);
        EXPECT_INT(answer_int(&second, "points.earned"), 50);
        EXPECT_TEXT(answer_text(&second, "points.explanation.1.rule"), "base:cap_per_month");
        EXPECT_INT(answer_int(&third, "points.earned"), 100);
        EXPECT_INT(counted("m", "base"), 250);
        EXPECT_INT(counted("m", "program"), 0);
        EXPECT(till_sound(shop));
}

TEST(history_counts_in_its_own_month)
{
        till_program(shop, PROGRAM_TEXT("\"caps\":{\"per_month\":150}", ""));
        till_clock(shop, "2026-09-10T04:00:00Z");
        struct answer now = till_take(shop, ORDER("h-1", "h", WORTH("10000")));
        struct answer then = till_take(
                shop, "{\"backfill\":\"true\",\"external_id\":\"h-2\",\"status\":\"paid\","
                      "\"paid_at\":\"2026-08-10T04:00:00Z\",\"customer\":{\"external_id\":\"h\"}," WORTH(
                              "10000") "}");
        struct answer again = till_take(shop, ORDER("h-3", "h", WORTH("10000")));

        EXPECT_INT(answer_int(&now, "points.earned"), 100);
        EXPECT_INT(answer_int(&then, "points.earned"), 100);
        EXPECT_INT(answer_int(&again, "points.earned"), 50);
        EXPECT(till_sound(shop));
}

TEST(a_refund_takes_back_what_was_really_paid_and_opens_no_room)
{
        till_program(shop, PROGRAM_TEXT("\"caps\":{\"per_day\":100}", ""));
        till_clock(shop, "2026-07-20T04:00:00Z");
        struct answer order = till_take(
                shop,
                ORDER("r-1", "r",
                      "\"lines\":[{\"sku\":\"A\",\"total_minor\":30000},{\"sku\":\"B\",\"total_minor\":10000}],"
                      "\"total_minor\":40000"));
        struct answer half =
                till_refund(shop, "ext:r-1",
                            "{\"external_id\":\"1\",\"lines\":[{\"line_no\":1,\"amount_minor\":15000}]}");
        struct answer rest =
                till_refund(shop, "ext:r-1",
                            "{\"external_id\":\"2\",\"lines\":[{\"line_no\":1,\"amount_minor\":15000},"
                            "{\"line_no\":2,\"amount_minor\":10000}]}");
        struct answer more = till_take(shop, ORDER("r-2", "r", WORTH("5000")));

        EXPECT_INT(answer_int(&order, "points.earned"), 100);
        EXPECT_INT(answer_int(&half, "points.reversed"), 38); /* half of the line's 75 */
        EXPECT_INT(answer_int(&rest, "points.reversed"), 62);
        EXPECT_INT(answer_int(&more, "points.earned"), 0);
        EXPECT(till_sound(shop));
}

TEST(conditions_may_ask_for_shipping_discount_and_where_the_customer_came_from)
{
        till_program(shop,
                     PROGRAM_TEXT("", ",\"when\":\"order.shipping = 6.00 and order.discount >= 1.00 and "
                                      "source.campaign = 'spring' and district = 'Haidian'\""));
        till_clock(shop, "2026-10-20T04:00:00Z");
        struct answer yes = till_take(
                shop,
                "{\"external_id\":\"f-1\",\"status\":\"paid\",\"customer\":{\"external_id\":\"f\",\"district\":"
                "\"Haidian\",\"source\":{\"channel\":\"event\",\"campaign\":\"spring\"}},\"shipping_minor\":600,"
                "\"discount_minor\":100,\"lines\":[{\"sku\":\"A\",\"total_minor\":5100}],\"total_minor\":5600}");
        struct answer no = till_take(shop, ORDER("f-2", "f", WORTH("5000")));

        EXPECT_INT(answer_int(&yes, "points.earned"), 50);
        EXPECT_INT(answer_int(&no, "points.earned"), 0);
}

int main(void)
{
        shop = till_open("caps");
        int status = test_run_all();
        till_close(shop);
        return status;
}
