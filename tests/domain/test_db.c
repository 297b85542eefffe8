/* lib/db on a real PostgreSQL: values there and back, batches, transactions, errors, loss of the connection.
 */
#include "fixture.h"
#include "test.h"

#include "db/statement.h"

static struct fixture *fixture;

struct everything {
        bool flag;
        int64_t number;
        int32_t small;
        struct opt_int maybe;
        const char *text;
        struct uuid id;
        struct instant at;
        struct date on;
        struct birthday birthday;
        struct json_text json;
        struct bytes bytes;
        struct texts texts;
        struct {
                const char *channel;
        } source;
};
struct source {
        const char *channel;
};
#define SHAPE_T struct source
SHAPE(source, "Nested.", FIELD(channel));
#undef SHAPE_T
#define SHAPE_T struct everything
SHAPE(everything, "One of each.", FIELD(flag), FIELD(number), FIELD(small), FIELD(maybe), FIELD(text),
      FIELD(id), FIELD(at), FIELD(on), FIELD(birthday), FIELD(json), FIELD(bytes), FIELD(texts),
      NEST(source, source));
#undef SHAPE_T

SQL_ONE(echo, everything, everything,
        "SELECT :flag AS flag, :number AS number, :small AS small, :maybe AS maybe, :text AS text, :id AS id, :at AS at, "
        ":on AS \"on\", :birthday AS birthday, :json AS json, :bytes AS bytes, :texts AS texts, "
        ":source.channel AS \"source.channel\"")

TEST(echo_gives_every_type_back)
{
        struct ctx *c = fixture_ctx(fixture);
        const char *texts[] = {"a", "", "王小明"};
        struct everything in = {.flag = true,
                                .number = INT64_MIN,
                                .small = -7,
                                .maybe = {true, 9},
                                .text = "it's",
                                .birthday = {0, 2, 29},
                                .json = {"{\"a\": [1, 2]}"},
                                .bytes = {(const uint8_t *)"\0x", 2},
                                .texts = {texts, 3},
                                .source = {"live"}};
        struct everything out;

        in.id = uuid_of_external("customer", "C-77");
        instant_parse("1969-12-31T23:59:59.5Z", &in.at);
        date_parse("2026-02-28", &in.on);
        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(echo(c, &in, &out), ERR_OK);
        EXPECT(out.flag && out.number == INT64_MIN && out.small == -7 && out.maybe.set && out.maybe.v == 9);
        EXPECT_TEXT(out.text, "it's");
        EXPECT(uuid_equal(in.id, out.id) && in.at.us == out.at.us && date_compare(in.on, out.on) == 0);
        EXPECT(out.birthday.year == 0 && out.birthday.month == 2 && out.birthday.day == 29);
        EXPECT_TEXT(out.json.text, "{\"a\": [1, 2]}");
        EXPECT(out.bytes.n == 2 && memcmp(out.bytes.v, "\0x", 2) == 0);
        EXPECT(out.texts.n == 3 && strcmp(out.texts.v[2], "王小明") == 0 && *out.texts.v[1] == '\0');
        EXPECT_TEXT(out.source.channel, "live");
}

TEST(echo_gives_nulls_back)
{
        struct ctx *c = fixture_ctx(fixture);
        struct everything in = {0}, out;

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(echo(c, &in, &out), ERR_OK);
        EXPECT(out.text == NULL && !out.maybe.set && !uuid_known(out.id) && !instant_known(out.at));
        EXPECT(!date_known(out.on) && out.birthday.month == 0 && out.json.text == NULL &&
               out.bytes.v == NULL);
}

struct pair {
        int64_t key;
        const char *value;
};
#define SHAPE_T struct pair
SHAPE(pair, "A row.", FIELD(key), FIELD(value));
#undef SHAPE_T

SQL_BATCH(pairs_insert, pair, "INSERT INTO pairs (key, value) SELECT * FROM unnest(:key, :value)")
SQL_EXEC(pair_insert, pair, "INSERT INTO pairs (key, value) VALUES (:key, :value)")
SQL_MANY(pairs_all, nothing, pair, "SELECT key, value FROM pairs ORDER BY key")
SQL_LATER(pairs_later, nothing, pair, "SELECT key, value FROM pairs ORDER BY key DESC")
SQL_OPT(pair_find, pair, pair, "SELECT key, value FROM pairs WHERE key = :key")
SQL_ONE(pair_get, pair, pair, "SELECT key, value FROM pairs WHERE key = :key")

