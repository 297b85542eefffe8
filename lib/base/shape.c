#include "base/shape.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json.h"

const struct shape nothing_shape = {.name = "nothing", .doc = "Nothing.", .size = sizeof(struct nothing)};

static bool code_ok(const char *text)
{
        if (*text < 'a' || *text > 'z')
                return false;
        for (; *text != '\0'; text++)
                if (!((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '_'))
                        return false;
        return true;
}

static bool currency_ok(const char *text)
{
        size_t n = 0;

        for (; text[n] != '\0'; n++)
                if (text[n] < 'A' || text[n] > 'Z')
                        return false;
        return n == 3;
}

static bool printable_ok(const char *text)
{
        for (; *text != '\0'; text++)
                if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') || *text == 0x7F)
                        return false;
        return true;
}

const struct format format_code = {"code", "^[a-z][a-z0-9_]*$",
                                   "lower-case letters, digits and _, a letter first", code_ok};
const struct format format_currency = {"currency", "^[A-Z]{3}$", "three capital letters (ISO 4217)",
                                       currency_ok};
const struct format format_printable = {"printable", "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*$",
                                        "text without control characters", printable_ok};

const struct field *shape_whole_body(const struct shape *in)
{
        for (size_t i = 0; i < in->count; i++)
                if (in->fields[i].in == IN_WHOLE_BODY)
                        return &in->fields[i];
        return NULL;
}

const struct shape *shape_body(const struct shape *in)
{
        const struct field *whole = shape_whole_body(in);

        if (whole != NULL)
                return whole->of;
        for (size_t i = 0; i < in->count; i++)
                if (in->fields[i].in == IN_BODY && in->fields[i].wire != WIRE_PRESENCE)
                        return in;
        return NULL;
}

const struct field *shape_field(const struct shape *shape, const char *name, size_t len)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                if (strncmp(field->name, name, len) == 0 && field->name[len] == '\0' &&
                    field->wire != WIRE_PRESENCE)
                        return field;
        }
        return NULL;
}

const struct field *shape_path(const struct shape *shape, const char *path, size_t len, size_t *ret_offset)
{
        const char *dot = memchr(path, '.', len);
        size_t first = dot != NULL ? (size_t)(dot - path) : len, inner = 0;
        const struct field *field = shape_field(shape, path, first);

        if (field == NULL || (dot == NULL) == (field->wire == WIRE_STRUCT))
                return NULL;
        size_t offset = field->offset;
        if (dot != NULL) {
                field = shape_path(field->of, dot + 1, len - first - 1, &inner);
                if (field == NULL)
                        return NULL;
        }
        *ret_offset = offset + inner;
        return field;
}

static const struct field *presence_field(const struct shape *shape)
{
        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].wire == WIRE_PRESENCE)
                        return &shape->fields[i];
        return NULL;
}

static uint64_t presence_bits(const struct shape *shape, const void *object)
{
        const struct field *field = presence_field(shape);

        assert(field != NULL);
        return ((const struct presence *)((const char *)object + field->offset))->bits;
}

bool shape_has(const struct shape *shape, const void *object, size_t offset)
{
        uint64_t bits = presence_bits(shape, object);

        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].offset == offset)
                        return bits >> i & 1;
        assert(0 && "no field at this offset");
        return false;
}

