/* An order's life on a real database: what each state brings, replays, and calls that are refused. */
#include "test.h"
#include "till.h"

static struct fixture *shop;

#define LINE(total) "\"lines\":[{\"sku\":\"A\",\"total_minor\":" total "}],\"total_minor\":" total

/* An order of one line for a customer of the same name, so that tests do not meet. */
static struct answer send(const char *name, const char *status, int64_t total)
{
        return till_take(shop,
                         "{\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"C-%s\"},"
                         "\"lines\":[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64
                         "}",
                         name, status, name, total, total);
}

TEST(first_paid_order_answers_with_the_whole_outcome)
{
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"A-1001\",\"status\":\"paid\",\"channel\":\"search\",\"currency\":\"CNY\","
                "\"customer\":{\"external_id\":\"C-77\",\"name\":\"王小明\",\"phone\":\"13800138000\",\"birthday\":\"05-20\"},"
                "\"placed_at\":\"2026-11-01T10:00:00Z\",\"paid_at\":\"2026-11-01T10:01:00Z\","
                "\"lines\":[{\"line_no\":1,\"sku\":\"BAG-1\",\"name\":\"Bag\",\"category\":\"bags\",\"brand\":\"B\",\"quantity\":1,"
                "\"unit_price_minor\":60000,\"discount_minor\":0,\"total_minor\":60000,\"cost_minor\":30000}],"
                "\"shipping_minor\":0,\"discount_minor\":0,\"coupon\":null,\"points_hold\":null,\"total_minor\":60000}");

        EXPECT(a.err == ERR_OK && a.created && !a.replayed);
        EXPECT_TEXT(answer_text(&a, "order.status"), "paid");
        EXPECT_INT(answer_int(&a, "order.version"), 1);
        EXPECT_INT(answer_int(&a, "order.refunded_minor"), 0);
        EXPECT_TEXT(answer_text(&a, "order.counted_on"), "2026-11-01");
        EXPECT(answer_text(&a, "refund") == NULL);
        EXPECT_TEXT(answer_text(&a, "customer.external_id"), "C-77");
        EXPECT_INT(answer_int(&a, "customer.created"), true);
        EXPECT_INT(answer_int(&a, "points.earned"), 600);
        EXPECT_TEXT(answer_text(&a, "points.status"), "active");
        EXPECT_INT(answer_int(&a, "points.active"), 600);
        EXPECT_INT(answer_int(&a, "points.pending"), 0);
        EXPECT_INT(answer_int(&a, "points.explanation"), 1);
        EXPECT_TEXT(answer_text(&a, "points.explanation.0.rule"), "base");
        EXPECT_INT(answer_int(&a, "points.explanation.0.points"), 600);
        EXPECT_INT(answer_int(&a, "growth.earned"), 600);
        EXPECT_INT(answer_int(&a, "growth.total"), 600);
        EXPECT_TEXT(answer_text(&a, "tier.before"), "basic");
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        EXPECT_TEXT(answer_text(&a, "tier.next"), "gold");
        EXPECT_INT(answer_int(&a, "tier.missing"), 2);
        EXPECT_INT(answer_int(&a, "tier.missing.0.missing_minor"), 90000);
        EXPECT_INT(answer_int(&a, "tier.missing.0.window_months"), 12);
        EXPECT_INT(answer_int(&a, "tier.missing.1.missing_minor"), 190000);
        EXPECT_TEXT(answer_text(&a, "segments.entered.0"), "new");
        EXPECT_INT(answer_int(&a, "segments.left"), 0);
}

TEST(every_step_is_one_call_and_only_paid_counts)
{
        static const char *const steps[] = {"placed", "paid", "shipped", "delivered", "completed"};

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                struct answer a = send("walk", steps[i], 10000);
                EXPECT(a.err == ERR_OK && a.created == (i == 0) && !a.replayed);
                EXPECT_TEXT(answer_text(&a, "order.status"), steps[i]);
                EXPECT_INT(answer_int(&a, "order.version"), i + 1);
                EXPECT_INT(answer_int(&a, "points.earned"), i == 1 ? 100 : 0);
                EXPECT_INT(answer_int(&a, "points.active"), i == 0 ? 0 : 100);
                EXPECT_INT(answer_int(&a, "growth.total"), i == 0 ? 0 : 100);
                EXPECT_INT(answer_int(&a, "segments.entered"), i <= 1); /* inquiring, then new */
                EXPECT_INT(answer_int(&a, "segments.left"), i == 1);
        }
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM points_ledger l JOIN orders o ON o.id = l.order_id "
                                  "WHERE o.external_id = 'walk'"),
                   1);
        EXPECT_TEXT(till_text(shop, "SELECT string_agg(type, ' ' ORDER BY e.xid) FROM events e JOIN orders o "
                                    "ON o.id::text = e.payload->>'order_id' WHERE o.external_id = 'walk'"),
                    "order.placed order.paid order.shipped order.delivered order.completed");
}

