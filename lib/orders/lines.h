/* Orders and refunds in bulk: as they come in a file, and as they go out. */
#pragma once

#include "db/statement.h"
#include "orders/orders.h"

struct bulk_order {
        struct order_in in; /* first: the shape is that of order_in and more */
        bool awarded;
        struct uuid id;
        int64_t refunded_minor, points_earned, points_reversed, growth_earned, growth_reversed;
};
const struct shape *bulk_order_shape(void);

struct bulk_refund {
        struct refund_in in; /* first */
        const char *order_reference;
        struct uuid id;
        struct uuid customer_id; /* not of the line: whose order it is, nil where that is not known */
};
const struct shape *bulk_refund_shape(void);

/* Set customer_id of refunds that were read, where their orders are known. Nothing is locked. */
enum err bulk_refunds_meet(struct ctx *c, struct bulk_refund **refunds, size_t n) MUST_CHECK;

/* All orders in the order of placing, with their lines, one by one (a struct bulk_order, good until the call
 * returns), by the filters of the page: a position and a limit are not looked at. In a snapshot. */
enum err bulk_orders(struct ctx *c, const struct order_page *page, SQL_VISIT(visit), void *arg) MUST_CHECK;

/* Pages of refunds in the order of refunding; customer_id nil: of everybody. Refunds that a cancellation
 * made, and those of orders that were cancelled later, are left out: the order's own line brings them. In a
 * snapshot; *ret is an array of struct bulk_refund. */
struct bulk_order_page {
        struct uuid customer_id;
        struct instant since, until; /* refunded then; none: any */
        struct instant after_at;
        struct uuid after_id, after_parent; /* after_parent: the order of a refund */
        int64_t limit;
};
enum err bulk_refunds(struct ctx *c, struct bulk_order_page *page, struct list *ret) MUST_CHECK;
