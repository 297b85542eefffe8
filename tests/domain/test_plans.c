/* The statements of the order path find every row by a key: on large tables, and with plans that were made
 * when these were empty. A plan is kept until its tables are analysed, so one that reads a table from end to
 * end would go on doing so. */
#include "test.h"
#include "till.h"

#include "coupons/code.h"
#include "db/internal.h"

#define CUSTOMERS "30000"

static struct fixture *shop;

/* A connection as the lanes have it in place of the fixture's plain one. */
static struct db *lane_open(void)
{
        struct db *plain = shop->ctx.db;

        shop->ctx.db =
                db_new(&(struct db_options){.url = shop->url, .application = "patron-test", .by_key = true});
        return plain;
}

static void lane_close(struct db *plain)
{
        db_free(shop->ctx.db);
        shop->ctx.db = plain;
}

#define ORDER(id, status, customer)                                                                          \
        "{\"external_id\":\"" id "\",\"status\":\"" status "\",\"customer\":{" customer                      \
        "},\"lines\":[{\"sku\":\"A\",\"total_minor\":600000}],\"total_minor\":600000}"

/* A coupon of its own: used by an order, which is then cancelled. */
static void use_coupon(const char *round)
{
        const char *code = strcmp(round, "early") == 0 ? "2222-2222-2222-2222" : "3333-3333-3333-333A";
        static const char *const states[] = {"paid", "cancelled"};
        char text[COUPON_CODE_SIZE];

        EXPECT_INT(coupon_code_read(code, text), COUPON_CODE_OK);
        till_sql(
                shop,
                "INSERT INTO coupon_templates SELECT '%s', 1, 'x', 'amount', 100, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, "
                "NULL, true, true, true, true, true, 0, true, '2026-01-01'; "
                "INSERT INTO coupons (code, id, template, template_version, state, source, valid_from, off_minor, changes, "
                "created_at) VALUES ('%s', gen_random_uuid(), '%s', 1, 'available', 'api', '2026-01-01', 0, 1, '2026-01-01')",
                round, code, round);
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                EXPECT_INT(
                        till_take(
                                shop,
                                "{\"external_id\":\"coupon-%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"W-%s\"},"
                                "\"coupon\":\"%s\",\"lines\":[{\"sku\":\"A\",\"total_minor\":1000}],"
                                "\"discount_minor\":100,\"total_minor\":900}",
                                round, states[i], round, code)
                                .err,
                        ERR_OK);
}

/* Everything that the order path can do, so that the connection has prepared all of its statements. */
static void walk(const char *round)
{
        char orders[6][512];
        const char *batch[6];
        struct answer answers[6];
        static const char *const templates[] = {
                ORDER("new-%s", "paid",
                      "\"external_id\":\"W-%s\",\"identities\":[{\"kind\":\"qq\",\"value\":\"%s\"}],\"name\":\"a\","
                      "\"addresses\":[{\"name\":\"home\",\"street\":\"a\",\"is_default\":true}]"),
                ORDER("basket-%s", "placed", "\"external_id\":\"W-%s\""),
                ORDER("adopted-%s", "paid", "\"email\":\"%s@example.com\""),
                ORDER("later-%s", "paid", "\"external_id\":\"L-%s\""),
                ORDER("basket-%s", "paid",
                      "\"external_id\":\"W-%s\",\"city\":\"x\",\"addresses\":[{\"name\":\"home\",\"street\":\"b\"}]"),
                ORDER("new-%s", "cancelled", "\"external_id\":\"W-%s\""),
        };

        for (size_t i = 0; i < ARRAY_SIZE(templates); i++) {
                snprintf(orders[i], sizeof orders[i], templates[i], round, round,
                         round); /* as many as it names */
                batch[i] = orders[i];
        }
        for (size_t i = 0; i < ARRAY_SIZE(templates);
             i += 2) /* in three batches: later ones load what earlier ones stored */
                (void)till_take_all(shop, batch + i, 2, answers + i);
        for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
                EXPECT_INT(answers[i].err, ERR_OK);
        use_coupon(round);
        char reference[64], refund[128];
        snprintf(reference, sizeof reference, "ext:later-%s", round);
        snprintf(refund, sizeof refund,
                 "{\"external_id\":\"R\",\"lines\":[{\"line_no\":1,\"amount_minor\":1000}]}");
        EXPECT_INT(till_refund(shop, reference, "%s", refund).err, ERR_OK);
        snprintf(reference, sizeof reference, "ext:L-%s", round);
        EXPECT_INT(till_spend(shop, reference, 5), ERR_OK);
        EXPECT_INT(
                till_take(shop,
                          ORDER("adopt-%s", "paid", "\"external_id\":\"A-%s\",\"email\":\"%s@example.com\""),
                          round, round, round)
                        .err,
                ERR_OK);
}

