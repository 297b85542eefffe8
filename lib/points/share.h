/* Sharing whole units: a total over several weights, and a part of an amount, so that nothing is lost or
 * made. Pure. Used for points over order lines, discounts over lines, and what a refund takes back. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Products of an amount and a rate outgrow 64 bits. */
__extension__ typedef unsigned __int128 uint128;
static inline uint128 uint128_of(int64_t value) /* not negative */
{
        return (uint64_t)value;
}

/* What a share lost when it was rounded down, and whose share it was. All in one unit. */
struct share_rest {
        uint128 rest;
        size_t index;
};

/* Add one unit to shares[index] of the `units` greatest rests; of equal ones the lower index comes first.
 * units is at most n. Sorts rests. */
void share_rests(struct share_rest *rests, size_t n, size_t units, int64_t *shares);

/* Split total by the weights (none negative) to whole units: each gets its exact quota rounded down, what is
 * left goes to the largest remainders, of equal ones to the lower index. All weights 0: equal weights. The
 * shares sum to total; no share exceeds its quota rounded up, and a weight of 0 gets 0 beside greater ones.
 * total >= 0, n >= 1; the arena holds scratch memory only. */
void share_largest_remainder(struct arena *arena, int64_t total, const int64_t *weights, size_t n,
                             int64_t *ret_shares);

/* amount * part / whole, rounded half up. 0 <= part <= whole, whole >= 1, amount >= 0. It never falls as part
 * grows, and at part = whole it is exactly amount. */
int64_t proportion(int64_t amount, int64_t part, int64_t whole);

/* What the step of part from `before` to `after` (before <= after) brings: proportion(after) -
 * proportion(before). The steps from 0 to whole sum to amount, however they are cut: so three partial refunds
 * take what a full one takes. For a line on which nothing was paid let part and whole count its quantity. */
int64_t proportion_cumulative(int64_t amount, int64_t before, int64_t after, int64_t whole);
