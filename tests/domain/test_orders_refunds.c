/* Refunds: however they are cut, they take what one refund of everything takes; spent points; policies. */
#include "test.h"
#include "till.h"

#define LINES  4
#define ROUNDS 40

static struct fixture *shop;

static const char tiers[] = "\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]";

static void policy(const char *points)
{
        char program[512];

        snprintf(
                program, sizeof program,
                "{\"points\":{%s},\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1370000},"
                "{\"code\":\"welcome\",\"kind\":\"add\",\"points\":7},"
                "{\"code\":\"growth\",\"target\":\"growth\",\"kind\":\"base\",\"rate_millionths\":990000}],%s}",
                points, tiers);
        till_program(shop, program);
}

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

TEST(a_refund_by_line_takes_its_share_and_shipping_takes_none)
{
        policy("\"refund_policy\":\"unlimited\"");
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"F1\",\"status\":\"paid\",\"customer\":{\"external_id\":\"F\"},\"lines\":"
                "[{\"sku\":\"A\",\"quantity\":3,\"total_minor\":30000},{\"sku\":\"B\",\"total_minor\":10000}],"
                "\"shipping_minor\":1000,\"discount_minor\":4000,\"total_minor\":37000}");
        EXPECT_INT(answer_int(&a, "points.earned"), 500); /* 360.00 x 1.37 = 493.2, and 7 */
        a = till_refund(
                shop, "ext:F1",
                "{\"external_id\":\"R1\",\"reason\":\"torn\",\"lines\":[{\"line_no\":1,\"quantity\":1}],"
                "\"shipping_minor\":400}");
        EXPECT_INT(a.err, ERR_OK);
        EXPECT_INT(answer_int(&a, "refund.amount_minor"),
                   9400); /* a third of 30000 less 3000, and shipping */
        EXPECT_INT(answer_int(&a, "refund.lines.0.amount_minor"), 9000);
        EXPECT_INT(answer_int(&a, "order.refunded_minor"), 9400);
        EXPECT_INT(answer_int(&a, "points.reversed"), 125); /* a third of the 375 that line 1 had */
        EXPECT_INT(answer_int(&a, "points.active"), 375);
        a = till_refund(shop, "ext:F1", "{\"external_id\":\"R2\",\"shipping_minor\":600}");
        EXPECT_INT(answer_int(&a, "points.reversed"), 0);
        EXPECT_INT(answer_int(&a, "order.refunded_minor"), 10000);
        EXPECT_INT(answer_int(&a, "order.version"), 3);
}

TEST(a_refund_is_answered_again_and_another_of_its_name_is_refused)
{
        EXPECT_INT(buy("F2", "F", 10000).err, ERR_OK);
        struct answer first = give_back("ext:F2", "R", 2500);
        struct answer again = give_back("ext:F2", "R", 2500);
        EXPECT(first.err == ERR_OK && !first.replayed && again.err == ERR_OK && again.replayed);
        EXPECT_TEXT(again.outcome, first.outcome);
        const char *id = till_text(shop, "SELECT id FROM orders WHERE external_id = 'F2'");
        again = give_back(id, "R", 2500); /* by our id it is the same call */
        EXPECT(again.err == ERR_OK && again.replayed);
        EXPECT_INT(give_back("ext:F2", "R", 2501).err, ERR_REFUND_DIFFERS);
        EXPECT_INT(till_int(shop, "SELECT refunded_minor FROM orders WHERE external_id = 'F2'"), 2500);
}

