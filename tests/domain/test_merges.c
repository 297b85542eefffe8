/* Merging and taking apart: nothing is lost, nothing is won, and everything adds up, whatever happens in
 * between. */
#include <stdio.h>

#include "activities/activities.h"
#include "coupons/coupons.h"
#include "merges/merges.h"
#include "points/points.h"
#include "rewards/rewards.h"
#include "test.h"
#include "till.h"

static struct fixture *shop;

static struct ctx *step(void)
{
        struct ctx *c = fixture_ctx(shop);

        EXPECT_INT(db_ready(c), ERR_OK);
        return c;
}

static enum err merge(const char *survivor, const char *absorbed, struct uuid *ret)
{
        struct ctx *c = step();
        struct customer_merge done;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(merge_do(c, survivor, absorbed, &done));
        TRY(tx_commit(&tx));
        *ret = done.id;
        return ERR_OK;
}

static enum err undo(struct uuid id)
{
        struct ctx *c = step();
        struct customer_merge done;
        TX(tx);

        TRY(tx_begin(c, &tx));
        enum err err = merge_undo(c, id, "a test", &done);
        if (err == ERR_OK)
                err = tx_commit(&tx);
        if (err != ERR_OK)
                printf("  %s %s\n", c->problem.detail, c->problem.cause);
        return err;
}

/* A reference; good for the next few. */
static const char *ext(const char *name)
{
        static char texts[8][60];
        static unsigned next;
        char *text = texts[next++ % ARRAY_SIZE(texts)];

        snprintf(text, sizeof texts[0], "ext:%s", name);
        return text;
}

static const char *id_of(const char *name)
{
        static char text[UUID_TEXT_SIZE];

        uuid_to_text(uuid_of_external("customer", name), text);
        return text;
}

/* ------------------------------------------------------------------ random histories */

#define ROUNDS 20
#define STEPS  14
#define ORDERS 64
#define OWNERS 2
static char people[OWNERS][40];
static char orders[ORDERS][40];
static int order_count, serial;

static void new_order(const char *who)
{
        static const char *const states[] = {"placed", "paid", "paid", "paid"};
        int64_t total = test_between(1, 60) * 1000;

        if (order_count == ORDERS)
                return;
        snprintf(orders[order_count], sizeof orders[0], "o-%d", serial++);
        struct answer answer = till_take(
                shop,
                "{\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"%s\"},\"lines\":[{\"sku\":\"A\","
                "\"total_minor\":%lld,\"quantity\":4}],\"total_minor\":%lld}",
                orders[order_count], states[test_between(0, 3)], who, (long long)total, (long long)total);
        EXPECT_INT(answer.err, ERR_OK);
        order_count++;
}

static void old_order(void)
{
        static const char *const states[] = {"paid", "delivered", "cancelled"};
        const char *order = order_count > 0 ? orders[test_between(0, order_count - 1)] : NULL;

        if (order == NULL)
                return;
        int64_t total = till_int(shop, "SELECT total_minor FROM orders WHERE external_id = '%s'", order);
        const char *owner =
                till_text(shop,
                          "SELECT c.external_id FROM orders o JOIN customers c ON c.id = o.customer_id "
                          "WHERE o.external_id = '%s'",
                          order);
        if (test_between(0, 1) == 0)
                (void)till_refund(shop, ext(order),
                                  "{\"external_id\":\"r-%d\",\"lines\":[{\"line_no\":1,\"quantity\":1}]}",
                                  serial++);
        else
                (void)till_take(
                        shop,
                        "{\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"%s\"},\"lines\":[{\"sku\":\"A\","
                        "\"total_minor\":%lld,\"quantity\":4}],\"total_minor\":%lld}",
                        order, states[test_between(0, 2)], owner, (long long)total, (long long)total);
}

