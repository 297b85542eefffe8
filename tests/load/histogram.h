/* A histogram of durations with a bounded relative error: linear within each power of two (after G. Tene's
 * HdrHistogram). Constant memory, constant time, no allocation. */
#pragma once

#include <stdint.h>

/* 2^7 buckets for each power of two: every value is known to better than 1 %. */
#define HISTOGRAM_BITS    7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
        uint64_t count;
        uint64_t max;
        uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Note one value; any unit. */
void histogram_add(struct histogram *histogram, uint64_t value);

/* The smallest noted value that permille of all values do not exceed, to within 1 %; 0 when nothing was
 * noted. */
uint64_t histogram_permille(const struct histogram *histogram, unsigned permille);
