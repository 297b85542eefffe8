#include "merges/merges.h"

#include "audit/audit.h"
#include "customers/address.h"
#include "customers/tags.h"
#include "db/page.h"
#include "events/events.h"
#include "merges/journal.h"
#include "orders/orders.h"
#include "points/merged.h"
#include "privacy/holdings.h"
#include "tiers/merged.h"

#define SHAPE_T struct customer_merge
SHAPE(customer_merge, "Two customers that became one.", FIELD(id, .need = true),
      FIELD(customer_id, .need = true, .subject = true, .doc = "Who remains."),
      FIELD(absorbed_id, .need = true, .doc = "Whose ids and references mean the one who remains."),
      FIELD(created_at, .need = true), FIELD(undo_until, .need = true), FIELD(undone_at),
      FIELD(undo_reason, .pii = PII_ALL));
#undef SHAPE_T

#define SHAPE_T struct blocker
SHAPE(blocker, "What stands in the way.", FIELD(code, .need = true), FIELD(detail, .need = true));
#undef SHAPE_T

#define SHAPE_T struct merge_preview
SHAPE(merge_preview, "What a merge would do.", NEST(survivor, customer), NEST(absorbed, customer),
      FIELD(possible), LIST(blockers, blocker, .doc = "Empty when it is possible."),
      LIST(moves, moving_rows, .doc = "Rows that the survivor would get, by table."));
#undef SHAPE_T

#define SHAPE_T struct merges_page
SHAPE(merges_page, "A position and a filter.", FIELD(customer_id), FIELD(before_id), FIELD(limit));
#undef SHAPE_T

/* An undoing that has begun in time still finds the journal. */
#define UNDO_SLACK INSTANT_DAY

struct locking {
        struct uuids ids;
};
#define SHAPE_T struct locking
SHAPE(locking, "Who is locked.", FIELD(ids));
#undef SHAPE_T

/* Nobody holds on to either of them, and an order that waits finds the survivor. */
SQL_MANY(
        both_lock, locking, rows_count,
        "SELECT 1::bigint AS count FROM customers WHERE id = ANY(:ids) AND NOT erased ORDER BY id FOR UPDATE")
SQL_ONE(tags_most, joint, rows_count,
        "SELECT coalesce(max(n), 0) AS count FROM (SELECT count(DISTINCT tag) AS n FROM customer_tags "
        "WHERE customer_id IN (:from, :to) GROUP BY kind) AS k")
SQL_BATCH(merge_insert, customer_merge,
          "INSERT INTO merges (customer_id, id, absorbed_id, created_at, undo_until) "
          "SELECT * FROM unnest(:customer_id, :id, :absorbed_id, :created_at, :undo_until)")
SQL_EXEC(alias_insert, joint,
         "INSERT INTO customer_aliases (alias_id, customer_id, created_at) VALUES (:from, :to, :now)")

#define NOTE "INSERT INTO merge_rows (customer_id, merge_id, part, moved, content) SELECT :to, :merge_id, "
SQL_EXEC(standings_note, joint,
         NOTE
         "CASE customer_id WHEN :from THEN '' ELSE 'survivor ' END || 'tier_standings', true, to_jsonb(t) "
         "FROM tier_standings t WHERE customer_id IN (:from, :to)")
SQL_EXEC(days_note, joint,
         NOTE "'metric_days', true, to_jsonb(t) FROM metric_days t WHERE customer_id = :from")
SQL_EXEC(history_note, joint,
         NOTE "'tier_history', true, to_jsonb(t) FROM tier_history t WHERE customer_id = :from")

SQL_EXEC(caps_note, joint,
         NOTE "'points_cap_days', true, to_jsonb(t) FROM points_cap_days t WHERE customer_id = :from")
SQL_EXEC(referrals_note, joint,
         NOTE "'referrals', true, jsonb_build_object('id', id) FROM activities WHERE referred_id = :from")
SQL_EXEC(referrals_move, joint, "UPDATE activities SET referred_id = :to WHERE referred_id = :from")

struct ledger_note {
        struct uuid to, merge_id;
        int64_t first, last;
};
#define SHAPE_T struct ledger_note
SHAPE(ledger_note, "Where the moved entries stand.", FIELD(to), FIELD(merge_id), FIELD(first), FIELD(last));
#undef SHAPE_T
SQL_EXEC(ledger_note_insert, ledger_note,
         NOTE "'points_ledger', true, jsonb_build_object('first', :first::bigint, 'last', :last::bigint)")

