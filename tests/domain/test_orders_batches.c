/* Batches: whatever goes together must end as if it had come one by one. */
#include "test.h"
#include "twins.h"

#define BATCH_MAX       24
#define ROUNDS          600
#define ROUNDS_COMPARED 6 /* comparing everything takes longer than taking it */
#define CUSTOMERS       7
#define ORDERS          40

/* One takes batches, the other the same calls one by one. */
static struct fixture *together, *singly;

static struct answer answers[BATCH_MAX];

/* The same batch on both sides: the same answers. Returns whether it went in one transaction. */
static bool answer_both(const char *const *orders, size_t n)
{
        bool whole = till_take_all(together, orders, n, answers);

        for (size_t i = 0; i < n; i++) {
                struct answer one;
                (void)till_take_all(singly, &orders[i], 1, &one);
                EXPECT_INT(answers[i].err, one.err);
                EXPECT_INT(answers[i].created, one.created);
                EXPECT_INT(answers[i].replayed, one.replayed);
                if (answers[i].err != one.err)
                        printf("    %s\n    %s\n", orders[i],
                               answers[i].problem != NULL ? answers[i].problem : one.problem);
        }
        return whole;
}

/* And the same rows. */
static bool take_both(const char *const *orders, size_t n)
{
        bool whole = answer_both(orders, n);

        EXPECT(twins_equal(together, singly));
        return whole;
}

#define ORDER(id, status, customer, total)                                                                   \
        "{\"external_id\":\"" id "\",\"status\":\"" status "\",\"customer\":{" customer                      \
        "},\"lines\":[{\"sku\":\"A\",\"total_minor\":" total "}],\"total_minor\":" total "}"

TEST(several_orders_of_one_customer_follow_each_other)
{
        static const char *const orders[] = {
                ORDER("one-1", "paid", "\"external_id\":\"one\"", "30000"),
                ORDER("one-2", "paid", "\"external_id\":\"one\"", "30000"),
                ORDER("one-3", "placed", "\"external_id\":\"one\"", "99999"),
                ORDER("one-4", "paid", "\"external_id\":\"one\",\"name\":\"Eins\"", "250000"),
        };

        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT_INT(answer_int(&answers[0], "customer.created"), true);
        EXPECT_INT(answer_int(&answers[1], "customer.created"), false);
        EXPECT_INT(answer_int(&answers[0], "points.active"), 300);
        EXPECT_INT(answer_int(&answers[1], "points.active"), 600);
        EXPECT_TEXT(answer_text(&answers[0], "tier.after"), "basic");
        EXPECT_TEXT(answer_text(&answers[1], "tier.after"), "silver");
        EXPECT_TEXT(answer_text(&answers[3], "tier.after"), "diamond");
        EXPECT_INT(answer_int(&answers[3], "growth.total"), 3100);
}

TEST(the_directory_is_told_once_of_everybody_in_a_batch)
{
        static const char *const orders[] = {
                ORDER("told-1", "paid", "\"external_id\":\"told\"", "30000"),
                ORDER("told-2", "paid", "\"external_id\":\"told\",\"name\":\"A\"", "30000"),
                ORDER("told-3", "paid", "\"external_id\":\"told too\"", "30000"),
        };

        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT_INT(
                till_int(together,
                         "SELECT count(*) FROM customer_changes n JOIN customers c ON c.id = n.customer_id "
                         "WHERE c.external_id LIKE 'told%%'"),
                2);
}

TEST(the_same_order_twice_in_a_batch_is_paid_once)
{
        static const char *const orders[] = {
                ORDER("twice", "paid", "\"external_id\":\"two\"", "4200"),
                ORDER("twice", "paid", "\"external_id\":\"two\"", "4200"),
                ORDER("twice", "delivered", "\"external_id\":\"two\"", "4200"),
        };

        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT(answers[0].created && !answers[0].replayed);
        EXPECT(!answers[1].created && answers[1].replayed);
        EXPECT_TEXT(answers[1].outcome, answers[0].outcome);
        EXPECT_TEXT(answer_text(&answers[2], "order.status"), "delivered");
        EXPECT_INT(answer_int(&answers[2], "points.active"), 42);
        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT(answers[0].replayed && answers[1].replayed && answers[2].replayed);
}

TEST(paid_and_cancelled_in_one_batch_is_taken_apart)
{
        static const char *const before[] = {ORDER("seen", "paid", "\"external_id\":\"three\"", "100")};
        static const char *const orders[] = {
                ORDER("flip", "paid", "\"external_id\":\"three\"", "7000"),
                ORDER("flip", "cancelled", "\"external_id\":\"three\"", "7000"),
                ORDER("seen", "cancelled", "\"external_id\":\"three\"", "100"),
        };

        EXPECT(take_both(before, 1));
        (void)take_both(orders, ARRAY_SIZE(orders));
        EXPECT_INT(answer_int(&answers[1], "points.reversed"), 70);
        EXPECT_INT(answer_int(&answers[2], "points.active"), 0);
}

