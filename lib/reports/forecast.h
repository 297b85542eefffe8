/* What other tiers would make of one customer, and what his tier costs. Pure: simulation.h goes over all. */
#pragma once

#include "tiers/judge.h"

/* What the orders of the last 12 months were, net of refunds. */
struct custom {
        int64_t spend_minor;
        int64_t points;          /* earned */
        int64_t birthday_points; /* of them, by orders that counted in the month of his birthday */
        /* Goods paid for, one for each order that any full reduction may be about. */
        struct ints baskets_minor;
};

/* What a tier gives in a year. */
struct benefit_cost {
        int64_t discount_minor, full_reduction_minor, extra_points;
};

/* Add what a tier with these benefits would have given for a year's custom:
 *
 *   discount        discount_permille of the net spend, rounded half up
 *   full reduction  for each order not refunded whole, the best one that the goods paid for reach
 *   extra points    those beyond multipliers of 1000 (negative below), had the same orders earned with these
 * multipliers, in the month of the birthday with that one too, instead of those of the tier held now
 *
 * Not costed: what has no price in the programme (returns, pickup, agents, repair, invites, perks). Prices
 * are taken as paid, with what was off already. */
void forecast_cost(const struct benefits *benefits, const struct benefits *held, const struct custom *custom,
                   struct benefit_cost *cost);
