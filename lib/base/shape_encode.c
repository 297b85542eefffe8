/* Objects to JSON and to plain text, by shape. */
#include <assert.h>

#include "base/mask.h"
#include "base/shape_json.h"

/* Long enough for the text of every value that has none of its own. */
#define STRING_SIZE (UUID_TEXT_SIZE > INSTANT_TEXT_SIZE ? UUID_TEXT_SIZE : INSTANT_TEXT_SIZE)

/* The text of a value whose JSON form is a string. */
static const char *string_of(const struct field *field, const void *at, char buffer[STRING_SIZE])
{
        switch (field->wire) {
        case WIRE_TEXT:
                return *(const char *const *)at;
        case WIRE_ENUM:
                assert(*(const unsigned *)at < field->names->n);
                return field->names->v[*(const unsigned *)at];
        case WIRE_UUID:
                uuid_to_text(*(const struct uuid *)at, buffer);
                break;
        case WIRE_INSTANT:
                instant_format(*(const struct instant *)at, buffer);
                break;
        case WIRE_DATE:
                date_format(*(const struct date *)at, buffer);
                break;
        case WIRE_BIRTHDAY:
                birthday_format(*(const struct birthday *)at, buffer);
                break;
        default:
                assert(0 && "not a value that JSON can hold");
        }
        return buffer;
}

static void encode_string(struct text *out, const struct field *field, const void *at, bool masked)
{
        char buffer[STRING_SIZE];
        const char *value = string_of(field, at, buffer);

        if (masked && field->pii != PII_NONE)
                mask_put(out, field->pii, value);
        else
                text_put_json(out, value);
}

static void encode(struct text *out, const struct shape *shape, const void *object, bool masked, bool nulls);

static void encode_items(struct text *out, const struct field *field, const void *at, bool masked, bool nulls)
{
        const struct list *list = at;

        text_putc(out, '[');
        for (size_t i = 0; i < list->n; i++) {
                if (i > 0)
                        text_putc(out, ',');
                if (field->wire == WIRE_LIST)
                        encode(out, field->of, (const char *)list->v + i * field->of->size, masked, nulls);
                else if (masked && field->pii != PII_NONE)
                        mask_put(out, field->pii, ((const char **)list->v)[i]);
                else
                        text_put_json(out, ((const char **)list->v)[i]);
        }
        text_putc(out, ']');
}

static void encode_value(struct text *out, const struct field *field, const void *at, bool masked, bool nulls)
{
        switch (field->wire) {
        case WIRE_BOOL:
                text_puts(out, *(const bool *)at ? "true" : "false");
                break;
        case WIRE_INT:
                text_put_int(out, *(const int64_t *)at);
                break;
        case WIRE_INT32:
                text_put_int(out, *(const int32_t *)at);
                break;
        case WIRE_OPT_INT:
                text_put_int(out, ((const struct opt_int *)at)->v);
                break;
        case WIRE_JSON:
                if (masked && field->pii != PII_NONE)
                        text_puts(out, "{}");
                else if (masked && field->mask != NULL)
                        field->mask(out, ((const struct json_text *)at)->text);
                else
                        text_puts(out, ((const struct json_text *)at)->text);
                break;
        case WIRE_STRUCT:
                encode(out, field->of, at, masked, nulls);
                break;
        case WIRE_POINTER:
                encode(out, field->of, *(const void *const *)at, masked, nulls);
                break;
        case WIRE_LIST:
        case WIRE_TEXTS:
                encode_items(out, field, at, masked, nulls);
                break;
        default:
                encode_string(out, field, at, masked);
        }
}

/* Without nulls only what a body may hold is written. */
static void encode(struct text *out, const struct shape *shape, const void *object, bool masked, bool nulls)
{
        bool first = true;

        text_putc(out, '{');
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                const void *at = (const char *)object + field->offset;
                bool null = field->wire == WIRE_PRESENCE || field_is_null(field, at);
                if (field->wire == WIRE_PRESENCE || (null && field->later) ||
                    (!nulls && (null || field->in != IN_BODY)))
                        continue;
                text_puts(out, first ? "\"" : ",\"");
                text_puts(out, field->name);
                text_append(out, "\":", 2);
                if (null)
                        text_append(out, "null", 4);
                else
                        encode_value(out, field, at, masked, nulls);
                first = false;
        }
        text_putc(out, '}');
}

void shape_encode(struct text *out, const struct shape *shape, const void *object, bool masked)
{
        encode(out, shape, object, masked, /* nulls= */ true);
}

void shape_encode_known(struct text *out, const struct shape *shape, const void *object, bool masked)
{
        encode(out, shape, object, masked, /* nulls= */ false);
}

void shape_plain(struct text *out, const struct field *field, const void *at, bool masked)
{
        char buffer[STRING_SIZE];

        switch (field->wire) {
        case WIRE_TEXT:
        case WIRE_ENUM:
        case WIRE_UUID:
        case WIRE_INSTANT:
        case WIRE_DATE:
        case WIRE_BIRTHDAY:
                if (masked && field->pii != PII_NONE)
                        mask_text(out, field->pii, string_of(field, at, buffer));
                else
                        text_puts(out, string_of(field, at, buffer));
                break;
        default:
                encode_value(out, field, at, masked, /* nulls= */ false);
        }
}
