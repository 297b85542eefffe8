/* What moves by rules of its own: identities, consents, profiles, and how many members groups have. */
#include "customers/consent.h"
#include "merges/journal.h"

#define NOTE "INSERT INTO merge_rows (customer_id, merge_id, part, moved, content) SELECT :to, :merge_id, "
#define NOTED(part_, as_)                                                                                    \
        "FROM merge_rows r, jsonb_populate_record(NULL::" as_ ", r.content) p "                              \
        "WHERE r.customer_id = :to AND r.merge_id = :merge_id AND r.part = '" part_ "'"
#define NOTED_IDS(part_)                                                                                     \
        "(SELECT (content ->> 'id')::uuid FROM merge_rows WHERE customer_id = :to AND merge_id = :merge_id " \
        "AND part = '" part_ "')"

/* ------------------------------------------------------------------ identities */

SQL_EXEC(identities_note, joint,
         NOTE "'customer_identities', true, to_jsonb(t) FROM customer_identities t WHERE customer_id = :from")
SQL_EXEC(
        identities_take, joint,
        "UPDATE customer_identities t SET customer_id = :to, secondary = t.secondary OR (t.kind IN ('phone', 'email') "
        "AND EXISTS (SELECT FROM customer_identities s WHERE s.customer_id = :to AND s.kind = t.kind)) "
        "WHERE t.customer_id = :from")
/* One that somebody else has by now stays there. */
SQL_EXEC(identities_return, joint,
         "INSERT INTO customer_identities AS t (kind, value, customer_id, created_at, secondary) "
         "SELECT p.kind, p.value, p.customer_id, p.created_at, p.secondary " NOTED(
                 "customer_identities",
                 "customer_identities") " ON CONFLICT (kind, value) DO UPDATE SET "
                                        "customer_id = excluded.customer_id, secondary = excluded.secondary "
                                        "WHERE t.customer_id = :to")

enum err identities_move(struct ctx *c, const struct joint *joint)
{
        TRY(identities_note(c, joint));
        return identities_take(c, joint);
}

enum err identities_move_back(struct ctx *c, const struct joint *joint)
{
        return identities_return(c, joint);
}

/* ------------------------------------------------------------------ consents */

struct consent_before {
        struct uuid customer_id;
        unsigned channel, state;
};
#define SHAPE_T struct consent_before
SHAPE(consent_before, "A consent.", FIELD(customer_id), FIELD(channel, .names = &contact_channel_names),
      FIELD(state, .names = &consent_state_names));
#undef SHAPE_T

SQL_MANY(consents_of, joint, consent_before,
         "SELECT customer_id, channel, state FROM consents WHERE customer_id IN (:from, :to)")
SQL_EXEC(
        consents_note, joint,
        NOTE
        "'consent_changes', true, jsonb_build_object('id', id) FROM consent_changes WHERE customer_id = :from")
SQL_EXEC(
        consent_changes_append, joint,
        "UPDATE consent_changes t SET customer_id = :to, change_no = t.change_no + coalesce((SELECT changes FROM consents s "
        "WHERE s.customer_id = :to AND s.channel = t.channel), 0) WHERE t.customer_id = :from")
SQL_EXEC(consents_drop, joint, "DELETE FROM consents WHERE customer_id IN (:from, :to)")
SQL_EXEC(
        consents_rebuild, joint,
        "INSERT INTO consents (customer_id, channel, state, source, evidence, occurred_at, changes) "
        "SELECT DISTINCT ON (customer_id, channel) customer_id, channel, state, source, evidence, occurred_at, "
        "count(*) OVER (PARTITION BY customer_id, channel) FROM consent_changes WHERE customer_id IN (:from, :to) "
        "ORDER BY customer_id, channel, occurred_at DESC, change_no DESC")
#define SOURCE_MERGE "merge"
struct merged_moment {
        struct uuid to;
        struct instant at;
};
#define SHAPE_T struct merged_moment
SHAPE(merged_moment, "A survivor and when.", FIELD(to), FIELD(at));
#undef SHAPE_T
SQL_EXEC(merge_statement_drop, merged_moment,
         "DELETE FROM consent_changes WHERE customer_id = :to AND source = '" SOURCE_MERGE
         "' AND created_at = :at")
SQL_EXEC(consent_changes_return, joint,
         "UPDATE consent_changes SET customer_id = :from WHERE customer_id = :to AND id IN " NOTED_IDS(
                 "consent_changes"))
/* New numbers meet old ones on the way, so they go through the negative ones. */
SQL_EXEC(
        consent_changes_number, joint,
        "UPDATE consent_changes t SET change_no = -n.no FROM (SELECT customer_id, id, row_number() OVER (PARTITION BY "
        "customer_id, channel ORDER BY change_no) AS no FROM consent_changes WHERE customer_id IN (:from, :to)) AS n "
        "WHERE t.customer_id = n.customer_id AND t.id = n.id")
SQL_EXEC(
        consent_changes_settle, joint,
        "UPDATE consent_changes SET change_no = -change_no WHERE customer_id IN (:from, :to) AND change_no < 0")

