#include "jobs/jobs.h"

#include <stdlib.h>

#include "db/page.h"
#include "jobs/split.h"
#include "jobs/types.h"

NAMES(job_status_names, "receiving", "queued", "running", "canceling", "canceled", "complete", "failed");
NAMES(job_mode_names, "independent", "atomic");
NAMES(file_format_names, "ndjson", "csv");

#define SHAPE_T struct job
SHAPE(job, "A job.", FIELD(id), FIELD(type, .names = &bulk_type_names),
      FIELD(status, .names = &job_status_names), FIELD(mode, .names = &job_mode_names),
      FIELD(format, .names = &file_format_names), FIELD(dry_run), FIELD(backfill), FIELD(columns),
      FIELD(key_id), FIELD(total), FIELD(chunks), FIELD(processed), FIELD(succeeded), FIELD(failed),
      FIELD(detail), FIELD(attempt), FIELD(created_at), FIELD(started_at), FIELD(completed_at),
      FIELD(expires_at));
#undef SHAPE_T

#define SHAPE_T struct job_view
SHAPE(job_view, "A job.", FIELD(id, .need = true), FIELD(type, .need = true, .names = &bulk_type_names),
      FIELD(status, .need = true, .names = &job_status_names),
      FIELD(mode, .need = true, .names = &job_mode_names),
      FIELD(dry_run, .doc = "Everything was tried, nothing is kept."), FIELD(backfill),
      FIELD(total, .doc = "Lines of the file."), FIELD(processed), FIELD(succeeded), FIELD(failed),
      FIELD(progress, .doc = "0 to 100."), FIELD(rows_per_second), FIELD(eta_seconds),
      FIELD(detail, .doc = "Why it failed as a whole."),
      FIELD(errors_url, .need = true, .doc = "The lines that failed, each with its problem and its input."),
      FIELD(result_url, .need = true, .doc = "The result of every line."), FIELD(created_at, .need = true),
      FIELD(started_at), FIELD(completed_at), FIELD(expires_at, .doc = "Until then results are kept."));
#undef SHAPE_T

#define JOB_COLUMNS                                                                                                 \
        "id, type, status, mode, dry_run, backfill, format, columns, key_id, total, chunks, processed, succeeded, " \
        "failed, detail, attempt, created_at, started_at, completed_at, expires_at"

struct job_key {
        struct uuid id;
};
#define SHAPE_T struct job_key
SHAPE(job_key, "One job.", FIELD(id));
#undef SHAPE_T

/* Until when a job that ends now is kept. */
#define JOB_EXPIRES "CASE WHEN forgotten THEN :now ELSE :now + " JOB_KEPT " END "

/* ------------------------------------------------------------------ showing */

void job_show(struct ctx *c, const struct job *job, struct job_view *ret)
{
        char id[UUID_TEXT_SIZE];
        struct instant until = job_is_over(job) ? job->completed_at : c->now;
        int64_t us = instant_known(job->started_at) ? until.us - job->started_at.us : 0;

        uuid_to_text(job->id, id);
        *ret = (struct job_view){
                .id = job->id,
                .type = job->type,
                .status = job->status,
                .mode = job->mode,
                .dry_run = job->dry_run,
                .backfill = job->backfill,
                .total = job->total,
                .processed = job->processed,
                .succeeded = job->succeeded,
                .failed = job->failed,
                .progress = job->total == 0 ? 0 : job->processed * 100 / job->total,
                .detail = job->detail,
                .errors_url = arena_printf(c->arena, "/v1/jobs/%s/errors", id),
                .result_url = arena_printf(c->arena, "/v1/jobs/%s/results", id),
                .created_at = job->created_at,
                .started_at = job->started_at,
                .completed_at = job->completed_at,
                .expires_at = job->expires_at,
        };
        if (us > 0 && job->processed > 0) {
                double rate = (double)job->processed * (double)INSTANT_SECOND / (double)us;
                ret->rows_per_second = (struct opt_int){.set = true, .v = (int64_t)rate};
                if (!job_is_over(job))
                        ret->eta_seconds = (struct opt_int){
                                .set = true, .v = (int64_t)((double)(job->total - job->processed) / rate)};
        }
}

SQL_OPT(job_find, job_key, job, "SELECT " JOB_COLUMNS " FROM jobs WHERE id = :id AND status <> 'receiving'")

enum err job_get(struct ctx *c, struct uuid id, struct job *ret)
{
        bool found;

