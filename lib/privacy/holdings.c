#include "privacy/holdings.h"

#include "base/err.h"
#include "orders/orders.h"

/* What an order adds to the day on which it counts, so that an undoing sees what has become of it since. */
#define ORDER_KEEP                                                                                                          \
        "jsonb_build_object('id', id, 'spend', CASE WHEN counted_on IS NULL THEN 0 ELSE total_minor - refunded_minor END, " \
        "'growth', CASE WHEN counted_on IS NULL THEN 0 ELSE growth_earned - growth_reversed END, "                          \
        "'orders', CASE WHEN " ORDER_KEPT " THEN 1 ELSE 0 END)"

/* One table a line. Parents come before what refers to them by a foreign key is taken away: customers last.
 */
/* clang-format off */
const struct holding holdings[] = {
        {"customer_identities", .erasing = ERASE_ROWS, .moving = MOVE_OWN},
        {"customer_aliases", .erasing = ERASE_ROWS, .moving = MOVE_ROWS, .key = "alias_id"},
        {"customer_tags", .erasing = ERASE_ROWS, .moving = MOVE_SET, .key = "kind, tag"},
        {"customer_notes", .erasing = ERASE_ROWS, .moving = MOVE_ROWS, .key = "id"},
        {"customer_addresses", .erasing = ERASE_ROWS, .moving = MOVE_OWN},
        {"group_members", .erasing = ERASE_ROWS, .moving = MOVE_SET, .key = "group_id"},
        {"interactions", .erasing = ERASE_ROWS, .moving = MOVE_ROWS, .key = "id"},
        {"behaviour_events", .erasing = ERASE_ROWS, .moving = MOVE_ROWS, .key = "id"},
        {"consents", .erasing = ERASE_ROWS, .moving = MOVE_OWN},
        {"consent_changes", .erasing = ERASE_ROWS, .moving = MOVE_OWN},
        {"suppressions", .erasing = ERASE_ROWS, .moving = MOVE_SET, .key = "channel"},
        {"customer_search", .erasing = ERASE_ROWS, .copy = true, .moving = MOVE_OWN},
        {"customer_directory", .erasing = ERASE_ROWS, .copy = true, .moving = MOVE_OWN},
        {"customer_alike", .erasing = ERASE_ROWS, .copy = true, .moving = MOVE_OWN},
        {"customer_changes", .erasing = ERASE_ROWS, .copy = true, .moving = MOVE_OWN},
        {"orders", .erasing = ERASE_COLUMNS, .blank = "coupon = (SELECT code FROM coupons k WHERE k.code = orders.coupon), channel_detail = NULL, referrer_id = NULL", .plain = "external_id status channel campaign currency", .moving = MOVE_ROWS, .key = "id",
         .keep = ORDER_KEEP},
        {"order_lines", .erasing = ERASE_COLUMNS, .plain = "sku name category brand", .moving = MOVE_WITH, .with = "orders", .key = "order_id"},
        {"order_calls", .erasing = ERASE_COLUMNS, .blank = "outcome = '', fingerprint = ''", .plain = "key_id request_id", .moving = MOVE_WITH, .with = "orders", .key = "order_id"},
        {"refunds", .erasing = ERASE_COLUMNS, .blank = "reason = NULL, outcome = NULL, fingerprint = NULL", .plain = "external_id", .moving = MOVE_WITH, .with = "orders", .key = "order_id"},
        {"refund_lines", .erasing = ERASE_COLUMNS, .moving = MOVE_WITH, .with = "orders", .key = "order_id"},
        {"points_accounts", .erasing = ERASE_COLUMNS, .moving = MOVE_OWN},
        {"points_ledger", .erasing = ERASE_COLUMNS, .blank = "reference = NULL, reason = NULL", .plain = "kind cause actor", .moving = MOVE_OWN},
        {"points_adjustments", .erasing = ERASE_COLUMNS, .blank = "external_id = NULL, reason = '', refusal = NULL",
         .plain = "state expiry key_id", .moving = MOVE_ROWS, .key = "id"},
        {"points_cap_days", .erasing = ERASE_COLUMNS, .plain = "rule", .moving = MOVE_OWN},
        {"points_joined", .erasing = ERASE_ROWS, .moving = MOVE_OWN},
        {"points_lot_lives", .erasing = ERASE_COLUMNS, .moving = MOVE_OWN},
        {"activities", .erasing = ERASE_COLUMNS, .blank = "key = '', outcome = NULL", .plain = "type code state why",
         .moving = MOVE_ROWS, .key = "id"},
        {"points_lots", .erasing = ERASE_COLUMNS, .moving = MOVE_OWN},
        {"points_allocations", .erasing = ERASE_COLUMNS, .moving = MOVE_OWN},
        {"points_holds", .erasing = ERASE_COLUMNS, .blank = "reason = NULL, reference = NULL", .plain = "state", .moving = MOVE_OWN},
        {"points_hold_draws", .erasing = ERASE_COLUMNS, .moving = MOVE_OWN},
        {"tier_standings", .erasing = ERASE_COLUMNS, .blank = "pin_reason = NULL", .plain = "tier pin_tier", .moving = MOVE_OWN},
        {"tier_history", .erasing = ERASE_COLUMNS, .plain = "tier_before tier_after cause", .moving = MOVE_OWN},
        {"metric_days", .erasing = ERASE_COLUMNS, .moving = MOVE_OWN},
        {"coupons", .erasing = ERASE_COLUMNS, .blank = "session = NULL, redemption = NULL, issue_key = NULL",
         .plain = "code template state source", .moving = MOVE_ROWS, .key = "id"},
        {"coupon_history", .erasing = ERASE_COLUMNS, .blank = "reference = NULL", .plain = "code action state", .moving = MOVE_OWN},
        {"birthday_gifts", .erasing = ERASE_ROWS, .moving = MOVE_SET, .key = "rule, occasion"},
        {"reward_redemptions", .erasing = ERASE_COLUMNS, .blank = "reason = NULL", .plain = "reward state coupon",
         .moving = MOVE_ROWS, .key = "id"},
        {"events", .erasing = ERASE_COLUMNS, .blank = "payload = '{}'", .plain = "type", .moving = MOVE_ROWS, .key = "id"},
        {"audit_log", .erasing = ERASE_COLUMNS, .blank = "reason = NULL, subject = NULL, changes = NULL, personal = NULL",
         .plain = "kind operation key_id request_id", .moving = MOVE_ROWS, .key = "id"},
        {"merges", .erasing = ERASE_ROWS, .moving = MOVE_ROWS, .key = "id"},
        {"merge_rows", .erasing = ERASE_ROWS, .moving = MOVE_WITH, .with = "merges", .key = "merge_id"},
        {"customers", .person = "id", .erasing = ERASE_ROWS, .moving = MOVE_OWN},
};
const size_t holding_count = ARRAY_SIZE(holdings);

const struct impersonal impersonals[] = {
        {"access_keys", "keys of programs and staff"},
        {"attribute_definitions", "what attributes may hold, not what they do"},
        {"birthday_passes", "days on which the housekeeper looked for birthdays"},
        {"coupon_stocks", "counts"},
        {"coupon_templates", "the shop's offers"},
        {"groups", "the shop's own names"},
        {"idempotency_keys", "answers to anybody, for a day: the erasure looks for the person in them"},
        {"installation", "the shop's settings"},
        {"job_chunks", "lines of files: the erasure empties those that have been worked through"},
        {"job_results", "what became of lines: likewise"},
        {"jobs", "counts, and the names of columns"},
        {"points_approvals", "decisions about adjustments; the erasure takes away what was said of his"},
        {"programs", "the shop's rules"},
        {"reward_stocks", "counts"},
        {"rewards", "the shop's offers"},
        {"schema_migrations", "of the program"},
};
const size_t impersonal_count = ARRAY_SIZE(impersonals);
/* clang-format on */

const char *holding_person(const struct holding *holding)
{
        return holding->person != NULL ? holding->person : "customer_id";
}
