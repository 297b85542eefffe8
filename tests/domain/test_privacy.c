/* The list of what is held on a person is held against the schema: no table and no column is forgotten. */
#include "directory/directory.h"
#include "merges/merges.h"
#include "privacy/holdings.h"
#include "privacy/privacy.h"
#include "test.h"
#include "till.h"

static struct fixture *shop;

/* Is the word one of those in the text? */
static bool has_word(const char *text, const char *word)
{
        size_t len = strlen(word);

        for (const char *at = text; at != NULL && (at = strstr(at, word)) != NULL; at += len) {
                bool begins = at == text || strchr(" ,", at[-1]) != NULL;
                if (begins && strchr(" ,=", at[len]) != NULL) /* or its end */
                        return true;
        }
        return false;
}

static const struct holding *holding_of(const char *table)
{
        for (size_t i = 0; i < holding_count; i++)
                if (strcmp(holdings[i].table, table) == 0)
                        return &holdings[i];
        return NULL;
}

static bool is_impersonal(const char *table)
{
        for (size_t i = 0; i < impersonal_count; i++)
                if (strcmp(impersonals[i].table, table) == 0)
                        return true;
        return false;
}

/* A column that could hold anything, or says whose a row is. */
#define COLUMNS                                                                                                        \
        "(SELECT c.relname::text AS t, a.attname::text AS n, a.attname = 'customer_id' AS whose FROM pg_class c "      \
        "JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace "                     \
        "AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped "                \
        "AND (a.attname = 'customer_id' OR a.atttypid::regtype::text IN ('text', 'text[]', 'jsonb', 'json', 'bytea', " \
        "'tsvector', 'character varying')) ORDER BY 1, 2) AS columns"

static void column_is_declared(const char *table, const char *column, bool whose)
{
        const struct holding *holding = holding_of(table);

        if (holding == NULL) {
                if (whose || !is_impersonal(table))
                        EXPECT_TEXT("is in no list of lib/privacy/holdings.c", table);
                return;
        }
        if (whose || holding->erasing == ERASE_ROWS)
                return;
        bool blanked = has_word(holding->blank, column), plain = has_word(holding->plain, column);
        if (blanked == plain)
                EXPECT_TEXT(blanked ? "both blank and plain" : "neither blank nor plain",
                            arena_printf(shop->ctx.arena, "%s.%s", table, column));
}

TEST(every_column_that_may_hold_something_of_a_person_is_listed)
{
        int64_t n = till_int(shop, "SELECT count(*) FROM " COLUMNS);

        EXPECT(n > 50);
        for (int64_t i = 0; i < n; i++) {
#define COLUMN(what) "SELECT " what " FROM " COLUMNS " OFFSET %lld LIMIT 1"
                const char *table = till_text(shop, COLUMN("t"), (long long)i);
                const char *column = till_text(shop, COLUMN("n"), (long long)i);
                column_is_declared(table, column,
                                   till_int(shop, COLUMN("whose::int::bigint"), (long long)i) == 1);
        }
}

TEST(every_table_says_how_it_is_merged)
{
        for (size_t i = 0; i < holding_count; i++) {
                const struct holding *one = &holdings[i];
                EXPECT(one->moving != MOVING_UNSAID);
                EXPECT((one->moving == MOVE_OWN) == (one->key == NULL));
                EXPECT((one->moving == MOVE_WITH) == (one->with != NULL));
                EXPECT(one->with == NULL || holding_of(one->with)->moving == MOVE_ROWS);
        }
}

TEST(every_table_in_the_lists_exists)
{
        for (size_t i = 0; i < holding_count; i++) {
                EXPECT_INT(till_int(shop, "SELECT count(*) FROM pg_class WHERE relname = '%s'",
                                    holdings[i].table),
                           1);
                EXPECT(!is_impersonal(holdings[i].table));
        }
        for (size_t i = 0; i < impersonal_count; i++)
                EXPECT_INT(till_int(shop, "SELECT count(*) FROM pg_class WHERE relname = '%s'",
                                    impersonals[i].table),
                           1);
}

static enum err listed(struct ctx *c, const char *const *external_ids, size_t n)
{
        struct uuids ids = {ARENA_ARRAY(c->arena, n, struct uuid), n};
        TX(tx);

        TRY(tx_begin(c, &tx));
        for (size_t i = 0; i < n; i++) {
                struct customer_in in = {.external_id = external_ids[i], .name = external_ids[i]};
                struct customer customer;
                TRY(customer_create(c, &in, &customer));
                ids.v[i] = customer.id;
        }
        TRY(directory_refresh(c, &ids));
        return tx_commit(&tx);
}

static enum err merged_and_erased(struct ctx *c)
{
        struct customer_merge merge;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(merge_do(c, "ext:stays", "ext:twin", &merge));
        TRY(privacy_erase(c, "ext:twin", /* reason= */ 1));
        return tx_commit(&tx);
}

TEST(an_erasure_takes_him_from_the_directory_by_his_former_ids_too)
{
        static const char *const names[] = {"stays", "twin"};

        EXPECT_INT(listed(fixture_ctx(shop), names, ARRAY_SIZE(names)), ERR_OK);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM customer_search"), 2);
        EXPECT_INT(merged_and_erased(fixture_ctx(shop)), ERR_OK);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM customer_search"), 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM customer_directory"), 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM customer_alike"), 0);
}

int main(void)
{
        shop = till_open("privacy");
        int status = test_run_all();
        till_close(shop);
        return status;
}
