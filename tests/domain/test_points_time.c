/* What time does to points: they lapse on their day, once, whoever runs when and after however long. */
#include "test.h"
#include "till.h"

#include "points/points.h"

#include <pthread.h>

#define CUSTOMERS 8
#define YEARS     3

static struct fixture *shop;

#define PROGRAM_TEXT(points_)                                                                                \
        "{\"points\":{" points_                                                                              \
        "},\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000}],"                 \
        "\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}"

static void earn(struct fixture *at, const char *customer, const char *order, int64_t points)
{
        struct answer answer = till_take(
                at,
                "{\"external_id\":\"%s\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},"
                "\"lines\":[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64 "}",
                order, customer, points * 100, points * 100);

        EXPECT_INT(answer.err, ERR_OK);
}

static int64_t account(struct fixture *at, const char *customer, const char *what)
{
        return till_int(
                at,
                "SELECT coalesce((SELECT %s FROM points_accounts a JOIN customers c ON c.id = a.customer_id "
                "WHERE c.external_id = '%s'), 0)",
                what, customer);
}

static int64_t entries(struct fixture *at, const char *customer, const char *kind)
{
        return till_int(at,
                        "SELECT count(*) FROM points_ledger l JOIN customers c ON c.id = l.customer_id "
                        "WHERE c.external_id = '%s' AND kind = '%s'",
                        customer, kind);
}

static int64_t events(struct fixture *at, const char *customer, const char *type)
{
        return till_int(at,
                        "SELECT count(*) FROM events e JOIN customers c ON c.id = e.customer_id "
                        "WHERE c.external_id = '%s' AND type = '%s'",
                        customer, type);
}

