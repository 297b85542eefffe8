/* Where one customer stands while a transaction decides: tier, lifetime sums and day sums. Pure; tiers.h
 * loads and stores. */
#pragma once

#include "tiers/judge.h"

struct standing {
        struct uuid customer_id;
        const char *tier; /* code */
        struct instant since;
        struct instant until;                /* end of the cycle; none: held for good */
        int64_t orders, spend_minor, growth; /* lifetime, net of refunds */
        struct instant first_order_at, last_order_at;
        int64_t changes;              /* counter of the history */
        struct instant noticed_until; /* the end of the cycle that a notice was given for */
        const char *pin_tier;         /* overrides tier until pin_until; NULL: no pin */
        struct instant pin_until;
        const char *pin_reason;
};
SHAPE_DECLARE(standing);

/* One change of tier. */
struct tier_change {
        struct uuid customer_id;
        int64_t change_no;
        const char *tier_before, *tier_after, *cause;
        struct uuid order_id;
        struct instant created_at;
};
SHAPE_DECLARE(tier_change);

struct stand {
        struct standing standing;
        size_t rank;     /* of standing.tier in the programme: what was earned */
        size_t pin_rank; /* of standing.pin_tier, SIZE_MAX without a pin */
        struct instant joined_at;
        struct metric_day *days;   /* loaded, then those of this transaction */
        struct metric_day *deltas; /* what this transaction adds to each of them */
        size_t day_count, day_room;
        LIST_OF(struct tier_change) history; /* of this transaction */
        size_t history_room;
        bool changed;
};

/* What judging looks at. */
struct metrics stand_metrics(const struct stand *stand);

/* The same as it was at the end of a day: without what was bought on later ones. The days are the arena's. */
struct metrics stand_metrics_as_of(const struct stand *stand, struct arena *arena, struct date day);

/* The rank that holds at an instant: the pin's while it lasts, else the earned one. */
size_t stand_rank(const struct stand *stand, struct instant at);

/* Count something (or, negative, take it back) on a day of the shop's zone. */
void stand_count(struct stand *stand, struct arena *arena, const struct metric_day *delta);

/* Go to another rank: from now, until the end of a cycle. */
struct stand_move {
        size_t rank;
        const char *cause;
        struct uuid order_id;
        struct instant at;
};
void stand_move(struct stand *stand, struct arena *arena, const struct program *program,
                const struct zone *zone, const struct stand_move *move);

/* Stay for another cycle, from the end of the last one. */
void stand_renew(struct stand *stand, const struct program *program, const struct zone *zone);
