/* Other tiers over the real history of all customers: who would stand where, and what it would cost. Nothing
 * is written. */
#pragma once

#include "reports/forecast.h"

struct simulation_in {
        LIST_OF(struct tier) tiers;
        struct tier_settings *cycle; /* NULL: as in the programme in force */
        int64_t samples;             /* customers named of those who rise, and of those who fall */
};
SHAPE_DECLARE(simulation_in);

/* A tier, the customers who hold it, and what they did and it gives in 12 months. */
struct simulated_tier {
        int64_t rank;
        const char *code, *name;
        int64_t customers, spend_minor, growth;
        struct benefit_cost cost;
};
struct simulated_move {
        const char *from, *to; /* codes */
        int64_t customers;
};
struct simulated_customer {
        struct uuid customer_id;
        const char *external_id, *from, *to;
};
struct simulated_group {
        int64_t customers;
        LIST_OF(struct simulated_customer) samples;
};
struct simulation {
        struct instant as_of;
        int64_t customers, pinned, unchanged;
        LIST_OF(struct simulated_tier) now, proposed;
        struct benefit_cost cost_now, cost_proposed;
        LIST_OF(struct simulated_move) moves;
        struct simulated_group rising, falling;
};
SHAPE_DECLARE(simulation);

/* Everybody is judged once, by judge_projected, as of today. Whoever has a pinned tier keeps it where the
 * proposal has it. Somebody rises or falls against the proposed rank of the tier he holds now; where the
 * proposal has no such tier, against its number. All statements see the database as it is at the first. In a
 * transaction that has done nothing yet. ERR_INVALID: the proposal, or earning rules in force that name tiers
 * which it lacks. */
enum err simulation_run(struct ctx *c, const struct simulation_in *in, struct simulation *ret) MUST_CHECK;
