#include "privacy/holdings.h"

#include "base/err.h"

/* One table a line. Parents come before what refers to them by a foreign key is taken away: customers last.
 */
/* clang-format off */
const struct holding holdings[] = {
        {"customer_identities", .erasing = ERASE_ROWS},
        {"customer_aliases", .erasing = ERASE_ROWS},
        {"customer_tags", .erasing = ERASE_ROWS},
        {"customer_notes", .erasing = ERASE_ROWS},
        {"group_members", .erasing = ERASE_ROWS},
        {"interactions", .erasing = ERASE_ROWS},
        {"behaviour_events", .erasing = ERASE_ROWS},
        {"consents", .erasing = ERASE_ROWS},
        {"consent_changes", .erasing = ERASE_ROWS},
        {"suppressions", .erasing = ERASE_ROWS},
        {"customer_search", .erasing = ERASE_ROWS, .copy = true},
        {"customer_metrics", .erasing = ERASE_ROWS, .copy = true},
        {"customer_changes", .erasing = ERASE_ROWS, .copy = true},
        {"orders", .erasing = ERASE_COLUMNS, .blank = "coupon = NULL", .plain = "external_id status channel currency"},
        {"order_lines", .erasing = ERASE_COLUMNS, .plain = "sku name category brand"},
        {"order_calls", .erasing = ERASE_COLUMNS, .blank = "outcome = '', fingerprint = ''", .plain = "key_id request_id"},
        {"refunds", .erasing = ERASE_COLUMNS, .blank = "reason = NULL, outcome = NULL, fingerprint = NULL", .plain = "external_id"},
        {"refund_lines", .erasing = ERASE_COLUMNS},
        {"points_accounts", .erasing = ERASE_COLUMNS},
        {"points_ledger", .erasing = ERASE_COLUMNS, .blank = "reference = NULL", .plain = "kind cause"},
        {"points_lots", .erasing = ERASE_COLUMNS},
        {"points_allocations", .erasing = ERASE_COLUMNS},
        {"points_holds", .erasing = ERASE_COLUMNS, .blank = "reason = NULL, reference = NULL", .plain = "state"},
        {"points_hold_draws", .erasing = ERASE_COLUMNS},
        {"tier_standings", .erasing = ERASE_COLUMNS, .blank = "pin_reason = NULL", .plain = "tier pin_tier"},
        {"tier_history", .erasing = ERASE_COLUMNS, .plain = "tier_before tier_after cause"},
        {"metric_days", .erasing = ERASE_COLUMNS},
        {"events", .erasing = ERASE_COLUMNS, .blank = "payload = '{}'", .plain = "type"},
        {"audit_log", .erasing = ERASE_COLUMNS, .blank = "reason = NULL, subject = NULL, changes = NULL, personal = NULL",
         .plain = "kind operation key_id request_id"},
        {"customers", .person = "id", .erasing = ERASE_ROWS},
};
const size_t holding_count = ARRAY_SIZE(holdings);

const struct impersonal impersonals[] = {
        {"access_keys", "keys of programs and staff"},
        {"attribute_definitions", "what attributes may hold, not what they do"},
        {"groups", "the shop's own names"},
        {"idempotency_keys", "answers to anybody, for a day: the erasure looks for the person in them"},
        {"installation", "the shop's settings"},
        {"programs", "the shop's rules"},
        {"schema_migrations", "of the program"},
};
const size_t impersonal_count = ARRAY_SIZE(impersonals);
/* clang-format on */

const char *holding_person(const struct holding *holding)
{
        return holding->person != NULL ? holding->person : "customer_id";
}
