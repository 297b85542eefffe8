#include "check/check.h"

#include "db/statement.h"

#define SHAPE_T struct finding
SHAPE(finding, "Something that does not add up.", FIELD(check, .need = true), FIELD(customer_id),
      FIELD(detail, .need = true));
#undef SHAPE_T

#define SHAPE_T struct proof
SHAPE(proof, "The proof that the points are right.", FIELD(ok), FIELD(customers, .doc = "Accounts checked."),
      FIELD(checked_entries, .doc = "Ledger entries checked."),
      LIST(faults, finding, .doc = "Empty when all is right."));
#undef SHAPE_T

struct counted {
        int64_t customers, checked_entries;
};
#define SHAPE_T struct counted
SHAPE(counted, "What was looked at.", FIELD(customers), FIELD(checked_entries));
#undef SHAPE_T

SQL_ONE(points_counted, nothing, counted,
        "SELECT (SELECT count(*) FROM points_accounts) AS customers, (SELECT count(*) FROM points_ledger) AS checked_entries")

/* An entry's effect on active + pending + held - debt. */
#define EFFECT        "CASE WHEN kind IN ('activate', 'hold', 'release') THEN 0 ELSE amount END"
#define TOTAL(suffix) "(active" suffix " + pending" suffix " + held" suffix " - debt" suffix ")"
#define LIMIT         " LIMIT 100" /* FINDINGS_MAX */

SQL_MANY(
        ledger_is_a_chain, nothing, finding,
        "SELECT 'ledger_chain' AS check, customer_id, 'entry ' || seq || ' does not follow from the one before' AS detail FROM ("
        "SELECT customer_id, seq, kind, amount, " TOTAL(
                "_after") " AS total, "
                          "lag(" TOTAL(
                                  "_after") ", 1, 0::bigint) OVER w AS before, row_number() OVER w AS n "
                                            "FROM points_ledger WINDOW w AS (PARTITION BY customer_id ORDER BY seq)) AS l "
                                            "WHERE total <> before + " EFFECT " OR seq <> n" LIMIT)

SQL_MANY(
        account_is_last_entry, nothing, finding,
        "SELECT 'account_is_last_entry' AS check, a.customer_id, 'the account differs from entry ' || a.last_seq AS detail "
        "FROM points_accounts a LEFT JOIN points_ledger l ON l.customer_id = a.customer_id AND l.seq = a.last_seq "
        "WHERE (a.last_seq > 0 AND l.seq IS NULL) OR (a.active, a.pending, a.held, a.debt) IS DISTINCT FROM "
        "(coalesce(l.active_after, 0), coalesce(l.pending_after, 0), coalesce(l.held_after, 0), coalesce(l.debt_after, 0))" LIMIT)

SQL_MANY(
        entries_sum_to_account, nothing, finding,
        "SELECT 'entries_sum' AS check, coalesce(a.customer_id, l.customer_id) AS customer_id, 'entries sum to ' || "
        "coalesce(l.total, 0) || ', the account to ' || coalesce(" TOTAL(
                "") ", 0) AS detail FROM points_accounts a "
                    "FULL JOIN (SELECT customer_id, sum(" EFFECT ") AS total, "
                    "sum(amount) FILTER (WHERE kind IN ('earn', 'reverse', 'write_off', 'adjust')) AS earned, "
                    "-sum(amount) FILTER (WHERE kind IN ('spend', 'restore')) AS spent, "
                    "-sum(amount) FILTER (WHERE kind = 'expire') AS expired FROM points_ledger GROUP BY customer_id) AS l USING (customer_id) "
                    "WHERE coalesce(l.total, 0) <> coalesce(" TOTAL(
                            "") ", 0) OR coalesce(l.earned, 0) <> coalesce(a.lifetime_earned, 0) "
                                "OR coalesce(l.spent, 0) <> coalesce(a.lifetime_spent, 0) "
                                "OR coalesce(l.expired, 0) <> coalesce(a.lifetime_expired, 0)" LIMIT)

SQL_MANY(
        lots_sum_to_account, nothing, finding,
        "SELECT 'lots_sum' AS check, coalesce(a.customer_id, l.customer_id) AS customer_id, 'lots hold ' || "
        "coalesce(l.active, 0) || ' active and ' || coalesce(l.pending, 0) || ' pending' AS detail FROM points_accounts a "
        "FULL JOIN (SELECT customer_id, sum(remaining) FILTER (WHERE NOT pending) AS active, "
        "sum(remaining) FILTER (WHERE pending) AS pending FROM points_lots GROUP BY customer_id) AS l USING (customer_id) "
        "WHERE coalesce(l.active, 0) <> coalesce(a.active, 0) OR coalesce(l.pending, 0) <> coalesce(a.pending, 0)" LIMIT)

