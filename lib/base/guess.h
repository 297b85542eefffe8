/* Pure: the closest of some names to a misspelt word, for "did you mean". */
#pragma once

#include <stddef.h>

struct guess {
        const char *word;
        size_t len;
        const char *best; /* NULL: none is close enough */
        unsigned distance;
};

/* Keep the name when it is closer than those before. */
void guess_try(struct guess *guess, const char *name);
