/* Transactions that join, and the one place where they are run again. */
#include <assert.h>
#include <sodium.h>
#include <time.h>

#include "db/internal.h"

bool db_lost_race(const struct db *db)
{
        return db->lost_race;
}

enum err tx_begin(struct ctx *c, struct tx *tx)
{
        struct db *db = c->db;

        assert(tx->c == NULL);
        if (db->tx_depth == 0) {
                db->doomed = false;
                db->lost_race = false;
                db->last_work = NULL;
                TRY(command_send(c, "BEGIN"));
        }
        db->tx_depth++;
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
                db->gathered = arena_alloc(c->arena, size);
        }
        return db->gathered;
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
