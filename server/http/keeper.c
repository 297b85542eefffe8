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
#include "http/pace.h"

#define KEEPER_STACK_BYTES ((size_t)512 * 1024)
#define KEEPER_TIMEOUT_MS  2000
/* Pieces of one chore in one round: a day's worth of keys at 1,000 a second is gone within the hour, and no
 * chore starves the others. */
#define PIECES_MAX 2000

/* Two chores at a time: on the night when everything is due, each keeps a process of the database busy. More
 * would only take the processors from the requests. */
#define HANDS 2

struct hand {
        struct keeper *keeper;
        pthread_t thread;
        struct db *db;
        bool first; /* it also looks after the database, and does all chores when they are wanted */
};

struct keeper {
        struct hand hands[HANDS];
        size_t hand_count; /* those that were started */
        pthread_mutex_t lock;
        pthread_cond_t wake; /* to stop, or because all chores are wanted */
        pthread_cond_t done; /* a chore, or a round of all */
        bool stopping;
        uint64_t wanted, answered; /* rounds of all chores */
        int64_t failed;            /* chores of the last such round */
        const struct shop *shop;
        int64_t due_us[CHORES_MAX]; /* when each chore is next, on the monotonic clock */
        bool in_hand[CHORES_MAX];
        _Atomic(const char *) fault;
};

/* That of this process, for keeper_chores_now. */
static _Atomic(struct keeper *) the_keeper;

static const char *look(struct ctx *c)
{
        if (db_ready(c) != ERR_OK)
                return "away";
        enum err err = migrate_check(c);
        if (err == ERR_DATABASE_AWAY)
                return "away";
        return err == ERR_OK ? NULL : "schema differs";
}

static bool stopping(struct keeper *keeper)
{
        pthread_mutex_lock(&keeper->lock);
        bool stop = keeper->stopping;
        pthread_mutex_unlock(&keeper->lock);
        return stop;
}

/* `paced`: with rests between its pieces. */
static bool chore_do(struct hand *hand, const struct chore *chore, bool paced)
{
        bool more = true, failed = false;

        for (int i = 0; i < PIECES_MAX && more && !stopping(hand->keeper); i++) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx c = {
                        .arena = arena, .now = clock_now(), .shop = hand->keeper->shop, .db = hand->db};
                int64_t began_us = clock_monotonic_us();
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
                if (more && paced)
                        pace_rest(PACE_UPKEEP, clock_monotonic_us() - began_us);
        }
        return !failed;
}

/* Take a chore in hand; with the lock. */
static void chore_take(struct keeper *keeper, size_t i)
{
        keeper->in_hand[i] = true;
        keeper->due_us[i] = clock_monotonic_us() + chores[i].every_seconds * INSTANT_SECOND;
}

static void chore_leave(struct keeper *keeper, size_t i)
{
        pthread_mutex_lock(&keeper->lock);
        keeper->in_hand[i] = false;
        pthread_cond_broadcast(&keeper->done);
        pthread_mutex_unlock(&keeper->lock);
}

/* Take the first chore that is due and in nobody's hand; chore_count: there is none. */
static size_t chore_due(struct keeper *keeper)
{
        int64_t now_us = clock_monotonic_us();
        size_t i = 0;

        pthread_mutex_lock(&keeper->lock);
        while (i < chore_count && (keeper->in_hand[i] || now_us < keeper->due_us[i]))
                i++;
        if (i < chore_count)
                chore_take(keeper, i);
        pthread_mutex_unlock(&keeper->lock);
        return i;
}

static void chores_due_do(struct hand *hand)
{
        for (size_t i = chore_due(hand->keeper); i < chore_count; i = chore_due(hand->keeper)) {
                (void)chore_do(hand, &chores[i], /* paced= */ true);
                chore_leave(hand->keeper, i);
        }
}

/* All of them in their order, each from its beginning. Returns how many failed. */
static int64_t chores_all_do(struct hand *hand)
{
        struct keeper *keeper = hand->keeper;
        int64_t failed = 0;

        for (size_t i = 0; i < chore_count; i++) {
                pthread_mutex_lock(&keeper->lock);
                while (keeper->in_hand[i])
                        pthread_cond_wait(&keeper->done, &keeper->lock);
                chore_take(keeper, i);
                pthread_mutex_unlock(&keeper->lock);
                failed += !chore_do(hand, &chores[i], /* paced= */ false);
                chore_leave(keeper, i);
        }
        return failed;
}

/* A database that was restored or migrated under the running server is noticed too. */
static void look_after_database(struct hand *hand)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct keeper *keeper = hand->keeper;
        struct ctx c = {.arena = arena, .now = clock_now(), .shop = keeper->shop, .db = hand->db};
        const char *fault = look(&c), *before = atomic_exchange(&keeper->fault, fault);

        if (fault != NULL && fault != before)
                LOG(LOG_LEVEL_WARNING, "database_fault", LOG_S("fault", fault),
                    LOG_S("detail", c.problem.detail));
        else if (fault == NULL && before != NULL)
                LOG(LOG_LEVEL_INFO, "database_ready");
        problem_reset(&c);
}

