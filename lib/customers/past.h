/* Pages of what happened to one customer, newest first. */
#pragma once

#include "base/ctx.h"
#include "base/page.h"

/* Before the position (at, id); at none: from the newest. */
struct past_page {
        struct uuid customer_id;
        struct instant since, until; /* none: from the first, to the last */
        const char *kind;            /* only these, where the list has kinds; NULL: all */
        struct instant before_at;
        struct uuid before_id;
        PAGED;
};
SHAPE_DECLARE(past_page);

/* Of a SQL_PAGE over a column of instants, `id` telling those of one instant apart: the filters, */
#define PAST_ONLY(at_)                                                                                       \
        "(:since::timestamptz IS NULL OR " at_ " >= :since) AND (:until::timestamptz IS NULL OR " at_        \
        " < :until)"
/* the filter by the column that has the kind, */
#define PAST_KIND(kind_) "(:kind::text IS NULL OR " kind_ " = :kind) AND "
/* position and order. */
#define PAST_ORDER(at_)                                                                                      \
        "AND (:before_at::timestamptz IS NULL OR (" at_ ", id) < (:before_at, :before_id)) ORDER BY " at_    \
        " DESC, id DESC"
