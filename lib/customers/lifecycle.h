/* Where a customer stands: decided from a few facts and the day, so that time alone moves people. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/shape.h"

enum lifecycle {
        LIFECYCLE_NONE,
        LIFECYCLE_LEAD,      /* never asked, never bought */
        LIFECYCLE_INQUIRING, /* asked or filled a cart, never paid */
        LIFECYCLE_NEW,       /* one order */
        LIFECYCLE_REPEAT,    /* more */
        LIFECYCLE_LOYAL,     /* many in the last months */
        LIFECYCLE_AT_RISK,   /* bought, but not lately */
        LIFECYCLE_LOST,      /* not for long */
};
extern const struct names lifecycle_names;

/* The shop's own thresholds, a part of its programme. */
struct lifecycle_limits {
        int64_t repeat_orders;               /* orders in a lifetime that make a repeat customer */
        int64_t loyal_orders;                /* orders in loyal_window_months that make a loyal one */
        int64_t loyal_window_months;         /* for the caller, who counts orders_in_window */
        int64_t at_risk_months, lost_months; /* without an order; at_risk_months is not the larger one */
};

struct lifecycle_facts {
        int64_t orders;           /* paid and not wholly refunded, lifetime */
        int64_t orders_in_window; /* of them in the last loyal_window_months */
        bool inquired;            /* asked or filled a cart */
        struct date last_order;   /* in the shop's zone; none without orders */
};

/* A silence of N months has passed when the last order lies before date_add_months(today, -N); it outweighs
 * how much was bought before. */
enum lifecycle lifecycle_decide(const struct lifecycle_facts *facts, const struct lifecycle_limits *limits,
                                struct date today);