TEST(an_order_may_start_in_any_state_that_counts)
{
        static const char *const states[] = {"paid", "shipped", "delivered", "completed"};

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                char name[32];
                snprintf(name, sizeof name, "start-%s", states[i]);
                struct answer a = send(name, states[i], 12345);
                EXPECT_INT(a.err, ERR_OK);
                EXPECT_INT(answer_int(&a, "points.earned"), 123);
                EXPECT(answer_text(&a, "order.paid_at") != NULL);
        }
}

TEST(states_only_go_forward_and_completed_is_not_cancelled)
{
        EXPECT_INT(send("back", "shipped", 5000).err, ERR_OK);
        struct answer a = send("back", "paid", 5000);
        EXPECT_INT(a.err, ERR_ORDER_STATE);
        EXPECT(strstr(a.problem, "\"known\":\"shipped\",\"sent\":\"paid\"") != NULL);
        EXPECT_INT(send("back", "completed", 5000).err, ERR_OK);
        EXPECT_INT(send("back", "cancelled", 5000).err, ERR_ORDER_STATE);
        EXPECT_TEXT(till_text(shop, "SELECT status FROM orders WHERE external_id = 'back'"), "completed");
        EXPECT_INT(till_int(shop, "SELECT version FROM orders WHERE external_id = 'back'"), 2);
}

TEST(cancelling_before_payment_moves_nothing)
{
        EXPECT_INT(send("drop", "placed", 5000).err, ERR_OK);
        struct answer a = send("drop", "cancelled", 5000);
        EXPECT_INT(a.err, ERR_OK);
        EXPECT_TEXT(answer_text(&a, "order.status"), "cancelled");
        EXPECT_INT(answer_int(&a, "order.refunded_minor"), 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM refunds r JOIN orders o ON o.id = r.order_id "
                                  "WHERE o.external_id = 'drop'"),
                   0);
        EXPECT_INT(send("drop", "paid", 5000).err, ERR_ORDER_STATE);
        EXPECT_INT(send("never", "cancelled", 5000).err, ERR_OK); /* unknown until now */
}

TEST(cancelling_a_paid_order_takes_everything_back)
{
        struct answer a = send("undo", "paid", 60000);

        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        a = send("undo", "cancelled", 60000);
        EXPECT_INT(a.err, ERR_OK);
        EXPECT_INT(answer_int(&a, "order.refunded_minor"), 60000);
        EXPECT_INT(answer_int(&a, "refund.amount_minor"), 60000);
        EXPECT_INT(answer_int(&a, "refund.lines.0.points"), 600);
        EXPECT_INT(answer_int(&a, "points.reversed"), 600);
        EXPECT_INT(answer_int(&a, "points.active"), 0);
        EXPECT_INT(answer_int(&a, "points.debt"), 0);
        EXPECT_INT(answer_int(&a, "growth.total"), 0);
        EXPECT_TEXT(answer_text(&a, "tier.before"), "silver");
        EXPECT_TEXT(answer_text(&a, "tier.after"), "basic");
        EXPECT_TEXT(answer_text(&a, "segments.left.0"), "new");
        EXPECT_INT(answer_int(&a, "segments.entered"), 0);
        a = till_refund(shop, "ext:undo", "{\"external_id\":\"late\",\"shipping_minor\":1}");
        EXPECT_INT(a.err, ERR_NOT_REFUNDABLE);
}

TEST(the_same_call_again_gets_the_same_answer_and_changes_nothing)
{
        struct answer first = send("again", "paid", 33300);
        EXPECT_INT(send("again", "delivered", 33300).err, ERR_OK);
        const char *before =
                till_text(shop, "SELECT xmin || '.' || version FROM orders WHERE external_id = 'again'");
        struct answer second =
                send("again", "paid", 33300); /* an earlier state, but a call that was answered */

        EXPECT(second.err == ERR_OK && second.replayed && !second.created);
        EXPECT_TEXT(second.outcome, first.outcome);
        EXPECT_TEXT(till_text(shop, "SELECT xmin || '.' || version FROM orders WHERE external_id = 'again'"),
                    before);
}