        TRY(job_find(c, &(struct job_key){id}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no such job.");
}

NAMES(job_sort_names, "created_at", "-created_at");

#define SHAPE_T struct job_page
SHAPE(job_page, "A position.", FIELD(type, .names = &bulk_type_names),
      FIELD(status, .names = &job_status_names), NEST(page, paging));
#undef SHAPE_T

SQL_LIST(jobs_sorted, job_page, job, JOB_COLUMNS,
         "jobs WHERE status <> 'receiving' AND (:type::text IS NULL OR type = :type) "
         "AND (:status::text IS NULL OR status = :status)",
         "", "id", job_sort_names)

enum err jobs_list(struct ctx *c, const struct job_page *page, struct page_rows *ret)
{
        return jobs_sorted(c, page, ret);
}

SQL_OPT(job_cancel_row, job_key, job,
        "UPDATE jobs SET status = CASE WHEN status = 'queued' THEN 'canceled' ELSE 'canceling' END, "
        "completed_at = CASE WHEN status = 'queued' THEN :now END, "
        "expires_at = CASE WHEN status = 'queued' THEN " JOB_EXPIRES "END "
        "WHERE id = :id AND status IN ('queued', 'running', 'canceling') RETURNING " JOB_COLUMNS)

enum err job_cancel(struct ctx *c, struct uuid id, struct job *ret)
{
        bool found;

        TRY(job_cancel_row(c, &(struct job_key){id}, ret, &found));
        if (found)
                return ERR_OK;
        TRY(job_get(c, id, ret));
        problem_string(c, "job_status", job_status_names.v[ret->status]);
        return fail(c, ERR_JOB_STATE, "The job is %s.", job_status_names.v[ret->status]);
}

/* ------------------------------------------------------------------ while the file comes in */

SQL_EXEC(
        job_insert, job,
        "INSERT INTO jobs (id, type, status, mode, dry_run, backfill, format, columns, key_id, total, chunks, processed, "
        "succeeded, failed, attempt, heartbeat_at, created_at) VALUES (:id, :type, 'receiving', :mode, :dry_run, "
        ":backfill, :format, :columns, :key_id, 0, 0, 0, 0, 0, 0, :now, :now)")

enum err job_create(struct ctx *c, const struct job *job)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_insert(c, job));
        return tx_commit(&tx);
}

#define SHAPE_T struct chunk_in
SHAPE(chunk_in, "A chunk.", FIELD(job_id), FIELD(chunk_no), FIELD(first_line), FIELD(lines), FIELD(body));
#undef SHAPE_T

SQL_EXEC(job_chunk_insert, chunk_in,
         "INSERT INTO job_chunks (job_id, chunk_no, first_line, lines, body) "
         "VALUES (:job_id, :chunk_no, :first_line, :lines, :body)")
SQL_OPT(job_receiving_beat, job_key, job_key,
        "UPDATE jobs SET heartbeat_at = :now WHERE id = :id AND status = 'receiving' RETURNING id")

enum err job_chunk_add(struct ctx *c, const struct chunk_in *chunk)
{
        struct job_key key;
        bool found;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_chunk_insert(c, chunk));
        TRY(job_receiving_beat(c, &(struct job_key){chunk->job_id}, &key, &found));
        if (!found)
                return fail(c, ERR_CONFLICT, "The upload was given up for lost.");
        return tx_commit(&tx);
}

SQL_OPT(job_queue_row, job, job_key,
        "UPDATE jobs SET status = 'queued', heartbeat_at = NULL, columns = :columns, total = :total, "
        "chunks = :chunks WHERE id = :id AND status = 'receiving' RETURNING id")

enum err job_queue(struct ctx *c, const struct job *job)
{
        struct job_key key;
        bool found;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_queue_row(c, job, &key, &found));
        if (!found)
                return fail(c, ERR_CONFLICT, "The upload was given up for lost.");
        return tx_commit(&tx);
}

SQL_EXEC(job_delete_chunks, job_key, "DELETE FROM job_chunks WHERE job_id = :id")
SQL_EXEC(job_delete_results, job_key, "DELETE FROM job_results WHERE job_id = :id")
SQL_EXEC(job_delete, job_key, "DELETE FROM jobs WHERE id = :id")

static enum err job_remove(struct ctx *c, struct uuid id)
{
        const struct job_key key = {id};

        TRY(job_delete_chunks(c, &key));
        TRY(job_delete_results(c, &key));
        return job_delete(c, &key);
}

enum err job_drop(struct ctx *c, struct uuid id)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_remove(c, id));
        return tx_commit(&tx);
}

/* ------------------------------------------------------------------ working on it */

/* History comes in one after the other, also where several servers work: refunds need their orders. */
SQL_OPT(job_claim_row, nothing, job,
        "UPDATE jobs SET status = CASE WHEN status = 'queued' THEN 'running' ELSE status END, attempt = attempt + 1, "
        "heartbeat_at = :now, started_at = coalesce(started_at, :now) WHERE id = (SELECT id FROM jobs WHERE "
        "status IN ('queued', 'running', 'canceling') AND (heartbeat_at IS NULL OR heartbeat_at < :now - " JOB_LEASE
        ") AND NOT (backfill AND EXISTS (SELECT 1 FROM jobs earlier WHERE earlier.backfill AND earlier.status IN "
        "('queued', 'running', 'canceling') AND (earlier.created_at, earlier.id) < (jobs.created_at, jobs.id))) "
        "ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING " JOB_COLUMNS)

