#include "http/recorder.h"

#include <pthread.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "db/db.h"
#include "http/internal.h"
#include "http/metrics.h"
#include "http/work.h"

#define RECORDER_STACK_BYTES ((size_t)512 * 1024)
/* Requests in one statement; a list of customers brings up to 200 entries each. */
#define RECORD_REQUESTS_MAX 64

struct recorder {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t filled;
        /* As long as there are connections at most: each waits for one answer. */
        struct request *head, **tail;
        bool closed;
        struct db *db;
};

/* ------------------------------------------------------------------ storing */

struct round {
        struct request *requests[RECORD_REQUESTS_MAX];
        size_t n;
};

static enum err round_store(struct ctx *c, void *arg)
{
        const struct round *round = arg;
        struct audit_look looks[RECORD_REQUESTS_MAX];

        for (size_t i = 0; i < round->n; i++) {
                const struct request *r = round->requests[i];
                looks[i] = (struct audit_look){&r->ctx, r->shown.v, r->shown.n};
        }
        TRY(db_ready(c));
        return audit_looks(c, looks, round->n);
}

static void round_end(struct round *round, enum err err, const struct problem *problem)
{
        for (size_t i = 0; i < round->n; i++) {
                struct request *r = round->requests[i];
                metric_add(r->server->metrics, METRIC_AUDITED_READS, err == ERR_OK);
                if (err != ERR_OK) {
                        r->err = fail(
                                &r->ctx, err,
                                "The answer holds personal data, and the audit log did not take the entry: %s",
                                problem->detail != NULL ? problem->detail : "no reason is known.");
                        if (problem->cause != NULL)
                                r->ctx.problem.cause = arena_strdup(r->ctx.arena, problem->cause);
                }
                work_finish(r);
        }
}

static void round_run(struct recorder *recorder, struct round *round)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx c = {
                .arena = arena, .now = clock_now(), .shop = round->requests[0]->ctx.shop, .db = recorder->db};

        enum err err = db_run(&c, round_store, round);
        round_end(round, err, &c.problem);
        problem_reset(&c);
}

/* ------------------------------------------------------------------ the queue */

static bool round_take(struct recorder *recorder, struct round *ret)
{
        ret->n = 0;
        pthread_mutex_lock(&recorder->lock);
        while (recorder->head == NULL && !recorder->closed)
                pthread_cond_wait(&recorder->filled, &recorder->lock);
        while (recorder->head != NULL && ret->n < RECORD_REQUESTS_MAX) {
                struct request *r = recorder->head;
                recorder->head = r->next;
                ret->requests[ret->n++] = r;
        }
        if (recorder->head == NULL)
                recorder->tail = &recorder->head;
        pthread_mutex_unlock(&recorder->lock);
        return ret->n > 0;
}

static void *recorder_main(void *arg)
{
        struct recorder *recorder = arg;
        struct round round;

        while (round_take(recorder, &round))
                round_run(recorder, &round);
        return NULL;
}

bool recorder_wants(struct request *r)
{
        const struct route *route = r->match.route;

        if (r->err != ERR_OK || route->endpoint->method != METHOD_GET || !route->pii ||
            r->ctx.principal == NULL || !r->ctx.principal->pii)
                return false;
        shape_subjects(r->ctx.arena, route->endpoint->out, r->pick, r->out, &r->shown);
        return r->shown.n > 0;
}

void recorder_put(struct recorder *recorder, struct request *r)
{
        r->next = NULL;
        pthread_mutex_lock(&recorder->lock);
        *recorder->tail = r;
        recorder->tail = &r->next;
        pthread_cond_signal(&recorder->filled);
        pthread_mutex_unlock(&recorder->lock);
}

/* ------------------------------------------------------------------ start and stop */

static void recorder_free(struct recorder *recorder)
{
        pthread_cond_destroy(&recorder->filled);
        pthread_mutex_destroy(&recorder->lock);
        db_free(recorder->db);
        free(recorder);
}

struct recorder *recorder_start(const struct server_options *options)
{
        struct recorder *recorder = calloc(1, sizeof *recorder);
        pthread_attr_t attr;

        if (recorder == NULL)
                abort();
        recorder->tail = &recorder->head;
        recorder->db = db_new(&(struct db_options){.url = options->database_url,
                                                   .application = "patron audit",
                                                   .statement_timeout_ms = (int)options->statement_timeout_ms,
                                                   .by_key = true});
        pthread_mutex_init(&recorder->lock, NULL);
        pthread_cond_init(&recorder->filled, NULL);
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, RECORDER_STACK_BYTES);
        int error = pthread_create(&recorder->thread, &attr, recorder_main, recorder);
        pthread_attr_destroy(&attr);
        if (error == 0)
                return recorder;
        recorder_free(recorder);
        return NULL;
}

void recorder_stop(struct recorder *recorder)
{
        if (recorder == NULL)
                return;
        pthread_mutex_lock(&recorder->lock);
        recorder->closed = true;
        pthread_cond_signal(&recorder->filled);
        pthread_mutex_unlock(&recorder->lock);
        pthread_join(recorder->thread, NULL);
        recorder_free(recorder);
}