TEST(more_than_is_left_is_refused_with_what_is_left)
{
        EXPECT_INT(buy("F3", "F", 10000).err, ERR_OK);
        EXPECT_INT(give_back("ext:F3", "R1", 6000).err, ERR_OK);
        struct answer a = give_back("ext:F3", "R2", 4001);
        EXPECT_INT(a.err, ERR_REFUND_EXCEEDS);
        EXPECT(strstr(a.problem, "\"left\":4000,\"asked\":4001") != NULL);
        a = till_refund(shop, "ext:F3", "{\"external_id\":\"R3\",\"shipping_minor\":1}");
        EXPECT_INT(a.err, ERR_REFUND_EXCEEDS);
        a = till_refund(shop, "ext:F3",
                        "{\"external_id\":\"R4\",\"lines\":[{\"line_no\":1,\"quantity\":2}]}");
        EXPECT_INT(a.err, ERR_REFUND_EXCEEDS);
        a = till_refund(shop, "ext:F3",
                        "{\"external_id\":\"R5\",\"lines\":[{\"line_no\":2,\"quantity\":1},{\"line_no\":1},"
                        "{\"line_no\":1,\"quantity\":1}]}");
        EXPECT_INT(a.err, ERR_INVALID);
        EXPECT(strstr(a.problem, "#/lines/0/line_no") != NULL && strstr(a.problem, "\"#/lines/1\"") != NULL &&
               strstr(a.problem, "#/lines/2/line_no") != NULL);
        EXPECT_INT(till_refund(shop, "ext:F3", "{\"external_id\":\"R6\"}").err, ERR_INVALID);
        EXPECT_INT(till_refund(shop, "ext:nothing", "{\"external_id\":\"R7\",\"shipping_minor\":1}").err,
                   ERR_NOT_FOUND);
        EXPECT_INT(till_int(shop, "SELECT refunded_minor FROM orders WHERE external_id = 'F3'"), 6000);
}

/* ------------------------------------------------------------------ however it is cut */

struct basket {
        int64_t totals[LINES], quantities[LINES];
        int64_t discount;
};

static struct basket random_basket(void)
{
        struct basket basket = {0};
        int64_t goods = 0;

        for (int i = 0; i < LINES; i++) {
                basket.quantities[i] = test_between(1, 9);
                basket.totals[i] = test_between(0, 5) == 0 ? 0 : test_between(1, 50000);
                goods += basket.totals[i];
        }
        basket.discount = test_between(0, 2) == 0 ? 0 : test_between(0, goods);
        return basket;
}

static void buy_basket(const char *name, const struct basket *basket)
{
        char lines[1024] = "";
        int64_t total = 500 - basket->discount;

        for (int i = 0; i < LINES; i++) {
                size_t len = strlen(lines);
                snprintf(lines + len, sizeof lines - len,
                         "%s{\"sku\":\"S\",\"quantity\":%" PRId64 ",\"total_minor\":%" PRId64 "}",
                         i == 0 ? "" : ",", basket->quantities[i], basket->totals[i]);
                total += basket->totals[i];
        }
        struct answer a = till_take(
                shop,
                "{\"external_id\":\"%s\",\"status\":\"paid\",\"customer\":{\"external_id\":\"C-%s\"},"
                "\"lines\":[%s],\"shipping_minor\":500,\"discount_minor\":%" PRId64
                ",\"total_minor\":%" PRId64 "}",
                name, name, lines, basket->discount, total);
        EXPECT_INT(a.err, ERR_OK);
}

static int64_t left(const char *order, int line, const char *what)
{
        return till_int(
                shop,
                "SELECT %s FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE external_id = '%s' AND line_no = %d",
                what, order, line);
}

/* Give back a random part of a random line: pieces, money or both. */
static void random_part(const char *order, int number)
{
        char reference[64];
        int line = (int)test_between(1, LINES);
        int64_t quantity = left(order, line, "quantity - refunded_quantity"),
                amount = left(order, line, "paid_minor - l.refunded_minor");

        if (quantity == 0 && amount == 0)
                return;
        snprintf(reference, sizeof reference, "ext:%s", order);
        quantity = test_between(0, quantity);
        if (quantity > 0 && test_between(0, 1) == 0) { /* the server says what it cost */
                struct answer a = till_refund(
                        shop, reference,
                        "{\"external_id\":\"P%d\",\"lines\":[{\"line_no\":%d,\"quantity\":%" PRId64 "}]}",
                        number, line, quantity);
                EXPECT_INT(a.err, ERR_OK);
                return;
        }
        amount = test_between(0, amount);
        if (quantity == 0 && amount == 0)
                return;
        struct answer a =
                till_refund(shop, reference,
                            "{\"external_id\":\"P%d\",\"lines\":[{\"line_no\":%d,\"quantity\":%" PRId64
                            ",\"amount_minor\":%" PRId64 "}]}",
                            number, line, quantity, amount);
        EXPECT_INT(a.err, ERR_OK);
}

