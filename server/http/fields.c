#include "http/fields.h"

#include <assert.h>
#include <string.h>

/* Answers nest no deeper; a shape that nests in itself would have names without end. */
#define DEPTH_MAX 8

/* The member that the items of a list are in, or NULL. */
static const struct field *fields_list(const struct endpoint *endpoint)
{
        const struct field *data = shape_field(endpoint->out, "data", strlen("data"));

        return data != NULL && data->wire == WIRE_LIST ? data : NULL;
}

const struct shape *fields_of(const struct endpoint *endpoint)
{
        const struct field *data = fields_list(endpoint);

        if (endpoint->method != METHOD_GET || endpoint->streams || endpoint->out == &nothing_shape)
                return NULL;
        return data != NULL ? data->of : endpoint->out;
}

const struct pick *fields_read(struct ctx *c, const struct endpoint *endpoint, const char *names)
{
        const struct field *data = fields_list(endpoint);
        struct picks picks;

        pick_read(c, FIELDS_PARAMETER, names, fields_of(endpoint), PICK_DEEP, &picks);
        return data != NULL ? pick_within(c->arena, endpoint->out, data, picks.pick) : picks.pick;
}

/* ------------------------------------------------------------------ for the document */

void fields_parameter(struct text *out, const struct endpoint *endpoint)
{
        const struct field *data = fields_list(endpoint);

        text_printf(
                out,
                "{\"name\":\"" FIELDS_PARAMETER "\",\"in\":\"query\",\"description\":\"Only these members%s: "
                "names with commas between, a dot before the members of a member. The others are left out of the "
                "answer, also those that its schema requires.\",\"style\":\"form\",\"explode\":false,"
                "\"x-chooses-from\":\"%s\",\"schema\":{\"type\":\"array\",\"minItems\":1,\"uniqueItems\":true,"
                "\"items\":{\"$ref\":\"#/components/schemas/member_of_%s\"}}}",
                data != NULL ? " of each item" : "", data != NULL ? data->name : "",
                fields_of(endpoint)->name);
}

static void put_names(struct text *out, const struct shape *shape, const char *above, unsigned depth,
                      const char **separator)
{
        assert(depth < DEPTH_MAX);
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                struct text path = {0};
                if (!pick_offers(field, PICK_DEEP))
                        continue;
                text_printf(&path, "%s%s", above, field->name);
                text_puts(out, *separator);
                text_put_json(out, path.data);
                *separator = ",";
                text_putc(&path, '.');
                if (pick_opens(field, PICK_DEEP))
                        put_names(out, field->of, path.data, depth + 1, separator);
                text_free(&path);
        }
}

void fields_schema(struct text *out, const struct shape *shape)
{
        const char *separator = "";

        text_printf(
                out,
                "\"member_of_%s\":{\"type\":\"string\",\"description\":\"What `fields` may name of %s.\",\"enum\":[",
                shape->name, shape->name);
        put_names(out, shape, "", 0, &separator);
        text_puts(out, "]}");
}
