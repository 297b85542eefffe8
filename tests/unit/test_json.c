#include "test.h"

#include "base/shape_json.h"
#include "base/uuid.h"

NAMES(sizes, "small", "large");

struct change {
        struct presence has;
        const char *detail;
        unsigned size;
};
#define SHAPE_T struct change
SHAPE(change, "A merge patch.", PRESENCE(has), FIELD(detail), FIELD(size, .names = &sizes));
#undef SHAPE_T

struct item {
        int64_t quantity;
        unsigned size;
        struct opt_int cost;
        struct change change;
};
#define SHAPE_T struct item
SHAPE(item, "An item.", FIELD(quantity, .min = 1, .max = 9, .dflt = "1"),
      FIELD(size, .names = &sizes, .dflt = "large"), FIELD(cost, .max = 9), NEST(change, change));
#undef SHAPE_T

struct patch {
        struct presence has;
        struct change inner;
        const char *name;
};
#define SHAPE_T struct patch
SHAPE(patch, "A merge patch with another in it.", PRESENCE(has), NEST(inner, change), FIELD(name));
#undef SHAPE_T

static bool decoded(const struct shape *shape, const char *text, void *ret)
{
        struct ctx c = {.arena = arena_new()};
        json_t *json;
        bool ok = json_parse(&c, text, strlen(text), &json) == ERR_OK;

        if (ok) {
                shape_decode(&c, shape, json, ret);
                json_decref(json);
                ok = problem_check(&c) == ERR_OK;
        }
        problem_reset(&c);
        arena_free(c.arena);
        return ok;
}

TEST(null_in_place_of_a_field_stands_for_its_default)
{
        struct item item = {0};

        EXPECT(decoded(&item_shape, "{\"quantity\":null,\"size\":null,\"cost\":null,\"change\":null}",
                       &item));
        EXPECT_INT(item.quantity, 1);
        EXPECT_TEXT(sizes.v[item.size], "large");
        EXPECT(!item.cost.set);
}

TEST(null_in_a_merge_patch_is_kept_as_null)
{
        struct patch patch = {0};

        EXPECT(decoded(&patch_shape, "{\"inner\":{\"detail\":null}}", &patch));
        EXPECT(SHAPE_HAS(patch, &patch, inner) && !SHAPE_HAS(patch, &patch, name));
        EXPECT(SHAPE_HAS(change, &patch.inner, detail) && !SHAPE_HAS(change, &patch.inner, size));
}

TEST(null_in_place_of_a_nested_merge_patch_clears_all_that_is_in_it)
{
        struct patch patch = {0}, known = {.inner = {.detail = "d", .size = 1}, .name = "n"};

        EXPECT(decoded(&patch_shape, "{\"inner\":null}", &patch));
        EXPECT(shape_merge(&patch_shape, &patch, &patch_shape, &known, MERGE_ALL));
        EXPECT(known.inner.detail == NULL && known.inner.size == 0);
        EXPECT_TEXT(known.name, "n");
}

TEST(merge_patches_are_those_of_rfc_7396)
{
        static const struct {
                const char *target, *patch, *merged;
        } cases[] = {
                {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
                {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
                {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
                {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
                {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
                {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
                {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
                {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
                {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
                {NULL, "{\"a\":1,\"b\":null}", "{\"a\":1}"},
        };
        struct arena *arena = arena_new();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                EXPECT_TEXT(json_merge_patch(arena, cases[i].target, cases[i].patch), cases[i].merged);
        arena_free(arena);
}

TEST(a_free_object_must_be_an_object)
{
        struct holder {
                struct json_text facts;
        } holder = {0};
        static const struct field fields[] = {
                {.name = "facts", .wire = WIRE_JSON, .size = sizeof holder.facts}};
        const struct shape shape = {.name = "holder", .size = sizeof holder, .fields = fields, .count = 1};

        EXPECT(!decoded(&shape, "{\"facts\":\"text\"}", &holder));
        EXPECT(!decoded(&shape, "{\"facts\":[]}", &holder));
        EXPECT(decoded(&shape, "{\"facts\":{}}", &holder));
}

TEST(an_id_is_made_of_the_longest_name_in_any_script)
{
        const size_t chars = 254, bytes = 4; /* an e-mail of characters of four bytes */
        char name[254 * 4 + 1], kind[40 * 4 + 1];
        static const char face[] = "\xF0\x9F\x98\x80";

        for (size_t i = 0; i < chars; i++)
                memcpy(name + i * bytes, face, bytes);
        name[chars * bytes] = '\0';
        memset(kind, 'k', sizeof kind - 1);
        kind[sizeof kind - 1] = '\0';
        struct uuid id = uuid_of_external(kind, name);
        name[chars * bytes - 1] = '\x81';
        EXPECT(!uuid_equal(id, uuid_of_external(kind, name)));
        EXPECT(uuid_known(uuid_of_child(kind, id, name)));
}

TEST_MAIN
