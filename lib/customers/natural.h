/* Natural keys: a sender's own key of something is part of its id, together with the customer's id. What came
 * with a merge was stored under the id that its customer had then, and must still be found. */
#pragma once

#include "customers/customers.h"

struct natural_key {
        struct uuid customer_id; /* as he is now */
        const char *key;         /* NULL: has none */
};

/* Under which ids the keys may be stored: under the customer's own first, then under those that he or whoever
 * was merged into him had before. */
struct natural_ids {
        struct uuids customers, ids; /* in step */
        size_t *keys;                /* in step: which of the keys, by index */
        size_t former;               /* how many of them are made of former ids */
};

/* One round trip, none without any key. */
enum err natural_ids_find(struct ctx *c, const char *kind, const struct natural_key *keys, size_t n,
                          struct natural_ids *ret) MUST_CHECK;
