/* Tiers of the default programme: up at once, down by refunds, windows of 12 months under a moving clock,
 * history in order. */
#include "test.h"
#include "till.h"

#include "tiers/tiers.h"

static struct fixture *shop;

static struct answer buy(const char *name, const char *customer, int64_t total)
{
        return till_take(
                shop,
                "{\"external_id\":\"%s\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},\"lines\":"
                "[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64 "}",
                name, customer, total, total);
}

static struct answer give_back(const char *order, const char *name, int64_t amount)
{
        return till_refund(shop, order,
                           "{\"external_id\":\"%s\",\"lines\":[{\"line_no\":1,\"amount_minor\":%" PRId64
                           "}]}",
                           name, amount);
}

/* The tier as it is shown; the arena's until the next step. */
static struct tier_view tier(const char *customer)
{
        struct ctx *c = fixture_ctx(shop);
        struct tier_view view = {0};

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(tier_get(c, customer, &view), ERR_OK);
        return view;
}

TEST(each_threshold_is_reached_exactly)
{
        struct answer a = buy("t1", "T", 49999);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "basic");
        EXPECT_INT(answer_int(&a, "tier.missing.0.missing_minor"), 1);
        a = buy("t2", "T", 1);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        a = buy("t3", "T", 100000);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "gold");
        a = buy("t4", "T", 149999);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "gold");
        a = buy("t5", "T", 1);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "diamond");
        EXPECT(answer_text(&a, "tier.next") == NULL);
        EXPECT_INT(answer_int(&a, "tier.missing"), 0);
        struct tier_view view = tier("ext:T");
        EXPECT_TEXT(view.code, "diamond");
        EXPECT_INT(view.until.us - view.since.us,
                   365 * INSTANT_DAY - 20 * 3600 * INSTANT_SECOND); /* midnight in Shanghai */
        EXPECT_INT(view.spend_minor, 300000);
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT string_agg(tier_before || '>' || tier_after, ' ' ORDER BY change_no) FROM tier_history h "
                        "JOIN customers c ON c.id = h.customer_id WHERE external_id = 'T'"),
                "basic>silver silver>gold gold>diamond");
}

TEST(one_large_order_rises_several_steps_at_once)
{
        struct answer a = buy("j1", "J", 500000);

        EXPECT_TEXT(answer_text(&a, "tier.after"), "diamond");
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM events WHERE type = 'tier.changed' AND payload->>'before' = 'basic' "
                        "AND payload->>'after' = 'diamond'"),
                1);
}

TEST(a_refund_lowers_the_tier_that_it_was_the_reason_for)
{
        EXPECT_INT(buy("r1", "R", 160000).err, ERR_OK);
        struct answer a = give_back("ext:r1", "1", 5000); /* 1550: still gold */
        EXPECT_TEXT(answer_text(&a, "tier.after"), "gold");
        a = give_back("ext:r1", "2", 5001); /* 1499.99 spent is too little, but a growth of 1500 keeps it */
        EXPECT_TEXT(answer_text(&a, "tier.after"), "gold");
        EXPECT_INT(answer_int(&a, "growth.total"), 1500);
        a = give_back("ext:r1", "3", 100);
        EXPECT_TEXT(answer_text(&a, "tier.before"), "gold");
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        a = give_back("ext:r1", "4", 149899);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "basic");
        EXPECT_INT(tier("ext:R").until.us, 0);
}

TEST(a_refund_lowers_nothing_before_the_end_of_the_cycle_when_the_programme_says_so)
{
        till_program(
                shop,
                "{\"earning\":[],\"cycle\":{\"after_refund\":\"cycle_end\"},\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"},"
                "{\"rank\":1,\"code\":\"silver\",\"name\":\"S\",\"qualify\":{\"any_of\":[{\"metric\":\"orders\",\"at_least\":2}]}}]}");
        EXPECT_INT(buy("e1", "E", 100).err, ERR_OK);
        struct answer a = buy("e2", "E", 100);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        a = give_back("ext:e2", "1", 100);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        EXPECT_INT(answer_int(&a, "tier.missing"), 0);
}

static const char by_window[] =
        "{\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000},"
        "{\"code\":\"growth\",\"target\":\"growth\",\"kind\":\"base\",\"rate_millionths\":1000000}],\"tiers\":["
        "{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"},{\"rank\":1,\"code\":\"silver\",\"name\":\"S\",\"qualify\":{\"any_of\":"
        "[{\"metric\":\"spend\",\"window_months\":12,\"at_least\":1000}]},\"keep\":{\"all_of\":"
        "[{\"metric\":\"growth\",\"window_months\":12,\"at_least\":10}]}}]}";

TEST(a_window_of_12_months_forgets_day_by_day)
{
        till_program(shop, by_window);
        till_clock(shop, "2026-11-21T12:00:00Z");
        EXPECT_INT(buy("w1", "W", 600).err, ERR_OK);
        till_clock(shop, "2027-11-20T12:00:00Z"); /* the last day on which the first order counts */
        struct answer a = buy("w2", "W", 399);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "basic");
        EXPECT_INT(answer_int(&a, "tier.missing.0.missing_minor"), 1);
        till_clock(shop, "2027-11-20T16:00:00Z"); /* midnight in Shanghai: it is gone */
        a = buy("w3", "W", 1);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "basic");
        EXPECT_INT(answer_int(&a, "tier.missing.0.missing_minor"), 600);
        till_clock(shop, "2027-11-20T15:59:59Z");
        a = buy("w4", "W", 1); /* a second before midnight it is there: 600 + 399 + 1 + 1 */
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
}

