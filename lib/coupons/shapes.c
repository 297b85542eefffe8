#include "coupons/coupons.h"

NAMES(coupon_kind_names, "amount", "percent");
NAMES(coupon_state_names, "available", "locked", "redeemed", "expired", "revoked");
NAMES(coupon_source_names, "api", "reward", "job", "order", "birthday");
NAMES(coupon_action_names, "issued", "locked", "released", "redeemed", "returned", "expired", "revoked");

#define DAYS_MAX  36500
#define LIMIT_MAX INT64_C(1000000000)

#define COUPON_RULE_FIELDS                                                                                        \
        FIELD(name, .need = true, .min = 1, .max = 200, .format = &format_printable),                             \
                FIELD(kind, .need = true, .names = &coupon_kind_names),                                           \
                FIELD(off_minor, .from_zero = true, .max = COUPON_MINOR_MAX, .dflt = "0",                         \
                      .doc = "With amount: what goes off."),                                                      \
                FIELD(off_permille, .from_zero = true, .max = 1000, .dflt = "0",                                  \
                      .doc = "With percent: 100 is 10 %."),                                                       \
                FIELD(max_off_minor, .min = 1, .max = COUPON_MINOR_MAX,                                           \
                      .doc = "With percent: at most so much."),                                                   \
                FIELD(threshold_minor, .from_zero = true, .max = COUPON_MINOR_MAX, .dflt = "0",                   \
                      .doc = "The goods that it is for must be worth this much, after all discounts before it."), \
                FIELD(goods, .max = EXPR_CHARS_MAX,                                                               \
                      .doc = "Condition on a line: what it is for; null: all goods.",                             \
                      .example = "\"category = 'bags'\""),                                                        \
                FIELD(valid_from, .doc = "First day; null: from the issue on."),                                  \
                FIELD(valid_until, .doc = "Last day; null: none."),                                               \
                FIELD(valid_days, .min = 1, .max = DAYS_MAX,                                                      \
                      .doc = "So many days after the issue, to the end of the day; the earlier end counts."),     \
                FIELD(per_customer_limit, .min = 1, .max = LIMIT_MAX,                                             \
                      .doc = "Issued to one customer at most; withdrawn ones don't count."),                      \
                FIELD(total_limit, .min = 1, .max = LIMIT_MAX, .doc = "Issued at most, exactly."),                \
                FIELD(with_tier_discount, .dflt = "true",                                                         \
                      .doc = "false: where the coupon is used the tier's discount gives way to it."),             \
                FIELD(with_full_reduction, .dflt = "true", .doc = "Likewise the tier's full reduction."),         \
                FIELD(with_points, .dflt = "true",                                                                \
                      .doc = "false: not for an order that points pay for too."),                                 \
                FIELD(with_coupons, .dflt = "false", .doc = "true: beside others that say so too."),              \
                FIELD(returns_on_refund, .dflt = "false",                                                         \
                      .doc = "true: when its order is refunded whole, it can be used again."),                    \
                FIELD(returned_days, .from_zero = true, .max = DAYS_MAX, .dflt = "0",                             \
                      .doc = "What came back is good for so many days at least."),                                \
                FIELD(active, .dflt = "true", .doc = "false: no more are issued.")

#define SHAPE_T struct coupon_template_in
SHAPE(coupon_template_in, "What coupons of a template promise.",
      FIELD(template, .in = IN_PATH, .need = true, .min = 1, .max = 50, .format = &format_code,
            .doc = "Its code."),
      COUPON_RULE_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct coupon_template
SHAPE(coupon_template, "A template of coupons.", FIELD(code, .need = true),
      FIELD(version, .doc = "Coupons keep the version that they were issued under."), COUPON_RULE_FIELDS,
      FIELD(issued, .doc = "So far, withdrawn ones included."), FIELD(created_at, .need = true),
      FIELD(updated_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct coupon
SHAPE(coupon, "A coupon.", FIELD(code, .need = true), FIELD(id, .need = true), FIELD(template, .need = true),
      FIELD(template_version), FIELD(customer_id, .doc = "null: for whoever bears it."),
      FIELD(state, .need = true, .names = &coupon_state_names),
      FIELD(source, .need = true, .names = &coupon_source_names, .doc = "What issued it."),
      FIELD(origin_id, .doc = "The job or order that issued it; null: neither."),
      FIELD(issue_key, .doc = "The key that it was issued under."), FIELD(valid_from, .need = true),
      FIELD(expires_at, .doc = "null: never."), FIELD(session, .doc = "Of the checkout that has locked it."),
      FIELD(locked_at), FIELD(locked_until), FIELD(used_by, .doc = "The customer who used it."),
      FIELD(order_id, .doc = "The order that it was used for."),
      FIELD(redemption, .doc = "Or the shop's own name for what it was used for."),
      FIELD(off_minor, .doc = "What it took off."), FIELD(redeemed_at),
      FIELD(changes, .doc = "Entries of its history."), FIELD(created_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct coupon_change
SHAPE(coupon_change, "What became of a coupon.", FIELD(code, .need = true), FIELD(change_no),
      FIELD(action, .need = true, .names = &coupon_action_names),
      FIELD(state, .need = true, .names = &coupon_state_names, .doc = "After it."), FIELD(customer_id),
      FIELD(order_id), FIELD(reference, .doc = "The session, the order or refund, or the shop's own name."),
      FIELD(created_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct coupon_batch_in
SHAPE(coupon_batch_in, "Coupons to issue.",
      FIELD(template, .in = IN_PATH, .need = true, .max = 50, .doc = "Its code."),
      FIELD(count, .need = true, .min = 1, .max = COUPON_BATCH_MAX, .doc = "How many."),
      FIELD(key, .need = true, .min = 1, .max = 150, .format = &format_printable,
            .doc = "The shop's own name for them, unique for the template for ever: sent again, it answers with the same coupons."));
#undef SHAPE_T

#define SHAPE_T struct coupon_batch
SHAPE(coupon_batch, "Coupons that were issued together.", FIELD(template, .need = true),
      FIELD(template_version), FIELD(valid_from, .need = true), FIELD(expires_at, .doc = "null: never."),
      FIELD(codes, .need = true, .doc = "In the order of their issue keys, <key>/1 to <key>/<count>."));
#undef SHAPE_T

#define SHAPE_T struct coupon_issue_in
SHAPE(coupon_issue_in, "A coupon to issue.",
      FIELD(template, .need = true, .min = 1, .max = 50, .format = &format_code),
      FIELD(customer, .min = 1, .max = 300, .doc = "UUID or ext:<external id>; null: for whoever bears it."),
      FIELD(key, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's own name for the issue, unique for the template for ever: sent again, it answers with the same coupon."));
#undef SHAPE_T