/* Tens of thousands of customers with an order, as a year of trade leaves them. */
static void fill(void)
{
        till_sql(
                shop,
                "INSERT INTO coupons (code, id, template, template_version, state, source, valid_from, off_minor, changes, created_at) "
                "SELECT 'fill-' || n, gen_random_uuid(), 'early', 1, 'available', 'api', '2026-01-01', 0, 1, '2026-01-01' "
                "FROM generate_series(1, " CUSTOMERS ") AS n");
        till_sql(
                shop,
                "INSERT INTO coupon_history SELECT code, 9, 'issued', 'available', NULL, NULL, NULL, created_at FROM coupons");
        till_sql(
                shop,
                "INSERT INTO coupon_templates SELECT 'fill-' || n, 1, 'x', 'amount', 100, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, "
                "true, true, true, true, true, 0, true, '2026-01-01' FROM generate_series(1, " CUSTOMERS
                ") AS n");
        till_sql(
                shop,
                "INSERT INTO customers (id, external_id, version, created_at, updated_at) SELECT gen_random_uuid(), 'fill-' || n, 1, "
                "'2026-01-01', '2026-01-01' FROM generate_series(1, " CUSTOMERS ") AS n");
        till_sql(
                shop,
                "INSERT INTO customer_identities SELECT 'phone', external_id, id, created_at FROM customers");
        till_sql(
                shop,
                "INSERT INTO customer_addresses (customer_id, name, street, is_default, version, created_at, updated_at) "
                "SELECT id, 'office', 's', false, 1, created_at, updated_at FROM customers");
        till_sql(shop,
                 "INSERT INTO customer_aliases SELECT gen_random_uuid(), id, created_at FROM customers");
        till_sql(
                shop,
                "INSERT INTO points_accounts SELECT id, 1, 0, 0, 0, 1, 0, 0, 1 FROM customers WHERE external_id LIKE 'fill-%%'");
        till_sql(
                shop,
                "INSERT INTO points_lots SELECT id, 1, 1, 1, n %% 2 = 0, created_at, NULL, NULL FROM customers, generate_series(1, 1) AS n "
                "WHERE external_id LIKE 'fill-%%'");
        till_sql(
                shop,
                "INSERT INTO points_ledger SELECT customer_id, 1, 'earn', 1, 1, 0, 0, 0, 'x', NULL, NULL, active_from FROM points_lots "
                "ON CONFLICT DO NOTHING");
        till_sql(
                shop,
                "INSERT INTO tier_standings SELECT id, 'basic', created_at, NULL, 0, 0, 0, NULL, NULL, 0 FROM customers "
                "WHERE external_id LIKE 'fill-%%'");
        till_sql(
                shop,
                "INSERT INTO metric_days SELECT id, date '2026-01-01' + n, 1, 1, 1 FROM customers, generate_series(1, 3) AS n "
                "WHERE external_id LIKE 'fill-%%'");
        till_sql(
                shop,
                "INSERT INTO orders SELECT c.id, gen_random_uuid(), 'o-' || c.external_id, status, channel, currency, NULL, "
                "goods_minor, 0, 0, total_minor, 0, 0, 0, 0, 0, 0, true, NULL, o.placed_at, NULL, NULL, NULL, NULL, NULL, 1, 1, 1, "
                "o.created_at, o.updated_at FROM customers c, (SELECT * FROM orders LIMIT 1) AS o WHERE c.external_id LIKE 'fill-%%'");
        till_sql(
                shop,
                "INSERT INTO order_lines SELECT o.customer_id, o.id, l.line_no, 'A', NULL, NULL, NULL, 1, NULL, 0, 1, NULL, 1, 0, 0, 0, 0 "
                "FROM orders o, generate_series(1, 2) AS l(line_no) ON CONFLICT DO NOTHING");
        till_sql(shop,
                 "INSERT INTO order_calls SELECT customer_id, id, 9, '\\x00', '{}', created_at FROM orders");
        till_sql(
                shop,
                "INSERT INTO refunds SELECT customer_id, id, gen_random_uuid(), 'x', 0, 0, 0, 0, NULL, NULL, NULL, created_at FROM orders");
}

/* Nodes that read a table, or build one, from end to end; a kind alone is what half of a table has. */
static bool reads_whole_tables(const char *plan)
{
        static const char *const nodes[] = {"Seq Scan", "Hash Join", "Merge Join", "Materialize",
                                            "Index Cond: (kind = "};

        for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
                if (strstr(plan, nodes[i]) != NULL)
                        return true;
        return false;
}

