#include "reports/forecast.h"

#include "orders/quote.h"
#include "points/share.h"

#define PERMILLE 1000
#define MILLION  1000000

/* points, which one factor (in millionths) has multiplied, as another one would have, less what none would.
 */
static int64_t extra_points(int64_t points, int64_t factor_held, int64_t factor)
{
        int64_t plain = points;

        if (points <= 0)
                return 0;
        if (factor_held != 0)
                plain = (int64_t)(uint128_of(points) * MILLION / uint128_of(factor_held));
        return (int64_t)(uint128_of(plain) * uint128_of(factor) / MILLION) - plain;
}

/* What benefits multiply points by, in millionths. */
static int64_t factor_of(const struct benefits *benefits, bool birthday_month)
{
        int64_t of_month = birthday_month ? benefits->birthday_month_multiplier_permille : PERMILLE;

        return benefits->points_multiplier_permille * of_month;
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
        cost->extra_points +=
                extra_points(custom->points - custom->birthday_points, factor_of(held, false),
                             factor_of(benefits, false)) +
                extra_points(custom->birthday_points, factor_of(held, true), factor_of(benefits, true));
}
