/* Likeness: by what customers may be one person, kept up to date with the directory. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

/* Why they may be one, the surest first. */
enum likeness {
        LIKENESS_NONE,
        LIKENESS_NUMBER,  /* a number with the same last digits, whatever its country or kind */
        LIKENESS_EMAIL,   /* one mailbox: without dots and what follows a plus */
        LIKENESS_ACCOUNT, /* an open id or the like, whatever its kind and case */
        LIKENESS_ADDRESS, /* the same name, and one address that is the same */
        LIKENESS_REGION,  /* the same name and city, of those without any address */
};
extern const struct names likeness_names;

/* More of one likeness are no duplicates but a common name or a shared number. */
#define ALIKE_MAX 10

/* Customers who share something: what it is, without telling it, and who. */
struct alike {
        int64_t why; /* enum likeness */
        int64_t key;
        struct uuids ids; /* 2 to ALIKE_MAX, ascending */
};

/* At most limit groups behind a position, in the order of why and key. Reads on until it has found them: all
 * keys at most. */
struct alike_page {
        int64_t after_why, after_key;
        int64_t why_last; /* none of a later kind */
        int64_t limit;
};
enum err alike_list(struct ctx *c, const struct alike_page *page, struct list *ret) MUST_CHECK;

/* Take in what these customers, whose profile has changed, are recognised by now; the rows of those that are
 * gone go. In a transaction. */
enum err alike_refresh(struct ctx *c, const struct uuids *ids) MUST_CHECK;
