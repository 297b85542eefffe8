#include "http/keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "chores.h"
#include "db/db.h"
#include "db/migrate.h"

#define KEEPER_STACK_BYTES ((size_t)512 * 1024)
#define KEEPER_TIMEOUT_MS  2000
/* Pieces of one chore in one round: a day's worth of keys at 1,000 a second is gone within the hour, and no
 * chore starves the others. */
#define PIECES_MAX 2000

struct keeper {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake; /* to stop, or because all chores are wanted */
        pthread_cond_t done;
        bool stopping;
        uint64_t wanted, answered; /* rounds of all chores */
        int64_t failed;            /* chores of the last such round */
        const struct shop *shop;
        struct db *db;
        int64_t due_us[CHORES_MAX]; /* when each chore is next, on the monotonic clock */
        _Atomic(const char *) fault;
};

/* That of this process, for keeper_chores_now. */
static _Atomic(struct keeper *) the_keeper;

/* A database that was restored or migrated under the running server is noticed too. */
static const char *look(struct keeper *keeper, struct ctx *c)
{
        if (db_ready(c) != ERR_OK)
                return "away";
        enum err err = migrate_check(c);
        if (err == ERR_DATABASE_AWAY)
                return "away";
        (void)keeper;
        return err == ERR_OK ? NULL : "schema differs";
}

static bool stopping(struct keeper *keeper)
{
        pthread_mutex_lock(&keeper->lock);
        bool stop = keeper->stopping;
        pthread_mutex_unlock(&keeper->lock);
        return stop;
}

static bool chore_do(struct keeper *keeper, const struct chore *chore)
{
        bool more = true, failed = false;

        for (int i = 0; i < PIECES_MAX && more && !stopping(keeper); i++) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx c = {.arena = arena, .now = clock_now(), .shop = keeper->shop, .db = keeper->db};
                enum err err = db_ready(&c);
                if (err == ERR_OK)
                        err = chore->run(&c, &more);
                if (err != ERR_OK) {
                        LOG(LOG_LEVEL_WARNING, "chore_failed", LOG_S("chore", chore->name),
                            LOG_S("detail", c.problem.detail));
                        more = false;
                        failed = true;
                }
                problem_reset(&c);
        }
        return !failed;
}

/* Those whose turn it is, or all. Returns how many failed. */
static int64_t chores_do(struct keeper *keeper, bool all)
{
        int64_t failed = 0;

        for (size_t i = 0; i < chore_count; i++) {
                int64_t now_us = clock_monotonic_us();
                if (!all && now_us < keeper->due_us[i])
                        continue;
                keeper->due_us[i] = now_us + chores[i].every_seconds * INSTANT_SECOND;
                failed += !chore_do(keeper, &chores[i]);
        }
        return failed;
}

static int64_t keep(struct keeper *keeper, bool all)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx c = {.arena = arena, .now = clock_now(), .shop = keeper->shop, .db = keeper->db};
        const char *fault = look(keeper, &c), *before = atomic_exchange(&keeper->fault, fault);

        if (fault != NULL && fault != before)
                LOG(LOG_LEVEL_WARNING, "database_fault", LOG_S("fault", fault),
                    LOG_S("detail", c.problem.detail));
        else if (fault == NULL && before != NULL)
                LOG(LOG_LEVEL_INFO, "database_ready");
        problem_reset(&c);
        return fault == NULL ? chores_do(keeper, all) : (int64_t)chore_count;
}

static void *keeper_main(void *arg)
{
        struct keeper *keeper = arg;

        pthread_mutex_lock(&keeper->lock);
        while (!keeper->stopping) {
                uint64_t wanted = keeper->wanted;
                pthread_mutex_unlock(&keeper->lock);
                int64_t failed = keep(keeper, wanted != keeper->answered);
                pthread_mutex_lock(&keeper->lock);
                if (wanted != keeper->answered) {
                        keeper->failed = failed;
                        keeper->answered = wanted;
                        pthread_cond_broadcast(&keeper->done);
                }
                struct timespec until;
                clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_sec += KEEPER_LOOK_SECONDS;
                if (!keeper->stopping && keeper->wanted == keeper->answered)
                        pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
        }
        pthread_cond_broadcast(&keeper->done);
        pthread_mutex_unlock(&keeper->lock);
        return NULL;
}

struct keeper *keeper_start(const char *database_url, const struct shop *shop)
{
        struct keeper *keeper = calloc(1, sizeof *keeper);
        pthread_condattr_t condattr;
        pthread_attr_t attr;

        if (keeper == NULL)
                abort();
        keeper->shop = shop;
        keeper->fault = "unknown";
        keeper->db = db_new(&(struct db_options){.url = database_url,
                                                 .application = "patron keeper",
                                                 .statement_timeout_ms = KEEPER_TIMEOUT_MS,
                                                 .by_key = true});
        pthread_mutex_init(&keeper->lock, NULL);
        pthread_condattr_init(&condattr);
        pthread_condattr_setclock(&condattr, CLOCK_MONOTONIC);
        pthread_cond_init(&keeper->wake, &condattr);
        pthread_cond_init(&keeper->done, /* attr= */ NULL);
        pthread_condattr_destroy(&condattr);
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, KEEPER_STACK_BYTES);
        int error = pthread_create(&keeper->thread, &attr, keeper_main, keeper);
        pthread_attr_destroy(&attr);
        if (error == 0) {
                the_keeper = keeper;
                return keeper;
        }
        db_free(keeper->db);
        free(keeper);
        return NULL;
}

void keeper_stop(struct keeper *keeper)
{
        if (keeper == NULL)
                return;
        pthread_mutex_lock(&keeper->lock);
        keeper->stopping = true;
        pthread_cond_signal(&keeper->wake);
        pthread_mutex_unlock(&keeper->lock);
        pthread_join(keeper->thread, NULL);
        the_keeper = NULL;
        pthread_cond_destroy(&keeper->wake);
        pthread_cond_destroy(&keeper->done);
        pthread_mutex_destroy(&keeper->lock);
        db_free(keeper->db);
        free(keeper);
}

bool keeper_chores_now(int64_t *ret_failed)
{
        struct keeper *keeper = the_keeper;

        if (keeper == NULL)
                return false;
        pthread_mutex_lock(&keeper->lock);
        uint64_t mine = ++keeper->wanted;
        pthread_cond_signal(&keeper->wake);
        while (keeper->answered < mine && !keeper->stopping)
                pthread_cond_wait(&keeper->done, &keeper->lock);
        bool done = keeper->answered >= mine;
        int64_t failed = keeper->failed;
        pthread_mutex_unlock(&keeper->lock);
        if (done)
                *ret_failed = failed;
        return done;
}

const char *keeper_database_fault(struct keeper *keeper)
{
        return atomic_load(&keeper->fault);
}
