/* What time has caused holds for whoever does or asks something then, though no chore has booked it yet: two
 * shops live the same life, in one the housekeeper comes by before every call, in the other he never does. */
#include "test.h"
#include "till.h"

#include "customers/due.h"
#include "points/points.h"
#include "tiers/cycles.h"

#define CUSTOMERS 5
#define STEPS     150
#define FIRST_DAY 20454 /* 2026-01-01 */

#define TIER(rank_, code_, at_least_, times_)                                                                \
        ",{\"rank\":" rank_ ",\"code\":\"" code_ "\",\"name\":\"N\",\"qualify\":{\"any_of\":"                \
        "[{\"metric\":\"spend\",\"window_months\":4,\"at_least\":" at_least_ "}]},\"keep\":{\"all_of\":"     \
        "[{\"metric\":\"orders\",\"window_months\":3,\"at_least\":2}]},\"benefits\":"                        \
        "{\"discount_permille\":" times_ ",\"points_multiplier_permille\":" times_ "000}}"
#define PROGRAM_TEXT(points_, cycle_)                                                                              \
        "{\"points\":{" points_                                                                                    \
        "},\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000},"                        \
        "{\"code\":\"rich\",\"kind\":\"add\",\"points\":3,\"when\":\"points.active >= 30\"},"                      \
        "{\"code\":\"g\",\"target\":\"growth\",\"kind\":\"base\",\"rate_millionths\":1000000}],\"cycle\":{" cycle_ \
        "},\"tiers\":[{\"rank\":0,\"code\":\"a\",\"name\":\"N\"}" TIER("1", "b", "3000", "2")                      \
                TIER("2", "c", "9000", "3") "]}"

static const char *const programs[] = {
        PROGRAM_TEXT("\"pending\":\"days\",\"pending_days\":9,\"expiry\":{\"form\":\"months\",\"months\":2}",
                     "\"cycle_months\":3,\"downgrade\":\"one_step\""),
        PROGRAM_TEXT(
                "\"expiry\":{\"form\":\"dates\",\"dates\":[\"02-28\",\"05-31\",\"08-31\",\"11-30\"]}",
                "\"cycle_months\":2,\"anchor\":\"joining\",\"downgrade\":\"reassess\",\"grace_days\":12"),
        PROGRAM_TEXT("\"pending\":\"days\",\"pending_days\":20,\"refund_policy\":\"within_balance\","
                     "\"expiry\":{\"form\":\"inactivity\",\"months\":2}",
                     "\"cycle_months\":4,\"anchor\":\"calendar_year\",\"downgrade\":\"one_step\""),
};

static struct fixture *kept, *late;
static int64_t day;

static void house_keep(struct fixture *at)
{
        static enum err (*const tiers[])(struct ctx *, const struct share *, bool *) = {tiers_judge_due,
                                                                                        tiers_unpin_due};
        struct ctx *c = fixture_ctx(at);

        till_points_time(at);
        EXPECT_INT(db_ready(c), ERR_OK);
        for (size_t i = 0; i < ARRAY_SIZE(tiers); i++)
                for (bool more = true; more;)
                        EXPECT_INT(tiers[i](c, &(struct share){.most = CUSTOMERS}, &more), ERR_OK);
        till_points_time(at);
}

static void clock_move(int64_t days)
{
        char text[INSTANT_TEXT_SIZE];

        day += days;
        instant_format((struct instant){(FIRST_DAY + day) * INSTANT_DAY +
                                        test_between(0, 23) * 3600 * INSTANT_SECOND},
                       text);
        till_clock(kept, text);
        till_clock(late, text);
        house_keep(kept);
}

