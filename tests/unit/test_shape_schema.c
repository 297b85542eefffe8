#include "test.h"

#include <jansson.h>

#include "base/shape_schema.h"

struct part {
        const char *code;
};
#define SHAPE_T struct part
SHAPE(part, "A part.", FIELD(code, .need = true, .format = &format_code));
#undef SHAPE_T

NAMES(colours, "red", "green");

struct thing {
        const char *ref, *name, *phone;
        int64_t page, count;
        int32_t small;
        struct opt_int maybe;
        bool flag;
        unsigned colour;
        struct uuid id;
        struct instant at;
        struct date on;
        struct birthday birthday;
        struct json_text any;
        struct texts tags;
        struct part inner;
        struct part *pointer;
        LIST_OF(struct part) parts;
};
#define SHAPE_T struct thing
SHAPE(thing, "A thing.", FIELD(ref, .in = IN_PATH, .need = true),
      FIELD(page, .in = IN_QUERY, .min = 1, .max = 9, .dflt = "1"),
      FIELD(name, .need = true, .min = 1, .max = 50, .doc = "Its \"name\".", .example = "\"bag\""),
      FIELD(phone, .pii = PII_PHONE), FIELD(count, .from_zero = true, .dflt = "3"), FIELD(small),
      FIELD(maybe), FIELD(flag, .dflt = "true"), FIELD(colour, .names = &colours, .dflt = "red"), FIELD(id),
      FIELD(at, .need = true), FIELD(on), FIELD(birthday, .pii = PII_BIRTHDAY), FIELD(any),
      FIELD(tags, .max = 30), NEST(inner, part), POINTER(pointer, part),
      LIST(parts, part, .min = 1, .max = 4));
#undef SHAPE_T

struct change {
        struct presence sent;
        const char *name;
        int64_t count;
};
#define SHAPE_T struct change
SHAPE(change, "A change.", PRESENCE(sent), FIELD(name, .need = true), FIELD(count, .dflt = "3"));
#undef SHAPE_T

static json_t *schema_of(const struct shape *shape, enum schema_side side)
{
        struct text out = {0};
        json_error_t error;

        shape_schema(&out, shape, side);
        json_t *json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
        if (json == NULL)
                printf("  %s in %s\n", error.text, out.data);
        EXPECT(json != NULL);
        text_free(&out);
        return json;
}

/* The schema of one field as compact JSON, "" when it is not there. */
static const char *field_of(const struct shape *shape, enum schema_side side, const char *name)
{
        static char text[1024];
        json_t *json = schema_of(shape, side);
        json_t *field = json_object_get(json_object_get(json, "properties"), name);

        text[0] = '\0';
        if (field != NULL) {
                char *dump = json_dumps(field, JSON_COMPACT);
                snprintf(text, sizeof text, "%s", dump);
                free(dump);
        }
        json_decref(json);
        return text;
}
#define IN(name_)  field_of(&thing_shape, SCHEMA_INPUT, name_)
#define OUT(name_) field_of(&thing_shape, SCHEMA_OUTPUT, name_)

TEST(schema_input_tells_limits_defaults_and_that_optional_may_be_null)
{
        EXPECT_TEXT(IN("name"), "{\"type\":\"string\",\"minLength\":1,\"maxLength\":50,"
                                "\"description\":\"Its \\\"name\\\".\",\"examples\":[\"bag\"]}");
        EXPECT_TEXT(IN("count"),
                    "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\",\"minimum\":0,\"default\":3}");
        EXPECT_TEXT(IN("small"),
                    "{\"type\":[\"integer\",\"null\"],\"format\":\"int32\",\"maximum\":2147483647}");
        EXPECT_TEXT(IN("flag"), "{\"type\":[\"boolean\",\"null\"],\"default\":true}");
        EXPECT_TEXT(IN("colour"),
                    "{\"type\":[\"string\",\"null\"],\"enum\":[\"red\",\"green\",null],\"default\":\"red\"}");
        EXPECT_TEXT(IN("id"), "{\"type\":[\"string\",\"null\"],\"format\":\"uuid\"}");
        EXPECT_TEXT(IN("at"), "{\"type\":\"string\",\"format\":\"date-time\"}");
        EXPECT_TEXT(IN("on"), "{\"type\":[\"string\",\"null\"],\"format\":\"date\"}");
        EXPECT_TEXT(IN("tags"),
                    "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\",\"maxLength\":30},"
                    "\"maxItems\":500}");
        EXPECT_TEXT(IN("parts"),
                    "{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/components/schemas/part_input\"},"
                    "\"minItems\":1,\"maxItems\":4}");
        EXPECT_TEXT(IN("inner"),
                    "{\"anyOf\":[{\"$ref\":\"#/components/schemas/part_input\"},{\"type\":\"null\"}]}");
        EXPECT_TEXT(field_of(&part_shape, SCHEMA_INPUT, "code"),
                    "{\"type\":\"string\",\"maxLength\":200,\"pattern\":\"^[a-z][a-z0-9_]*$\"}");
}