SQL_MANY(
        lot_is_what_draws_left, nothing, finding,
        "SELECT 'lot_draws' AS check, t.customer_id, 'lot ' || t.lot_no || ' has ' || t.remaining || ' left of ' || t.amount AS detail "
        "FROM points_lots t LEFT JOIN (SELECT customer_id, lot_no, sum(amount) AS drawn FROM points_allocations "
        "GROUP BY customer_id, lot_no) AS d USING (customer_id, lot_no) "
        "LEFT JOIN points_ledger l ON l.customer_id = t.customer_id AND l.seq = t.lot_no "
        "WHERE t.amount - coalesce(d.drawn, 0) <> t.remaining OR l.kind IS NULL OR l.kind NOT IN ('earn', 'adjust', 'transfer_in') OR l.amount <> t.amount" LIMIT)

/* What paid off debt left its lot too. A write-off draws nothing: the reversal before it had made it debt for
 * a moment. Nor does the capture of a hold: the hold did. */
SQL_MANY(
        entry_drew_what_it_says, nothing, finding,
        "SELECT 'entry_draws' AS check, customer_id, 'entry ' || seq || ' drew ' || coalesce(drawn, 0) || ', not ' || "
        "coalesce(due, 0) AS detail FROM (SELECT l.customer_id, l.seq, CASE WHEN kind = 'write_off' THEN 0 ELSE "
        "lag(debt_after, 1, 0::bigint) OVER (PARTITION BY l.customer_id ORDER BY l.seq) - debt_after + "
        "CASE WHEN kind IN ('earn', 'activate', 'transfer_in') OR (kind = 'adjust' AND amount > 0) OR h.id IS NOT NULL THEN 0 ELSE -amount END END AS due "
        "FROM points_ledger l LEFT JOIN points_holds h ON h.customer_id = l.customer_id AND h.spend_seq = l.seq) AS l "
        "FULL JOIN (SELECT customer_id, seq, sum(amount) AS drawn FROM points_allocations GROUP BY customer_id, seq) AS d "
        "USING (customer_id, seq) WHERE coalesce(due, 0) <> coalesce(drawn, 0)" LIMIT)

/* In place of foreign keys, which would cost every order. */
#define ORPHANS(table, parent, key)                                                                          \
        "SELECT t.customer_id, 'a row of " table " belongs to nothing in " parent "' AS detail FROM " table  \
        " t WHERE NOT EXISTS (SELECT FROM " parent " p WHERE " key ") UNION ALL "
#define NO_MORE     "SELECT NULL::uuid, NULL WHERE false"
#define OF_CUSTOMER "p.id = t.customer_id"
#define OF_ORDER    "p.customer_id = t.customer_id AND p.id = t.order_id"

/* One table a line. */
/* clang-format off */
SQL_MANY(everything_belongs, nothing, finding,
         "SELECT 'orphans' AS check, customer_id, detail FROM ("
         ORPHANS("customer_identities", "customers", OF_CUSTOMER)
         ORPHANS("customer_aliases", "customers", OF_CUSTOMER)
         ORPHANS("tier_standings", "customers", OF_CUSTOMER)
         ORPHANS("metric_days", "customers", OF_CUSTOMER)
         ORPHANS("tier_history", "customers", OF_CUSTOMER)
         ORPHANS("events", "(SELECT id FROM customers UNION ALL SELECT id FROM erased_customers)", OF_CUSTOMER)
         ORPHANS("order_lines", "orders", OF_ORDER)
         ORPHANS("order_calls", "orders", OF_ORDER)
         ORPHANS("refunds", "orders", OF_ORDER)
         ORPHANS("refund_lines", "refunds", "(p.customer_id, p.order_id, p.id) = (t.customer_id, t.order_id, t.refund_id)")
         NO_MORE ") AS o" LIMIT)

SQL_MANY(points_belong, nothing, finding,
         "SELECT 'points_orphans' AS check, customer_id, detail FROM ("
         ORPHANS("points_accounts", "customers", OF_CUSTOMER)
         ORPHANS("points_ledger", "customers", OF_CUSTOMER)
         ORPHANS("points_lots", "customers", OF_CUSTOMER)
         ORPHANS("points_holds", "customers", OF_CUSTOMER)
         ORPHANS("points_hold_draws", "points_holds", "p.customer_id = t.customer_id AND p.id = t.hold_id")
         ORPHANS("activities", "customers", OF_CUSTOMER)
         ORPHANS("points_cap_days", "customers", OF_CUSTOMER)
         ORPHANS("birthday_gifts", "customers", OF_CUSTOMER)
         ORPHANS("points_adjustments", "customers", OF_CUSTOMER)
         ORPHANS("points_lot_lives", "points_lots", "p.customer_id = t.customer_id AND p.lot_no = t.lot_no")
         ORPHANS("points_joined", "points_ledger", "p.customer_id = t.customer_id AND p.seq = t.last_seq")
         ORPHANS("points_allocations", "points_lots", "p.customer_id = t.customer_id AND p.lot_no = t.lot_no")
         "SELECT customer_id, 'entry ' || seq || ' is about no order' FROM points_ledger t WHERE order_id IS NOT NULL "
         "AND NOT EXISTS (SELECT FROM orders p WHERE " OF_ORDER ")) AS o" LIMIT)
/* clang-format on */

