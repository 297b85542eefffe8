/* Types that only go out: what the server keeps, as it is listed elsewhere. Like the timeline it reads the
 * tables of all domains. */
#include "access/scopes.h"
#include "activities/activities.h"
#include "audit/audit.h"
#include "coupons/coupons.h"
#include "customers/attributes.h"
#include "customers/groups.h"
#include "customers/notes.h"
#include "events/events.h"
#include "jobs/people.h"
#include "points/adjustments.h"
#include "points/book.h"
#include "program/versions.h"
#include "rewards/rewards.h"
#include "tiers/standing.h"

SQL_EACH(
        activities_out, bulk_filter, activity,
        "SELECT t.customer_id, t.id, t.key, t.type, t.code, t.referred_id, t.state, t.why, t.points, t.growth, "
        "t.take_back, t.seq, t.order_id, t.due_at, t.occurred_at, t.created_at, t.paid_at" OUT_OF_PLAIN(
                "activities") OUT_IN_TIME("t.occurred_at") " ORDER BY t.customer_id, t.id")
OUT(activities, activity, .doc = "What customers did beside buying, and what it brought.",
    .scope_read = SCOPE_POINTS_READ, OF_CUSTOMER);

/* What the shop has defined is few: their domains list them, and no statement is told twice. */
#define DEFINED_PAGE 200
#define DEFINED_OUT(name_, one_, page_, list_)                                                               \
        static enum err name_##_out(struct ctx *c, const struct bulk_filter *filter, SQL_VISIT(visit),       \
                                    void *arg)                                                               \
        {                                                                                                    \
                struct page_ page = {.page = {.sort = 1, .limit = DEFINED_PAGE}};                            \
                struct page_rows rows = {.more = true};                                                      \
                                                                                                             \
                (void)filter;                                                                                \
                while (rows.more) {                                                                          \
                        TRY(list_(c, &page, &rows));                                                         \
                        const struct one_ *one = rows.v;                                                     \
                        for (size_t i = 0; i < rows.n; i++)                                                  \
                                TRY(visit(c, &one[i], arg));                                                 \
                        page.page.after = rows.last;                                                         \
                }                                                                                            \
                return ERR_OK;                                                                               \
        }
DEFINED_OUT(coupon_templates, coupon_template, coupon_template_page, coupon_templates)
DEFINED_OUT(rewards, reward, reward_page, rewards_list)

static enum err attributes_out(struct ctx *c, const struct bulk_filter *filter, SQL_VISIT(visit), void *arg)
{
        struct list rows;

        (void)filter;
        TRY(attributes_list(c, &rows));
        const struct attribute *attributes = rows.v;
        for (size_t i = 0; i < rows.n; i++)
                TRY(visit(c, &attributes[i], arg));
        return ERR_OK;
}
OUT(attributes, attribute, .doc = "The shop's own attributes of customers.",
    .scope_read = SCOPE_CUSTOMERS_READ);

SQL_EACH(
        audit_out, bulk_filter, audit_entry,
        "SELECT t.customer_id, t.id, t.kind, t.operation, t.key_id, t.request_id, t.reason, t.subject, t.changes, "
        "t.personal, t.at" OUT_OF_PLAIN("audit_log") OUT_IN_TIME("t.at") OUT_KIND(
                "t.kind") " AND (:key_id::text IS NULL OR t.key_id = :key_id) "
                          "AND (:operation::text IS NULL OR t.operation = :operation) ORDER BY t.customer_id, t.id")
OUT(audit, audit_entry, .doc = "The audit log.", .scope_read = SCOPE_AUDIT_READ, .has_pii = true,
    .filters = BULK_OF_CUSTOMER | BULK_IN_TIME | BULK_AUDITED, .kind = "kind", .kinds = &audit_kind_names);

OUT(coupon_templates, coupon_template, .doc = "What coupons are issued of, as it is now.",
    .scope_read = SCOPE_REWARDS_READ);

SQL_EACH(events_out, bulk_filter, event,
         "SELECT t.customer_id, t.id, t.type, t.payload, t.occurred_at" OUT_OF_PLAIN("events")
                 OUT_IN_TIME("t.occurred_at") " ORDER BY t.customer_id, t.id")
OUT(events, event, .doc = "Everything that happened.", .scope_read = SCOPE_CUSTOMERS_READ, OF_CUSTOMER);

SQL_EACH(
        groups_out, bulk_filter, group,
        "SELECT id, code, platform, name, introduction, invite_link, members, version, created_at, updated_at "
        "FROM groups WHERE true" OUT_KIND("platform") " ORDER BY code")
OUT(groups, group, .doc = "Groups and communities.", .scope_read = SCOPE_CUSTOMERS_READ, .kind = "platform",
    .kinds = &platform_names);

