/* Pure: many small things as one block of bytes: the lines of a chunk as they wait to be applied, and their
 * results. One row of the database holds a block, so a million lines are a thousand rows. */
#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "base/uuid.h"

/* What is wrong with a line before anybody looked into it. */
enum line_fault { LINE_SOUND, LINE_TOO_LONG, LINE_NOT_TEXT };

struct staged_line {
        int64_t line; /* from 1 in its file */
        enum line_fault fault;
        const char *data; /* UTF-8, NUL-terminated in a block; empty when it is faulty */
        size_t len;
};

/* Append a line to a block whose first line is `first`. */
void pack_line(struct text *block, int64_t first, const struct staged_line *line);

/* The lines of a block, at most n of them; data points into the block. False: it is no such block. */
bool unpack_lines(const char *block, size_t len, int64_t first, struct staged_line *lines, size_t n);

struct line_result {
        int64_t line;
        int status; /* as HTTP says it */
        struct uuid id;
        const char *external_id; /* or NULL */
        const char *error;       /* a problem as JSON, NULL on success */
};

void pack_result(struct text *block, int64_t first, const struct line_result *result);

/* How many results a block holds, and they; texts are the arena's. False: it is no such block. */
bool unpack_results(struct arena *arena, const char *block, size_t len, int64_t first,
                    struct line_result **ret, size_t *ret_n);