SQL_MANY(
        holds_sum_to_account, nothing, finding,
        "SELECT 'holds_sum' AS check, coalesce(a.customer_id, h.customer_id) AS customer_id, 'open holds have ' || "
        "coalesce(h.held, 0) || ' points' AS detail FROM points_accounts a FULL JOIN (SELECT customer_id, "
        "sum(points) FILTER (WHERE state = 'open') AS held FROM points_holds GROUP BY customer_id) AS h USING (customer_id) "
        "WHERE coalesce(h.held, 0) <> coalesce(a.held, 0)" LIMIT)

/* What looks only when something is due must not look too late. */
SQL_MANY(
        due_is_not_late, nothing, finding,
        "SELECT 'points_due' AS check, a.customer_id, 'something is due at ' || d.at || ', the account says ' || "
        "coalesce(a.due_at::text, 'never') AS detail FROM points_accounts a JOIN (SELECT customer_id, min(at) AS at FROM ("
        "SELECT customer_id, CASE WHEN pending THEN active_from ELSE expires_at END AS at FROM points_lots WHERE remaining > 0 "
        "UNION ALL SELECT customer_id, expires_at FROM points_holds WHERE state = 'open') AS t "
        "WHERE at IS NOT NULL GROUP BY customer_id) AS d USING (customer_id) "
        "WHERE a.due_at IS NULL OR a.due_at > d.at" LIMIT)

/* What a hold drew is what its entry drew; what is not with it any more was given back. */
SQL_MANY(
        hold_is_what_it_drew, nothing, finding,
        "SELECT 'hold_draws' AS check, h.customer_id, 'hold ' || h.id || ' does not add up' AS detail FROM points_holds h "
        "LEFT JOIN (SELECT d.customer_id, d.hold_id AS id, sum(d.amount) AS drawn, sum(d.returned) AS returned, "
        "bool_and(d.amount IS NOT DISTINCT FROM a.amount) AS matches FROM points_hold_draws d "
        "JOIN points_holds o ON o.customer_id = d.customer_id AND o.id = d.hold_id "
        "LEFT JOIN points_allocations a ON a.customer_id = d.customer_id AND a.seq = o.seq AND a.lot_no = d.lot_no "
        "GROUP BY d.customer_id, d.hold_id) AS d USING (customer_id, id) "
        "LEFT JOIN points_ledger l ON l.customer_id = h.customer_id AND l.seq = h.seq "
        "LEFT JOIN points_ledger s ON s.customer_id = h.customer_id AND s.seq = h.spend_seq "
        "WHERE h.points IS DISTINCT FROM d.drawn OR NOT d.matches OR l.kind IS DISTINCT FROM 'hold' OR l.amount <> -h.points "
        "OR coalesce(-s.amount, 0) <> h.captured OR (h.captured > 0 AND s.kind IS DISTINCT FROM 'spend') "
        "OR d.returned <> CASE WHEN h.state = 'open' THEN 0 ELSE h.points - h.captured + h.restored END" LIMIT)

/* An applied one is one entry, and every entry of the kind is one of them. */
SQL_MANY(
        adjustments_are_entries, nothing, finding,
        "SELECT 'adjustments' AS check, coalesce(a.customer_id, l.customer_id) AS customer_id, 'adjustment ' || "
        "coalesce(a.id::text, 'of entry ' || l.seq) || ' is not what was booked' AS detail FROM "
        "(SELECT * FROM points_adjustments WHERE state = 'applied') AS a "
        "FULL JOIN (SELECT customer_id, seq, amount FROM points_ledger WHERE kind = 'adjust') AS l "
        "ON l.customer_id = a.customer_id AND l.seq = a.seq WHERE a.points IS DISTINCT FROM l.amount" LIMIT)

/* What was paid for an activity is one entry, and every earning without an order is such a payment, but for
 * what birthdays bring. */
SQL_MANY(
        activities_are_entries, nothing, finding,
        "SELECT 'activities' AS check, coalesce(a.customer_id, l.customer_id) AS customer_id, 'activity ' || "
        "coalesce(a.key, 'of entry ' || l.seq) || ' is not what was booked' AS detail FROM "
        "(SELECT * FROM activities WHERE points > 0) AS a FULL JOIN (SELECT customer_id, seq, amount FROM points_ledger "
        "WHERE kind = 'earn' AND order_id IS NULL AND cause <> 'birthday gift') AS l ON l.customer_id = a.customer_id AND l.seq = a.seq "
        "WHERE a.points IS DISTINCT FROM l.amount" LIMIT)

/* Entries outlive their gifts: an erasure takes these away, and of two customers who were merged one has
 * both. */
SQL_MANY(
        birthdays_are_entries, nothing, finding,
        "SELECT 'birthdays' AS check, g.customer_id, g.rule || ' of ' || g.occasion || ' is not what was booked' AS detail "
        "FROM birthday_gifts g WHERE g.points > 0 AND NOT EXISTS (SELECT FROM points_ledger l WHERE l.customer_id = g.customer_id "
        "AND l.kind = 'earn' AND l.cause = 'birthday gift' AND l.amount = g.points "
        "AND l.reference = g.rule || '/' || extract(year FROM g.occasion))" LIMIT)

