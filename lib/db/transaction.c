/* Transactions that join, and the one place where they are run again. */
#include <assert.h>
#include <sodium.h>
#include <time.h>

#include "db/internal.h"

bool db_lost_race(const struct db *db)
{
        return db->lost_race;
}

static enum err begin(struct ctx *c, const char *command)
{
        struct db *db = c->db;

        db->doomed = false;
        db->lost_race = false;
        db->snapshot = false;
        db->last_work = NULL;
        db->tx_arena = c->arena;
        return command_send(c, command);
}

enum err tx_begin(struct ctx *c, struct tx *tx)
{
        assert(tx->c == NULL);
        if (c->db->tx_depth == 0)
                TRY(begin(c, "BEGIN"));
        c->db->tx_depth++;
        tx->c = c;
        return ERR_OK;
}

enum err tx_begin_snapshot(struct ctx *c, struct tx *tx)
{
        assert(tx->c == NULL && c->db->tx_depth == 0);
        TRY(begin(c, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
        c->db->snapshot = true;
        c->db->tx_depth++;
        tx->c = c;
        return ERR_OK;
}

/* Leave no trace: drop what is queued, end the transaction if the server has one. Either may find that the
 * connection is gone, which ends the transaction too. */
static void roll_back(struct ctx *c)
{
        struct problem kept = c->problem; /* what went wrong is worth more than how it ended */
        struct db *db = c->db;

        if (db->pending_count > 0 && PQstatus(db->conn) == CONNECTION_OK)
                (void)!pending_read(c, /* discard= */ true);
        if (PQstatus(db->conn) == CONNECTION_OK && PQtransactionStatus(db->conn) != PQTRANS_IDLE &&
            command_send(c, "ROLLBACK") == ERR_OK)
                (void)!pending_read(c, /* discard= */ true);
        db->pending_count = 0;
        c->problem = kept;
}

enum err tx_commit(struct tx *tx)
{
        struct ctx *c = tx->c;

        assert(c != NULL && c->db->tx_depth > 0);
        struct db *db = c->db;
        if (db->tx_depth > 1) {
                db->tx_depth--;
                tx->c = NULL;
                return ERR_OK;
        }
        assert(!db->doomed); /* whoever left an inner transaction had an error, which its caller returned */
        if (db->last_work != NULL)
                TRY(db->last_work(c, db->gathered));
        TRY(command_send(c, "COMMIT"));
        TRY(db_flush(c));
        db->tx_depth = 0;
        tx->c = NULL;
        return ERR_OK;
}

enum err tx_mark(struct ctx *c)
{
        assert(c->db->tx_depth > 0 && !c->db->doomed);
        c->db->lost_race = false;
        return command_send(c, "SAVEPOINT mark");
}

enum err tx_keep(struct ctx *c)
{
        if (c->db->doomed)
                return fail(c, ERR_CONFLICT, "An inner transaction was left.");
        TRY(db_flush(c));
        return command_send(c, "RELEASE SAVEPOINT mark");
}

enum err tx_undo(struct ctx *c)
{
        struct db *db = c->db;
        struct problem kept = c->problem;

        if (PQstatus(db->conn) != CONNECTION_OK)
                return ERR_DATABASE_AWAY;
        if (db->pending_count > 0)
                (void)!pending_read(c, /* discard= */ true);
        TRY(command_send(c, "ROLLBACK TO SAVEPOINT mark"));
        TRY(command_send(c, "RELEASE SAVEPOINT mark"));
        TRY(db_flush(c));
        c->problem = kept;
        db->doomed = false;
        return ERR_OK;
}

void tx_endp(struct tx *tx)
{
        if (tx->c == NULL)
                return;
        struct db *db = tx->c->db;
        if (db->tx_depth > 1) {
                db->tx_depth--;
                db->doomed = true;
                return;
        }
        roll_back(tx->c);
        db->tx_depth = 0;
        db->doomed = false;
}

void *tx_gather(struct ctx *c, enum err (*work)(struct ctx *c, void *gathered), size_t size)
{
        struct db *db = c->db;

        assert(db->tx_depth > 0 && (db->last_work == NULL || db->last_work == work));
        if (db->last_work == NULL) {
                db->last_work = work;
                db->gathered = arena_alloc(db->tx_arena, size);
        }
        return db->gathered;
}

struct arena *tx_arena(struct ctx *c)
{
        assert(c->db->tx_depth > 0);
        return c->db->tx_arena;
}

/* Racers step aside for a random while, longer each time. */
static void back_off(int attempt)
{
        const uint32_t unit_us = 2000;
        uint32_t us = randombytes_uniform(unit_us << attempt) + 1;
        struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

        nanosleep(&pause, NULL);
}

enum err db_run(struct ctx *c, enum err (*work)(struct ctx *c, void *arg), void *arg)
{
        enum err err = ERR_OK;

        for (int attempt = 1; attempt <= DB_ATTEMPTS_MAX; attempt++) {
                c->db->lost_race = false;
                problem_reset(c);
                err = work(c, arg);
                if (err == ERR_OK || !c->db->lost_race)
                        return err;
                back_off(attempt);
        }
        return err;
}

struct piece_run {
        const struct pieces *pieces;
        struct piece_of_work piece;
};

static enum err piece_run(struct ctx *c, void *arg)
{
        const struct piece_run *run = arg;

        return run->pieces->work(c, &run->piece);
}

/* One piece; *ret_done is false when it may not go on. */
static enum err piece_try(struct ctx *c, const struct piece_run *run, bool *ret_done)
{
        bool may = true;

        if (run->pieces->may_go_on != NULL)
                TRY(run->pieces->may_go_on(c, &may));
        if (may)
                TRY(db_run(c, piece_run, (void *)run));
        *ret_done = may;
        return ERR_OK;
}

enum err db_run_pieces(struct ctx *c, size_t n, const struct pieces *pieces, bool *ret_done)
{
        bool done = true;

        assert(pieces->most > 0);
        for (size_t from = 0; from < n && done; from += pieces->most) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx own = *c;
                size_t left = n - from;
                struct piece_run run = {pieces,
                                        {from, left < pieces->most ? left : pieces->most, pieces->arg}};
                own.arena = arena;
                own.problem = (struct problem){0};
                enum err err = piece_try(&own, &run, &done);
                if (err != ERR_OK) /* its words go with its arena */
                        err = fail(c, err, "%s", own.problem.detail != NULL ? own.problem.detail : "");
                problem_reset(&own);
                TRY(err);
        }
        *ret_done = done;
        return ERR_OK;
}
