/* Chores: what time alone causes, done beside the requests by the housekeeper. Each is safe to run on several
 * servers at once, twice, and after days of outage. */
#pragma once

#include "base/ctx.h"

struct chore {
        const char *name; /* for the log */
        unsigned every_seconds;
        /* Do a bounded piece, in transactions of its own; *ret_more when another piece waits. */
        enum err (*run)(struct ctx *c, bool *ret_more);
};

/* All of them: server/chores.c. */
extern const struct chore chores[];
extern const size_t chore_count;
#define CHORES_MAX 32
