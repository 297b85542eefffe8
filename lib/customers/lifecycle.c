#include "customers/lifecycle.h"

#include <assert.h>

NAMES(lifecycle_names, "lead", "inquiring", "new", "repeat", "loyal", "at_risk", "lost");

static bool silent_for(struct date last_order, struct date today, int64_t months)
{
        return date_compare(last_order, date_add_months(today, (int)-months)) < 0;
}

enum lifecycle lifecycle_decide(const struct lifecycle_facts *facts, const struct lifecycle_limits *limits,
                                struct date today)
{
        if (facts->orders <= 0)
                return facts->inquired ? LIFECYCLE_INQUIRING : LIFECYCLE_LEAD;
        assert(date_known(facts->last_order));
        if (silent_for(facts->last_order, today, limits->lost_months))
                return LIFECYCLE_LOST;
        if (silent_for(facts->last_order, today, limits->at_risk_months))
                return LIFECYCLE_AT_RISK;
        if (facts->orders_in_window >= limits->loyal_orders)
                return LIFECYCLE_LOYAL;
        return facts->orders >= limits->repeat_orders ? LIFECYCLE_REPEAT : LIFECYCLE_NEW;
}
