#include "program/program.h"

NAMES(rule_kind_names, "base", "multiply", "add");
NAMES(rule_target_names, "points", "growth");
NAMES(stacking_names, "stack", "exclusive");
NAMES(pending_names, "none", "days", "delivered", "completed");
NAMES(expiry_form_names, "never", "months", "dates", "inactivity");
NAMES(round_to_names, "none", "month", "quarter", "half_year", "year");
NAMES(refund_policy_names, "only_pending", "within_balance", "unlimited");
NAMES(activity_type_names, "sign_up", "check_in", "review", "photo_review", "share", "referral",
      "profile_completed", "survey_answered", "custom");
NAMES(coupon_on_names, "order_counted", "tier_reached");
NAMES(birthday_on_names, "day", "month");
NAMES(metric_names, "spend", "orders", "growth");
NAMES(refund_judging_names, "at_once", "cycle_end");
NAMES(anchor_names, "tier_start", "joining", "calendar_year");
NAMES(downgrade_names, "one_step", "reassess", "none");

#define RATE_MAX             INT64_C(1000000000) /* a thousandfold: more is a slip of the keyboard */
#define MINOR_MAX            INT64_C(1000000000000)
#define WINDOW_MAX           120 /* months: what a customer did more than ten years ago is lifetime */
#define RULES_MAX            100
#define LIFECYCLE_ORDERS_MAX 1000

#define SHAPE_T struct cap_limits
SHAPE(cap_limits, "What may be earned at most; what goes beyond is cut off, and the explanation says so.",
      FIELD(per_order, .min = 1, .max = MINOR_MAX, .doc = "null: any number."),
      FIELD(per_day, .min = 1, .max = MINOR_MAX, .doc = "By a customer on a day of the shop."),
      FIELD(per_month, .min = 1, .max = MINOR_MAX, .doc = "By a customer in a month of the shop."));
#undef SHAPE_T

#define SHAPE_T struct earning_rule
SHAPE(earning_rule, "One way to earn points or growth from an order.",
      FIELD(code, .need = true, .min = 1, .max = 50, .format = &format_code,
            .doc = "Unique name, shown in explanations."),
      FIELD(target, .names = &rule_target_names, .dflt = "points", .doc = "What is earned."),
      FIELD(kind, .need = true, .names = &rule_kind_names,
            .doc = "base: per amount of each line; multiply: a factor on what the base rules gave; add: a fixed number per order."),
      FIELD(rate_millionths, .from_zero = true, .max = RATE_MAX, .dflt = "0",
            .doc = "base only: points per 100 minor units, in millionths; 1000000 is one point per 100."),
      FIELD(factor_millionths, .from_zero = true, .max = RATE_MAX, .dflt = "0",
            .doc = "multiply only: the factor in millionths; 2000000 doubles."),
      FIELD(points, .from_zero = true, .max = RATE_MAX, .dflt = "0",
            .doc = "add only: points or growth per order."),
      FIELD(when, .min = 1, .max = 2000, .doc = "Condition in the expression language; null: always."),
      FIELD(valid_from, .doc = "First day, in the shop's zone."),
      FIELD(valid_until, .doc = "Last day, in the shop's zone."),
      FIELD(priority, .min = -1000, .max = 1000, .dflt = "0", .doc = "Higher first."),
      FIELD(stacking, .names = &stacking_names, .dflt = "stack",
            .doc = "exclusive: counts only when no rule of its kind and target was taken before it, and ends their search."),
      NEST(caps, cap_limits, .doc = "On what this rule brings."));
#undef SHAPE_T

#define TIMES_MAX      1000000
#define ACTIVITIES_MAX 50

