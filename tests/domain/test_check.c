/* The auditor can fail: every kind of row, spoilt by hand, is found by the check that is there for it. */
#include "test.h"
#include "till.h"

#include "activities/activities.h"
#include "points/adjustments.h"

#include "check/check.h"
#include "customers/consent.h"
#include "customers/groups.h"
#include "customers/tags.h"
#include "directory/directory.h"

static struct fixture *shop;

#define CONTACTS_BELONG     "every tag, note, address, contact and membership belongs to a customer that exists"
#define DIRECTORY_IS_A_COPY "the directory says what customers, orders and points say"

/* Spoil the books, look which checks fail, and mend them again. */
struct spoil {
        const char *sql;
        const char *found; /* part of what the check of the right name says */
};

/* Somebody else with holds: one open, one that paid for an order of which half came back. */
static void holds_make(void)
{
#define OF_H(id, more, total)                                                                                \
        "{\"external_id\":\"" id "\",\"status\":\"delivered\",\"customer\":{\"external_id\":\"H\"}," more    \
        "\"lines\":[{\"sku\":\"A\",\"total_minor\":" total "}],\"total_minor\":" total "}"
        EXPECT_INT(till_take(shop, OF_H("h1", "", "8000")).err, ERR_OK);
        EXPECT_INT(till_hold(shop, "ext:H", "open", 10, 1800), ERR_OK);
        EXPECT_INT(till_hold(shop, "ext:H", "cart", 30, 1800), ERR_OK);
        EXPECT_INT(till_take(shop, OF_H("h2", "\"points_hold\":\"ext:cart\",", "6000")).err, ERR_OK);
        EXPECT_INT(till_refund(shop, "ext:h2",
                               "{\"external_id\":\"R\",\"lines\":[{\"line_no\":1,\"amount_minor\":3000}]}")
                           .err,
                   ERR_OK);
#undef OF_H
}

/* Points for something done, points given, and a gift that waits. */
static enum err grants_once(struct ctx *c, void *arg)
{
        struct activity_in did = {.key = "did", .customer = "ext:H", .type = ACTIVITY_SHARE};
        struct adjustment_in gifts[] = {
                {.customer = "ext:H", .points = 3, .reason = "a gift", .expiry = GRANT_EXPIRY_PROGRAM},
                {.customer = "ext:H", .points = 20000, .reason = "a gift", .expiry = GRANT_EXPIRY_PROGRAM}};
        struct uuid approval;
        struct activity_answer done;
        TX(tx);

        (void)arg;
        TRY(tx_begin(c, &tx));
        TRY(activity_record(c, &did, &done));
        for (size_t i = 0; i < ARRAY_SIZE(gifts); i++)
                TRY(points_adjust(c, &(struct adjustment_call){.c = c, .in = &gifts[i]}, 1, &approval));
        return tx_commit(&tx);
}

static void grants_make(void)
{
        struct ctx *c = fixture_ctx(shop);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(db_run(c, grants_once, NULL), ERR_OK);
        till_sql(
                shop,
                "INSERT INTO points_cap_days SELECT customer_id, '2026-01-01', 'program', 1 FROM points_accounts LIMIT 1");
        till_sql(shop,
                 "INSERT INTO points_lot_lives SELECT customer_id, lot_no, 1, NULL FROM points_lots LIMIT 1");
}

/* Somebody with orders, refunds, debt, pending points and a tier. */
static void books_make(void)
{
        till_program(
                shop,
                "{\"points\":{\"pending\":\"delivered\",\"refund_policy\":\"unlimited\"},\"earning\":[{\"code\":\"base\","
                "\"kind\":\"base\",\"rate_millionths\":1000000},{\"code\":\"growth\",\"target\":\"growth\",\"kind\":\"base\","
                "\"rate_millionths\":1000000}],\"activities\":[{\"type\":\"share\",\"points\":5,\"growth\":2}],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"},{\"rank\":1,\"code\":\"silver\","
                "\"name\":\"S\",\"qualify\":{\"any_of\":[{\"metric\":\"spend\",\"at_least\":15000}]}}]}");
        static const char *const orders[] = {"k1", "k2", "k3"};
        for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
                EXPECT_INT(
                        till_take(
                                shop,
                                "{\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"K\",\"phone\":\"13800138000\"},"
                                "\"lines\":[{\"sku\":\"A\",\"total_minor\":10000},{\"sku\":\"B\",\"total_minor\":500}],"
                                "\"shipping_minor\":90,\"total_minor\":10590}",
                                orders[i], i < 2 ? "delivered" : "paid")
                                .err,
                        ERR_OK);
                if (i != 1)
                        continue;
                EXPECT_INT(till_spend(shop, "ext:K", 150), ERR_OK);
                EXPECT_INT(
                        till_refund(
                                shop, "ext:k1",
                                "{\"external_id\":\"R\",\"lines\":[{\"line_no\":1,\"amount_minor\":10000}],\"shipping_minor\":40}")
                                .err,
                        ERR_OK);
        }
        holds_make();
        grants_make();
}

