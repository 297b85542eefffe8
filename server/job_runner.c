#include "job_runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "http/pace.h"
#include "jobs/work.h"

#define STACK_BYTES ((size_t)1024 * 1024)
/* One statement of a thousand lines, on a busy database. */
#define STATEMENT_TIMEOUT_MS 120000
/* Lines of one transaction while orders come by API: few enough that one of a customer among them waits for
 * some milliseconds. */
#define LINES_BESIDE_ORDERS 25
/* How often a server without work looks for some. */
#define LOOK_MS 250

/* One that applies parts of chunks. */
struct hand {
        struct job_runner *runner;
        pthread_t thread;
        struct db *db;
        size_t number;
        const struct job *job; /* work to do, NULL: none */
        const struct work_chunk *chunk;
        enum err err; /* of the last part */
        unsigned status;
};

struct job_runner {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool stopping;        /* take on no more work */
        bool hands_stopping;  /* there will be no more parts either */
        pthread_mutex_t turn; /* of the hand that works beside orders: one at a time, and its rest */
        const struct shop *shop;
        struct db *db;
        struct hand hands[WORK_PARTS_MAX];
        size_t hand_count;
};

static struct ctx context_new(const struct job_runner *runner, struct db *db)
{
        return (struct ctx){.arena = arena_new(),
                            .now = clock_now(),
                            .shop = runner->shop,
                            .db = db,
                            .operation = "import_file"};
}

static void context_free(struct ctx *c)
{
        problem_reset(c);
        arena_free(c->arena);
}

static void complain(const struct ctx *c, enum err err)
{
        LOG(err == ERR_INTERNAL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "job_interrupted",
            LOG_S("problem", err_info(err)->slug), LOG_S("detail", c->problem.detail),
            LOG_S("cause", c->problem.cause));
}

/* ------------------------------------------------------------------ hands */

static void slice_do(struct hand *hand, size_t from, size_t n)
{
        const struct work_slice slice = {hand->chunk, hand->number, from, n};
        struct ctx c = context_new(hand->runner, hand->db);
        struct principal principal = {.key_id = hand->job->key_id};

        c.principal = &principal;
        hand->err = work_slice_do(&c, hand->job, &slice, &hand->status);
        if (hand->err != ERR_OK)
                complain(&c, hand->err);
        context_free(&c);
}

/* The part in large transactions, or, while orders come, in small ones. */
static void hand_do(struct hand *hand)
{
        const size_t n = hand->chunk->parts[hand->number].n, large = bulk_type(hand->job->type)->batch_max;

        hand->err = ERR_OK;
        hand->status = JOB_RUNNING;
        for (size_t from = 0; from < n && hand->err == ERR_OK && hand->status != JOB_CANCELING;) {
                bool small = pace_orders_come();
                size_t most = small && large > LINES_BESIDE_ORDERS ? LINES_BESIDE_ORDERS : large;
                if (most > n - from)
                        most = n - from;
                if (small)
                        pthread_mutex_lock(&hand->runner->turn);
                int64_t began_us = clock_monotonic_us();
                slice_do(hand, from, most);
                pace_rest(PACE_IMPORT, clock_monotonic_us() - began_us);
                if (small)
                        pthread_mutex_unlock(&hand->runner->turn);
                from += most;
        }
}

static void *hand_main(void *arg)
{
        struct hand *hand = arg;
        struct job_runner *runner = hand->runner;

        pthread_mutex_lock(&runner->lock);
        for (;;) {
                while (hand->job == NULL && !runner->hands_stopping)
                        pthread_cond_wait(&runner->changed, &runner->lock);
                if (hand->job == NULL)
                        break;
                pthread_mutex_unlock(&runner->lock);
                hand_do(hand);
                pthread_mutex_lock(&runner->lock);
                hand->job = NULL;
                pthread_cond_broadcast(&runner->changed);
        }
        pthread_mutex_unlock(&runner->lock);
        return NULL;
}

static void hands_give(struct job_runner *runner, const struct job *job, const struct work_chunk *chunk)
{
        pthread_mutex_lock(&runner->lock);
        for (size_t i = 0; i < runner->hand_count; i++) {
                runner->hands[i].chunk = chunk;
                runner->hands[i].job = job;
        }
        pthread_cond_broadcast(&runner->changed);
        pthread_mutex_unlock(&runner->lock);
}

