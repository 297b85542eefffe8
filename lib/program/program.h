/* The loyalty programme: one document that says how points and growth are earned, which tiers there are and
 * what they give. Stored in versions, decoded by its shape, shared read-only by every thread
 * (program_current).
 *
 * Rates: rate_millionths of a base rule is points per 100 minor units in millionths (1000000 is one point per
 * yuan); factor_millionths of a multiply rule is a factor in millionths (2000000 doubles). Permille: 1000 is
 * one whole. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "customers/lifecycle.h"

struct expr;

enum rule_kind { RULE_NONE, RULE_BASE, RULE_MULTIPLY, RULE_ADD };
enum rule_target { TARGET_NONE, TARGET_POINTS, TARGET_GROWTH };
enum stacking { STACKING_NONE, STACKING_STACK, STACKING_EXCLUSIVE };

/* What may be earned at most, each unset: any number. What goes beyond is cut off. */
struct cap_limits {
        struct opt_int per_order, per_day, per_month; /* days and months of the shop's zone */
};
static inline bool cap_limits_by_day(const struct cap_limits *limits)
{
        return limits->per_day.set || limits->per_month.set;
}
/* What counts and explanations call the caps of the programme; no earning rule may have this code. */
#define CAPS_OF_PROGRAM "program"

struct earning_rule {
        const char *code;
        unsigned target;                     /* enum rule_target */
        unsigned kind;                       /* enum rule_kind */
        int64_t rate_millionths;             /* base */
        int64_t factor_millionths;           /* multiply */
        int64_t points;                      /* add: points or growth per order */
        const char *when;                    /* condition in the expression language, NULL: always */
        struct date valid_from, valid_until; /* days in the shop's zone, both included; none: unbounded */
        int64_t priority;                    /* higher first; equal ones in the order of the document */
        unsigned stacking;                   /* enum stacking */
        struct cap_limits caps;              /* on what this rule brings */
        const struct expr *condition;        /* `when` compiled; NULL: always. Not in the document. */
};

enum pending_until { PENDING_UNSET, PENDING_NOT, PENDING_DAYS, PENDING_DELIVERED, PENDING_COMPLETED };
enum refund_policy { REFUND_NONE, REFUND_ONLY_PENDING, REFUND_WITHIN_BALANCE, REFUND_UNLIMITED };

enum expiry_form { EXPIRY_UNSET, EXPIRY_NEVER, EXPIRY_MONTHS, EXPIRY_DATES, EXPIRY_INACTIVITY };
enum round_to { ROUND_UNSET, ROUND_NOT, ROUND_MONTH, ROUND_QUARTER, ROUND_HALF_YEAR, ROUND_YEAR };

/* When points lapse: always at the end of a day of the shop. */
struct expiry_settings {
        unsigned form;  /* enum expiry_form */
        int64_t months; /* after they became active, or after the last movement; with dates: at least so long
                         */
        unsigned round_to;          /* enum round_to: to the end of what */
        struct texts dates;         /* "MM-DD": the last days of each year */
        int64_t warn_days;          /* an event so long before; 0: none */
        struct instant silent_from; /* with inactivity: silence before this does not count (silence.h); none:
                                       all does. Not in the document. */
};

/* How many points may pay for part of a basket. */
struct spending_settings {
        int64_t minimum, step;      /* points of one basket: at least, and a multiple of */
        int64_t max_share_permille; /* of the basket */
};

struct points_settings {
        unsigned pending; /* enum pending_until: how long earned points wait; PENDING_NOT: they are active at
                             once */
        int64_t pending_days;
        unsigned refund_policy; /* enum refund_policy: from where a refund may take points back */
        struct expiry_settings expiry;
        struct spending_settings spending;
        struct cap_limits caps;      /* on what all rules together bring in points */
        int64_t value_minor_per_100; /* what 100 points are worth, in minor units */
        int64_t approval_above;      /* points given and taken by hand in one request: beyond it a second key
                                        approves */
        int64_t restored_life_days;  /* how long restored points live at least, from then on */
};

enum activity_type {
        ACTIVITY_NONE,
        ACTIVITY_SIGN_UP,
        ACTIVITY_CHECK_IN,
        ACTIVITY_REVIEW,
        ACTIVITY_PHOTO_REVIEW,
        ACTIVITY_SHARE,
        ACTIVITY_REFERRAL,
        ACTIVITY_PROFILE_COMPLETED,
        ACTIVITY_SURVEY_ANSWERED,
        ACTIVITY_CUSTOM,
};
extern const struct names activity_type_names;

/* What something that a customer does brings him, and how often. */
struct activity_rule {
        unsigned type;          /* enum activity_type */
        const char *code;       /* of a custom one; NULL for the others */
        int64_t points, growth; /* each time */
        struct opt_int per_day, per_week, per_month,
                per_lifetime; /* payments of a customer; unset: any number */
        bool take_back;       /* a referral, when the order that it was paid for is refunded as a whole */
};

enum coupon_on { COUPON_ON_NONE, COUPON_ON_ORDER, COUPON_ON_TIER };

