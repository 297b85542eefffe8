#include "base/shape_schema.h"

#include <assert.h>
#include <inttypes.h>

static const char *const pii_names[] = {
        [PII_NAME] = "name",         [PII_PHONE] = "phone", [PII_EMAIL] = "email",
        [PII_BIRTHDAY] = "birthday", [PII_ALL] = "all",
};

/* Year 0000 and 02-30 pass the pattern; the decoder is exact. */
#define BIRTHDAY_PATTERN "^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"

static bool is_patch(const struct shape *shape)
{
        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].wire == WIRE_PRESENCE)
                        return true;
        return false;
}

static bool on_wire(const struct field *field, enum schema_side side)
{
        return field->wire != WIRE_PRESENCE && (side == SCHEMA_OUTPUT || field->in == IN_BODY);
}

/* Optional input may be null in place of absent; an answer holds null only where the C type can. */
static bool may_be_null(const struct field *field, enum schema_side side)
{
        if (field->need || field->in != IN_BODY)
                return false;
        if (side == SCHEMA_INPUT)
                return true;
        switch (field->wire) {
        case WIRE_TEXT:
        case WIRE_ENUM:
        case WIRE_OPT_INT:
        case WIRE_UUID:
        case WIRE_INSTANT:
        case WIRE_DATE:
        case WIRE_BIRTHDAY:
        case WIRE_POINTER:
                return true;
        default:
                return false;
        }
}

static const char *json_type(enum wire wire)
{
        switch (wire) {
        case WIRE_BOOL:
                return "boolean";
        case WIRE_INT:
        case WIRE_INT32:
        case WIRE_OPT_INT:
                return "integer";
        case WIRE_LIST:
        case WIRE_TEXTS:
                return "array";
        default:
                return "string";
        }
}

static void put_type(struct text *out, const struct field *field, bool nullable)
{
        text_printf(out, nullable ? "\"type\":[\"%s\",\"null\"]" : "\"type\":\"%s\"", json_type(field->wire));
}

static void put_string(struct text *out, const char *name, const char *value)
{
        text_printf(out, ",\"%s\":", name);
        text_put_json(out, value);
}

static void put_int_limits(struct text *out, const struct field *field)
{
        bool has_min = field->min != 0 || field->max != 0 || field->from_zero; /* as the decoder sees it */

        if (has_min)
                text_printf(out, ",\"minimum\":%" PRId64, field->min);
        if (field_max(field) != INT64_MAX)
                text_printf(out, ",\"maximum\":%" PRId64, field_max(field));
}

static void put_text_limits(struct text *out, const struct field *field)
{
        if (field->min != 0)
                text_printf(out, ",\"minLength\":%" PRId64, field->min);
        text_printf(out, ",\"maxLength\":%" PRId64, field_max(field));
        if (field->format != NULL)
                put_string(out, "pattern", field->format->pattern);
}

static void put_enum(struct text *out, const struct names *names, bool nullable)
{
        text_puts(out, ",\"enum\":[");
        for (unsigned i = 1; i < names->n; i++) {
                text_puts(out, i == 1 ? "" : ",");
                text_put_json(out, names->v[i]);
        }
        text_puts(out, nullable ? ",null]" : "]");
}

/* What a value must be beyond its type. A masked answer keeps neither pattern nor format, so a field with
 * personal data states them on the input side only. */
static void put_limits(struct text *out, const struct field *field, enum schema_side side, bool nullable)
{
        bool input = side == SCHEMA_INPUT, plain = input || field->pii == PII_NONE;

        switch (field->wire) {
        case WIRE_INT:
        case WIRE_OPT_INT:
        case WIRE_INT32:
                put_string(out, "format", field->wire == WIRE_INT32 ? "int32" : "int64");
                if (input)
                        put_int_limits(out, field);
                break;
        case WIRE_TEXT:
                if (input)
                        put_text_limits(out, field);
                break;
        case WIRE_ENUM:
                put_enum(out, field->names, nullable);
                break;
        case WIRE_UUID:
                put_string(out, "format", "uuid");
                break;
        case WIRE_INSTANT:
                put_string(out, "format", "date-time");
                break;
        case WIRE_DATE:
                if (plain)
                        put_string(out, "format", "date");
                break;
        case WIRE_BIRTHDAY:
                if (plain)
                        put_string(out, "pattern", BIRTHDAY_PATTERN);
                break;
        default:
                break;
        }
}

static void put_items(struct text *out, const struct field *field, enum schema_side side)
{
        bool texts = field->wire == WIRE_TEXTS;

        text_puts(out, ",\"items\":");
        if (texts) {
                text_puts(out, "{\"type\":\"string\"");
                if (side == SCHEMA_INPUT)
                        put_text_limits(out, field);
                text_putc(out, '}');
        } else {
                shape_schema_ref(out, field->of, side);
        }
        if (side != SCHEMA_INPUT)
                return;
        if (!texts && field->min != 0)
                text_printf(out, ",\"minItems\":%" PRId64, field->min);
        text_printf(out, ",\"maxItems\":%" PRId64, texts ? LIST_MAX_DEFAULT : field_max(field));
}

