/* The server's own pages, beside the API: health, metrics and the description of itself. */
#pragma once

#include "http/internal.h"

/* The page of a path, or NULL. */
const struct builtin *builtin_find(const char *path);

/* Answer r->builtin into r->answer or r->err; blocks on nothing. */
void builtin_answer(struct request *r);
