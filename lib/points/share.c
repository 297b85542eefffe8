#include "points/share.h"

#include <assert.h>
#include <stdlib.h>

static int rest_order(const void *a, const void *b)
{
        const struct share_rest *x = a, *y = b;

        if (x->rest != y->rest)
                return x->rest > y->rest ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

void share_rests(struct share_rest *rests, size_t n, size_t units, int64_t *shares)
{
        assert(units <= n);
        if (units == 0)
                return;
        qsort(rests, n, sizeof *rests, rest_order);
        for (size_t i = 0; i < units; i++)
                shares[rests[i].index]++;
}

void share_largest_remainder(struct arena *arena, int64_t total, const int64_t *weights, size_t n,
                             int64_t *ret_shares)
{
        struct share_rest *rests = ARENA_ARRAY(arena, n, struct share_rest);
        uint128 sum = 0;

        assert(total >= 0 && n >= 1);
        for (size_t i = 0; i < n; i++) {
                assert(weights[i] >= 0);
                sum += uint128_of(weights[i]);
        }
        uint128 whole = sum > 0 ? sum : n;
        int64_t left = total;
        for (size_t i = 0; i < n; i++) {
                uint128 weight = sum > 0 ? uint128_of(weights[i]) : 1;
                uint128 quota = uint128_of(total) * weight; /* below 2^126 */
                ret_shares[i] = (int64_t)(quota / whole);
                rests[i] = (struct share_rest){.rest = quota % whole, .index = i};
                left -= ret_shares[i];
        }
        share_rests(rests, n, (size_t)left, ret_shares);
}

int64_t proportion(int64_t amount, int64_t part, int64_t whole)
{
        assert(amount >= 0 && part >= 0 && part <= whole && whole >= 1);
        uint128 doubled = 2 * uint128_of(amount) * uint128_of(part); /* below 2^127 */

        return (int64_t)((doubled + uint128_of(whole)) / (2 * uint128_of(whole)));
}

int64_t proportion_cumulative(int64_t amount, int64_t before, int64_t after, int64_t whole)
{
        assert(before <= after);
        return proportion(amount, after, whole) - proportion(amount, before, whole);
}