TEST(what_is_shown_moves_with_time_alone)
{
        till_program(shop, by_window);
        till_clock(shop, "2026-02-28T12:00:00Z");
        EXPECT_INT(buy("m1", "M", 1000).err, ERR_OK);
        struct tier_view view = tier("ext:M");
        EXPECT_TEXT(view.projected, "silver");
        EXPECT(view.keep.n == 1 && view.keep.v[0].met && view.keep.v[0].value == 10);
        till_clock(shop, "2027-02-27T15:59:59Z"); /* the cycle ends a second later, at midnight in Shanghai */
        view = tier("ext:M");
        EXPECT_TEXT(view.code, "silver");
        till_clock(shop, "2027-02-27T16:00:00Z"); /* nobody has come by to judge it */
        view = tier("ext:M");
        EXPECT_TEXT(view.code, "basic");
        EXPECT_TEXT(view.projected, "basic");
        EXPECT(view.keep.n == 0 && view.missing.n == 1 && view.missing.v[0].missing_minor.v == 1000);
}

TEST(history_is_judged_as_of_its_own_days)
{
        till_program(shop, by_window);
        till_clock(shop, "2026-11-21T12:00:00Z");
        /* two orders of 2019, sent today, oldest first: together they are worth a tier then */
        static const char *const days[] = {"2019-01-10", "2019-09-10"};
        struct answer a = {0};
        for (size_t i = 0; i < ARRAY_SIZE(days); i++)
                a = till_take(
                        shop,
                        "{\"backfill\":\"true\",\"external_id\":\"h%zu\",\"status\":\"paid\",\"customer\":{\"external_id\":\"H\"},"
                        "\"lines\":[{\"sku\":\"A\",\"total_minor\":500}],\"total_minor\":500,\"paid_at\":\"%sT04:00:00Z\"}",
                        i, days[i]);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "silver");
        EXPECT_TEXT(answer_text(&a, "order.counted_on"), "2019-09-10");
        EXPECT_TEXT(answer_text(&a, "segments.left.0"), "at_risk"); /* eight months later */
        EXPECT_TEXT(answer_text(&a, "segments.entered.0"), "repeat");
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM points_ledger WHERE created_at < '2020-01-01'"), 2);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM events WHERE occurred_at < '2020-01-01'"), 3);
        EXPECT_INT(
                till_int(shop, "SELECT count(*) FROM tier_history WHERE created_at = '2019-09-10T04:00:00Z'"),
                1);
}

TEST(without_backfill_an_old_date_is_the_day_of_the_money_not_of_the_event)
{
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"late\",\"status\":\"paid\",\"customer\":{\"external_id\":\"late\"},"
                "\"lines\":[{\"sku\":\"A\",\"total_minor\":5000}],\"total_minor\":5000,\"paid_at\":\"2024-05-05T00:00:00Z\"}");
        EXPECT_TEXT(answer_text(&a, "order.counted_on"), "2024-05-05");
        EXPECT_TEXT(answer_text(&a, "tier.after"), "basic"); /* outside the window of today */
        EXPECT_TEXT(answer_text(&a, "order.created_at"), "2026-11-21T12:00:00Z");
        EXPECT_INT(answer_int(&a, "points.earned"), 50);
}

TEST(refunding_an_old_order_goes_to_its_day)
{
        EXPECT_INT(give_back("ext:late", "1", 5000).err, ERR_OK);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT spend_minor + orders + growth FROM metric_days d JOIN customers c ON c.id = d.customer_id "
                        "WHERE external_id = 'late' AND day = '2024-05-05'"),
                0);
}

TEST(segments_follow_orders_and_silence)
{
        till_program(shop, by_window);
        till_clock(shop, "2026-01-01T00:00:00Z");
        struct answer a = buy("s1", "S", 100);
        EXPECT_TEXT(answer_text(&a, "segments.entered.0"), "new");
        a = buy("s2", "S", 100);
        EXPECT_TEXT(answer_text(&a, "segments.left.0"), "new");
        EXPECT_TEXT(answer_text(&a, "segments.entered.0"), "repeat");
        EXPECT_INT(buy("s3", "S", 100).err, ERR_OK);
        EXPECT_INT(buy("s4", "S", 100).err, ERR_OK);
        a = buy("s5", "S", 100);
        EXPECT_TEXT(answer_text(&a, "segments.entered.0"), "loyal");
        till_clock(shop, "2026-08-01T00:00:00Z");
        a = buy("s6", "S", 100);
        EXPECT_TEXT(answer_text(&a, "segments.left.0"), "at_risk");
        till_clock(shop, "2028-01-01T00:00:00Z");
        a = buy("s7", "S", 100);
        EXPECT_TEXT(answer_text(&a, "segments.left.0"), "lost");
        EXPECT_TEXT(answer_text(&a, "segments.entered.0"),
                    "repeat"); /* one order in 12 months is not loyal */
}

TEST(everything_is_sound_at_the_end)
{
        EXPECT(till_int(shop, "SELECT count(*) FROM tier_history") > 10);
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("tiers");
        int status = test_run_all();
        till_close(shop);
        return status;
}
