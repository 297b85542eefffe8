/* One call about one order, decided on the desk. Pure; batch.c loads and stores. */
#pragma once

#include "orders/desk.h"

/* Must the lots of the customer, whose book this is, be at hand before take_order? Known from the order as
 * stored (NULL: new). */
bool take_needs_lots(const struct program *program, const struct book *book, const struct order *known,
                     const struct order_in *in);

/* When a call takes place: now, or with backfill at the latest of the order's own times that it names. */
struct instant take_time_of(const struct order_in *in, struct instant now);

/* Decide one call. On success the file, the desk and the outcome are final for it; on an error
 * (ERR_ORDER_DIFFERS, ERR_ORDER_STATE, ERR_INVALID, ERR_HOLD_RESOLVED, ERR_HOLD_BOUND,
 * ERR_COUPON_STATE) nothing was touched.
 * `c` is the call's own; referrer_id is who its referrer is, nil: none. */
enum err take_order(struct session *s, struct ctx *c, struct desk *desk, struct file *file,
                    const struct order_in *in, struct uuid referrer_id, struct outcome *ret) MUST_CHECK;
