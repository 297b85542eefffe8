#include "access/bucket.h"

#include <assert.h>

#define SECOND_NS INT64_C(1000000000)

static int64_t seconds_up(int64_t ns)
{
        return ns <= 0 ? 0 : (ns + SECOND_NS - 1) / SECOND_NS;
}

bool bucket_take(struct bucket_policy policy, int64_t now_ns, int64_t *full_at_ns, struct bucket_level *ret)
{
        assert(policy.per_second > 0 && policy.per_second <= BUCKET_RATE_MAX);
        assert(policy.burst > 0 && policy.burst <= BUCKET_RATE_MAX);
        int64_t token_ns = SECOND_NS / policy.per_second, size_ns = token_ns * policy.burst;
        int64_t full_at = *full_at_ns > now_ns ? *full_at_ns : now_ns;
        bool taken = full_at + token_ns - now_ns <= size_ns;

        int64_t retry_ns = taken ? 0 : full_at + token_ns - now_ns - size_ns;
        if (taken)
                *full_at_ns = full_at += token_ns;
        *ret = (struct bucket_level){
                .remaining = (size_ns - (full_at - now_ns)) / token_ns,
                .full_in_seconds = seconds_up(full_at - now_ns),
                .retry_in_seconds = seconds_up(retry_ns),
        };
        return taken;
}

int64_t bucket_window_seconds(struct bucket_policy policy)
{
        return (policy.burst + policy.per_second - 1) / policy.per_second;
}
