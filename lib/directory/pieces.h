/* What a customer is found by: his searchable text, its pieces for the index, and what a search looks for.
 * Pure.
 *
 * Pieces are what stands at each place of a line, up to three characters: any run of one to three characters
 * of the text begins a piece, so one index serves a single Chinese character and the last digits of a phone.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/shape.h"

#define PIECE_CHARS 3
/* Between pieces: no text that comes in holds a control character but newline and tab. */
#define PIECE_SEPARATOR "\x1f"

/* Texts (NULL ones are left out) as one text, a line each, Latin letters in lower case. */
const char *pieces_content(struct arena *arena, const char *const *texts, size_t n);

/* The different pieces of a content, with PIECE_SEPARATOR between them; "" when there are none. */
const char *pieces_of(struct arena *arena, const char *content);

/* A search: words, parted by white space, each of which must occur. At most SEARCH_WORDS_MAX count. */
#define SEARCH_WORDS_MAX 8
struct search {
        struct texts patterns; /* for LIKE, with % around */
        const char *whole;     /* for LIKE on a content between newlines: a line that is just this */
        const char *tsquery;   /* what the index is asked; NULL when there are no words */
};
struct search search_of(struct arena *arena, const char *q);
