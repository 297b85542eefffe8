#include "jobs/csv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/json.h"
#include "base/shape_json.h"
#include "jobs/csv_time.h"

const char csv_result_columns[] = "_status,_id,_error_code,_error_detail";

/* What a spreadsheet would run as a formula. */
static bool is_formula(const char *cell)
{
        return *cell != '\0' && strchr("=+-@\t\r", *cell) != NULL;
}

/* A cell that is_formula after any number of apostrophes: escaping adds one, reading takes one away. */
static bool is_escapable(const char *cell)
{
        return is_formula(cell + strspn(cell, "'"));
}

/* ------------------------------------------------------------------ reading */

static size_t cells_most(const char *record, size_t len)
{
        size_t n = 1;

        for (size_t i = 0; i < len; i++)
                n += record[i] == ',';
        return n;
}

bool csv_cells(struct arena *arena, const char *record, size_t len, struct texts *ret)
{
        struct texts cells = {ARENA_ARRAY(arena, cells_most(record, len), const char *), 0};
        char *out = arena_alloc(arena, len + 2); /* no cell grows, and each comma makes room for a NUL */
        const char *end = record + len;

        for (;;) {
                char *cell = out;
                if (record < end && *record == '"') {
                        for (record++;
                             record < end && (*record != '"' || (record + 1 < end && record[1] == '"'));
                             record++) {
                                if (*record == '\r' && record + 1 < end && record[1] == '\n')
                                        continue; /* a line break within a cell is "\n" */
                                *out++ = *record;
                                record += *record == '"';
                        }
                        if (record == end || (++record < end && *record != ','))
                                return false;
                } else {
                        while (record < end && *record != ',')
                                *out++ = *record++;
                }
                *out++ = '\0';
                cells.v[cells.n++] = *cell == '\'' && is_escapable(cell) ? cell + 1 : cell;
                if (record == end)
                        break;
                record++;
        }
        *ret = cells;
        return true;
}

/* ------------------------------------------------------------------ columns */

static bool is_index(const char *part, size_t len)
{
        return len > 0 && len <= 2 && strspn(part, "0123456789") >= len && (len == 1 || part[0] != '0');
}

_Static_assert(CSV_INDEX_MAX == 99, "two digits");

/* Follow a column's name through the shapes. */
static bool column_find(const struct shape *shape, const char *name, struct csv_column *ret)
{
        const char *rest = name;

        *ret = (struct csv_column){.name = name};
        if (strlen(name) > TEXT_MAX_DEFAULT)
                return false;
        for (;;) {
                size_t len = strcspn(rest, ".");
                const struct field *field = shape_field(shape, rest, len);
                if (field == NULL || field->in != IN_BODY || field->wire == WIRE_PRESENCE)
                        return false;
                ret->field = field;
                if (rest[len] == '\0')
                        return true;
                rest += len + 1;
                if (field->wire == WIRE_JSON) {
                        ret->free = true;
                        return *rest != '\0' && *rest != '.' && rest[strlen(rest) - 1] != '.' &&
                               strstr(rest, "..") == NULL;
                }
                if (field->of == NULL)
                        return false;
                shape = field->of;
                if (field->wire != WIRE_LIST)
                        continue;
                len = strcspn(rest, ".");
                if (!is_index(rest, len))
                        return false;
                if (rest[len] == '\0') /* a whole item */
                        return true;
                rest += len + 1;
        }
}

static bool is_result_column(const char *name)
{
        const char *at = strstr(csv_result_columns, name);
        size_t len = strlen(name);

        return *name == '_' && at != NULL && (at[len] == ',' || at[len] == '\0');
}

/* Two columns that mean the same, or one that is part of the other. */
static bool collide(const char *a, const char *b)
{
        size_t n = strlen(a), m = strlen(b), shorter = n < m ? n : m;

        if (strncmp(a, b, shorter) != 0)
                return false;
        return n == m || (n < m ? b[n] : a[m]) == '.';
}

