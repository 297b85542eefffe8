/* Whatever a client sends as a body: parsing and decoding must stay in bounds and say every fault, and what
 * they accept must, written out again, decode to the same. Input: one byte that chooses the shape, then the
 * body. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/shape_json.h"
#include "orders/checkout.h"
#include "program/program.h"
#include "shapes.h"

static const struct shape *const shapes[] = {&order_in_shape,  &program_shape,     &customer_in_shape,
                                             &refund_in_shape, &checkout_in_shape, &s_tree_shape,
                                             &s_patch_shape,   &s_secret_shape,    &s_numbers_shape,
                                             &s_moments_shape, &s_json_shape,      &s_order_shape};
#define SHAPES (sizeof shapes / sizeof shapes[0])

/* The part of a shape that stands in a body: what is in the path or the query is not written back into it. */
static struct shape body_of(const struct shape *shape, struct field fields[SHAPE_FIELDS_MAX])
{
        struct shape body = *shape;

        body.count = 0;
        for (size_t i = 0; i < shape->count; i++) {
                if (shape->fields[i].in == IN_WHOLE_BODY)
                        return *shape->fields[i].of;
                if (shape->fields[i].in == IN_BODY)
                        fields[body.count++] = shape->fields[i];
        }
        body.fields = fields;
        return body;
}

/* Decode into c's arena; NULL when there are faults, each with its place and its sentence. */
static void *accept(struct ctx *c, const struct shape *shape, const char *bytes, size_t len)
{
        json_t *json;

        if (json_parse(c, bytes, len, &json) != ERR_OK) {
                assert(c->problem.detail != NULL);
                return NULL;
        }
        void *object = arena_alloc(c->arena, shape->size);
        shape_decode(c, shape, json, object);
        json_decref(json);
        for (size_t i = 0; i < c->problem.fault_count; i++)
                assert(c->problem.faults[i].pointer[0] == '#' && c->problem.faults[i].detail[0] != '\0');
        return problem_check(c) == ERR_OK ? object : NULL;
}

static void expect_problem(struct ctx *c)
{
        struct text text = {0};
        json_t *json;

        problem_write(c, /* instance= */ NULL, &text);
        problem_reset(c);
        if (json_parse(c, text.data, text.len, &json) != ERR_OK)
                abort();
        json_decref(json);
        text_free(&text);
}

static void expect_same_again(struct ctx *c, const struct shape *shape, const void *object)
{
        struct text first = {0}, second = {0}, masked = {0};
        json_t *json;

        shape_encode(&first, shape, object, /* masked= */ false);
        const void *again = accept(c, shape, first.data, first.len);
        assert(again != NULL);
        void *copy = arena_alloc(c->arena, shape->size);
        shape_copy(c->arena, shape, again, copy);
        shape_encode(&second, shape, copy, /* masked= */ false);
        assert(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
        shape_encode(&masked, shape, object, /* masked= */ true);
        if (json_parse(c, masked.data, masked.len, &json) != ERR_OK)
                abort();
        json_decref(json);
        text_free(&first);
        text_free(&second);
        text_free(&masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct field fields[SHAPE_FIELDS_MAX];

        if (size == 0)
                return 0;
        struct shape shape = body_of(shapes[data[0] % SHAPES], fields);
        struct ctx c = {.arena = arena_new()};
        const void *object = accept(&c, &shape, (const char *)data + 1, size - 1);
        if (object == NULL)
                expect_problem(&c);
        else
                expect_same_again(&c, &shape, object);
        problem_reset(&c);
        arena_free(c.arena);
        return 0;
}