/* ------------------------------------------------------------------ what stands in the way */

static void block(struct blocker *blockers, size_t *n, const char *code, const char *detail)
{
        blockers[(*n)++] = (struct blocker){code, detail};
}

#define BLOCKERS_MAX 4
static enum err blockers_find(struct ctx *c, const struct joint *joint, struct blocker *blockers,
                              size_t *ret_n)
{
        struct points_merging points;
        struct rows_count tags;
        size_t n = 0, addresses;

        if (uuid_equal(joint->from, joint->to)) {
                block(blockers, &n, "same_customer", "Both references mean the same customer.");
                *ret_n = n;
                return ERR_OK;
        }
        TRY(points_merging(c, joint->from, &points));
        TRY(tags_most(c, joint, &tags));
        TRY(addresses_together(c, joint, &addresses));
        if (points.open_holds > 0)
                block(blockers, &n, "open_holds",
                      "Points of the customer to be absorbed are held; capture or release the holds first.");
        if (tags.count > TAGS_MAX)
                block(blockers, &n, "too_many_tags", "Together they have more than 250 tags of a kind.");
        if (addresses > ADDRESSES_MAX)
                block(blockers, &n, "too_many_addresses", "Together they have more than 20 addresses.");
        *ret_n = n;
        return ERR_OK;
}

enum err merge_preview_get(struct ctx *c, const char *survivor, const char *absorbed,
                           struct merge_preview *ret)
{
        struct merge_preview preview = {.blockers.v = ARENA_ARRAY(c->arena, BLOCKERS_MAX, struct blocker)};
        struct list moves;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customer_get(c, survivor, &preview.survivor));
        TRY(customer_get(c, absorbed, &preview.absorbed));
        TRY(customers_fill_in(c, &preview.survivor, 1));
        TRY(customers_fill_in(c, &preview.absorbed, 1));
        struct joint joint = {.from = preview.absorbed.id, .to = preview.survivor.id};
        TRY(blockers_find(c, &joint, preview.blockers.v, &preview.blockers.n));
        TRY(journal_count(c, &joint, &moves));
        preview.moves.v = moves.v;
        preview.moves.n = moves.n;
        preview.possible = preview.blockers.n == 0;
        *ret = preview;
        return tx_commit(&tx);
}

/* ------------------------------------------------------------------ merging */

/* Find and lock both; whoever was merged between the look and the lock is looked for again. */
static enum err both_find(struct ctx *c, const char *survivor, const char *absorbed, struct customer *ret_to,
                          struct customer *ret_from)
{
        const unsigned looks = 4;
        struct list locked;

        for (unsigned look = 0; look < looks; look++) {
                TRY(customer_get(c, survivor, ret_to));
                TRY(customer_get(c, absorbed, ret_from));
                struct uuid ids[2] = {ret_to->id, ret_from->id};
                TRY(both_lock(c, &(struct locking){{ids, 2}}, &locked));
                if (locked.n == (uuid_equal(ids[0], ids[1]) ? 1 : 2))
                        return ERR_OK;
        }
        return fail(c, ERR_CONFLICT, "The customers were merged meanwhile.");
}

static enum err points_move(struct ctx *c, const struct joint *joint)
{
        struct points_merging from, to;

        TRY(points_merging(c, joint->from, &from));
        TRY(points_merging(c, joint->to, &to));
        TRY(caps_note(c, joint));
        TRY(referrals_note(c, joint));
        TRY(referrals_move(c, joint));
        TRY(ledger_note_insert(c, &(struct ledger_note){joint->to, joint->merge_id, to.last_seq + 1,
                                                        to.last_seq + from.last_seq}));
        return points_merge(c, &(struct points_joining){joint->from, joint->to, joint->merge_id});
}

static enum err tiers_move(struct ctx *c, const struct joint *joint, const struct customer *from,
                           const struct customer *to)
{
        TRY(standings_note(c, joint));
        TRY(days_note(c, joint));
        TRY(history_note(c, joint));
        return tiers_merge(c,
                           &(struct tiers_merging){joint->from, joint->to, from->created_at, to->created_at});
}

