/* Pure: CSV and the shapes. A column is a dotted path into the shape of a line: "name", "source.channel",
 * "lines.0.sku". A column may also name a list or a nested object as a whole; its cells are JSON then. An
 * empty cell is a value that is not there, a column without a name is one without cells. Times may be as
 * spreadsheets write them (csv_time.h).
 *
 * Spreadsheets run what begins with = + - or @. Such cells are written with an apostrophe in front, and
 * reading takes it away again. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"
#include "base/pick.h"
#include "base/shape.h"

/* Columns of one file: every field of our widest shape, and lists of dozens of items beside it. */
#define CSV_COLUMNS_MAX 1000
/* Highest index in a column's path: the shop's largest carts; longer lists come as JSON. */
#define CSV_INDEX_MAX 99

/* The column that results of a file of JSON have; with no other, a mended one comes in again. */
#define CSV_INPUT_COLUMN "input"

/* What results add; skipped when a mended file comes back with them. */
extern const char csv_result_columns[]; /* "_status,_id,_error_code,_error_detail" */

struct csv_column {
        const char *name;
        const struct field *field; /* NULL: skipped */
        bool whole;                /* the whole line as JSON */
        bool free;                 /* inside a JSON object of the shop's own: always a text */
};
struct csv_columns {
        struct csv_column *v;
        size_t n;
        const struct zone *zone; /* the shop's */
};

/* The cells of a record, apostrophes taken off. False: bytes behind a closing quote, or an unclosed one. */
bool csv_cells(struct arena *arena, const char *record, size_t len, struct texts *ret);

/* Find the fields of the columns. ERR_BAD_FILE names the unknown and the doubled ones. */
enum err csv_columns_find(struct ctx *c, const struct shape *shape, const struct texts *names,
                          struct csv_columns *ret) MUST_CHECK;

/* A record as the JSON that a caller of the API would have sent; the caller owns it. NULL: it has less or
 * more cells than there are columns (empty ones behind the last are none), or one whose column has no name.
 */
json_t *csv_to_json(const struct csv_columns *columns, const struct texts *cells);

/* Append one cell, quoted and escaped where needed. */
void csv_put_cell(struct text *out, const char *cell);

/* Append the names of the columns that csv_put_object writes, without a line break: of all, or of those that
 * were picked (as PICK_COLUMNS), in their order. */
void csv_put_names(struct text *out, const struct shape *shape, const struct picks *picks);

/* Append an object's cells; lists and JSON are JSON in a cell. */
void csv_put_object(struct text *out, const struct shape *shape, const struct picks *picks,
                    const void *object, bool masked);