/* A request is what its adjustments say, and those of an open one wait. */
SQL_MANY(
        approvals_are_items, nothing, finding,
        "SELECT 'approvals' AS check, i.customer_id, 'request ' || coalesce(p.id, i.id) || ' does not add up' AS detail "
        "FROM points_approvals p FULL JOIN (SELECT approval_id AS id, (min(customer_id::text))::uuid AS customer_id, "
        "count(*) AS n, coalesce(sum(points) FILTER (WHERE points > 0), 0) AS given, "
        "coalesce(-sum(points) FILTER (WHERE points < 0), 0) AS taken, "
        "bool_or(state = 'pending_approval') AS waits, bool_or(state = 'declined') AS declined, "
        "bool_and(state IN ('applied', 'refused')) AS decided FROM points_adjustments WHERE approval_id IS NOT NULL "
        "GROUP BY approval_id) AS i USING (id) WHERE (p.items, p.points_given, p.points_taken) IS DISTINCT FROM "
        "(i.n, i.given, i.taken) OR (p.state = 'pending') <> i.waits OR (p.state = 'declined') <> i.declined "
        "OR (p.state = 'approved') <> i.decided" LIMIT)

/* What the programme's caps counted was earned. (A multiplier below 1 may take from what a rule brought.) */
SQL_MANY(
        caps_count_what_was_earned, nothing, finding,
        "SELECT 'cap_days' AS check, k.customer_id, 'the caps counted ' || k.points || ' for ' || k.rule AS detail FROM "
        "(SELECT customer_id, rule, sum(points) AS points FROM points_cap_days WHERE rule = 'program' GROUP BY customer_id, rule) AS k "
        "LEFT JOIN (SELECT customer_id, sum(points_earned) AS earned FROM orders GROUP BY customer_id) AS o USING (customer_id) "
        "WHERE k.points > coalesce(o.earned, 0)" LIMIT)

SQL_MANY(
        order_adds_up, nothing, finding,
        "SELECT 'order_total' AS check, o.customer_id, 'order ' || o.external_id || ' does not add up' AS detail FROM orders o "
        "LEFT JOIN (SELECT customer_id, order_id AS id, count(*) AS n, sum(total_minor) AS goods, sum(paid_minor) AS paid, "
        "sum(points) AS points, sum(growth) AS growth, sum(refunded_minor) AS refunded FROM order_lines "
        "GROUP BY customer_id, order_id) AS l USING (customer_id, id) "
        "WHERE o.line_count IS DISTINCT FROM l.n OR o.goods_minor <> l.goods "
        "OR o.total_minor <> o.goods_minor + o.shipping_minor - o.discount_minor "
        "OR o.refunded_minor <> l.refunded + o.refunded_shipping_minor OR (o.counted_on IS NOT NULL AND "
        "(l.paid <> o.goods_minor - o.discount_minor OR l.points <> o.points_earned OR l.growth <> o.growth_earned))" LIMIT)

SQL_MANY(
        refunds_add_up, nothing, finding,
        "SELECT 'refund_sum' AS check, o.customer_id, 'order ' || o.external_id || ' has refunds of ' || coalesce(r.amount, 0) || "
        "', not ' || o.refunded_minor AS detail FROM orders o LEFT JOIN (SELECT customer_id, order_id AS id, "
        "sum(amount_minor) AS amount, sum(shipping_minor) AS shipping, sum(points_reversed) AS points, "
        "sum(growth_reversed) AS growth FROM refunds GROUP BY customer_id, order_id) AS r USING (customer_id, id) "
        "WHERE (o.refunded_minor, o.refunded_shipping_minor, o.points_reversed, o.growth_reversed) IS DISTINCT FROM "
        "(coalesce(r.amount, 0), coalesce(r.shipping, 0), coalesce(r.points, 0), coalesce(r.growth, 0))" LIMIT)

SQL_MANY(
        refund_is_its_lines, nothing, finding,
        "SELECT 'refund_total' AS check, f.customer_id, 'refund ' || f.external_id || ' is not its lines' AS detail "
        "FROM refunds f LEFT JOIN (SELECT customer_id, order_id, refund_id AS id, sum(amount_minor) AS amount, "
        "sum(points) AS points, sum(growth) AS growth FROM refund_lines GROUP BY customer_id, order_id, refund_id) AS l "
        "USING (customer_id, order_id, id) WHERE (f.amount_minor, f.points_reversed, f.growth_reversed) IS DISTINCT FROM "
        "(coalesce(l.amount, 0) + f.shipping_minor, coalesce(l.points, 0), coalesce(l.growth, 0))" LIMIT)

