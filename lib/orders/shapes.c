#include "coupons/offers.h"
#include "orders/orders.h"

NAMES(order_status_names, "placed", "paid", "shipped", "delivered", "completed", "cancelled");
NAMES(award_status_names, "none", "active", "pending");

#define MONEY          .from_zero = true, .max = ORDER_MINOR_MAX
#define NAME_MAX_CHARS 500 /* of goods: shops put whole titles there */
#define QUANTITY_MAX   10000000

#define SHAPE_T struct order_line_in
SHAPE(order_line_in, "One line of an order.",
      FIELD(line_no, .min = 1, .max = 1000000,
            .doc = "Unique in the order; null: its place in the list, from 1."),
      FIELD(sku, .need = true, .min = 1, .max = 100, .doc = "Stock number of the goods."),
      FIELD(name, .max = NAME_MAX_CHARS), FIELD(category, .max = 200), FIELD(brand, .max = 200),
      FIELD(quantity, .min = 1, .max = QUANTITY_MAX, .dflt = "1"),
      FIELD(unit_price_minor, MONEY,
            .doc = "When given, quantity x unit_price_minor - discount_minor must be total_minor."),
      FIELD(discount_minor, MONEY, .dflt = "0", .doc = "Off this line."),
      FIELD(total_minor, .need = true, MONEY),
      FIELD(cost_minor, MONEY, .doc = "What the line cost the shop."));
#undef SHAPE_T

#define SHAPE_T struct order_in
SHAPE(order_in, "The whole order, in the state it is in.",
      FIELD(backfill, .in = IN_QUERY, .dflt = "false",
            .doc = "Record history: everything is dated by the order's own times."),
      FIELD(award, .in = IN_QUERY, .dflt = "true", .doc = "false: the order earns no points and no growth."),
      FIELD(external_id, .need = true, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's order number, unique for ever: the natural key of the call.",
            .example = "\"A-1001\""),
      FIELD(status, .names = &order_status_names, .dflt = "placed", .doc = "An order counts from paid on."),
      FIELD(channel, .names = &channel_names, .dflt = "direct",
            .doc = "Where the order came from; with its detail, campaign and referrer the source of a customer who is new by it and names no other."),
      FIELD(channel_detail, .max = SOURCE_DETAIL_MAX, .later = true,
            .doc = "Of the channel: the search words, the host of the live room and the like."),
      FIELD(campaign, .max = SOURCE_CAMPAIGN_MAX, .later = true,
            .doc = "The campaign that brought the order."),
      FIELD(referrer, .min = 1, .max = 300, .later = true,
            .doc = "Who referred the customer to it: UUID or ext:<external id> of somebody else. Once known it stands. Somebody who was erased is not noted."),
      FIELD(currency, .min = 3, .max = 3, .format = &format_currency, .doc = "The shop's; null: the shop's."),
      NEST(customer, customer_in, .need = true,
           .doc = "By id, external_id or any identity; created when unknown."),
      FIELD(placed_at, .doc = "null: now."), FIELD(paid_at, .doc = "null, from paid on: now."),
      FIELD(shipped_at), FIELD(delivered_at), FIELD(completed_at), FIELD(cancelled_at),
      LIST(lines, order_line_in, .need = true, .min = 1, .max = ORDER_LINES_MAX),
      FIELD(shipping_minor, MONEY, .dflt = "0"),
      FIELD(discount_minor, MONEY, .dflt = "0",
            .doc = "Off the whole order, beside the lines' own discounts."),
      FIELD(coupon, .min = 1, .max = 100,
            .doc = "Code of the coupon that is used, or several, separated by commas. The order uses it up, in its own transaction, and must state what it takes off. What has not the form of such a code is the shop's own, and only recorded."),
      FIELD(coupon_session, .min = 1, .max = 200, .format = &format_printable,
            .doc = "Under which the coupons are locked; null: external_id."),
      FIELD(coupon_discount_minor, MONEY,
            .doc = "What the coupons take off, as part of discount_minor; null: all of discount_minor."),
      FIELD(points_hold, .min = 1, .max = 300,
            .doc = "The hold of points that pays for part of it: UUID or ext:<reference>. It waits for the order, is captured when the order counts and released when it is cancelled before."),
      FIELD(total_minor, .need = true, MONEY, .doc = "Sum of the lines + shipping_minor - discount_minor."));