#define SHAPE_T struct activity_rule
SHAPE(activity_rule, "What something that a customer does brings him.",
      FIELD(type, .need = true, .names = &activity_type_names,
            .doc = "A referral is paid when the referred customer's first order counts."),
      FIELD(code, .min = 1, .max = 50, .format = &format_code, .doc = "Of a custom one: its name."),
      FIELD(points, .from_zero = true, .max = RATE_MAX, .dflt = "0", .doc = "Each time."),
      FIELD(growth, .from_zero = true, .max = RATE_MAX, .dflt = "0", .doc = "Each time."),
      FIELD(per_day, .min = 1, .max = TIMES_MAX,
            .doc = "Times that it is paid in a day of the shop; null: any."),
      FIELD(per_week, .min = 1, .max = TIMES_MAX, .doc = "Weeks begin on Monday."),
      FIELD(per_month, .min = 1, .max = TIMES_MAX), FIELD(per_lifetime, .min = 1, .max = TIMES_MAX),
      FIELD(take_back,
            .doc = "Of a referral: it is taken back when the order that it was paid for is refunded as a whole."));
#undef SHAPE_T

#define COUPON_RULES_MAX 50

#define SHAPE_T struct coupon_rule
SHAPE(coupon_rule, "A coupon that an order brings, in its own transaction.",
      FIELD(code, .need = true, .min = 1, .max = 50, .format = &format_code,
            .doc = "Unique name, shown in the order's answer."),
      FIELD(on, .need = true, .names = &coupon_on_names,
            .doc = "When an order counts, or when it lifts its customer into a tier."),
      FIELD(tier, .min = 1, .max = 50, .doc = "With tier_reached: which; null: any."),
      FIELD(when, .min = 1, .max = 2000,
            .doc = "Condition in the expression language, on the order and on the customer as he stands after it; on lines: one of them. null: always."),
      FIELD(template, .need = true, .min = 1, .max = 50, .format = &format_code,
            .doc = "What is issued. Its limits hold; where they end it, the answer says so and the order goes on."),
      FIELD(valid_from, .doc = "First day, in the shop's zone."),
      FIELD(valid_until, .doc = "Last day, in the shop's zone."),
      FIELD(withdrawn_on_refund,
            .doc = "It is withdrawn, if nobody has used it, when the order is refunded as a whole."));
#undef SHAPE_T

#define BIRTHDAY_RULES_MAX  20
#define BIRTHDAY_BEFORE_MAX 60 /* days */

#define SHAPE_T struct birthday_rule
SHAPE(birthday_rule, "What a birthday brings, once a year, to customers whose birthday is known.",
      FIELD(code, .need = true, .min = 1, .max = 50, .format = &format_code,
            .doc = "Unique name; the ledger and the event birthday.given name it with the year."),
      FIELD(on, .names = &birthday_on_names, .dflt = "day",
            .doc = "day: on the birthday, for those of February 29 on the 28th in other years; month: on the first of its month."),
      FIELD(days_before, .from_zero = true, .max = BIRTHDAY_BEFORE_MAX, .dflt = "0",
            .doc = "So many days earlier. Who becomes known, or meets the condition, between then and the birthday (or the end of its month) gets it then."),
      FIELD(points, .from_zero = true, .max = RATE_MAX, .dflt = "0", .doc = "Active at once; 0: none."),
      FIELD(template, .min = 1, .max = 50, .format = &format_code,
            .doc = "Of the coupon that is issued; null: none. Its limits hold."),
      FIELD(when, .min = 1, .max = 2000,
            .doc = "Condition in the expression language on the customer, as tier >= gold; null: always."),
      FIELD(valid_from, .doc = "First day on which it is given, in the shop's zone."),
      FIELD(valid_until, .doc = "Last day on which it is given."));
#undef SHAPE_T

#define SHAPE_T struct expiry_settings
SHAPE(expiry_settings, "When points lapse, always at the end of a day of the shop.",
      FIELD(form, .names = &expiry_form_names, .dflt = "never",
            .doc = "months: so many after they became active; dates: on days of the year; inactivity: so many months after points were last earned, became active or were spent, or after points began to lapse so."),
      FIELD(months, .from_zero = true, .max = WINDOW_MAX, .dflt = "0",
            .doc = "With months and inactivity: how many; with dates: points live at least this long."),
      FIELD(round_to, .names = &round_to_names, .dflt = "none",
            .doc = "With months and inactivity: on to the end of the month, quarter, half year or year."),
      FIELD(dates, .min = 5, .max = 5, .doc = "With dates: the last days, as MM-DD; at most 24.",
            .example = "[\"06-30\",\"12-31\"]"),
      FIELD(warn_days, .from_zero = true, .max = 365, .dflt = "0",
            .doc = "The event points.expiring comes so many days before; 0: none."));