SQL_MANY(
        refund_lines_add_up, nothing, finding,
        "SELECT 'refund_lines_sum' AS check, customer_id, 'line ' || line_no || ' of order ' || order_id || "
        "' has other refunds' AS detail FROM order_lines l FULL JOIN (SELECT customer_id, order_id, line_no, sum(quantity) AS quantity, "
        "sum(amount_minor) AS amount, sum(points) AS points, sum(growth) AS growth FROM refund_lines "
        "GROUP BY customer_id, order_id, line_no) AS r USING (customer_id, order_id, line_no) "
        "WHERE (coalesce(l.refunded_quantity, 0), coalesce(l.refunded_minor, 0)) IS DISTINCT FROM "
        "(coalesce(r.quantity, 0), coalesce(r.amount, 0)) OR r.points > l.points OR r.growth > l.growth "
        "OR (l.refunded_minor = l.paid_minor AND l.paid_minor > 0 AND (r.points <> l.points OR r.growth <> l.growth))" LIMIT)

SQL_MANY(
        order_has_its_calls, nothing, finding,
        "SELECT 'order_calls' AS check, o.customer_id, 'order ' || o.external_id || ' has ' || coalesce(k.n, 0) || ' calls, not ' || "
        "o.calls AS detail FROM orders o LEFT JOIN (SELECT customer_id, order_id AS id, count(*) AS n, max(call_no) AS last "
        "FROM order_calls GROUP BY customer_id, order_id) AS k USING (customer_id, id) "
        "WHERE o.calls <> coalesce(k.n, 0) OR o.calls <> coalesce(k.last, 0)" LIMIT)

SQL_MANY(
        orders_earned_what_ledger_says, nothing, finding,
        "SELECT 'order_points' AS check, o.customer_id, 'order ' || o.external_id || ' earned other points than the ledger says' AS detail "
        "FROM orders o LEFT JOIN (SELECT customer_id, order_id AS id, sum(amount) FILTER (WHERE kind = 'earn') AS earned, "
        "-sum(amount) FILTER (WHERE kind = 'reverse') AS reversed FROM points_ledger WHERE order_id IS NOT NULL "
        "GROUP BY customer_id, order_id) AS l USING (customer_id, id) "
        "WHERE o.points_earned <> coalesce(l.earned, 0) OR o.points_reversed <> coalesce(l.reversed, 0)" LIMIT)

/* Something of an order that counted is kept. */
#define KEPT "status <> 'cancelled' AND (total_minor = 0 OR refunded_minor < total_minor)"
SQL_MANY(
        standing_is_sum_of_orders, nothing, finding,
        "SELECT 'standing_sum' AS check, coalesce(s.customer_id, o.customer_id) AS customer_id, "
        "'the standing differs from the orders' AS detail FROM tier_standings s FULL JOIN (SELECT customer_id, "
        "count(*) FILTER (WHERE " KEPT ") AS orders, max(paid_at) FILTER (WHERE " KEPT ") AS last_order_at, "
        "sum(total_minor - refunded_minor) AS spend, sum(growth_earned - growth_reversed) AS growth FROM orders "
        "WHERE counted_on IS NOT NULL GROUP BY customer_id) AS o USING (customer_id) LEFT JOIN (SELECT customer_id, "
        "sum(growth) AS growth FROM activities WHERE state = 'paid' GROUP BY customer_id) AS a USING (customer_id) "
        "WHERE (coalesce(s.orders, 0), coalesce(s.spend_minor, 0), coalesce(s.growth, 0), s.last_order_at) IS DISTINCT FROM "
        "(coalesce(o.orders, 0), coalesce(o.spend, 0), coalesce(o.growth, 0) + coalesce(a.growth, 0), o.last_order_at)" LIMIT)

SQL_MANY(
        days_sum_to_standing, nothing, finding,
        "SELECT 'days_sum' AS check, coalesce(s.customer_id, d.customer_id) AS customer_id, "
        "'the days differ from the standing' AS detail FROM tier_standings s FULL JOIN (SELECT customer_id, "
        "sum(orders) AS orders, sum(spend_minor) AS spend, sum(growth) AS growth FROM metric_days GROUP BY customer_id) AS d "
        "USING (customer_id) WHERE (coalesce(s.orders, 0), coalesce(s.spend_minor, 0), coalesce(s.growth, 0)) "
        "IS DISTINCT FROM (coalesce(d.orders, 0), coalesce(d.spend, 0), coalesce(d.growth, 0))" LIMIT)

SQL_MANY(
        history_ends_in_standing, nothing, finding,
        "SELECT 'tier_history' AS check, customer_id, 'the history does not lead to the present tier' AS detail "
        "FROM tier_standings s FULL JOIN (SELECT customer_id, count(*) AS n, bool_and(follows) AS is_chain, "
        "max(tier_after) FILTER (WHERE is_last) AS tier FROM (SELECT customer_id, tier_after, change_no = row_number() OVER w "
        "AND tier_before = lag(tier_after, 1, tier_before) OVER w AS follows, lead(change_no) OVER w IS NULL AS is_last "
        "FROM tier_history WINDOW w AS (PARTITION BY customer_id ORDER BY change_no)) AS c GROUP BY customer_id) AS h "
        "USING (customer_id) WHERE coalesce(s.changes, 0) <> coalesce(h.n, 0) OR NOT coalesce(h.is_chain, true) "
        "OR (h.n > 0 AND h.tier IS DISTINCT FROM s.tier)" LIMIT)