TEST(a_replay_leaves_the_customer_as_he_is_now)
{
        static const char order[] =
                "{\"external_id\":\"renamed\",\"customer\":{\"external_id\":\"C-renamed\",\"name\":\"Old\"}," LINE(
                        "100") "}";

        EXPECT_INT(till_take(shop, "%s", order).err, ERR_OK);
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"renamed-2\",\"customer\":{\"external_id\":\"C-renamed\",\"name\":\"New\"}," LINE(
                                "100") "}")
                        .err,
                ERR_OK);
        EXPECT(till_take(shop, "%s", order).replayed);
        EXPECT_TEXT(till_text(shop, "SELECT name || version FROM customers WHERE external_id = 'C-renamed'"),
                    "New2");
}

TEST(a_replay_is_answered_even_when_its_customer_would_be_refused_now)
{
        static const char order[] =
                "{\"external_id\":\"moved\",\"status\":\"paid\",\"customer\":{\"external_id\":\"C-moved\","
                "\"name\":\"Old Name\",\"phone\":\"13900000001\"}," LINE("100") "}";
        struct answer first = till_take(shop, "%s", order);

        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"moved-2\",\"customer\":{\"external_id\":\"C-moved\",\"name\":\"New Name\","
                        "\"phone\":\"13900000002\"}," LINE("100") "}")
                        .err,
                ERR_OK);
        /* the old number is somebody else's now */
        EXPECT_INT(till_take(shop, "{\"external_id\":\"moved-3\",\"customer\":{\"external_id\":\"C-other\","
                                   "\"phone\":\"13900000001\"}," LINE("100") "}")
                           .err,
                   ERR_OK);
        struct answer again = till_take(shop, "%s", order);
        EXPECT(again.err == ERR_OK && again.replayed);
        EXPECT_TEXT(again.outcome, first.outcome);
        EXPECT_TEXT(till_text(shop, "SELECT name FROM customers WHERE external_id = 'C-moved'"), "New Name");
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT c.external_id FROM customer_identities i JOIN customers c ON c.id = i.customer_id "
                        "WHERE value = '+8613900000001'"),
                "C-other");
        EXPECT_INT(till_int(shop, "SELECT version FROM customers WHERE external_id = 'C-moved'"), 2);
}

TEST(a_counted_order_keeps_its_content_and_the_differences_are_named)
{
        EXPECT_INT(send("fixed", "paid", 5000).err, ERR_OK);
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"fixed\",\"status\":\"paid\",\"customer\":{\"external_id\":\"C-fixed\"},"
                "\"lines\":[{\"sku\":\"B\",\"quantity\":2,\"total_minor\":4000}],"
                "\"shipping_minor\":100,\"total_minor\":4100}");
        EXPECT_INT(a.err, ERR_ORDER_DIFFERS);
        EXPECT(strstr(a.problem, "{\"pointer\":\"#/total_minor\",\"known\":\"5000\",\"sent\":\"4100\"}") !=
               NULL);
        EXPECT(strstr(a.problem, "{\"pointer\":\"#/shipping_minor\",\"known\":\"0\",\"sent\":\"100\"}") !=
               NULL);
        EXPECT(strstr(a.problem, "{\"pointer\":\"#/lines/0/sku\",\"known\":\"A\",\"sent\":\"B\"}") != NULL);
        EXPECT(strstr(a.problem, "{\"pointer\":\"#/lines/0/quantity\",\"known\":\"1\",\"sent\":\"2\"}") !=
               NULL);
        a = till_take(
                shop,
                "{\"external_id\":\"fixed\",\"status\":\"paid\",\"customer\":{\"external_id\":\"C-stranger\"}," LINE(
                        "5000") "}");
        EXPECT_INT(a.err, ERR_ORDER_DIFFERS);
        EXPECT(strstr(a.problem, "\"#/customer\"") != NULL);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM customers WHERE external_id = 'C-stranger'"), 0);
}

TEST(a_basket_that_is_not_paid_may_change)
{
        EXPECT_INT(send("basket", "placed", 5000).err, ERR_OK);
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"basket\",\"status\":\"paid\",\"customer\":{\"external_id\":\"C-basket\"},"
                "\"lines\":[{\"sku\":\"B\",\"total_minor\":2000},{\"sku\":\"C\",\"total_minor\":3001}],"
                "\"shipping_minor\":800,\"discount_minor\":1,\"total_minor\":5800}");
        EXPECT_INT(a.err, ERR_OK);
        EXPECT_INT(answer_int(&a, "points.earned"), 50); /* goods only: shipping earns nothing */
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM order_lines l JOIN orders o ON o.id = l.order_id "
                                  "WHERE o.external_id = 'basket'"),
                   2);
        EXPECT_INT(till_int(shop,
                            "SELECT sum(paid_minor) FROM order_lines l JOIN orders o ON o.id = l.order_id "
                            "WHERE o.external_id = 'basket'"),
                   5000);
}

