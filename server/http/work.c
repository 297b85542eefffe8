#include "http/work.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "db/db.h"
#include "http/metrics.h"
#include "http/recorder.h"

/* Forget what an earlier attempt left behind. */
static void attempt_begin(struct request *r)
{
        problem_reset(&r->ctx);
        r->reply = (struct reply){.if_match = r->reply.if_match,
                                  .keyed = r->idempotent.key != NULL,
                                  .form = r->reply.form,
                                  .content_type = r->reply.content_type,
                                  .content_encoding = r->reply.content_encoding};
        r->ctx.audited = 0;
        r->answer.status = 0;
        memset(r->out, 0, r->match.route->endpoint->out->size);
}

/* ------------------------------------------------------------------ one request */

static void answer_from_kept(struct request *r, const struct kept_answer *kept)
{
        r->reply.status = kept->status;
        r->reply.json = kept->body;
        r->reply.json_len = strlen(kept->body);
        r->reply.location = kept->location;
        r->reply.version = kept->version;
        r->reply.idempotency_hit = true;
        answer_render(r);
        metric_add(r->server->metrics, METRIC_IDEMPOTENCY_HITS, 1);
}

static enum err keep_answer(struct ctx *c, struct request *r)
{
        answer_render(r);
        struct kept_answer kept = {.status = r->answer.status,
                                   .body = r->answer.body.data != NULL ? r->answer.body.data : "",
                                   .location = r->answer.location,
                                   .version = answer_version(r)};
        return idempotency_keep(c, &r->idempotent, &kept);
}

/* No write without its entry in the audit log: one whose domain tells no changes is noted by its name. */
static enum err audit_unless_done(struct ctx *c, const struct request *r)
{
        const struct endpoint *endpoint = r->match.route->endpoint;

        if (c->audited > 0 || endpoint->only_asks || r->reply.idempotency_hit)
                return ERR_OK;
        return audit_write(c, &(struct audit_change){.customer_id = shape_subject(endpoint->out, r->out)});
}

static enum err write_once(struct ctx *c, void *arg)
{
        struct request *r = arg;
        struct kept_answer kept;
        bool found = false;
        TX(tx);

        attempt_begin(r);
        TRY(db_ready(c));
        TRY(tx_begin(c, &tx));
        if (r->idempotent.key != NULL)
                TRY(idempotency_begin(c, &r->idempotent, &kept, &found));
        if (found) {
                answer_from_kept(r, &kept);
                return tx_commit(&tx);
        }
        TRY(r->match.route->endpoint->run(c, r->in, r->out));
        TRY(audit_unless_done(c, r));
        if (r->idempotent.key != NULL)
                TRY(keep_answer(c, r));
        return tx_commit(&tx);
}

static enum err read_once(struct ctx *c, void *arg)
{
        struct request *r = arg;

        attempt_begin(r);
        TRY(db_ready(c));
        return r->match.route->endpoint->run(c, r->in, r->out);
}

static void run_single(struct request *r)
{
        bool read = r->match.route->endpoint->method == METHOD_GET;

        r->err = db_run(&r->ctx, read ? read_once : write_once, r);
}

/* Once, and in no transaction but its own: the body can't be read twice, nor the answer taken back. */
static void run_stream(struct request *r)
{
        r->err = db_ready(&r->ctx);
        if (r->err == ERR_OK)
                r->err = r->match.route->endpoint->run(&r->ctx, r->in, r->out);
}

/* ------------------------------------------------------------------ a batch */

struct batch {
        struct request **requests;
        struct call calls[BATCH_CALLS_MAX];
        size_t n;
};

static enum err batch_once(struct ctx *c, void *arg)
{
        struct batch *batch = arg;

        problem_reset(c);
        TRY(db_ready(c));
        for (size_t i = 0; i < batch->n; i++) {
                struct request *r = batch->requests[i];
                attempt_begin(r);
                batch->calls[i] = (struct call){.c = &r->ctx, .in = r->in, .out = r->out};
        }
        return batch->requests[0]->match.route->endpoint->run_batch(c, batch->calls, batch->n);
}

/* A call that failed alone, as a batch of one: the problem is its own. */
static void run_alone(struct request *r)
{
        struct batch batch = {.requests = &r, .n = 1};
        struct ctx c = r->ctx;

        c.problem = (struct problem){0};
        enum err err = db_run(&c, batch_once, &batch);
        metric_batch(r->server->metrics, 1);
        if (err == ERR_OK) {
                r->err = batch.calls[0].err;
                problem_reset(&c);
                return;
        }
        r->err = err;
        problem_reset(&r->ctx);
        r->ctx.problem = c.problem;
}

static void run_batch(struct db *db, struct request **requests, size_t n)
{
        struct batch batch = {.requests = requests, .n = n};
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx c = {.arena = arena, .now = requests[0]->ctx.now, .shop = requests[0]->ctx.shop, .db = db};

        enum err err = db_run(&c, batch_once, &batch);
        metric_batch(requests[0]->server->metrics, n);
        problem_reset(&c);
        for (size_t i = 0; i < n; i++) {
                if (err == ERR_OK)
                        requests[i]->err = batch.calls[i].err;
                else if (err == ERR_DATABASE_AWAY) /* each alone would only wait for the same database */
                        requests[i]->err = err;
                else
                        run_alone(requests[i]);
        }
        if (err != ERR_OK && err != ERR_DATABASE_AWAY)
                metric_add(requests[0]->server->metrics, METRIC_BATCHES_SPLIT, 1);
}

/* ------------------------------------------------------------------ all */

void work_finish(struct request *r)
{
        if (r->streaming != NULL) {
                stream_finish(r);
                return;
        }
        answer_finish(r);
        r->phase = PHASE_DONE;
        listener_resume(r);
}

static void finish(struct request *r)
{
        r->ctx.db = NULL;
        if (!recorder_wants(r)) {
                work_finish(r);
                return;
        }
        answer_render(r); /* here, where several threads can do it */
        recorder_put(r->server->recorder, r);
}

/* Take r on, or say why it is too late for it. */
static bool begin(struct request *r, struct db *db, struct instant now, bool given_up)
{
        int64_t limit_us = (int64_t)r->server->options.request_deadline_ms * 1000;

        r->started_us = clock_monotonic_us();
        r->ctx.now = now;
        r->ctx.db = db;
        if (given_up)
                r->err = fail(&r->ctx, ERR_DRAINING, "The server stopped before this request's turn came.");
        else if (r->started_us - r->arrived_us > limit_us)
                r->err = fail(&r->ctx, ERR_DEADLINE, "The request waited longer than %u ms.",
                              r->server->options.request_deadline_ms);
        return r->err == ERR_OK;
}

void work_run(struct db *db, struct request **requests, size_t n, bool given_up)
{
        struct instant now = clock_now();
        size_t live = 0;

        for (size_t i = 0; i < n; i++) {
                if (begin(requests[i], db, now, given_up))
                        requests[live++] = requests[i];
                else
                        finish(requests[i]);
        }
        if (live > 0 && requests[0]->streaming != NULL)
                run_stream(requests[0]);
        else if (live > 0 && requests[0]->match.route->endpoint->run_batch == NULL)
                run_single(requests[0]);
        else if (live == 1)
                run_alone(requests[0]);
        else if (live > 1)
                run_batch(db, requests, live);
        for (size_t i = 0; i < live; i++)
                finish(requests[i]);
}
