/* JSON Schema (2020-12, as OpenAPI 3.1 takes it) from shapes. Nested shapes are references to
 * "#/components/schemas/<name>" and, on the input side, "<name>_input". */
#pragma once

#include "base/shape.h"
#include "base/text.h"

/* What is sent may leave fields out and is checked against limits; what is answered has every field. */
enum schema_side { SCHEMA_OUTPUT, SCHEMA_INPUT, SCHEMA_SIDE_COUNT_ };

/* Append the schema of the object: on the input side of its IN_BODY fields, on the output side of all. A
 * shape with PRESENCE is a merge patch on the input side: nothing is required. */
void shape_schema(struct text *out, const struct shape *shape, enum schema_side side);

/* Append the schema of one field alone: for path and query parameters. */
void shape_schema_field(struct text *out, const struct field *field, enum schema_side side);

/* Append {"$ref":"..."} to a shape. */
void shape_schema_ref(struct text *out, const struct shape *shape, enum schema_side side);

/* Shapes to be described, each once, in the order they were met. */
#define SCHEMA_SET_MAX 256 /* shapes of the whole API; asserted */
struct schema_set {
        const struct shape *shapes[SCHEMA_SET_MAX];
        enum schema_side sides[SCHEMA_SET_MAX];
        size_t count;
};

/* Add the shape and every shape it holds. */
void schema_set_add(struct schema_set *set, const struct shape *shape, enum schema_side side);

/* Append "name":schema for each, with commas between them. */
void schema_set_write(struct text *out, const struct schema_set *set);