#undef SHAPE_T

#define SHAPE_T struct spending_settings
SHAPE(spending_settings, "How many points may pay for part of a basket.",
      FIELD(minimum, .min = 1, .max = MINOR_MAX, .dflt = "1", .doc = "Points on one basket, at least."),
      FIELD(step, .min = 1, .max = MINOR_MAX, .dflt = "1", .doc = "And a multiple of this."),
      FIELD(max_share_permille, .from_zero = true, .max = 1000, .dflt = "1000",
            .doc = "Of the basket, at most; 500 is half of it."));
#undef SHAPE_T

#define SHAPE_T struct points_settings
SHAPE(points_settings, "How points behave.",
      FIELD(pending, .names = &pending_names, .dflt = "none",
            .doc = "How long earned points wait: none, a number of days after the order counts, or until it is delivered or completed."),
      FIELD(pending_days, .from_zero = true, .max = 3650, .dflt = "0", .doc = "With pending = days."),
      FIELD(refund_policy, .names = &refund_policy_names, .dflt = "unlimited",
            .doc = "From where a refund may take points back; what can't be taken is debt (unlimited) or written off."),
      NEST(expiry, expiry_settings), NEST(spending, spending_settings),
      NEST(caps, cap_limits, .doc = "On what all rules together bring in points."),
      FIELD(value_minor_per_100, .from_zero = true, .max = MINOR_MAX, .dflt = "100",
            .doc = "What 100 points are worth to a customer, in minor units: at the checkout (0: they do not pay) and in reports."),
      FIELD(approval_above, .from_zero = true, .max = MINOR_MAX, .dflt = "10000",
            .doc = "Adjustments of more points than this in one request, given and taken together, wait until a second key approves them."),
      FIELD(restored_life_days, .min = 1, .max = 3650, .dflt = "30",
            .doc = "Spent points that a refund gives back live at least this long, though their time was over."));
#undef SHAPE_T

#define SHAPE_T struct requirement
SHAPE(requirement, "A metric that must reach a value.",
      FIELD(metric, .need = true, .names = &metric_names, .doc = "What is measured, net of refunds."),
      FIELD(window_months, .min = 1, .max = WINDOW_MAX,
            .doc = "Months looked back; null: the whole lifetime."),
      FIELD(at_least, .need = true, .min = 1, .max = MINOR_MAX,
            .doc = "The value to reach; spend in minor units."));
#undef SHAPE_T

#define SHAPE_T struct requirements
SHAPE(requirements, "Met when one of any_of (if there are any) and all of all_of are met.",
      LIST(any_of, requirement, .max = 10), LIST(all_of, requirement, .max = 10));
#undef SHAPE_T

#define SHAPE_T struct full_reduction
SHAPE(full_reduction, "An amount off from a threshold on.",
      FIELD(threshold_minor, .need = true, .min = 1, .max = MINOR_MAX,
            .doc = "The basket must be worth this much."),
      FIELD(off_minor, .need = true, .min = 1, .max = MINOR_MAX, .doc = "What goes off."));
#undef SHAPE_T

#define SHAPE_T struct benefits
SHAPE(benefits, "What a tier gives.",
      FIELD(discount_permille, .from_zero = true, .max = 1000, .dflt = "0",
            .doc = "Off every line; 100 is 10 %."),
      LIST(full_reduction, full_reduction, .max = 20,
           .doc = "The best one that the basket reaches is applied, once."),
      FIELD(points_multiplier_permille, .from_zero = true, .max = 100000, .dflt = "1000",
            .doc = "1000: as it is."),
      FIELD(birthday_month_multiplier_permille, .from_zero = true, .max = 100000, .dflt = "1000",
            .doc = "On top, in the month of the customer's birthday."),
      FIELD(return_window_days, .from_zero = true, .max = 3650, .dflt = "7"), FIELD(free_pickup),
      FIELD(dedicated_agent), FIELD(priority_shipping), FIELD(lifetime_repair),
      FIELD(lifetime_repair_goods, .max = 2000, .doc = "Condition on the goods; null: all."),
      FIELD(trial_invites), FIELD(private_sales), FIELD(custom_made),
      FIELD(perks, .doc = "Further benefits by name."));