TEST(the_same_state_with_another_time_is_no_second_payment)
{
        EXPECT_INT(send("known", "paid", 5000).err, ERR_OK);
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"known\",\"status\":\"paid\",\"customer\":{\"external_id\":\"C-known\"},"
                "\"shipped_at\":\"2026-11-21T13:00:00Z\"," LINE("5000") "}");
        EXPECT(a.err == ERR_OK && !a.replayed);
        EXPECT_INT(answer_int(&a, "points.earned"), 0);
        EXPECT_INT(answer_int(&a, "points.active"), 50);
        EXPECT_INT(answer_int(&a, "order.version"), 2);
        EXPECT_TEXT(answer_text(&a, "order.shipped_at"), "2026-11-21T13:00:00Z");
        EXPECT_INT(
                till_int(shop,
                         "SELECT count(*) FROM events e JOIN orders o ON o.id::text = e.payload->>'order_id' "
                         "WHERE o.external_id = 'known'"),
                1);
}

TEST(nulls_are_as_good_as_absent)
{
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"nulls\",\"status\":null,\"channel\":null,\"currency\":null,"
                "\"customer\":{\"external_id\":\"C-nulls\",\"source\":null,\"identities\":null},"
                "\"placed_at\":null,\"lines\":[{\"sku\":\"A\",\"quantity\":null,\"discount_minor\":null,"
                "\"total_minor\":700}],\"shipping_minor\":null,\"discount_minor\":null,\"total_minor\":700}");

        EXPECT_INT(a.err, ERR_OK);
        EXPECT_TEXT(answer_text(&a, "order.status"), "placed");
        EXPECT_TEXT(answer_text(&a, "order.channel"), "direct");
        EXPECT_INT(till_int(shop, "SELECT quantity FROM order_lines l JOIN orders o ON o.id = l.order_id "
                                  "WHERE o.external_id = 'nulls'"),
                   1);
}

TEST(the_longest_ids_in_any_script_are_taken)
{
        char id[4 * 200 + 1] = "";

        for (int i = 0; i < 200; i++)
                strcat(id, "\xF0\xA0\x80\x80"); /* U+20000, four bytes */
        struct answer a =
                till_take(shop,
                          "{\"external_id\":\"%s\",\"customer\":{\"external_id\":\"%s\",\"identities\":"
                          "[{\"kind\":\"taobao\",\"value\":\"%s\"}]}," LINE("1") ",\"status\":\"paid\"}",
                          id, id, id);
        EXPECT_INT(a.err, ERR_OK);
        char reference[sizeof id + 4];
        snprintf(reference, sizeof reference, "ext:%s", id);
        EXPECT_INT(till_refund(shop, reference,
                               "{\"external_id\":\"%s\",\"lines\":[{\"line_no\":1,\"quantity\":1}]}", id)
                           .err,
                   ERR_OK);
        EXPECT_INT(till_spend(shop, reference, 1), ERR_POINTS_TOO_FEW);
}

TEST(faults_of_the_content_come_all_at_once_and_leave_nothing)
{
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"bad\",\"customer\":{\"external_id\":\"C-bad\"},\"currency\":\"USD\","
                "\"lines\":[{\"line_no\":1,\"sku\":\"A\",\"unit_price_minor\":50,\"total_minor\":60},"
                "{\"line_no\":1,\"sku\":\"B\",\"total_minor\":40}],\"total_minor\":101}");

        EXPECT_INT(a.err, ERR_INVALID);
        EXPECT(strstr(a.problem, "#/lines/0/total_minor") != NULL &&
               strstr(a.problem, "the difference is 10") != NULL);
        EXPECT(strstr(a.problem, "#/lines/1/line_no") != NULL);
        EXPECT(strstr(a.problem, "\"#/total_minor\"") != NULL && strstr(a.problem, "#/currency") != NULL);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM customers WHERE external_id = 'C-bad'"), 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM orders WHERE external_id = 'bad'"), 0);
}

TEST(an_order_without_award_counts_but_earns_nothing)
{
        struct answer a = till_take(shop, "{\"award\":\"false\",\"external_id\":\"gift\",\"status\":\"paid\","
                                          "\"customer\":{\"external_id\":\"C-gift\"}," LINE("60000") "}");

        EXPECT_INT(answer_int(&a, "points.earned"), 0);
        EXPECT_TEXT(answer_text(&a, "points.status"), "none");
        EXPECT_INT(answer_int(&a, "growth.total"), 0);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver"); /* by spend */
}

TEST(everything_is_sound_at_the_end)
{
        EXPECT(till_int(shop, "SELECT count(*) FROM points_ledger") > 10);
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("states");
        int status = test_run_all();
        till_close(shop);
        return status;
}