SQL_EACH(
        notes_out, bulk_filter, note,
        "SELECT t.customer_id, t.id, t.author, t.content, t.pinned, t.version, t.created_at, t.updated_at" OUT_OF_PLAIN(
                "customer_notes") OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.id")
OUT(notes, note, .doc = "What staff wrote about customers.", .scope_read = SCOPE_CUSTOMERS_READ,
    .has_pii = true, OF_CUSTOMER);

SQL_EACH(points_approvals_out, bulk_filter, approval,
         "SELECT id, state, items, points_given, points_taken, requested_by, decided_by, reason, created_at, "
         "decided_at FROM points_approvals WHERE true" OUT_KIND("state") " ORDER BY id")
OUT(points_approvals, approval, .doc = "Requests that needed a second key.", .scope_read = SCOPE_POINTS_READ,
    .kind = "state", .kinds = &approval_state_names);

SQL_EACH(points_balances_out, bulk_filter, points_account,
         "SELECT t.customer_id, t.active, t.pending, t.held, t.debt, t.lifetime_earned, t.lifetime_spent, "
         "t.lifetime_expired, t.last_seq" OUT_OF_PLAIN("points_accounts") " ORDER BY t.customer_id")
OUT(points_balances, points_account, .doc = "What each customer has.", .scope_read = SCOPE_POINTS_READ,
    .filters = BULK_OF_CUSTOMER);

SQL_EACH(
        points_holds_out, bulk_filter, hold,
        "SELECT t.customer_id, t.id, t.state, t.points, t.captured, t.restored, t.reason, t.reference, t.order_id, "
        "t.redemption_id, t.seq, t.spend_seq, t.created_at, t.expires_at, t.resolved_at" OUT_OF_PLAIN(
                "points_holds") OUT_IN_TIME("t.created_at")
                OUT_KIND("t.state") " ORDER BY t.customer_id, t.id")
OUT(points_holds, hold, .doc = "Points reserved for purchases.", .scope_read = SCOPE_POINTS_READ, OF_CUSTOMER,
    .kind = "state", .kinds = &hold_state_names);

SQL_EACH(
        points_ledger_out, bulk_filter, ledger_entry,
        "SELECT t.customer_id, t.seq, t.kind, t.amount, t.active_after, t.pending_after, t.held_after, "
        "t.debt_after, t.cause, t.order_id, t.reference, t.lot_no, t.actor, t.reason, t.created_at" OUT_OF_PLAIN(
                "points_ledger") OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.seq")
OUT(points_ledger, ledger_entry, .doc = "Every movement of points.", .scope_read = SCOPE_POINTS_READ,
    OF_CUSTOMER);

SQL_EACH(
        points_lots_out, bulk_filter, lot,
        "SELECT t.customer_id, t.lot_no, t.amount, t.remaining, t.pending, t.active_from, t.expires_at, t.order_id" OUT_OF_PLAIN(
                "points_lots") " ORDER BY t.customer_id, t.lot_no")
OUT(points_lots, lot, .doc = "What is left of each earning, and until when.", .scope_read = SCOPE_POINTS_READ,
    .filters = BULK_OF_CUSTOMER);

SQL_EACH(program_versions_out, bulk_filter, program_version,
         "SELECT version, created_at, key_id, note, restored_version FROM programs ORDER BY version")
OUT(program_versions, program_version, .doc = "Who changed the programme when, and why.",
    .scope_read = SCOPE_TIERS_READ);

SQL_EACH(
        redemptions_out, bulk_filter, redemption,
        "SELECT t.customer_id, t.id, t.reward, t.reward_version, t.state, t.points, t.hold_id, t.coupon, t.reason, "
        "t.created_at, t.expires_at, t.resolved_at" OUT_OF_PLAIN("reward_redemptions")
                OUT_IN_TIME("t.created_at") OUT_KIND("t.state") " ORDER BY t.customer_id, t.id")
OUT(redemptions, redemption, .doc = "Rewards taken for points.", .scope_read = SCOPE_REWARDS_READ,
    OF_CUSTOMER, .kind = "state", .kinds = &redemption_state_names);

OUT(rewards, reward, .doc = "What can be had for points, as it is now.", .scope_read = SCOPE_REWARDS_READ);

SQL_EACH(
        tier_history_out, bulk_filter, tier_change,
        "SELECT t.customer_id, t.change_no, t.tier_before, t.tier_after, t.cause, t.order_id, t.created_at" OUT_OF_PLAIN(
                "tier_history") OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.change_no")
OUT(tier_history, tier_change, .doc = "Every change of a tier.", .scope_read = SCOPE_TIERS_READ, OF_CUSTOMER);

SQL_EACH(
        tiers_out, bulk_filter, standing,
        "SELECT t.customer_id, t.tier, t.since, t.until, t.orders, t.spend_minor, t.growth, t.first_order_at, "
        "t.last_order_at, t.changes, t.pin_tier, t.pin_until, t.pin_reason" OUT_OF_PLAIN(
                "tier_standings") " ORDER BY t.customer_id")
OUT(tiers, standing, .doc = "Where each customer stands, and his lifetime sums.",
    .scope_read = SCOPE_TIERS_READ, .filters = BULK_OF_CUSTOMER);