TEST(schema_output_is_null_only_where_the_struct_can_be)
{
        EXPECT_TEXT(OUT("count"), "{\"type\":\"integer\",\"format\":\"int64\"}");
        EXPECT_TEXT(OUT("maybe"), "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\"}");
        EXPECT_TEXT(OUT("flag"), "{\"type\":\"boolean\"}");
        EXPECT_TEXT(OUT("colour"), "{\"type\":[\"string\",\"null\"],\"enum\":[\"red\",\"green\",null]}");
        EXPECT_TEXT(OUT("inner"), "{\"allOf\":[{\"$ref\":\"#/components/schemas/part\"}]}");
        EXPECT_TEXT(OUT("pointer"),
                    "{\"anyOf\":[{\"$ref\":\"#/components/schemas/part\"},{\"type\":\"null\"}]}");
        EXPECT_TEXT(OUT("parts"), "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/part\"}}");
}

TEST(schema_output_of_personal_data_admits_its_mask)
{
        EXPECT_TEXT(OUT("birthday"), "{\"type\":[\"string\",\"null\"],\"x-pii\":\"birthday\"}");
        EXPECT_TEXT(OUT("phone"), "{\"type\":[\"string\",\"null\"],\"x-pii\":\"phone\"}");
        EXPECT(strstr(IN("birthday"), "\"pattern\"") != NULL);
}

TEST(schema_required_is_what_is_needed_in_and_everything_out)
{
        json_t *in = schema_of(&thing_shape, SCHEMA_INPUT), *out = schema_of(&thing_shape, SCHEMA_OUTPUT);

        EXPECT_INT(json_array_size(json_object_get(in, "required")), 2); /* name, at; ref is in the path */
        EXPECT_INT(json_array_size(json_object_get(out, "required")), thing_shape.count);
        EXPECT_INT(json_object_size(json_object_get(in, "properties")), thing_shape.count - 2);
        EXPECT_INT(json_object_size(json_object_get(out, "properties")), thing_shape.count);
        EXPECT(json_is_false(json_object_get(in, "additionalProperties")));
        json_decref(in);
        json_decref(out);
}

TEST(schema_of_a_merge_patch_requires_and_defaults_nothing)
{
        json_t *in = schema_of(&change_shape, SCHEMA_INPUT);

        EXPECT(json_object_get(in, "required") == NULL);
        EXPECT_INT(json_object_size(json_object_get(in, "properties")), 2);
        EXPECT_TEXT(field_of(&change_shape, SCHEMA_INPUT, "count"),
                    "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\"}");
        EXPECT_TEXT(field_of(&change_shape, SCHEMA_INPUT, "name"), "{\"type\":\"string\",\"maxLength\":200}");
        json_decref(in);
}

TEST(schema_of_a_parameter_is_never_null)
{
        struct text out = {0};

        shape_schema_field(&out, shape_field(&thing_shape, "page", 4), SCHEMA_INPUT);
        EXPECT_TEXT(out.data,
                    "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,\"maximum\":9,\"default\":1}");
        text_free(&out);
        EXPECT(NULL != shape_body(&thing_shape) && NULL == shape_body(&nothing_shape));
}

TEST(schema_set_holds_each_shape_once_per_side)
{
        struct schema_set set = {.count = 0};
        struct text out = {0};
        json_error_t error;

        schema_set_add(&set, &thing_shape, SCHEMA_INPUT);
        schema_set_add(&set, &thing_shape, SCHEMA_OUTPUT);
        schema_set_add(&set, &part_shape, SCHEMA_OUTPUT);
        EXPECT_INT(set.count, 4);
        text_putc(&out, '{');
        schema_set_write(&out, &set);
        text_putc(&out, '}');
        json_t *json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
        EXPECT(json != NULL && json_object_get(json, "part_input") != NULL &&
               json_object_get(json, "part") != NULL);
        json_decref(json);
        text_free(&out);
}

TEST_MAIN