/* Wait until all hands are free: the first error, and whether the job shall end. */
static enum err hands_wait(struct job_runner *runner, bool *ret_canceled)
{
        enum err err = ERR_OK;

        pthread_mutex_lock(&runner->lock);
        for (size_t i = 0; i < runner->hand_count; i++) {
                const struct hand *hand = &runner->hands[i];
                while (hand->job != NULL)
                        pthread_cond_wait(&runner->changed, &runner->lock);
                if (err == ERR_OK)
                        err = hand->err;
                *ret_canceled |= hand->err == ERR_OK && hand->status == JOB_CANCELING;
        }
        pthread_mutex_unlock(&runner->lock);
        return err;
}

/* ------------------------------------------------------------------ one job */

static bool is_stopping(struct job_runner *runner)
{
        pthread_mutex_lock(&runner->lock);
        bool stopping = runner->stopping;
        pthread_mutex_unlock(&runner->lock);
        return stopping;
}

/* A chunk in memory of its own: the next one is decoded while the hands apply this one. */
struct loaded {
        struct ctx c;
        struct work_chunk chunk;
};

static void loaded_free(struct job_runner *runner, struct loaded *loaded)
{
        if (loaded->c.arena == NULL)
                return;
        work_chunk_free(&loaded->chunk, runner->hand_count);
        context_free(&loaded->c);
        *loaded = (struct loaded){0};
}

static enum err chunk_load(struct job_runner *runner, const struct job *job,
                           const struct csv_columns *columns, int64_t chunk_no, struct loaded *ret)
{
        ret->c = context_new(runner, runner->db);
        enum err err = work_load(&ret->c, job, columns, chunk_no, runner->hand_count, &ret->chunk);
        if (err == ERR_OK)
                return ERR_OK;
        complain(&ret->c, err);
        context_free(&ret->c);
        *ret = (struct loaded){0};
        return err;
}

/* Chunk after chunk, each line in the transaction of its batch. */
static enum err job_apply(struct job_runner *runner, struct ctx *c, const struct job *job, bool *ret_canceled)
{
        struct csv_columns columns;
        struct loaded now = {0}, next = {0};
        bool canceled = job->status == JOB_CANCELING;
        enum err err = work_columns(c, job, &columns);

        if (err == ERR_OK && job->chunks > 0 && !canceled)
                err = chunk_load(runner, job, &columns, 0, &now);
        for (int64_t i = 1; err == ERR_OK && now.c.arena != NULL && !canceled && !is_stopping(runner); i++) {
                hands_give(runner, job, &now.chunk);
                if (i < job->chunks)
                        err = chunk_load(runner, job, &columns, i, &next);
                enum err done = hands_wait(runner, &canceled);
                err = err != ERR_OK ? err : done;
                loaded_free(runner, &now);
                now = next;
                next = (struct loaded){0};
        }
        bool unfinished = now.c.arena != NULL && !canceled;
        loaded_free(runner, &now);
        *ret_canceled = canceled;
        if (err == ERR_OK && unfinished)
                return ERR_DRAINING;
        return err;
}

static enum err job_run(struct job_runner *runner, struct ctx *c, const struct job *job)
{
        bool canceled = job->status == JOB_CANCELING;

        if (work_is_whole(job) && !canceled) {
                struct ctx own = context_new(runner, runner->hands[0].db);
                enum err err = db_ready(&own);
                if (err == ERR_OK)
                        err = work_whole(&own, c, job, clock_now);
                if (err != ERR_OK && own.problem.code == err)
                        complain(&own, err);
                context_free(&own);
                return err;
        }
        TRY(job_apply(runner, c, job, &canceled));
        c->now = clock_now();
        return job_end(c, job, canceled ? JOB_CANCELED : JOB_COMPLETE, NULL);
}

static void job_log(const struct job *job, const char *event, enum err err)
{
        char id[UUID_TEXT_SIZE];

        uuid_to_text(job->id, id);
        LOG(LOG_LEVEL_INFO, event, LOG_S("job_id", id), LOG_S("type", bulk_type_names.v[job->type]),
            LOG_I("attempt", job->attempt), LOG_I("lines", job->total),
            LOG_S("problem", err != ERR_OK ? err_info(err)->slug : NULL));
}

