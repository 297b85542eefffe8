/* Objects of many shapes at random: what is encoded decodes to the same, and a copy is as good as the
 * original. */
#include "shape_random.h"
#include "shapes.h"

#include "base/shape_json.h"
#include "orders/checkout.h"

#define ROUNDS 1000

static const struct shape *const shapes[] = {
        &s_flags_shape,    &s_numbers_shape, &s_texts_shape, &s_moments_shape,
        &s_enums_shape,    &s_json_shape,    &s_lists_shape, &s_defaults_shape,
        &s_outer_shape,    &s_tree_shape,    &s_patch_shape, &s_secret_shape,
        &order_line_shape, &checkout_shape,  &outcome_shape, &program_shape,
};

static char *encoded(const struct shape *shape, const void *object)
{
        struct text out = {0};
        size_t len;

        shape_encode(&out, shape, object, /* masked= */ false);
        return text_take(&out, &len);
}

static void *decoded(struct ctx *c, const struct shape *shape, const char *json)
{
        void *object = arena_alloc(c->arena, shape->size);
        json_t *value;

        EXPECT_INT(json_parse(c, json, strlen(json), &value), ERR_OK);
        shape_decode(c, shape, value, object);
        json_decref(value);
        EXPECT_INT(problem_check(c), ERR_OK);
        for (size_t i = 0; i < c->problem.fault_count; i++)
                printf("    %s %s: %s\n", shape->name, c->problem.faults[i].pointer,
                       c->problem.faults[i].detail);
        return object;
}

static void round_of(const struct shape *shape)
{
        struct ctx c = {.arena = arena_new()};
        struct arena *copies = arena_new();
        void *object = arena_alloc(c.arena, shape->size), *copy = arena_alloc(copies, shape->size);

        random_object(c.arena, shape, object);
        char *first = encoded(shape, object);
        char *second = encoded(shape, decoded(&c, shape, first));
        EXPECT_TEXT(second, first);
        shape_copy(copies, shape, object, copy);
        arena_free(c.arena); /* a copy that still pointed there would be found out */
        char *third = encoded(shape, copy);
        EXPECT_TEXT(third, first);
        free(first);
        free(second);
        free(third);
        problem_reset(&c);
        arena_free(copies);
}

TEST(random_objects_survive_encoding_decoding_and_copying)
{
        for (int round = 0; round < ROUNDS && test_faults == 0; round++)
                for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
                        round_of(shapes[i]);
}

TEST(masked_objects_are_json_and_hold_no_secret)
{
        for (int round = 0; round < ROUNDS && test_faults == 0; round++) {
                struct ctx c = {.arena = arena_new()};
                struct s_secret secret = {0};
                struct text out = {0};
                json_t *value = NULL;
                random_object(c.arena, &s_secret_shape, &secret);
                shape_encode(&out, &s_secret_shape, &secret, /* masked= */ true);
                EXPECT_INT(json_parse(&c, out.data, out.len, &value), ERR_OK);
                const char *all = json_string_value(json_object_get(value, "all"));
                EXPECT(secret.all == NULL ? all == NULL : strcmp(all, "***") == 0);
                const char *name = json_string_value(json_object_get(value, "name"));
                EXPECT((secret.name == NULL) == (name == NULL));
                EXPECT(name == NULL || text_chars(name) <= 3);
                json_decref(value);
                text_free(&out);
                problem_reset(&c);
                arena_free(c.arena);
        }
}

TEST_MAIN