#undef SHAPE_T

#define SHAPE_T struct order
SHAPE(order, "An order.", FIELD(customer_id, .need = true, .subject = true), FIELD(id, .need = true),
      FIELD(external_id, .need = true), FIELD(status, .need = true, .names = &order_status_names),
      FIELD(channel, .need = true, .names = &channel_names), FIELD(channel_detail), FIELD(campaign),
      FIELD(referrer_id, .doc = "Who referred the customer to it."), FIELD(currency, .need = true),
      FIELD(coupon), FIELD(points_hold, .doc = "The hold that paid for part of it."),
      FIELD(goods_minor, .doc = "Sum of the lines."), FIELD(shipping_minor), FIELD(discount_minor),
      FIELD(total_minor), FIELD(refunded_minor), FIELD(refunded_shipping_minor), FIELD(points_earned),
      FIELD(growth_earned), FIELD(points_reversed), FIELD(growth_reversed), FIELD(awarded),
      FIELD(counted_on, .doc = "The day from which it counts; null: not yet."),
      FIELD(placed_at, .need = true), FIELD(paid_at), FIELD(shipped_at), FIELD(delivered_at),
      FIELD(completed_at), FIELD(cancelled_at), FIELD(line_count),
      FIELD(calls, .doc = "Accepted calls about it."), FIELD(version), FIELD(created_at, .need = true),
      FIELD(updated_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct order_line
SHAPE(order_line, "A line as stored.", FIELD(customer_id, .need = true), FIELD(order_id, .need = true),
      FIELD(line_no), FIELD(sku, .need = true), FIELD(name), FIELD(category), FIELD(brand), FIELD(quantity),
      FIELD(unit_price_minor), FIELD(discount_minor), FIELD(total_minor), FIELD(cost_minor),
      FIELD(paid_minor, .doc = "The total less its share of the order's discount: what can be refunded."),
      FIELD(points, .doc = "Its share of the points that the order earned."), FIELD(growth),
      FIELD(refunded_quantity), FIELD(refunded_minor));
#undef SHAPE_T

#define SHAPE_T struct outcome_customer
SHAPE(outcome_customer, "Who ordered.", FIELD(id, .need = true), FIELD(external_id),
      FIELD(created, .doc = "This call created the customer."));
#undef SHAPE_T

#define SHAPE_T struct outcome_points
SHAPE(outcome_points, "What happened to the points, and the balance after it.", FIELD(earned),
      FIELD(status, .need = true, .names = &award_status_names, .doc = "Of the earned points."),
      FIELD(reversed, .doc = "Taken back, debt included."),
      FIELD(written_off, .doc = "Could not be taken back; forgiven."),
      FIELD(spent, .doc = "Captured from the order's hold."),
      FIELD(restored, .doc = "Given back of what the order's hold had spent."), FIELD(active), FIELD(pending),
      FIELD(held), FIELD(debt),
      LIST(explanation, explained,
           .doc = "What each rule brought and each cap cut off; they sum to earned."));
#undef SHAPE_T

#define SHAPE_T struct outcome_growth
SHAPE(outcome_growth, "What happened to the growth.", FIELD(earned), FIELD(reversed),
      FIELD(total, .doc = "Lifetime."));
#undef SHAPE_T

#define SHAPE_T struct outcome_tier
SHAPE(outcome_tier, "The tier before and after.", FIELD(before, .need = true), FIELD(after, .need = true),
      FIELD(next, .doc = "null in the highest."), LIST(missing, missing, .doc = "To the next tier."));
#undef SHAPE_T

#define SHAPE_T struct outcome_segments
SHAPE(outcome_segments, "Lifecycle segments that the call changed.", FIELD(entered), FIELD(left));
#undef SHAPE_T

#define SHAPE_T struct refunded_line
SHAPE(refunded_line, "What was given back of a line.", FIELD(line_no), FIELD(quantity), FIELD(amount_minor),
      FIELD(points), FIELD(growth));
#undef SHAPE_T

#define SHAPE_T struct outcome_refund
SHAPE(outcome_refund, "A refund.", FIELD(id, .need = true), FIELD(external_id, .need = true),
      FIELD(reason, .pii = PII_ALL), FIELD(amount_minor, .doc = "Of lines and shipping together."),
      FIELD(shipping_minor), LIST(lines, refunded_line));
#undef SHAPE_T

#define SHAPE_T struct used_coupon
SHAPE(used_coupon, "A coupon that an order uses.", FIELD(code, .need = true), FIELD(template, .need = true),
      FIELD(off_minor, .doc = "What it takes off."),
      FIELD(not_with,
            .doc = "What it does not combine with and the order goes without, by the names of the quote's steps: tier_discount, full_reduction, points, coupon.",
            .example = "[\"tier_discount\"]"));
#undef SHAPE_T

#define SHAPE_T struct outcome_coupon
SHAPE(outcome_coupon, "A coupon that a rule of the programme gives for the order.",
      FIELD(rule, .need = true, .doc = "Its code in the programme."), FIELD(template, .need = true),
      FIELD(status, .need = true, .names = &coupon_offered_names,
            .doc = "issued; or why not: sold_out (also: switched off, or over), limit_reached by the customer, unknown_template; withdrawn with the refund."),
      FIELD(code, .doc = "null: none was issued."), FIELD(valid_from),
      FIELD(expires_at, .doc = "null: never."));
#undef SHAPE_T

#define SHAPE_T struct outcome
SHAPE(outcome, "The whole outcome of one call.", NEST(order, order), POINTER(refund, outcome_refund),
      NEST(customer, outcome_customer), NEST(points, outcome_points), NEST(growth, outcome_growth),
      NEST(tier, outcome_tier), NEST(segments, outcome_segments), LIST(coupons, outcome_coupon),
      LIST(used_coupons, used_coupon, .doc = "That pay for part of it, as it is now."));
#undef SHAPE_T

#define SHAPE_T struct order_view
SHAPE(order_view, "An order with its lines and refunds.", NEST(order, order), LIST(lines, order_line),
      LIST(refunds, outcome_refund),
      LIST(used_coupons, used_coupon, .doc = "That pay for part of it, as it is now."));
#undef SHAPE_T

#define SHAPE_T struct refund_line_in
SHAPE(refund_line_in, "What comes back of one line.", FIELD(line_no, .need = true, .min = 1),
      FIELD(quantity, .from_zero = true, .max = QUANTITY_MAX, .doc = "Pieces that come back; null: none."),
      FIELD(amount_minor, MONEY, .doc = "null: what the quantity cost."));
#undef SHAPE_T

#define SHAPE_T struct refund_in
SHAPE(refund_in, "A refund of part or all of an order.",
      FIELD(order, .in = IN_PATH, .need = true, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(backfill, .in = IN_QUERY, .dflt = "false", .doc = "Record history: dated by refunded_at."),
      FIELD(external_id, .need = true, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's refund number, unique in the order: the natural key of the call."),
      FIELD(reason, .max = 500, .pii = PII_ALL), LIST(lines, refund_line_in, .max = ORDER_LINES_MAX),
      FIELD(shipping_minor, MONEY, .dflt = "0"), FIELD(refunded_at, .doc = "null: now."));
#undef SHAPE_T