/* What an answer says of points and tier. */
static void same_answer(const struct answer *a, const struct answer *b)
{
        static const char *const numbers[] = {"points.earned", "points.active", "points.pending",
                                              "points.held",   "points.debt",   "growth.total"};

        EXPECT_INT(b->err, a->err);
        if (a->err != ERR_OK || b->err != ERR_OK)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                EXPECT_INT(answer_int(b, numbers[i]), answer_int(a, numbers[i]));
        EXPECT_TEXT(answer_text(b, "tier.before"), answer_text(a, "tier.before"));
        EXPECT_TEXT(answer_text(b, "tier.after"), answer_text(a, "tier.after"));
}

static const char *shown(struct fixture *at, const char *customer)
{
        struct ctx *c = fixture_ctx(at);
        struct tier_view tier = {0};
        struct points_balance balance = {0};
        struct points_read read = {.c = c, .customer = customer, .balance = &balance};

        EXPECT_INT(db_ready(c), ERR_OK);
        if (tier_get(c, customer, &tier) != ERR_OK)
                return "nobody";
        EXPECT_INT(points_balances(c, &read, 1), ERR_OK);
        const char *text =
                arena_printf(c->arena,
                             "%s %" PRId64 " %" PRId64 " discount %" PRId64 ", %" PRId64 " active %" PRId64
                             " pending %" PRId64 " held, %" PRId64 " expired, next",
                             tier.code, tier.since.us, tier.until.us, tier.benefits.discount_permille,
                             balance.active, balance.pending, balance.held, balance.lifetime_expired);
        for (size_t i = 0; i < balance.next_expiries.n; i++)
                text = arena_printf(c->arena, "%s %" PRId64 "@%" PRId64, text,
                                    balance.next_expiries.v[i].points,
                                    balance.next_expiries.v[i].expires_at.us);
        return text;
}

static struct answer buy(struct fixture *at, const char *customer, int order, int64_t minor)
{
        return till_take(at,
                         "{\"external_id\":\"o%d\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},"
                         "\"lines\":[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"total_minor\":%" PRId64
                         "}",
                         order, customer, minor, minor);
}

static struct answer give_back(struct fixture *at, int order, int refund, int64_t minor)
{
        char reference[16];

        snprintf(reference, sizeof reference, "ext:o%d", order);
        return till_refund(at, reference,
                           "{\"external_id\":\"r%d\",\"lines\":[{\"line_no\":1,\"amount_minor\":%" PRId64
                           "}]}",
                           refund, minor);
}

/* One thing that somebody does, in both shops. */
static void something(const char *customer, int step, int *orders)
{
        char hold[16], reference[32];
        int64_t choice = test_between(0, 9), amount = test_between(100, 4000), points = amount / 90;
        struct answer a = {0}, b = {0};

        snprintf(hold, sizeof hold, "h%d", step);
        snprintf(reference, sizeof reference, "ext:%s", customer);
        if (choice < 5) {
                a = buy(kept, customer, ++*orders, amount);
                b = buy(late, customer, *orders, amount);
                same_answer(&a, &b);
        } else if (choice < 7 && *orders > 0) {
                int order = (int)test_between(1, *orders);
                a = give_back(kept, order, step, amount / 3);
                b = give_back(late, order, step, amount / 3);
                same_answer(&a, &b);
        } else if (choice < 8) {
                EXPECT_INT(till_spend(late, reference, points), till_spend(kept, reference, points));
        } else if (choice < 9) {
                EXPECT_INT(till_hold(late, reference, hold, points, 5 * 86400),
                           till_hold(kept, reference, hold, points, 5 * 86400));
        }
        char *before = strdup(shown(kept, reference));
        EXPECT_TEXT(shown(late, reference), before);
        free(before);
}

