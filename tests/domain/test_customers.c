/* Who is who: found by any identity, adopted, renamed, patched; nobody twice. */
#include "directory/directory.h"
#include "test.h"
#include "till.h"

#include "base/shape_json.h"

static struct fixture *shop;

static struct customer_in decoded(struct ctx *c, const char *json)
{
        struct customer_in in = {0};
        json_t *value;

        EXPECT_INT(json_parse(c, json, strlen(json), &value), ERR_OK);
        shape_decode(c, &customer_in_shape, value, &in);
        json_decref(value);
        EXPECT_INT(problem_check(c), ERR_OK);
        return in;
}

static struct ctx *step(void)
{
        struct ctx *c = fixture_ctx(shop);

        EXPECT_INT(db_ready(c), ERR_OK);
        return c;
}

static enum err patch_version(const char *reference, const char *json, int64_t version, struct customer *ret)
{
        struct ctx *c = step();
        struct customer_in in = decoded(c, json);
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customer_patch(c, reference, &in, version, ret));
        return tx_commit(&tx);
}

static enum err patch(const char *reference, const char *json, struct customer *ret)
{
        return patch_version(reference, json, /* any version */ 0, ret);
}

static enum err create(const char *json, struct customer *ret)
{
        struct ctx *c = step();
        struct customer_in in = decoded(c, json);
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customer_create(c, &in, ret));
        return tx_commit(&tx);
}

static enum err upsert(const char *reference, const char *json, struct customer *ret, bool *ret_created)
{
        struct ctx *c = step();
        struct customer_in in = decoded(c, json);
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customer_upsert(c, reference, &in, ret, ret_created));
        return tx_commit(&tx);
}

static enum err get(const char *reference, struct customer *ret)
{
        return customer_get(step(), reference, ret);
}

/* An order of somebody, described as JSON members. */
static struct answer order_of(const char *name, const char *customer)
{
        return till_take(
                shop,
                "{\"external_id\":\"%s\",\"status\":\"paid\",\"customer\":{%s},\"lines\":[{\"sku\":\"A\",\"total_minor\":100}],"
                "\"total_minor\":100}",
                name, customer);
}

static int64_t people(void)
{
        return till_int(shop, "SELECT count(*) FROM customers");
}

TEST(one_person_however_the_number_is_written)
{
        struct answer a = order_of("p1", "\"phone\":\"138 0000 1111\"");
        int64_t n = people();

        EXPECT_INT(answer_int(&a, "customer.created"), true);
        const char *id = answer_text(&a, "customer.id");
        a = order_of("p2", "\"phone\":\"+86-138-0000-1111\",\"email\":\" Wang@Example.COM \"");
        EXPECT_TEXT(answer_text(&a, "customer.id"), id);
        a = order_of("p3", "\"identities\":[{\"kind\":\"phone\",\"value\":\"0086 13800001111\"}]");
        EXPECT_TEXT(answer_text(&a, "customer.id"), id);
        a = order_of("p4", "\"email\":\"wang@example.com\"");
        EXPECT_TEXT(answer_text(&a, "customer.id"), id);
        char by_id[128];
        snprintf(by_id, sizeof by_id, "\"id\":\"%s\"", id);
        a = order_of("p5", by_id);
        EXPECT_TEXT(answer_text(&a, "customer.id"), id);
        EXPECT_INT(answer_int(&a, "points.active"), 5);
        EXPECT_INT(people(), n);
}

TEST(the_shops_number_is_adopted_by_somebody_known_without)
{
        struct customer customer;
        struct answer a = order_of("a1", "\"phone\":\"13900001111\"");
        const char *id = answer_text(&a, "customer.id");

        a = order_of("a2", "\"external_id\":\"ADOPTED\",\"phone\":\"13900001111\"");
        EXPECT_TEXT(answer_text(&a, "customer.id"), id);
        EXPECT_TEXT(answer_text(&a, "customer.external_id"), "ADOPTED");
        EXPECT_INT(answer_int(&a, "customer.created"), false);
        EXPECT_INT(get("ext:ADOPTED", &customer), ERR_OK);
        EXPECT_TEXT(customer.phone, "+8613900001111");
        EXPECT_INT(customer.version, 2);
        a = order_of("a3", "\"external_id\":\"ADOPTED\"");
        EXPECT_TEXT(answer_text(&a, "customer.id"), id);
        EXPECT_INT(answer_int(&a, "points.active"), 3);
        EXPECT_INT(till_spend(shop, "ext:ADOPTED", 1), ERR_OK);
        EXPECT_INT(order_of("a4", "\"external_id\":\"SECOND\",\"phone\":\"13900001111\"").err,
                   ERR_IDENTITY_TAKEN);
        EXPECT_INT(get("ext:SECOND", &customer), ERR_NOT_FOUND);
}

