/* Staged lines into what the domain takes. */
#pragma once

#include "jobs/csv.h"
#include "jobs/jobs.h"
#include "jobs/types.h"

/* Decode a line of the job's file; c gives arena, clock and shop, ret gets a context of its own in that
 * arena. A line that can't be read has its err set, object NULL. */
void line_read(struct ctx *c, const struct job *job, const struct csv_columns *columns,
               const struct staged_line *staged, struct bulk_line *ret);

/* The same for JSON that was parsed already. */
void line_decode(struct ctx *c, const struct bulk_type *type, const json_t *json, struct bulk_line *ret);

/* Where a line is the result of an earlier try ({"line":2,"status":422,"error":{},"input":{}}), it is its
 * input: so results are mended and sent again. */
void line_of_result(const struct shape *shape, json_t **json);

/* What became of a line, for storing and showing; texts are c's arena's. */
void line_outcome(struct ctx *c, const struct bulk_line *line, struct line_result *ret);

/* {"line":1,"status":201,"id":"...","external_id":"A1"} with error and input where they are known: input is
 * JSON text, or NULL. */
void result_write(struct text *out, const struct line_result *result, const char *input);