/* The rest of every line and the shipping, in one call. */
static void give_back_rest(const char *order)
{
        char reference[64], lines[1024] = "";

        snprintf(reference, sizeof reference, "ext:%s", order);
        for (int line = 1; line <= LINES; line++) {
                int64_t quantity = left(order, line, "quantity - refunded_quantity");
                int64_t amount = left(order, line, "paid_minor - l.refunded_minor");
                size_t len = strlen(lines);
                if (quantity > 0 || amount > 0)
                        snprintf(lines + len, sizeof lines - len,
                                 "%s{\"line_no\":%d,\"quantity\":%" PRId64 ",\"amount_minor\":%" PRId64 "}",
                                 len == 0 ? "" : ",", line, quantity, amount);
        }
        EXPECT_INT(till_refund(shop, reference,
                               "{\"external_id\":\"rest\",\"lines\":[%s],\"shipping_minor\":500}", lines)
                           .err,
                   ERR_OK);
}

/* What the refunds of an order took, per line and in all. */
static const char *taken(const char *order)
{
        return till_text(
                shop,
                "SELECT string_agg(format('%%s:%%s/%%s/%%s/%%s', line_no, q, a, p, g), ' ' ORDER BY line_no) || "
                "format(' of %%s, %%s, %%s', o.refunded_minor, o.points_reversed, o.growth_reversed) FROM orders o JOIN "
                "(SELECT order_id, line_no, sum(quantity) AS q, sum(amount_minor) AS a, sum(points) AS p, sum(growth) AS g "
                "FROM refund_lines GROUP BY order_id, line_no) AS l ON l.order_id = o.id WHERE external_id = '%s' GROUP BY o.id, "
                "o.refunded_minor, o.points_reversed, o.growth_reversed",
                order);
}

TEST(random_partial_refunds_take_what_one_refund_takes_per_line)
{
        policy("\"refund_policy\":\"unlimited\"");
        for (int round = 0; round < ROUNDS && test_faults == 0; round++) {
                char whole[32], cut[32], cancelled[32];
                struct basket basket = random_basket();

                snprintf(whole, sizeof whole, "whole-%d", round);
                snprintf(cut, sizeof cut, "cut-%d", round);
                snprintf(cancelled, sizeof cancelled, "cancelled-%d", round);
                buy_basket(whole, &basket);
                buy_basket(cut, &basket);
                give_back_rest(whole);
                int parts = (int)test_between(1, 12);
                for (int i = 0; i < parts; i++)
                        random_part(cut, i);
                give_back_rest(cut);
                EXPECT_TEXT(taken(cut), taken(whole));
                EXPECT_INT(
                        till_int(
                                shop,
                                "SELECT active FROM points_accounts a JOIN customers c ON c.id = a.customer_id WHERE external_id = 'C-%s'",
                                cut),
                        0);
        }
}

/* ------------------------------------------------------------------ points that are gone */

TEST(unlimited_makes_debt_of_spent_points_and_the_next_earnings_pay_it)
{
        policy("\"refund_policy\":\"unlimited\"");
        EXPECT_INT(answer_int(&(struct answer){.outcome = buy("D1", "D", 10000).outcome}, "points.active"),
                   144);
        EXPECT_INT(till_spend(shop, "ext:D", 100), ERR_OK);
        struct answer a = give_back("ext:D1", "R", 10000);
        EXPECT_INT(answer_int(&a, "points.reversed"), 144);
        EXPECT_INT(answer_int(&a, "points.active"), 0);
        EXPECT_INT(answer_int(&a, "points.debt"), 100);
        EXPECT_INT(answer_int(&a, "points.written_off"), 0);
        a = buy("D2", "D", 5000); /* 75 */
        EXPECT_INT(answer_int(&a, "points.earned"), 75);
        EXPECT_INT(answer_int(&a, "points.active"), 0);
        EXPECT_INT(answer_int(&a, "points.debt"), 25);
        a = buy("D3", "D", 5000);
        EXPECT_INT(answer_int(&a, "points.active"), 50);
        EXPECT_INT(answer_int(&a, "points.debt"), 0);
}