static enum err everything_move(struct ctx *c, const struct joint *joint, const struct customer *from,
                                const struct customer *to)
{
        TRY(profiles_keep(c, joint));
        TRY(points_move(c, joint)); /* first: what names entries is moved by the list */
        TRY(groups_uncount(c, joint));
        TRY(journal_move(c, joint));
        TRY(groups_count(c, joint));
        TRY(alias_insert(c, joint));
        TRY(identities_move(c, joint));
        TRY(addresses_move(c, joint));
        TRY(consents_move(c, joint));
        TRY(coupons_move(c, joint));
        TRY(tiers_move(c, joint, from, to));
        TRY(profiles_join(c, joint));
        return referred_join(c, joint);
}

static enum err merge_tell(struct ctx *c, enum event_type type, const struct customer_merge *before,
                           const struct customer_merge *merge)
{
        struct event_list events = {0};
        char id[UUID_TEXT_SIZE];
        struct uuid touched[2] = {merge->customer_id, merge->absorbed_id};

        uuid_to_text(merge->id, id);
        event_add(c->arena, &events, type, merge->customer_id, c->now, &merge_event_shape,
                  &(struct merge_event){merge->id, merge->absorbed_id});
        customers_touched(c, touched, 2);
        TRY(events_store(c, &events));
        return audit_write(c, &(struct audit_change){.customer_id = merge->customer_id,
                                                     .subject = arena_printf(c->arena, "/v1/merges/%s", id),
                                                     .shape = &customer_merge_shape,
                                                     .before = before,
                                                     .after = merge});
}

enum err merge_do(struct ctx *c, const char *survivor, const char *absorbed, struct customer_merge *ret)
{
        struct customer to, from;
        struct blocker blockers[BLOCKERS_MAX];
        size_t blocked;

        TRY(both_find(c, survivor, absorbed, &to, &from));
        struct customer_merge merge = {.id = uuid_new(c->now),
                                       .customer_id = to.id,
                                       .absorbed_id = from.id,
                                       .created_at = c->now,
                                       .undo_until = {c->now.us + MERGE_UNDO_DAYS * INSTANT_DAY}};
        const struct joint joint = {from.id, to.id, merge.id};
        TRY(blockers_find(c, &joint, blockers, &blocked));
        if (blocked > 0) {
                problem_string(c, "blocker", blockers[0].code);
                return fail(c, ERR_MERGE_BLOCKED, "%s", blockers[0].detail);
        }
        TRY(everything_move(c, &joint, &from, &to));
        TRY(merge_insert(c, &merge, 1));
        *ret = merge;
        return merge_tell(c, EVENT_CUSTOMER_MERGED, /* before= */ NULL, &merge);
}

/* ------------------------------------------------------------------ undoing */

struct undoing {
        struct uuid id;
        struct uuid customer_id;
};
#define SHAPE_T struct undoing
SHAPE(undoing, "A merge of a survivor.", FIELD(id), FIELD(customer_id));
#undef SHAPE_T

#define MERGE_COLUMNS "id, customer_id, absorbed_id, created_at, undo_until, undone_at, undo_reason"
SQL_OPT(merge_find, undoing, customer_merge, "SELECT " MERGE_COLUMNS " FROM merges WHERE id = :id")
SQL_ONE(merges_later, undoing, rows_count,
        "SELECT count(*) AS count FROM merges WHERE customer_id = :customer_id AND id > :id AND undone_at IS NULL")
SQL_EXEC(alias_drop, joint, "DELETE FROM customer_aliases WHERE alias_id = :from AND customer_id = :to")
SQL_EXEC(
        merge_end, customer_merge,
        "UPDATE merges SET undone_at = :undone_at, undo_reason = :undo_reason, journal_kept = false WHERE customer_id = :customer_id AND id = :id")
SQL_EXEC(rows_forget, joint, "DELETE FROM merge_rows WHERE customer_id = :to AND merge_id = :merge_id")

#define NOTED(part_)                                                                                         \
        "FROM merge_rows r, jsonb_populate_record(NULL::" part_ ", r.content) p WHERE r.customer_id = :to "  \
        "AND r.merge_id = :merge_id AND r.part = '" part_ "'"
SQL_EXEC(standing_return, joint, "INSERT INTO tier_standings SELECT p.* " NOTED("tier_standings"))
SQL_EXEC(days_return, joint, "INSERT INTO metric_days SELECT p.* " NOTED("metric_days"))
SQL_EXEC(history_return, joint, "INSERT INTO tier_history SELECT p.* " NOTED("tier_history"))

