/* Points over time: pending until a state or a day, activation, spending, and what the API then shows. */
#include "test.h"
#include "till.h"

#include "points/points.h"

static struct fixture *shop;

static void pending(const char *how)
{
        char program[512];

        snprintf(
                program, sizeof program,
                "{\"points\":{%s,\"refund_policy\":\"unlimited\"},\"earning\":[{\"code\":\"base\",\"kind\":\"base\","
                "\"rate_millionths\":1000000}],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}",
                how);
        till_program(shop, program);
        till_clock(shop, "2026-11-21T12:00:00Z");
}

static struct answer send(const char *name, const char *customer, const char *status)
{
        return till_take(
                shop,
                "{\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"%s\"},\"lines\":"
                "[{\"sku\":\"A\",\"total_minor\":10000}],\"total_minor\":10000}",
                name, status, customer);
}

static int64_t balance(const char *customer, const char *column)
{
        return till_int(
                shop,
                "SELECT %s FROM points_accounts a JOIN customers c ON c.id = a.customer_id WHERE external_id = '%s'",
                column, customer);
}

TEST(points_wait_until_the_order_is_delivered)
{
        pending("\"pending\":\"delivered\"");
        struct answer a = send("d1", "D", "paid");
        EXPECT_TEXT(answer_text(&a, "points.status"), "pending");
        EXPECT_INT(answer_int(&a, "points.pending"), 100);
        EXPECT_INT(answer_int(&a, "points.active"), 0);
        EXPECT_INT(till_spend(shop, "ext:D", 1), ERR_POINTS_TOO_FEW);
        till_clock(shop, "2036-11-21T12:00:00Z");
        till_activate(shop); /* they wait for a state, not for a day */
        EXPECT_INT(balance("D", "pending"), 100);
        a = send("d1", "D", "shipped");
        EXPECT_INT(answer_int(&a, "points.pending"), 100);
        a = send("d1", "D", "delivered");
        EXPECT_INT(answer_int(&a, "points.pending"), 0);
        EXPECT_INT(answer_int(&a, "points.active"), 100);
        a = send("d1", "D", "completed");
        EXPECT_INT(answer_int(&a, "points.active"), 100);
        EXPECT_INT(till_spend(shop, "ext:D", 100), ERR_OK);
}

TEST(an_order_that_comes_as_delivered_or_skips_it_has_active_points)
{
        pending("\"pending\":\"delivered\"");
        struct answer a = send("d2", "D2", "delivered");
        EXPECT_TEXT(answer_text(&a, "points.status"), "active");
        EXPECT_INT(send("d3", "D3", "paid").err, ERR_OK);
        a = send("d3", "D3", "completed");
        EXPECT_INT(answer_int(&a, "points.active"), 100);
}

TEST(a_programme_that_waits_no_longer_for_a_state_lets_go_what_waits_with_the_delivery)
{
        static const char *const now_without[] = {"\"pending\":\"none\"",
                                                  "\"pending\":\"days\",\"pending_days\":9"};

        for (size_t i = 0; i < ARRAY_SIZE(now_without); i++) {
                const char *name = i == 0 ? "L0" : "L1";
                pending("\"pending\":\"completed\"");
                send(name, name, "paid");
                pending(now_without[i]);
                struct answer a = send(name, name, "shipped");
                EXPECT_INT(answer_int(&a, "points.pending"), 100);
                a = send(name, name, "delivered");
                EXPECT_INT(answer_int(&a, "points.pending"), 0);
                EXPECT_INT(answer_int(&a, "points.active"), 100);
        }
}

TEST(points_that_wait_for_their_day_wait_for_it_whatever_becomes_of_the_order)
{
        pending("\"pending\":\"days\",\"pending_days\":9");
        send("t1", "T", "paid");
        pending("\"pending\":\"delivered\"");
        struct answer a = send("t1", "T", "completed");
        EXPECT_INT(answer_int(&a, "points.pending"), 100);
        till_clock(shop, "2026-11-30T12:00:00Z");
        till_activate(shop);
        EXPECT_INT(balance("T", "active"), 100);
}

TEST(completed_waits_longer_than_delivered)
{
        pending("\"pending\":\"completed\"");
        EXPECT_INT(send("c1", "C", "paid").err, ERR_OK);
        struct answer a = send("c1", "C", "delivered");
        EXPECT_INT(answer_int(&a, "points.pending"), 100);
        a = send("c1", "C", "completed");
        EXPECT_INT(answer_int(&a, "points.active"), 100);
}

TEST(points_of_a_cancelled_order_never_become_active)
{
        pending("\"pending\":\"delivered\"");
        EXPECT_INT(send("x1", "X", "paid").err, ERR_OK);
        EXPECT_INT(send("x2", "X", "paid").err, ERR_OK);
        struct answer a = send("x1", "X", "cancelled");
        EXPECT_INT(answer_int(&a, "points.pending"), 100);
        EXPECT_INT(answer_int(&a, "points.debt"), 0);
        a = send("x2", "X", "delivered");
        EXPECT_INT(answer_int(&a, "points.active"), 100);
        EXPECT_INT(answer_int(&a, "points.pending"), 0);
}

