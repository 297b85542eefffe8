/* Duplicates: customers who may be one person, to be looked at and merged by somebody. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "customers/customers.h"

/* Why they may be one. */
enum likeness {
        LIKENESS_NONE,
        LIKENESS_NUMBER,  /* a number with the same last digits, whatever its country or kind */
        LIKENESS_EMAIL,   /* one mailbox: without dots and what follows a plus */
        LIKENESS_ACCOUNT, /* an open id or the like, whatever its kind and case */
        LIKENESS_ADDRESS, /* the same name and address */
};
extern const struct names likeness_names;

/* More of one likeness are no duplicates but a common name or a shared number. */
#define DUPLICATES_MAX 10

struct duplicate {
        unsigned why;                       /* enum likeness */
        int64_t score;                      /* how sure: 1 to 100 */
        LIST_OF(struct customer) customers; /* complete, by id */
};
SHAPE_DECLARE(duplicate);

/* The last one of the page before. */
struct duplicate_position {
        struct uuid first_id, last_id;
        unsigned why;
};
SHAPE_DECLARE(duplicate_position);
struct duplicates_page {
        struct duplicate_position after; /* nil ids: from the first */
        int64_t limit;
};
/* Reads everybody: a report. In the order of the customers' ids. */
enum err duplicates_list(struct ctx *c, const struct duplicates_page *page, struct list *ret) MUST_CHECK;