TEST(points_lapse_at_the_end_of_their_day_once)
{
        till_program(
                shop,
                PROGRAM_TEXT(
                        "\"expiry\":{\"form\":\"months\",\"months\":2,\"round_to\":\"month\",\"warn_days\":10}"));
        till_clock(shop, "2026-01-10T04:00:00Z");
        earn(shop, "lapse", "lapse-1", 100);
        till_clock(shop, "2026-02-10T04:00:00Z");
        earn(shop, "lapse", "lapse-2", 50);
        EXPECT_INT(till_spend(shop, "ext:lapse", 30), ERR_OK);
        till_clock(shop, "2026-03-20T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "lapse", "points.expiring"), 0);
        till_clock(shop, "2026-03-21T16:00:00Z"); /* ten days before */
        till_points_time(shop);
        till_points_time(shop);
        EXPECT_INT(events(shop, "lapse", "points.expiring"), 1);
        EXPECT_TEXT(till_text(shop, "SELECT payload::text FROM events WHERE type = 'points.expiring'"),
                    "{\"points\": 70, \"expires_at\": \"2026-03-31T16:00:00Z\"}");
        till_clock(shop, "2026-03-31T15:59:59Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "lapse", "active"), 120);
        till_clock(shop, "2026-03-31T16:00:00Z");
        till_points_time(shop);
        till_points_time(shop);
        EXPECT_INT(account(shop, "lapse", "active"), 50);
        EXPECT_INT(account(shop, "lapse", "lifetime_expired"), 70);
        EXPECT_INT(entries(shop, "lapse", "expire"), 1);
        EXPECT_INT(events(shop, "lapse", "points.expired"), 1);
        EXPECT_TEXT(till_text(shop, "SELECT reference FROM points_ledger WHERE kind = 'expire'"),
                    "2026-03-31T16:00:00Z");
        EXPECT(till_sound(shop));
}

TEST(what_has_lapsed_is_not_spent_though_nobody_booked_it_yet)
{
        till_program(
                shop,
                PROGRAM_TEXT("\"expiry\":{\"form\":\"dates\",\"dates\":[\"06-30\",\"12-31\"],\"months\":1}"));
        till_clock(shop, "2026-05-10T04:00:00Z");
        earn(shop, "late", "late-1", 100);
        till_clock(shop, "2026-06-15T04:00:00Z");
        earn(shop, "late", "late-2", 10);
        till_clock(shop, "2026-07-15T04:00:00Z");
        EXPECT_INT(till_spend(shop, "ext:late", 11), ERR_POINTS_TOO_FEW);
        EXPECT_INT(till_hold(shop, "ext:late", "h", 11, 60), ERR_POINTS_TOO_FEW);
        EXPECT_INT(till_spend(shop, "ext:late", 4), ERR_OK);
        EXPECT_INT(account(shop, "late", "active"), 6);
        EXPECT_INT(account(shop, "late", "lifetime_expired"), 100);
        EXPECT(till_sound(shop));
}

TEST(pending_points_that_wait_too_long_lapse_as_if_they_had_been_activated_in_time)
{
        till_program(
                shop,
                PROGRAM_TEXT(
                        "\"pending\":\"days\",\"pending_days\":7,\"expiry\":{\"form\":\"months\",\"months\":1}"));
        till_clock(shop, "2026-05-10T04:00:00Z");
        earn(shop, "waits", "waits-1", 100);
        till_clock(shop, "2026-06-17T15:59:00Z"); /* the server was away for a month */
        till_points_time(shop);
        EXPECT_INT(account(shop, "waits", "active"), 100);
        till_clock(shop, "2026-06-17T16:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "waits", "active"), 0);
        EXPECT_INT(account(shop, "waits", "lifetime_expired"), 100);
        EXPECT(till_sound(shop));
}

TEST(points_that_come_back_after_a_warning_are_warned_of_once_more)
{
        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":2,\"round_to\":\"month\","
                                        "\"warn_days\":10}"));
        till_clock(shop, "2026-05-10T04:00:00Z");
        earn(shop, "cart", "cart-1", 100);
        till_clock(shop, "2026-07-25T04:00:00Z");
        EXPECT_INT(till_hold(shop, "ext:cart", "long", 30, 3600 * 24), ERR_OK);
        till_points_time(shop);
        EXPECT_INT(events(shop, "cart", "points.expiring"), 1); /* of the 70 that are not in the cart */
        EXPECT_INT(till_hold(shop, "ext:cart", "short", 20, 60), ERR_OK);
        till_clock(shop, "2026-07-25T05:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "cart", "points.expiring"), 1); /* they are the same again */
        till_clock(shop, "2026-07-26T05:00:00Z");
        till_points_time(shop);
        till_points_time(shop);
        EXPECT_INT(events(shop, "cart", "points.expiring"), 2);
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT payload->>'points' FROM events e JOIN customers c ON c.id = customer_id "
                        "WHERE external_id = 'cart' AND type = 'points.expiring' ORDER BY e.id DESC LIMIT 1"),
                "100");
        EXPECT(till_sound(shop));
}

