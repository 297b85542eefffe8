/* The pipeline: queue statements, take in their answers in order. */
#include <assert.h>

#include <stdio.h>
#include <string.h>

#include "db/internal.h"

enum err pending_add(struct ctx *c, struct pending pending)
{
        struct db *db = c->db;

        db->pending[db->pending_count++] = pending;
        return db->pending_count < PENDING_MAX ? ERR_OK : db_flush(c);
}

enum err command_send(struct ctx *c, const char *command)
{
        if (!PQsendQueryParams(c->db->conn, command, 0, NULL, NULL, NULL, NULL, /* binary= */ 1))
                return connection_lost(c);
        return pending_add(c, (struct pending){.kind = PENDING_COMMAND});
}

static enum err prepare(struct ctx *c, const struct sql *sql)
{
        const struct sql_plan *plan = sql->plan;
        Oid types[SQL_PARAMS_MAX];

        assert(plan->fault == NULL);
        for (int i = 0; i < plan->count; i++)
                types[i] = param_oid(sql, i);
        if (!PQsendPrepare(c->db->conn, sql->name, plan->text, plan->count, types))
                return connection_lost(c);
        set_prepared(c->db, sql->index, true); /* taken back should it fail */
        return pending_add(c, (struct pending){.kind = PENDING_PREPARE, .sql = sql});
}

static enum err statement_send(struct ctx *c, const struct sql *sql, const void *rows, size_t n,
                               struct list *later)
{
        assert(c->db->conn != NULL);
        if (!is_prepared(c->db, sql->index))
                TRY(prepare(c, sql));
        TRY(bind_send(c, sql, rows, n));
        return pending_add(c, (struct pending){.kind = PENDING_STATEMENT, .sql = sql, .later = later});
}

/* Take in one queued statement's answer. */
static enum err result_take(struct ctx *c, const struct pending *pending, const PGresult *result,
                            bool discard)
{
        switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
                return ERR_OK;
        case PGRES_TUPLES_OK:
                if (discard || pending->later == NULL)
                        return ERR_OK;
                return rows_read(c, pending->sql, result, pending->later);
        default: /* an error, or PGRES_PIPELINE_ABORTED behind one */
                if (pending->kind == PENDING_PREPARE)
                        set_prepared(c->db, pending->sql->index, false);
                if (discard || PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
                        return ERR_CONFLICT; /* only counts when nothing came before it */
                return error_from_result(c, result);
        }
}

enum err pending_read(struct ctx *c, bool discard)
{
        struct db *db = c->db;
        size_t count = db->pending_count;
        enum err first = ERR_OK;

        if (!PQpipelineSync(db->conn))
                return connection_lost(c);
        for (size_t i = 0; i < count; i++) {
                for (;;) {
                        PGresult *result;
                        TRY(answer_next(c, &result));
                        if (result == NULL)
                                break;
                        enum err err = first == ERR_OK
                                               ? result_take(c, &db->pending[i], result, discard)
                                               : result_take(c, &db->pending[i], result, /* discard= */ true);
                        if (first == ERR_OK)
                                first = err;
                        PQclear(result);
                        if (PQstatus(db->conn) == CONNECTION_BAD)
                                return connection_lost(c);
                }
        }
        db->pending_count = 0;
        PGresult *sync;
        TRY(answer_next(c, &sync));
        bool synced = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
        PQclear(sync);
        if (!synced)
                return connection_lost(c);
        return discard ? ERR_OK : first;
}

enum err db_flush(struct ctx *c)
{
        return c->db->pending_count == 0 ? ERR_OK : pending_read(c, /* discard= */ false);
}

enum err sql_later(struct ctx *c, const struct sql *sql, const void *in, struct list *ret)
{
        return statement_send(c, sql, in, 1, ret);
}

enum err sql_many(struct ctx *c, const struct sql *sql, const void *in, struct list *ret)
{
        struct list rows = {0};

