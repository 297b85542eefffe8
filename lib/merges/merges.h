/* Merges: two customers who are one person become one, and can be taken apart again for 30 days. Goes by the
 * list in privacy/holdings.h, table by table. */
#pragma once

#include "base/ctx.h"
#include "base/page.h"
#include "base/shape.h"
#include "customers/customers.h"

#define MERGE_UNDO_DAYS 30

struct customer_merge {
        struct uuid id, customer_id, absorbed_id;
        struct instant created_at, undo_until, undone_at;
        const char *undo_reason;
};
SHAPE_DECLARE(customer_merge);

/* Something that must be settled before. */
struct blocker {
        const char *code, *detail;
};
/* Rows that would move. */
struct moving_rows {
        const char *table;
        int64_t rows;
};
SHAPE_DECLARE(moving_rows);
struct merge_preview {
        struct customer survivor, absorbed;
        bool possible;
        LIST_OF(struct blocker) blockers;
        LIST_OF(struct moving_rows) moves; /* of tables with any */
};
SHAPE_DECLARE(merge_preview);

/* What a merge would do; nothing is written. ERR_NOT_FOUND. */
enum err merge_preview_get(struct ctx *c, const char *survivor, const char *absorbed,
                           struct merge_preview *ret) MUST_CHECK;

/* In a transaction. What the survivor has holds, what he lacks he gets; of consents the stricter one holds.
 * The other's ids and references mean the survivor from then on. ERR_NOT_FOUND, ERR_MERGE_BLOCKED. */
enum err merge_do(struct ctx *c, const char *survivor, const char *absorbed,
                  struct customer_merge *ret) MUST_CHECK;

/* In a transaction. What was moved goes back, with what has become of it; what has happened since otherwise
 * stays. reason may be NULL. ERR_NOT_FOUND, ERR_MERGE_UNDONE, ERR_MERGE_TOO_OLD, ERR_MERGE_BLOCKED. */
enum err merge_undo(struct ctx *c, struct uuid id, const char *reason, struct customer_merge *ret) MUST_CHECK;

/* Forget what merges moved that can't be undone any more: at most limit rows, in a transaction; *ret_more
 * when others remain. The merges stay, and what they moved stays where it is. */
enum err merges_forget_due(struct ctx *c, int64_t limit, bool *ret_more) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err merge_get(struct ctx *c, struct uuid id, struct customer_merge *ret) MUST_CHECK;

/* Newest first, before an id (nil: from the newest); customer_id nil: of all survivors. */
struct merges_page {
        struct uuid customer_id, before_id;
        PAGED;
};
enum err merges_list(struct ctx *c, const struct merges_page *page, struct list *ret) MUST_CHECK;
