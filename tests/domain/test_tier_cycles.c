/* What time does to tiers: cycles, keeping, the ways to fall, grace, floors, notices, pins, outages. */
#include "test.h"
#include "till.h"

#include "customers/due.h"
#include "program/default.h"
#include "tiers/cycles.h"

static struct fixture *shop;

static struct answer buy(const char *customer, int64_t yuan)
{
        static int number;

        return till_take(
                shop,
                "{\"external_id\":\"o%d\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},\"lines\":"
                "[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64 "}",
                ++number, customer, yuan * 100, yuan * 100);
}

static void chore(enum err (*run)(struct ctx *c, const struct share *share, bool *ret_more))
{
        bool more = true;

        while (more) {
                struct ctx *c = fixture_ctx(shop);
                EXPECT_INT(db_ready(c), ERR_OK);
                EXPECT_INT(run(c, &(struct share){.most = 3}, &more), ERR_OK);
        }
}

/* Whatever is due at this time. */
static void time_is(const char *instant)
{
        till_clock(shop, instant);
        chore(tiers_give_notice);
        chore(tiers_judge_due);
        chore(tiers_unpin_due);
}

static struct tier_view tier(const char *customer)
{
        struct ctx *c = fixture_ctx(shop);
        struct tier_view view = {0};

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(tier_get(c, arena_printf(c->arena, "ext:%s", customer), &view), ERR_OK);
        return view;
}

/* The default programme with other settings of the cycle, and perhaps a floor at gold. */
static void program_with(const char *cycle, bool floor_at_gold)
{
        static char json[8192];
        const char *from = strstr(program_default_json, "\"cycle\":{"), *to = strchr(from, '}') + 1;
        const char *gold = strstr(to, "\"code\":\"gold\"");

        snprintf(json, sizeof json, "%.*s\"cycle\":{%s}%.*s%s%s", (int)(from - program_default_json),
                 program_default_json, cycle, (int)(gold - to), to, floor_at_gold ? "\"floor\":true," : "",
                 gold);
        till_program(shop, json);
}

static int64_t events(const char *type, const char *customer)
{
        return till_int(
                shop,
                "SELECT count(*) FROM events e JOIN customers c ON c.id = e.customer_id WHERE type = '%s' AND "
                "external_id = '%s'",
                type, customer);
}

TEST(a_tier_that_is_kept_goes_on_and_one_that_is_not_falls_one_step_a_cycle)
{
        program_with("\"cycle_months\":12", false);
        till_clock(shop, "2027-01-10T04:00:00Z");
        buy("keeps", 1500);
        buy("falls", 1500);
        till_clock(shop, "2027-12-20T04:00:00Z");
        buy("keeps", 100); /* 1,600 growth in the 12 months */
        till_clock(shop, "2028-01-09T15:59:00Z");
        chore(tiers_judge_due);
        EXPECT_TEXT(tier("falls").code, "gold");
        time_is("2028-01-09T16:00:00Z"); /* midnight in Shanghai */
        EXPECT_TEXT(tier("falls").code, "silver");
        EXPECT_TEXT(tier("keeps").code, "silver"); /* the first purchase lies a year and a day back by now */
        time_is("2029-01-10T16:00:00Z");
        EXPECT_TEXT(tier("falls").code, "silver"); /* 800 over the lifetime qualify for ever */
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT string_agg(cause, ' ' ORDER BY change_no) FROM tier_history h JOIN customers c "
                        "ON c.id = h.customer_id WHERE external_id = 'falls'"),
                "order cycle_end");
        EXPECT_INT(events("tier.changed", "falls"), 2);
}

TEST(growth_within_the_window_renews_the_cycle_without_a_change)
{
        program_with("\"cycle_months\":12", false);
        till_clock(shop, "2030-03-01T04:00:00Z");
        buy("renews", 600);
        till_clock(shop, "2030-08-01T04:00:00Z");
        buy("renews", 500);
        time_is("2031-03-01T04:00:00Z");
        struct tier_view view = tier("renews");
        char until[INSTANT_TEXT_SIZE];
        instant_format(view.until, until);
        EXPECT_TEXT(view.code, "silver");
        EXPECT_TEXT(until, "2032-02-29T16:00:00Z");
        EXPECT_INT(events("tier.changed", "renews"), 1);
}

