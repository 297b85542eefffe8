/* One PostgreSQL connection, owned by one thread at a time, always in libpq's pipeline mode.
 *
 * Statements that return rows are a round trip; statements that return none are queued and travel with the
 * next one that does, or with the commit. So a transaction of three reads and nine writes costs four round
 * trips, and a queued statement's error shows at the next round trip, at the latest in tx_commit. */
#pragma once

#include "base/ctx.h"

struct db;

/* What a connection is for; sets its limits. */
struct db_options {
        const char *url;          /* libpq conninfo or URI */
        const char *application;  /* shown in pg_stat_activity */
        int statement_timeout_ms; /* 0: none */
        bool by_key;              /* short statements that look rows up by key: never read a whole table */
};

/* A connection object that connects when first used (db_ready) and again after it was lost; never NULL. The
 * options' strings must outlive it. */
struct db *db_new(const struct db_options *options);
void db_free(struct db *db);

/* Is this a conninfo string or a URI that libpq understands? To ask before connecting: libpq's own complaint
 * would quote it, password and all. */
bool db_url_ok(const char *url);

/* Make c->db fit for a transaction: connects or reconnects where needed. ERR_DATABASE_AWAY. */
enum err db_ready(struct ctx *c) MUST_CHECK;

/* Send what is queued and take in every answer. The error is the first one that any statement met. */
enum err db_flush(struct ctx *c) MUST_CHECK;

/* Did the last failed transaction lose a race (serialisation, deadlock, a unique key named RACE in
 * constraints.def), so that running it again is right? Only db_run asks. */
bool db_lost_race(const struct db *db);

/* Transactions: the outermost begins and commits, inner ones join it. Leaving the scope without tx_commit
 * rolls the outermost back (an inner one dooms it).
 *
 *         TX(tx);
 *         TRY(tx_begin(c, &tx));
 *         ...
 *         return tx_commit(&tx); */
struct tx {
        struct ctx *c; /* NULL until begun and after the end */
};
#define TX(name_) __attribute__((cleanup(tx_endp))) struct tx name_ = {0}
enum err tx_begin(struct ctx *c, struct tx *tx) MUST_CHECK;
enum err tx_commit(struct tx *tx) MUST_CHECK;
void tx_endp(struct tx *tx);

/* Have one piece of work done once, right before the transaction commits: notes that many calls gather. The
 * same call again gives the same memory, size bytes that begin as zero, in tx_arena. There is room for one
 * such work. */
void *tx_gather(struct ctx *c, enum err (*work)(struct ctx *c, void *gathered), size_t size);

/* The arena of whoever began the transaction: it lives to its end, as that of c need not. */
struct arena *tx_arena(struct ctx *c);

/* A point in a transaction to which what follows can be taken back, whatever went wrong in it: an error of a
 * statement, an inner transaction that was left. One at a time: set, then keep or undo. tx_keep first takes
 * in the answers of what is queued; its error means that there is something to undo. */
enum err tx_mark(struct ctx *c) MUST_CHECK;
enum err tx_keep(struct ctx *c) MUST_CHECK;
enum err tx_undo(struct ctx *c) MUST_CHECK;

/* As tx_begin, for reading only: every statement sees the database as it is at the first one. Outermost. */
enum err tx_begin_snapshot(struct ctx *c, struct tx *tx) MUST_CHECK;

/* Run work, and again from the start when it lost a race (DB_ATTEMPTS_MAX times in all, then ERR_CONFLICT):
 * the one place where transactions are retried. `work` must do everything in one transaction and be
 * repeatable. */
#define DB_ATTEMPTS_MAX 6
enum err db_run(struct ctx *c, enum err (*work)(struct ctx *c, void *arg), void *arg) MUST_CHECK;

/* Run work for n things, `most` of them at a time, each piece as by db_run and with an arena of its own,
 * which c's is not burdened with. What was done stays done when a later piece fails. may_go_on (NULL: always)
 * is asked before each piece, outside of its transaction; *ret_done is false when it said no. */
struct piece_of_work {
        size_t from, n;
        void *arg;
};
struct pieces {
        size_t most;
        enum err (*may_go_on)(struct ctx *c, bool *ret);
        enum err (*work)(struct ctx *c, const struct piece_of_work *piece);
        void *arg;
};
enum err db_run_pieces(struct ctx *c, size_t n, const struct pieces *pieces, bool *ret_done) MUST_CHECK;

/* Notifications: LISTEN on channel, then wait up to timeout_ms for one; *ret_payload is NULL when none came
 * (the text is c's arena's). Not inside a transaction. */
enum err db_listen(struct ctx *c, const char *channel) MUST_CHECK;
enum err db_wait(struct ctx *c, int timeout_ms, const char **ret_payload) MUST_CHECK;

/* Run plain SQL text (several statements allowed) in its own simple query: migrations and maintenance only.
 */
enum err db_script(struct ctx *c, const char *sql) MUST_CHECK;