#undef SHAPE_T

#define SHAPE_T struct tier
SHAPE(tier, "A step of the programme.",
      FIELD(rank, .need = true, .from_zero = true, .max = TIERS_MAX,
            .doc = "0 is the tier that everyone has; one more for each step."),
      FIELD(code, .need = true, .min = 1, .max = 50, .format = &format_code),
      FIELD(name, .need = true, .min = 1, .max = 100),
      NEST(qualify, requirements, .doc = "Reached at once, in the order's own transaction."),
      NEST(keep, requirements, .doc = "What holds the tier at the end of a cycle; empty: it is never lost."),
      FIELD(floor, .doc = "Whoever reached it never falls below it by time alone."),
      NEST(benefits, benefits));
#undef SHAPE_T

#define SHAPE_T struct tier_settings
SHAPE(tier_settings, "How tiers run.",
      FIELD(cycle_months, .min = 1, .max = WINDOW_MAX, .dflt = "12",
            .doc = "A tier is held this long before it is judged again."),
      FIELD(anchor, .names = &anchor_names, .dflt = "tier_start",
            .doc = "From where cycles are counted: the start of the tier, the day the customer joined, or January 1."),
      FIELD(downgrade, .names = &downgrade_names, .dflt = "one_step",
            .doc = "A tier that is not kept falls by one step, to the highest one that is met, or not at all."),
      FIELD(grace_days, .from_zero = true, .max = 366, .dflt = "0",
            .doc = "A tier that is not kept falls so many days after the end of its cycle."),
      FIELD(notice_days, .from_zero = true, .max = 366, .dflt = "30",
            .doc = "A tier.notice event comes so many days before a tier would fall; 0: never."),
      FIELD(after_refund, .names = &refund_judging_names, .dflt = "at_once",
            .doc = "When a refund may lower the tier."));
#undef SHAPE_T

#define SHAPE_T struct lifecycle_limits
SHAPE(lifecycle_limits, "When a customer is new, a repeat one, loyal, at risk or lost.",
      FIELD(repeat_orders, .min = 2, .max = LIFECYCLE_ORDERS_MAX, .dflt = "2",
            .doc = "Orders in a lifetime that make a repeat customer."),
      FIELD(loyal_orders, .min = 2, .max = LIFECYCLE_ORDERS_MAX, .dflt = "5",
            .doc = "Orders within loyal_window_months that make a loyal one."),
      FIELD(loyal_window_months, .min = 1, .max = WINDOW_MAX, .dflt = "12"),
      FIELD(at_risk_months, .min = 1, .max = WINDOW_MAX, .dflt = "6",
            .doc = "Months without an order after which he is at risk."),
      FIELD(lost_months, .min = 1, .max = WINDOW_MAX, .dflt = "12",
            .doc = "Months without an order after which he is lost; not less than at_risk_months."));
#undef SHAPE_T

#define SHAPE_T struct program
SHAPE(program, "The loyalty programme as one document.",
      FIELD(version, .from_zero = true, .dflt = "0", .doc = "Counts up with every change; ignored on input."),
      NEST(points, points_settings), LIST(earning, earning_rule, .max = RULES_MAX),
      LIST(activities, activity_rule, .max = ACTIVITIES_MAX),
      LIST(coupons, coupon_rule, .max = COUPON_RULES_MAX),
      LIST(birthdays, birthday_rule, .max = BIRTHDAY_RULES_MAX), NEST(cycle, tier_settings),
      NEST(lifecycle, lifecycle_limits),
      LIST(tiers, tier, .need = true, .min = 1, .max = TIERS_MAX, .doc = "Ascending by rank, from 0."));
#undef SHAPE_T
