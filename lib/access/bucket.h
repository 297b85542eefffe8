/* Token buckets: how often a key may call. Pure.
 *
 * A bucket is one number, the moment at which it will be full again (the generic cell rate algorithm): taking
 * a token moves it on by the time that one token takes to come back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_RATE_MAX 100000 /* a token takes 10 us then: far above what one server answers */

/* per_second 0: no limit. Both at most BUCKET_RATE_MAX. */
struct bucket_policy {
        int64_t per_second, burst;
};

/* What is left afterwards; seconds are rounded up. */
struct bucket_level {
        int64_t remaining;
        int64_t full_in_seconds;
        int64_t retry_in_seconds; /* until the next token; 0 when one was taken */
};

/* Take a token at now_ns from the bucket that is full at *full_at_ns, on any one clock; a new bucket starts
 * with 0. False: there is none, and the bucket stays as it is. The policy must have a limit. */
bool bucket_take(struct bucket_policy policy, int64_t now_ns, int64_t *full_at_ns, struct bucket_level *ret);

/* Seconds in which an empty bucket fills, rounded up. */
int64_t bucket_window_seconds(struct bucket_policy policy);
