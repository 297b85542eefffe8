/* What the programme gives for birthdays: once a year, on the shop's day, whoever runs when and how often. */
#include "test.h"
#include "till.h"

#include <pthread.h>

#include "birthdays/birthdays.h"
#include "customers/customers.h"

static struct fixture *shop;

#define PROGRAM_TEXT(rules_)                                                                                      \
        "{\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000}],\"birthdays\":[" rules_ \
        "],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}"

static void born(const char *customer, const char *birthday)
{
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"%s-%" PRIx64
                        "\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\","
                        "\"birthday\":\"%s\"},\"lines\":[{\"sku\":\"A\",\"total_minor\":0}],\"total_minor\":0}",
                        customer, test_random(), customer, birthday)
                        .err,
                ERR_OK);
}

static void celebrate_with(struct ctx *c)
{
        bool more = true;

        EXPECT_INT(birthdays_give_due(c, &(struct share){.most = 7}, &more), ERR_OK);
        EXPECT(!more);
}

/* A day of the shop's clock, at some hour; and again. */
static void celebrate(const char *instant)
{
        till_clock(shop, instant);
        for (int i = 0; i < 2; i++) {
                struct ctx *c = fixture_ctx(shop);
                EXPECT_INT(db_ready(c), ERR_OK);
                celebrate_with(c);
        }
}

static int64_t points(const char *customer)
{
        return till_int(
                shop,
                "SELECT coalesce((SELECT active FROM points_accounts a JOIN customers c ON c.id = a.customer_id "
                "WHERE c.external_id = '%s'), 0)",
                customer);
}

TEST(a_birthday_brings_points_on_its_day_in_the_shops_zone)
{
        till_program(shop, PROGRAM_TEXT("{\"code\":\"cake\",\"points\":100}"));
        till_clock(shop, "2026-05-18T04:00:00Z");
        born("may", "05-20");
        born("year", "1990-05-20");
        born("june", "06-20");
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"unknown\",\"status\":\"paid\",\"customer\":{\"external_id\":\"unknown\"},"
                        "\"lines\":[{\"sku\":\"A\",\"total_minor\":0}],\"total_minor\":0}")
                        .err,
                ERR_OK);
        celebrate("2026-05-19T15:59:59Z");
        EXPECT_INT(points("may"), 0);
        celebrate("2026-05-19T16:00:00Z"); /* midnight in Shanghai */
        EXPECT(points("may") == 100 && points("year") == 100 && points("june") == 0 &&
               points("unknown") == 0);
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT cause || ' ' || reference || ' ' || coalesce(actor, 'nobody') FROM points_ledger "
                        "WHERE kind = 'earn' ORDER BY customer_id LIMIT 1"),
                "birthday gift cake/2026 nobody");
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM events WHERE type = 'birthday.given'"), 2);
        celebrate("2026-05-20T04:00:00Z");
        EXPECT_INT(points("may"), 100);
        born("late", "05-20"); /* on his birthday, after everybody was looked at */
        celebrate("2026-05-20T17:00:00Z");
        EXPECT_INT(points("late"), 100);
        celebrate("2027-05-20T04:00:00Z");
        EXPECT(points("may") == 200 && points("june") == 0);
        EXPECT(till_sound(shop));
}

TEST(days_without_anybody_are_made_up_for)
{
        till_program(shop, PROGRAM_TEXT("{\"code\":\"missed\",\"points\":10}"));
        celebrate("2027-06-30T04:00:00Z");
        born("missed", "07-03");
        born("long_ago", "07-01");
        celebrate("2027-08-02T04:00:00Z");
        EXPECT(points("missed") == 10 && points("long_ago") == 0);
}

