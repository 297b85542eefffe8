/* JSON to struct and back, by shape. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"
#include "base/json.h"
#include "base/shape.h"

/* Decode the body (IN_BODY fields, or the IN_WHOLE_BODY one) into an object. Every fault is noted in
 * c->problem (the call itself goes on), so ask problem_check afterwards; *object must be zeroed and is only
 * meaningful without faults. All memory is the arena's. */
void shape_decode(struct ctx *c, const struct shape *shape, const json_t *json, void *object);

/* Decode one value of the path or the query by name; an unknown name and a second value are faults. *seen
 * collects which fields were given; start it at 0. */
void shape_decode_parameter(struct ctx *c, const struct shape *shape, enum place place, const char *name,
                            const char *value, uint64_t *seen, void *object);

/* All names, with commas between: what a problem says that a value must be one of. */
const char *names_listed(struct ctx *c, const struct names *names);

/* Apply the defaults of path and query fields that were not given, and demand those that are needed. */
void shape_decode_parameters_end(struct ctx *c, const struct shape *shape, uint64_t seen, void *object);

/* Write the object as JSON. With masked, personal data is masked as its field says. */
void shape_encode(struct text *out, const struct shape *shape, const void *object, bool masked);

/* What is left out of an object. */
enum without {
        WITHOUT_NOTHING,
        WITHOUT_NULLS, /* for what is sent, where they say nothing; and without what no body may hold */
        WITHOUT_LATER, /* what is marked as .later and says nothing */
};

/* The same, in parts. */
struct encoding {
        bool masked;
        enum without without;
        const struct pick *pick; /* of pick.h: only these members; NULL: all */
};
void shape_encode_as(struct text *out, const struct shape *shape, const void *object,
                     const struct encoding *how);

/* The same as shape_encode, but without what is marked as .later and says nothing: what tells two calls apart
 * stays what it was before there were such fields. */
void shape_encode_content(struct text *out, const struct shape *shape, const void *object);

/* Write the value of one field, which is not null, as it would stand in a query string or a cell: a text
 * without quotes; lists and objects as JSON, in them only what is known. */
void shape_plain(struct text *out, const struct field *field, const void *at, bool masked);
