/* Duplicates: customers who may be one person, to be looked at and merged by somebody. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "customers/customers.h"
#include "directory/alike.h"

struct duplicate {
        unsigned why;                       /* enum likeness */
        int64_t score;                      /* how sure: 1 to 100 */
        LIST_OF(struct customer) customers; /* complete, by id */
};
SHAPE_DECLARE(duplicate);

/* The last one of the page before: what they share, keyed. */
struct duplicate_position {
        unsigned why;
        int64_t key;
};
SHAPE_DECLARE(duplicate_position);

struct duplicates_page {
        unsigned why;                    /* only of this likeness; 0: of any */
        struct duplicate_position after; /* why 0: from the first */
        int64_t limit;
};
struct duplicates_found {
        LIST_OF(struct duplicate) duplicates;
        bool more;
        struct duplicate_position last; /* where the next page begins, when there is one */
};
/* The surest first. */
enum err duplicates_list(struct ctx *c, const struct duplicates_page *page,
                         struct duplicates_found *ret) MUST_CHECK;
