#include "base/shape_json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Where a value stands: a chain of steps from the root, written out only when there is a fault. */
struct where {
        const struct where *up;
        const char *key;       /* member name, or NULL for a list item */
        size_t index;          /* of a list item */
        const char *parameter; /* a path or query parameter instead */
};

static void pointer_write(const struct where *where, struct text *out)
{
        if (where->up != NULL)
                pointer_write(where->up, out);
        if (where->key == NULL && where->up == NULL) {
                text_putc(out, '#');
                return;
        }
        text_putc(out, '/');
        if (where->key == NULL) {
                text_printf(out, "%zu", where->index);
                return;
        }
        for (const char *p = where->key; *p != '\0'; p++) { /* RFC 6901 escapes */
                if (*p == '~')
                        text_puts(out, "~0");
                else if (*p == '/')
                        text_puts(out, "~1");
                else
                        text_putc(out, *p);
        }
}

__attribute__((format(printf, 4, 5), cold)) static void fault_at(struct ctx *c, const struct where *where,
                                                                 const char *code, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        const char *detail = arena_vprintf(c->arena, fmt, args);
        va_end(args);
        if (where->parameter != NULL) {
                fault_parameter(c, where->parameter, code, "%s", detail);
                return;
        }
        struct text pointer = {0};
        pointer_write(where, &pointer);
        fault_body(c, pointer.data, code, "%s", detail);
        text_free(&pointer);
}

/* ------------------------------------------------------------------ limits */

static void check_int(struct ctx *c, const struct where *where, const struct field *field, int64_t value)
{
        bool has_min = field->min != 0 || field->max != 0 || field->from_zero;
        int64_t min = has_min ? field->min : field->wire == WIRE_INT32 ? INT32_MIN : INT64_MIN;

        if (value < min)
                fault_at(c, where, "too_small", "must be at least %" PRId64, min);
        else if (value > field_max(field))
                fault_at(c, where, "too_large", "must be at most %" PRId64, field_max(field));
}

static void check_count(struct ctx *c, const struct where *where, const struct field *field, size_t n)
{
        if ((int64_t)n < field->min)
                fault_at(c, where, "too_few", "must hold at least %" PRId64 " item%s", field->min,
                         field->min == 1 ? "" : "s");
        else if ((int64_t)n > field_max(field))
                fault_at(c, where, "too_many", "must hold at most %" PRId64 " items", field_max(field));
}

static void check_text(struct ctx *c, const struct where *where, const struct field *field, const char *value)
{
        int64_t chars = (int64_t)text_chars(value);

        if (chars < field->min)
                fault_at(c, where, "too_short", "must have at least %" PRId64 " character%s", field->min,
                         field->min == 1 ? "" : "s");
        else if (chars > field_max(field))
                fault_at(c, where, "too_long", "must have at most %" PRId64 " characters", field_max(field));
        else if (field->format != NULL && !field->format->ok(value))
                fault_at(c, where, "wrong_format", "must be %s", field->format->hint);
}

/* ------------------------------------------------------------------ from text */

const char *names_listed(struct ctx *c, const struct names *names)
{
        struct text out = {0};

        for (unsigned i = 1; i < names->n; i++)
                text_printf(&out, "%s%s", i == 1 ? "" : ", ", names->v[i]);
        const char *list = arena_strdup(c->arena, out.data);
        text_free(&out);
        return list;
}

static void wrong_type(struct ctx *c, const struct where *where, const char *expected)
{
        fault_at(c, where, "wrong_type", "must be %s", expected);
}

/* Values whose JSON form is a string. */
static void decode_string(struct ctx *c, const struct where *where, const struct field *field,
                          const char *value, void *at)
{
        switch (field->wire) {
        case WIRE_TEXT:
                check_text(c, where, field, value);
                *(const char **)at = arena_strdup(c->arena, value);
                break;
        case WIRE_ENUM:
                *(unsigned *)at = names_find(field->names, value);
                if (*(unsigned *)at == 0)
                        fault_at(c, where, "unknown_value", "must be one of: %s",
                                 names_listed(c, field->names));
                break;
        case WIRE_UUID:
                if (!uuid_from_text(value, at) || !uuid_known(*(struct uuid *)at))
                        fault_at(c, where, "wrong_format", "must be a UUID");
                break;
        case WIRE_INSTANT:
                if (!instant_parse(value, at))
                        fault_at(c, where, "wrong_format",
                                 "must be an RFC 3339 time such as 2026-11-01T10:00:00Z");
                break;
        case WIRE_DATE:
                if (!date_parse(value, at))
                        fault_at(c, where, "wrong_format", "must be a date such as 2026-11-01");
                break;
        case WIRE_BIRTHDAY:
                if (!birthday_parse(value, at))
                        fault_at(c, where, "wrong_format", "must be a birthday such as 05-20 or 1990-05-20");
                break;
        default:
                assert(0 && "not a string on the wire");
        }
}