TEST(whoever_moves_keeps_his_points_and_whoever_does_not_loses_all)
{
        till_clock(shop, "2026-01-10T04:00:00Z");
        till_program(shop,
                     PROGRAM_TEXT("\"expiry\":{\"form\":\"inactivity\",\"months\":6,\"warn_days\":30}"));
        earn(shop, "moves", "moves-1", 100);
        earn(shop, "rests", "rests-1", 100);
        earn(shop, "back", "back-1", 100);
        till_clock(shop, "2026-06-20T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "moves", "points.expiring"), 1);
        EXPECT_INT(till_spend(shop, "ext:moves", 1), ERR_OK);
        till_clock(shop, "2026-07-10T16:00:00Z");
        earn(shop, "back", "back-2", 7); /* too late: before anybody booked it */
        EXPECT_INT(account(shop, "back", "active"), 7);
        EXPECT_INT(account(shop, "back", "lifetime_expired"), 100);
        till_points_time(shop);
        till_points_time(shop);
        EXPECT_INT(account(shop, "moves", "active"), 99);
        EXPECT_INT(account(shop, "rests", "active"), 0);
        EXPECT_INT(account(shop, "rests", "lifetime_expired"), 100);
        EXPECT_INT(events(shop, "rests", "points.expired"), 1);
        till_clock(shop, "2026-12-01T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "moves", "points.expiring"), 2);
        till_clock(shop, "2026-12-20T16:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "moves", "active"), 0);
        EXPECT(till_sound(shop));
}

TEST(what_lapses_during_a_hold_expires_when_it_comes_back)
{
        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":1}"));
        till_clock(shop, "2026-01-10T04:00:00Z");
        earn(shop, "holds", "holds-1", 100);
        till_clock(shop, "2026-02-10T15:50:00Z");
        EXPECT_INT(till_hold(shop, "ext:holds", "cart", 60, 1800), ERR_OK);
        till_clock(shop, "2026-02-10T16:10:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "holds", "held"), 60);
        EXPECT_INT(account(shop, "holds", "active"), 0);
        till_clock(shop, "2026-02-12T16:10:00Z");
        till_points_time(shop);
        till_points_time(shop);
        EXPECT_INT(account(shop, "holds", "held"), 0);
        EXPECT_INT(account(shop, "holds", "lifetime_expired"), 100);
        EXPECT_INT(entries(shop, "holds", "expire"), 2);
        EXPECT(till_sound(shop));
}

TEST(what_a_refund_gives_back_to_a_lapsed_lot_lives_the_least_life)
{
        till_program(shop,
                     PROGRAM_TEXT("\"restored_life_days\":5,\"expiry\":{\"form\":\"months\",\"months\":1}"));
        till_clock(shop, "2026-01-10T04:00:00Z");
        earn(shop, "again", "again-1", 100);
        EXPECT_INT(till_hold(shop, "ext:again", "cart", 60, 1800), ERR_OK);
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"again-2\",\"status\":\"paid\",\"customer\":{\"external_id\":\"again\"},"
                        "\"points_hold\":\"ext:cart\",\"lines\":[{\"sku\":\"A\",\"total_minor\":90}],\"total_minor\":90}")
                        .err,
                ERR_OK);
        till_clock(shop, "2026-03-01T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "again", "active"), 0);
        EXPECT_INT(till_refund(shop, "ext:again-2",
                               "{\"external_id\":\"r\",\"lines\":[{\"line_no\":1,\"amount_minor\":45}]}")
                           .err,
                   ERR_OK);
        EXPECT_INT(account(shop, "again", "active"), 30);
        till_clock(shop, "2026-03-06T03:59:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "again", "active"), 30);
        till_clock(shop, "2026-03-06T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "again", "active"), 0);
        EXPECT(till_sound(shop));
}

/* Two lots of 100, of which the first lapses first; then 50 of them are owed. */
static void owe_beside_holds(const char *customer, const char *const *holds, const int64_t *points, size_t n)
{
        char order[32], reference[32];

        till_clock(shop, "2026-01-10T04:00:00Z");
        snprintf(order, sizeof order, "%s-1", customer);
        snprintf(reference, sizeof reference, "ext:%s", customer);
        earn(shop, customer, order, 100);
        till_clock(shop, "2026-01-20T04:00:00Z");
        snprintf(order, sizeof order, "%s-2", customer);
        earn(shop, customer, order, 100);
        for (size_t i = 0; i < n; i++)
                EXPECT_INT(till_hold(shop, reference, holds[i], points[i], 60 * ((int64_t)i + 1)), ERR_OK);
        EXPECT_INT(till_spend(shop, reference, account(shop, customer, "active")), ERR_OK);
        snprintf(order, sizeof order, "ext:%s-2", customer);
        EXPECT_INT(till_refund(shop, order,
                               "{\"external_id\":\"r\",\"lines\":[{\"line_no\":1,\"amount_minor\":5000}]}")
                           .err,
                   ERR_OK);
        EXPECT_INT(account(shop, customer, "debt"), 50);
}

static const char *left_in_lots(const char *customer)
{
        return till_text(
                shop,
                "SELECT string_agg(remaining::text, ' ' ORDER BY lot_no) FROM points_lots l JOIN customers c ON c.id = "
                "l.customer_id WHERE c.external_id = '%s'",
                customer);
}

TEST(what_comes_back_pays_debt_with_what_lapses_first)
{
        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":1}"));
        owe_beside_holds("owes", (const char *const[]){"cart"}, (const int64_t[]){150}, 1);
        till_clock(shop, "2026-01-20T05:00:00Z");
        till_points_time(shop);
        EXPECT_TEXT(left_in_lots("owes"), "50 50");
        EXPECT(till_sound(shop));
}

TEST(holds_come_back_in_the_order_in_which_their_time_was_over)
{
        static const char *const names[] = {"o1", "o2", "o3", "o4", "o5", "o6"};

        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":1}"));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) /* their ids are in any order */
                owe_beside_holds(names[i], (const char *const[]){"first", "second"},
                                 (const int64_t[]){60, 60}, 2);
        till_clock(shop, "2026-01-20T05:00:00Z");
        till_points_time(shop);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                EXPECT_TEXT(left_in_lots(names[i]), "50 20");
        EXPECT(till_sound(shop));
}