enum err job_claim(struct ctx *c, struct job *ret, bool *ret_found)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_claim_row(c, &(struct nothing){0}, ret, ret_found));
        return tx_commit(&tx);
}

struct chunk_key {
        struct uuid job_id;
        int64_t chunk_no;
};
#define SHAPE_T struct chunk_key
SHAPE(chunk_key, "One chunk.", FIELD(job_id), FIELD(chunk_no));
#undef SHAPE_T

struct block {
        int64_t first_line, lines;
        struct bytes body;
};
#define SHAPE_T struct block
SHAPE(block, "A block of lines or results.", FIELD(first_line), FIELD(lines), FIELD(body));
#undef SHAPE_T

SQL_LATER(job_chunk_load, chunk_key, block,
          "SELECT first_line, lines, body FROM job_chunks WHERE job_id = :job_id AND chunk_no = :chunk_no")
SQL_LATER(job_results_load, chunk_key, block,
          "SELECT first_line, lines, body FROM job_results WHERE job_id = :job_id AND chunk_no = :chunk_no")

static int by_line(const void *a, const void *b)
{
        const struct line_result *x = a, *y = b;

        return (x->line > y->line) - (x->line < y->line);
}

static enum err broken(struct ctx *c)
{
        return fail(c, ERR_INTERNAL, "A stored chunk can't be read.");
}

static enum err results_of(struct ctx *c, const struct list *blocks, struct chunk *ret)
{
        const struct block *block = blocks->v;
        size_t most = 0;

        for (size_t i = 0; i < blocks->n; i++)
                most += (size_t)block[i].lines;
        ret->results = ARENA_ARRAY(c->arena, most, struct line_result);
        ret->result_count = 0;
        for (size_t i = 0; i < blocks->n; i++) {
                struct line_result *results;
                size_t n;
                if (!unpack_results(c->arena, (const char *)block[i].body.v, block[i].body.n,
                                    block[i].first_line, &results, &n) ||
                    n != (size_t)block[i].lines)
                        return broken(c);
                memcpy(ret->results + ret->result_count, results, n * sizeof *results);
                ret->result_count += n;
        }
        qsort(ret->results, ret->result_count, sizeof *ret->results, by_line);
        return ERR_OK;
}

enum err job_chunk(struct ctx *c, const struct job *job, int64_t chunk_no, struct chunk *ret)
{
        const struct chunk_key key = {job->id, chunk_no};
        struct list chunks = {0}, results = {0};

        TRY(job_chunk_load(c, &key, &chunks));
        TRY(job_results_load(c, &key, &results));
        TRY(db_flush(c));
        if (chunks.n != 1)
                return broken(c);
        const struct block *block = chunks.v;
        *ret = (struct chunk){.chunk_no = chunk_no,
                              .first_line = block->first_line,
                              .n = (size_t)block->lines,
                              .lines = ARENA_ARRAY(c->arena, (size_t)block->lines, struct staged_line)};
        if (!unpack_lines((const char *)block->body.v, block->body.n, block->first_line, ret->lines, ret->n))
                return broken(c);
        return results_of(c, &results, ret);
}

enum err job_chunk_results(struct ctx *c, const struct job *job, int64_t chunk_no, struct chunk *ret)
{
        const struct chunk_key key = {job->id, chunk_no};
        struct list results = {0};

        TRY(job_results_load(c, &key, &results));
        TRY(db_flush(c));
        *ret = (struct chunk){.chunk_no = chunk_no};
        return results_of(c, &results, ret);
}

struct results_in {
        struct uuid job_id;
        int64_t attempt, chunk_no, first_line, lines, failed;
        struct bytes body;
};
#define SHAPE_T struct results_in
SHAPE(results_in, "Results.", FIELD(job_id), FIELD(attempt), FIELD(chunk_no), FIELD(first_line), FIELD(lines),
      FIELD(failed), FIELD(body));
#undef SHAPE_T

struct job_state {
        unsigned status;
};
#define SHAPE_T struct job_state
SHAPE(job_state, "The state of a job.", FIELD(status, .names = &job_status_names));
#undef SHAPE_T

SQL_EXEC(job_results_insert, results_in,
         "INSERT INTO job_results (job_id, chunk_no, first_line, lines, failed, body) "
         "VALUES (:job_id, :chunk_no, :first_line, :lines, :failed, :body)")
