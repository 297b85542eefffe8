/* Coupons where the API's tests can't look: orders that meet in one batch, and what the auditor finds. */
#include "test.h"
#include "till.h"

#include "coupons/coupons.h"
#include "db/db.h"

static struct fixture *shop;

static struct ctx *begun(struct tx *tx)
{
        struct ctx *c = fixture_ctx(shop);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(tx_begin(c, tx), ERR_OK);
        return c;
}

static void template_put(const char *code)
{
        TX(tx);
        struct ctx *c = begun(&tx);
        struct coupon_template made;
        bool created;

        EXPECT_INT(coupon_template_put(c,
                                       &(struct coupon_template_in){.template = code,
                                                                    .name = "Test",
                                                                    .kind = COUPON_AMOUNT,
                                                                    .off_minor = 100,
                                                                    .valid_days = {true, 30},
                                                                    .active = true},
                                       /* expected_version= */ 0, &made, &created),
                   ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

/* A new coupon for whoever bears it; the text lives as long as the program. */
static const char *issued(const char *template, const char *key)
{
        static char codes[64][COUPON_CODE_SIZE];
        static size_t n;
        TX(tx);
        struct ctx *c = begun(&tx);
        struct coupon coupon = {.code = ""};
        bool known;

        EXPECT_INT(coupon_issue_one(c, &(struct coupon_issue_in){.template = template, .key = key}, &coupon,
                                    &known),
                   ERR_OK);
        snprintf(codes[n], sizeof codes[n], "%s", coupon.code);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
        return codes[n++];
}

static const char *state_of(const char *code)
{
        return till_text(shop, "SELECT state FROM coupons WHERE code = '%s'", code);
}

#define ORDER                                                                                                \
        "{\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"%s\"},\"coupon\":\"%s\"," \
        "\"lines\":[{\"sku\":\"A\",\"total_minor\":1000}],\"discount_minor\":100,\"total_minor\":900}"

static void order_write(char *out, size_t size, const char *id, const char *status, const char *customer,
                        const char *code)
{
        snprintf(out, size, ORDER, id, status, customer, code);
}

TEST(coupon_in_two_orders_of_one_batch_is_used_by_the_first)
{
        const char *code = issued("once", "batch");
        char texts[2][512];
        const char *orders[] = {texts[0], texts[1]};
        struct answer answers[2];

        /* both customers are known: a refused call that touched nobody leaves the batch together */
        EXPECT_INT(till_take(shop, ORDER, "B-0", "paid", "BA", "SHOP-1").err, ERR_OK);
        EXPECT_INT(till_take(shop, ORDER, "B-1", "paid", "BB", "SHOP-1").err, ERR_OK);
        order_write(texts[0], sizeof texts[0], "B-2", "paid", "BA", code);
        order_write(texts[1], sizeof texts[1], "B-3", "paid", "BB", code);
        EXPECT(till_take_all(shop, orders, 2, answers));
        EXPECT_INT(answers[0].err, ERR_OK);
        EXPECT_INT(answers[1].err, ERR_COUPON_STATE);
        EXPECT_TEXT(state_of(code), "redeemed");
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM orders WHERE external_id = 'B-3'"), 0);
        EXPECT(till_sound(shop));
}

TEST(coupon_is_used_given_back_and_used_again_in_one_batch)
{
        const char *code = issued("once", "again");
        char texts[3][512];
        const char *orders[] = {texts[0], texts[1], texts[2]};
        struct answer answers[3];

        order_write(texts[0], sizeof texts[0], "G-1", "placed", "BA", code);
        order_write(texts[1], sizeof texts[1], "G-1", "cancelled", "BA", code);
        order_write(texts[2], sizeof texts[2], "G-2", "paid", "BB", code);
        EXPECT(till_take_all(shop, orders, 3, answers));
        for (size_t i = 0; i < 3; i++)
                EXPECT_INT(answers[i].err, ERR_OK);
        EXPECT_INT(till_int(shop, "SELECT changes FROM coupons WHERE code = '%s'", code), 4);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM coupons c JOIN orders o ON o.id = c.order_id WHERE c.code = '%s' "
                        "AND o.external_id = 'G-2'",
                        code),
                1);
        EXPECT(till_sound(shop));
}

TEST(coupon_locks_and_validity_end_after_days_of_outage_just_once)
{
        const char *locked = issued("once", "locked"), *idle = issued("once", "idle");
        bool more;

        for (int i = 0; i < 2; i++) {
                TX(tx);
                struct ctx *c = begun(&tx);
                struct coupon coupon;
                EXPECT_INT(coupon_lock_one(c,
                                           &(struct coupon_lock_in){.coupon = locked,
                                                                    .session = "cart",
                                                                    .expires_in_seconds = 60},
                                           &coupon),
                           ERR_OK);
                EXPECT_INT(tx_commit(&tx), ERR_OK);
        }
        till_clock(shop, "2027-06-01T00:00:00Z");
        for (int round = 0; round < 2; round++) {
                struct ctx *c = fixture_ctx(shop);
                EXPECT_INT(db_ready(c), ERR_OK);
                EXPECT_INT(coupons_settle_due(c, 500, &more), ERR_OK);
                EXPECT(!more);
        }
        EXPECT_TEXT(state_of(locked), "expired");
        EXPECT_TEXT(state_of(idle), "expired");
        EXPECT_INT(till_int(shop, "SELECT changes FROM coupons WHERE code = '%s'", locked), 5);
        EXPECT_INT(till_int(shop, "SELECT changes FROM coupons WHERE code = '%s'", idle), 2);
        /* each change is dated by when it came about */
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT extract(epoch FROM created_at - '2026-11-21T12:00:00Z')::bigint FROM coupon_history "
                        "WHERE code = '%s' AND action = 'released'",
                        locked),
                60);
        till_clock(shop, "2026-11-21T12:00:00Z");
        EXPECT(till_sound(shop));
}

