/* Statements whose text depends on what was asked: lists with filters and orders. The text is put together of
 * constants of the program, never of anything that came from outside; values are parameters, as in
 * statement.h.
 *
 * Such a statement can't be checked at start, and it is planned anew each time, for its very values: a
 * selective filter gets its index, a page the one that its order reads. A test runs every variant. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "base/text.h"

struct query {
        const char *name; /* for messages */
        const char *text;
        const struct shape *in, *out;
};

/* All rows, in the arena. In a transaction. ERR_INTERNAL when text and shapes do not fit. */
enum err query_many(struct ctx *c, const struct query *query, const void *in, struct list *ret) MUST_CHECK;
