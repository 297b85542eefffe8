/* The nightly judging of tiers: once whoever runs it and how often, and the same after days without any. */
#include "test.h"
#include "till.h"

#include <pthread.h>

#include "customers/due.h"
#include "tiers/cycles.h"

#define CUSTOMERS 6
#define DAYS      (3 * 365)
#define STEP_DAYS 10
#define FIRST_DAY 20454 /* 2026-01-01 */
#define CROWD     120

static void judge_all(struct ctx *c, const struct share *share)
{
        static enum err (*const chores[])(struct ctx *, const struct share *,
                                          bool *) = {tiers_judge_due, tiers_give_notice, tiers_unpin_due};

        for (size_t i = 0; i < ARRAY_SIZE(chores); i++)
                for (bool more = true; more;)
                        EXPECT_INT(chores[i](c, share, &more), ERR_OK);
}

static void night(struct fixture *at)
{
        struct ctx *c = fixture_ctx(at);

        EXPECT_INT(db_ready(c), ERR_OK);
        judge_all(c, &(struct share){.most = 4, .half = HALF_ODD});
        judge_all(c, &(struct share){.most = 4, .half = HALF_EVEN});
}

static void clock_day(struct fixture *at, int64_t day)
{
        char text[INSTANT_TEXT_SIZE];

        instant_format((struct instant){(FIRST_DAY + day) * INSTANT_DAY + 5 * 3600 * INSTANT_SECOND}, text);
        till_clock(at, text);
}

static void buy(struct fixture *at, const char *customer, int order, int64_t minor)
{
        EXPECT_INT(
                till_take(
                        at,
                        "{\"external_id\":\"o%d\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},"
                        "\"lines\":[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64
                        "}",
                        order, customer, minor, minor)
                        .err,
                ERR_OK);
}

/* Everything that judging leaves, with the moments as of which it was judged. */
static const char *state_of(struct fixture *at)
{
        return till_text(
                at,
                "SELECT coalesce((SELECT string_agg(format('%%s:%%s %%s-%%s %%s', external_id, tier, since, until, changes), "
                "E'\\n' ORDER BY external_id) FROM tier_standings s JOIN customers c ON c.id = s.customer_id), '') || E'\\n' || "
                "coalesce((SELECT string_agg(format('%%s %%s: %%s>%%s %%s %%s', external_id, change_no, tier_before, tier_after, "
                "cause, h.created_at), E'\\n' ORDER BY external_id, change_no) FROM tier_history h "
                "JOIN customers c ON c.id = h.customer_id), '') || E'\\n' || "
                "(SELECT count(*) FROM events WHERE type = 'tier.changed')");
}

#define TIER(rank_, code_, metric_, at_least_, floor_)                                                       \
        ",{\"rank\":" rank_ ",\"code\":\"" code_ "\",\"name\":\"N\",\"floor\":" floor_                       \
        ",\"qualify\":{\"any_of\":[{\"metric\":\"spend\",\"window_months\":6,\"at_least\":" at_least_        \
        "}]},\"keep\":{\"all_of\":[{\"metric\":\"" metric_ "\",\"window_months\":3,\"at_least\":3}]}}"
#define PROGRAM_TEXT(cycle_, floor_)                                                                                \
        "{\"earning\":[{\"code\":\"growth\",\"target\":\"growth\",\"kind\":\"base\",\"rate_millionths\":1000000}]," \
        "\"cycle\":{\"cycle_months\":4," cycle_                                                                     \
        "},\"tiers\":[{\"rank\":0,\"code\":\"a\",\"name\":\"N\"}" TIER("1", "b", "growth", "1000", floor_)          \
                TIER("2", "c", "orders", "4000", "false") TIER("3", "d", "spend", "9000", "false") "]}"

TEST(days_without_any_judging_change_no_result)
{
        static const char *const programs[] = {
                PROGRAM_TEXT("\"anchor\":\"tier_start\",\"downgrade\":\"one_step\",\"grace_days\":10",
                             "false"),
                PROGRAM_TEXT("\"anchor\":\"joining\",\"downgrade\":\"reassess\"", "true"),
                PROGRAM_TEXT("\"anchor\":\"calendar_year\",\"downgrade\":\"one_step\",\"grace_days\":33",
                             "true"),
                PROGRAM_TEXT("\"anchor\":\"calendar_year\",\"downgrade\":\"none\"", "false")};
        int64_t fallen = 0;

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                struct fixture *nightly = till_open("nightly"), *away = till_open("away");
                int64_t away_until = 0;
                int order = 0;
                till_program(nightly, programs[i]);
                till_program(away, programs[i]);
                for (int64_t day = 0; day < DAYS; day += STEP_DAYS) {
                        clock_day(nightly, day);
                        clock_day(away, day);
                        night(nightly);
                        if (day < away_until)
                                continue; /* nobody sells where nothing runs */
                        night(away);
                        if (test_between(0, 9) == 0)
                                away_until = day + test_between(1, 300);
                        if (test_between(0, 2) > 0)
                                continue;
                        char customer[16];
                        snprintf(customer, sizeof customer, "p%d", (int)test_between(1, CUSTOMERS));
                        int64_t minor = test_between(100, 5000);
                        buy(nightly, customer, ++order, minor);
                        buy(away, customer, order, minor);
                }
                night(nightly);
                night(away);
                EXPECT_TEXT(state_of(away), state_of(nightly));
                EXPECT(till_sound(nightly) && till_sound(away));
                fallen += till_int(away, "SELECT count(*) FROM tier_history WHERE cause = 'cycle_end'");
                till_close(nightly);
                till_close(away);
        }
        EXPECT(fallen > CUSTOMERS);
}

