/* What the shop owes in points: by the month in which they lapse, with what of it will probably never be
 * spent.
 *
 * Expected breakage is told from the shop's own experience, as accounting asks for it (IFRS 15, B44 to B47):
 *
 *         rate = E / (E + S)        E: points that expired, S: points that were spent, net of those given
 * back, both over the last BREAKAGE_MONTHS months breakage = points x rate  of those points that can lapse;
 * rounded half up for each line
 *
 * Of all points that went, E / (E + S) went unused; the estimate is that those outstanding will go alike.
 * Without any that went nothing is expected to break. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

#define BREAKAGE_MONTHS 24

/* Points outstanding that lapse in one month. */
struct liability_line {
        const char *month; /* "2027-01" in the shop's zone; NULL: never, or not known yet */
        int64_t active, held, pending;
        int64_t points, value_minor;             /* of the three together */
        int64_t breakage_points, breakage_minor; /* expected */
};

struct liability {
        struct instant at;
        int64_t value_minor_per_100;          /* points, by the programme */
        LIST_OF(struct liability_line) lines; /* by month; together what is outstanding */
        int64_t active, pending, held, debt;
        int64_t outstanding; /* active + pending + held */
        int64_t value_minor, breakage_points, breakage_minor;
        int64_t spent, expired; /* S and E */
        int64_t breakage_permille;
};
SHAPE_DECLARE(liability);

/* As of now. Reads all lots and the ledger: for a lane of reports. */
enum err points_liability(struct ctx *c, struct liability *ret) MUST_CHECK;