/* One round of a hand. Returns how many of all chores failed, when all are wanted. */
static int64_t keep(struct hand *hand, bool all)
{
        if (hand->first)
                look_after_database(hand);
        if (atomic_load(&hand->keeper->fault) != NULL)
                return (int64_t)chore_count;
        if (all)
                return chores_all_do(hand);
        chores_due_do(hand);
        return 0;
}

static void *hand_main(void *arg)
{
        struct hand *hand = arg;
        struct keeper *keeper = hand->keeper;

        pthread_mutex_lock(&keeper->lock);
        while (!keeper->stopping) {
                uint64_t wanted = keeper->wanted;
                bool all = hand->first && wanted != keeper->answered;
                pthread_mutex_unlock(&keeper->lock);
                int64_t failed = keep(hand, all);
                pthread_mutex_lock(&keeper->lock);
                if (all) {
                        keeper->failed = failed;
                        keeper->answered = wanted;
                        pthread_cond_broadcast(&keeper->done);
                }
                struct timespec until;
                clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_sec += KEEPER_LOOK_SECONDS;
                if (!keeper->stopping && !(hand->first && keeper->wanted != keeper->answered))
                        pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
        }
        pthread_cond_broadcast(&keeper->done);
        pthread_mutex_unlock(&keeper->lock);
        return NULL;
}

static bool hand_start(struct keeper *keeper, const char *database_url)
{
        struct hand *hand = &keeper->hands[keeper->hand_count];
        pthread_attr_t attr;

        hand->keeper = keeper;
        hand->first = keeper->hand_count == 0;
        hand->db = db_new(&(struct db_options){.url = database_url,
                                               .application = "patron keeper",
                                               .statement_timeout_ms = KEEPER_TIMEOUT_MS,
                                               .by_key = true});
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, KEEPER_STACK_BYTES);
        int error = pthread_create(&hand->thread, &attr, hand_main, hand);
        pthread_attr_destroy(&attr);
        if (error != 0) {
                db_free(hand->db);
                return false;
        }
        keeper->hand_count++;
        return true;
}

struct keeper *keeper_start(const char *database_url, const struct shop *shop)
{
        struct keeper *keeper = calloc(1, sizeof *keeper);
        pthread_condattr_t condattr;

        if (keeper == NULL)
                abort();
        keeper->shop = shop;
        keeper->fault = "unknown";
        pthread_mutex_init(&keeper->lock, NULL);
        pthread_condattr_init(&condattr);
        pthread_condattr_setclock(&condattr, CLOCK_MONOTONIC);
        pthread_cond_init(&keeper->wake, &condattr);
        pthread_cond_init(&keeper->done, /* attr= */ NULL);
        pthread_condattr_destroy(&condattr);
        for (int i = 0; i < HANDS; i++)
                if (!hand_start(keeper, database_url)) {
                        keeper_stop(keeper);
                        return NULL;
                }
        the_keeper = keeper;
        return keeper;
}

void keeper_stop(struct keeper *keeper)
{
        if (keeper == NULL)
                return;
        pthread_mutex_lock(&keeper->lock);
        keeper->stopping = true;
        pthread_cond_broadcast(&keeper->wake);
        pthread_mutex_unlock(&keeper->lock);
        for (size_t i = 0; i < keeper->hand_count; i++) {
                pthread_join(keeper->hands[i].thread, NULL);
                db_free(keeper->hands[i].db);
        }
        the_keeper = NULL;
        pthread_cond_destroy(&keeper->wake);
        pthread_cond_destroy(&keeper->done);
        pthread_mutex_destroy(&keeper->lock);
        free(keeper);
}

bool keeper_chores_now(int64_t *ret_failed)
{
        struct keeper *keeper = the_keeper;

        if (keeper == NULL)
                return false;
        pthread_mutex_lock(&keeper->lock);
        uint64_t mine = ++keeper->wanted;
        pthread_cond_broadcast(&keeper->wake);
        while (keeper->answered < mine && !keeper->stopping)
                pthread_cond_wait(&keeper->done, &keeper->lock);
        bool done = keeper->answered >= mine;
        int64_t failed = keeper->failed;
        pthread_mutex_unlock(&keeper->lock);
        if (done)
                *ret_failed = failed;
        return done;
}

bool keeper_is_stopping(void)
{
        struct keeper *keeper = the_keeper;

        return keeper != NULL && stopping(keeper);
}

const char *keeper_database_fault(struct keeper *keeper)
{
        return atomic_load(&keeper->fault);
}