TEST(points_that_become_active_after_long_do_not_lapse_at_once)
{
        till_clock(shop, "2026-01-10T04:00:00Z");
        till_program(
                shop,
                PROGRAM_TEXT(
                        "\"pending\":\"days\",\"pending_days\":100,\"expiry\":{\"form\":\"inactivity\",\"months\":2}"));
        earn(shop, "slow", "slow-1", 100);
        till_clock(shop, "2026-06-01T04:00:00Z");
        till_points_time(shop); /* active since April 20 */
        EXPECT_INT(account(shop, "slow", "active"), 100);
        till_clock(shop, "2026-06-20T16:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "slow", "active"), 0);
        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"inactivity\",\"months\":2}"));
        earn(shop, "slow", "slow-2", 10);
        till_program(
                shop,
                PROGRAM_TEXT(
                        "\"pending\":\"days\",\"pending_days\":90,\"expiry\":{\"form\":\"inactivity\",\"months\":2}"));
        earn(shop, "slow", "slow-3", 7);
        till_clock(shop, "2026-10-01T04:00:00Z"); /* nobody looked: the 10 lapsed on August 20, the 7 came in
                                                     September */
        till_points_time(shop);
        EXPECT_INT(account(shop, "slow", "active"), 7);
        EXPECT_INT(account(shop, "slow", "lifetime_expired"), 110);
        EXPECT(till_sound(shop));
}

