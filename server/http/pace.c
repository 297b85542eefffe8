#include "http/pace.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

/* Orders come as long as the last one is no older. Long enough for a shop with some orders a second, short
 * enough that an import at night is not slowed down by the few that come then. */
#define ORDERS_COME_US 250000

/* How long to rest, in parts of the time that a piece took. */
#define REST_BESIDE_ORDERS 2
/* The housekeeper's chores can wait for the end of a file; how lists follow it: directory.h. */
#define REST_BESIDE_IMPORT 4

/* Nobody who stops the server waits longer than that for a rest. */
#define REST_MAX_US 500000

static _Atomic int64_t last_order_us = -ORDERS_COME_US;
static _Atomic int imports;

void pace_order_came(void)
{
        atomic_store_explicit(&last_order_us, clock_monotonic_us(), memory_order_relaxed);
}

bool pace_orders_come(void)
{
        return clock_monotonic_us() - atomic_load_explicit(&last_order_us, memory_order_relaxed) <
               ORDERS_COME_US;
}

void pace_import_begins(void)
{
        atomic_fetch_add(&imports, 1);
}

void pace_import_ends(void)
{
        atomic_fetch_sub(&imports, 1);
}

bool pace_import_runs(void)
{
        return atomic_load(&imports) > 0;
}

bool pace_is_quiet(void)
{
        return !pace_orders_come() && !pace_import_runs();
}

int64_t pace_rest_us(enum pace_work work, int64_t took_us, bool orders_come, bool import_runs)
{
        int64_t parts = orders_come ? REST_BESIDE_ORDERS : 0;

        if (work == PACE_UPKEEP && import_runs)
                parts = REST_BESIDE_IMPORT;
        int64_t rest = took_us * parts;
        return rest < REST_MAX_US ? rest : REST_MAX_US;
}

void pace_rest(enum pace_work work, int64_t took_us)
{
        int64_t rest = pace_rest_us(work, took_us, pace_orders_come(), pace_import_runs());
        struct timespec left = {.tv_sec = rest / 1000000, .tv_nsec = rest % 1000000 * 1000};

        if (rest > 0)
                while (nanosleep(&left, &left) != 0 && errno == EINTR)
                        ;
}
