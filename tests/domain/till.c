#include "till.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/shape_json.h"
#include "check/check.h"
#include "customers/due.h"
#include "db/internal.h"
#include "points/points.h"
#include "program/programs.h"
#include "program/versions.h"

/* Answers of the whole program, and how many fixtures are open. */
static struct arena *kept;
static int fixtures_open;

__attribute__((noreturn)) static void give_up(const char *what, const char *why)
{
        fflush(stdout);
        fprintf(stderr, "%s: %s\n", what, why != NULL ? why : "");
        _exit(EXIT_FAILURE); /* what is left in memory is of no interest then */
}

/* A fresh context with a live connection. */
static struct ctx *ready(struct fixture *fixture)
{
        struct ctx *c = fixture_ctx(fixture);

        if (db_ready(c) != ERR_OK)
                give_up("connect", c->problem.cause);
        return c;
}

struct fixture *till_open(const char *label)
{
        struct fixture *fixture = fixture_new(label);
        struct ctx *c = ready(fixture);

        if (fixtures_open++ == 0)
                kept = arena_new();
        if (program_load(c) != ERR_OK)
                give_up("programme", c->problem.detail);
        return fixture;
}

void till_close(struct fixture *fixture)
{
        fixture_free(fixture);
        if (--fixtures_open > 0)
                return;
        program_unload();
        arena_free(kept);
}

void till_clock(struct fixture *fixture, const char *instant)
{
        if (!instant_parse(instant, &fixture->ctx.now))
                give_up("clock", instant);
}

static json_t *parsed(struct ctx *c, const char *json)
{
        json_t *value;

        if (json_parse(c, json, strlen(json), &value) != ERR_OK)
                give_up(json, c->problem.detail);
        return value;
}

static void decode(struct ctx *c, const struct shape *shape, const char *json, void *ret)
{
        json_t *value = parsed(c, json);

        shape_decode(c, shape, value, ret);
        json_decref(value);
        if (problem_check(c) != ERR_OK)
                give_up(json, c->problem.faults[0].detail);
}

void till_program(struct fixture *fixture, const char *json)
{
        struct ctx *c = ready(fixture);
        struct program program = {0}, stored;
        TX(tx);

        decode(c, &program_shape, json, &program);
        if (tx_begin(c, &tx) != ERR_OK ||
            program_put(c, &program, &(struct program_storing){0}, &stored) != ERR_OK ||
            tx_commit(&tx) != ERR_OK || program_load(c) != ERR_OK)
                give_up(json, c->problem.fault_count > 0 ? c->problem.faults[0].detail : c->problem.detail);
}

/* backfill and award stand beside the order's own members here, and in the query of a request. */
const struct order_in *till_order(struct ctx *c, const char *json)
{
        struct order_in *in = ARENA_NEW(c->arena, struct order_in);
        json_t *value = parsed(c, json);
        uint64_t seen = 0;
        const char *const parameters[] = {"backfill", "award"};

        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
                const char *given = json_string_value(json_object_get(value, parameters[i]));
                if (given != NULL)
                        shape_decode_parameter(c, &order_in_shape, IN_QUERY, parameters[i], given, &seen, in);
                json_object_del(value, parameters[i]);
        }
        shape_decode_parameters_end(c, &order_in_shape, seen, in);
        shape_decode(c, &order_in_shape, value, in);
        json_decref(value);
        if (problem_check(c) != ERR_OK)
                give_up(json, c->problem.faults[0].detail);
        return in;
}

static const char *problem_kept(const struct ctx *c)
{
        struct text text = {0};

        problem_write(c, /* instance= */ NULL, &text);
        const char *copy = arena_strdup(kept, text.data);
        text_free(&text);
        return copy;
}

/* ------------------------------------------------------------------ orders */

struct attempt {
        struct order_call *calls;
        size_t n;
};

static enum err attempt_once(struct ctx *c, void *arg)
{
        const struct attempt *attempt = arg;

        for (size_t i = 0; i < attempt->n; i++)
                problem_reset(attempt->calls[i].c);
        return orders_take(c, attempt->calls, attempt->n);
}