static bool parse_int(const char *text, int64_t *ret)
{
        char *end;

        if (!(*text == '-' || (*text >= '0' && *text <= '9')))
                return false;
        errno = 0;
        long long value = strtoll(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0')
                return false;
        *ret = value;
        return true;
}

static void store_int(const struct field *field, int64_t value, void *at)
{
        if (field->wire == WIRE_INT)
                *(int64_t *)at = value;
        else if (field->wire == WIRE_INT32)
                *(int32_t *)at = (int32_t)value;
        else
                *(struct opt_int *)at = (struct opt_int){.set = true, .v = value};
}

static bool wire_is_int(enum wire wire)
{
        return wire == WIRE_INT || wire == WIRE_INT32 || wire == WIRE_OPT_INT;
}

/* A value of the path, the query or a default. */
static void decode_plain(struct ctx *c, const struct where *where, const struct field *field,
                         const char *value, void *at)
{
        int64_t number;

        if (wire_is_int(field->wire)) {
                if (!parse_int(value, &number)) {
                        wrong_type(c, where, "an integer");
                        return;
                }
                check_int(c, where, field, number);
                store_int(field, number, at);
        } else if (field->wire == WIRE_BOOL) {
                *(bool *)at = strcmp(value, "true") == 0;
                if (!*(bool *)at && strcmp(value, "false") != 0)
                        wrong_type(c, where, "true or false");
        } else {
                decode_string(c, where, field, value, at);
        }
}

static const struct where no_where = {.parameter = "default"};

/* What a field holds when the input does not: its default, or a nested struct of defaults. */
static void apply_default(struct ctx *c, const struct field *field, void *at)
{
        if (field->dflt != NULL)
                decode_plain(c, &no_where, field, field->dflt, at);
        if (field->wire != WIRE_STRUCT)
                return;
        for (size_t i = 0; i < field->of->count; i++) {
                const struct field *inner = &field->of->fields[i];
                apply_default(c, inner, (char *)at + inner->offset);
        }
}

/* ------------------------------------------------------------------ from JSON */

static void decode_object(struct ctx *c, const struct where *where, const struct shape *shape,
                          const json_t *json, void *object);

static void decode_list(struct ctx *c, const struct where *where, const struct field *field,
                        const json_t *json, struct list *at)
{
        size_t n = json_array_size(json);

        check_count(c, where, field, n);
        if ((int64_t)n > field_max(field))
                return; /* a hostile length is not worth looking into */
        at->v = arena_array(c->arena, n, field->of->size);
        at->n = n;
        for (size_t i = 0; i < n; i++) {
                struct where step = {.up = where, .index = i};
                decode_object(c, &step, field->of, json_array_get(json, i),
                              (char *)at->v + i * field->of->size);
        }
}

static void decode_texts(struct ctx *c, const struct where *where, const struct field *field,
                         const json_t *json, struct texts *at)
{
        size_t n = json_array_size(json);

        if (n > LIST_MAX_DEFAULT) {
                fault_at(c, where, "too_many", "must hold at most %d items", LIST_MAX_DEFAULT);
                return;
        }
        at->v = ARENA_ARRAY(c->arena, n, const char *);
        at->n = n;
        for (size_t i = 0; i < n; i++) {
                struct where step = {.up = where, .index = i};
                const json_t *item = json_array_get(json, i);
                if (!json_is_string(item)) {
                        wrong_type(c, &step, "a string");
                        continue;
                }
                check_text(c, &step, field, json_string_value(item));
                at->v[i] = arena_strdup(c->arena, json_string_value(item));
        }
}

static void decode_any(struct ctx *c, const struct where *where, const struct field *field,
                       const json_t *json, struct json_text *at)
{
        size_t max = field->max != 0 ? (size_t)field->max : JSON_BYTES_MAX;
        char *dump = json_dumps(json, JSON_COMPACT);

        if (dump == NULL || strlen(dump) > max)
                fault_at(c, where, "too_long", "must have at most %zu bytes", max);
        else
                at->text = arena_strdup(c->arena, dump);
        free(dump);
}

/* Items that are looked into later, each for itself. */
static void decode_items(struct ctx *c, const struct where *where, const struct field *field,
                         const json_t *json, struct json_text *at)
{
        if (!json_is_array(json)) {
                wrong_type(c, where, "a list");
                return;
        }
        check_count(c, where, field, json_array_size(json));
        char *dump = json_dumps(json, JSON_COMPACT);
        at->text = arena_strdup(c->arena, dump != NULL ? dump : "[]");
        free(dump);
}

static void decode_value(struct ctx *c, const struct where *where, const struct field *field,
                         const json_t *json, void *at)
{
        switch (field->wire) {
        case WIRE_BOOL:
                if (!json_is_boolean(json))
                        wrong_type(c, where, "true or false");
                else
                        *(bool *)at = json_is_true(json);
                break;
        case WIRE_INT:
        case WIRE_INT32:
        case WIRE_OPT_INT:
                if (!json_is_integer(json)) {
                        wrong_type(c, where, "an integer");
                        break;
                }
                check_int(c, where, field, json_integer_value(json));
                store_int(field, json_integer_value(json), at);
                break;
        case WIRE_STRUCT:
                decode_object(c, where, field->of, json, at);
                break;
        case WIRE_POINTER: {
                void *object = arena_alloc(c->arena, field->of->size);
                decode_object(c, where, field->of, json, object);
                *(void **)at = object;
                break;
        }
        case WIRE_LIST:
                if (!json_is_array(json))
                        wrong_type(c, where, "a list");
                else
                        decode_list(c, where, field, json, at);
                break;
        case WIRE_TEXTS:
                if (!json_is_array(json))
                        wrong_type(c, where, "a list of strings");
                else
                        decode_texts(c, where, field, json, at);
                break;
        case WIRE_JSON:
                if (field->of != NULL)
                        decode_items(c, where, field, json, at);
                else if (!json_is_object(json))
                        wrong_type(c, where, "an object");
                else
                        decode_any(c, where, field, json, at);
                break;
        default:
                if (!json_is_string(json))
                        wrong_type(c, where, "a string");
                else
                        decode_string(c, where, field, json_string_value(json), at);
        }
}

static struct presence *presence_of(const struct shape *shape, void *object)
{
        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].wire == WIRE_PRESENCE)
                        return (struct presence *)((char *)object + shape->fields[i].offset);
        return NULL;
}

