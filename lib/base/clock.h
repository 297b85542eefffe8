/* The one clock of the process. Domain code never reads it: a request's reading is ctx->now. */
#pragma once

#include "base/instant.h"

/* The time now: the system's, or the test clock's. Thread-safe. */
struct instant clock_now(void);

/* Microseconds since some fixed moment, never set and never going back: for deadlines and durations. The test
 * clock doesn't touch it. */
int64_t clock_monotonic_us(void);

/* The test clock (PATRON_TEST_CLOCK=1): runs on from where it was last set, or stands there. Enable before
 * threads start. */
void clock_test_enable(void);
bool clock_test_enabled(void);

/* Set or move the test clock, and let it run on or stand from there; both assert that it is enabled. */
void clock_test_set(struct instant now, bool stands);
void clock_test_advance(int64_t seconds, bool stands);