static void hold_and_settle(const char *who)
{
        struct ctx *c;
        struct hold_result result;
        char reference[40];

        snprintf(reference, sizeof reference, "h-%d", serial++);
        if (till_hold(shop, ext(who), reference, test_between(1, 400), 3600) != ERR_OK)
                return;
        c = step();
        TX(tx);
        const char *named = ext(reference), *whose = ext(who);
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        if (test_between(0, 1) == 0)
                EXPECT_INT(points_hold_release(c, &(struct hold_release){.customer = whose, .hold = named},
                                               &result),
                           ERR_OK);
        else
                EXPECT_INT(points_hold_capture(c,
                                               &(struct hold_capture){
                                                       .customer = whose, .hold = named, .points = {true, 1}},
                                               &result),
                           ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

static void activity(const char *who)
{
        static const unsigned types[] = {ACTIVITY_CHECK_IN, ACTIVITY_PHOTO_REVIEW};
        char key[40], customer[60];
        struct ctx *c = step();
        struct activity_answer answer;
        TX(tx);

        snprintf(key, sizeof key, "a-%d", serial++);
        snprintf(customer, sizeof customer, "ext:%s", who);
        struct activity_in in = {.key = key, .customer = customer, .type = types[test_between(0, 1)]};
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(activity_record(c, &in, &answer), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

/* A gift for points, taken or not. */
static void reward(const char *who)
{
        char customer[60], id[UUID_TEXT_SIZE];
        struct ctx *c = step();
        struct redemption redemption;
        TX(tx);

        snprintf(customer, sizeof customer, "ext:%s", who);
        struct redemption_in in = {.customer = customer, .reward = "cup"};
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        if (redemption_issue(c, &in, &redemption) != ERR_OK)
                return; /* too few points */
        uuid_to_text(redemption.id, id);
        struct redemption_ref ref = {.customer = customer, .redemption = id};
        EXPECT_INT(test_between(0, 2) > 0 ? redemption_redeem(c, &ref, &redemption)
                                          : redemption_cancel(c, &ref, &redemption),
                   ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

/* One is issued to somebody, and one that he has, if any, is used by an order. */
static void coupon(const char *who)
{
        char customer[60];
        struct ctx *c = step();
        struct coupon issued;
        bool known;
        TX(tx);

        snprintf(customer, sizeof customer, "ext:%s", who);
        struct coupon_issue_in in = {.template = "off", .customer = customer};
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(coupon_issue_one(c, &in, &issued, &known), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
        const char *code = till_text(
                shop,
                "SELECT min(code) FROM coupons WHERE state = 'available' AND customer_id = coalesce((SELECT customer_id FROM "
                "customer_aliases WHERE alias_id = '%s'), '%s')",
                id_of(who), id_of(who));
        if (order_count == ORDERS || test_between(0, 2) == 0)
                return;
        snprintf(orders[order_count], sizeof orders[0], "o-%d", serial++);
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"%s\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},\"lines\":[{\"sku\":"
                        "\"A\",\"total_minor\":20000,\"quantity\":4}],\"coupon\":\"%s\",\"discount_minor\":100,\"total_minor\":19900}",
                        orders[order_count], who, code)
                        .err,
                ERR_OK);
        order_count++;
}

/* What a shop with coupons and rewards has ready. */
static void offers_make(void)
{
        till_sql(
                shop,
                "INSERT INTO coupon_templates SELECT 'off', 1, 'x', 'amount', 100, 0, NULL, 0, NULL, NULL, NULL, 30, "
                "NULL, NULL, true, true, true, true, true, 0, true, '2026-01-01'; "
                "INSERT INTO coupon_stocks VALUES ('off', 0, '2026-01-01')");
        struct ctx *c = step();
        struct reward made;
        bool created;
        TX(tx);
        struct reward_in in = {.reward = "cup",
                               .name = "A cup",
                               .kind = REWARD_GIFT,
                               .points = 60,
                               .redeem_days = 30,
                               .active = true};
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(reward_put(c, &in, 0, &made, &created), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

/* All that somebody can spend, or 1. */
static int64_t all_of(const char *who)
{
        return till_int(
                shop,
                "SELECT greatest(1, coalesce((SELECT active FROM points_accounts WHERE customer_id = coalesce((SELECT "
                "customer_id FROM customer_aliases WHERE alias_id = '%s'), '%s')), 0))",
                id_of(who), id_of(who));
}

static void something_happens(void)
{
        const char *who = people[test_between(0, OWNERS - 1)];
        int64_t what = test_between(0, 12);

        if (what == 10)
                activity(who);
        else if (what == 11)
                reward(who);
        else if (what == 12)
                coupon(who);
        else if (what < 4)
                new_order(who);
        else if (what < 6)
                old_order();
        else if (what < 8)
                (void)till_spend(shop, ext(who),
                                 test_between(0, 1) == 0 ? test_between(1, 300) : all_of(who));
        else if (what < 9)
                hold_and_settle(who);
        else {
                shop->ctx.now.us += test_between(1, 8) * INSTANT_DAY;
                till_points_time(shop);
        }
}

/* All that both have together, as one line. */
static const char *together(void)
{
        return till_text(
                shop,
                "SELECT (SELECT coalesce(sum(active + pending + held - debt), 0) || ' debt ' || coalesce(sum(debt), 0) || "
                "' lifetime ' || coalesce(sum(lifetime_earned), 0) || ' ' || coalesce(sum(lifetime_spent), 0) || ' ' || "
                "coalesce(sum(lifetime_expired), 0) FROM points_accounts) || ' standing ' || (SELECT coalesce(sum(orders), 0) || "
                "' ' || coalesce(sum(spend_minor), 0) || ' ' || coalesce(sum(growth), 0) FROM tier_standings) || ' orders ' || "
                "(SELECT count(*) FROM orders) || ' coupons ' || (SELECT coalesce(string_agg(state || ' ' || n, ',' ORDER BY state), '') FROM "
                "(SELECT state, count(*) AS n FROM coupons GROUP BY state) AS s) || ' redemptions ' || (SELECT "
                "coalesce(string_agg(state || ' ' || n, ',' ORDER BY state), '') FROM (SELECT state, count(*) AS n FROM reward_redemptions "
                "GROUP BY state) AS s) || ' activities ' || (SELECT count(*) || ' ' || coalesce(sum(points), 0) FROM activities)");
}

/* What one has, with nothing that may differ after a merge and its undoing. */
static const char *alone(const char *who)
{
        return till_text(
                shop,
                "SELECT coalesce((SELECT to_jsonb(a)::text || (SELECT coalesce(jsonb_agg(to_jsonb(l) - 'customer_id' ORDER BY seq), "
                "'[]')::text FROM points_ledger l WHERE l.customer_id = a.customer_id) || (SELECT "
                "coalesce(jsonb_agg(to_jsonb(t) ORDER BY lot_no), '[]')::text FROM points_lots t WHERE t.customer_id = a.customer_id) "
                "FROM points_accounts a WHERE a.customer_id = c.id), '') || coalesce((SELECT (to_jsonb(s) - 'changes' - 'until' - "
                "'since')::text FROM tier_standings s WHERE s.customer_id = c.id), '') || (SELECT "
                "coalesce(string_agg(day || ' ' || orders || ' ' || spend_minor, ',' ORDER BY day), '') FROM metric_days d WHERE "
                "d.customer_id = c.id AND (orders, spend_minor, growth) <> (0, 0, 0)) || (SELECT coalesce(jsonb_agg(to_jsonb(k) ORDER BY code), "
                "'[]')::text FROM coupons k WHERE k.customer_id = c.id) || (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.id), '[]')::text FROM "
                "reward_redemptions r WHERE r.customer_id = c.id) || (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.id), '[]')::text "
                "FROM activities v WHERE v.customer_id = c.id) FROM customers c WHERE external_id = '%s'",
                who);
}

static void round_play(int round, bool quiet)
{
        struct uuid id = {{0}};

        order_count = 0;
        for (int i = 0; i < OWNERS; i++)
                snprintf(people[i], sizeof people[i], "p-%d-%d", round, i);
        for (int i = 0; i < OWNERS; i++)
                new_order(people[i]);
        for (int i = 0; i < STEPS; i++)
                something_happens();
        const char *before = together(), *survivor = alone(people[0]), *absorbed = alone(people[1]);
        EXPECT_INT(merge(ext(people[0]), ext(people[1]), &id), ERR_OK);
        EXPECT_TEXT(together(), before);
        EXPECT(till_sound(shop));
        for (int i = 0; i < STEPS && !quiet; i++)
                something_happens();
        before = together();
        EXPECT_INT(undo(id), ERR_OK);
        EXPECT_TEXT(together(), before);
        EXPECT(till_sound(shop));
        if (quiet) {
                EXPECT_TEXT(alone(people[0]), survivor);
                EXPECT_TEXT(alone(people[1]), absorbed);
        }
        for (int i = 0; i < STEPS; i++)
                something_happens();
        EXPECT(till_sound(shop));
}

/* Points that wait, lapse and are owed; tiers that orders lift. */
#define PROGRAM_TEXT                                                                                                                                                                                                                              \
        "{\"points\":{\"pending\":%s,\"refund_policy\":\"%s\",\"expiry\":{\"form\":\"months\",\"months\":1}},"                                                                                                                                    \
        "\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000}],\"activities\":[{\"type\":\"check_in\",\"points\":9},{\"type\":\"photo_review\",\"growth\":50,\"points\":3}],\"tiers\":[{\"rank\":0,\"code\":\"basic\"," \
        "\"name\":\"B\"},{\"rank\":1,\"code\":\"silver\",\"name\":\"S\",\"qualify\":{\"any_of\":[{\"metric\":\"spend\",\"window_months\":12,"                                                                                                     \
        "\"at_least\":200000}]}}]}"

static void rounds_play(int from, bool quiet)
{
        static const char *const pendings[] = {"\"none\"", "\"days\",\"pending_days\":3", "\"delivered\""};
        static const char *const policies[] = {"unlimited", "within_balance"};

        for (int round = from; round < from + ROUNDS && test_faults == 0; round++) {
                char program[1000];
                snprintf(program, sizeof program, PROGRAM_TEXT, pendings[round % 3], policies[round % 2]);
                till_program(shop, program);
                round_play(round, quiet);
                if (test_faults > 0)
                        printf("  in round %d\n", round);
        }
}

TEST(a_merge_and_its_undoing_leave_both_as_they_were)
{
        offers_make();
        rounds_play(0, /* quiet= */ true);
}

TEST(whatever_happens_in_between_nothing_is_lost)
{
        rounds_play(ROUNDS, /* quiet= */ false);
        /* or the rounds have missed what makes it hard */
        EXPECT(till_int(shop, "SELECT count(*) FROM points_ledger WHERE kind = 'transfer_in'") > 5);
        EXPECT(till_int(shop, "SELECT count(*) FROM points_ledger WHERE kind = 'transfer_debt'") > 0);
        EXPECT(till_int(shop, "SELECT count(*) FROM tier_history WHERE cause = 'merge undone'") > 0);
        EXPECT(till_int(shop, "SELECT count(*) FROM coupons WHERE state = 'redeemed'") > 10);
        EXPECT(till_int(shop, "SELECT count(*) FROM reward_redemptions WHERE state = 'redeemed'") > 10);
        EXPECT(till_int(shop, "SELECT count(*) FROM activities WHERE state = 'paid'") > 10);
}

int main(void)
{
        shop = till_open("merges");
        int status = test_run_all();
        till_close(shop);
        return status;
}
