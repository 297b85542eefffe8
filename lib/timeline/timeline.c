#include "timeline/timeline.h"

#include <stdlib.h>

#include "db/statement.h"

NAMES(timeline_kind_names, "activity", "address", "address_changed", "address_removed", "behaviour",
      "consent", "coupon", "created", "group_joined", "group_left", "interaction", "merged", "note", "order",
      "points", "redemption", "refund", "suppression", "suppression_lifted", "tag", "tag_removed", "tier",
      "unmerged");

#define SHAPE_T struct timeline_entry
SHAPE(timeline_entry, "Something that happened.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(at, .need = true), FIELD(kind, .need = true, .names = &timeline_kind_names),
      FIELD(key, .need = true, .doc = "Tells those of one kind and moment apart."),
      FIELD(data, .doc = "Facts by kind; nothing personal."),
      FIELD(content, .pii = PII_ALL, .doc = "What was said, written or searched for."));
#undef SHAPE_T

#define SHAPE_T struct timeline_page
SHAPE(timeline_page, "A position.", FIELD(customer_id), FIELD(before_at),
      FIELD(before_kind, .names = &timeline_kind_names), FIELD(before_key), FIELD(limit));
#undef SHAPE_T

/* A source: its rows of one customer that lie before the position, no more than fit the page. */
#define SOURCE_WHERE(kind_, at_, key_, data_, content_, from_, where_)                                       \
        SQL_LATER(load_##kind_, timeline_page, timeline_entry,                                               \
                  "SELECT " at_ " AS at, '" #kind_ "'::text AS kind, " key_ " AS key, " data_                \
                  " AS data, " content_ " AS content FROM " from_ " WHERE " where_                           \
                  " AND (:before_at::timestamptz IS NULL OR (" at_ ", '" #kind_                              \
                  "'::text COLLATE \"C\", (" key_                                                            \
                  ") COLLATE \"C\") < (:before_at, :before_kind, :before_key)) "                             \
                  "ORDER BY " at_ " DESC, (" key_ ") COLLATE \"C\" DESC LIMIT :limit")
#define SOURCE(kind_, at_, key_, data_, content_, from_)                                                     \
        SOURCE_WHERE(kind_, at_, key_, data_, content_, from_, "customer_id = :customer_id")
#define NOTHING "NULL::text"
/* Of what is changed and undone in one row only the events tell all of it. */
#define SOURCE_EVENTS(kind_, type_, data_)                                                                   \
        SOURCE_WHERE(kind_, "occurred_at", "id::text", data_, NOTHING, "events",                             \
                     "customer_id = :customer_id AND type = '" type_ "'")

SOURCE(activity, "occurred_at", "id::text",
       "jsonb_build_object('activity_id', id, 'type', type, 'code', code, 'state', state, 'why', why, "
       "'points', points, 'growth', growth, 'referred_id', referred_id)",
       NOTHING, "activities")

SOURCE_WHERE(created, "created_at", "id::text",
             "jsonb_build_object('channel', source_channel, 'campaign', source_campaign)", NOTHING,
             "customers", "id = :customer_id")
SOURCE(order, "placed_at", "id::text",
       "jsonb_build_object('order_id', id, 'external_id', external_id, 'status', status, 'channel', channel, "
       "'total_minor', total_minor, 'refunded_minor', refunded_minor, 'points', points_earned)",
       NOTHING, "orders")
SOURCE(refund, "created_at", "id::text",
       "jsonb_build_object('order_id', order_id, 'external_id', external_id, 'amount_minor', amount_minor, "
       "'points', points_reversed)",
       "reason", "refunds")
SOURCE(points, "created_at", "lpad(seq::text, 19, '0')",
       "jsonb_build_object('seq', seq, 'kind', kind, 'amount', amount, 'active_after', active_after, 'cause', cause, "
       "'order_id', order_id)",
       NOTHING, "points_ledger")
SOURCE(tier, "created_at", "lpad(change_no::text, 19, '0')",
       "jsonb_build_object('before', tier_before, 'after', tier_after, 'cause', cause)", NOTHING,
       "tier_history")
SOURCE_WHERE(
        coupon, "h.created_at", "h.code || lpad(h.change_no::text, 19, '0')",
        "jsonb_build_object('code', h.code, 'template', c.template, 'action', h.action, 'state', h.state, 'order_id', "
        "h.order_id, 'source', c.source)",
        NOTHING, "coupons c JOIN coupon_history h ON h.code = c.code", "c.customer_id = :customer_id")
SOURCE(redemption, "created_at", "id::text",
       "jsonb_build_object('redemption_id', id, 'reward', reward, 'state', state, 'points', points, 'coupon', coupon)",
       NOTHING, "reward_redemptions")
SOURCE(interaction, "occurred_at", "id::text",
       "jsonb_build_object('interaction_id', id, 'kind', kind, 'direction', direction, 'channel', channel, "
       "'agent', agent, 'satisfaction', satisfaction)",
       "content", "interactions")
SOURCE(behaviour, "occurred_at", "id::text",
       "jsonb_build_object('type', type, 'channel', channel, 'sku', sku, 'category', category, 'brand', brand, "
       "'quantity', quantity, 'value_minor', value_minor)",
       "query", "behaviour_events")
