#include "http/keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "db/migrate.h"
#include "http/idempotency.h"

#define KEEPER_STACK_BYTES   ((size_t)512 * 1024)
#define KEEPER_TIMEOUT_MS    5000
#define EXPIRE_EVERY_SECONDS 60
/* Batches in one round: a day's worth of keys at 1,000 a second is gone within the hour, and none waits for
 * it. */
#define EXPIRE_BATCHES_MAX 2000

struct keeper {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t stop;
        bool stopping;
        const struct shop *shop;
        struct db *db;
        _Atomic(const char *) fault;
};

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

static enum err expire_some(struct ctx *c, void *arg)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(idempotency_expire(c, arg));
        return tx_commit(&tx);
}

static void expire(struct keeper *keeper, struct ctx *c)
{
        int64_t removed = IDEMPOTENCY_EXPIRE_ROWS;

        for (int i = 0; i < EXPIRE_BATCHES_MAX && removed == IDEMPOTENCY_EXPIRE_ROWS && !stopping(keeper);
             i++) {
                enum err err = db_run(c, expire_some, &removed);
                if (err != ERR_OK) {
                        LOG(LOG_LEVEL_WARNING, "expiry_failed", LOG_S("detail", c->problem.detail));
                        return;
                }
        }
}

static void keep(struct keeper *keeper, bool expire_now)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx c = {.arena = arena, .now = clock_now(), .shop = keeper->shop, .db = keeper->db};
        const char *fault = look(keeper, &c), *before = atomic_exchange(&keeper->fault, fault);

        if (fault != NULL && fault != before)
                LOG(LOG_LEVEL_WARNING, "database_fault", LOG_S("fault", fault),
                    LOG_S("detail", c.problem.detail));
        else if (fault == NULL && before != NULL)
                LOG(LOG_LEVEL_INFO, "database_ready");
        if (fault == NULL && expire_now)
                expire(keeper, &c);
        problem_reset(&c);
}

static void *keeper_main(void *arg)
{
        struct keeper *keeper = arg;
        int64_t expire_at_us = 0;

        pthread_mutex_lock(&keeper->lock);
        while (!keeper->stopping) {
                int64_t now_us = clock_monotonic_us();
                bool expire_now = now_us >= expire_at_us;
                if (expire_now)
                        expire_at_us = now_us + EXPIRE_EVERY_SECONDS * INSTANT_SECOND;
                pthread_mutex_unlock(&keeper->lock);
                keep(keeper, expire_now);
                pthread_mutex_lock(&keeper->lock);
                struct timespec until;
                clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_sec += KEEPER_LOOK_SECONDS;
                if (!keeper->stopping)
                        pthread_cond_timedwait(&keeper->stop, &keeper->lock, &until);
        }
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
                                                 .statement_timeout_ms = KEEPER_TIMEOUT_MS});
        pthread_mutex_init(&keeper->lock, NULL);
        pthread_condattr_init(&condattr);
        pthread_condattr_setclock(&condattr, CLOCK_MONOTONIC);
        pthread_cond_init(&keeper->stop, &condattr);
        pthread_condattr_destroy(&condattr);
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, KEEPER_STACK_BYTES);
        int error = pthread_create(&keeper->thread, &attr, keeper_main, keeper);
        pthread_attr_destroy(&attr);
        if (error == 0)
                return keeper;
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
        pthread_cond_signal(&keeper->stop);
        pthread_mutex_unlock(&keeper->lock);
        pthread_join(keeper->thread, NULL);
        pthread_cond_destroy(&keeper->stop);
        pthread_mutex_destroy(&keeper->lock);
        db_free(keeper->db);
        free(keeper);
}

const char *keeper_database_fault(struct keeper *keeper)
{
        return atomic_load(&keeper->fault);
}