static bool texts_equal(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool values_equal(const struct field *field, const void *a, const void *b)
{
        if (field->wire == WIRE_TEXT)
                return texts_equal(*(const char *const *)a, *(const char *const *)b);
        if (field->wire == WIRE_JSON)
                return json_text_equal(*(const char *const *)a, *(const char *const *)b);
        return memcmp(a, b, field->size) == 0; /* lists: equal only when they are the same list */
}

bool shape_merge(const struct shape *patch_shape, const void *patch, const struct shape *shape, void *object,
                 enum merge merge)
{
        uint64_t bits = presence_bits(patch_shape, patch);
        bool changed = false;

        for (size_t i = 0; i < patch_shape->count; i++) {
                const struct field *from = &patch_shape->fields[i];
                const struct field *to = shape_field(shape, from->name, strlen(from->name));
                if (to == NULL || !(bits >> i & 1))
                        continue;
                assert(from->wire == to->wire);
                const char *source = (const char *)patch + from->offset;
                char *target = (char *)object + to->offset;
                if (from->wire == WIRE_STRUCT) {
                        changed |= shape_merge(from->of, source, to->of, target, merge);
                } else if (!(merge == MERGE_KNOWN && field_is_null(from, source)) &&
                           !values_equal(from, source, target)) {
                        memcpy(target, source, from->size);
                        changed = true;
                }
        }
        return changed;
}

static void list_copy(struct arena *arena, const struct shape *of, struct list *list)
{
        const char *from = list->v;
        char *to = arena_array(arena, list->n, of->size);

        for (size_t i = 0; i < list->n; i++)
                shape_copy(arena, of, from + i * of->size, to + i * of->size);
        list->v = to;
}

static void texts_copy(struct arena *arena, struct texts *texts)
{
        const char **to = ARENA_ARRAY(arena, texts->n, const char *);

        for (size_t i = 0; i < texts->n; i++)
                to[i] = arena_strdup(arena, texts->v[i]);
        texts->v = to;
}

void shape_copy(struct arena *arena, const struct shape *shape, const void *from, void *ret)
{
        memcpy(ret, from, shape->size);
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                void *at = (char *)ret + field->offset;
                if (field_is_null(field, at))
                        continue;
                if (field->wire == WIRE_TEXT || field->wire == WIRE_JSON) {
                        *(const char **)at = arena_strdup(arena, *(const char **)at);
                } else if (field->wire == WIRE_STRUCT) {
                        shape_copy(arena, field->of, (const char *)from + field->offset, at);
                } else if (field->wire == WIRE_POINTER) {
                        void *copy = arena_alloc(arena, field->of->size);
                        shape_copy(arena, field->of, *(void *const *)at, copy);
                        *(void **)at = copy;
                } else if (field->wire == WIRE_LIST) {
                        list_copy(arena, field->of, at);
                } else if (field->wire == WIRE_TEXTS) {
                        texts_copy(arena, at);
                }
        }
}

bool field_is_null(const struct field *field, const void *at)
{
        switch (field->wire) {
        case WIRE_TEXT:
        case WIRE_POINTER:
        case WIRE_JSON:
                return *(const void *const *)at == NULL;
        case WIRE_BYTES:
                return ((const struct bytes *)at)->v == NULL;
        case WIRE_ENUM:
                return *(const unsigned *)at == 0;
        case WIRE_OPT_INT:
                return !((const struct opt_int *)at)->set;
        case WIRE_UUID:
                return !uuid_known(*(const struct uuid *)at);
        case WIRE_INSTANT:
                return !instant_known(*(const struct instant *)at);
        case WIRE_DATE:
                return !date_known(*(const struct date *)at);
        case WIRE_BIRTHDAY:
                return ((const struct birthday *)at)->month == 0;
        default:
                return false;
        }
}

int64_t field_max(const struct field *field)
{
        if (field->max != 0)
                return field->max;
        switch (field->wire) {
        case WIRE_TEXT:
                return TEXT_MAX_DEFAULT;
        case WIRE_LIST:
        case WIRE_TEXTS:
        case WIRE_UUIDS:
                return LIST_MAX_DEFAULT;
        case WIRE_INT32:
                return INT32_MAX;
        default:
                return INT64_MAX;
        }
}

unsigned names_find(const struct names *names, const char *name)
{
        for (unsigned i = 1; i < names->n; i++)
                if (strcmp(names->v[i], name) == 0)
                        return i;
        return 0;
}

const struct shape *shape_extend(const struct shape *base, const char *name, const char *doc, size_t size,
                                 const struct field *more, size_t n)
{
        struct shape *shape = malloc(sizeof *shape);
        struct field *fields = malloc((base->count + n) * sizeof *fields);
        size_t count = 0;

        if (shape == NULL || fields == NULL)
                abort();
        for (size_t i = 0; i < base->count; i++)
                if (base->fields[i].in == IN_BODY)
                        fields[count++] = base->fields[i];
                else /* presence counts fields by their place */
                        assert(base->fields[0].wire != WIRE_PRESENCE);
        memcpy(fields + count, more, n * sizeof *fields);
        count += n;
        assert(count <= SHAPE_FIELDS_MAX);
        *shape = (struct shape){.name = name, .doc = doc, .size = size, .fields = fields, .count = count};
        return shape;
}

const struct shape *shape_without(const struct shape *base, const char *name, const char *field)
{
        struct shape *shape = malloc(sizeof *shape);
        struct field *fields = malloc(base->count * sizeof *fields);
        size_t count = 0;

        if (shape == NULL || fields == NULL)
                abort();
        for (size_t i = 0; i < base->count; i++)
                if (strcmp(base->fields[i].name, field) != 0)
                        fields[count++] = base->fields[i];
        assert(count == base->count - 1);
        *shape = *base;
        shape->name = name;
        shape->fields = fields;
        shape->count = count;
        return shape;
}
