#include "reports/forecast.h"

#include "orders/quote.h"
#include "points/share.h"

#define PERMILLE 1000

static int64_t extra_points(const struct benefits *benefits, const struct benefits *held, int64_t points)
{
        int64_t factor = held->points_multiplier_permille, plain = points;

        if (points <= 0)
                return 0;
        if (factor != PERMILLE && factor != 0)
                plain = (int64_t)(uint128_of(points) * PERMILLE / uint128_of(factor));
        int64_t all =
                (int64_t)(uint128_of(plain) * uint128_of(benefits->points_multiplier_permille) / PERMILLE);
        return all - plain;
}

void forecast_cost(const struct benefits *benefits, const struct benefits *held, const struct custom *custom,
                   struct benefit_cost *cost)
{
        if (custom->spend_minor > 0)
                cost->discount_minor +=
                        proportion(custom->spend_minor, benefits->discount_permille, PERMILLE);
        for (size_t i = 0; i < custom->baskets_minor.n; i++) {
                const struct full_reduction *best = full_reduction_best(benefits, custom->baskets_minor.v[i]);
                if (best != NULL)
                        cost->full_reduction_minor += best->off_minor;
        }
        cost->extra_points += extra_points(benefits, held, custom->points);
}