TEST(points_with_dates_neither_lapse_by_inactivity_nor_stand_in_the_way_of_those_that_do)
{
        char name[32];

        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":24}"));
        till_clock(shop, "2026-01-10T04:00:00Z");
        for (int i = 0; i < 2 * CUSTOMERS; i++) {
                snprintf(name, sizeof name, "dated%d", i);
                earn(shop, name, name, 10);
        }
        earn(shop, "mixed", "mixed-1", 10);
        till_program(shop,
                     PROGRAM_TEXT("\"expiry\":{\"form\":\"inactivity\",\"months\":3,\"warn_days\":30}"));
        earn(shop, "mixed", "mixed-2", 7);
        till_clock(shop, "2026-04-01T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "dated0", "points.expiring"), 0);
        EXPECT_TEXT(
                till_text(shop,
                          "SELECT payload->>'points' FROM events e JOIN customers c ON c.id = e.customer_id "
                          "WHERE external_id = 'mixed' AND type = 'points.expiring'"),
                "7");
        till_clock(shop, "2026-05-01T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "mixed", "active"), 10);
        EXPECT_INT(account(shop, "dated0", "active"), 10);
        till_clock(shop, "2028-01-01T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "dated0", "points.expiring"),
                   1); /* of their date, whatever the form is now */
        EXPECT(till_sound(shop));
}

/* ------------------------------------------------------------------ whoever runs when */

/* What must not depend on when the chores ran. */
static const char *state_of(struct fixture *at)
{
        return till_text(
                at,
                "SELECT coalesce((SELECT string_agg(format('%%s:%%s/%%s/%%s/%%s/%%s/%%s/%%s', c.external_id, active, pending, held, "
                "debt, lifetime_earned, lifetime_spent, lifetime_expired), ' ' ORDER BY c.external_id) FROM points_accounts a "
                "JOIN customers c ON c.id = a.customer_id), '') || ' lots ' || "
                "coalesce((SELECT string_agg(format('%%s=%%s', order_id, remaining), ' ' ORDER BY customer_id, order_id) "
                "FROM points_lots), '')");
}

static void clock_day(struct fixture *at, int64_t day)
{
        char text[INSTANT_TEXT_SIZE];

        instant_format((struct instant){(20454 + day) * INSTANT_DAY + 5 * 3600 * INSTANT_SECOND},
                       text); /* 2026-01-01 */
        till_clock(at, text);
}

/* One random thing at both shops; it must come to the same. */
static void both_do(struct fixture *one, struct fixture *other, int step)
{
        char customer[32], order[32], reference[64];
        int64_t points = test_between(1, 60);

        snprintf(customer, sizeof customer, "p%d", (int)test_between(1, CUSTOMERS));
        snprintf(order, sizeof order, "o%d", step);
        snprintf(reference, sizeof reference, "ext:%s", customer);
        switch (test_between(0, 4)) {
        case 0:
        case 1:
        case 2:
                earn(one, customer, order, points);
                earn(other, customer, order, points);
                break;
        case 3:
                EXPECT_INT(till_spend(one, reference, points), till_spend(other, reference, points));
                break;
        default:
                snprintf(order, sizeof order, "ext:o%d", step - 1);
                EXPECT_INT(till_refund(
                                   one, order,
                                   "{\"external_id\":\"r\",\"lines\":[{\"line_no\":1,\"amount_minor\":100}]}")
                                   .err,
                           till_refund(
                                   other, order,
                                   "{\"external_id\":\"r\",\"lines\":[{\"line_no\":1,\"amount_minor\":100}]}")
                                   .err);
        }
}

TEST(an_outage_of_any_length_changes_no_result)
{
        static const char *const forms[] = {
                PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":3,\"round_to\":\"quarter\"}"),
                PROGRAM_TEXT(
                        "\"refund_policy\":\"within_balance\",\"expiry\":{\"form\":\"dates\",\"dates\":[\"03-31\",\"11-11\"]}"),
                PROGRAM_TEXT("\"expiry\":{\"form\":\"inactivity\",\"months\":2}")};

        for (size_t form = 0; form < ARRAY_SIZE(forms); form++) {
                struct fixture *nightly = till_open("nightly"), *away = till_open("away");
                int64_t outage_until = 0;
                int step = 0;
                till_program(nightly, forms[form]);
                till_program(away, forms[form]);
                for (int64_t day = 0; day < YEARS * 365; day += 3) {
                        clock_day(nightly, day);
                        clock_day(away, day);
                        till_points_time(nightly);
                        if (day >= outage_until) {
                                till_points_time(away);
                                outage_until = day + test_between(1, 200);
                        }
                        if (test_between(0, 1) == 0)
                                both_do(nightly, away, step++);
                }
                till_points_time(nightly);
                till_points_time(away);
                EXPECT_TEXT(state_of(nightly), state_of(away));
                EXPECT(till_sound(nightly) && till_sound(away));
                till_close(nightly);
                till_close(away);
        }
}

static void *server_run(void *arg)
{
        struct fixture *own = arg;
        struct ctx c = {.arena = arena_new(), .now = own->ctx.now, .shop = own->ctx.shop};

        c.db = db_new(&(struct db_options){.url = own->url, .application = "patron-test"});
        if (db_ready(&c) == ERR_OK)
                till_points_due(&c);
        db_free(c.db);
        problem_reset(&c);
        arena_free(c.arena);
        return NULL;
}

