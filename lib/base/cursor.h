/* Cursors: a position in a list, opaque to the caller, good only for the same list with the same filters. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

/* The position (an object of shape) as text in the arena. filters names the list and every filter and order
 * of it. */
const char *cursor_write(struct arena *arena, const char *filters, const struct shape *shape,
                         const void *position);

/* A cursor back to its position; NULL leaves *position as it is (the beginning). ERR_BAD_CURSOR. */
enum err cursor_read(struct ctx *c, const char *cursor, const char *filters, const struct shape *shape,
                     void *position) MUST_CHECK;