struct noted_order {
        struct uuid id;
};
#define SHAPE_T struct noted_order
SHAPE(noted_order, "An order that was moved.", FIELD(id));
#undef SHAPE_T
SQL_MANY(
        orders_noted, joint, noted_order,
        "SELECT (content ->> 'id')::uuid AS id FROM merge_rows WHERE customer_id = :to AND merge_id = :merge_id "
        "AND part = 'orders'")
SQL_ONE(ledger_noted, joint, ledger_note,
        "SELECT (content ->> 'first')::bigint AS first, (content ->> 'last')::bigint AS last FROM merge_rows "
        "WHERE customer_id = :to AND merge_id = :merge_id AND part = 'points_ledger'")

struct noted_day {
        struct date day;
        int64_t spend_minor, orders, growth;
};
#define SHAPE_T struct noted_day
SHAPE(noted_day, "A day of what was moved.", FIELD(day), FIELD(spend_minor), FIELD(orders), FIELD(growth));
#undef SHAPE_T
SQL_MANY(days_noted, joint, noted_day,
         "SELECT p.day, p.spend_minor, p.orders, p.growth " NOTED("metric_days"))
/* Orders that were moved are back with the one who leaves. */
SQL_MANY(
        days_since, joint, noted_day,
        "SELECT day, sum(spend)::bigint AS spend_minor, sum(orders)::bigint AS orders, sum(growth)::bigint AS growth FROM "
        "(SELECT o.counted_on AS day, o.total_minor - o.refunded_minor - (r.content ->> 'spend')::bigint AS spend, "
        "CASE WHEN " ORDER_KEPT " THEN 1 ELSE 0 END - (r.content ->> 'orders')::bigint AS orders, "
        "o.growth_earned - o.growth_reversed - (r.content ->> 'growth')::bigint AS growth FROM merge_rows r "
        "JOIN orders o ON o.customer_id = :from AND o.id = (r.content ->> 'id')::uuid WHERE r.customer_id = :to "
        "AND r.merge_id = :merge_id AND r.part = 'orders' AND o.counted_on IS NOT NULL) AS d GROUP BY day")

struct span {
        struct instant stays_first, stays_last, leaves_first, leaves_last;
};
#define SHAPE_T struct span
SHAPE(span, "First and last orders.", FIELD(stays_first), FIELD(stays_last), FIELD(leaves_first),
      FIELD(leaves_last));
#undef SHAPE_T
#define FIRST_OF(whose_)                                                                                     \
        "(SELECT min(coalesce(paid_at, placed_at)) FROM orders WHERE customer_id = " whose_                  \
        " AND counted_on IS NOT NULL)"
#define LAST_OF(whose_)                                                                                      \
        "(SELECT max(coalesce(paid_at, placed_at)) FROM orders o WHERE customer_id = " whose_                \
        " AND " ORDER_KEPT ")"
SQL_ONE(span_load, joint, span,
        "SELECT " FIRST_OF(":to") " AS stays_first, " LAST_OF(":to") " AS stays_last, " FIRST_OF(
                ":from") " AS leaves_first, " LAST_OF(":from") " AS leaves_last")

#define SHAPE_T struct tiers_before
SHAPE(tiers_before, "A standing.", FIELD(tier), FIELD(pin_tier), FIELD(since), FIELD(until),
      FIELD(first_order_at));
#undef SHAPE_T
SQL_OPT(standing_before, joint, tiers_before,
        "SELECT p.tier, p.pin_tier, p.since, p.until, p.first_order_at FROM merge_rows r, "
        "jsonb_populate_record(NULL::tier_standings, r.content) p WHERE r.customer_id = :to AND r.merge_id = :merge_id "
        "AND r.part = 'survivor tier_standings'")

/* What was capped, and who was referred. */
SQL_EXEC(caps_subtract, joint,
         "UPDATE points_cap_days t SET points = t.points - p.points " NOTED(
                 "points_cap_days") " AND t.customer_id = :to "
                                    "AND t.day = p.day AND t.rule = p.rule AND t.points > p.points")
SQL_EXEC(
        caps_drop, joint,
        "DELETE FROM points_cap_days t USING merge_rows r, jsonb_populate_record(NULL::points_cap_days, r.content) p "
        "WHERE r.customer_id = :to AND r.merge_id = :merge_id AND r.part = 'points_cap_days' AND t.customer_id = :to "
        "AND t.day = p.day AND t.rule = p.rule AND t.points = p.points")
