/* /v1/reports */
#include "points/liability.h"
#include "resources/common.h"

ENDPOINT(
        report_points_liability, GET, "/v1/reports/points/liability", nothing, 200, liability,
        .lane = LANE_REPORTS, .summary = "What the shop owes in points", .scope = SCOPE_REPORTS_READ,
        .doc = "Outstanding points by the month in which they lapse, their value, and what of them will probably never be spent: "
               "points x expired / (expired + spent), by the shop's own last 24 months.")
{
        (void)in;
        return points_liability(c, out);
}

RESOURCE(reports, "Reports", "Figures over the whole shop.", &report_points_liability_endpoint);
