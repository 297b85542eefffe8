/* Statements of lists. One declaration is the page and the count of all that pass its filters, so that
 * neither can know a filter that the other doesn't.
 *
 *         SQL_PAGE(holds_page, hold_page, hold, "id, points",
 *                  "points_holds WHERE customer_id = :customer_id",
 *                  "AND (:before_seq = 0 OR seq < :before_seq) ORDER BY seq DESC")
 *
 * has one order, given with the condition of its position, and is prepared like every other statement. Its
 * input has PAGED.
 *
 *         SQL_LIST(groups_sorted, groups_page, group, "code, name, created_at",
 *                  "groups g WHERE (:platform::text IS NULL OR g.platform = :platform)",
 *                  "g.", "code", group_sort_names)
 *
 * can be sorted: sort_names_ are names of members of the output ("name", "-name"; a minus turns the order
 * around), which are columns of the alias, and so is the key, which tells equal ones apart. Its input has a
 * struct paging `page`. It is planned for its very values, as db/query.h says: a filter that is not asked for
 * costs nothing, and each order reads its index.
 *
 * The filters come last in from_, behind a WHERE. A count is asked for by `total`; it may read whole tables,
 * within the connection's statement timeout. */
#pragma once

#include "base/page.h"
#include "db/statement.h"

/* ERR_DEADLINE when the count takes too long. */
enum err sql_page(struct ctx *c, const struct sql *page, const struct sql *count, const void *in,
                  struct opt_int *total, struct list *ret) MUST_CHECK;

struct page_sql {
        const char *columns, *from, *alias, *key;
        const struct names *sorts;
        const struct sql *count; /* its input is the page's */
        const struct shape *out;
};
enum err sql_list(struct ctx *c, const struct page_sql *sql, const void *in, const struct paging *paging,
                  struct page_rows *ret) MUST_CHECK;

/* How many rows a list has. */
struct page_count {
        int64_t count;
};
SHAPE_DECLARE(page_count);

#define SQL_COUNT_(name_, in_, from_)                                                                        \
        SQL_DEFINE_(name_##_count, in_, &page_count_shape, false, "SELECT count(*) AS count FROM " from_)

#define SQL_PAGE(name_, in_, out_, columns_, from_, order_)                                                  \
        SQL_DEFINE_(name_, in_, &out_##_shape, false,                                                        \
                    "SELECT " columns_ " FROM " from_ " " order_ " LIMIT :limit")                            \
        SQL_COUNT_(name_, in_, from_)                                                                        \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, struct list *ret)              \
        {                                                                                                    \
                return sql_page(c, &name_##_sql, &name_##_count_sql, in, in->total, ret);                    \
        }

#define SQL_LIST(name_, in_, out_, columns_, from_, alias_, key_, sort_names_)                               \
        SQL_COUNT_(name_, in_, from_)                                                                        \
        static const struct page_sql name_##_page_sql = {                                                    \
                .columns = (columns_),                                                                       \
                .from = (from_),                                                                             \
                .alias = (alias_),                                                                           \
                .key = (key_),                                                                               \
                .sorts = &(sort_names_),                                                                     \
                .count = &name_##_count_sql,                                                                 \
                .out = &out_##_shape,                                                                        \
        };                                                                                                   \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, struct page_rows *ret)         \
        {                                                                                                    \
                return sql_list(c, &name_##_page_sql, in, &in->page, ret);                                   \
        }
