/* Which lines of a chunk may be applied at the same time. Pure. */
#pragma once

#include "jobs/types.h"

/* Share out n lines among so many parts: ret[i] is that of line i. Lines that share one of their type's
 * names, directly or through others, are of one part; those without any, and those that could not be read,
 * are of the first one. The same lines are always shared out in the same way. */
void strands_of(struct arena *arena, const struct bulk_type *type, const struct bulk_line *lines, size_t n,
                size_t parts, size_t *ret);
