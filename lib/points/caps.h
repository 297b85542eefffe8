/* Caps on what orders earn: how much room a rule or the programme still has on a day of the shop. Pure. What
 * was earned under a cap counts on its day and in its month, be it taken back later or not. */
#pragma once

#include "base/arena.h"
#include "program/program.h"

/* What one rule, or the programme (CAPS_OF_PROGRAM), brought a customer on a day. */
struct cap_day {
        struct uuid customer_id;
        struct date day;
        const char *rule;
        int64_t points;
        bool changed; /* not stored yet */
};
SHAPE_DECLARE(cap_day);

/* The days of one customer that caps may look at. */
struct caps_used {
        struct cap_day *v;
        size_t n, room;
};

struct cap_room {
        int64_t points;  /* that may still be earned; INT64_MAX without a cap */
        const char *cap; /* the narrowest one, as the programme calls it: "cap_per_day"; NULL: none */
};

/* The room of a rule (or CAPS_OF_PROGRAM) in one order on a day; used NULL: nothing was earned before. */
struct cap_room caps_room(const struct cap_limits *limits, const struct caps_used *used, const char *rule,
                          struct date day);

/* Count points > 0. */
void caps_count(struct caps_used *used, struct arena *arena, const struct cap_day *earned);
