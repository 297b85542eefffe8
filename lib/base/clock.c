#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

static bool test_enabled;
static _Atomic int64_t test_offset_us;    /* what the test clock shows beyond the system's */
static _Atomic int64_t test_stands_at_us; /* where it stands; 0: it runs */

static int64_t read_us(clockid_t id)
{
        struct timespec at;

        clock_gettime(id, &at);
        return (int64_t)at.tv_sec * INSTANT_SECOND + at.tv_nsec / 1000;
}

struct instant clock_now(void)
{
        int64_t stands_at_us = test_stands_at_us;

        return (struct instant){stands_at_us != 0 ? stands_at_us : read_us(CLOCK_REALTIME) + test_offset_us};
}

int64_t clock_monotonic_us(void)
{
        return read_us(CLOCK_MONOTONIC);
}

void clock_test_enable(void)
{
        test_enabled = true;
}

bool clock_test_enabled(void)
{
        return test_enabled;
}

void clock_test_set(struct instant now, bool stands)
{
        assert(test_enabled);
        test_offset_us = now.us - read_us(CLOCK_REALTIME);
        test_stands_at_us = stands ? now.us : 0;
}

void clock_test_advance(int64_t seconds, bool stands)
{
        clock_test_set((struct instant){clock_now().us + seconds * INSTANT_SECOND}, stands);
}