TEST(an_identity_of_somebody_else_is_taken_and_named)
{
        struct customer customer;

        EXPECT_INT(create("{\"external_id\":\"I1\",\"email\":\"i1@example.com\"}", &customer), ERR_OK);
        EXPECT_INT(create("{\"external_id\":\"I2\",\"identities\":[{\"kind\":\"taobao\",\"value\":\"I2\"}]}",
                          &customer),
                   ERR_OK);
        struct answer a = order_of("i", "\"external_id\":\"I2\",\"email\":\"I1@example.com\"");
        EXPECT_INT(a.err, ERR_IDENTITY_TAKEN);
        EXPECT(strstr(a.problem, "\"kind\":\"email\"") != NULL);
        EXPECT_INT(create("{\"external_id\":\"I1\"}", &customer), ERR_IDENTITY_TAKEN);
        EXPECT_INT(create("{\"identities\":[{\"kind\":\"taobao\",\"value\":\"I2\"}]}", &customer),
                   ERR_IDENTITY_TAKEN);
        EXPECT_INT(
                create("{\"email\":\"i1@example.com\",\"identities\":[{\"kind\":\"taobao\",\"value\":\"I2\"}]}",
                       &customer),
                ERR_IDENTITY_TAKEN);
        EXPECT_INT(create("{\"identities\":[{\"kind\":\"qq\",\"value\":\"I2\"}]}", &customer),
                   ERR_OK); /* another kind */
        EXPECT_INT(patch("ext:I2", "{\"email\":\"i1@example.com\"}", &customer), ERR_IDENTITY_TAKEN);
        EXPECT_INT(patch("ext:I2", "{\"external_id\":\"I1\"}", &customer), ERR_IDENTITY_TAKEN);
}

TEST(an_order_fills_in_what_it_knows_and_clears_nothing)
{
        struct customer customer;

        EXPECT_INT(
                create("{\"external_id\":\"F\",\"name\":\"Old\",\"city\":\"Hangzhou\",\"source\":{\"channel\":\"live\",\"detail\":\"d\"},"
                       "\"attributes\":{\"size\":42, \"a\":[1]}}",
                       &customer),
                ERR_OK);
        EXPECT_INT(
                order_of(
                        "f1",
                        "\"external_id\":\"F\",\"name\":\"New\",\"city\":null,\"source\":{\"campaign\":\"11.11\"}")
                        .err,
                ERR_OK);
        EXPECT_INT(get("ext:F", &customer), ERR_OK);
        EXPECT_TEXT(customer.name, "New");
        EXPECT_TEXT(customer.city, "Hangzhou");
        EXPECT_TEXT(channel_names.v[customer.source.channel], "live");
        EXPECT_TEXT(customer.source.detail, "d");
        EXPECT_TEXT(customer.source.campaign, "11.11");
        EXPECT_INT(customer.version, 2);
        /* the same again, attributes written another way: nothing has changed */
        EXPECT_INT(order_of("f2",
                            "\"external_id\":\"F\",\"name\":\"New\",\"attributes\":{\"a\":[1],\"size\":42}")
                           .err,
                   ERR_OK);
        EXPECT_INT(get("ext:F", &customer), ERR_OK);
        EXPECT_INT(customer.version, 2);
        EXPECT_INT(order_of("f3", "\"external_id\":\"F\",\"phone\":\"13900002222\"").err, ERR_OK);
        EXPECT_INT(get("ext:F", &customer), ERR_OK);
        EXPECT_INT(customer.version, 3); /* a number more is a change */
}

