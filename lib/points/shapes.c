#include "points/points.h"

#define SHAPE_T struct points_account
SHAPE(points_account, "An account.", FIELD(customer_id), FIELD(active), FIELD(pending), FIELD(held),
      FIELD(debt), FIELD(lifetime_earned), FIELD(lifetime_spent), FIELD(lifetime_expired), FIELD(last_seq));
#undef SHAPE_T

#define SHAPE_T struct ledger_entry
SHAPE(ledger_entry, "One immutable line of the history of a customer's points.",
      FIELD(customer_id, .need = true), FIELD(seq, .doc = "Counts up per customer."),
      FIELD(kind, .need = true, .names = &entry_kind_names),
      FIELD(amount,
            .doc = "Signed. An activation moves its amount from pending to active and changes no total."),
      FIELD(active_after), FIELD(pending_after), FIELD(held_after), FIELD(debt_after),
      FIELD(cause, .need = true, .doc = "Why, in a word or two."), FIELD(order_id),
      FIELD(reference,
            .doc = "The shop's own reference: the order's or refund's external_id, or the reason given."),
      FIELD(created_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct expiry
SHAPE(expiry, "Points that lapse together.", FIELD(expires_at, .doc = "null: never."), FIELD(points));
#undef SHAPE_T

#define SHAPE_T struct points_balance
SHAPE(points_balance, "What a customer has.", FIELD(customer_id, .need = true),
      FIELD(active, .doc = "Can be spent now."), FIELD(pending, .doc = "Earned, not yet to be spent."),
      FIELD(held, .doc = "Reserved."),
      FIELD(debt, .doc = "Taken back but already spent; the next earnings pay it off."),
      FIELD(lifetime_earned, .doc = "Net of what refunds took back."), FIELD(lifetime_spent),
      FIELD(lifetime_expired),
      LIST(next_expiries, expiry, .doc = "By date, earliest first; the points sum to active."));
#undef SHAPE_T

#define SHAPE_T struct points_spent
SHAPE(points_spent, "A redemption.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(seq, .doc = "Number of the ledger entry."), FIELD(points), NEST(balance, points_balance));
#undef SHAPE_T