SQL_MANY(
        coupons_are_counted, nothing, finding,
        "SELECT 'coupon_stock' AS check, NULL::uuid AS customer_id, 'template ' || coalesce(s.template, c.template) || ' has ' || "
        "coalesce(c.n, 0) || ' coupons, not ' || coalesce(s.issued, 0) AS detail FROM coupon_stocks s "
        "FULL JOIN (SELECT template, count(*) AS n FROM coupons GROUP BY template) AS c USING (template) "
        "WHERE coalesce(s.issued, 0) <> coalesce(c.n, 0)" LIMIT)

SQL_MANY(
        coupons_are_what_became_of_them, nothing, finding,
        "SELECT 'coupon_history' AS check, c.customer_id, 'the history of coupon ' || coalesce(c.id::text, '(none)') || "
        "' does not lead to its state' AS detail FROM coupons c FULL JOIN (SELECT code, count(*) AS n, max(change_no) AS last, "
        "max(state) FILTER (WHERE is_last) AS state FROM (SELECT code, change_no, state, "
        "lead(change_no) OVER (PARTITION BY code ORDER BY change_no) IS NULL AS is_last FROM coupon_history) AS l "
        "GROUP BY code) AS h USING (code) WHERE (c.changes, c.changes, c.state) IS DISTINCT FROM (h.n, h.last, h.state)" LIMIT)

/* A redeemed coupon has one order, which names it, or one redemption; any other has neither. */
SQL_MANY(
        coupons_are_used_once, nothing, finding,
        "SELECT 'coupon_use' AS check, coalesce(c.customer_id, c.used_by) AS customer_id, 'coupon ' || c.id || "
        "' is used by none or by several' AS detail FROM coupons c "
        "LEFT JOIN orders o ON o.id = c.order_id AND o.customer_id = c.used_by AND strpos(o.coupon, c.code) > 0 "
        "WHERE (c.order_id IS NOT NULL AND o.id IS NULL) OR num_nonnulls(c.order_id, c.redemption) <> "
        "CASE WHEN c.state = 'redeemed' THEN 1 ELSE 0 END "
        "OR (c.customer_id <> c.used_by AND c.state = 'redeemed') "
        "OR (c.customer_id IS NOT NULL AND NOT EXISTS (SELECT FROM customers p WHERE p.id = c.customer_id))" LIMIT)

/* What is used or withdrawn may wait to be forgotten. */
SQL_MANY(
        coupons_are_looked_at, nothing, finding,
        "SELECT 'coupon_due' AS check, customer_id, 'coupon ' || id || ' is due at another time than the housekeeper looks at it' "
        "AS detail FROM coupons WHERE state IN ('available', 'locked') "
        "AND due_at IS DISTINCT FROM CASE state WHEN 'locked' THEN locked_until ELSE expires_at END" LIMIT)

/* What a rule of the programme issued names the order that brought it, once for each rule. */
SQL_MANY(
        coupons_have_their_orders, nothing, finding,
        "SELECT 'coupon_origin' AS check, c.customer_id, 'coupon ' || c.id || ' has no order of its customer that brought it' "
        "AS detail FROM coupons c LEFT JOIN orders o ON o.id = c.origin_id AND o.customer_id = c.customer_id "
        "AND o.counted_on IS NOT NULL AND c.issue_key LIKE '%/' || o.id WHERE c.source = 'order' AND o.id IS NULL" LIMIT)

SQL_MANY(
        rewards_are_counted, nothing, finding,
        "SELECT 'reward_stock' AS check, NULL::uuid AS customer_id, 'reward ' || coalesce(s.reward, r.reward) || ' has ' || "
        "coalesce(r.n, 0) || ' redemptions, not ' || coalesce(s.taken, 0) AS detail FROM reward_stocks s FULL JOIN "
        "(SELECT reward, count(*) AS n FROM reward_redemptions WHERE state IN ('issued', 'redeemed') GROUP BY reward) AS r "
        "USING (reward) WHERE coalesce(s.taken, 0) <> coalesce(r.n, 0)" LIMIT)

/* The points of a redemption are where its state says, its coupon is its own. */
SQL_MANY(
        redemptions_have_their_points, nothing, finding,
        "SELECT 'redemption_hold' AS check, coalesce(r.customer_id, h.customer_id) AS customer_id, 'the points of redemption ' "
        "|| coalesce(r.id, h.redemption_id) || ' or its coupon are not what it says' AS detail FROM reward_redemptions r "
        "FULL JOIN (SELECT * FROM points_holds WHERE redemption_id IS NOT NULL) AS h "
        "ON h.customer_id = r.customer_id AND h.id = r.hold_id AND h.redemption_id = r.id "
        "LEFT JOIN coupons c ON c.code = r.coupon AND c.customer_id = r.customer_id AND c.issue_key = r.id::text "
        "WHERE r.id IS NULL OR h.id IS NULL OR h.points <> r.points OR (r.coupon IS NOT NULL AND c.code IS NULL) "
        "OR (r.coupon IS NOT NULL AND r.state <> 'redeemed') OR (h.state, h.captured) IS DISTINCT FROM (CASE r.state "
        "WHEN 'issued' THEN 'open' WHEN 'redeemed' THEN 'captured' WHEN 'cancelled' THEN 'released' ELSE 'expired' END, "
        "CASE r.state WHEN 'redeemed' THEN r.points ELSE 0 END)" LIMIT)

