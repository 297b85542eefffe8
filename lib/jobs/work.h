/* Applying a job, chunk by chunk. Whoever runs it (the server's runner) brings the threads and the
 * connections. */
#pragma once

#include "jobs/read.h"

/* The lines of one chunk that are still to do, in parts that may be applied at the same time (strands.h). */
#define WORK_PARTS_MAX 16
struct work_chunk {
        int64_t chunk_no;
        struct bulk_line *lines;
        struct {
                struct bulk_line **v;
                size_t n;
        } parts[WORK_PARTS_MAX];
};

/* The columns of the job's file; none for NDJSON. */
enum err work_columns(struct ctx *c, const struct job *job, struct csv_columns *ret) MUST_CHECK;

/* What must be known of all lines before the first one is applied: sets job->heavy. */
enum err work_survey(struct ctx *c, struct job *job) MUST_CHECK;

/* Load a chunk and decode what is not done of it; all memory is c's arena's but for the problems of its lines
 * (work_chunk_free). */
enum err work_load(struct ctx *c, const struct job *job, const struct csv_columns *columns, int64_t chunk_no,
                   size_t parts, struct work_chunk *ret) MUST_CHECK;
void work_chunk_free(struct work_chunk *chunk, size_t parts);

/* Lines of one part that follow each other: at least one, at most batch_max. */
struct work_slice {
        const struct work_chunk *chunk;
        size_t part, from, n;
};

/* Apply them: effects, results and progress in one transaction. ERR_CONFLICT: the job is another server's.
 * *ret_status as of job_results_add. */
enum err work_slice_do(struct ctx *c, const struct job *job, const struct work_slice *slice,
                       unsigned *ret_status) MUST_CHECK;

/* Apply a job that is atomic or a dry run: all of it in one transaction of c, results and progress through
 * `control`, another connection. Sets the end of the job. */
enum err work_whole(struct ctx *c, struct ctx *control, const struct job *job,
                    struct instant (*now)(void)) MUST_CHECK;

/* Must the job be applied by work_whole? */
static inline bool work_is_whole(const struct job *job)
{
        return job->dry_run || job->mode == JOB_ATOMIC;
}
