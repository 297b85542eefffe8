/* Jobs: what takes longer than a request. The row, its states, and who works on it.
 *
 * queued → running → complete, failed; canceling → canceled. A job belongs to the server that claimed it
 * last: each claim counts `attempt` up, and whatever a server writes for a job demands its own attempt, so
 * one that was thought dead and is not can't do harm. Several servers may claim at once (SKIP LOCKED). */
#pragma once

#include "base/ctx.h"
#include "base/page.h"
#include "base/shape.h"
#include "jobs/pack.h"

/* A server that was silent for so long has lost its job. */
#define JOB_LEASE "interval '30 seconds'"
/* Results can be fetched for so long after the end; the file's lines, which hold personal data, go with them.
 */
#define JOB_KEPT "interval '7 days'"
/* An upload that nobody heard of for so long did not come in. */
#define JOB_UPLOAD_LOST "interval '1 hour'"
/* A chunk of a file: so many lines, or bytes, make a row. */
#define CHUNK_LINES_MAX 1000
#define CHUNK_BYTES_MAX ((size_t)512 * 1024)

enum job_status {
        JOB_NONE,
        JOB_RECEIVING, /* the file comes in: not shown yet */
        JOB_QUEUED,
        JOB_RUNNING,
        JOB_CANCELING,
        JOB_CANCELED,
        JOB_COMPLETE,
        JOB_FAILED,
};
enum job_mode { JOB_INDEPENDENT = 1, JOB_ATOMIC };
extern const struct names job_status_names, job_mode_names, file_format_names;

struct job {
        struct uuid id;
        unsigned type;                 /* bulk_type_names */
        unsigned status, mode, format; /* format: enum file_format */
        bool dry_run, backfill;
        struct texts columns; /* of a CSV header */
        const char *key_id;
        int64_t total, chunks, processed, succeeded, failed;
        const char *detail;
        int64_t attempt;
        struct instant created_at, started_at, completed_at, expires_at;
        bool heavy; /* not stored: what work_survey found */
};
SHAPE_DECLARE(job);

/* A job as it is shown. */
struct job_view {
        struct uuid id;
        unsigned type, status, mode;
        bool dry_run, backfill;
        int64_t total, processed, succeeded, failed, progress;
        struct opt_int rows_per_second, eta_seconds;
        const char *detail, *errors_url, *result_url;
        struct instant created_at, started_at, completed_at, expires_at;
};
SHAPE_DECLARE(job_view);
void job_show(struct ctx *c, const struct job *job, struct job_view *ret);

static inline bool job_is_over(const struct job *job)
{
        return job->status >= JOB_CANCELED;
}

/* ERR_NOT_FOUND. */
enum err job_get(struct ctx *c, struct uuid id, struct job *ret) MUST_CHECK;

/* A page in one of these orders. */
extern const struct names job_sort_names;
struct job_page {
        unsigned type, status; /* 0: any */
        struct paging page;
};
enum err jobs_list(struct ctx *c, const struct job_page *page, struct page_rows *ret) MUST_CHECK;

/* Ask a job to stop; what it has done stays done. ERR_NOT_FOUND, ERR_JOB_STATE. In a transaction. */
enum err job_cancel(struct ctx *c, struct uuid id, struct job *ret) MUST_CHECK;

/* ---- while the file comes in */

enum err job_create(struct ctx *c, const struct job *job) MUST_CHECK;
struct chunk_in {
        struct uuid job_id;
        int64_t chunk_no, first_line, lines;
        struct bytes body;
};
/* Store a chunk, in a transaction of its own. ERR_CONFLICT: the job was given up. */
enum err job_chunk_add(struct ctx *c, const struct chunk_in *chunk) MUST_CHECK;
/* The file is whole: others may take the job. */
enum err job_queue(struct ctx *c, const struct job *job) MUST_CHECK;
/* The file did not come in: nothing is left of it. */
enum err job_drop(struct ctx *c, struct uuid id) MUST_CHECK;

/* ---- working on it */

/* Take the oldest job that waits, or whose server is silent. */
enum err job_claim(struct ctx *c, struct job *ret, bool *ret_found) MUST_CHECK;

/* A chunk with what was done of it already. */
struct chunk {
        int64_t chunk_no, first_line;
        struct staged_line *lines;
        size_t n;
        struct line_result *results; /* ascending by line */
        size_t result_count;
};
enum err job_chunk(struct ctx *c, const struct job *job, int64_t chunk_no, struct chunk *ret) MUST_CHECK;
/* The results alone. */
enum err job_chunk_results(struct ctx *c, const struct job *job, int64_t chunk_no,
                           struct chunk *ret) MUST_CHECK;

/* Write the results of lines of a chunk, and count them; in the transaction of their effects. ERR_CONFLICT:
 * the job has another server now. *ret_status is JOB_CANCELING when somebody wants it to end. */
enum err job_results_add(struct ctx *c, const struct job *job, int64_t chunk_no,
                         const struct line_result *results, size_t n, unsigned *ret_status) MUST_CHECK;

/* Forget all results: a job in one transaction begins anew. */
enum err job_results_clear(struct ctx *c, const struct job *job) MUST_CHECK;

/* The end: status is JOB_COMPLETE, JOB_FAILED (with detail) or JOB_CANCELED. */
enum err job_end(struct ctx *c, const struct job *job, unsigned status, const char *detail) MUST_CHECK;

/* Give it back, for whoever takes it next. */
enum err job_release(struct ctx *c, const struct job *job) MUST_CHECK;

/* ---- housekeeping */

/* Remove one job whose time is over, or whose file never came in whole; *ret_more: there may be others. */
enum err jobs_expire(struct ctx *c, bool *ret_more) MUST_CHECK;

/* Remove every job that is over, lines and results: personal data stands in them; those that are not go as
 * soon as they end. In a transaction, and last in it: the rows of open jobs stay locked. */
enum err jobs_forget(struct ctx *c) MUST_CHECK;