TEST(poison_among_good_orders_fails_alone_and_leaves_nothing)
{
        static const char *const known[] = {ORDER("mine", "paid", "\"external_id\":\"owner\"", "1000")};
        static const char *const orders[] = {
                ORDER("good-1", "paid", "\"external_id\":\"good\"", "1000"),
                ORDER("mine", "paid", "\"external_id\":\"thief\",\"phone\":\"13811112222\"",
                      "1000"), /* another's order */
                ORDER("good-2", "paid", "\"external_id\":\"good\"", "1000"),
                "{\"external_id\":\"sums\",\"customer\":{\"external_id\":\"sums\"},\"lines\":[{\"sku\":\"A\",\"total_minor\":5}],"
                "\"total_minor\":6}",
                ORDER("nobody", "paid", "\"id\":\"11111111-2222-4333-8444-555555555555\"", "1000"),
                ORDER("taken", "paid", "\"external_id\":\"late\",\"phone\":\"13811113333\"", "1000"),
                ORDER("taken-2", "paid", "\"external_id\":\"later\",\"phone\":\"13811113333\"", "1000"),
                ORDER("good-3", "paid", "\"external_id\":\"good-3\"", "1000"),
        };

        EXPECT(take_both(known, 1));
        EXPECT(!take_both(orders, ARRAY_SIZE(orders)));
        EXPECT_INT(answers[0].err, ERR_OK);
        EXPECT_INT(answers[1].err, ERR_ORDER_DIFFERS);
        EXPECT_INT(answers[2].err, ERR_OK);
        EXPECT_INT(answers[3].err, ERR_INVALID);
        EXPECT_INT(answers[4].err, ERR_NOT_FOUND);
        EXPECT_INT(answers[5].err, ERR_OK);
        EXPECT_INT(answers[6].err, ERR_IDENTITY_TAKEN);
        EXPECT_INT(answers[7].err, ERR_OK);
        EXPECT_INT(till_int(together,
                            "SELECT count(*) FROM customers WHERE external_id IN ('thief', 'sums', 'later')"),
                   0);
        EXPECT_INT(
                till_int(together, "SELECT count(*) FROM customer_identities WHERE value = '+8613811112222'"),
                0);
        EXPECT_INT(till_int(together,
                            "SELECT count(*) FROM orders WHERE external_id IN ('sums', 'nobody', 'taken-2')"),
                   0);
}

TEST(a_refused_call_that_touches_nobody_does_not_take_the_batch_apart)
{
        static const char *const orders[] = {
                ORDER("calm-1", "paid", "\"external_id\":\"good\"", "1000"),
                ORDER("good-1", "placed", "\"external_id\":\"good\"", "1000"), /* backwards */
                ORDER("calm-2", "paid", "\"external_id\":\"good\"", "1000"),
        };

        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT(answers[0].err == ERR_OK && answers[1].err == ERR_ORDER_STATE && answers[2].err == ERR_OK);
}

TEST(what_an_order_says_of_its_customer_counts_from_that_order_on)
{
        /* double points in the birthday month for diamonds: the first order does not know the birthday */
        static const char *const orders[] = {
                ORDER("bday-0", "paid", "\"external_id\":\"bday\"", "500000"),
                ORDER("bday-1", "paid", "\"external_id\":\"bday\"", "1000"),
                ORDER("bday-2", "paid", "\"external_id\":\"bday\",\"birthday\":\"11-05\"", "1000"),
        };

        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT_INT(answer_int(&answers[1], "points.earned"), 10);
        EXPECT_INT(answer_int(&answers[2], "points.earned"), 20);
}

TEST(one_person_by_phone_in_two_calls_of_one_batch)
{
        static const char *const orders[] = {
                ORDER("tel-1", "paid", "\"phone\":\"138 1234 0001\"", "1000"),
                ORDER("tel-2", "paid", "\"phone\":\"+86-13812340001\",\"external_id\":\"tel\"", "1000"),
                ORDER("tel-3", "paid", "\"external_id\":\"tel\",\"phone\":\"13812340002\"", "1000"),
                ORDER("tel-4", "paid", "\"external_id\":\"heir\",\"phone\":\"13812340001\"",
                      "1000"), /* free again */
        };

        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        EXPECT(answers[3].err == ERR_OK);
        EXPECT_TEXT(answer_text(&answers[1], "customer.id"), answer_text(&answers[0], "customer.id"));
        EXPECT_INT(answer_int(&answers[1], "customer.created"), false);
        EXPECT_INT(answer_int(&answers[2], "points.active"), 30);
        EXPECT_TEXT(till_text(together,
                              "SELECT string_agg(value, ' ') FROM customer_identities i JOIN customers c "
                              "ON c.id = i.customer_id WHERE external_id = 'tel'"),
                    "+8613812340002");
}

/* ------------------------------------------------------------------ at random */