TEST(two_servers_expire_the_same_points_once)
{
        pthread_t servers[2];
        char name[32];

        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"months\",\"months\":1,\"warn_days\":60}"));
        till_clock(shop, "2027-01-10T04:00:00Z");
        for (int i = 0; i < 60; i++) {
                snprintf(name, sizeof name, "both%d", i);
                earn(shop, name, name, 10);
        }
        for (int round = 0; round < 2; round++) { /* they warn, then they expire */
                for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
                        EXPECT_INT(pthread_create(&servers[i], NULL, server_run, shop), 0);
                for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
                        EXPECT_INT(pthread_join(servers[i], NULL), 0);
                till_clock(shop, "2027-03-10T04:00:00Z");
        }
        EXPECT_INT(till_int(shop,
                            "SELECT count(*) FROM points_accounts a JOIN customers c ON c.id = a.customer_id "
                            "WHERE external_id LIKE 'both%%' AND active = 0 AND lifetime_expired = 10"),
                   60);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM events e JOIN customers c ON c.id = e.customer_id "
                                  "WHERE external_id LIKE 'both%%' AND type = 'points.expiring'"),
                   60);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM events e JOIN customers c ON c.id = e.customer_id "
                                  "WHERE external_id LIKE 'both%%' AND type = 'points.expired'"),
                   60);
        EXPECT(till_sound(shop));
}

/* When the points of somebody lapse that have no date of their own. */
static const char *silent_end(const char *external_id)
{
        struct ctx *c = fixture_ctx(shop);
        struct points_balance balance = {0};
        struct points_read read = {.c = c, .customer = external_id, .balance = &balance};
        char *text = arena_alloc(c->arena, INSTANT_TEXT_SIZE);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(points_balances(c, &read, 1), ERR_OK);
        EXPECT_INT(balance.next_expiries.n, 1);
        instant_format(balance.next_expiries.v[0].expires_at, text);
        return text;
}

#define SILENCE(months_)                                                                                     \
        PROGRAM_TEXT("\"expiry\":{\"form\":\"inactivity\",\"months\":" months_ ",\"warn_days\":30}")

TEST(silence_from_before_a_switch_to_inactivity_does_not_count)
{
        till_clock(shop, "2030-01-10T04:00:00Z");
        till_program(shop, PROGRAM_TEXT("\"expiry\":{\"form\":\"never\"}"));
        earn(shop, "asleep", "asleep-1", 100);
        till_clock(shop, "2031-03-10T04:00:00Z");
        till_program(shop, SILENCE("6"));
        till_points_time(shop);
        EXPECT_INT(account(shop, "asleep", "active"), 100);
        EXPECT_TEXT(silent_end("ext:asleep"), "2031-09-10T16:00:00Z");
        till_clock(shop, "2031-08-20T04:00:00Z");
        till_program(shop, SILENCE("8")); /* longer: counted from when it was */
        till_points_time(shop);
        EXPECT_INT(events(shop, "asleep", "points.expiring"), 0);
        EXPECT_TEXT(silent_end("ext:asleep"), "2031-11-10T16:00:00Z");
        till_clock(shop, "2031-10-20T04:00:00Z");
        till_points_time(shop);
        EXPECT_INT(events(shop, "asleep", "points.expiring"), 1);
        till_program(shop, SILENCE("2")); /* shorter: nothing lapses untold */
        till_points_time(shop);
        EXPECT_INT(account(shop, "asleep", "active"), 100);
        EXPECT_TEXT(silent_end("ext:asleep"), "2031-12-20T16:00:00Z");
        till_clock(shop, "2031-12-01T04:00:00Z");
        till_points_time(shop);
        till_points_time(shop);
        EXPECT_INT(events(shop, "asleep", "points.expiring"), 2);
        till_clock(shop, "2031-12-20T16:00:00Z");
        till_points_time(shop);
        EXPECT_INT(account(shop, "asleep", "active"), 0);
        EXPECT_INT(events(shop, "asleep", "points.expired"), 1);
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("time");
        int status = test_run_all();
        till_close(shop);
        return status;
}
