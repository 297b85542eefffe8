/* Pages of lists: how they are asked for, and where they end. The statements are in db/page.h. */
#pragma once

#include "base/shape.h"

/* Members of what a page is asked by: at most how many rows, and, unless NULL, where to tell how many pass
 * the filters on all pages together. */
#define PAGED                                                                                                \
        int64_t limit;                                                                                       \
        struct opt_int *total

/* Where a page of a sorted list ended: the value that it is sorted by, and the key of the row. */
struct page_position {
        struct instant at; /* one of these, by the type of the value */
        int64_t number;
        const char *text;
        struct uuid id; /* one of these, by the type of the key; neither: the beginning of the list */
        const char *code;
};
SHAPE_DECLARE(page_position);

/* How a page of a sorted list is asked for. */
struct paging {
        unsigned sort; /* of the names that the list has */
        struct page_position after;
        PAGED;
};
SHAPE_DECLARE(paging);

struct page_rows {
        void *v;
        size_t n;
        bool more;
        struct page_position last; /* when there are more */
};
