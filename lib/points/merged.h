/* The points of customers who become one, and of those who are taken apart again. */
#pragma once

#include "points/separate.h"

/* What of the points of somebody stands in the way of a merge. */
struct points_merging {
        int64_t open_holds;
        int64_t last_seq; /* of the ledger */
};
enum err points_merging(struct ctx *c, struct uuid customer_id, struct points_merging *ret) MUST_CHECK;

/* Queue: append the ledger, lots and holds of one customer to those of another; every entry's balance grows
 * by what the other one had. Both are locked. */
struct points_joining {
        struct uuid from, to, merge_id;
};
enum err points_merge(struct ctx *c, const struct points_joining *joining) MUST_CHECK;

/* Take apart what was one. ERR_MERGE_BLOCKED when it can't be. */
enum err points_separate(struct ctx *c, const struct leaving *leaving) MUST_CHECK;