TEST(a_birthday_that_is_changed_brings_no_second_gift_in_a_year)
{
        till_program(shop, PROGRAM_TEXT("{\"code\":\"once\",\"points\":10}"));
        celebrate("2028-02-28T04:00:00Z");
        born("leap", "02-29");
        born("moves", "03-02");
        celebrate("2028-02-29T04:00:00Z");
        EXPECT_INT(points("leap"), 10);
        celebrate("2028-03-02T04:00:00Z");
        EXPECT_INT(points("moves"), 10);
        born("moves", "11-30");
        celebrate("2028-11-30T04:00:00Z");
        EXPECT_INT(points("moves"), 10);
        born("moves", "01-10"); /* another year, some weeks later */
        celebrate("2029-01-10T04:00:00Z");
        EXPECT_INT(points("moves"), 20); /* ten months after the one in March */
        born("moves", "02-28");
        celebrate("2029-02-28T04:00:00Z");
        EXPECT_INT(points("moves"), 20);
        EXPECT_INT(points("leap"), 20); /* on the 28th */
}

TEST(a_month_and_a_condition)
{
        till_program(
                shop,
                PROGRAM_TEXT(
                        "{\"code\":\"month\",\"on\":\"month\",\"points\":7,\"when\":\"orders.count >= 2\"}"));
        celebrate("2030-03-31T04:00:00Z");
        born("april", "04-25");
        celebrate("2030-04-01T04:00:00Z");
        EXPECT_INT(points("april"), 0);
        born("april", "04-25"); /* a second order */
        celebrate("2030-04-10T04:00:00Z");
        EXPECT_INT(points("april"), 7);
        celebrate("2030-04-25T04:00:00Z");
        EXPECT_INT(points("april"), 7);
        EXPECT_TEXT(till_text(shop, "SELECT occasion::text FROM birthday_gifts WHERE rule = 'month'"),
                    "2030-04-01");
}

#define CROWD 60

static void *server_run(void *arg)
{
        struct ctx c = {.arena = arena_new(), .now = shop->ctx.now, .shop = shop->ctx.shop};

        (void)arg;
        c.db = db_new(&(struct db_options){.url = shop->url, .application = "patron-test"});
        if (db_ready(&c) == ERR_OK)
                celebrate_with(&c);
        db_free(c.db);
        problem_reset(&c);
        arena_free(c.arena);
        return NULL;
}

TEST(several_servers_give_once_and_never_more_coupons_than_there_are)
{
        pthread_t servers[4];
        char name[32];

        till_sql(
                shop,
                "INSERT INTO coupon_templates SELECT 'cake', 1, 'x', 'amount', 100, 0, NULL, 0, NULL, NULL, NULL, 30, "
                "NULL, 40, true, true, true, true, true, 0, true, '2026-01-01'; "
                "INSERT INTO coupon_stocks VALUES ('cake', 0, '2026-01-01')");
        till_program(shop,
                     PROGRAM_TEXT("{\"code\":\"crowd\",\"points\":1,\"template\":\"cake\",\"days_before\":3},"
                                  "{\"code\":\"only\",\"template\":\"cake\"}"));
        till_clock(shop, "2031-09-01T04:00:00Z");
        for (int i = 0; i < CROWD; i++) {
                snprintf(name, sizeof name, "crowd%d", i);
                born(name, "09-12");
        }
        till_clock(shop, "2031-09-09T04:00:00Z");
        for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
                EXPECT_INT(pthread_create(&servers[i], NULL, server_run, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
                EXPECT_INT(pthread_join(servers[i], NULL), 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM birthday_gifts WHERE rule = 'crowd'"), CROWD);
        EXPECT_INT(till_int(shop, "SELECT sum(amount) FROM points_ledger WHERE reference = 'crowd/2031'"),
                   CROWD);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM coupons WHERE source = 'birthday' AND customer_id IS NOT NULL"),
                40);
        celebrate("2031-09-12T04:00:00Z"); /* there are none left: nothing is given, and nothing noted */
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM birthday_gifts WHERE rule = 'only'"), 0);
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("birthdays");
        int status = test_run_all();
        till_close(shop);
        return status;
}
