#include "jobs/work.h"

#include <assert.h>
#include <inttypes.h>

#include "db/db.h"
#include "jobs/apply.h"

enum err work_columns(struct ctx *c, const struct job *job, struct csv_columns *ret)
{
        *ret = (struct csv_columns){0};
        if (job->columns.n == 0)
                return ERR_OK;
        return csv_columns_find(c, bulk_type_shape(bulk_type(job->type)), &job->columns, ret);
}

static bool is_done(const struct chunk *chunk, int64_t line, size_t *at)
{
        while (*at < chunk->result_count && chunk->results[*at].line < line)
                (*at)++;
        return *at < chunk->result_count && chunk->results[*at].line == line;
}

static enum err lines_meet(struct ctx *c, const struct bulk_type *type, struct bulk_line *lines, size_t n)
{
        struct bulk_line **readable = ARENA_ARRAY(c->arena, n, struct bulk_line *);
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                if (lines[i].object != NULL)
                        readable[count++] = &lines[i];
        return type->meet != NULL && count > 0 ? type->meet(c, readable, count) : ERR_OK;
}

static void lines_spread(struct arena *arena, const struct bulk_type *type, struct work_chunk *chunk,
                         size_t n, size_t parts)
{
        struct strand_names *names = ARENA_ARRAY(arena, n, struct strand_names);
        size_t *part_of = ARENA_ARRAY(arena, n, size_t);

        for (size_t i = 0; i < n; i++)
                if (chunk->lines[i].object != NULL)
                        names[i].n = type->names(chunk->lines[i].object, names[i].v);
        strands_of(arena, names, n, parts, part_of);
        for (size_t i = 0; i < n; i++) {
                assert(part_of[i] < parts);
                chunk->parts[part_of[i]].v[chunk->parts[part_of[i]].n++] = &chunk->lines[i];
        }
}

enum err work_load(struct ctx *c, const struct job *job, const struct csv_columns *columns, int64_t chunk_no,
                   size_t parts, struct work_chunk *ret)
{
        const struct bulk_type *type = bulk_type(job->type);
        struct chunk chunk;
        size_t at = 0, n = 0;

        assert(parts > 0 && parts <= WORK_PARTS_MAX);
        TRY(job_chunk(c, job, chunk_no, &chunk));
        *ret = (struct work_chunk){.chunk_no = chunk_no,
                                   .lines = ARENA_ARRAY(c->arena, chunk.n, struct bulk_line)};
        for (size_t i = 0; i < parts; i++)
                ret->parts[i].v = ARENA_ARRAY(c->arena, chunk.n, struct bulk_line *);
        for (size_t i = 0; i < chunk.n; i++)
                if (!is_done(&chunk, chunk.lines[i].line, &at))
                        line_read(c, job, columns, &chunk.lines[i], &ret->lines[n++]);
        enum err err = lines_meet(c, type, ret->lines, n);
        lines_spread(c->arena, type, ret, n, parts);
        if (err != ERR_OK)
                work_chunk_free(ret, parts);
        return err;
}

void work_chunk_free(struct work_chunk *chunk, size_t parts)
{
        for (size_t i = 0; i < parts; i++)
                for (size_t k = 0; k < chunk->parts[i].n; k++)
                        problem_reset(&chunk->parts[i].v[k]->c);
}

static struct bulk_options options_of(const struct job *job)
{
        return (struct bulk_options){
                .backfill = job->backfill, .from_file = true, .heavy = job->heavy, .job_id = job->id};
}

/* Apply what could be read of these lines, and say what became of each. In a transaction. */
static enum err lines_do(struct ctx *c, const struct job *job, const struct bulk_options *options,
                         struct bulk_line **lines, size_t n, struct line_result **ret)
{
        struct bulk_line **readable = ARENA_ARRAY(c->arena, n, struct bulk_line *);
        struct line_result *results = ARENA_ARRAY(c->arena, n, struct line_result);
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                lines[i]->c.arena = c->arena; /* the chunk's is shared by all hands */
                if (lines[i]->object != NULL)
                        readable[count++] = lines[i];
        }
        TRY(lines_apply(c, bulk_type(job->type), options, readable, count));
        for (size_t i = 0; i < n; i++)
                line_outcome(c, lines[i], &results[i]);
        *ret = results;
        return ERR_OK;
}

enum err work_survey(struct ctx *c, struct job *job)
{
        const struct bulk_type *type = bulk_type(job->type);
        struct csv_columns columns;
        int64_t sum = 0;

