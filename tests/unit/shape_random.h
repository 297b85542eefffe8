/* A random object of any shape, within the limits that the shape sets: what decoding must take and give back.
 */
#pragma once

#include "base/err.h"
#include "base/shape.h"
#include "test.h"

/* Append one random character: mostly plain, sometimes what JSON must escape, sometimes far away in Unicode.
 */
static size_t random_char(char *out)
{
        switch (test_between(0, 9)) {
        case 0:
                return (size_t)snprintf(out, 5, "%c", (char)test_between(0x01, 0x1F));
        case 1:
                return (size_t)snprintf(out, 5, "%c", "\"\\/~\x7F"[test_between(0, 4)]);
        case 2:
                return (size_t)snprintf(out, 5, "\xC3\xA9");
        case 3:
                return (size_t)snprintf(out, 5, "明");
        case 4:
                return (size_t)snprintf(out, 5, "\xF0\x9F\x98\x80");
        default:
                return (size_t)snprintf(out, 5, "%c", (char)test_between(' ', '~'));
        }
}

static const char *random_text(struct arena *arena, const struct field *field)
{
        int64_t max = field_max(field) < 12 ? field_max(field) : 12;
        int64_t chars = test_between(field->min < max ? field->min : max, max);
        char *text = arena_alloc(arena, (size_t)chars * 4 + 1), *p = text;

        for (int64_t i = 0; i < chars; i++) {
                if (field->format == &format_code)
                        *p++ = (char)test_between('a', 'z');
                else if (field->format == &format_currency)
                        *p++ = (char)test_between('A', 'Z');
                else if (field->format == &format_printable)
                        *p++ = (char)test_between(' ', '~');
                else
                        p += random_char(p);
        }
        return text;
}

static int64_t random_int(const struct field *field)
{
        int64_t low = field->wire == WIRE_INT32 ? INT32_MIN : INT64_MIN, high = field_max(field);

        if (field->min != 0 || field->max != 0 || field->from_zero)
                low = field->min;
        if (test_between(0, 3) == 0)
                return test_between(0, 1) == 0 ? low : high;
        uint64_t span = (uint64_t)high - (uint64_t)low;
        return (int64_t)((uint64_t)low + (span == UINT64_MAX ? test_random() : test_random() % (span + 1)));
}

static struct date random_date(void)
{
        return (struct date){.year = (int16_t)test_between(1, 9999),
                             .month = (uint8_t)test_between(1, 12),
                             .day = (uint8_t)test_between(1, 28)};
}

static const char *random_json(void)
{
        static const char *const values[] = {"{}", "{\"a\":[1,2.5,{\"b\":null}],\"é\":\"\\u0001\"}",
                                             "{\"a\\nb\":-7}"};

        return values[test_between(0, (int64_t)ARRAY_SIZE(values) - 1)];
}

static void random_object(struct arena *arena, const struct shape *shape, void *object);

static void random_list(struct arena *arena, const struct field *field, struct list *list)
{
        int64_t max = field_max(field) < 3 ? field_max(field) : 3;

        list->n = (size_t)test_between(field->min < max ? field->min : max, max);
        list->v = arena_array(arena, list->n, field->of->size);
        for (size_t i = 0; i < list->n; i++)
                random_object(arena, field->of, (char *)list->v + i * field->of->size);
}

static void random_texts(struct arena *arena, const struct field *field, struct texts *texts)
{
        texts->n = (size_t)test_between(0, 3);
        texts->v = ARENA_ARRAY(arena, texts->n, const char *);
        for (size_t i = 0; i < texts->n; i++)
                texts->v[i] = random_text(arena, field);
}

static void random_value(struct arena *arena, const struct field *field, void *at)
{
        switch (field->wire) {
        case WIRE_BOOL:
                *(bool *)at = test_between(0, 1) == 1;
                break;
        case WIRE_INT:
                *(int64_t *)at = random_int(field);
                break;
        case WIRE_INT32:
                *(int32_t *)at = (int32_t)random_int(field);
                break;
        case WIRE_OPT_INT:
                *(struct opt_int *)at = (struct opt_int){.set = true, .v = random_int(field)};
                break;
        case WIRE_TEXT:
                *(const char **)at = random_text(arena, field);
                break;
        case WIRE_ENUM:
                *(unsigned *)at = (unsigned)test_between(1, field->names->n - 1);
                break;
        case WIRE_UUID:
                for (size_t i = 0; i < sizeof(struct uuid); i++)
                        ((struct uuid *)at)->b[i] = (uint8_t)test_between(1, 255);
                break;
        case WIRE_INSTANT:
                ((struct instant *)at)->us =
                        test_between(INT64_C(-62135596800), INT64_C(253402300799)) * INSTANT_SECOND +
                        test_between(0, 1) * test_between(1, INSTANT_SECOND - 1);
                break;
        case WIRE_DATE:
                *(struct date *)at = random_date();
                break;
        case WIRE_BIRTHDAY: {
                struct date date = random_date();
                *(struct birthday *)at =
                        (struct birthday){test_between(0, 1) == 0 ? 0 : date.year, date.month, date.day};
                break;
        }
        case WIRE_JSON:
                ((struct json_text *)at)->text = random_json();
                break;
        case WIRE_TEXTS:
                random_texts(arena, field, at);
                break;
        case WIRE_STRUCT:
                random_object(arena, field->of, at);
                break;
        case WIRE_POINTER:
                *(void **)at = arena_alloc(arena, field->of->size);
                random_object(arena, field->of, *(void **)at);
                break;
        case WIRE_LIST:
                random_list(arena, field, at);
                break;
        default: /* presence is no value; the others are not for JSON */
                break;
        }
}

/* Only what may be null is left out at times: what has a default is not null again when it comes back. */
static void random_object(struct arena *arena, const struct shape *shape, void *object)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                bool plain = field->wire == WIRE_BOOL || field->wire == WIRE_INT ||
                             field->wire == WIRE_INT32 || field->wire == WIRE_STRUCT ||
                             field->wire == WIRE_LIST || field->wire == WIRE_TEXTS;
                if (field->need || field->dflt != NULL || plain || test_between(0, 2) > 0)
                        random_value(arena, field, (char *)object + field->offset);
        }
}
