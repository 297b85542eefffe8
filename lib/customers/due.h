/* What time causes for many customers at once, as on the night of the year: how that work is cut and shared.
 */
#pragma once

#include "base/ctx.h"

/* Everybody, or one of two halves: whoever works on one never meets whoever works on the other at a customer.
 * By the last byte of the id, which is random in ids of either kind; the first ones of some are the time. */
enum half { HALF_BOTH, HALF_EVEN, HALF_ODD };
#define IN_HALF "(:half = 0 OR get_byte(uuid_send(customer_id), 15) % 2 = :half - 1)"

/* A share of that work. */
struct share {
        int64_t most; /* customers in one transaction */
        int64_t half; /* enum half */
        /* Asked before each transaction; NULL: it may. */
        enum err (*may_go_on)(struct ctx *c, bool *ret);
};

/* Whoever is due is found for many transactions at once: the index still leads to those just dealt with, and
 * each look passes them by again. They are worked off in the order of their ids, in which their rows lie
 * together in every index: the more of them there are, the more a transaction finds in each page. */
#define FOUND_MAX 50000
