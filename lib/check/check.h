/* The auditor: proves from the stored rows that every balance is right. It reads the tables of all domains,
 * and only reads. */
#pragma once

#include <stdio.h>

#include "base/ctx.h"
#include "base/shape.h"

/* Something that does not add up. */
struct finding {
        const char *check;
        struct uuid customer_id;
        const char *detail;
};
struct proof {
        bool ok;
        int64_t customers;              /* with a points account */
        int64_t checked_entries;        /* of the ledger */
        LIST_OF(struct finding) faults; /* at most FINDINGS_MAX of each check */
};
SHAPE_DECLARE(proof);

/* Findings listed of one check. */
#define FINDINGS_MAX 100

/* The points alone: ledgers, accounts, lots, in one consistent view. */
enum err check_points(struct ctx *c, struct proof *ret) MUST_CHECK;

/* Everything: points, orders, refunds, tiers. Prints one line a check. */
enum err check_run(struct ctx *c, FILE *out, bool *ret_ok) MUST_CHECK;