SOURCE(note, "created_at", "id::text",
       "jsonb_build_object('note_id', id, 'author', author, 'pinned', pinned)", "content", "customer_notes")
#define TAG_DATA                                                                                             \
        "jsonb_build_object('kind', payload -> 'kind', 'tag', payload -> 'tag', 'expires_at', payload -> "   \
        "'expires_at')"
SOURCE_EVENTS(tag, "customer.tagged", TAG_DATA)
SOURCE_EVENTS(tag_removed, "customer.untagged", TAG_DATA)
#define GROUP_DATA "jsonb_build_object('group', payload -> 'group')"
SOURCE_EVENTS(group_joined, "group.joined", GROUP_DATA)
SOURCE_EVENTS(group_left, "group.left", GROUP_DATA)
#define ADDRESS_DATA "jsonb_build_object('address', payload -> 'address')"
SOURCE_EVENTS(address, "address.added", ADDRESS_DATA)
SOURCE_EVENTS(address_changed, "address.changed", ADDRESS_DATA)
SOURCE_EVENTS(address_removed, "address.removed", ADDRESS_DATA)
SOURCE(consent, "occurred_at", "id::text",
       "jsonb_build_object('channel', channel, 'state', state, 'source', source)", NOTHING, "consent_changes")
#define SUPPRESSION_DATA "jsonb_build_object('channel', payload -> 'channel', 'reason', payload -> 'reason')"
SOURCE_EVENTS(suppression, "customer.suppressed", SUPPRESSION_DATA)
SOURCE_EVENTS(suppression_lifted, "customer.unsuppressed", SUPPRESSION_DATA)
#define MERGE_DATA                                                                                           \
        "jsonb_build_object('merge_id', payload -> 'merge_id', 'absorbed_id', payload -> 'absorbed_id')"
SOURCE_EVENTS(merged, "customer.merged", MERGE_DATA)
SOURCE_EVENTS(unmerged, "customer.unmerged", MERGE_DATA)

static enum err (*const sources[])(struct ctx *c, const struct timeline_page *in, struct list *ret) = {
        [TIMELINE_ACTIVITY] = load_activity,
        [TIMELINE_ADDRESS] = load_address,
        [TIMELINE_ADDRESS_CHANGED] = load_address_changed,
        [TIMELINE_ADDRESS_REMOVED] = load_address_removed,
        [TIMELINE_BEHAVIOUR] = load_behaviour,
        [TIMELINE_CONSENT] = load_consent,
        [TIMELINE_COUPON] = load_coupon,
        [TIMELINE_CREATED] = load_created,
        [TIMELINE_GROUP_JOINED] = load_group_joined,
        [TIMELINE_GROUP_LEFT] = load_group_left,
        [TIMELINE_INTERACTION] = load_interaction,
        [TIMELINE_MERGED] = load_merged,
        [TIMELINE_NOTE] = load_note,
        [TIMELINE_ORDER] = load_order,
        [TIMELINE_POINTS] = load_points,
        [TIMELINE_REDEMPTION] = load_redemption,
        [TIMELINE_REFUND] = load_refund,
        [TIMELINE_SUPPRESSION] = load_suppression,
        [TIMELINE_SUPPRESSION_LIFTED] = load_suppression_lifted,
        [TIMELINE_TAG] = load_tag,
        [TIMELINE_TAG_REMOVED] = load_tag_removed,
        [TIMELINE_TIER] = load_tier,
        [TIMELINE_UNMERGED] = load_unmerged,
};

/* Newest first, then by name of the kind and by key, backwards. */
static int compare(const void *a, const void *b)
{
        const struct timeline_entry *x = a, *y = b;

        if (x->at.us != y->at.us)
                return x->at.us < y->at.us ? 1 : -1;
        if (x->kind != y->kind) /* the enum is in the order of the names */
                return x->kind < y->kind ? 1 : -1;
        return strcmp(y->key, x->key);
}

enum err timeline_list(struct ctx *c, const struct timeline_page *page, struct list *ret)
{
        struct list found[ARRAY_SIZE(sources)] = {{0}};
        size_t n = 0, filled = 0;

        for (size_t kind = 1; kind < ARRAY_SIZE(sources); kind++)
                if (page->only == 0 || page->only == kind)
                        TRY(sources[kind](c, page, &found[kind]));
        TRY(db_flush(c));
        for (size_t kind = 1; kind < ARRAY_SIZE(sources); kind++)
                n += found[kind].n;
        struct timeline_entry *entries = ARENA_ARRAY(c->arena, n, struct timeline_entry);
        for (size_t kind = 1; kind < ARRAY_SIZE(sources); kind++)
                for (size_t i = 0; i < found[kind].n; i++) {
                        entries[filled] = ((const struct timeline_entry *)found[kind].v)[i];
                        entries[filled++].customer_id = page->customer_id;
                }
        if (n > 0)
                qsort(entries, n, sizeof *entries, compare);
        *ret = (struct list){entries, n < (size_t)page->limit ? n : (size_t)page->limit};
        return ERR_OK;
}