/* null in place of a nested struct that knows what was sent means null for all that is in it. */
static void decode_null(struct ctx *c, const struct where *where, const struct field *field, void *at)
{
        struct presence *inner = field->wire == WIRE_STRUCT ? presence_of(field->of, at) : NULL;

        if (field->need)
                fault_at(c, where, "required", "must not be null");
        else if (inner != NULL)
                inner->bits = UINT64_MAX;
}

static void decode_object(struct ctx *c, const struct where *where, const struct shape *shape,
                          const json_t *json, void *object)
{
        const char *key;
        json_t *value;
        uint64_t seen = 0, null = 0;

        if (!json_is_object(json)) {
                wrong_type(c, where, "an object");
                return;
        }
        json_object_foreach((json_t *)json, key, value)
        {
                struct where step = {.up = where, .key = key};
                const struct field *field = shape_field(shape, key, strlen(key));
                if (field == NULL || field->in != IN_BODY) {
                        fault_at(c, &step, "unknown_field", "there is no such field");
                        continue;
                }
                uint64_t bit = UINT64_C(1) << (field - shape->fields);
                seen |= bit;
                if (json_is_null(value)) {
                        null |= bit;
                        decode_null(c, &step, field, (char *)object + field->offset);
                } else {
                        decode_value(c, &step, field, value, (char *)object + field->offset);
                }
        }
        struct presence *presence = presence_of(shape, object);
        if (presence != NULL) {
                presence->bits = seen; /* what was not sent stays as it is: nothing is required, nothing has a
                                          default */
                return;
        }
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                bool absent = !(seen >> i & 1);
                if (field->in != IN_BODY)
                        continue;
                if (field->need && absent) {
                        struct where step = {.up = where, .key = field->name};
                        fault_at(c, &step, "required", "is required");
                } else if (!field->need && (absent || null >> i & 1)) {
                        apply_default(c, field, (char *)object + field->offset);
                }
        }
}

void shape_decode(struct ctx *c, const struct shape *shape, const json_t *json, void *object)
{
        const struct field *whole = shape_whole_body(shape);
        struct where root = {0};

        if (whole != NULL)
                decode_object(c, &root, whole->of, json, (char *)object + whole->offset);
        else
                decode_object(c, &root, shape, json, object);
}

/* One name may stand in the path and in the query. */
static const struct field *parameter_field(const struct shape *shape, enum place place, const char *name)
{
        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].in == place && strcmp(shape->fields[i].name, name) == 0)
                        return &shape->fields[i];
        return NULL;
}

void shape_decode_parameter(struct ctx *c, const struct shape *shape, enum place place, const char *name,
                            const char *value, uint64_t *seen, void *object)
{
        const struct field *field = parameter_field(shape, place, name);
        struct where where = {.parameter = name};

        if (field == NULL) {
                fault_at(c, &where, "unknown_parameter", "there is no such parameter");
                return;
        }
        uint64_t bit = UINT64_C(1) << (field - shape->fields);
        if (*seen & bit)
                fault_at(c, &where, "duplicate", "must be given once");
        *seen |= bit;
        decode_plain(c, &where, field, value, (char *)object + field->offset);
}

void shape_decode_parameters_end(struct ctx *c, const struct shape *shape, uint64_t seen, void *object)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                if (field->in == IN_BODY || field->in == IN_WHOLE_BODY || seen >> i & 1)
                        continue;
                if (field->need)
                        fault_parameter(c, field->name, "required", "is required");
                else
                        apply_default(c, field, (char *)object + field->offset);
        }
}