/* Denied or withdrawn by one of them is said once more of the survivor. */
static enum err stricter_hold(struct ctx *c, const struct joint *joint, const struct list *before)
{
        const struct consent_before *rows = before->v;
        struct consent_call *calls = ARENA_ARRAY(c->arena, before->n, struct consent_call);
        bool granted[CONTACT_COUNT_] = {false};
        size_t n = 0;

        for (size_t i = 0; i < before->n; i++)
                granted[rows[i].channel] |= rows[i].state == CONSENT_GRANTED;
        for (size_t i = 0; i < before->n; i++) {
                if (rows[i].state == CONSENT_GRANTED || !granted[rows[i].channel])
                        continue;
                struct consent_in *in = ARENA_NEW(c->arena, struct consent_in);
                *in = (struct consent_in){.state = rows[i].state, .source = SOURCE_MERGE};
                calls[n++] =
                        (struct consent_call){.customer_id = joint->to, .channel = rows[i].channel, .in = in};
        }
        return n > 0 ? consents_record(c, calls, n) : ERR_OK;
}

enum err consents_move(struct ctx *c, const struct joint *joint)
{
        struct list before;

        TRY(consents_of(c, joint, &before));
        TRY(consents_note(c, joint));
        TRY(consent_changes_append(c, joint));
        TRY(consents_drop(c, joint));
        TRY(consents_rebuild(c, joint));
        return stricter_hold(c, joint, &before);
}

enum err consents_move_back(struct ctx *c, const struct joint *joint, struct instant merged_at)
{
        TRY(merge_statement_drop(c, &(struct merged_moment){joint->to, merged_at}));
        TRY(consent_changes_return(c, joint));
        TRY(consent_changes_number(c, joint));
        TRY(consent_changes_settle(c, joint));
        TRY(consents_drop(c, joint));
        return consents_rebuild(c, joint);
}

/* ------------------------------------------------------------------ groups */

#define MEMBERS                                                                                              \
        "(SELECT count(*) FROM group_members m WHERE m.group_id = g.id AND m.customer_id IN (:from, :to) "   \
        "AND m.left_at IS NULL) WHERE g.id IN (SELECT group_id FROM group_members WHERE customer_id IN (:from, :to))"
SQL_EXEC(members_subtract, joint, "UPDATE groups g SET members = g.members - " MEMBERS)
SQL_EXEC(members_add, joint, "UPDATE groups g SET members = g.members + " MEMBERS)
/* Groups that are gone meanwhile have no members. */
SQL_EXEC(gone_groups_forget, joint,
         "DELETE FROM merge_rows WHERE customer_id = :to AND merge_id = :merge_id AND part = 'group_members' "
         "AND NOT EXISTS (SELECT FROM groups WHERE id = (content ->> 'group_id')::uuid)")

enum err groups_uncount(struct ctx *c, const struct joint *joint)
{
        TRY(gone_groups_forget(c, joint));
        return members_subtract(c, joint);
}

enum err groups_count(struct ctx *c, const struct joint *joint)
{
        return members_add(c, joint);
}

/* ------------------------------------------------------------------ coupons */

SQL_EXEC(uses_note, joint,
         NOTE "'used coupons', true, jsonb_build_object('id', id) FROM coupons WHERE used_by = :from")
SQL_EXEC(uses_move, joint, "UPDATE coupons SET used_by = :to WHERE used_by = :from")
SQL_EXEC(uses_return, joint,
         "UPDATE coupons SET used_by = :from WHERE used_by = :to AND id IN " NOTED_IDS("used coupons"))
SQL_EXEC(coupon_history_move, joint, "UPDATE coupon_history SET customer_id = :to WHERE customer_id = :from")
/* The history goes with the coupon. */
SQL_EXEC(coupon_history_return, joint,
         "UPDATE coupon_history SET customer_id = :from WHERE customer_id = :to AND code IN "
         "(SELECT code FROM coupons WHERE customer_id = :from)")

enum err coupons_move(struct ctx *c, const struct joint *joint)
{
        TRY(uses_note(c, joint));
        TRY(uses_move(c, joint));
        return coupon_history_move(c, joint);
}

enum err coupons_move_back(struct ctx *c, const struct joint *joint)
{
        TRY(uses_return(c, joint));
        return coupon_history_return(c, joint);
}

/* ------------------------------------------------------------------ whom he referred */

/* Whoever is joined with the one who referred him, or to an order of his, has nobody who did. */
SQL_EXEC(referred_note, joint,
         NOTE
         "'referred customers', true, jsonb_build_object('id', id) FROM customers WHERE referrer_id = :from")
SQL_EXEC(referred_move, joint, "UPDATE customers SET referrer_id = nullif(:to, id) WHERE referrer_id = :from")
SQL_EXEC(
        referred_return, joint,
        "UPDATE customers SET referrer_id = :from WHERE (referrer_id = :to OR id = :to AND referrer_id IS NULL) "
        "AND id IN " NOTED_IDS("referred customers"))