/* What interrupted a job: a fault of ours ends it, anything else leaves it to whoever takes it next. */
static void job_settle(struct job_runner *runner, const struct job *job, enum err err)
{
        struct ctx c = context_new(runner, runner->db);

        if (err != ERR_OK && err != ERR_CONFLICT && db_ready(&c) == ERR_OK) {
                if (err == ERR_INTERNAL)
                        err = job_end(&c, job, JOB_FAILED, "Something went wrong inside; the log says what.");
                else
                        err = job_release(&c, job);
                if (err != ERR_OK)
                        complain(&c, err);
        }
        context_free(&c);
}

/* Take on one job, if there is one. False: there is nothing to do now. */
static bool work(struct job_runner *runner)
{
        struct ctx c = context_new(runner, runner->db);
        struct job job;
        bool found = false;
        enum err err = db_ready(&c);

        if (err == ERR_OK)
                err = job_claim(&c, &job, &found);
        if (err == ERR_OK && found) {
                struct principal principal = {.key_id = job.key_id};
                c.principal = &principal;
                job_log(&job, "job_begun", ERR_OK);
                pace_import_begins();
                err = work_survey(&c, &job);
                if (err == ERR_OK)
                        err = job_run(runner, &c, &job);
                pace_import_ends();
                if (err != ERR_OK && c.problem.code == err)
                        complain(&c, err);
                job_settle(runner, &job, err);
                job_log(&job, "job_left", err);
        }
        context_free(&c);
        return found && err == ERR_OK;
}

static void *runner_main(void *arg)
{
        struct job_runner *runner = arg;

        while (!is_stopping(runner)) {
                if (work(runner))
                        continue;
                struct timespec until;
                clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_nsec += LOOK_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000;
                until.tv_nsec %= 1000000000;
                pthread_mutex_lock(&runner->lock);
                while (!runner->stopping &&
                       pthread_cond_timedwait(&runner->changed, &runner->lock, &until) == 0)
                        ;
                pthread_mutex_unlock(&runner->lock);
        }
        return NULL;
}

/* ------------------------------------------------------------------ life */

static bool thread_start(pthread_t *thread, void *(*body)(void *), void *arg)
{
        pthread_attr_t attr;

        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, STACK_BYTES);
        int error = pthread_create(thread, &attr, body, arg);
        pthread_attr_destroy(&attr);
        return error == 0;
}

static void flag_set(struct job_runner *runner, bool *flag)
{
        pthread_mutex_lock(&runner->lock);
        *flag = true;
        pthread_cond_broadcast(&runner->changed);
        pthread_mutex_unlock(&runner->lock);
}

static void runner_free(struct job_runner *runner)
{
        flag_set(runner, &runner->hands_stopping);
        for (size_t i = 0; i < runner->hand_count; i++) {
                pthread_join(runner->hands[i].thread, NULL);
                db_free(runner->hands[i].db);
        }
        pthread_cond_destroy(&runner->changed);
        pthread_mutex_destroy(&runner->lock);
        pthread_mutex_destroy(&runner->turn);
        db_free(runner->db);
        free(runner);
}

struct job_runner *job_runner_start(const char *database_url, const struct shop *shop, unsigned workers)
{
        struct job_runner *runner = calloc(1, sizeof *runner);
        struct db_options options = {.url = database_url,
                                     .application = "patron jobs",
                                     .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                                     .by_key = true};
        pthread_condattr_t attr;
        bool started = true;

        if (runner == NULL)
                abort();
        runner->shop = shop;
        runner->db = db_new(&options);
        pthread_mutex_init(&runner->lock, NULL);
        pthread_mutex_init(&runner->turn, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&runner->changed, &attr);
        pthread_condattr_destroy(&attr);
        for (unsigned i = 0; i < workers && started; i++) {
                struct hand *hand = &runner->hands[i];
                *hand = (struct hand){.runner = runner, .number = i, .db = db_new(&options)};
                started = thread_start(&hand->thread, hand_main, hand);
                if (started)
                        runner->hand_count++;
                else
                        db_free(hand->db);
        }
        if (started && thread_start(&runner->thread, runner_main, runner))
                return runner;
        runner_free(runner);
        return NULL;
}

void job_runner_stop(struct job_runner *runner)
{
        if (runner == NULL)
                return;
        flag_set(runner, &runner->stopping);
        pthread_join(runner->thread, NULL);
        runner_free(runner);
}