TEST(patch_keeps_what_is_absent_and_null_clears)
{
        struct customer customer;

        EXPECT_INT(
                create("{\"external_id\":\"P\",\"name\":\"N\",\"gender\":\"female\",\"birthday\":\"1990-05-20\",\"city\":\"C\","
                       "\"phone\":\"13900003333\",\"email\":\"p@example.com\",\"source\":{\"channel\":\"live\",\"detail\":\"d\"}}",
                       &customer),
                ERR_OK);
        EXPECT_INT(patch("ext:P",
                         "{\"name\":null,\"city\":\"D\",\"phone\":null,\"source\":{\"detail\":null}}",
                         &customer),
                   ERR_OK);
        EXPECT(customer.name == NULL && customer.phone == NULL && customer.source.detail == NULL);
        EXPECT_TEXT(customer.city, "D");
        EXPECT_TEXT(customer.email, "p@example.com");
        EXPECT(customer.gender == 1 && customer.birthday.day == 20 && customer.source.channel == 8);
        EXPECT_INT(customer.version, 2);
        EXPECT_INT(patch("ext:P", "{\"source\":null,\"gender\":null,\"birthday\":null}", &customer), ERR_OK);
        EXPECT(customer.source.channel == 0 && customer.gender == 0 && customer.birthday.month == 0);
        EXPECT_INT(patch("ext:P", "{\"email\":\"new@example.com\",\"phone\":\"13900004444\"}", &customer),
                   ERR_OK);
        EXPECT_TEXT(customer.email, "new@example.com");
        EXPECT_INT(create("{\"external_id\":\"P2\",\"email\":\"p@example.com\",\"phone\":\"13900003333\"}",
                          &customer),
                   ERR_OK); /* free */
        EXPECT_INT(patch("ext:P", "{\"external_id\":null}", &customer), ERR_INVALID);
        EXPECT_INT(patch("ext:P", "{\"id\":null}", &customer), ERR_INVALID);
        EXPECT_INT(patch("ext:P", "{\"phone\":\"12\"}", &customer), ERR_INVALID);
        EXPECT_INT(patch("ext:none", "{}", &customer), ERR_NOT_FOUND);
}

TEST(patch_takes_the_expected_version_only)
{
        struct customer customer;

        EXPECT_INT(create("{\"external_id\":\"V\"}", &customer), ERR_OK);
        EXPECT_INT(patch_version("ext:V", "{\"name\":\"a\"}", 2, &customer), ERR_STALE);
        EXPECT_INT(patch_version("ext:V", "{\"name\":\"a\"}", 1, &customer), ERR_OK);
        EXPECT_INT(patch_version("ext:V", "{\"name\":\"b\"}", 1, &customer), ERR_STALE);
        EXPECT_TEXT(till_text(shop, "SELECT name || version FROM customers WHERE external_id = 'V'"), "a2");
}

TEST(a_renamed_customer_answers_to_both_numbers)
{
        struct customer customer, other;

        EXPECT_INT(create("{\"external_id\":\"N-old\"}", &customer), ERR_OK);
        EXPECT_INT(patch("ext:N-old", "{\"external_id\":\"N-new\"}", &customer), ERR_OK);
        EXPECT_TEXT(customer.external_id, "N-new");
        EXPECT_INT(get("ext:N-new", &other), ERR_OK);
        EXPECT(uuid_equal(customer.id, other.id));
        EXPECT_INT(get("ext:N-old", &other), ERR_OK);
        EXPECT(uuid_equal(customer.id, other.id));
        int64_t n = people();
        struct answer a = order_of("n1", "\"external_id\":\"N-new\"");
        EXPECT_INT(answer_int(&a, "customer.created"), false);
        a = order_of("n2", "\"external_id\":\"N-old\"");
        EXPECT_INT(answer_int(&a, "customer.created"), false);
        EXPECT_INT(answer_int(&a, "points.active"), 2);
        EXPECT_TEXT(answer_text(&a, "customer.external_id"), "N-new");
        EXPECT_INT(people(), n);
        EXPECT_INT(patch("ext:N-new", "{\"external_id\":\"N-old\"}", &customer), ERR_OK); /* and back */
        EXPECT_TEXT(customer.external_id, "N-old");
        EXPECT_INT(create("{\"external_id\":\"N-new\"}", &customer), ERR_IDENTITY_TAKEN);
}