TEST(within_balance_writes_off_what_is_not_there)
{
        policy("\"refund_policy\":\"within_balance\"");
        EXPECT_INT(buy("W1", "W", 10000).err, ERR_OK);
        EXPECT_INT(buy("W2", "W", 1000).err, ERR_OK); /* 20 */
        EXPECT_INT(till_spend(shop, "ext:W", 130), ERR_OK);
        struct answer a = give_back("ext:W1", "R", 10000);
        EXPECT_INT(answer_int(&a, "points.reversed"), 144);
        EXPECT_INT(answer_int(&a, "points.written_off"), 110); /* 34 were left, of both orders */
        EXPECT_INT(answer_int(&a, "points.active"), 0);
        EXPECT_INT(answer_int(&a, "points.debt"), 0);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT lifetime_earned FROM points_accounts a JOIN customers c ON c.id = a.customer_id WHERE external_id = 'W'"),
                130); /* as many as were spent: what was written off stays earned */
}

TEST(what_is_written_off_is_told_when_something_expires_in_the_same_moment)
{
        policy("\"refund_policy\":\"within_balance\",\"expiry\":{\"form\":\"months\",\"months\":1}");
        till_clock(shop, "2026-11-21T12:00:00Z");
        EXPECT_INT(buy("X1", "X", 10000).err, ERR_OK); /* 144 */
        till_clock(shop, "2026-12-25T12:00:00Z");
        EXPECT_INT(buy("X2", "X", 1000).err, ERR_OK); /* 20 */
        struct answer a =
                give_back("ext:X1", "R1", 10000); /* nobody had booked yet that its points had lapsed */
        EXPECT_INT(answer_int(&a, "points.reversed"), 144);
        EXPECT_INT(answer_int(&a, "points.written_off"), 124);
        EXPECT_INT(buy("X3", "X", 20000).err, ERR_OK); /* 281 */
        till_clock(shop, "2027-02-25T12:00:00Z");
        EXPECT_INT(buy("X4", "X", 100000).err, ERR_OK);
        a = give_back("ext:X3", "R3", 10000);
        EXPECT_INT(answer_int(&a, "points.written_off"), 0);
        till_clock(shop, "2026-11-21T12:00:00Z");
}

TEST(only_pending_touches_nothing_that_is_active)
{
        policy("\"pending\":\"days\",\"pending_days\":10,\"refund_policy\":\"only_pending\"");
        EXPECT_INT(buy("P1", "P", 10000).err, ERR_OK);
        struct answer a = give_back("ext:P1", "R1", 5000);
        EXPECT_INT(answer_int(&a, "points.pending"), 72);
        EXPECT_INT(answer_int(&a, "points.written_off"), 0);
        till_clock(shop, "2026-12-05T12:00:00Z");
        till_activate(shop);
        a = give_back("ext:P1", "R2", 5000);
        EXPECT_INT(answer_int(&a, "points.active"), 72);
        EXPECT_INT(answer_int(&a, "points.written_off"), 72);
        EXPECT_INT(answer_int(&a, "points.debt"), 0);
}

TEST(a_refund_takes_from_its_own_order_first)
{
        policy("\"refund_policy\":\"unlimited\"");
        EXPECT_INT(buy("O1", "O", 1000).err, ERR_OK);
        EXPECT_INT(buy("O2", "O", 1000).err, ERR_OK);
        EXPECT_INT(give_back("ext:O2", "R", 1000).err, ERR_OK);
        EXPECT_TEXT(
                till_text(
                        shop,
                        "SELECT string_agg(o.external_id || '=' || remaining, ' ' ORDER BY o.external_id) FROM points_lots l "
                        "JOIN orders o ON o.id = l.order_id WHERE o.external_id LIKE 'O_'"),
                "O1=20 O2=0");
}

TEST(a_backfilled_refund_is_dated_by_itself)
{
        struct answer a = buy("H1", "H", 1000);
        a = till_refund(shop, "ext:H1",
                        "{\"external_id\":\"R\",\"lines\":[{\"line_no\":1,\"quantity\":1}],"
                        "\"refunded_at\":\"2026-03-04T05:06:07Z\"}");
        EXPECT_INT(a.err, ERR_OK);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM refunds r JOIN orders o ON o.id = r.order_id WHERE o.external_id = 'H1' "
                        "AND r.created_at = '2026-03-04T05:06:07Z'"),
                1);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM points_ledger WHERE kind = 'reverse' AND created_at = '2026-03-04T05:06:07Z'"),
                1);
}

TEST(everything_is_sound_at_the_end)
{
        EXPECT(till_int(shop, "SELECT count(*) FROM refunds") > ROUNDS);
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("refunds");
        int status = test_run_all();
        till_close(shop);
        return status;
}
