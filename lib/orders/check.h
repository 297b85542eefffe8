/* Pure: is an order as it was sent coherent in itself, and how does it differ from the one that is known? */
#pragma once

#include "orders/orders.h"
#include "points/book.h"

/* Note every fault of an order's content in c->problem: totals that do not add up, lines of one number,
 * another currency, times that contradict each other. */
void order_check(struct ctx *c, const struct order_in *in);

/* The number of a line: its own, or its place. */
int64_t order_line_no(const struct order_in *in, size_t index);

/* What the order is worth before shipping and its own discount. */
int64_t order_goods_minor(const struct order_in *in);

/* Add one member of `differences` to the problem for each value of the content that is not the stored one
 * (status and later times are not content). Returns how many there are. Lines are compared by number; hold
 * is the order's, NULL: none. */
size_t order_differences(struct ctx *c, const struct order *order, const struct hold *hold,
                         const struct order_line *lines, size_t line_count, const struct order_in *in,
                         struct uuid referrer_id);

/* The same of who referred the customer to it, which stands though the rest of the content may change; nil:
 * the call names nobody. */
bool order_referrer_differs(struct ctx *c, const struct order *order, const struct order_in *in,
                            struct uuid referrer_id);
