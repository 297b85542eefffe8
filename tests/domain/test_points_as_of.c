/* What there was at a past instant: exactly what was read then. */
#include "test.h"
#include "till.h"

#include "base/shape_json.h"
#include "pairs.h"
#include "points/adjustments.h"
#include "points/points.h"

#define DAYS      400
#define CUSTOMERS 4

static struct fixture *shop;

#define PROGRAM_TEXT(points_)                                                                                \
        "{\"points\":{" points_                                                                              \
        "},\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000}],"                 \
        "\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}"

/* The balance as JSON, now (as_of none) or as of an instant. */
static char *balance(const char *customer, struct instant as_of)
{
        struct ctx *c = fixture_ctx(shop);
        struct points_balance balance = {0};
        struct points_read read = {.c = c, .customer = customer, .balance = &balance, .as_of = as_of};
        struct text json = {0};
        size_t len;

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(points_balances(c, &read, 1), ERR_OK);
        EXPECT_INT(read.err, ERR_OK);
        shape_encode(&json, &points_balance_shape, &balance, /* masked= */ false);
        return text_take(&json, &len);
}

static enum err adjust_once(struct ctx *c, void *arg)
{
        struct adjustment_call call = {.c = c, .in = arg};
        struct uuid approval;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(points_adjust(c, &call, 1, &approval));
        TRY(call.err);
        return tx_commit(&tx);
}

static void adjust(const char *customer, int64_t points)
{
        struct ctx *c = fixture_ctx(shop);
        struct adjustment_in in = {.customer = customer,
                                   .points = points,
                                   .reason = "a test",
                                   .expiry = GRANT_EXPIRY_PROGRAM,
                                   .allow_debt = points < 0};

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(db_run(c, adjust_once, &in), ERR_OK);
}

static void order(const char *customer, int step, const char *hold)
{
        const char *name = strchr(customer, ':') + 1;
        int64_t total = test_between(1, 90) * 100;
        struct answer answer = till_take(
                shop,
                "{\"external_id\":\"%s-%d\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},\"points_hold\":%s,"
                "\"lines\":[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64 "}",
                name, step, name, hold, total, total);

        EXPECT_INT(answer.err, ERR_OK);
}

static void refund(const char *customer, int step)
{
        char reference[64];

        snprintf(reference, sizeof reference, "%s-%d", customer, step);
        (void)till_refund(shop, reference,
                          "{\"external_id\":\"r\",\"lines\":[{\"line_no\":1,\"amount_minor\":50}]}");
}

static void something(const char *customer, int step)
{
        char name[32], hold[40];

        snprintf(name, sizeof name, "h%d", step);
        snprintf(hold, sizeof hold, "\"ext:h%d\"", step);
        switch (test_between(0, 6)) {
        case 0:
        case 1:
                order(customer, step, "null");
                break;
        case 2:
                (void)till_spend(shop, customer, test_between(1, 60));
                break;
        case 3:
                refund(customer, step - (int)test_between(1, 60));
                break;
        case 4:
                if (till_hold(shop, customer, name, test_between(1, 40), 86400 * 3) == ERR_OK &&
                    test_between(0, 1))
                        order(customer, step, hold);
                break;
        default:
                adjust(customer, test_between(0, 3) ? test_between(1, 50) : -test_between(1, 50));
        }
}

static void clock_day(int day)
{
        const int64_t first_day = 20454; /* 2026-01-01 */
        char text[INSTANT_TEXT_SIZE];

        instant_format((struct instant){(first_day + day) * INSTANT_DAY + 5 * 3600 * INSTANT_SECOND}, text);
        till_clock(shop, text);
}

static void every_day_is_told_as_it_was(const char *program)
{
        static char *seen[DAYS];
        static struct instant when[DAYS];
        static const char *who[DAYS];
        static const char *const customers[CUSTOMERS] = {"ext:a", "ext:b", "ext:c", "ext:d"};

        shop = till_open("as_of");
        till_clock(shop, "2025-12-01T00:00:00Z"); /* the programme is older than all that follows */
        till_program(shop, program);
        clock_day(0);
        for (size_t i = 0; i < CUSTOMERS; i++)
                order(customers[i], 0, "null");
        for (int day = 1; day < DAYS; day++) {
                clock_day(day);
                till_points_time(shop);
                who[day] = customers[test_between(0, CUSTOMERS - 1)];
                something(who[day], day);
                when[day] = shop->ctx.now;
                seen[day] = balance(who[day], (struct instant){0});
        }
        clock_day(2 * DAYS);
        till_points_time(shop);
        for (int day = 1; day < DAYS; day++) {
                char *then = balance(who[day], when[day]);
                EXPECT_TEXT(then, seen[day]);
                free(then);
                free(seen[day]);
        }
        EXPECT(till_int(shop, "SELECT count(*) FROM points_ledger WHERE kind = 'expire'") > 0);
        EXPECT(till_int(shop, "SELECT count(DISTINCT kind) FROM points_ledger") >= 7);
        EXPECT(till_sound(shop));
        till_close(shop);
}