SQL_MANY(contacts_belong, nothing, finding,
         "SELECT 'contacts_orphans' AS check, customer_id, detail FROM (" ORPHANS(
                 "customer_tags", "customers",
                 OF_CUSTOMER) ORPHANS("customer_notes", "customers",
                                      OF_CUSTOMER) ORPHANS("customer_addresses", "customers", OF_CUSTOMER)
                 ORPHANS("interactions", "customers",
                         OF_CUSTOMER) ORPHANS("behaviour_events", "customers",
                                              OF_CUSTOMER) ORPHANS("consents", "customers", OF_CUSTOMER)
                         ORPHANS("consent_changes", "consents",
                                 "p.customer_id = t.customer_id AND p.channel = t.channel")
                                 ORPHANS("suppressions", "customers",
                                         OF_CUSTOMER) ORPHANS("group_members", "groups", "p.id = t.group_id")
                                         ORPHANS("group_members", "customers",
                                                 OF_CUSTOMER) "SELECT NULL, NULL WHERE false) AS o" LIMIT)

SQL_MANY(
        groups_count_their_members, nothing, finding,
        "SELECT 'group_members' AS check, NULL::uuid AS customer_id, 'group ' || code || ' says ' || members || ' members, there are ' "
        "|| coalesce(n, 0) AS detail FROM groups g LEFT JOIN (SELECT group_id AS id, count(*) AS n FROM group_members "
        "WHERE left_at IS NULL GROUP BY group_id) AS m USING (id) WHERE members <> coalesce(n, 0)" LIMIT)

SQL_MANY(
        consents_are_last_said, nothing, finding,
        "SELECT 'consent_last' AS check, coalesce(s.customer_id, h.customer_id) AS customer_id, 'the consent to ' || "
        "coalesce(s.channel, h.channel) || ' is not what was said last' AS detail FROM consents s FULL JOIN "
        "(SELECT DISTINCT ON (customer_id, channel) customer_id, channel, state, occurred_at, "
        "count(*) OVER (PARTITION BY customer_id, channel) AS n FROM consent_changes "
        "ORDER BY customer_id, channel, occurred_at DESC, change_no DESC) AS h USING (customer_id, channel) "
        "WHERE (s.state, s.occurred_at, s.changes) IS DISTINCT FROM (h.state, h.occurred_at, h.n)" LIMIT)

SQL_MANY(
        tags_keep_their_limit, nothing, finding,
        "SELECT 'tag_limit' AS check, customer_id, count(*) || ' tags of the kind ' || kind AS detail FROM customer_tags "
        "WHERE expires_at IS NULL GROUP BY customer_id, kind HAVING count(*) > 250" LIMIT) /* TAGS_MAX */

/* Who waits to be taken in is left out: the directory follows what it copies. */
#define WAITING "(SELECT customer_id FROM customer_changes)"
SQL_MANY(
        directory_is_a_copy, nothing, finding,
        "SELECT 'directory' AS check, c.id AS customer_id, 'the directory says otherwise' AS detail FROM customers c "
        "LEFT JOIN customer_directory d ON d.customer_id = c.id LEFT JOIN customer_search s ON s.customer_id = c.id "
        "LEFT JOIN tier_standings t ON t.customer_id = c.id LEFT JOIN points_accounts a ON a.customer_id = c.id "
        "WHERE ((d.updated_at, d.orders, d.spend_minor, d.growth, d.points_active) IS DISTINCT FROM (c.updated_at, "
        "coalesce(t.orders, 0), coalesce(t.spend_minor, 0), coalesce(t.growth, 0), coalesce(a.active, 0)) OR s.customer_id IS NULL) "
        "AND NOT c.erased AND c.id NOT IN " WAITING LIMIT)
SQL_MANY(
        directory_has_nobody_else, nothing, finding,
        "SELECT 'directory_gone' AS check, customer_id, 'is in the directory and nowhere else' AS detail FROM "
        "(SELECT customer_id FROM customer_search UNION SELECT customer_id FROM customer_directory) AS d "
        "WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = d.customer_id AND NOT c.erased) AND customer_id NOT IN " WAITING
                LIMIT)

struct check {
        const char *name, *says;
        enum err (*find)(struct ctx *c, const struct nothing *in, struct list *ret);
        bool points; /* part of the proof of points */
};

