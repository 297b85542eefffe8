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
        bool over_many; /* may have to read much of a table: scans and the joins of many rows are allowed */
};

/* All rows, in the arena. In a transaction. ERR_INTERNAL when text and shapes do not fit. */
enum err query_many(struct ctx *c, const struct query *query, const void *in, struct list *ret) MUST_CHECK;

/* About how many rows there would be, as the planner sees it; nothing is read. In a transaction.
 * ERR_INTERNAL. */
enum err query_estimate(struct ctx *c, const struct query *query, const void *in, int64_t *ret) MUST_CHECK;

/* Append a condition to those that are there, with AND between. */
void query_must(struct text *conditions, const char *condition);