TEST(points_of_several_customers_become_active_on_their_day_not_before)
{
        pending("\"pending\":\"days\",\"pending_days\":14");
        for (int i = 0; i < 5; i++) {
                char name[16];
                snprintf(name, sizeof name, "day-%d", i);
                EXPECT_INT(send(name, name, "paid").err, ERR_OK);
        }
        till_clock(shop, "2026-11-22T12:00:00Z");
        EXPECT_INT(send("day-late", "day-0", "paid").err, ERR_OK);
        till_clock(shop, "2026-12-05T11:59:59Z");
        till_activate(shop);
        EXPECT_INT(balance("day-0", "active"), 0);
        till_clock(shop, "2026-12-05T12:00:00Z");
        till_activate(shop);
        for (int i = 0; i < 5; i++) {
                char name[16];
                snprintf(name, sizeof name, "day-%d", i);
                EXPECT_INT(balance(name, "active"), 100);
                EXPECT_INT(balance(name, "pending"), i == 0 ? 100 : 0);
        }
        till_activate(shop); /* again: nothing more */
        EXPECT_INT(balance("day-0", "active"), 100);
        till_clock(shop, "2026-12-06T12:00:00Z");
        till_activate(shop);
        EXPECT_INT(balance("day-0", "active"), 200);
        EXPECT_INT(balance("day-0", "last_seq"), 4);
}

TEST(debt_is_paid_when_pending_points_become_active)
{
        pending("\"pending\":\"none\"");
        EXPECT_INT(send("b1", "B", "paid").err, ERR_OK);
        EXPECT_INT(till_spend(shop, "ext:B", 80), ERR_OK);
        EXPECT_INT(send("b1", "B", "cancelled").err, ERR_OK);
        EXPECT_INT(balance("B", "debt"), 80);
        pending("\"pending\":\"days\",\"pending_days\":1");
        struct answer a = send("b2", "B", "paid");
        EXPECT_INT(answer_int(&a, "points.debt"), 80);
        EXPECT_INT(answer_int(&a, "points.pending"), 100);
        till_clock(shop, "2026-11-23T12:00:00Z");
        till_activate(shop);
        EXPECT_INT(balance("B", "debt"), 0);
        EXPECT_INT(balance("B", "active"), 20);
}

TEST(spending_too_much_says_what_there_is_and_takes_nothing)
{
        pending("\"pending\":\"none\"");
        EXPECT_INT(send("s1", "S", "paid").err, ERR_OK);
        EXPECT_INT(till_spend(shop, "ext:S", 101), ERR_POINTS_TOO_FEW);
        EXPECT_INT(balance("S", "active"), 100);
        EXPECT_INT(till_spend(shop, "ext:S", 60), ERR_OK);
        EXPECT_INT(till_spend(shop, "ext:S", 41), ERR_POINTS_TOO_FEW);
        EXPECT_INT(till_spend(shop, "ext:S", 40), ERR_OK);
        EXPECT_INT(balance("S", "lifetime_spent"), 100);
        EXPECT_INT(till_spend(shop, "ext:nobody", 1), ERR_NOT_FOUND);
        EXPECT_INT(till_spend(shop, "S", 1), ERR_NOT_FOUND);
}

TEST(spending_draws_the_oldest_lot_first)
{
        EXPECT_INT(send("l1", "L", "paid").err, ERR_OK);
        EXPECT_INT(send("l2", "L", "paid").err, ERR_OK);
        EXPECT_INT(till_spend(shop, "ext:L", 130), ERR_OK);
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT string_agg(o.external_id || '=' || remaining, ' ' ORDER BY o.external_id) FROM points_lots l "
                        "JOIN orders o ON o.id = l.order_id WHERE o.external_id LIKE 'l_'"),
                "l1=0 l2=70");
}

TEST(balances_of_a_batch_are_read_together)
{
        struct ctx *c = fixture_ctx(shop);
        const char *names[] = {"ext:S", "ext:nobody", "ext:L", "?"};
        struct points_read reads[ARRAY_SIZE(names)];
        struct points_balance balances[ARRAY_SIZE(names)] = {0};
        struct ctx own[ARRAY_SIZE(names)];

        EXPECT_INT(db_ready(c), ERR_OK);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                own[i] = (struct ctx){.arena = c->arena, .now = c->now, .shop = c->shop};
                reads[i] = (struct points_read){.c = &own[i], .customer = names[i], .balance = &balances[i]};
        }
        EXPECT_INT(points_balances(c, reads, ARRAY_SIZE(names)), ERR_OK);
        EXPECT(reads[0].err == ERR_OK && balances[0].active == 0 && balances[0].lifetime_spent == 100);
        EXPECT_INT(reads[1].err, ERR_NOT_FOUND);
        EXPECT(reads[2].err == ERR_OK && balances[2].active == 70);
        EXPECT_INT(reads[3].err, ERR_NOT_FOUND);
        EXPECT(balances[2].next_expiries.n == 1 && balances[2].next_expiries.v[0].points == 70 &&
               !instant_known(balances[2].next_expiries.v[0].expires_at));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                problem_reset(&own[i]);
}

TEST(everything_is_sound_at_the_end)
{
        EXPECT(till_int(shop, "SELECT count(*) FROM points_ledger WHERE kind = 'activate'") > 5);
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("points");
        int status = test_run_all();
        till_close(shop);
        return status;
}
