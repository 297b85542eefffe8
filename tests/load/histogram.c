#include "histogram.h"

#include <assert.h>

static unsigned bucket_of(uint64_t value)
{
        if (value < UINT64_C(1) << HISTOGRAM_BITS)
                return (unsigned)value;
        unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
        unsigned within = (unsigned)(value >> shift) & ((1u << HISTOGRAM_BITS) - 1);
        return ((shift + 1) << HISTOGRAM_BITS) + within;
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top(unsigned bucket)
{
        if (bucket < 1u << HISTOGRAM_BITS)
                return bucket;
        unsigned shift = (bucket >> HISTOGRAM_BITS) - 1;
        uint64_t within = bucket & ((1u << HISTOGRAM_BITS) - 1);
        uint64_t low = ((UINT64_C(1) << HISTOGRAM_BITS) + within) << shift;
        return low + ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
        histogram->buckets[bucket_of(value)]++;
        histogram->count++;
        if (value > histogram->max)
                histogram->max = value;
}

uint64_t histogram_permille(const struct histogram *histogram, unsigned permille)
{
        assert(permille <= 1000);
        uint64_t wanted = (histogram->count * permille + 999) / 1000, seen = 0;

        for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
                seen += histogram->buckets[bucket];
                if (seen >= wanted && seen > 0) {
                        uint64_t top = bucket_top(bucket);
                        return top < histogram->max ? top : histogram->max;
                }
        }
        return 0;
}
