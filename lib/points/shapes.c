#include "points/earn.h"
#include "points/points.h"

#define SHAPE_T struct points_account
SHAPE(points_account, "An account.", FIELD(customer_id), FIELD(active), FIELD(pending), FIELD(held),
      FIELD(debt), FIELD(lifetime_earned), FIELD(lifetime_spent), FIELD(lifetime_expired), FIELD(last_seq),
      FIELD(moved_at), FIELD(due_at));
#undef SHAPE_T

#define SHAPE_T struct ledger_entry
SHAPE(ledger_entry, "A line of the ledger.", FIELD(customer_id), FIELD(seq),
      FIELD(kind, .names = &entry_kind_names), FIELD(amount), FIELD(active_after), FIELD(pending_after),
      FIELD(held_after), FIELD(debt_after), FIELD(cause), FIELD(order_id), FIELD(reference), FIELD(lot_no),
      FIELD(actor), FIELD(reason), FIELD(created_at));
#undef SHAPE_T

#define SHAPE_T struct explained
SHAPE(explained, "What one rule brought.",
      FIELD(rule, .need = true,
            .doc = "Its code; what a cap cut off is an entry of its own, as \"base:cap_per_day\" for a rule's cap and \"program:cap_per_month\" for the programme's."),
      FIELD(points));
#undef SHAPE_T

#define SHAPE_T struct hold
SHAPE(hold, "Points reserved for a purchase.", FIELD(customer_id, .need = true), FIELD(id, .need = true),
      FIELD(state, .need = true, .names = &hold_state_names), FIELD(points, .doc = "Reserved."),
      FIELD(captured, .doc = "Spent; the rest of a resolved hold went back."),
      FIELD(restored, .doc = "Of the captured ones, given back by refunds of the order."), FIELD(reason),
      FIELD(reference, .doc = "The shop's own name of it: ext:<reference> in a path or an order."),
      FIELD(order_id, .doc = "The order that it pays for."),
      FIELD(redemption_id, .doc = "The redemption of a reward that it pays for."),
      FIELD(seq, .doc = "The ledger entry that reserved them."),
      FIELD(spend_seq, .doc = "The one that spent them; 0: none."), FIELD(created_at, .need = true),
      FIELD(expires_at, .doc = "null: it waits for its order."), FIELD(resolved_at));
#undef SHAPE_T

#define SHAPE_T struct hold_draw
SHAPE(hold_draw, "Points that a hold drew from a lot.", FIELD(customer_id), FIELD(hold_id), FIELD(draw_no),
      FIELD(lot_no), FIELD(amount), FIELD(returned));
#undef SHAPE_T

#define SHAPE_T struct hold_result
SHAPE(hold_result, "A hold and the balance after it.", NEST(hold, hold), NEST(balance, points_balance));
#undef SHAPE_T

#define SHAPE_T struct expiry
SHAPE(expiry, "Points that lapse together.", FIELD(expires_at, .doc = "null: never."), FIELD(points));
#undef SHAPE_T

#define SHAPE_T struct points_balance
SHAPE(points_balance, "What a customer has.", FIELD(customer_id, .need = true),
      FIELD(active, .doc = "Can be spent now."), FIELD(pending, .doc = "Earned, not yet to be spent."),
      FIELD(held, .doc = "Reserved."),
      FIELD(debt, .doc = "Taken back but already spent; the next earnings pay it off."),
      FIELD(lifetime_earned,
            .doc = "Or given; net of what refunds and adjustments took back. What was written off stays earned."),
      FIELD(lifetime_spent), FIELD(lifetime_expired),
      LIST(next_expiries, expiry, .doc = "By date, earliest first; the points sum to active."));
#undef SHAPE_T

#define SHAPE_T struct points_spent
SHAPE(points_spent, "A redemption.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(seq, .doc = "Number of the ledger entry."), FIELD(points), NEST(balance, points_balance));
#undef SHAPE_T