/* Everything but when it was booked, and in how many entries. */
static const char *state_of(struct fixture *at)
{
        return till_text(
                at,
                "SELECT (SELECT string_agg(format('%%s:%%s %%s-%%s %%s', external_id, tier, since, until, changes), E'\\n' "
                "ORDER BY external_id) FROM tier_standings s JOIN customers c ON c.id = s.customer_id) || E'\\n' || "
                "(SELECT coalesce(string_agg(format('%%s %%s: %%s>%%s %%s %%s', external_id, change_no, tier_before, tier_after, cause, "
                "h.created_at), E'\\n' ORDER BY external_id, change_no), '') FROM tier_history h JOIN customers c ON c.id = h.customer_id) "
                "|| E'\\n' || (SELECT string_agg(format('%%s: %%s %%s %%s %%s %%s', external_id, active, pending, held, debt, "
                "lifetime_expired), E'\\n' ORDER BY external_id) FROM points_accounts a JOIN customers c ON c.id = a.customer_id) "
                "|| E'\\n' || (SELECT string_agg(format('%%s %%s: %%s of %%s until %%s', external_id, order_id, remaining, amount, expires_at), "
                "E'\\n' ORDER BY external_id, order_id) FROM points_lots l JOIN customers c ON c.id = l.customer_id) "
                "|| E'\\n' || (SELECT string_agg(format('%%s %%s', kind, points), E'\\n' ORDER BY kind) FROM (SELECT kind, sum(amount) AS points "
                "FROM points_ledger GROUP BY kind) AS l) || E'\\n' || (SELECT count(*) FROM events WHERE type = 'tier.changed')");
}

TEST(it_does_not_matter_whether_the_housekeeper_came_first)
{
        int64_t fallen = 0, expired = 0, activated = 0, released = 0;

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                char customer[16];
                int orders = 0;
                kept = till_open("kept");
                late = till_open("late");
                till_program(kept, programs[i]);
                till_program(late, programs[i]);
                day = 0;
                for (int step = 0; step < STEPS; step++) {
                        clock_move(test_between(0, 12) == 0 ? test_between(20, 70) : test_between(0, 5));
                        snprintf(customer, sizeof customer, "p%d", (int)test_between(1, CUSTOMERS));
                        something(customer, step, &orders);
                }
                EXPECT(till_sound(late));
                house_keep(kept);
                house_keep(late);
                EXPECT_TEXT(state_of(late), state_of(kept));
                EXPECT(till_sound(kept) && till_sound(late));
                fallen += till_int(late, "SELECT count(*) FROM tier_history WHERE cause = 'cycle_end'");
                expired += till_int(
                        late, "SELECT count(*) FROM points_ledger WHERE kind = 'expire' AND actor IS NULL");
                activated += till_int(late, "SELECT count(*) FROM points_ledger WHERE kind = 'activate'");
                released += till_int(late, "SELECT count(*) FROM points_ledger WHERE cause = 'hold expired'");
                till_close(kept);
                till_close(late);
        }
        EXPECT(fallen > 10 && expired > 20 && activated > 40 && released > 5);
}

TEST(the_ledger_explains_the_balance_that_is_told)
{
        static const char *const moments[] = {"2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z",
                                              "2026-06-01T00:00:00Z"};
        struct points_balance balance = {0};
        struct list lines;

        late = till_open("late");
        till_program(late, programs[0]);
        till_clock(late, "2026-01-01T00:00:00Z");
        EXPECT_INT(buy(late, "p1", 1, 5000).err, ERR_OK);
        for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
                till_clock(late, moments[i]);
                struct ctx *c = fixture_ctx(late);
                struct points_read read = {.c = c, .customer = "ext:p1", .balance = &balance};
                EXPECT_INT(db_ready(c), ERR_OK);
                EXPECT_INT(points_balances(c, &read, 1), ERR_OK);
                struct ledger_page page = {.customer_id = balance.customer_id, .limit = 9};
                EXPECT_INT(points_ledger(c, &page, &lines), ERR_OK);
                const struct ledger_line *newest = lines.v;
                EXPECT_INT(lines.n, i + 1); /* earned, activated, lapsed */
                EXPECT_INT(newest->active_after, balance.active);
                EXPECT_INT(newest->pending_after, balance.pending);
        }
        EXPECT_INT(balance.lifetime_expired, 50);
        EXPECT(till_sound(late));
        till_close(late);
}

int main(void)
{
        return test_run_all();
}