SQL_OPT(job_count, results_in, job_state,
        "UPDATE jobs SET processed = processed + :lines, succeeded = succeeded + :lines - :failed, "
        "failed = failed + :failed, heartbeat_at = :now WHERE id = :job_id AND attempt = :attempt AND "
        "status IN ('running', 'canceling') RETURNING status")

static enum err mine_still(struct ctx *c, bool found)
{
        return found ? ERR_OK : fail(c, ERR_CONFLICT, "The job has another server now.");
}

enum err job_results_add(struct ctx *c, const struct job *job, int64_t chunk_no,
                         const struct line_result *results, size_t n, unsigned *ret_status)
{
        struct results_in in = {.job_id = job->id,
                                .attempt = job->attempt,
                                .chunk_no = chunk_no,
                                .first_line = results[0].line,
                                .lines = (int64_t)n};
        struct job_state state = {0};
        struct text body = {0};
        bool found;

        for (size_t i = 0; i < n; i++) {
                if (results[i].line < in.first_line)
                        in.first_line = results[i].line;
                in.failed += results[i].error != NULL;
        }
        for (size_t i = 0; i < n; i++)
                pack_result(&body, in.first_line, &results[i]);
        in.body = (struct bytes){(const uint8_t *)body.data, body.len};
        enum err err = job_results_insert(c, &in);
        text_free(&body);
        TRY(err);
        TRY(job_count(c, &in, &state, &found)); /* last: the row is locked until the commit */
        TRY(mine_still(c, found));
        *ret_status = state.status;
        return ERR_OK;
}

SQL_OPT(job_reset_row, job, job_key,
        "UPDATE jobs SET processed = 0, succeeded = 0, failed = 0, heartbeat_at = :now WHERE id = :id AND "
        "attempt = :attempt AND status IN ('running', 'canceling') RETURNING id")

enum err job_results_clear(struct ctx *c, const struct job *job)
{
        struct job_key key = {job->id};
        bool found;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_delete_results(c, &key));
        TRY(job_reset_row(c, job, &key, &found));
        TRY(mine_still(c, found));
        return tx_commit(&tx);
}

SQL_OPT(job_end_row, job, job_key,
        "UPDATE jobs SET status = :status, detail = :detail, heartbeat_at = NULL, completed_at = :now, "
        "expires_at = " JOB_EXPIRES "WHERE id = :id AND attempt = :attempt AND "
        "status IN ('running', 'canceling') RETURNING id")

enum err job_end(struct ctx *c, const struct job *job, unsigned status, const char *detail)
{
        struct job ended = *job;
        struct job_key key;
        bool found;
        TX(tx);

        ended.status = status;
        ended.detail = detail;
        TRY(tx_begin(c, &tx));
        TRY(job_end_row(c, &ended, &key, &found));
        TRY(mine_still(c, found));
        return tx_commit(&tx);
}

SQL_EXEC(job_release_row, job, "UPDATE jobs SET heartbeat_at = NULL WHERE id = :id AND attempt = :attempt")

enum err job_release(struct ctx *c, const struct job *job)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_release_row(c, job));
        return tx_commit(&tx);
}

/* ------------------------------------------------------------------ housekeeping */

SQL_OPT(job_expired, nothing, job_key,
        "SELECT id FROM jobs WHERE expires_at <= :now ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED")
SQL_OPT(job_abandoned, nothing, job_key,
        "SELECT id FROM jobs WHERE status = 'receiving' AND heartbeat_at < :now - " JOB_UPLOAD_LOST " "
        "ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED")

enum err jobs_expire(struct ctx *c, bool *ret_more)
{
        struct job_key key;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(job_expired(c, &(struct nothing){0}, &key, ret_more));
        if (!*ret_more)
                TRY(job_abandoned(c, &(struct nothing){0}, &key, ret_more));
        if (*ret_more)
                TRY(job_remove(c, key.id));
        return tx_commit(&tx);
}

SQL_EXEC(jobs_over_chunks, nothing,
         "DELETE FROM job_chunks WHERE job_id IN (SELECT id FROM jobs WHERE expires_at IS NOT NULL)")
SQL_EXEC(jobs_over_results, nothing,
         "DELETE FROM job_results WHERE job_id IN (SELECT id FROM jobs WHERE expires_at IS NOT NULL)")
SQL_EXEC(jobs_over, nothing, "DELETE FROM jobs WHERE expires_at IS NOT NULL")
SQL_EXEC(jobs_open_mark, nothing,
         "UPDATE jobs SET forgotten = true WHERE status IN ('receiving', 'queued', 'running', 'canceling') "
         "AND NOT forgotten")

enum err jobs_forget(struct ctx *c)
{
        const struct nothing nothing = {0};

        TRY(jobs_open_mark(c, &nothing)); /* before those that are over are looked for: none ends between */
        TRY(jobs_over_chunks(c, &nothing));
        TRY(jobs_over_results(c, &nothing));
        return jobs_over(c, &nothing);
}