        TRY(sql_later(c, sql, in, &rows));
        TRY(db_flush(c));
        *ret = rows;
        return ERR_OK;
}

enum err sql_opt(struct ctx *c, const struct sql *sql, const void *in, void *ret, bool *ret_found)
{
        struct list rows;

        TRY(sql_many(c, sql, in, &rows));
        if (rows.n > 1)
                return fail(c, ERR_INTERNAL, "%s gave %zu rows.", sql->name, rows.n);
        if (rows.n == 1)
                memcpy(ret, rows.v, sql->out->size);
        *ret_found = rows.n == 1;
        return ERR_OK;
}

enum err sql_one(struct ctx *c, const struct sql *sql, const void *in, void *ret)
{
        bool found;

        TRY(sql_opt(c, sql, in, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no such thing.");
}

/* ------------------------------------------------------------------ row by row */

/* Rows whose memory is freed together. */
#define EACH_ROWS 500

struct each {
        const struct sql *sql;
        SQL_VISIT(visit);
        void *arg;
        struct columns columns;
        struct arena *arena; /* of the last rows */
        size_t rows;
};

static enum err each_visit(struct ctx *c, struct each *each, const PGresult *result)
{
        struct arena *own = c->arena;

        if (each->rows == 0)
                columns_find(each->sql, result, &each->columns);
        if (each->rows++ % EACH_ROWS == 0) {
                arena_free(each->arena);
                each->arena = arena_new();
        }
        void *row = arena_alloc(each->arena, each->sql->out->size);
        c->arena = each->arena;
        enum err err = row_read(c, each->sql, &each->columns, result, /* row= */ 0, row);
        c->arena = own;
        if (err != ERR_OK) /* its words are in an arena that will go */
                return fail(c, ERR_INTERNAL, "%s gave a row that can't be read.", each->sql->name);
        return each->visit(c, row, each->arg);
}

/* Take in every row; after the first error they are dropped. */
static enum err each_read(struct ctx *c, struct each *each)
{
        enum err err = ERR_OK;

        for (;;) {
                PGresult *result;
                TRY(answer_next(c, &result));
                if (result == NULL)
                        return err;
                ExecStatusType status = PQresultStatus(result);
                if (err == ERR_OK && status == PGRES_SINGLE_TUPLE)
                        err = each_visit(c, each, result);
                else if (err == ERR_OK && status != PGRES_TUPLES_OK)
                        err = error_from_result(c, result);
                PQclear(result);
                if (PQstatus(c->db->conn) == CONNECTION_BAD)
                        return connection_lost(c);
        }
}

enum err sql_each(struct ctx *c, const struct sql *sql, const void *in, SQL_VISIT(visit), void *arg)
{
        struct each each = {.sql = sql, .visit = visit, .arg = arg};
        PGresult *sync;

        TRY(db_flush(c));
        if (!is_prepared(c->db, sql->index)) {
                TRY(prepare(c, sql));
                TRY(db_flush(c));
        }
        TRY(bind_send(c, sql, in, 1));
        if (!PQpipelineSync(c->db->conn) || !PQsetSingleRowMode(c->db->conn))
                return connection_lost(c);
        enum err err = each_read(c, &each);
        arena_free(each.arena);
        if (PQstatus(c->db->conn) != CONNECTION_OK)
                return err;
        TRY(answer_next(c, &sync));
        bool synced = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
        PQclear(sync);
        return synced ? err : connection_lost(c);
}

enum err sql_exec(struct ctx *c, const struct sql *sql, const void *in)
{
        assert(c->db->tx_depth > 0); /* queued work must have a commit that sends it */
        return statement_send(c, sql, in, 1, NULL);
}

enum err sql_batch(struct ctx *c, const struct sql *sql, const void *rows, size_t n)
{
        assert(c->db->tx_depth > 0);
        return n == 0 ? ERR_OK : statement_send(c, sql, rows, n, NULL);
}