#define APPROVALS_ADD_UP "every request for approval is the sum of its adjustments"
#define POINTS_BELONG    "every row of points belongs to a customer and an order that exist"
#define SECOND           " WHERE seq = 2"
#define NIL              "'00000000-0000-4000-8000-000000000000'"

static const struct spoil spoils[] = {
        {"UPDATE points_ledger SET amount = amount + 1" SECOND,
         "every ledger entry follows from the one before"},
        {"UPDATE points_ledger SET active_after = active_after + 1" SECOND,
         "every ledger entry follows from the one before"},
        {"DELETE FROM points_ledger" SECOND, "every ledger entry follows from the one before"},
        {"UPDATE points_ledger SET seq = 99" SECOND, "every ledger entry follows from the one before"},
        {"UPDATE points_ledger SET order_id = " NIL SECOND, POINTS_BELONG},
        {"UPDATE points_accounts SET active = active + 1", "every account is what its last entry says"},
        {"UPDATE points_accounts SET active = active + 1, pending = pending - 1 WHERE pending > 0",
         "lots hold what is active and pending"},
        {"UPDATE points_accounts SET lifetime_earned = 0", "entries sum to active + pending + held - debt"},
        {"UPDATE points_accounts SET lifetime_spent = 0", "entries sum to active + pending + held - debt"},
        {"DELETE FROM points_accounts", "entries sum to active + pending + held - debt"},
        {"UPDATE points_lots SET remaining = remaining - 1 WHERE remaining > 0",
         "lots hold what is active and pending"},
        {"UPDATE points_lots SET amount = amount + 1", "every lot is its earning less what was drawn"},
        {"UPDATE points_lots SET pending = NOT pending WHERE remaining > 0",
         "lots hold what is active and pending"},
        {"DELETE FROM points_lots WHERE remaining = 0", POINTS_BELONG},
        {"DELETE FROM points_allocations", "every lot is its earning less what was drawn"},
        {"UPDATE points_allocations SET seq = seq + 50", "every entry drew from lots what it says"},
        {"UPDATE points_allocations SET lot_no = lot_no + 77", POINTS_BELONG},
        {"UPDATE points_allocations SET amount = amount + 1", "every entry drew from lots what it says"},
        {"UPDATE points_holds SET points = points + 1 WHERE state = 'open'", "open holds have what is held"},
        {"UPDATE points_holds SET state = 'released' WHERE state = 'open'", "open holds have what is held"},
        {"UPDATE points_holds SET captured = captured - 1 WHERE state = 'captured'",
         "every hold is what it drew"},
        {"UPDATE points_holds SET restored = restored - 1 WHERE restored > 0", "every hold is what it drew"},
        {"UPDATE points_holds SET spend_seq = 0", "every hold is what it drew"},
        {"UPDATE points_hold_draws SET returned = returned + 1 WHERE returned < amount",
         "every hold is what it drew"},
        {"UPDATE points_hold_draws SET lot_no = lot_no + 77", "every hold is what it drew"},
        {"DELETE FROM points_hold_draws", "every hold is what it drew"},
        {"DELETE FROM points_holds", POINTS_BELONG},
        {"UPDATE points_accounts SET lifetime_expired = 1", "entries sum to active + pending + held - debt"},
        {"UPDATE orders SET total_minor = total_minor + 1", "every order is the sum of its lines"},
        {"UPDATE orders SET points_earned = points_earned + 1", "every order earned what the ledger says"},
        {"UPDATE orders SET points_reversed = points_reversed + 1",
         "every order earned what the ledger says"},
        {"UPDATE orders SET growth_earned = growth_earned + 1", "every standing is the sum of its orders"},
        {"UPDATE orders SET refunded_minor = 0, refunded_shipping_minor = 0",
         "every order's refunds are those that were booked"},
        {"UPDATE orders SET calls = calls + 1", "every order has its calls"},
        {"DELETE FROM orders WHERE external_id = 'k2'",
         "every row belongs to a customer and an order that exist"},
        {"UPDATE order_lines SET paid_minor = paid_minor + 1", "every order is the sum of its lines"},
        {"UPDATE order_lines SET points = points - 1 WHERE points > 0",
         "every order is the sum of its lines"},
        {"DELETE FROM order_lines WHERE line_no = 2", "every order is the sum of its lines"},
        {"UPDATE order_lines SET refunded_quantity = quantity",
         "every line's refunds are those that were booked"},
        {"DELETE FROM order_calls WHERE call_no = 1", "every order has its calls"},
        {"UPDATE refunds SET amount_minor = amount_minor + 1",
         "every order's refunds are those that were booked"},
        {"UPDATE refunds SET amount_minor = amount_minor - 1, shipping_minor = shipping_minor - 1",
         "every order's refunds are those that were booked"},
        {"UPDATE refunds SET growth_reversed = growth_reversed + 1", "every refund is the sum of its lines"},
        {"DELETE FROM refunds", "every row belongs to a customer and an order that exist"},
        {"UPDATE refund_lines SET points = points - 1", "every line's refunds are those that were booked"},
        {"UPDATE refund_lines SET quantity = 1", "every line's refunds are those that were booked"},
        {"UPDATE refund_lines SET amount_minor = amount_minor - 1", "every refund is the sum of its lines"},
        {"UPDATE refund_lines SET line_no = 9", "every line's refunds are those that were booked"},
        {"DELETE FROM refund_lines", "every refund is the sum of its lines"},
        {"UPDATE tier_standings SET spend_minor = spend_minor + 1",
         "every standing is the sum of its orders"},
        {"UPDATE tier_standings SET orders = 1", "every standing is the sum of its orders"},
        {"UPDATE tier_standings SET tier = 'basic'", "every history ends in the present tier"},
        {"DELETE FROM tier_standings", "every standing is the sum of its orders"},
        {"UPDATE metric_days SET growth = growth + 1", "days sum to the standing"},
        {"DELETE FROM metric_days", "days sum to the standing"},
        {"DELETE FROM tier_history", "every history ends in the present tier"},
        {"UPDATE tier_history SET change_no = 5", "every history ends in the present tier"},
        {"INSERT INTO tier_history SELECT customer_id, 2, 'gold', 'silver', 'x', NULL, created_at FROM tier_history",
         "every history ends in the present tier"},
        {"UPDATE points_adjustments SET points = points + 1 WHERE state = 'applied'",
         "every adjustment is one entry"},
        {"DELETE FROM points_adjustments WHERE state = 'applied'", "every adjustment is one entry"},
        {"UPDATE points_adjustments SET points = points + 1 WHERE state = 'pending_approval'",
         APPROVALS_ADD_UP},
        {"DELETE FROM points_adjustments WHERE state = 'pending_approval'", APPROVALS_ADD_UP},
        {"UPDATE points_adjustments SET state = 'declined' WHERE state = 'pending_approval'",
         APPROVALS_ADD_UP},
        {"DELETE FROM points_approvals", APPROVALS_ADD_UP},
        {"UPDATE activities SET points = points + 1", "every payment for an activity is one entry"},
        {"UPDATE activities SET growth = growth + 1", "every standing is the sum of its orders"},
        {"DELETE FROM activities", "every payment for an activity is one entry"},
        {"UPDATE points_cap_days SET points = 1000000", "caps count no more than orders earned"},
        {"UPDATE points_cap_days SET customer_id = " NIL, POINTS_BELONG},
        {"UPDATE points_lot_lives SET lot_no = 99", POINTS_BELONG},
        {"UPDATE groups SET members = members + 1", "every group counts its members"},
        {"UPDATE group_members SET left_at = joined_at", "every group counts its members"},
        {"UPDATE group_members SET customer_id = " NIL, CONTACTS_BELONG},
        {"UPDATE group_members SET group_id = " NIL, CONTACTS_BELONG},
        {"UPDATE customer_tags SET customer_id = " NIL, CONTACTS_BELONG},
        {"INSERT INTO customer_tags SELECT customer_id, kind, tag || n, NULL, created_at FROM customer_tags, "
         "generate_series(1, 250) AS n",
         "nobody has more tags than there may be"},
        {"UPDATE consents SET state = 'denied'", "every consent is what was said last"},
        {"UPDATE consents SET changes = 9", "every consent is what was said last"},
        {"DELETE FROM consent_changes", "every consent is what was said last"},
        {"DELETE FROM consents", "every consent is what was said last"},
        {"UPDATE customer_directory SET spend_minor = spend_minor + 1", DIRECTORY_IS_A_COPY},
        {"UPDATE customer_directory SET points_active = 1000000", DIRECTORY_IS_A_COPY},
        {"DELETE FROM customer_search", DIRECTORY_IS_A_COPY},
        {"UPDATE customers SET updated_at = updated_at + interval '1 s'", DIRECTORY_IS_A_COPY},
        {"INSERT INTO customer_search SELECT " NIL ", '', ''", "the directory has nobody who is gone"},
        {"UPDATE customer_identities SET customer_id = " NIL,
         "every row belongs to a customer and an order that exist"},
        {"UPDATE events SET customer_id = " NIL, "every row belongs to a customer and an order that exist"},
        {"INSERT INTO customer_aliases VALUES (" NIL ", " NIL ", '2026-01-01')",
         "every row belongs to a customer and an order that exist"},
};