/* Spreadsheets write the columns to the right of the last one, too. */
static bool is_skipped(const char *name)
{
        return *name == '\0' || is_result_column(name);
}

/* Results of a file of JSON, mended: the line is one cell. */
static bool is_input(const struct shape *shape, const struct texts *names)
{
        if (names->n == 0 || strcmp(names->v[0], CSV_INPUT_COLUMN) != 0 ||
            shape_field(shape, CSV_INPUT_COLUMN, strlen(CSV_INPUT_COLUMN)) != NULL)
                return false;
        for (size_t i = 1; i < names->n; i++)
                if (!is_skipped(names->v[i]))
                        return false;
        return true;
}

static void input_columns(const struct texts *names, struct csv_columns *ret)
{
        for (size_t i = 0; i < names->n; i++)
                ret->v[i] = (struct csv_column){.name = names->v[i], .whole = i == 0};
}

static const char *names_of(struct arena *arena, const struct shape *shape)
{
        struct text names = {0};

        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].in == IN_BODY && shape->fields[i].wire != WIRE_PRESENCE)
                        text_printf(&names, "%s%s", names.len > 0 ? ", " : "", shape->fields[i].name);
        const char *kept = arena_printf(arena, "There are: %s.", names.data != NULL ? names.data : "");
        text_free(&names);
        return kept;
}

/* What an unknown column tells: often how the file was saved. */
static const char *header_hint(struct arena *arena, const struct shape *shape, const char *name)
{
        if (*name == '{' || *name == '[')
                return "That looks like JSON: send it as Content-Type: application/x-ndjson, one object a line.";
        if (strchr(name, ';') != NULL || strchr(name, '\t') != NULL)
                return "The columns must be separated by commas: save the file as CSV with commas.";
        if (strchr(name, '\r') != NULL)
                return "The lines must end with a line feed, with or without a carriage return before it.";
        return names_of(arena, shape);
}

static void name_add(struct text *list, const char *name)
{
        text_printf(list, "%s\"%s\"", list->len > 0 ? ", " : "", name);
}

enum err csv_columns_find(struct ctx *c, const struct shape *shape, const struct texts *names,
                          struct csv_columns *ret)
{
        struct text unknown = {0}, doubled = {0};
        const char *stranger = NULL; /* the first unknown one */
        enum err err = ERR_OK;

        if (names->n > CSV_COLUMNS_MAX)
                return fail(c, ERR_BAD_FILE, "The header has more than %d columns.", CSV_COLUMNS_MAX);
        *ret = (struct csv_columns){ARENA_ARRAY(c->arena, names->n, struct csv_column), names->n,
                                    &c->shop->zone};
        if (is_input(shape, names)) {
                input_columns(names, ret);
                return ERR_OK;
        }
        for (size_t i = 0; i < names->n; i++) {
                bool twice = false;
                if (is_skipped(names->v[i])) {
                        ret->v[i].name = names->v[i];
                        continue;
                }
                if (!column_find(shape, names->v[i], &ret->v[i])) {
                        stranger = unknown.len == 0 ? names->v[i] : stranger;
                        name_add(&unknown, names->v[i]);
                }
                for (size_t k = 0; k < i && !twice; k++)
                        twice = !is_skipped(names->v[k]) && collide(names->v[k], names->v[i]);
                if (twice)
                        name_add(&doubled, names->v[i]);
        }
        if (unknown.len > 0)
                err = fail(c, ERR_BAD_FILE, "The header (line 1 of the file) has unknown columns: %s. %s",
                           unknown.data, header_hint(c->arena, shape, stranger));
        else if (doubled.len > 0)
                err = fail(c, ERR_BAD_FILE, "The header (line 1 of the file) has columns twice: %s.",
                           doubled.data);
        text_free(&unknown);
        text_free(&doubled);
        return err;
}

