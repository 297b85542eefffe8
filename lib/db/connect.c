/* The connection: open, keep fit, notice loss. */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/internal.h"

struct db *db_new(const struct db_options *options)
{
        struct db *db = calloc(1, sizeof *db);

        if (db == NULL)
                abort();
        db->options = *options;
        return db;
}

bool db_url_ok(const char *url)
{
        PQconninfoOption *options = PQconninfoParse(url, /* errmsg= */ NULL);

        PQconninfoFree(options);
        return options != NULL;
}

static void close_connection(struct db *db)
{
        PQfinish(db->conn);
        db->conn = NULL;
        db->tx_depth = 0;
        db->doomed = false;
        db->pending_count = 0;
        memset(db->prepared, 0, sizeof db->prepared); /* prepared statements die with their session */
}

void db_free(struct db *db)
{
        if (db == NULL)
                return;
        close_connection(db);
        text_free(&db->scratch);
        free(db);
}

enum err connection_lost(struct ctx *c)
{
        if (c->db->conn != NULL)
                c->problem.cause = arena_strdup(c->arena, PQerrorMessage(c->db->conn));
        c->db->pending_count = 0;
        return fail(c, ERR_DATABASE_AWAY, "The connection to the database was lost.");
}

/* A plan for any parameters, made once. */
#define SESSION_OPTIONS                                                                                      \
        "-c plan_cache_mode=force_generic_plan -c jit=off -c timezone=UTC -c statement_timeout=%d%s"

/* The planner takes a small table for one that stays small, reads it whole, and keeps that plan while it
 * grows a millionfold. Sessions that only look up by key forbid it what no key needs (measured: orders fell
 * from 1,081 to 586 a second within 20,000 orders). */
#define BY_KEY_OPTIONS " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"

/* A server ends a statement by itself at statement_timeout. One that has not even said so this much later is
 * gone or frozen, however alive its connection looks. */
#define ANSWER_GRACE_MS 2000
/* Whoever reads all there is in one snapshot sets no time limit; before the first row may come the sorting of
 * a whole table, which took some seconds a million orders. */
#define SNAPSHOT_ANSWER_MS 1800000

/* A server that is down answers at once on a socket; over a network this bounds the wait. */
#define CONNECT_TIMEOUT_SECONDS "5"

/* "Already exists, skipping" and the like: of no use to anyone. */
static void drop_notice(void *arg, const PGresult *result)
{
        (void)arg;
        (void)result;
}

static enum err connect_now(struct ctx *c)
{
        struct db *db = c->db;
        char options[256];

        snprintf(options, sizeof options, SESSION_OPTIONS, db->options.statement_timeout_ms,
                 db->options.by_key ? BY_KEY_OPTIONS : "");
        const char *const names[] = {"dbname",          "application_name", "client_encoding",
                                     "connect_timeout", "options",          NULL};
        const char *const values[] = {
                db->options.url, db->options.application, "UTF8", CONNECT_TIMEOUT_SECONDS, options, NULL};
        close_connection(db);
        db->conn = PQconnectdbParams(names, values, /* expand_dbname= */ 1);
        if (PQstatus(db->conn) != CONNECTION_OK || PQsetnonblocking(db->conn, /* arg= */ 1) != 0 ||
            !PQenterPipelineMode(db->conn)) {
                enum err err = connection_lost(c);
                close_connection(db);
                return err;
        }
        PQsetNoticeReceiver(db->conn, drop_notice, NULL);
        return ERR_OK;
}

/* After a server's restart the first read gives a notice, not the end: read until quiet, then look. */
static bool still_there(PGconn *conn)
{
        struct pollfd pollfd = {.fd = PQsocket(conn), .events = POLLIN};

        while (poll(&pollfd, 1, 0) > 0)
                if (!PQconsumeInput(conn))
                        return false;
        return PQstatus(conn) == CONNECTION_OK;
}

enum err db_ready(struct ctx *c)
{
        struct db *db = c->db;

        assert(db->tx_depth == 0 && db->pending_count == 0);
        if (db->conn != NULL && still_there(db->conn) && PQtransactionStatus(db->conn) == PQTRANS_IDLE)
                return ERR_OK;
        return connect_now(c);
}

/* Wait for the socket until a moment; -1: for ever. */
static bool wait_for_socket(PGconn *conn, bool also_to_send, int64_t until_us)
{
        struct pollfd pollfd = {.fd = PQsocket(conn),
                                .events = (short)(also_to_send ? POLLIN | POLLOUT : POLLIN)};
        int64_t left_us = until_us - clock_monotonic_us();

        return poll(&pollfd, 1, until_us < 0 ? -1 : (left_us < 0 ? 0 : (int)(left_us / 1000 + 1))) != 0;
}

enum err answer_next(struct ctx *c, PGresult **ret)
{
        PGconn *conn = c->db->conn;
        int timeout_ms = c->db->snapshot ? SNAPSHOT_ANSWER_MS : c->db->options.statement_timeout_ms;
        int64_t until_us =
                timeout_ms > 0 ? clock_monotonic_us() + (timeout_ms + ANSWER_GRACE_MS) * INT64_C(1000) : -1;

        while (PQisBusy(conn)) {
                int unsent = PQflush(conn);
                if (unsent < 0)
                        return connection_lost(c);
                if (!wait_for_socket(conn, unsent > 0, until_us)) {
                        close_connection(c->db);
                        return fail(c, ERR_DATABASE_AWAY, "The database has stopped answering.");
                }
                if (!PQconsumeInput(conn))
                        return connection_lost(c);
        }
        *ret = PQgetResult(conn);
        return ERR_OK;
}

enum err db_listen(struct ctx *c, const char *channel)
{
        struct text sql = {0};
        char *quoted = PQescapeIdentifier(c->db->conn, channel, strlen(channel));

        text_printf(&sql, "LISTEN %s", quoted);
        PQfreemem(quoted);
        enum err err = command_send(c, sql.data);
        text_free(&sql);
        TRY(err);
        return db_flush(c);
}

enum err db_wait(struct ctx *c, int timeout_ms, const char **ret_payload)
{
        PGconn *conn = c->db->conn;
        struct pollfd pollfd = {.fd = PQsocket(conn), .events = POLLIN};
        PGnotify *notify = PQnotifies(conn);

        if (notify == NULL && poll(&pollfd, 1, timeout_ms) > 0) {
                if (!PQconsumeInput(conn))
                        return connection_lost(c);
                notify = PQnotifies(conn);
        }
        *ret_payload = notify != NULL ? arena_strdup(c->arena, notify->extra) : NULL;
        PQfreemem(notify);
        return PQstatus(conn) == CONNECTION_OK ? ERR_OK : connection_lost(c);
}

static enum err run_script(struct ctx *c, const char *sql)
{
        enum err err = ERR_OK;

        if (!PQsendQuery(c->db->conn, sql))
                return connection_lost(c);
        for (;;) {
                PGresult *result = NULL;
                TRY(answer_next(c, &result));
                if (result == NULL)
                        return err;
                ExecStatusType status = PQresultStatus(result);
                if (err == ERR_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
                        err = error_from_result(c, result);
                PQclear(result);
        }
}

enum err db_script(struct ctx *c, const char *sql)
{
        TRY(db_flush(c));
        PQexitPipelineMode(c->db->conn);
        enum err err = run_script(c, sql);
        if (c->db->conn == NULL)
                return err;
        if (!PQenterPipelineMode(c->db->conn) && err == ERR_OK)
                err = connection_lost(c);
        return err;
}