static enum err attempt_run(struct fixture *fixture, struct order_call *calls, size_t n,
                            struct answer *answers)
{
        struct ctx *c = ready(fixture);
        struct attempt attempt = {calls, n};
        enum err err = db_run(c, attempt_once, &attempt);

        for (size_t i = 0; i < n; i++) {
                const struct order_call *call = &calls[i];
                bool whole = err != ERR_OK;
                answers[i] = (struct answer){.err = whole ? err : call->err};
                if (answers[i].err == ERR_OK)
                        answers[i] = (struct answer){
                                .created = call->created,
                                .replayed = call->replayed,
                                .outcome = arena_strndup(kept, call->outcome, call->outcome_len)};
                else
                        answers[i].problem = problem_kept(whole ? c : call->c);
        }
        return err;
}

bool till_take_all(struct fixture *fixture, const char *const *orders, size_t n, struct answer *ret)
{
        struct arena *arena = arena_new();
        struct order_call *calls = ARENA_ARRAY(arena, n, struct order_call);
        struct ctx *contexts = ARENA_ARRAY(arena, n, struct ctx);

        for (size_t i = 0; i < n; i++) {
                contexts[i] = (struct ctx){
                        .arena = arena_new(), .now = fixture->ctx.now, .shop = fixture->ctx.shop};
                calls[i] = (struct order_call){.c = &contexts[i], .in = till_order(&contexts[i], orders[i])};
        }
        bool together = attempt_run(fixture, calls, n, ret) == ERR_OK;
        for (size_t i = 0; i < n && !together; i++)
                (void)attempt_run(fixture, &calls[i], 1, &ret[i]);
        for (size_t i = 0; i < n; i++) {
                problem_reset(&contexts[i]);
                arena_free(contexts[i].arena);
        }
        arena_free(arena);
        return together;
}

struct answer till_take(struct fixture *fixture, const char *fmt, ...)
{
        struct answer answer;
        va_list args;

        va_start(args, fmt);
        const char *json = arena_vprintf(kept, fmt, args);
        va_end(args);
        (void)till_take_all(fixture, &json, 1, &answer);
        return answer;
}

/* ------------------------------------------------------------------ refunds and points */

struct refunding {
        const struct refund_in *in;
        struct refund_answer answer;
};

static enum err refund_once(struct ctx *c, void *arg)
{
        struct refunding *refunding = arg;

        return order_refund(c, refunding->in, &refunding->answer);
}

struct answer till_refund(struct fixture *fixture, const char *order, const char *fmt, ...)
{
        struct ctx *c = ready(fixture);
        struct refund_in in = {.order = order};
        struct refunding refunding = {.in = &in};
        va_list args;

        va_start(args, fmt);
        const char *json = arena_vprintf(kept, fmt, args);
        va_end(args);
        decode(c, &refund_in_shape, json, &in);
        in.backfill = instant_known(in.refunded_at);
        struct answer answer = {.err = db_run(c, refund_once, &refunding)};
        if (answer.err != ERR_OK) {
                answer.problem = problem_kept(c);
                return answer;
        }
        answer.replayed = refunding.answer.replayed;
        answer.outcome = arena_strndup(kept, refunding.answer.outcome, refunding.answer.outcome_len);
        return answer;
}

static enum err spend_once(struct ctx *c, void *arg)
{
        struct points_spent spent;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(points_spend(c, arg, &spent));
        return tx_commit(&tx);
}

enum err till_spend(struct fixture *fixture, const char *customer, int64_t points)
{
        struct points_spending spending = {.customer = customer, .points = points, .reason = "a gift"};

        return db_run(ready(fixture), spend_once, &spending);
}

void till_activate(struct fixture *fixture)
{
        const struct share few = {.most = 2}; /* so that there is more than one round */
        bool more = true;

        while (more)
                if (points_activate_due(ready(fixture), &few, &more) != ERR_OK)
                        give_up("activate", fixture->ctx.problem.detail);
}

static enum err hold_once(struct ctx *c, void *arg)
{
        struct hold_result held;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(points_hold(c, arg, &held));
        return tx_commit(&tx);
}