static struct ctx *with_pairs(void)
{
        struct ctx *c = fixture_ctx(fixture);

        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(
                db_script(
                        c,
                        "CREATE TABLE IF NOT EXISTS pairs (key bigint CONSTRAINT customers_pkey_probe PRIMARY KEY, "
                        "value text CONSTRAINT pairs_value_check CHECK (value <> 'bad')); TRUNCATE pairs"),
                ERR_OK);
        return c;
}

static size_t count_pairs(struct ctx *c)
{
        struct list rows = {0};

        EXPECT_INT(pairs_all(c, &(struct nothing){0}, &rows), ERR_OK);
        return rows.n;
}

TEST(batch_inserts_every_row_with_its_nulls)
{
        struct ctx *c = with_pairs();
        struct pair rows[300];
        struct list out;
        TX(tx);

        for (int i = 0; i < 300; i++)
                rows[i] = (struct pair){.key = i, .value = i % 3 == 0 ? NULL : "v"};
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(pairs_insert(c, rows, 300), ERR_OK);
        EXPECT_INT(pairs_insert(c, rows, 0), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
        EXPECT_INT(pairs_all(c, &(struct nothing){0}, &out), ERR_OK);
        EXPECT_INT(out.n, 300);
        EXPECT(((struct pair *)out.v)[3].value == NULL && ((struct pair *)out.v)[299].value != NULL);
}

TEST(later_rows_come_with_the_next_round_trip)
{
        struct ctx *c = with_pairs();
        struct list later = {0}, now;
        TX(tx);

        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(pair_insert(c, &(struct pair){1, "one"}), ERR_OK);
        EXPECT_INT(pair_insert(c, &(struct pair){2, "two"}), ERR_OK);
        EXPECT_INT(pairs_later(c, &(struct nothing){0}, &later), ERR_OK);
        EXPECT_INT(later.n, 0);
        EXPECT_INT(pairs_all(c, &(struct nothing){0}, &now), ERR_OK);
        EXPECT_INT(later.n, 2);
        EXPECT_INT(((struct pair *)later.v)[0].key, 2);
        EXPECT_INT(now.n, 2);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

static enum err insert_and_leave(struct ctx *c)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(pair_insert(c, &(struct pair){7, "seven"}));
        return fail(c, ERR_STALE, "On purpose.");
}

TEST(transaction_left_without_commit_leaves_nothing)
{
        struct ctx *c = with_pairs();

        EXPECT_INT(insert_and_leave(c), ERR_STALE);
        EXPECT_TEXT(c->problem.detail, "On purpose.");
        EXPECT_INT(count_pairs(c), 0);
}

static enum err nested(struct ctx *c, const char *inner_value)
{
        TX(outer);
        TRY(tx_begin(c, &outer));
        TRY(pair_insert(c, &(struct pair){1, "outer"}));
        {
                TX(inner);
                TRY(tx_begin(c, &inner));
                TRY(pair_insert(c, &(struct pair){2, inner_value}));
                TRY(tx_commit(&inner));
        }
        return tx_commit(&outer);
}

TEST(nested_transactions_join)
{
        struct ctx *c = with_pairs();

        EXPECT_INT(nested(c, "inner"), ERR_OK);
        EXPECT_INT(count_pairs(c), 2);
}

struct gathering {
        int64_t calls, ended;
};

static enum err gathered_insert(struct ctx *c, void *arg)
{
        struct gathering *gathering = arg;

        gathering->ended++;
        return pair_insert(c, &(struct pair){gathering->calls * 100, "gathered"});
}

/* Two calls gather, one of them in an inner transaction. */
static enum err gather_twice(struct ctx *c, bool commit, struct gathering **ret)
{
        struct gathering *gathering;
        TX(outer);

        TRY(tx_begin(c, &outer));
        gathering = tx_gather(c, gathered_insert, sizeof *gathering);
        gathering->calls++;
        {
                TX(inner);
                TRY(tx_begin(c, &inner));
                gathering = tx_gather(c, gathered_insert, sizeof *gathering);
                gathering->calls++;
                TRY(tx_commit(&inner));
        }
        *ret = gathering;
        return commit ? tx_commit(&outer) : fail(c, ERR_STALE, "On purpose.");
}

TEST(what_a_transaction_gathers_is_done_once_before_it_commits)
{
        struct ctx *c = with_pairs();
        struct gathering *gathering;
        struct pair out;

        EXPECT_INT(gather_twice(c, /* commit= */ false, &gathering), ERR_STALE);
        EXPECT_INT(gathering->ended, 0);
        EXPECT_INT(count_pairs(c), 0);
        EXPECT_INT(gather_twice(c, /* commit= */ true, &gathering), ERR_OK);
        EXPECT_INT(gathering->calls, 2); /* and nothing from the one before */
        EXPECT_INT(gathering->ended, 1);
        EXPECT_INT(pair_get(c, &(struct pair){.key = 200}, &out), ERR_OK);
        EXPECT_INT(nested(c, "inner"), ERR_OK); /* which gathers nothing */
        EXPECT_INT(gathering->ended, 1);
}

TEST(queued_error_shows_at_commit_and_undoes_all)
{
        struct ctx *c = with_pairs();

        EXPECT_INT(nested(c, "bad"), ERR_INTERNAL);
        EXPECT(strstr(c->problem.cause, "pairs_value_check") != NULL);
        EXPECT_INT(count_pairs(c), 0);
}

TEST(one_without_row_is_not_found_and_opt_says_so)
{
        struct ctx *c = with_pairs();
        struct pair out;
        bool found = true;

        EXPECT_INT(pair_get(c, &(struct pair){.key = 5}, &out), ERR_NOT_FOUND);
        EXPECT_INT(pair_find(c, &(struct pair){.key = 5}, &out, &found), ERR_OK);
        EXPECT(!found);
}

TEST(more_statements_than_the_queue_holds_all_arrive)
{
        struct ctx *c = with_pairs();
        TX(tx);

        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        for (int64_t i = 0; i < 1000; i++)
                EXPECT_INT(pair_insert(c, &(struct pair){i, "x"}), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
        EXPECT_INT(count_pairs(c), 1000);
}

static enum err race_once(struct ctx *c, void *arg)
{
        int *runs = arg;
        TX(tx);

        TRY(tx_begin(c, &tx));
        if (++*runs == 1)
                TRY(db_script(c, "DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '40001'; END $$"));
        TRY(pair_insert(c, &(struct pair){*runs, "run"}));
        return tx_commit(&tx);
}

TEST(a_lost_race_is_run_again)
{
        struct ctx *c = with_pairs();
        int runs = 0;

        EXPECT_INT(db_run(c, race_once, &runs), ERR_OK);
        EXPECT_INT(runs, 2);
        EXPECT_INT(count_pairs(c), 1);
}

TEST(a_killed_connection_is_away_once_and_then_comes_back)
{
        struct ctx *c = with_pairs();

        EXPECT_INT(db_script(c, "SELECT pg_terminate_backend(pg_backend_pid())"), ERR_DATABASE_AWAY);
        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(count_pairs(c), 0);
}

TEST(every_statement_fits_the_schema_and_every_constraint_exists)
{
        struct ctx *c = with_pairs();

        enum err err = sql_check_all(c);
        EXPECT_INT(err, ERR_OK);
        if (err != ERR_OK)
                puts(c->problem.detail);
        err = sql_check_constraints(c);
        EXPECT_INT(err, ERR_OK);
        if (err != ERR_OK)
                puts(c->problem.detail);
}

/* Stays registered: the last test of the program. */
TEST(two_statements_of_one_name_are_told_at_start)
{
        static struct sql one = {.name = "test_twin",
                                 .text = "SELECT true AS flag",
                                 .in = &nothing_shape,
                                 .out = &everything_shape},
                          two = {.name = "test_twin",
                                 .text = "SELECT false AS flag",
                                 .in = &nothing_shape,
                                 .out = &everything_shape};
        struct ctx *c = with_pairs();

        sql_register(&one);
        EXPECT_INT(sql_check_all(c), ERR_OK);
        sql_register(&two);
        EXPECT_INT(sql_check_all(c), ERR_INTERNAL);
        EXPECT(strstr(c->problem.detail, "test_twin: two statements have this name") != NULL);
}

int main(void)
{
        fixture = fixture_new("db");
        int status = test_run_all();
        fixture_free(fixture);
        return status;
}
