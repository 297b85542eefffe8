/* /v1/jobs */
#include "http/stream.h"

#include "base/clock.h"
#include "base/shape_json.h"
#include "db/db.h"
#include "resources/bulk.h"

/* How often a watched job is shown. */
#define WATCH_MS 500

#define JOB_PATH FIELD(job, .in = IN_PATH, .need = true, .doc = "Id of the job.")

struct jobs_query {
        SORT_QUERY;
        PAGE_QUERY;
        unsigned type, status;
};
#define SHAPE_T struct jobs_query
SHAPE(jobs_query, "Which page.", SORT_FIELD(job_sort_names, "-created_at"), PAGE_QUERY_FIELDS,
      FIELD(type, .in = IN_QUERY, .names = &bulk_type_names, .doc = "Only jobs of this type."),
      FIELD(status, .in = IN_QUERY, .names = &job_status_names, .doc = "Only jobs in this state."));
#undef SHAPE_T

struct jobs_page {
        PAGE_OF(struct job_view);
};
#define SHAPE_T struct jobs_page
SHAPE(jobs_page, "A page of jobs.", PAGE_FIELDS(job_view));
#undef SHAPE_T

ENDPOINT(job_list, GET, "/v1/jobs", jobs_query, 200, jobs_page, .summary = "List jobs",
         .scope = SCOPE_IMPORTS_READ, .errors = ERRS(ERR_BAD_CURSOR),
         .doc = "Newest first unless sort says otherwise.")
{
        struct job_page page = {in->type, in->status, PAGING(in, out)};
        struct page_rows rows;
        const char *filters = list_filters(c, &jobs_query_shape, in);

        TRY(sorted_begin(c, in->cursor, filters, &page.page));
        TRY(jobs_list(c, &page, &rows));
        struct job_view *views = ARENA_ARRAY(c->arena, rows.n, struct job_view);
        for (size_t i = 0; i < rows.n; i++)
                job_show(c, &((const struct job *)rows.v)[i], &views[i]);
        rows.v = views;
        SORTED_FILL(c, out, rows, filters);
        return ERR_OK;
}

struct job_query {
        struct uuid job;
        bool watch;
};
#define SHAPE_T struct job_query
SHAPE(job_query, "A job.", JOB_PATH,
      FIELD(watch, .in = IN_QUERY, .dflt = "false",
            .doc = "Stay, and answer its state again and again, one JSON object a line, until it is over."));
#undef SHAPE_T

/* Show the job, again and again until it is over. */
static enum err watch(struct ctx *c, struct job *job)
{
        struct text line = {0};
        enum err err = ERR_OK;

        stream_begin(c, NDJSON_TYPE);
        for (;;) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx own = *c;
                struct job_view view;
                own.arena = arena;
                job_show(&own, job, &view);
                text_clear(&line);
                shape_encode(&line, &job_view_shape, &view, /* masked= */ false);
                text_putc(&line, '\n');
                err = stream_write(c, line.data, line.len);
                if (err != ERR_OK || job_is_over(job))
                        break;
                err = stream_pause(c, WATCH_MS);
                c->now = clock_now();
                if (err == ERR_OK)
                        err = db_ready(c);
                struct uuid id = job->id;
                if (err == ERR_OK)
                        err = job_get(c, id, job);
                if (err != ERR_OK)
                        break;
        }
        text_free(&line);
        return err;
}

static const char *const watch_produces[] = {"application/json", NDJSON_TYPE, NULL};

ENDPOINT(job_get_one, GET, "/v1/jobs/{job}", job_query, 200, job_view, .lane = LANE_BULK, .streams = true,
         .produces = watch_produces, .line = &job_view_shape, .summary = "Get a job, or watch it",
         .scope = SCOPE_IMPORTS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        struct job job;

        TRY(job_get(c, in->job, &job));
        if (in->watch)
                return watch(c, &job);
        job_show(c, &job, out);
        return ERR_OK;
}

struct job_path {
        struct uuid job;
};
#define SHAPE_T struct job_path
SHAPE(job_path, "A job.", JOB_PATH);
#undef SHAPE_T

ENDPOINT(
        job_cancel_one, POST, "/v1/jobs/{job}/cancel", job_path, 200, job_view,
        .idempotency = IDEMPOTENCY_NATURAL, .summary = "Cancel a job", .scope = SCOPE_IMPORTS_WRITE,
        .errors = ERRS(ERR_NOT_FOUND, ERR_JOB_STATE),
        .doc = "It ends after the lines that are being worked on; what was applied stays. One that is atomic leaves nothing.")
{
        struct job job;

        TRY(job_cancel(c, in->job, &job));
        job_show(c, &job, out);
        return ERR_OK;
}

static const char *const result_produces[] = {NDJSON_TYPE, CSV_TYPE, NULL};

static enum err results(struct ctx *c, const struct job_path *in, bool errors_only)
{
        struct job job;

        TRY(job_get(c, in->job, &job));
        if (!job_is_over(&job)) {
                problem_string(c, "job_status", job_status_names.v[job.status]);
                return fail(c, ERR_JOB_UNFINISHED, "The job is %s.", job_status_names.v[job.status]);
        }
        return bulk_results_stream(c, &job, errors_only);
}

#define RESULTS_DOC                                                                                          \
        "NDJSON, or with Accept: text/csv the columns of the file and _status, _id, _error_code, "           \
        "_error_detail, which an import skips: mend the lines and send the file again."

ENDPOINT(job_results_get, GET, "/v1/jobs/{job}/results", job_path, 200, nothing, .lane = LANE_BULK,
         .streams = true, .produces = result_produces, .line = &bulk_result_shape,
         .summary = "Get the result of every line", .scope = SCOPE_IMPORTS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_JOB_UNFINISHED), .doc = RESULTS_DOC)
{
        (void)out;
        return results(c, in, /* errors_only= */ false);
}

ENDPOINT(job_errors_get, GET, "/v1/jobs/{job}/errors", job_path, 200, nothing, .lane = LANE_BULK,
         .streams = true, .produces = result_produces, .line = &bulk_result_shape,
         .summary = "Get the lines that failed", .scope = SCOPE_IMPORTS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_JOB_UNFINISHED), .doc = RESULTS_DOC)
{
        (void)out;
        return results(c, in, /* errors_only= */ true);
}

RESOURCE(jobs, "Jobs", "What takes longer than a request.", &job_list_endpoint, &job_get_one_endpoint,
         &job_cancel_one_endpoint, &job_results_get_endpoint, &job_errors_get_endpoint);