static void put_default(struct text *out, const struct field *field)
{
        text_puts(out, ",\"default\":");
        if (field->wire == WIRE_BOOL || strcmp(json_type(field->wire), "integer") == 0)
                text_puts(out, field->dflt);
        else
                text_put_json(out, field->dflt);
}

/* The inside of the field's schema without its braces, so that every member starts alike. */
static void put_body(struct text *out, const struct field *field, enum schema_side side)
{
        bool nullable = may_be_null(field, side);

        switch (field->wire) {
        case WIRE_STRUCT:
        case WIRE_POINTER:
                text_puts(out, nullable ? "\"anyOf\":[" : "\"allOf\":[");
                shape_schema_ref(out, field->of, side);
                text_puts(out, nullable ? ",{\"type\":\"null\"}]" : "]");
                break;
        case WIRE_JSON: /* what is in it is the client's own; an answer has null too */
                if (field->of != NULL) {
                        text_puts(out, "\"type\":\"array\"");
                        put_items(out, field, side);
                } else if (field->any) {
                        text_puts(
                                out,
                                "\"type\":[\"object\",\"array\",\"string\",\"integer\",\"boolean\",\"null\"]");
                } else {
                        text_puts(out,
                                  field->need ? "\"type\":\"object\"" : "\"type\":[\"object\",\"null\"]");
                }
                break;
        case WIRE_LIST:
        case WIRE_TEXTS:
                put_type(out, field, nullable);
                put_items(out, field, side);
                break;
        case WIRE_BYTES:
        case WIRE_INTS:
        case WIRE_UUIDS:
        case WIRE_PRESENCE:
                assert(0 && "not a value that JSON can hold");
                break;
        default:
                put_type(out, field, nullable);
                put_limits(out, field, side, nullable);
        }
}

static void put_field(struct text *out, const struct field *field, enum schema_side side, bool defaults)
{
        text_putc(out, '{');
        put_body(out, field, side);
        if (field->dflt != NULL && defaults)
                put_default(out, field);
        if (field->doc != NULL)
                put_string(out, "description", field->doc);
        if (field->example != NULL)
                text_printf(out, ",\"examples\":[%s]", field->example);
        if (field->pii != PII_NONE)
                put_string(out, "x-pii", pii_names[field->pii]);
        text_putc(out, '}');
}

void shape_schema_field(struct text *out, const struct field *field, enum schema_side side)
{
        put_field(out, field, side, /* defaults= */ side == SCHEMA_INPUT);
}

static void put_required(struct text *out, const struct shape *shape, enum schema_side side)
{
        const char *separator = ",\"required\":[";

        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                if (!on_wire(field, side) || (side == SCHEMA_INPUT && !field->need))
                        continue;
                text_puts(out, separator);
                text_put_json(out, field->name);
                separator = ",";
        }
        if (*separator == ',' && separator[1] == '\0')
                text_putc(out, ']');
}

void shape_schema(struct text *out, const struct shape *shape, enum schema_side side)
{
        bool patch = side == SCHEMA_INPUT && is_patch(shape), first = true;

        text_puts(out, "{\"type\":\"object\"");
        if (shape->doc != NULL)
                put_string(out, "description", shape->doc);
        text_puts(out, ",\"properties\":{");
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                if (!on_wire(field, side))
                        continue;
                text_printf(out, "%s\"%s\":", first ? "" : ",", field->name);
                put_field(out, field, side, /* defaults= */ side == SCHEMA_INPUT && !patch);
                first = false;
        }
        text_putc(out, '}');
        if (!patch)
                put_required(out, shape, side);
        text_puts(out, ",\"additionalProperties\":false}");
}

void shape_schema_ref(struct text *out, const struct shape *shape, enum schema_side side)
{
        text_printf(out, "{\"$ref\":\"#/components/schemas/%s%s\"}", shape->name,
                    side == SCHEMA_INPUT ? "_input" : "");
}

/* ------------------------------------------------------------------ sets */

static bool set_has(const struct schema_set *set, const struct shape *shape, enum schema_side side)
{
        for (size_t i = 0; i < set->count; i++)
                if (set->shapes[i] == shape && set->sides[i] == side)
                        return true;
        return false;
}

void schema_set_add(struct schema_set *set, const struct shape *shape, enum schema_side side)
{
        if (set_has(set, shape, side))
                return;
        assert(set->count < SCHEMA_SET_MAX);
        set->shapes[set->count] = shape;
        set->sides[set->count++] = side;
        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].of != NULL && on_wire(&shape->fields[i], side))
                        schema_set_add(set, shape->fields[i].of, side);
}

void schema_set_write(struct text *out, const struct schema_set *set)
{
        for (size_t i = 0; i < set->count; i++) {
                text_printf(out, "%s\"%s%s\":", i == 0 ? "" : ",", set->shapes[i]->name,
                            set->sides[i] == SCHEMA_INPUT ? "_input" : "");
                shape_schema(out, set->shapes[i], set->sides[i]);
        }
}