TEST(reassessment_falls_to_what_is_met_and_none_keeps)
{
        program_with("\"downgrade\":\"reassess\"", false);
        till_clock(shop, "2033-01-10T04:00:00Z");
        buy("assessed", 3000); /* diamond, and for ever gold by 3,000 over the lifetime */
        time_is("2034-01-10T04:00:00Z");
        EXPECT_TEXT(tier("assessed").code, "gold");
        program_with("\"downgrade\":\"none\"", false);
        till_clock(shop, "2035-01-10T04:00:00Z");
        buy("held", 600);
        time_is("2036-01-10T04:00:00Z");
        EXPECT_TEXT(tier("held").code, "silver");
        EXPECT(tier("held").until.us > shop->ctx.now.us);
}

TEST(a_floor_is_never_passed_by_time)
{
        program_with("\"downgrade\":\"reassess\"", true);
        till_clock(shop, "2037-01-10T04:00:00Z");
        buy("floored", 1600);
        time_is("2039-01-11T04:00:00Z");
        EXPECT_TEXT(tier("floored").code, "gold");
}

TEST(grace_waits_and_a_purchase_in_it_still_keeps_the_tier)
{
        program_with("\"grace_days\":30", false);
        till_clock(shop, "2040-01-10T04:00:00Z");
        buy("late", 600);
        buy("never", 600);
        time_is("2041-01-20T04:00:00Z");
        EXPECT_TEXT(tier("late").code, "silver");
        buy("late", 500);
        time_is("2041-02-09T04:00:00Z");
        EXPECT_TEXT(tier("late").code, "silver");
        EXPECT_TEXT(tier("never").code, "basic");
}