/* A coupon that an order brings. */
struct coupon_rule {
        const char *code;
        unsigned on;                         /* enum coupon_on */
        const char *tier;                    /* with COUPON_ON_TIER: reaching which; NULL: any */
        const char *when;                    /* condition, NULL: always */
        const char *template;                /* what is issued */
        struct date valid_from, valid_until; /* days in the shop's zone, both included; none: unbounded */
        bool withdrawn_on_refund;            /* unused ones, when the order is refunded as a whole */
        const struct expr *condition;        /* `when` compiled; NULL: always. Not in the document. */
};

enum birthday_on { BIRTHDAY_ON_NONE, BIRTHDAY_ON_DAY, BIRTHDAY_ON_MONTH };

/* What a birthday brings, once a year. */
struct birthday_rule {
        const char *code;
        unsigned on;                         /* enum birthday_on: the day, or the first of its month */
        int64_t days_before;                 /* it is given so long before that */
        int64_t points;                      /* 0: none */
        const char *template;                /* of a coupon; NULL: none */
        const char *when;                    /* condition on the customer, NULL: always */
        struct date valid_from, valid_until; /* days on which it is given, as of earning rules */
        const struct expr *condition;        /* `when` compiled; NULL: always. Not in the document. */
};

enum metric { METRIC_NONE, METRIC_SPEND, METRIC_ORDERS, METRIC_GROWTH };

/* metric over a window >= at_least; spend in minor units. */
struct requirement {
        unsigned metric;
        struct opt_int window_months; /* unset: lifetime */
        int64_t at_least;
};
/* Met when (any_of is empty or one of it is met) and all of all_of are met. */
struct requirements {
        LIST_OF(struct requirement) any_of, all_of;
};

struct full_reduction {
        int64_t threshold_minor, off_minor;
};

/* What explanations call the multipliers of a tier; no earning rule may have these codes. */
#define BENEFIT_TIER_POINTS    "tier_points"
#define BENEFIT_BIRTHDAY_MONTH "birthday_month"

struct benefits {
        int64_t discount_permille; /* 100 is 10 % off */
        LIST_OF(struct full_reduction) full_reduction;
        int64_t points_multiplier_permille;         /* 1000: as it is */
        int64_t birthday_month_multiplier_permille; /* on top, in the month of the birthday */
        int64_t return_window_days;
        bool free_pickup, dedicated_agent, priority_shipping;
        bool lifetime_repair;
        const char *lifetime_repair_goods; /* condition on the line, NULL: all goods */
        bool trial_invites, private_sales, custom_made;
        struct texts perks;
};

/* Tiers of a programme, at most. */
#define TIERS_MAX 20

struct tier {
        int64_t rank; /* 0 is the tier that everyone has */
        const char *code, *name;
        struct requirements qualify, keep; /* qualify of rank 0 is empty: met by everyone */
        bool floor;                        /* whoever reached it never falls below it by time alone */
        struct benefits benefits;
};

enum refund_judging { JUDGING_NONE, JUDGING_AT_ONCE, JUDGING_CYCLE_END };

/* From where cycles are counted. */
enum cycle_anchor { ANCHOR_NONE, ANCHOR_TIER_START, ANCHOR_JOINING, ANCHOR_CALENDAR_YEAR };
/* What happens at the end of a cycle to a tier that is not kept. */
enum downgrade { DOWNGRADE_UNSET, DOWNGRADE_ONE_STEP, DOWNGRADE_REASSESS, DOWNGRADE_NONE };

struct tier_settings {
        int64_t cycle_months;
        unsigned anchor;     /* enum cycle_anchor */
        unsigned downgrade;  /* enum downgrade */
        int64_t grace_days;  /* a tier that is not kept falls so long after the end of its cycle */
        int64_t notice_days; /* a notice is given so long before the end, when the tier would fall; 0: none */
        unsigned after_refund; /* enum refund_judging: when a refund may lower the tier */
};

struct program {
        int64_t version; /* 1 is the one that a new installation starts with */
        struct points_settings points;
        LIST_OF(struct earning_rule) earning;
        LIST_OF(struct activity_rule) activities;
        LIST_OF(struct coupon_rule) coupons;
        LIST_OF(struct birthday_rule) birthdays;
        struct tier_settings cycle;
        struct lifecycle_limits lifecycle;
        LIST_OF(struct tier) tiers; /* ascending by rank, rank == index */
        bool counts_days;           /* some cap is by day or month. Not in the document. */
        bool pays_referrals;        /* some activity rule is for them. Not in the document. */
        bool withdraws_coupons;     /* some coupon rule does. Not in the document. */
        bool asks_tags;             /* some rule for orders asks the customer's. Not in the document. */
};
SHAPE_DECLARE(program);
SHAPE_DECLARE(tier);
SHAPE_DECLARE(tier_settings);
SHAPE_DECLARE(benefits);
SHAPE_DECLARE(full_reduction);
extern const struct names metric_names;

/* Check what a shape cannot (unique codes, ranks, rule fields by kind) and compile the conditions. Faults go
 * into c->problem; ERR_INVALID then. The program and its expressions live in c's arena. */
enum err program_compile(struct ctx *c, struct program *program) MUST_CHECK;

/* The same for one that was accepted before: the segments that its conditions name need not be there. */
enum err program_compile_stored(struct ctx *c, struct program *program) MUST_CHECK;

/* Index of the tier with a code, or -1. */
int program_tier(const struct program *program, const char *code);

/* The longest window that any requirement looks back, in months; 0 when all are lifetime. */
int program_window_months(const struct program *program);
