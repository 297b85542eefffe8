/* Lines through the domain: many in one statement set where they are good, apart where they are not. */
#pragma once

#include "jobs/types.h"

/* Apply the lines in their order within the open transaction; each one's outcome goes into it, and what a
 * refused one had begun is undone. An error is the database's (ERR_DATABASE_AWAY): nothing is known then. */
enum err lines_apply(struct ctx *c, const struct bulk_type *type, const struct bulk_options *options,
                     struct bulk_line **lines, size_t n) MUST_CHECK;