/* One order within the cycle keeps the tier that 100 yuan bring. */
#define ONE_ORDER_KEEPS(cycle_)                                                                                                         \
        "{\"cycle\":{" cycle_                                                                                                           \
        "},\"earning\":[],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"},{\"rank\":1,"                                       \
        "\"code\":\"silver\",\"name\":\"S\",\"qualify\":{\"any_of\":[{\"metric\":\"spend\",\"window_months\":12,\"at_least\":10000}]}," \
        "\"keep\":{\"any_of\":[{\"metric\":\"orders\",\"window_months\":12,\"at_least\":1}]}}]}"

TEST(what_is_kept_at_the_end_of_its_cycle_does_not_fall_for_the_grace)
{
        till_program(shop, ONE_ORDER_KEEPS("\"grace_days\":30"));
        till_clock(shop, "2052-01-10T04:00:00Z");
        buy("graced", 100);
        till_clock(shop, "2052-01-20T04:00:00Z");
        buy("graced", 1); /* within the 12 months before the end, but not before the end of the grace */
        time_is("2053-02-20T04:00:00Z");
        EXPECT_TEXT(tier("graced").code, "silver");
        time_is("2054-02-20T04:00:00Z");
        EXPECT_TEXT(tier("graced").code, "basic");
}

TEST(what_is_bought_after_the_end_comes_too_late_whenever_it_is_judged)
{
        till_program(shop, ONE_ORDER_KEEPS("\"grace_days\":0"));
        till_clock(shop, "2054-01-10T04:00:00Z");
        buy("day_before", 100);
        buy("day_after", 100);
        till_clock(shop, "2055-01-09T15:59:00Z");
        buy("day_before", 1);
        till_clock(shop, "2055-01-10T04:00:00Z"); /* twelve hours after the end, and nobody has judged yet */
        buy("day_after", 1);
        time_is("2055-01-10T05:00:00Z");
        EXPECT_TEXT(tier("day_before").code, "silver");
        EXPECT_TEXT(tier("day_after").code, "basic");
}

/* What the grace shows is what its end brings. */
static void expect_projected(const char *customer, const char *begin, const char *in_grace, const char *after,
                             const char *code)
{
        till_clock(shop, begin);
        buy(customer, 1600);
        EXPECT_TEXT(tier(customer).projected, "gold");
        till_clock(shop, in_grace);
        EXPECT_TEXT(tier(customer).code, "gold");
        EXPECT_TEXT(tier(customer).projected, code);
        time_is(after);
        EXPECT_TEXT(tier(customer).code, code);
}

TEST(the_projected_tier_is_the_one_that_the_end_of_the_cycle_leaves)
{
        program_with("\"downgrade\":\"none\",\"grace_days\":10", false);
        expect_projected("never_falls", "2061-03-03T04:00:00Z", "2062-03-06T04:00:00Z",
                         "2062-03-20T04:00:00Z", "gold");
        program_with("\"downgrade\":\"reassess\",\"grace_days\":10", true);
        expect_projected("on_a_floor", "2063-03-03T04:00:00Z", "2064-03-06T04:00:00Z", "2064-03-20T04:00:00Z",
                         "gold");
        program_with("\"downgrade\":\"one_step\",\"grace_days\":10", false);
        expect_projected("by_a_step", "2065-03-03T04:00:00Z", "2066-03-06T04:00:00Z", "2066-03-20T04:00:00Z",
                         "silver");
        program_with("\"cycle_months\":12", false);
}

TEST(a_notice_comes_once_and_only_to_those_who_would_fall)
{
        program_with("\"notice_days\":30", false);
        till_clock(shop, "2042-01-10T04:00:00Z");
        buy("warned", 600);
        till_clock(shop, "2042-06-10T04:00:00Z");
        buy("safe", 300);
        buy("safe", 300);
        till_clock(shop, "2042-12-01T04:00:00Z");
        buy("safe", 500);
        time_is("2042-12-05T04:00:00Z");
        EXPECT_INT(events("tier.notice", "warned"), 0);
        time_is("2042-12-20T04:00:00Z");
        time_is("2042-12-21T04:00:00Z");
        EXPECT_INT(events("tier.notice", "warned"), 1);
        time_is("2043-05-20T04:00:00Z");
        EXPECT_INT(events("tier.notice", "safe"), 0);
}

TEST(a_refund_after_which_he_would_fall_gives_a_notice_though_he_was_safe_before)
{
        program_with("\"notice_days\":30", false);
        till_clock(shop, "2067-01-10T04:00:00Z");
        buy("gives_back", 510);
        till_clock(shop, "2067-06-10T04:00:00Z");
        till_take(
                shop,
                "{\"external_id\":\"late\",\"status\":\"paid\",\"customer\":{\"external_id\":\"gives_back\"},"
                "\"lines\":[{\"line_no\":1,\"sku\":\"A\",\"total_minor\":50000}],\"total_minor\":50000}");
        time_is("2067-12-20T04:00:00Z");
        EXPECT_INT(events("tier.notice", "gives_back"), 0);
        till_refund(shop, "ext:late",
                    "{\"external_id\":\"r1\",\"lines\":[{\"line_no\":1,\"amount_minor\":100}]}");
        time_is("2067-12-21T04:00:00Z");
        EXPECT_INT(events("tier.notice", "gives_back"), 0); /* he still would not */
        till_refund(shop, "ext:late",
                    "{\"external_id\":\"r2\",\"lines\":[{\"line_no\":1,\"amount_minor\":30000}]}");
        EXPECT_TEXT(tier("gives_back").code, "silver");
        time_is("2067-12-22T04:00:00Z");
        EXPECT_INT(events("tier.notice", "gives_back"), 1);
        till_refund(shop, "ext:late",
                    "{\"external_id\":\"r3\",\"lines\":[{\"line_no\":1,\"amount_minor\":100}]}");
        time_is("2067-12-23T04:00:00Z");
        EXPECT_INT(events("tier.notice", "gives_back"), 1); /* he knows */
        time_is("2068-01-11T04:00:00Z");
        EXPECT_TEXT(tier("gives_back").code, "basic");
}

/* Set a tier until then, or take it away. */
static void pin_gold(const char *customer, const char *until)
{
        struct ctx *c = fixture_ctx(shop);
        struct tier_pin pin = {.customer = customer, .tier = "gold", .reason = "a friend of the house"};
        TX(tx);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT(until == NULL || instant_parse(until, &pin.until));
        EXPECT_INT(until != NULL ? tier_pin(c, &pin) : tier_unpin(c, customer), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

TEST(a_fall_that_a_pin_hides_is_noticed_only_when_the_pin_goes)
{
        program_with("\"notice_days\":30", false);
        till_clock(shop, "2068-02-10T04:00:00Z");
        buy("covered", 600);
        buy("half_covered", 600);
        pin_gold("ext:covered", "2070-01-01T00:00:00Z");
        pin_gold("ext:half_covered", "2069-02-01T00:00:00Z"); /* before the cycle ends */
        time_is("2069-01-20T04:00:00Z");
        EXPECT_INT(events("tier.notice", "covered"), 0);
        EXPECT_INT(events("tier.notice", "half_covered"), 1);
        pin_gold("ext:covered", /* until= */ NULL);
        time_is("2069-01-21T04:00:00Z");
        EXPECT_INT(events("tier.notice", "covered"), 1);
        time_is("2069-02-02T04:00:00Z"); /* the other pin ends */
        EXPECT_INT(events("tier.unpinned", "half_covered"), 1);
}

TEST(anchors_decide_when_the_cycle_ends)
{
        char until[INSTANT_TEXT_SIZE];

        program_with("\"anchor\":\"calendar_year\"", false);
        till_clock(shop, "2044-05-05T04:00:00Z");
        buy("yearly", 600);
        instant_format(tier("yearly").until, until);
        EXPECT_TEXT(until, "2044-12-31T16:00:00Z");
        program_with("\"anchor\":\"joining\"", false);
        buy("joined", 1); /* joins on May 5 */
        till_clock(shop, "2045-06-01T04:00:00Z");
        buy("joined", 600);
        instant_format(tier("joined").until, until);
        EXPECT_TEXT(until, "2046-05-04T16:00:00Z");
}

TEST(an_outage_of_years_changes_no_result)
{
        program_with("\"cycle_months\":12", false);
        till_clock(shop, "2047-01-10T04:00:00Z");
        buy("daily", 600);
        buy("outage", 600);
        buy("asleep", 600);
        till_sql(
                shop,
                "CREATE TABLE kept AS SELECT s.* FROM tier_standings s JOIN customers c ON c.id = s.customer_id "
                "WHERE external_id IN ('outage', 'asleep')");
        time_is("2048-01-10T04:00:00Z");
        EXPECT_TEXT(tier("daily").code, "basic");
        /* nobody judged these two at the end of their cycle */
        till_sql(
                shop,
                "UPDATE tier_standings s SET tier = k.tier, since = k.since, until = k.until, changes = k.changes FROM "
                "kept k WHERE k.customer_id = s.customer_id");
        till_sql(
                shop,
                "DELETE FROM tier_history h USING kept k WHERE k.customer_id = h.customer_id AND change_no > 1");
        till_clock(shop, "2048-03-01T04:00:00Z");
        buy("daily", 200);
        buy("outage", 200);
        till_clock(shop, "2050-02-01T04:00:00Z");
        chore(tiers_judge_due);
        EXPECT_TEXT(tier("daily").code, "silver"); /* 800 over the lifetime */
        EXPECT_TEXT(tier("outage").code, "silver");
        EXPECT_TEXT(tier("asleep").code, "basic");
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT string_agg(tier_after, ' ' ORDER BY change_no) FROM tier_history h JOIN customers c "
                        "ON c.id = h.customer_id WHERE external_id = 'outage'"),
                "silver basic silver");
        till_sql(shop, "DROP TABLE kept");
}

TEST(a_pin_overrides_and_then_gives_back_what_was_earned_meanwhile)
{
        program_with("\"cycle_months\":12", false);
        till_clock(shop, "2050-01-10T04:00:00Z");
        buy("pinned", 10);
        struct ctx *c = fixture_ctx(shop);
        struct tier_pin pin = {.customer = "ext:pinned", .tier = "diamond", .reason = "a complaint"};
        EXPECT(instant_parse("2050-02-10T04:00:00Z", &pin.until));
        EXPECT_INT(db_ready(c), ERR_OK);
        {
                TX(tx);
                EXPECT_INT(tx_begin(c, &tx), ERR_OK);
                EXPECT_INT(tier_pin(c, &pin), ERR_OK);
                EXPECT_INT(tx_commit(&tx), ERR_OK);
        }
        struct tier_view view = tier("pinned");
        EXPECT_TEXT(view.code, "diamond");
        EXPECT_TEXT(view.earned, "basic");
        struct answer a = buy("pinned", 600);
        EXPECT_TEXT(answer_text(&a, "tier.after"), "diamond");
        till_clock(shop, "2050-02-10T04:00:00Z");
        EXPECT_TEXT(tier("pinned").code, "silver"); /* exact when read, before any chore */
        chore(tiers_unpin_due);
        EXPECT_INT(events("tier.pinned", "pinned"), 1);
        EXPECT_INT(events("tier.unpinned", "pinned"), 1);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM tier_standings WHERE pin_until IS NOT NULL"), 0);
}

TEST(everything_still_adds_up)
{
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("tier_cycles");
        int status = test_run_all();
        till_close(shop);
        return status;
}