SQL_EXEC(caps_return, joint, "INSERT INTO points_cap_days SELECT p.* " NOTED("points_cap_days"))
SQL_EXEC(
        referrals_return, joint,
        "UPDATE activities SET referred_id = :from WHERE referred_id = :to AND id IN (SELECT (content ->> 'id')::uuid "
        "FROM merge_rows WHERE customer_id = :to AND merge_id = :merge_id AND part = 'referrals')")

static enum err points_move_back(struct ctx *c, const struct joint *joint)
{
        struct ledger_note note;
        struct list orders;

        TRY(caps_drop(c, joint)); /* before some become as many as those */
        TRY(caps_subtract(c, joint));
        TRY(caps_return(c, joint));
        TRY(referrals_return(c, joint));
        TRY(ledger_noted(c, joint, &note));
        TRY(orders_noted(c, joint, &orders));
        return points_separate(c, &(struct leaving){.stays = joint->to,
                                                    .leaves = joint->from,
                                                    .merge_id = joint->merge_id,
                                                    .first_seq = note.first,
                                                    .last_seq = note.last,
                                                    .orders = (const struct uuid *)orders.v,
                                                    .order_count = orders.n,
                                                    .at = c->now});
}

static struct metric_day *days_of(struct arena *arena, const struct list *rows)
{
        const struct noted_day *noted = rows->v;
        struct metric_day *days = ARENA_ARRAY(arena, rows->n, struct metric_day);

        for (size_t i = 0; i < rows->n; i++)
                days[i] = (struct metric_day){.day = noted[i].day,
                                              .spend_minor = noted[i].spend_minor,
                                              .orders = noted[i].orders,
                                              .growth = noted[i].growth};
        return days;
}

static enum err tiers_move_back(struct ctx *c, const struct joint *joint)
{
        struct list moved, since;
        struct span span;
        struct customer stays, leaves;
        struct tiers_separating separating = {.stays = joint->to, .leaves = joint->from};
        bool had;

        TRY(standing_return(c, joint));
        TRY(days_return(c, joint));
        TRY(history_return(c, joint));
        TRY(days_noted(c, joint, &moved));
        TRY(days_since(c, joint, &since));
        TRY(span_load(c, joint, &span));
        TRY(standing_before(c, joint, &separating.before, &had));
        TRY(customer_lock_id(c, joint->to, &stays));
        TRY(customer_lock_id(c, joint->from, &leaves));
        separating.stays_joined = stays.created_at;
        separating.leaves_joined = leaves.created_at;
        separating.moved = days_of(c->arena, &moved);
        separating.moved_count = moved.n;
        separating.since = days_of(c->arena, &since);
        separating.since_count = since.n;
        separating.stays_first = span.stays_first;
        separating.stays_last = span.stays_last;
        separating.leaves_first = span.leaves_first;
        separating.leaves_last = span.leaves_last;
        return tiers_separate(c, &separating);
}

static enum err undoable(struct ctx *c, const struct customer_merge *merge)
{
        struct points_merging points;
        struct rows_count later;

        if (instant_known(merge->undone_at))
                return fail(c, ERR_MERGE_UNDONE, "The merge was undone before.");
        if (c->now.us > merge->undo_until.us) {
                char until[INSTANT_TEXT_SIZE];
                instant_format(merge->undo_until, until);
                problem_string(c, "undo_until", arena_strdup(c->arena, until));
                return fail(c, ERR_MERGE_TOO_OLD, "The merge could be undone for %d days.", MERGE_UNDO_DAYS);
        }
        TRY(points_merging(c, merge->customer_id, &points));
        TRY(merges_later(c, &(struct undoing){merge->id, merge->customer_id}, &later));
        if (points.open_holds > 0) {
                problem_string(c, "blocker", "open_holds");
                return fail(c, ERR_MERGE_BLOCKED,
                            "Points of the customer are held; capture or release the holds first.");
        }
        if (later.count > 0) {
                problem_string(c, "blocker", "later_merge");
                return fail(c, ERR_MERGE_BLOCKED,
                            "A later merge into the same customer must be undone first.");
        }
        return ERR_OK;
}

enum err merge_undo(struct ctx *c, struct uuid id, const char *reason, struct customer_merge *ret)
{
        struct customer_merge merge, before;
        struct list locked;
        struct uuid survivor = {{0}};

