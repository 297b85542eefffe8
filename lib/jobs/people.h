/* What types share whose lines begin with `const char *customer`, a reference: finding their people on the
 * way in, and reading all of them on the way out. */
#pragma once

#include "base/idmap.h"
#include "jobs/types.h"

/* A bulk_type.names: the customer, by whatever name but an old one. */
size_t people_names(const void *object, struct uuid ret[STRAND_NAMES_MAX]);

/* The id that a reference stands for, as far as it can be told without looking: how many, none or one. */
size_t reference_name(const char *reference, struct uuid *ret);

/* Lock the customers of the lines, ids in step with them; a line whose customer is unknown has failed. */
enum err people_lock(struct ctx *c, struct bulk_line **lines, size_t n, struct uuid **ret_ids) MUST_CHECK;

/* Lines whose people are locked, each as the call of the domain that it is. */
struct people_calls {
        void *v;                  /* n calls of the size that was asked for */
        struct bulk_line **lines; /* in step */
        size_t n;
};
/* Lock the customers and read the lines into calls of this size; a line that `read` refuses has failed, as
 * one whose customer is unknown has. */
enum err people_read(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines, size_t n,
                     size_t size,
                     enum err (*read)(struct bulk_line *line, const struct bulk_options *options,
                                      struct uuid customer_id, void *ret),
                     struct people_calls *ret) MUST_CHECK;

/* Pieces of bulk_type.each, which are SQL_EACH over a table `t` whose key begins with customer_id. As a range
 * of ids one plan serves one customer and everybody. */
#define OUT_RANGE                                                                                            \
        "t.customer_id BETWEEN coalesce(:first_id, '00000000-0000-0000-0000-000000000000') AND :last_id"
#define OUT_OF(table_)                                                                                       \
        " FROM " table_ " t LEFT JOIN customers c ON c.id = t.customer_id "                                  \
        "WHERE " OUT_RANGE
#define OUT_OF_PLAIN(table_) " FROM " table_ " t WHERE " OUT_RANGE
#define OUT_IN_TIME(at_)                                                                                     \
        " AND (:since::timestamptz IS NULL OR " at_ " >= :since) AND (:until::timestamptz IS NULL OR " at_   \
        " < :until)"
/* The condition on the column that the type's kinds are of. */
#define OUT_KIND(kind_) " AND (:kind::text IS NULL OR " kind_ " = :kind)"
#define OUT_REFERENCE   "coalesce('ext:' || c.external_id, t.customer_id::text) AS customer"

/* A type that only goes out, by <name>_out. */
#define OUT(name_, shape_, ...)                                                                              \
        const struct bulk_type bulk_type_##name_ = {                                                         \
                .name = #name_, .line_shape = &shape_##_shape, .each = name_##_out, __VA_ARGS__}
#define OF_CUSTOMER .filters = BULK_OF_CUSTOMER | BULK_IN_TIME