/* ------------------------------------------------------------------ to JSON */

static json_t *number_of(const char *cell)
{
        char *end;

        errno = 0;
        long long number = strtoll(cell, &end, 10);
        bool sound = (isdigit((unsigned char)*cell) || *cell == '-') && errno == 0 && *end == '\0';
        return sound ? json_integer(number) : json_string(cell);
}

static json_t *json_of(const char *cell)
{
        json_t *json = json_loads(cell, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

        return json != NULL ? json : json_string(cell);
}

/* A time as RFC 3339 has it, where it is one that a spreadsheet wrote. */
static json_t *time_of(enum wire wire, const struct zone *zone, const char *cell)
{
        char text[INSTANT_TEXT_SIZE];
        struct instant at;
        struct date date;
        struct birthday birthday;

        if (wire == WIRE_INSTANT && !instant_parse(cell, &at) && csv_instant(cell, zone, &at))
                instant_format(at, text);
        else if (wire == WIRE_DATE && csv_date(cell, &date))
                date_format(date, text);
        else if (wire == WIRE_BIRTHDAY && csv_birthday(cell, &birthday))
                birthday_format(birthday, text);
        else
                return json_string(cell);
        return json_string(text);
}

/* What is not what the field wants goes on as a text, so that the decoder says what is wrong. */
static json_t *value_of(const struct csv_column *column, const struct zone *zone, const char *cell)
{
        if (column->free)
                return json_string(cell);
        switch (column->field->wire) {
        case WIRE_BOOL:
                if (strcasecmp(cell, "true") == 0)
                        return json_true();
                return strcasecmp(cell, "false") == 0 ? json_false() : json_string(cell);
        case WIRE_INT:
        case WIRE_INT32:
        case WIRE_OPT_INT:
                return number_of(cell);
        case WIRE_JSON:
        case WIRE_TEXTS:
        case WIRE_STRUCT:
        case WIRE_POINTER:
        case WIRE_LIST:
                return json_too_deep(cell, strlen(cell)) ? json_string(cell) : json_of(cell);
        case WIRE_INSTANT:
        case WIRE_DATE:
        case WIRE_BIRTHDAY:
                return time_of(column->field->wire, zone, cell);
        default:
                return json_string(cell);
        }
}

/* What is_index has let through. */
static size_t index_of(const char *digits)
{
        return strtoul(digits, /* endptr= */ NULL, 10);
}

static json_t *child_get(json_t *parent, const char *key)
{
        return json_is_array(parent) ? json_array_get(parent, index_of(key)) : json_object_get(parent, key);
}

static void child_set(json_t *parent, const char *key, json_t *child)
{
        if (!json_is_array(parent)) {
                json_object_set_new(parent, key, child);
                return;
        }
        size_t index = index_of(key);
        while (json_array_size(parent) <= index)
                json_array_append_new(parent, json_object());
        json_array_set_new(parent, index, child);
}

/* Put a value where its column says, making what is on the way. */
static void put_at(json_t *root, const struct csv_column *column, json_t *value)
{
        char key[TEXT_MAX_DEFAULT + 1];
        const char *path = column->name;
        json_t *at = root;

        for (;;) {
                size_t len = strcspn(path, ".");
                memcpy(key, path, len);
                key[len] = '\0';
                if (path[len] == '\0')
                        break;
                path += len + 1;
                json_t *next = child_get(at, key);
                bool list = !column->free && json_is_object(at) && is_index(path, strcspn(path, "."));
                if (!json_is_object(next) && !json_is_array(next)) {
                        next = list ? json_array() : json_object();
                        child_set(at, key, next);
                }
                at = next;
        }
        child_set(at, key, value);
}

json_t *csv_to_json(const struct csv_columns *columns, const struct texts *cells)
{
        size_t n = cells->n;

        while (n > columns->n && cells->v[n - 1][0] == '\0')
                n--;
        if (n != columns->n)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (columns->v[i].name[0] == '\0' && cells->v[i][0] != '\0')
                        return NULL;
        if (n > 0 && columns->v[0].whole)
                return json_too_deep(cells->v[0], strlen(cells->v[0])) ? json_string(cells->v[0])
                                                                       : json_of(cells->v[0]);
        json_t *root = json_object();
        for (size_t i = 0; i < n; i++)
                if (columns->v[i].field != NULL && cells->v[i][0] != '\0')
                        put_at(root, &columns->v[i], value_of(&columns->v[i], columns->zone, cells->v[i]));
        return root;
}

/* ------------------------------------------------------------------ writing */

void csv_put_cell(struct text *out, const char *cell)
{
        bool escape = is_escapable(cell);

        if (!escape && strpbrk(cell, ",\"\r\n") == NULL) {
                text_puts(out, cell);
                return;
        }
        text_putc(out, '"');
        if (escape)
                text_putc(out, '\'');
        for (; *cell != '\0'; cell++) {
                if (*cell == '"')
                        text_putc(out, '"');
                text_putc(out, *cell);
        }
        text_putc(out, '"');
}

static void put_names(struct text *out, const struct shape *shape, const char *prefix, bool *first);

/* The columns of one field: itself, or those of the fields of a nested object. */
static void put_name(struct text *out, const struct field *field, const char *path, bool *first)
{
        if (field->wire == WIRE_STRUCT) {
                struct text inner = {0};
                text_printf(&inner, "%s.", path);
                put_names(out, field->of, inner.data, first);
                text_free(&inner);
                return;
        }
        text_printf(out, "%s%s", *first ? "" : ",", path);
        *first = false;
}

static void put_names(struct text *out, const struct shape *shape, const char *prefix, bool *first)
{
        struct text path = {0};

        for (size_t i = 0; i < shape->count; i++) {
                if (!pick_offers(&shape->fields[i], PICK_COLUMNS))
                        continue;
                text_clear(&path);
                text_printf(&path, "%s%s", prefix, shape->fields[i].name);
                put_name(out, &shape->fields[i], path.data, first);
        }
        text_free(&path);
}

void csv_put_names(struct text *out, const struct shape *shape, const struct picks *picks)
{
        bool first = true;

        if (picks == NULL)
                put_names(out, shape, "", &first);
        else
                for (size_t i = 0; i < picks->n; i++)
                        put_name(out, picks->v[i].field, picks->v[i].path, &first);
}

struct record {
        struct text *out, *cell;
        bool masked, begun;
};

static void put_cells(struct record *record, const struct field *field, const char *at)
{
        if (field->wire == WIRE_STRUCT) {
                for (size_t i = 0; i < field->of->count; i++) {
                        const struct field *inner = &field->of->fields[i];
                        if (pick_offers(inner, PICK_COLUMNS))
                                put_cells(record, inner, at + inner->offset);
                }
                return;
        }
        if (record->begun)
                text_putc(record->out, ',');
        record->begun = true;
        if (field_is_null(field, at) ||
            ((field->wire == WIRE_LIST || field->wire == WIRE_TEXTS) && ((const struct list *)at)->n == 0))
                return;
        text_clear(record->cell);
        shape_plain(record->cell, field, at, record->masked);
        csv_put_cell(record->out, record->cell->data);
}

void csv_put_object(struct text *out, const struct shape *shape, const struct picks *picks,
                    const void *object, bool masked)
{
        struct text cell = {0};
        struct record record = {out, &cell, masked, false};

        if (picks == NULL)
                put_cells(&record, &(struct field){.wire = WIRE_STRUCT, .of = shape}, object);
        else
                for (size_t i = 0; i < picks->n; i++)
                        put_cells(&record, picks->v[i].field, (const char *)object + picks->v[i].offset);
        text_free(&cell);
}
