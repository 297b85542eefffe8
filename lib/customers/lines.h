/* Customers in bulk: as they come in a file, and as they go out. */
#pragma once

#include "customers/customers.h"

struct customer_line {
        struct customer_in in; /* first: the shape is that of customer_in and more */
        struct instant created_at, updated_at;
        int64_t version;
};

/* The shape of struct customer_line, and the same without the addresses, which go out as lines of their own.
 */
const struct shape *customer_line_shape(void);
const struct shape *customer_line_out_shape(void);

/* Customers in the order in which they were created, after a position, as lines. In a snapshot. */
struct customer_lines_page {
        struct instant after_at;
        struct uuid after_id;
        int64_t limit;
};
enum err customer_lines(struct ctx *c, const struct customer_lines_page *page, struct list *ret) MUST_CHECK;
/* The same of these customers. */
enum err customer_lines_of(struct ctx *c, const struct uuids *ids, struct list *ret) MUST_CHECK;