        TRY(merge_get(c, id, &merge));
        while (!uuid_equal(survivor, merge.customer_id)) { /* the survivor may be absorbed meanwhile */
                survivor = merge.customer_id;
                TRY(both_lock(c, &(struct locking){{&survivor, 1}}, &locked));
                TRY(merge_get(c, id, &merge));
        }
        TRY(undoable(c, &merge));
        const struct joint joint = {merge.absorbed_id, merge.customer_id, merge.id};
        TRY(alias_drop(c, &joint));
        TRY(profiles_part(c, &joint));
        TRY(groups_uncount(c, &joint));
        TRY(journal_move_back(c, &joint));
        TRY(groups_count(c, &joint));
        TRY(identities_move_back(c, &joint));
        TRY(addresses_move_back(c, &joint));
        TRY(consents_move_back(c, &joint, merge.created_at));
        TRY(coupons_move_back(c, &joint));
        TRY(referred_part(c, &joint));
        TRY(points_move_back(c, &joint));
        TRY(tiers_move_back(c, &joint));
        TRY(rows_forget(c, &joint));
        before = merge;
        merge.undone_at = c->now;
        merge.undo_reason = reason;
        TRY(merge_end(c, &merge));
        *ret = merge;
        return merge_tell(c, EVENT_CUSTOMER_UNMERGED, &before, &merge);
}

/* ------------------------------------------------------------------ forgetting */

struct forgetting {
        struct instant until;
        int64_t limit;
};
#define SHAPE_T struct forgetting
SHAPE(forgetting, "Merges that ended before, and how many rows at once.", FIELD(until), FIELD(limit));
#undef SHAPE_T

#define JOURNAL_DUE                                                                                          \
        "SELECT customer_id, id FROM merges WHERE journal_kept AND undo_until < :until ORDER BY undo_until " \
        "LIMIT :limit FOR UPDATE SKIP LOCKED"
SQL_MANY(
        journal_forget, forgetting, rows_count,
        "WITH due AS (" JOURNAL_DUE
        "), gone AS (DELETE FROM merge_rows WHERE ctid = ANY(ARRAY(SELECT r.ctid FROM due "
        "JOIN merge_rows r ON r.customer_id = due.customer_id AND r.merge_id = due.id LIMIT :limit)) RETURNING 1) "
        "SELECT count(*) AS count FROM gone")
SQL_MANY(journal_settle, forgetting, rows_count,
         "WITH due AS (" JOURNAL_DUE "), settled AS (UPDATE merges m SET journal_kept = false FROM due "
         "WHERE m.customer_id = due.customer_id AND m.id = due.id AND NOT EXISTS (SELECT FROM merge_rows r "
         "WHERE r.customer_id = m.customer_id AND r.merge_id = m.id) RETURNING 1) "
         "SELECT count(*) AS count FROM settled")

struct forgotten {
        int64_t limit;
        bool more;
};

static enum err forget_once(struct ctx *c, void *arg)
{
        struct forgotten *forgotten = arg;
        struct forgetting forgetting = {{c->now.us - UNDO_SLACK}, forgotten->limit};
        struct list rows, merges;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(journal_forget(c, &forgetting, &rows));
        TRY(journal_settle(c, &forgetting, &merges));
        TRY(tx_commit(&tx));
        forgotten->more = ((const struct rows_count *)rows.v)->count == forgotten->limit ||
                          ((const struct rows_count *)merges.v)->count == forgotten->limit;
        return ERR_OK;
}

enum err merges_forget_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct forgotten forgotten = {.limit = limit};

        TRY(db_run(c, forget_once, &forgotten));
        *ret_more = forgotten.more;
        return ERR_OK;
}

/* ------------------------------------------------------------------ reading */

SQL_PAGE(merges_load, merges_page, customer_merge, MERGE_COLUMNS,
         "merges WHERE (:customer_id::uuid IS NULL OR customer_id = :customer_id)",
         "AND (:before_id::uuid IS NULL OR id < :before_id) ORDER BY id DESC")

enum err merge_get(struct ctx *c, struct uuid id, struct customer_merge *ret)
{
        bool found;

        TRY(merge_find(c, &(struct undoing){.id = id}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no such merge.");
}

enum err merges_list(struct ctx *c, const struct merges_page *page, struct list *ret)
{
        return merges_load(c, page, ret);
}