/* Or its row could not be updated within its page. */
TEST(no_index_of_coupons_has_what_a_use_changes)
{
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM pg_indexes WHERE tablename = 'coupons'") > 5, 1);
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM pg_indexes WHERE tablename = 'coupons' AND substr(indexdef, strpos(indexdef, '(')) ~ "
                        "'state|session|locked|used_by|order_id|redem|redeem|off_minor|changes'"),
                0);
}

TEST(use_leaves_the_next_look_as_it_is_and_is_forgotten_when_its_time_comes)
{
        const char *code = issued("once", "spent");
        const char *same = "SELECT count(*) FROM coupons WHERE code = '%s' AND due_at = expires_at";
        char text[512];
        const char *order = text;
        struct answer answer;
        bool more;

        EXPECT_INT(till_int(shop, same, code), 1);
        order_write(text, sizeof text, "G-3", "paid", "BC", code);
        EXPECT(till_take_all(shop, &order, 1, &answer));
        EXPECT_INT(answer.err, ERR_OK);
        EXPECT_INT(till_int(shop, same, code), 1);
        till_clock(shop, "2027-06-01T00:00:00Z");
        struct ctx *c = fixture_ctx(shop);
        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(coupons_settle_due(c, 500, &more), ERR_OK);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM coupons WHERE code = '%s' AND due_at IS NULL", code),
                   1);
        EXPECT_TEXT(state_of(code), "redeemed");
        till_clock(shop, "2026-11-21T12:00:00Z");
        EXPECT(till_sound(shop));
}

TEST(order_rules_issue_to_the_last_one_in_the_order_of_a_batch)
{
        char texts[4][512];
        const char *orders[] = {texts[0], texts[1], texts[2], texts[3]};
        struct answer answers[4];

        template_put("few");
        till_sql(shop, "UPDATE coupon_templates SET total_limit = 1 WHERE code = 'few'");
        till_program(
                shop,
                "{\"coupons\":[{\"code\":\"few\",\"on\":\"order_counted\",\"template\":\"few\","
                "\"withdrawn_on_refund\":true}],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}");
        order_write(texts[0], sizeof texts[0], "R-1", "placed", "RA", "SHOP-1");
        order_write(texts[1], sizeof texts[1], "R-1", "paid", "RA", "SHOP-1");
        order_write(texts[2], sizeof texts[2], "R-2", "paid", "RB", "SHOP-1");
        order_write(texts[3], sizeof texts[3], "R-1", "cancelled", "RA", "SHOP-1");
        EXPECT(till_take_all(shop, orders, 4, answers));
        EXPECT_INT(answer_int(&answers[0], "coupons"), 0);
        EXPECT_TEXT(answer_text(&answers[1], "coupons.0.status"), "issued");
        EXPECT_TEXT(answer_text(&answers[2], "coupons.0.status"), "sold_out");
        EXPECT_TEXT(answer_text(&answers[3], "coupons.0.status"), "withdrawn");
        EXPECT_INT(till_int(shop, "SELECT issued FROM coupon_stocks WHERE template = 'few'"), 1);
        EXPECT_INT(till_int(shop, "SELECT changes FROM coupons WHERE template = 'few' AND state = 'revoked'"),
                   2);
        EXPECT(till_sound(shop));
}

/* What the auditor must find, and what mends it again. */
TEST(check_finds_coupons_that_do_not_add_up)
{
        static const char *const faults[][2] = {
                {"UPDATE coupon_stocks SET issued = issued + 1",
                 "UPDATE coupon_stocks SET issued = issued - 1"},
                {"UPDATE coupon_history SET state = 'locked' WHERE action = 'expired'",
                 "UPDATE coupon_history SET state = 'expired' WHERE action = 'expired'"},
                {"UPDATE coupons SET changes = changes + 1", "UPDATE coupons SET changes = changes - 1"},
                {"UPDATE orders SET coupon = 'x' WHERE external_id = 'G-2'",
                 "UPDATE orders o SET coupon = c.code FROM coupons c WHERE c.order_id = o.id"},
                {"UPDATE coupons SET redemption = 'till' WHERE order_id IS NOT NULL",
                 "UPDATE coupons SET redemption = NULL"},
                {"UPDATE coupons SET due_at = NULL WHERE issue_key = 'open'",
                 "UPDATE coupons SET due_at = expires_at WHERE issue_key = 'open'"},
                {"UPDATE coupons SET source = 'order' WHERE issue_key = 'batch'",
                 "UPDATE coupons SET source = 'api' WHERE issue_key = 'batch'"},
        };

        (void)issued("once", "open");
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                till_sql(shop, "%s", faults[i][0]);
                EXPECT(!till_sound(shop));
                till_sql(shop, "%s", faults[i][1]);
                EXPECT(till_sound(shop));
        }
}

int main(void)
{
        shop = till_open("coupons");
        template_put("once");
        int status = test_run_all();
        till_close(shop);
        return status;
}