TEST(upsert_creates_once)
{
        struct customer customer;
        bool created = false;

        EXPECT_INT(upsert("ext:U", "{\"name\":\"a\"}", &customer, &created), ERR_OK);
        EXPECT(created);
        EXPECT_INT(upsert("ext:U", "{\"name\":\"b\",\"external_id\":\"U\"}", &customer, &created), ERR_OK);
        EXPECT(!created && customer.version == 2);
        EXPECT_INT(upsert("ext:U", "{\"external_id\":\"X\"}", &customer, &created), ERR_INVALID);
        EXPECT_INT(upsert("11111111-2222-4333-8444-555555555555", "{}", &customer, &created), ERR_NOT_FOUND);
        EXPECT_INT(upsert("U", "{}", &customer, &created), ERR_NOT_FOUND);
}

TEST(nobody_is_made_of_nothing)
{
        struct customer customer;

        EXPECT_INT(create("{\"name\":\"Nobody\"}", &customer), ERR_INVALID);
        struct answer a = order_of("none", "\"name\":\"Nobody\"");
        EXPECT_INT(a.err, ERR_INVALID);
        EXPECT(strstr(a.problem, "\"pointer\":\"#/customer\",\"code\":\"required\"") != NULL);
        a = order_of(
                "none",
                "\"phone\":\"hello\",\"email\":\"a@b\",\"identities\":[{\"kind\":\"email\",\"value\":\"x\"}]");
        EXPECT(strstr(a.problem, "#/customer/phone") != NULL &&
               strstr(a.problem, "#/customer/email") != NULL &&
               strstr(a.problem, "#/customer/identities/0/value") != NULL);
}

TEST(pages_hold_everybody_once_in_every_order)
{
        for (unsigned sort = 1; sort < customer_sort_names.n; sort++) {
                struct customer_query query = {.sort = sort, .limit = 4};
                struct customer_list page = {.more = true};
                int64_t seen = 0;

                for (; page.more; seen += (int64_t)page.customers.n) {
                        EXPECT_INT(directory_list(step(), &query, &page), ERR_OK);
                        query.after = page.last;
                }
                EXPECT_INT(seen, people());
        }
}

/* The spends of the first page's customers of a language, as they are found by either way. */
static int64_t first_spend(const char *language, unsigned sort, int64_t limit, int64_t *ret_last)
{
        struct customer_query query = {.filter.language = language, .sort = sort, .limit = limit};
        struct list rows = {0};

        EXPECT_INT(directory_positions(step(), &query, &rows), ERR_OK);
        EXPECT_INT((int64_t)rows.n, limit);
        const struct customer_position *positions = rows.v;
        *ret_last = positions[rows.n - 1].number.v;
        return positions[0].number.v;
}

TEST(a_page_is_right_where_its_order_leads_past_nobody_who_passes)
{
        int64_t last;

        /* so many that the planner takes both languages for common, and all of one behind all of the other */
        till_sql(
                shop,
                "INSERT INTO customer_directory (customer_id, created_at, updated_at, version, last_order_at, orders, "
                "spend_minor, growth, points_active, paid, inquired, has_phone, has_email, tier, name, language) "
                "SELECT gen_random_uuid(), '2020-01-01', '2020-01-01', 1, '-infinity', 0, n, 0, 0, false, false, "
                "false, false, 'basic', '', CASE WHEN n <= 600 THEN 'few' ELSE 'many' END "
                "FROM generate_series(1, 6000) AS n");
        till_sql(shop, "ANALYZE customer_directory");
        for (int64_t limit = 1; limit <= 50; limit += 7) {
                EXPECT_INT(first_spend("few", SORT_SPEND, limit, &last), 1);
                EXPECT_INT(last, limit);
                EXPECT_INT(first_spend("few", SORT_SPEND_DOWN, limit, &last), 600);
                EXPECT_INT(last, 601 - limit);
                EXPECT_INT(first_spend("many", SORT_SPEND, limit, &last), 601);
                EXPECT_INT(last, 600 + limit);
                EXPECT_INT(first_spend("many", SORT_SPEND_DOWN, limit, &last), 6000);
        }
        till_sql(shop, "DELETE FROM customer_directory WHERE version = 1 AND created_at = '2020-01-01'");
}

TEST(everything_is_sound_at_the_end)
{
        EXPECT(till_sound(shop));
}

int main(void)
{
        shop = till_open("customers");
        int status = test_run_all();
        till_close(shop);
        return status;
}