static const char *random_order(struct arena *arena)
{
        static const char *const states[] = {"placed",  "paid",      "paid",      "paid",
                                             "shipped", "delivered", "completed", "cancelled"};
        static const char *const profiles[] = {"",
                                               "",
                                               "",
                                               ",\"name\":\"甲\"",
                                               ",\"name\":\"乙\"",
                                               ",\"birthday\":\"11-02\"",
                                               ",\"attributes\":{\"b\": 1, \"a\": [2]}",
                                               ",\"source\":{\"channel\":\"live\"}",
                                               ",\"email\":\"x@example.com\"",
                                               ",\"phone\":\"13500000001\"",
                                               ",\"phone\":\"13500000002\""};
        int64_t order = test_between(1, ORDERS);
        int64_t customer = test_between(0, 19) == 0 ? test_between(1, CUSTOMERS) : order % CUSTOMERS + 1;
        int64_t total = test_between(0, 29) == 0 ? 7 : order * 1237, discount = order % 3 * 5;
        const char *who =
                test_between(0, 14) == 0
                        ? arena_printf(arena, "\"phone\":\"1350000000%d\"", (int)test_between(1, 2))
                        : arena_printf(arena, "\"external_id\":\"R-%d\"%s", (int)customer,
                                       profiles[test_between(0, (int64_t)ARRAY_SIZE(profiles) - 1)]);

        return arena_printf(
                arena,
                "{\"external_id\":\"random-%d\",\"status\":\"%s\",\"customer\":{%s},\"lines\":[{\"sku\":\"A\","
                "\"total_minor\":%d},{\"sku\":\"B\",\"total_minor\":0},{\"sku\":\"C\",\"quantity\":3,\"total_minor\":%d}],"
                "\"discount_minor\":%d,\"shipping_minor\":%d,\"total_minor\":%d}",
                (int)order, states[test_between(0, (int64_t)ARRAY_SIZE(states) - 1)], who, (int)total,
                (int)total * 2, (int)discount, (int)order, (int)(total * 3 - discount + order));
}

static void random_round(void)
{
        struct arena *arena = arena_new();
        const char *orders[BATCH_MAX];
        size_t n = (size_t)test_between(1, BATCH_MAX);

        for (size_t i = 0; i < n; i++)
                orders[i] = i > 0 && test_between(0, 9) == 0 ? orders[test_between(0, (int64_t)i - 1)]
                                                             : random_order(arena);
        (void)answer_both(orders, n);
        arena_free(arena);
}

TEST(random_batches_end_as_the_same_calls_one_by_one)
{
        for (int round = 0; round < ROUNDS && test_faults == 0; round++) {
                random_round();
                if (round % ROUNDS_COMPARED == ROUNDS_COMPARED - 1)
                        EXPECT(twins_equal(together, singly));
        }
        EXPECT(till_int(
                       together,
                       "SELECT count(*) FROM orders WHERE external_id LIKE 'random-%%' AND counted_on IS NOT NULL") >
               10);
        EXPECT(till_int(together, "SELECT count(*) FROM refunds") > 5);
}

TEST(everybody_in_a_batch_has_his_own_tags_and_segment)
{
        struct fixture *both[] = {together, singly};
        static const char *const first[] = {ORDER("tag-1", "paid", "\"external_id\":\"tag-a\"", "100"),
                                            ORDER("tag-2", "paid", "\"external_id\":\"tag-b\"", "100")};
        static const char *const orders[] = {ORDER("tag-3", "paid", "\"external_id\":\"tag-a\"", "100"),
                                             ORDER("tag-4", "paid", "\"external_id\":\"tag-b\"", "100"),
                                             ORDER("tag-5", "paid", "\"external_id\":\"tag-c\"", "100"),
                                             ORDER("tag-6", "paid", "\"external_id\":\"tag-b\"", "100")};
        static const int64_t earned[] = {0, 15, 0, 5};

        EXPECT(take_both(first, ARRAY_SIZE(first)));
        for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
                till_sql(
                        both[i],
                        "INSERT INTO customer_tags SELECT id, 'manual', CASE external_id WHEN 'tag-b' THEN 'vip' "
                        "ELSE 'other' END, NULL, '2026-01-01' FROM customers WHERE external_id LIKE 'tag-%%'");
                till_program(
                        both[i],
                        "{\"earning\":[{\"code\":\"vip\",\"kind\":\"add\",\"points\":5,\"when\":\"has tag 'vip'\"},"
                        "{\"code\":\"new\",\"kind\":\"add\",\"points\":10,\"when\":\"has tag 'vip' and in segment "
                        "'new'\"}],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}");
        }
        EXPECT(take_both(orders, ARRAY_SIZE(orders)));
        for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
                EXPECT_INT(answer_int(&answers[i], "points.earned"), earned[i]);
}

TEST(both_are_sound_at_the_end)
{
        EXPECT(till_sound(together));
        EXPECT(till_sound(singly));
}

int main(void)
{
        together = till_open("together");
        singly = till_open("singly");
        int status = test_run_all();
        till_close(singly);
        till_close(together);
        return status;
}
