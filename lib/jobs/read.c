#include "jobs/read.h"

#include "base/shape_json.h"
#include "jobs/split.h"

static void unreadable(struct bulk_line *line, const char *why)
{
        line->err = fail(&line->c, ERR_BAD_LINE, "%s", why);
}

static void line_start(struct ctx *c, struct bulk_line *ret)
{
        *ret = (struct bulk_line){
                .c = {.arena = c->arena, .now = c->now, .shop = c->shop, .principal = c->principal}};
}

void line_decode(struct ctx *c, const struct bulk_type *type, const json_t *json, struct bulk_line *ret)
{
        const struct shape *shape = bulk_type_shape(type);
        void *object = arena_alloc(c->arena, shape->size);

        line_start(c, ret);
        shape_decode(&ret->c, shape, json, object);
        ret->err = problem_check(&ret->c);
        if (ret->err == ERR_OK)
                ret->object = object;
}

void line_of_result(const struct shape *shape, json_t **json)
{
        json_t *input = json_object_get(*json, CSV_INPUT_COLUMN);

        if (!json_is_object(input) || json_object_get(*json, "status") == NULL ||
            shape_field(shape, CSV_INPUT_COLUMN, strlen(CSV_INPUT_COLUMN)) != NULL)
                return;
        json_incref(input);
        json_decref(*json);
        *json = input;
}

static json_t *csv_line_json(struct ctx *c, const struct csv_columns *columns,
                             const struct staged_line *staged, struct bulk_line *ret)
{
        struct texts cells;

        if (!csv_cells(c->arena, staged->data, staged->len, &cells)) {
                unreadable(ret, "There are bytes behind a closing quote.");
                return NULL;
        }
        json_t *json = csv_to_json(columns, &cells);
        if (json == NULL && cells.n == columns->n)
                unreadable(ret, "A cell of the line stands in a column without a name.");
        else if (json == NULL)
                ret->err = fail(&ret->c, ERR_BAD_LINE, "The line has %zu cells, the header %zu.", cells.n,
                                columns->n);
        return json;
}

void line_read(struct ctx *c, const struct job *job, const struct csv_columns *columns,
               const struct staged_line *staged, struct bulk_line *ret)
{
        json_t *json = NULL;

        line_start(c, ret);
        if (staged->fault == LINE_TOO_LONG)
                unreadable(ret, "The line is longer than 1 MiB.");
        else if (staged->fault != LINE_SOUND)
                unreadable(ret, "The line is no text: it holds a NUL, or is not in the charset that was sent "
                                "(utf-8 where none was; Chinese spreadsheets may write gb18030).");
        else if (job->format == FILE_CSV)
                json = csv_line_json(c, columns, staged, ret);
        else
                ret->err = json_parse_line(&ret->c, staged->data, staged->len, &json);
        if (json != NULL) {
                line_of_result(bulk_type_shape(bulk_type(job->type)), &json);
                line_decode(c, bulk_type(job->type), json, ret);
                json_decref(json);
        }
        ret->line = staged->line;
}

/* ------------------------------------------------------------------ results */

void line_outcome(struct ctx *c, const struct bulk_line *line, struct line_result *ret)
{
        struct text problem = {0};

        *ret = (struct line_result){
                .line = line->line, .status = line->status, .id = line->id, .external_id = line->external_id};
        if (line->err == ERR_OK)
                return;
        problem_write(&line->c, /* instance= */ NULL, &problem);
        *ret = (struct line_result){.line = line->line,
                                    .status = err_info(line->err)->status,
                                    .error = arena_strndup(c->arena, problem.data, problem.len)};
        text_free(&problem);
}

void result_write(struct text *out, const struct line_result *result, const char *input)
{
        char id[UUID_TEXT_SIZE];

        text_puts(out, "{\"line\":");
        text_put_int(out, result->line);
        text_puts(out, ",\"status\":");
        text_put_int(out, result->status);
        if (uuid_known(result->id)) {
                uuid_to_text(result->id, id);
                text_printf(out, ",\"id\":\"%s\"", id);
        }
        if (result->external_id != NULL) {
                text_puts(out, ",\"external_id\":");
                text_put_json(out, result->external_id);
        }
        if (result->error != NULL) {
                text_puts(out, ",\"error\":");
                text_puts(out, result->error);
        }
        if (input != NULL) {
                text_puts(out, ",\"input\":");
                text_puts(out, input);
        }
        text_putc(out, '}');
}