TEST(with_pending_days_and_months_of_life)
{
        every_day_is_told_as_it_was(PROGRAM_TEXT(
                "\"pending\":\"days\",\"pending_days\":3,\"restored_life_days\":5,\"expiry\":{\"form\":\"months\",\"months\":1}"));
}

TEST(with_points_that_lapse_by_inactivity)
{
        every_day_is_told_as_it_was(
                PROGRAM_TEXT("\"restored_life_days\":5,\"expiry\":{\"form\":\"inactivity\",\"months\":1}"));
}

/* ------------------------------------------------------------------ merges */

#define PEOPLE 3
#define LEG    14 /* days between merges; both can still be undone in the end */
static const char *const people[PEOPLE] = {"ext:a", "ext:b", "ext:c"};
static char *told[PEOPLE][2 * LEG + 1];
static int today;

static void attempt(enum err (*what)(struct ctx *c, void *arg), struct pair *pair)
{
        struct ctx *c = fixture_ctx(shop);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(db_run(c, what, pair), ERR_OK);
}

/* Days of everybody, each of which is noted; in the last ones nothing is held any more. */
static void leg_live(void)
{
        const int quiet = 5;

        for (int day = 1; day <= LEG; day++) {
                clock_day(++today);
                till_points_time(shop);
                for (size_t i = 0; i < PEOPLE && day <= LEG - quiet; i++)
                        something(people[i], today);
                for (size_t i = 0; i < PEOPLE; i++)
                        told[i][today] = balance(people[i], (struct instant){0});
        }
}

/* Is somebody told to have been on these days what somebody was shown to be then? */
static void days_expect(const char *who, size_t was, int first, int last)
{
        for (int day = first; day <= last; day++) {
                clock_day(day);
                struct instant then = shop->ctx.now;
                clock_day(today);
                char *now = balance(who, then);
                EXPECT_TEXT(now, told[was][day]);
                free(now);
        }
}

TEST(what_came_with_a_merge_counts_from_then_on)
{
        struct pair first = {.survivor = "ext:a", .absorbed = "ext:b"};
        struct pair second = {.survivor = "ext:c", .absorbed = "ext:a"};

        shop = till_open("as_of_merged");
        till_clock(shop, "2025-12-01T00:00:00Z");
        till_program(shop,
                     PROGRAM_TEXT("\"restored_life_days\":5,\"expiry\":{\"form\":\"months\",\"months\":2}"));
        clock_day(0);
        for (size_t i = 0; i < PEOPLE; i++)
                order(people[i], 0, "null");
        leg_live();
        clock_day(++today);
        attempt(pair_merge, &first);
        days_expect("ext:a", 0, 1, LEG);
        days_expect("ext:b", 0, 1, LEG);
        today--; /* the day of the merge is noted too, at its end */
        leg_live();
        days_expect("ext:a", 0, 1, 2 * LEG);
        clock_day(++today);
        attempt(pair_merge, &second);
        for (size_t i = 0; i < PEOPLE; i++)
                days_expect(people[i], 2, 1, 2 * LEG);
        attempt(pair_undo, &second);
        days_expect("ext:a", 0, 1, 2 * LEG);
        days_expect("ext:c", 2, 1, 2 * LEG);
        EXPECT(till_sound(shop));
        attempt(pair_undo, &first);
        days_expect("ext:a", 0, 1, LEG);
        days_expect("ext:b", 1, 1, LEG);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM points_joined"), 0);
        EXPECT(till_sound(shop));
        for (size_t i = 0; i < PEOPLE; i++)
                for (int day = 1; day <= 2 * LEG; day++)
                        free(told[i][day]);
        till_close(shop);
}

TEST_MAIN
