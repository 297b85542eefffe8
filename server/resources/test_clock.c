/* The test clock: set or move the time of the whole process, and have done what it made due. There is only
 * with PATRON_TEST_CLOCK=1. */
#include "base/clock.h"
#include "http/endpoint.h"
#include "http/keeper.h"

/* A century: enough for any test, far from overflow. */
#define ADVANCE_MAX_SECONDS (INT64_C(100) * 366 * 86400)

struct clock_change {
        struct instant now;
        struct opt_int advance_seconds;
        bool stands, chores;
};
#define SHAPE_T struct clock_change
SHAPE(clock_change, "Set the clock, or move it on.", FIELD(now, .doc = "The time that it shall be."),
      FIELD(advance_seconds, .from_zero = true, .max = ADVANCE_MAX_SECONDS,
            .doc = "How far the clock shall jump ahead."),
      FIELD(stands, .dflt = "false",
            .doc = "It stands there until it is set again, so that every call has the same time; else it runs on."),
      FIELD(chores, .dflt = "false",
            .doc = "Before the answer the housekeeper does all its chores, whenever their turn would be."));
#undef SHAPE_T

struct clock_state {
        struct instant now;
        int64_t chores_failed;
};
#define SHAPE_T struct clock_state
SHAPE(clock_state, "What the clock shows.", FIELD(now, .need = true),
      FIELD(chores_failed, .doc = "Chores asked for that could not be finished; the log says why."));
#undef SHAPE_T

ENDPOINT(test_clock_change, POST, "/v1/test/clock", clock_change, 200, clock_state, .scope = SCOPE_ADMIN,
         .enabled = clock_test_enabled, .summary = "Set or advance the test clock",
         .doc = "For tests of what time does: tiers that lapse, points that expire.")
{
        if (instant_known(in->now) == in->advance_seconds.set) {
                fault_body(c, "#", "one_of", "give either now or advance_seconds");
                return problem_check(c);
        }
        if (in->advance_seconds.set)
                clock_test_advance(in->advance_seconds.v, in->stands);
        else
                clock_test_set(in->now, in->stands);
        if (in->chores && !keeper_chores_now(&out->chores_failed))
                return fail(c, ERR_DRAINING, "The server is stopping.");
        out->now = clock_now();
        return ERR_OK;
}

RESOURCE(test_clock, "Test clock", "The time, for tests. There is only with PATRON_TEST_CLOCK=1.",
         &test_clock_change_endpoint);