SQL_EXEC(referred_orders_note, joint,
         NOTE "'referred orders', true, jsonb_build_object('id', id, 'referrer_id', referrer_id) FROM orders "
              "WHERE referrer_id = :from OR referrer_id = :to AND customer_id IN (:from, :to)")
SQL_EXEC(referred_orders_move, joint,
         "UPDATE orders SET referrer_id = nullif(:to, customer_id) WHERE referrer_id = :from OR "
         "referrer_id = :to AND customer_id = :to")
/* What became of an order's referrer since then stands. */
SQL_EXEC(referred_orders_return, joint,
         "UPDATE orders t SET referrer_id = (r.content ->> 'referrer_id')::uuid FROM merge_rows r "
         "WHERE r.customer_id = :to AND r.merge_id = :merge_id AND r.part = 'referred orders' "
         "AND t.id = (r.content ->> 'id')::uuid AND (t.referrer_id = :to OR t.referrer_id IS NULL)")

enum err referred_join(struct ctx *c, const struct joint *joint)
{
        TRY(referred_note(c, joint));
        TRY(referred_move(c, joint));
        TRY(referred_orders_note(c, joint));
        return referred_orders_move(c, joint);
}

enum err referred_part(struct ctx *c, const struct joint *joint)
{
        TRY(referred_return(c, joint));
        return referred_orders_return(c, joint);
}

/* ------------------------------------------------------------------ profiles */

SQL_EXEC(profiles_note, joint,
         NOTE
         "CASE id WHEN :from THEN '' ELSE 'survivor ' END || 'customers', true, to_jsonb(t) FROM customers t "
         "WHERE id IN (:from, :to)")
SQL_EXEC(profile_drop, joint, "DELETE FROM customers WHERE id = :from")

/* One line a column that the survivor takes where he has none. */
#define EACH(column)                                                                                         \
        column(external_id) column(name) column(gender) column(birthday) column(language) column(country)    \
                column(province) column(city) column(district) column(owner) column(source_channel)          \
                        column(source_detail) column(source_campaign)
#define TAKE(name_) #name_ " = coalesce(s." #name_ ", p." #name_ "), "
/* Nobody becomes his own. */
#define TAKE_REFERRER "referrer_id = nullif(coalesce(s.referrer_id, p.referrer_id), s.id), "
#define TAKE_JSON(name_)                                                                                     \
#name_ " = CASE WHEN coalesce(s." #name_ ", p." #name_ ") IS NOT NULL THEN coalesce(p." #name_       \
               ", '{}') || coalesce(s." #name_ ", '{}') END, "
SQL_EXEC(
        profile_take, joint,
        "UPDATE customers s SET " EACH(TAKE) TAKE_REFERRER TAKE_JSON(attributes)
                TAKE_JSON(preferences) "inquired_at = least(s.inquired_at, p.inquired_at), version = s.version + 1, updated_at = :now " NOTED(
                        "customers", "customers") " AND s.id = :to")

/* What was taken goes, unless it has become something else since; b is the survivor as he was. */
#define GIVE(name_)                                                                                          \
#name_ " = CASE WHEN b." #name_ " IS NULL AND s." #name_ " IS NOT DISTINCT FROM p." #name_           \
               " THEN NULL ELSE s." #name_ " END, "
#define GIVE_JSON(name_)                                                                                     \
#name_ " = (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(s." #name_                       \
               ") e WHERE NOT (coalesce(p." #name_ " -> e.key = e.value, false) AND b." #name_               \
               " -> e.key IS NULL)), "
SQL_EXEC(
        profile_give, joint,
        "UPDATE customers s SET " EACH(GIVE) GIVE(referrer_id) GIVE_JSON(attributes) GIVE_JSON(
                preferences) "inquired_at = CASE WHEN s.inquired_at IS NOT DISTINCT FROM p.inquired_at THEN b.inquired_at ELSE s.inquired_at END, "
                             "version = s.version + 1, updated_at = :now FROM merge_rows r, jsonb_populate_record(NULL::customers, r.content) p, "
                             "merge_rows o, jsonb_populate_record(NULL::customers, o.content) b WHERE r.customer_id = :to "
                             "AND r.merge_id = :merge_id AND r.part = 'customers' AND o.customer_id = :to AND o.merge_id = :merge_id "
                             "AND o.part = 'survivor customers' AND s.id = :to")
SQL_EXEC(profile_return, joint, "INSERT INTO customers SELECT p.* " NOTED("customers", "customers"))
SQL_EXEC(profile_touch, joint,
         "UPDATE customers SET version = version + 1, updated_at = :now WHERE id = :from")

enum err profiles_join(struct ctx *c, const struct joint *joint)
{
        TRY(profile_drop(c, joint));
        return profile_take(c, joint);
}

enum err profiles_part(struct ctx *c, const struct joint *joint)
{
        TRY(profile_give(c, joint));
        TRY(profile_return(c, joint));
        return profile_touch(c, joint);
}

enum err profiles_keep(struct ctx *c, const struct joint *joint)
{
        return profiles_note(c, joint);
}