/* ---- one night, by whom and how often */

static struct fixture *shop;

static void crowd(void)
{
        char name[16];

        till_program(shop, PROGRAM_TEXT("\"notice_days\":30", "false"));
        till_clock(shop, "2026-01-10T04:00:00Z");
        for (int i = 0; i < CROWD; i++) {
                snprintf(name, sizeof name, "n%d", i);
                buy(shop, name, i, 1000);
        }
}

static int64_t events(const char *type)
{
        return till_int(shop, "SELECT count(*) FROM events WHERE type = '%s'", type);
}

static void *server_run(void *arg)
{
        struct ctx c = {.arena = arena_new(), .now = shop->ctx.now, .shop = shop->ctx.shop};

        c.db = db_new(&(struct db_options){.url = shop->url, .application = "patron-test"});
        if (db_ready(&c) == ERR_OK)
                judge_all(&c, arg);
        db_free(c.db);
        problem_reset(&c);
        arena_free(c.arena);
        return NULL;
}

static void servers_run(void)
{
        static struct share shares[] = {{.most = 7}, {.most = 7}, {7, HALF_ODD, NULL}, {7, HALF_EVEN, NULL}};
        pthread_t servers[ARRAY_SIZE(shares)];

        for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
                EXPECT_INT(pthread_create(&servers[i], NULL, server_run, &shares[i]), 0);
        for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
                EXPECT_INT(pthread_join(servers[i], NULL), 0);
}

TEST(several_servers_judge_and_give_notice_once)
{
        crowd();
        till_clock(shop, "2026-05-10T04:00:00Z"); /* they still qualify: another cycle */
        servers_run();
        EXPECT_INT(events("tier.notice"), 0);
        till_clock(shop, "2026-08-20T04:00:00Z");
        servers_run();
        EXPECT_INT(events("tier.notice"), CROWD);
        till_clock(shop, "2026-09-10T04:00:00Z");
        servers_run();
        EXPECT_INT(events("tier.changed"), 2 * CROWD); /* up once, down once */
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM tier_standings WHERE tier = 'a' AND until IS NULL"),
                   CROWD);
        EXPECT_INT(events("tier.notice"), CROWD);
        EXPECT(till_sound(shop));
}

TEST(a_second_run_of_the_same_night_changes_nothing)
{
        const char *before = state_of(shop);

        night(shop);
        night(shop);
        EXPECT_TEXT(state_of(shop), before);
        EXPECT_INT(events("tier.notice"), CROWD);
}

/* ---- shares */

static bool may; /* what the work hears next */

static enum err ask_once(struct ctx *c, bool *ret)
{
        (void)c;
        *ret = may;
        may = false;
        return ERR_OK;
}

static int64_t due_cycles(void)
{
        return till_int(shop, "SELECT count(*) FROM tier_standings WHERE until <= '2027-03-10'");
}

TEST(work_that_may_not_go_on_stops_between_two_transactions_and_is_taken_up_again)
{
        struct share share = {.most = 7, .may_go_on = ask_once};
        struct ctx *c = fixture_ctx(shop);
        bool more = true;

        till_clock(shop, "2026-12-10T04:00:00Z");
        for (int i = 0; i < CROWD; i++) {
                char name[16];
                snprintf(name, sizeof name, "n%d", i);
                buy(shop, name, CROWD + i, 1000);
        }
        till_clock(shop, "2027-03-10T04:00:00Z");
        till_sql(shop, "UPDATE tier_standings SET until = '2027-03-01T00:00:00Z' WHERE until IS NOT NULL");
        int64_t due = due_cycles();
        EXPECT_INT(due, CROWD);
        EXPECT_INT(db_ready(c), ERR_OK);
        may = true;
        EXPECT_INT(tiers_judge_due(c, &share, &more), ERR_OK);
        EXPECT(!more);
        EXPECT_INT(due_cycles(), due - share.most);
        EXPECT_INT(tiers_judge_due(c, &share, &more), ERR_OK); /* it hears no at once */
        EXPECT(!more);
        EXPECT_INT(due_cycles(), due - share.most);
        night(shop);
        EXPECT_INT(due_cycles(), 0);
}

TEST(the_halves_have_nobody_in_common_and_leave_nobody_out)
{
        struct share odd = {.most = 7, .half = HALF_ODD}, even = {.most = 7, .half = HALF_EVEN};

        till_clock(shop, "2027-03-10T05:00:00Z");
        till_sql(shop, "UPDATE tier_standings SET until = '2027-03-01T00:00:00Z' WHERE until IS NOT NULL");
        int64_t all = due_cycles();
        judge_all(fixture_ctx(shop), &odd);
        int64_t left = due_cycles();
        EXPECT(left > 0 && left < all);
        EXPECT_INT(left,
                   till_int(shop,
                            "SELECT count(*) FROM tier_standings WHERE until <= '2027-03-10' "
                            "AND right(customer_id::text, 1) IN ('0', '2', '4', '6', '8', 'a', 'c', 'e')"));
        judge_all(fixture_ctx(shop), &even);
        EXPECT_INT(due_cycles(), 0);
}

int main(void)
{
        shop = till_open("tier_nights");
        int status = test_run_all();
        till_close(shop);
        return status;
}
