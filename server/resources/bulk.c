#include "resources/bulk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "db/db.h"
#include "http/stream.h"
#include "jobs/csv.h"
#include "jobs/read.h"
#include "jobs/split.h"

/* How often a running job is looked at for further results. */
#define LOOK_MS 100

#define SHAPE_T struct bulk_result
SHAPE(bulk_result, "What became of one line.",
      FIELD(line, .min = 1, .doc = "From 1; a CSV header is not a line."),
      FIELD(status,
            .doc = "201 created, 200 known or changed, 202 waits for approval, else that of the error."),
      FIELD(id), FIELD(external_id), FIELD(error, .doc = "A problem, as a single call would have got it."),
      FIELD(input, .doc = "The line, when it failed; {\"text\":...} where it can't be read."));
#undef SHAPE_T

enum err bulk_allowed(struct ctx *c, uint64_t scope)
{
        if ((c->principal->scopes & (scope | SCOPE_ADMIN)) != 0)
                return ERR_OK;
        const char *name = scope_infos[__builtin_ctzll(scope)].name;
        problem_string(c, "scope", name);
        return fail(c, ERR_FORBIDDEN, "The key lacks the scope %s.", name);
}

const char *bulk_job_path(struct ctx *c, const struct job *job)
{
        char id[UUID_TEXT_SIZE];

        uuid_to_text(job->id, id);
        return arena_printf(c->arena, "/v1/jobs/%s", id);
}

/* ------------------------------------------------------------------ one result */

struct results {
        const struct job *job;
        struct csv_columns columns;
        bool errors_only, csv, inputs;
        struct text out;
};

static void put_dump(struct text *out, const json_t *json)
{
        char *dump = json_dumps(json, JSON_COMPACT);

        text_puts(out, dump != NULL ? dump : "null");
        free(dump);
}

/* A line of JSON as it came; of an earlier result its input, which is another text. False: it is no object.
 */
static bool put_object(const struct results *r, const struct staged_line *line, struct text *out)
{
        if (json_too_deep(line->data, line->len))
                return false;
        json_t *came = json_loadb(line->data, line->len, 0, NULL), *meant = came;
        bool object = json_is_object(came);
        if (object)
                line_of_result(bulk_type_shape(bulk_type(r->job->type)), &meant);
        if (object && meant == came)
                text_append(out, line->data, line->len);
        else if (object)
                put_dump(out, meant);
        json_decref(meant);
        return object;
}

/* The line as JSON: what was meant where it can be read, else {"text":...}. */
static void input_json(struct ctx *c, const struct results *r, const struct staged_line *line,
                       struct text *out)
{
        struct texts cells;
        json_t *json = NULL;

        if (r->job->format == FILE_NDJSON && put_object(r, line, out))
                return;
        if (r->job->format == FILE_CSV && csv_cells(c->arena, line->data, line->len, &cells))
                json = csv_to_json(&r->columns, &cells);
        if (json == NULL)
                json = json_pack("{s:s}", "text", line->data);
        put_dump(out, json);
        json_decref(json);
}

static void put_ndjson(struct ctx *c, struct results *r, const struct line_result *result,
                       const struct staged_line *line)
{
        struct text input = {0};

        if (r->inputs && result->error != NULL && line != NULL)
                input_json(c, r, line, &input);
        result_write(&r->out, result, input.data);
        text_putc(&r->out, '\n');
        text_free(&input);
}

/* All that a problem says, in one cell. */
static void put_detail(struct text *out, int64_t line, const json_t *problem)
{
        size_t i;
        json_t *fault;
        struct text cell = {0};
        const json_t *faults = json_object_get(problem, "errors");

        text_printf(&cell, "Line %" PRId64 ": %s", line,
                    json_string_value(json_object_get(problem, "detail")));
        json_array_foreach(faults, i, fault)
                text_printf(&cell, " %s: %s;", json_string_value(json_object_get(fault, "pointer")),
                            json_string_value(json_object_get(fault, "detail")));
        csv_put_cell(out, cell.data);
        text_free(&cell);
}

/* Results of an earlier try, and what has no name. */
static bool is_left_out(const struct csv_column *column)
{
        return column->field == NULL && !column->whole;
}

static void put_csv_cells(struct ctx *c, struct results *r, const struct staged_line *line)
{
        struct texts cells = {0};
        size_t columns = r->job->format == FILE_CSV ? r->job->columns.n : 1;

        if (!r->inputs || line == NULL)
                cells.n = 0;
        else if (r->job->format == FILE_NDJSON) /* mended, it comes in again under that name */
                cells = (struct texts){(const char **)(uintptr_t)&line->data, 1};
        else if (!csv_cells(c->arena, line->data, line->len, &cells))
                cells.n = 0;
        for (size_t i = 0; i < columns; i++) {
                if (r->job->format == FILE_CSV && is_left_out(&r->columns.v[i]))
                        continue;
                if (i < cells.n)
                        csv_put_cell(&r->out, cells.v[i]);
                text_putc(&r->out, ',');
        }
}