/* The plan that the connection keeps of a statement, as text. */
static const char *kept_plan(PGconn *conn, const struct sql *sql, struct text *out)
{
        struct text explain = {0};

        text_printf(&explain, "EXPLAIN EXECUTE %s", sql->name);
        for (int i = 0; i < sql->plan->count; i++)
                text_printf(&explain, "%sNULL", i == 0 ? "(" : ", ");
        text_puts(&explain, sql->plan->count > 0 ? ")" : "");
        PGresult *result = PQexec(conn, explain.data);
        EXPECT_INT(PQresultStatus(result), PGRES_TUPLES_OK);
        for (int row = 0; row < PQntuples(result); row++)
                text_printf(out, "      %s\n", PQgetvalue(result, row, 0));
        if (PQntuples(result) == 0)
                printf("  %s: %s\n", explain.data, PQresultErrorMessage(result));
        PQclear(result);
        text_free(&explain);
        return out->data;
}

/* Look at every statement that this connection has used; returns how many there were. */
static int look(void)
{
        struct ctx *c = fixture_ctx(shop);
        int looked = 0;

        PQexitPipelineMode(c->db->conn);
        for (const struct sql *sql = sql_first(); sql != NULL; sql = sql->next) {
                struct text plan = {0};
                if (!is_prepared(c->db, sql->index) ||
                    strncmp(sql->plan->text, "NOTIFY", strlen("NOTIFY")) == 0)
                        continue;
                bool whole = reads_whole_tables(kept_plan(c->db->conn, sql, &plan));
                EXPECT(!whole);
                if (whole)
                        printf("    %s\n%s", sql->name, plan.data);
                text_free(&plan);
                looked++;
        }
        EXPECT(PQenterPipelineMode(c->db->conn));
        return looked;
}

TEST(plans_made_on_empty_tables_use_keys_when_the_tables_have_grown)
{
        const int statements_of_the_order_path = 25;
        struct db *plain = lane_open();

        walk("early");
        struct db *lane = shop->ctx.db;
        shop->ctx.db = plain;
        fill(); /* by another connection, and nobody has analysed anything */
        EXPECT_INT(
                till_int(
                        shop,
                        "SELECT count(*) FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL OR last_autoanalyze IS NOT NULL"),
                0);
        shop->ctx.db = lane;
        EXPECT(look() > statements_of_the_order_path);
        lane_close(plain);
}

TEST(plans_made_on_large_tables_use_keys)
{
        till_sql(shop, "ANALYZE");
        struct db *plain = lane_open();
        walk("late");
        (void)look();
        lane_close(plain);
}

static bool uses(const char *statement)
{
        const struct sql *sql = sql_first();

        while (sql != NULL && strcmp(sql->name, statement) != 0)
                sql = sql->next;
        EXPECT(sql != NULL);
        return sql != NULL && is_prepared(fixture_ctx(shop)->db, sql->index);
}

TEST(tags_are_read_only_where_a_condition_asks_them)
{
#define EARNING(when)                                                                                        \
        "{\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000" when                \
        "}],\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"B\"}]}"
        struct db *plain = lane_open();

        EXPECT_INT(till_take(shop, ORDER("untagged-1", "paid", "\"external_id\":\"untagged\"")).err, ERR_OK);
        EXPECT(uses("customers_lock_rows") && !uses("tags_at"));
        lane_close(plain);
        till_program(shop, EARNING(",\"when\":\"not has tag 'staff'\""));
        plain = lane_open();
        EXPECT_INT(till_take(shop, ORDER("untagged-2", "paid", "\"external_id\":\"untagged\"")).err, ERR_OK);
        EXPECT(uses("tags_at"));
        (void)look();
        lane_close(plain);
        till_program(shop, EARNING(""));
}

TEST(a_plain_connection_may_read_whole_tables)
{
        EXPECT_TEXT(till_text(shop, "SHOW enable_seqscan"), "on");
        struct db *lane = lane_open();
        EXPECT_TEXT(till_text(shop, "SHOW enable_seqscan"), "off");
        lane_close(lane);
}

int main(void)
{
        shop = till_open("plans");
        /* the trap is only seen while nobody clears it away */
        till_sql(shop,
                 "DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND "
                 "relnamespace = 'public'::regnamespace LOOP "
                 "EXECUTE format('ALTER TABLE %%I SET (autovacuum_enabled = false)', t); END LOOP; END $$");
        int status = test_run_all();
        till_close(shop);
        return status;
}
