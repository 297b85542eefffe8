/* Customers in bulk: as they come in a file, and as they go out. */
#pragma once

#include "customers/customers.h"
#include "db/statement.h"

struct customer_line {
        struct customer_in in; /* first: the shape is that of customer_in and more */
        struct instant created_at, updated_at;
        int64_t version;
};

/* The shape of struct customer_line, and the same without the addresses, which go out as lines of their own.
 */
const struct shape *customer_line_shape(void);
const struct shape *customer_line_out_shape(void);

/* Everybody in the order in which they were created, line by line. In a snapshot. */
enum err customer_lines(struct ctx *c, SQL_VISIT(visit), void *arg) MUST_CHECK;
/* These customers in the same order, an array of struct customer_line. */
enum err customer_lines_of(struct ctx *c, const struct uuids *ids, struct list *ret) MUST_CHECK;
