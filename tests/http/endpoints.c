#include "endpoints.h"

#include <stdatomic.h>

#include "db/statement.h"
#include "http/endpoint.h"

/* ------------------------------------------------------------------ echo: path, query, ETag */

struct echo_in {
        const char *thing;
        int64_t limit;
};
#define SHAPE_T struct echo_in
SHAPE(echo_in, "What to echo.", FIELD(thing, .in = IN_PATH, .need = true, .max = 20),
      FIELD(limit, .in = IN_QUERY, .min = 1, .max = 100, .dflt = "50"));
#undef SHAPE_T

struct echo {
        struct uuid person;
        const char *thing;
        int64_t limit, version;
};
#define SHAPE_T struct echo
SHAPE(echo, "The echo.", FIELD(person, .subject = true), FIELD(thing, .pii = PII_NAME), FIELD(limit),
      FIELD(version));
#undef SHAPE_T

ENDPOINT(echo_get, GET, "/v1/echo/{thing}", echo_in, 200, echo, .scope = SCOPE_CUSTOMERS_READ,
         .summary = "Echo")
{
        if (strcmp(in->thing, "fail") == 0)
                return fail(c, ERR_INTERNAL, "the secret reason");
        out->person = uuid_of_external("customer", in->thing);
        out->thing = in->thing;
        out->limit = in->limit;
        out->version = 7;
        return ERR_OK;
}

/* ------------------------------------------------------------------ counters: a transaction, idempotency,
 * If-Match */

struct counter_add {
        const char *counter;
        int64_t add;
        bool fail_after;
};
#define SHAPE_T struct counter_add
SHAPE(counter_add, "Add to a counter.", FIELD(counter, .in = IN_PATH, .need = true),
      FIELD(add, .need = true, .min = 1, .max = 1000), FIELD(fail_after));
#undef SHAPE_T

struct counter {
        int64_t value, version;
};
#define SHAPE_T struct counter
SHAPE(counter, "A counter.", FIELD(value), FIELD(version));
#undef SHAPE_T

SQL_ONE(test_counter_add, counter_add, counter,
        "INSERT INTO test_counters AS t (counter, value, version) VALUES (:counter, :add, 1) "
        "ON CONFLICT (counter) DO UPDATE SET value = t.value + excluded.value, version = t.version + 1 "
        "RETURNING value, version")

static enum err counter_change(struct ctx *c, const struct counter_add *in, struct counter *out)
{
        TRY(test_counter_add(c, in, out));
        if (c->reply->if_match != 0 && c->reply->if_match != out->version - 1)
                return fail(c, ERR_STALE, "The counter has version %lld.", (long long)out->version - 1);
        if (in->fail_after)
                return fail(c, ERR_POINTS_TOO_FEW, "Failed after the change.");
        c->reply->location = arena_printf(c->arena, "/v1/counters/%s", in->counter);
        return ERR_OK;
}

ENDPOINT(counter_post, POST, "/v1/counters/{counter}", counter_add, 201, counter, .scope = SCOPE_ADMIN,
         .summary = "Add", .idempotency = IDEMPOTENCY_REQUIRED, .minimal = true)
{
        return counter_change(c, in, out);
}

ENDPOINT(counter_patch, PATCH, "/v1/counters/{counter}", counter_add, 200, counter, .scope = SCOPE_ADMIN,
         .summary = "Add, when it has not changed")
{
        return counter_change(c, in, out);
}

/* ------------------------------------------------------------------ sleep: a slow statement */

struct sleep_in {
        int64_t ms;
};
#define SHAPE_T struct sleep_in
SHAPE(sleep_in, "How long.", FIELD(ms, .in = IN_QUERY, .need = true));
#undef SHAPE_T

struct slept {
        bool slept;
};
#define SHAPE_T struct slept
SHAPE(slept, "Slept.", FIELD(slept));
#undef SHAPE_T

SQL_ONE(test_sleep, sleep_in, slept, "SELECT true AS slept FROM pg_sleep(:ms::bigint / 1000.0)")

ENDPOINT(sleep_get, GET, "/v1/sleep", sleep_in, 200, slept, .summary = "Sleep")
{
        return test_sleep(c, in, out);
}

ENDPOINT(sleep_post, POST, "/v1/sleep", sleep_in, 200, slept, .scope = SCOPE_ADMIN,
         .summary = "Sleep in a transaction")
{
        return test_sleep(c, in, out);
}

/* ------------------------------------------------------------------ batches */

static atomic_uint largest_batch;

struct member {
        const char *name;
};
#define SHAPE_T struct member
SHAPE(member, "A member of a batch.", FIELD(name, .need = true));
#undef SHAPE_T

struct member_out {
        const char *name;
        int64_t batch;
};
#define SHAPE_T struct member_out
SHAPE(member_out, "Its batch.", FIELD(name), FIELD(batch));
#undef SHAPE_T

SQL_EXEC(test_member_insert, member, "INSERT INTO test_members (name) VALUES (:name)")

static uint64_t member_lane(const void *in)
{
        (void)in;
        return 0; /* one worker, so that batches grow */
}

/* "poison" makes any batch fail as a whole; "bad" fails alone; "slow" takes 100 ms. */
ENDPOINT_BATCH(member_post, POST, "/v1/members", member, 201, member_out, .lane = LANE_ORDERS,
               .scope = SCOPE_ORDERS_WRITE, .summary = "Join a batch", .idempotency = IDEMPOTENCY_NATURAL,
               .lane_key = member_lane)
{
        bool poisoned = false;
        TX(tx);

        TRY(tx_begin(c, &tx));
        if (n > largest_batch)
                largest_batch = (unsigned)n;
        for (size_t i = 0; i < n; i++) {
                const struct member *in = calls[i].in;
                struct member_out *out = calls[i].out;
                poisoned |= strcmp(in->name, "poison") == 0;
                if (strcmp(in->name, "slow") == 0)
                        TRY(test_sleep(c, &(struct sleep_in){.ms = 100}, &(struct slept){0}));
                if (strcmp(in->name, "bad") == 0) {
                        calls[i].err = fail(calls[i].c, ERR_NOT_FOUND, "Bad alone.");
                        continue;
                }
                TRY(test_member_insert(c, in));
                *out = (struct member_out){in->name, (int64_t)n};
        }
        return poisoned ? fail(c, ERR_CONFLICT, "Poisoned.") : tx_commit(&tx);
}

enum err endpoints_prepare(struct ctx *c)
{
        return db_script(
                c, "CREATE TABLE test_counters (counter text CONSTRAINT test_counters_pkey PRIMARY KEY, "
                   "value bigint NOT NULL, version bigint NOT NULL);"
                   "CREATE TABLE test_members (name text NOT NULL)");
}

unsigned endpoints_largest_batch(void)
{
        return largest_batch;
}

RESOURCE(http_test, "Test", "For tests.", &echo_get_endpoint, &counter_post_endpoint, &counter_patch_endpoint,
         &sleep_get_endpoint, &sleep_post_endpoint, &member_post_endpoint);
const struct resource *const resources[] = {&http_test_resource, NULL};
