/* What the files of lib/db share; nobody else includes this. */
#pragma once

#include <libpq-fe.h>

#include "db/db.h"
#include "db/statement.h"

/* Statements of the whole program: a bit set per connection says which are prepared. */
#define SQL_STATEMENTS_MAX 1024
/* Parameters of one statement. */
#define SQL_PARAMS_MAX 64
/* Statements in flight between two round trips; a full queue is flushed. Keeps the answers, some 50 bytes
 * each, far below a socket buffer, so that neither side can block the other. */
#define PENDING_MAX 128

struct sql_param {
        const struct field *field; /* NULL: the context's clock (:now) */
        size_t offset;
};

struct sql_plan {
        const char *text;  /* with $1, $2 ... */
        const char *fault; /* why the text is wrong, or NULL; told by sql_check_all */
        struct sql_param params[SQL_PARAMS_MAX];
        int count;
};

enum pending_kind { PENDING_COMMAND, PENDING_PREPARE, PENDING_STATEMENT };

struct pending {
        enum pending_kind kind;
        const struct sql *sql; /* NULL for a command */
        struct list *later;    /* where the rows go; NULL: there are none to take */
};

struct db {
        struct db_options options;
        PGconn *conn;
        int tx_depth;
        struct arena *tx_arena; /* of whoever began it */
        bool doomed;            /* an inner transaction was left without commit */
        bool lost_race;         /* see db_lost_race */
        bool snapshot;          /* in a transaction of tx_begin_snapshot */
        enum err (*last_work)(struct ctx *c, void *gathered); /* see tx_gather; NULL: nothing was gathered */
        void *gathered;
        uint8_t prepared[SQL_STATEMENTS_MAX / 8];
        struct pending pending[PENDING_MAX];
        size_t pending_count;
        struct text scratch; /* parameters of the statement being bound */
};

/* PostgreSQL type of a wire type, and of an array of it. */
Oid wire_oid(enum wire wire);
Oid wire_array_oid(enum wire wire);
/* The type of a statement's parameter, from 0. */
Oid param_oid(const struct sql *sql, int i);

/* Resolve the parameters of a statement's text; plan->text is malloc'ed. */
void plan_read(const struct sql *sql, struct sql_plan *plan);

/* Bind n rows (a batch) or one row and queue the statement. */
enum err bind_send(struct ctx *c, const struct sql *sql, const void *rows, size_t n) MUST_CHECK;
/* The same for a statement that is not prepared and not a batch: it is planned for these very values. */
enum err bind_send_once(struct ctx *c, const struct sql *sql, const void *row) MUST_CHECK;

/* Columns of one result at most. */
#define COLUMNS_MAX 64

/* Where the columns of a result go. */
struct columns {
        int count;
        const struct field *fields[COLUMNS_MAX];
        size_t offsets[COLUMNS_MAX];
};
void columns_find(const struct sql *sql, const PGresult *result, struct columns *ret);

/* Turn one row into a zeroed struct; what it points to is the arena's. */
enum err row_read(struct ctx *c, const struct sql *sql, const struct columns *columns, const PGresult *result,
                  int row, void *ret) MUST_CHECK;

/* Turn every row of a result into the arena's structs. */
enum err rows_read(struct ctx *c, const struct sql *sql, const PGresult *result, struct list *ret) MUST_CHECK;

/* The error of a failed result: by constraint name, else by SQLSTATE. Notes the cause; sets db->lost_race. */
enum err error_from_result(struct ctx *c, const PGresult *result) MUST_CHECK;

/* Note that the connection is gone. Always ERR_DATABASE_AWAY. */
enum err connection_lost(struct ctx *c);

/* The next result, to be cleared by the caller; NULL after the last of a statement. Waits as long as the
 * server may be at work, and no longer: then ERR_DATABASE_AWAY, and there is no connection any more (conn
 * NULL). */
enum err answer_next(struct ctx *c, PGresult **ret) MUST_CHECK;

/* Queue a command without parameters or rows (BEGIN). */
enum err command_send(struct ctx *c, const char *command) MUST_CHECK;

/* Room for one more in the queue, or flush. */
enum err pending_add(struct ctx *c, struct pending pending) MUST_CHECK;

/* Read every answer of the queue. With discard, rows are dropped and errors do not count. */
enum err pending_read(struct ctx *c, bool discard) MUST_CHECK;

/* The first registered statement. */
struct sql *sql_first(void);

static inline bool is_prepared(const struct db *db, unsigned index)
{
        return db->prepared[index / 8] >> (index % 8) & 1;
}
static inline void set_prepared(struct db *db, unsigned index, bool prepared)
{
        uint8_t bit = (uint8_t)(1U << (index % 8));
        if (prepared)
                db->prepared[index / 8] |= bit;
        else
                db->prepared[index / 8] &= (uint8_t)~bit;
}
