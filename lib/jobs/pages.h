/* The pages of an export, read ahead: a thread loads the next one while the caller writes this one out, so
 * that neither the database nor the writing waits for the other. Two pages are held at most. */
#pragma once

#include "jobs/types.h"

struct pages;

/* Begin to read, by c's connection and in its transaction: until pages_stop only the pages use it. `lines` is
 * the size of a page. NULL when a thread can't be made. The type, the filter and c must stay. */
struct pages *pages_start(const struct ctx *c, const struct bulk_type *type, const struct bulk_filter *filter,
                          int64_t lines);

/* The next page, good until the next call; none left: *ret is empty. An error is said in c. */
enum err pages_next(struct ctx *c, struct pages *pages, struct list *ret) MUST_CHECK;

/* Wait until the connection is free again. NULL is fine. */
void pages_stop(struct pages *pages);
