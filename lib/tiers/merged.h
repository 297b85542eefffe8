/* Tiers of customers who become one, and of those who are taken apart again. */
#pragma once

#include "tiers/tiers.h"

struct tiers_merging {
        struct uuid from, to;
        struct instant from_joined, to_joined;
};
/* Add what one customer bought to another's days and judge him anew: he has the higher of both tiers, or the
 * one that both together qualify for. The rows of the first go; whoever undoes it has kept them. Both are
 * locked. */
enum err tiers_merge(struct ctx *c, const struct tiers_merging *merging) MUST_CHECK;

/* The standing that a customer had before. */
struct tiers_before {
        const char *tier, *pin_tier;
        struct instant since, until, first_order_at;
};
struct tiers_separating {
        struct uuid stays, leaves;
        struct instant stays_joined, leaves_joined;
        struct tiers_before before;     /* of who stays; tier NULL: had none */
        const struct metric_day *moved; /* what had been moved, by day, */
        size_t moved_count;
        const struct metric_day *since; /* and what has become of it since */
        size_t since_count;
        struct instant stays_first, leaves_first; /* orders that count */
        struct instant stays_last, leaves_last;   /* those that are kept */
};
/* Take what was moved from who stays; who leaves has his rows from before again, and gets what changed since.
 * Who stays keeps the tier that he had before or qualifies for alone. */
enum err tiers_separate(struct ctx *c, const struct tiers_separating *separating) MUST_CHECK;