static const struct check checks[] = {
        {"ledger_chain", "every ledger entry follows from the one before", ledger_is_a_chain, true},
        {"account_is_last_entry", "every account is what its last entry says", account_is_last_entry, true},
        {"entries_sum", "entries sum to active + pending + held - debt", entries_sum_to_account, true},
        {"lots_sum", "lots hold what is active and pending", lots_sum_to_account, true},
        {"lot_draws", "every lot is its earning less what was drawn", lot_is_what_draws_left, true},
        {"holds_sum", "open holds have what is held", holds_sum_to_account, true},
        {"points_due", "no account says that less is due than is", due_is_not_late, true},
        {"hold_draws", "every hold is what it drew", hold_is_what_it_drew, true},
        {"adjustments", "every adjustment is one entry", adjustments_are_entries, true},
        {"activities", "every payment for an activity is one entry", activities_are_entries, true},
        {"birthdays", "every birthday's points are one entry", birthdays_are_entries, true},
        {"approvals", "every request for approval is the sum of its adjustments", approvals_are_items, false},
        {"entry_draws", "every entry drew from lots what it says", entry_drew_what_it_says, true},
        {"orphans", "every row belongs to a customer and an order that exist", everything_belongs, false},
        {"points_orphans", "every row of points belongs to a customer and an order that exist", points_belong,
         false},
        {"cap_days", "caps count no more than orders earned", caps_count_what_was_earned, false},
        {"order_total", "every order is the sum of its lines", order_adds_up, false},
        {"refund_sum", "every order's refunds are those that were booked", refunds_add_up, false},
        {"refund_total", "every refund is the sum of its lines", refund_is_its_lines, false},
        {"refund_lines_sum", "every line's refunds are those that were booked", refund_lines_add_up, false},
        {"order_calls", "every order has its calls", order_has_its_calls, false},
        {"order_points", "every order earned what the ledger says", orders_earned_what_ledger_says, false},
        {"standing_sum", "every standing is the sum of its orders", standing_is_sum_of_orders, false},
        {"days_sum", "days sum to the standing", days_sum_to_standing, false},
        {"coupon_stock", "every template has issued the coupons it counts", coupons_are_counted, false},
        {"coupon_history", "every coupon is what became of it", coupons_are_what_became_of_them, false},
        {"coupon_use", "every used coupon has one order or one redemption", coupons_are_used_once, false},
        {"coupon_due", "every coupon's lock and validity are ended in time", coupons_are_looked_at, false},
        {"coupon_origin", "every coupon of a rule has the order that brought it", coupons_have_their_orders,
         false},
        {"reward_stock", "every reward has taken of its stock what it counts", rewards_are_counted, false},
        {"redemption_hold", "every redemption has its points and its coupon", redemptions_have_their_points,
         false},

        {"contacts_orphans",
         "every tag, note, address, contact and membership belongs to a customer that exists",
         contacts_belong, false},
        {"group_members", "every group counts its members", groups_count_their_members, false},
        {"consent_last", "every consent is what was said last", consents_are_last_said, false},
        {"tag_limit", "nobody has more tags than there may be", tags_keep_their_limit, false},
        {"directory", "the directory says what customers, orders and points say", directory_is_a_copy, false},
        {"directory_gone", "the directory has nobody who is gone", directory_has_nobody_else, false},
        {"tier_history", "every history ends in the present tier", history_ends_in_standing, false},
};

/* All checks see the same moment, whatever is written meanwhile. */
static enum err one_view(struct ctx *c, struct tx *tx)
{
        TRY(tx_begin(c, tx));
        return db_script(c, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

enum err check_points(struct ctx *c, struct proof *ret)
{
        TX(tx);
        struct counted counted;
        struct proof proof = {
                .faults.v = ARENA_ARRAY(c->arena, ARRAY_SIZE(checks) * FINDINGS_MAX, struct finding)};

        TRY(one_view(c, &tx));
        TRY(points_counted(c, &(struct nothing){0}, &counted));
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
                struct list found;
                if (!checks[i].points)
                        continue;
                TRY(checks[i].find(c, &(struct nothing){0}, &found));
                for (size_t k = 0; k < found.n; k++)
                        proof.faults.v[proof.faults.n++] = ((const struct finding *)found.v)[k];
        }
        proof.ok = proof.faults.n == 0;
        proof.customers = counted.customers;
        proof.checked_entries = counted.checked_entries;
        *ret = proof;
        return tx_commit(&tx);
}

static void findings_print(FILE *out, const struct list *found)
{
        const struct finding *findings = found->v;
        char id[UUID_TEXT_SIZE];

        for (size_t i = 0; i < found->n; i++) {
                uuid_to_text(findings[i].customer_id, id);
                fprintf(out, "        customer %s: %s\n", id, findings[i].detail);
        }
}

enum err check_run(struct ctx *c, FILE *out, bool *ret_ok)
{
        TX(tx);
        struct counted counted;
        size_t failed = 0;

        TRY(one_view(c, &tx));
        TRY(points_counted(c, &(struct nothing){0}, &counted));
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
                struct list found;
                TRY(checks[i].find(c, &(struct nothing){0}, &found));
                fprintf(out, "%s %s\n", found.n == 0 ? "ok     " : "WRONG  ", checks[i].says);
                findings_print(out, &found);
                failed += found.n > 0;
        }
        fprintf(out, "%zu checks, %zu wrong; %lld accounts, %lld ledger entries\n", ARRAY_SIZE(checks),
                failed, (long long)counted.customers, (long long)counted.checked_entries);
        *ret_ok = failed == 0;
        return tx_commit(&tx);
}
