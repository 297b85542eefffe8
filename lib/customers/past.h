/* Pages of what happened to one customer, newest first. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

/* Before the position (at, id); at none: from the newest. */
struct past_page {
        struct uuid customer_id;
        struct instant before_at;
        struct uuid before_id;
        int64_t limit;
};
SHAPE_DECLARE(past_page);

/* The condition and order of such a page over a column of instants, `id` telling those of one instant apart.
 */
#define PAST_ONLY(at_)                                                                                       \
        "(:before_at::timestamptz IS NULL OR (" at_ ", id) < (:before_at, :before_id)) ORDER BY " at_        \
        " DESC, id DESC LIMIT :limit"