/* The same customer tagged, in a group, with a consent, and in the directory. */
static void contacts_make(void)
{
        struct uuid id = uuid_of_external("customer", "K");
        struct ctx *c = fixture_ctx(shop);
        struct tag_change tag = {.tag = {.customer_id = id, .kind = TAG_MANUAL, .tag = "vip"}};
        struct membership member = {.customer_id = id};
        struct consent_in said = {.state = CONSENT_GRANTED};
        struct group group;
        bool more = true;
        TX(tx);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(tags_change(c, &tag, 1), ERR_OK);
        EXPECT_INT(group_put(c, "club", &(struct group_in){.name = "Club"}, /* expected_version= */ 0, &group,
                             &more),
                   ERR_OK);
        EXPECT_INT(group_change(c, "club", &member, 1), ERR_OK);
        EXPECT_INT(
                consents_record(
                        c, &(struct consent_call){.customer_id = id, .channel = CONTACT_SMS, .in = &said}, 1),
                ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
        EXPECT_INT(directory_catch_up(c, DIRECTORY_AT_ONCE, &more), ERR_OK);
        EXPECT(!more);
}

/* What check_run says, the caller frees it. */
static char *run(bool *ret_ok)
{
        struct ctx *c = fixture_ctx(shop);
        char *said = NULL;
        size_t len;
        FILE *out = open_memstream(&said, &len);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(check_run(c, out, ret_ok), ERR_OK);
        fclose(out);
        return said;
}

/* Every table with what it held. */
static void copies(const char *what)
{
        till_sql(
                shop,
                "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP "
                "EXECUTE format(%s, t, t); END LOOP; END $$",
                what);
}

TEST(the_books_are_sound_before_they_are_spoilt)
{
        books_make();
        contacts_make();
        EXPECT(till_sound(shop));
        /* each kind of row is there */
        EXPECT(till_int(shop, "SELECT count(*) FROM points_allocations") >= 3);
        EXPECT(till_int(shop, "SELECT max(debt) FROM points_accounts") > 0);
        EXPECT(till_int(shop, "SELECT max(pending) FROM points_accounts") > 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM tier_history"), 1);
        till_sql(shop, "CREATE SCHEMA kept");
        copies("'CREATE TABLE kept.%I AS SELECT * FROM public.%I'");
        till_sql(shop,
                 "SET session_replication_role = replica"); /* foreign keys look away, for one session */
}

TEST(every_spoilt_row_is_found_by_its_check)
{
        for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
                bool ok = true;
                till_sql(shop, "%s", spoils[i].sql);
                char *said = run(&ok), wrong[128];
                snprintf(wrong, sizeof wrong, "WRONG   %s\n", spoils[i].found);
                if (ok || strstr(said, wrong) == NULL)
                        printf("  %s\n%s", spoils[i].sql, said);
                EXPECT(!ok && strstr(said, wrong) != NULL);
                free(said);
                copies("'TRUNCATE public.%I CASCADE'");
                copies("'INSERT INTO public.%2$I SELECT * FROM kept.%1$I'");
                EXPECT(till_sound(shop));
        }
}

TEST(the_proof_of_points_names_the_customer)
{
        struct ctx *c = fixture_ctx(shop);
        struct proof proof;

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(check_points(c, &proof), ERR_OK);
        EXPECT(proof.ok && proof.faults.n == 0 && proof.customers == 2 && proof.checked_entries == 14);
        till_sql(shop, "UPDATE points_accounts SET active = active + 1 WHERE debt > 0");
        c = fixture_ctx(shop);
        EXPECT_INT(check_points(c, &proof), ERR_OK);
        EXPECT(!proof.ok && proof.faults.n >= 2);
        for (size_t i = 0; i < proof.faults.n; i++)
                EXPECT(uuid_equal(proof.faults.v[i].customer_id, uuid_of_external("customer", "K")));
}

int main(void)
{
        shop = till_open("check");
        int status = test_run_all();
        till_close(shop);
        return status;
}