        if (type->weight == NULL)
                return ERR_OK;
        TRY(work_columns(c, job, &columns));
        for (int64_t chunk_no = 0; chunk_no < job->chunks; chunk_no++) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx own = *c;
                struct chunk chunk;
                own.arena = arena;
                TRY(job_chunk(&own, job, chunk_no, &chunk));
                for (size_t i = 0; i < chunk.n; i++) {
                        struct bulk_line line;
                        line_read(&own, job, &columns, &chunk.lines[i], &line);
                        if (line.object != NULL)
                                sum += type->weight(line.object);
                        problem_reset(&line.c);
                }
        }
        job->heavy = type->heavy(sum);
        return ERR_OK;
}

struct slice_work {
        const struct job *job;
        const struct work_slice *slice;
        int tries;
        unsigned status;
};

static enum err slice_once(struct ctx *c, void *arg)
{
        struct slice_work *work = arg;
        const struct work_slice *slice = work->slice;
        struct bulk_line **lines = slice->chunk->parts[slice->part].v + slice->from;
        struct bulk_options options = options_of(work->job);
        struct line_result *results;
        TX(tx);

        options.again = ++work->tries < DB_ATTEMPTS_MAX; /* at last the line that loses fails alone */
        TRY(db_ready(c));
        TRY(tx_begin(c, &tx));
        TRY(lines_do(c, work->job, &options, lines, slice->n, &results));
        TRY(job_results_add(c, work->job, slice->chunk->chunk_no, results, slice->n, &work->status));
        return tx_commit(&tx);
}

enum err work_slice_do(struct ctx *c, const struct job *job, const struct work_slice *slice,
                       unsigned *ret_status)
{
        struct slice_work work = {.job = job, .slice = slice, .status = JOB_RUNNING};

        assert(slice->n > 0 && slice->from + slice->n <= slice->chunk->parts[slice->part].n);
        TRY(db_run(c, slice_once, &work));
        *ret_status = work.status;
        return ERR_OK;
}

/* ------------------------------------------------------------------ all or nothing */

struct whole {
        struct ctx *c, *control;
        const struct job *job;
        struct csv_columns columns;
        int64_t failed;
        bool canceled;
};

static enum err whole_results(struct ctx *control, const struct whole *w, int64_t chunk_no,
                              const struct line_result *results, size_t n, unsigned *ret_status)
{
        TX(tx);

        TRY(tx_begin(control, &tx));
        TRY(job_results_add(control, w->job, chunk_no, results, n, ret_status));
        return tx_commit(&tx);
}

static enum err whole_chunk(struct whole *w, int64_t chunk_no, struct instant now)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx c = *w->c, control = *w->control;
        struct work_chunk chunk;
        const struct bulk_options options = options_of(w->job);
        struct line_result *results;
        unsigned status = JOB_RUNNING;

        c.arena = control.arena = arena;
        control.now = now;
        enum err err = work_load(&control, w->job, &w->columns, chunk_no, /* parts= */ 1, &chunk);
        if (err == ERR_OK && chunk.parts[0].n > 0) {
                err = lines_do(&c, w->job, &options, chunk.parts[0].v, chunk.parts[0].n, &results);
                for (size_t i = 0; err == ERR_OK && i < chunk.parts[0].n; i++)
                        w->failed += results[i].error != NULL;
                if (err == ERR_OK)
                        err = whole_results(&control, w, chunk_no, results, chunk.parts[0].n, &status);
                w->canceled = err == ERR_OK && status == JOB_CANCELING;
                work_chunk_free(&chunk, 1);
        }
        if (err == ERR_OK)
                return ERR_OK;
        const char *detail = c.problem.detail != NULL ? c.problem.detail : control.problem.detail;
        err = fail(w->control, err, "%s", detail != NULL ? detail : "");
        problem_reset(&c);
        problem_reset(&control);
        return err;
}

enum err work_whole(struct ctx *c, struct ctx *control, const struct job *job, struct instant (*now)(void))
{
        struct whole w = {.c = c, .control = control, .job = job};
        TX(tx);

        TRY(work_columns(control, job, &w.columns));
        TRY(job_results_clear(control, job));
        TRY(tx_begin(c, &tx));
        for (int64_t i = 0; i < job->chunks && !w.canceled; i++)
                TRY(whole_chunk(&w, i, now()));
        control->now = now();
        if (w.canceled)
                return job_end(control, job, JOB_CANCELED, NULL);
        if (job->mode == JOB_ATOMIC && w.failed > 0)
                return job_end(control, job, JOB_FAILED,
                               arena_printf(control->arena,
                                            "%" PRId64 " lines failed, so nothing of the file was kept.",
                                            w.failed));
        if (job->dry_run)
                return job_end(control, job, JOB_COMPLETE, NULL);
        TRY(job_end(c, job, JOB_COMPLETE, NULL)); /* with everything, or not at all */
        return tx_commit(&tx);
}