enum err till_hold(struct fixture *fixture, const char *customer, const char *reference, int64_t points,
                   int64_t seconds)
{
        struct hold_in in = {.customer = customer,
                             .reference = reference,
                             .points = points,
                             .expires_in_seconds = seconds};

        return db_run(ready(fixture), hold_once, &in);
}

void till_points_due(struct ctx *c)
{
        static enum err (*const all[])(struct ctx * c, const struct share *share, bool *ret_more) = {
                points_holds_expire_due, points_activate_due, points_expire_due, points_expire_inactive,
                points_warn_due};
        const struct share few[] = {{.most = 3, .half = HALF_ODD}, {.most = 3, .half = HALF_EVEN}};

        for (size_t i = 0; i < ARRAY_SIZE(all) * ARRAY_SIZE(few); i++)
                for (bool more = true; more;)
                        if (all[i / ARRAY_SIZE(few)](c, &few[i % ARRAY_SIZE(few)], &more) != ERR_OK)
                                give_up("what time causes", c->problem.detail);
}

void till_points_time(struct fixture *fixture)
{
        till_points_due(ready(fixture));
}

/* ------------------------------------------------------------------ looking */

static json_t *value_at(const struct answer *answer, const char *path, json_t **ret_root)
{
        json_t *at = answer->outcome != NULL ? json_loads(answer->outcome, 0, NULL) : NULL;

        *ret_root = at;
        for (const char *p = path; at != NULL; p++) {
                size_t len = strcspn(p, ".");
                at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(p, NULL, 10))
                                       : json_object_getn(at, p, len);
                p += len;
                if (*p == '\0')
                        break;
        }
        if (at == NULL)
                give_up(path, answer->outcome != NULL ? answer->outcome : answer->problem);
        return at;
}

int64_t answer_int(const struct answer *answer, const char *path)
{
        json_t *root;
        const json_t *value = value_at(answer, path, &root);

        int64_t number = json_is_true(value);
        if (json_is_array(value))
                number = (int64_t)json_array_size(value);
        else if (json_is_integer(value))
                number = json_integer_value(value);
        else if (!json_is_boolean(value))
                give_up(path, "is no number");
        json_decref(root);
        return number;
}

const char *answer_text(const struct answer *answer, const char *path)
{
        json_t *root;
        const json_t *value = value_at(answer, path, &root);
        const char *text = json_is_string(value) ? arena_strdup(kept, json_string_value(value)) : NULL;

        json_decref(root);
        return text;
}

/* Run one statement outside the pipeline; the first value of the first row, or NULL. */
static const char *first_value(struct fixture *fixture, const char *fmt, va_list args)
{
        PGconn *conn = ready(fixture)->db->conn;
        const char *sql = arena_vprintf(kept, fmt, args), *value = NULL;

        PQexitPipelineMode(conn);
        PGresult *result = PQexec(conn, sql);
        if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
                give_up(sql, PQresultErrorMessage(result));
        if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
                value = arena_strdup(kept, PQgetvalue(result, 0, 0));
        PQclear(result);
        if (!PQenterPipelineMode(conn))
                give_up(sql, "the pipeline is lost");
        return value;
}

int64_t till_int(struct fixture *fixture, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        const char *value = first_value(fixture, fmt, args);
        va_end(args);
        if (value == NULL)
                give_up(fmt, "gave no number");
        return strtoll(value, NULL, 10);
}

const char *till_text(struct fixture *fixture, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        const char *value = first_value(fixture, fmt, args);
        va_end(args);
        return value;
}

void till_sql(struct fixture *fixture, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        (void)first_value(fixture, fmt, args);
        va_end(args);
}

bool till_sound(struct fixture *fixture)
{
        char *said = NULL;
        size_t len;
        bool ok = false;
        FILE *out = open_memstream(&said, &len);
        enum err err = check_run(ready(fixture), out, &ok);

        fclose(out);
        if (err != ERR_OK || !ok)
                printf("%s", said);
        free(said);
        return err == ERR_OK && ok;
}
