/* Which lines of a chunk may be applied at the same time. Pure. */
#pragma once

#include "base/arena.h"
#include "base/uuid.h"

/* Names of the people of one line, at most. */
#define STRAND_NAMES_MAX 8
struct strand_names {
        struct uuid v[STRAND_NAMES_MAX];
        size_t n;
};

/* Share out n lines among so many parts: ret[i], below parts, is that of line i. Lines that share a name,
 * directly or through others, are of one part; those without any are of the first one. The same lines are
 * always shared out in the same way. */
void strands_of(struct arena *arena, const struct strand_names *names, size_t n, size_t parts, size_t *ret);