static void put_csv(struct ctx *c, struct results *r, const struct line_result *result,
                    const struct staged_line *line)
{
        char id[UUID_TEXT_SIZE] = "";
        static const char prefix[] = "/problems/";

        put_csv_cells(c, r, line);
        if (uuid_known(result->id))
                uuid_to_text(result->id, id);
        text_printf(&r->out, "%d,%s,", result->status, id);
        json_t *problem = result->error != NULL ? json_loads(result->error, 0, NULL) : NULL;
        if (problem != NULL) {
                text_puts(&r->out, json_string_value(json_object_get(problem, "type")) + strlen(prefix));
                text_putc(&r->out, ',');
                put_detail(&r->out, result->line, problem);
                json_decref(problem);
        } else {
                text_putc(&r->out, ',');
        }
        text_puts(&r->out, "\r\n");
}

static void put_csv_header(struct results *r)
{
        if (r->job->format == FILE_NDJSON)
                text_puts(&r->out, CSV_INPUT_COLUMN ",");
        for (size_t i = 0; i < r->columns.n; i++) {
                if (is_left_out(&r->columns.v[i]))
                        continue;
                csv_put_cell(&r->out, r->columns.v[i].name);
                text_putc(&r->out, ',');
        }
        text_printf(&r->out, "%s\r\n", csv_result_columns);
}

/* ------------------------------------------------------------------ all of them */

/* In a job that was atomic and failed, nothing of a good line was kept. */
static void not_applied(struct ctx *c, const struct job *job, struct line_result *result)
{
        struct ctx own = {.arena = c->arena};
        struct text problem = {0};

        if (job->mode != JOB_ATOMIC || job->status == JOB_COMPLETE || result->error != NULL)
                return;
        (void)!fail(&own, ERR_NOT_APPLIED, "Other lines of the file failed.");
        problem_write(&own, /* instance= */ NULL, &problem);
        result->status = err_info(ERR_NOT_APPLIED)->status;
        result->error = arena_strndup(c->arena, problem.data, problem.len);
        result->id = (struct uuid){0};
        text_free(&problem);
}

static const struct staged_line *line_of(const struct chunk *chunk, int64_t line, size_t *at)
{
        while (*at < chunk->n && chunk->lines[*at].line < line)
                (*at)++;
        return *at < chunk->n && chunk->lines[*at].line == line ? &chunk->lines[*at] : NULL;
}

static enum err chunk_stream(struct ctx *c, struct results *r, const struct chunk *chunk)
{
        size_t at = 0;

        for (size_t i = 0; i < chunk->result_count; i++) {
                struct line_result *result = &chunk->results[i];
                const struct staged_line *line = line_of(chunk, result->line, &at);
                bool failed = result->error != NULL;
                if (r->errors_only && !failed)
                        continue;
                not_applied(c, r->job, result);
                if (r->csv)
                        put_csv(c, r, result, line);
                else
                        put_ndjson(c, r, result, line);
        }
        if (r->out.len == 0)
                return ERR_OK;
        enum err err = stream_write(c, r->out.data, r->out.len);
        text_clear(&r->out);
        return err;
}

/* Load a chunk when it is done, or the job is over: *ret_gone when the job is not there any more. */
static enum err chunk_await(struct ctx *c, struct ctx *own, struct job *job, int64_t chunk_no,
                            struct chunk *ret)
{
        for (;;) {
                bool over = job_is_over(job);
                TRY(db_ready(own));
                TRY(job_chunk(own, job, chunk_no, ret));
                if (over || (ret->result_count == ret->n && job->mode == JOB_INDEPENDENT))
                        return ERR_OK;
                TRY(stream_pause(c, LOOK_MS));
                TRY(db_ready(c));
                struct uuid id = job->id;
                TRY(job_get(c, id, job));
        }
}

static enum err chunks_stream(struct ctx *c, struct results *r, struct job *job)
{
        for (int64_t i = 0; i < job->chunks; i++) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx own = *c;
                struct chunk chunk;

                own.arena = arena;
                own.problem = (struct problem){0};
                enum err err = chunk_await(c, &own, job, i, &chunk);
                struct arena *kept = c->arena;
                c->arena = arena;
                if (err == ERR_OK)
                        err = chunk_stream(c, r, &chunk);
                c->arena = kept;
                problem_reset(&own);
                if (err != ERR_OK)
                        return err;
        }
        return ERR_OK;
}

enum err bulk_results_stream(struct ctx *c, const struct job *job, bool errors_only)
{
        struct job current = *job;
        struct results r = {
                .job = &current,
                .errors_only = errors_only,
                .csv = bulk_wants_csv(c),
                .inputs = c->principal->pii ||
                          (job->key_id != NULL && strcmp(job->key_id, c->principal->key_id) == 0),
        };

        if (job->columns.n > 0)
                TRY(csv_columns_find(c, bulk_type_shape(bulk_type(job->type)), &job->columns, &r.columns));
        stream_begin(c, r.csv ? CSV_TYPE_SENT : NDJSON_TYPE);
        if (r.csv)
                put_csv_header(&r);
        enum err err = chunks_stream(c, &r, &current);
        if (err == ERR_OK && r.out.len > 0)
                err = stream_write(c, r.out.data, r.out.len);
        text_free(&r.out);
        return err;
}
