#include "privacy/privacy.h"

#include "audit/audit.h"
#include "customers/customers.h"
#include "db/query.h"
#include "db/statement.h"
#include "events/events.h"
#include "jobs/jobs.h"
#include "privacy/holdings.h"

NAMES(erasure_reason_names, "requested", "inactive", "mistake", "other");

/* From one id to the other. */
struct erasing_ids {
        struct uuid id, nameless_id;
};
#define SHAPE_T struct erasing_ids
SHAPE(erasing_ids, "Who is erased, and what becomes of him.", FIELD(id), FIELD(nameless_id));
#undef SHAPE_T

struct erased_rows {
        int64_t count;
};
#define SHAPE_T struct erased_rows
SHAPE(erased_rows, "How many rows.", FIELD(count));
#undef SHAPE_T

struct known_text {
        const char *value;
};
#define SHAPE_T struct known_text
SHAPE(known_text, "A text that tells who it was.", FIELD(value));
#undef SHAPE_T

struct erasure {
        unsigned reason;
};
#define SHAPE_T struct erasure
SHAPE(erasure, "Why.", FIELD(reason, .names = &erasure_reason_names));
#undef SHAPE_T

/* When he came is kept for statistics; when he left is not, for it is told elsewhere. */
SQL_EXEC(nameless_insert, erasing_ids,
         "INSERT INTO customers (id, version, created_at, updated_at, erased) "
         "SELECT :nameless_id, 1, created_at, created_at, true FROM customers WHERE id = :id")

SQL_EXEC(ids_erase, erasing_ids,
         "INSERT INTO erased_customers (id) SELECT :id UNION ALL SELECT alias_id FROM customer_aliases "
         "WHERE customer_id = :id ON CONFLICT (id) DO NOTHING")

/* Those who have left are no longer counted. */
SQL_EXEC(groups_leave, erasing_ids,
         "UPDATE groups SET members = members - 1 WHERE id IN (SELECT group_id FROM group_members "
         "WHERE customer_id = :id AND left_at IS NULL)")

/* What was said when his adjustments were decided. */
SQL_EXEC(approvals_forget, erasing_ids,
         "UPDATE points_approvals SET reason = NULL WHERE id IN (SELECT approval_id FROM points_adjustments "
         "WHERE customer_id = :id)")
SQL_EXEC(uses_forget, erasing_ids, "UPDATE coupons SET used_by = :nameless_id WHERE used_by = :id")
/* The answer kept for whoever referred him may name him by an id that he had before a merge. */
SQL_EXEC(
        referrals_forget, erasing_ids,
        "UPDATE activities SET referred_id = :nameless_id, "
        "outcome = regexp_replace(outcome, '\"referred_id\":\"[^\"]*\"', '\"referred_id\":null') WHERE referred_id = :id")

/* The directory may not have seen yet that somebody was merged into him. */
#define HIS_IDS                                                                                              \
        "ARRAY(SELECT :id::uuid UNION ALL SELECT alias_id FROM customer_aliases WHERE customer_id = :id)"

/* Answers about orders, what the audit log was told of sources, and what an undoing of a merge would bring
 * back hold the id of whoever referred somebody. */
#define NO_REFERRER                                                                                          \
        " SET outcome = regexp_replace(outcome, '\"referrer_id\":\"[^\"]*\"', '\"referrer_id\":null') "      \
        "WHERE (customer_id, order_id) IN (SELECT customer_id, id FROM orders WHERE referrer_id = :id)"
SQL_EXEC(referrer_calls_forget, erasing_ids, "UPDATE order_calls" NO_REFERRER)
SQL_EXEC(referrer_refunds_forget, erasing_ids, "UPDATE refunds" NO_REFERRER)
SQL_EXEC(referrer_orders_forget, erasing_ids, "UPDATE orders SET referrer_id = NULL WHERE referrer_id = :id")
SQL_EXEC(referrer_customers_forget, erasing_ids,
         "UPDATE customers SET referrer_id = NULL WHERE referrer_id = :id")
SQL_EXEC(referrer_notes_forget, erasing_ids,
         "UPDATE merge_rows SET content = content || '{\"referrer_id\": null}' "
         "WHERE content ->> 'referrer_id' = ANY(ARRAY(SELECT h::text FROM unnest(" HIS_IDS ") AS h))")
/* The condition is that of the index audit_log_referrers. */
#define NAMES_ONE                                                                                            \
        "changes #>> '{source,before,referrer_id}' IS NOT NULL OR changes #>> '{source,after,referrer_id}' IS NOT NULL"
SQL_EXEC(referrer_audit_forget, erasing_ids,
         "UPDATE audit_log SET changes = replace(changes::text, '\"' || h.id || '\"', 'null')::jsonb "
         "FROM unnest(" HIS_IDS ") AS h (id) WHERE (" NAMES_ONE
         ") AND position(h.id::text IN changes::text) > 0")

static enum err referrer_forget(struct ctx *c, const struct erasing_ids *ids)
{
        TRY(referrer_calls_forget(c, ids));
        TRY(referrer_refunds_forget(c, ids));
        TRY(referrer_orders_forget(c, ids));
        TRY(referrer_customers_forget(c, ids));
        TRY(referrer_notes_forget(c, ids));
        return referrer_audit_forget(c, ids);
}

/* Whatever an answer of the last day could say of him. */
SQL_MANY(
        texts_known, erasing_ids, known_text,
        "SELECT :id::text AS value UNION SELECT alias_id::text FROM customer_aliases WHERE customer_id = :id "
        "UNION SELECT value FROM customer_identities WHERE customer_id = :id "
        "UNION SELECT unnest(ARRAY[external_id, name]) FROM customers WHERE id = :id")
SQL_BATCH(answers_forget, known_text,
          "DELETE FROM idempotency_keys k USING unnest(:value) AS t (value) WHERE t.value IS NOT NULL "
          "AND (position(t.value IN k.body) > 0 OR position(t.value IN coalesce(k.location, '')) > 0)")

static enum err table_erase(struct ctx *c, const struct holding *holding, const struct erasing_ids *ids)
{
        const char *person = holding_person(holding);
        struct list counted;
        const char *change;

        if (holding->copy)
                change = arena_printf(c->arena, "DELETE FROM %s WHERE %s = ANY(" HIS_IDS ")", holding->table,
                                      person);
        else if (holding->erasing == ERASE_ROWS)
                change = arena_printf(c->arena, "DELETE FROM %s WHERE %s = :id", holding->table, person);
        else
                change = arena_printf(c->arena, "UPDATE %s SET %s = :nameless_id%s%s WHERE %s = :id",
                                      holding->table, person, holding->blank != NULL ? ", " : "",
                                      holding->blank != NULL ? holding->blank : "", person);
        struct query query = {
                .name = "erasure",
                .text = arena_printf(c->arena,
                                     "WITH changed AS (%s RETURNING 1) SELECT count(*) AS count FROM changed",
                                     change),
                .in = &erasing_ids_shape,
                .out = &erased_rows_shape,
        };
        return query_many(c, &query, ids, &counted);
}

/* The entry says that somebody was erased, by whom and why in a word; what the caller said beside that is
 * left out, for it may name him. */
static enum err erasure_tell(struct ctx *c, struct uuid id, unsigned reason)
{
        struct ctx who = *c;
        char text[UUID_TEXT_SIZE];
        struct erasure erasure = {reason};
        struct event_list events = {0};

        who.reason = NULL;
        uuid_to_text(id, text);
        event_add(c->arena, &events, EVENT_CUSTOMER_ERASED, id, c->now, &customer_event_shape,
                  &(struct customer_event){0});
        TRY(events_store(c, &events));
        return audit_write(c,
                           &(struct audit_change){.who = &who,
                                                  .customer_id = id,
                                                  .subject = arena_printf(c->arena, "/v1/customers/%s", text),
                                                  .shape = &erasure_shape,
                                                  .after = &erasure});
}

enum err privacy_erase(struct ctx *c, const char *reference, unsigned reason)
{
        struct customer customer;
        struct list texts;

        TRY(customer_lock(c, reference, &customer));
        struct erasing_ids ids = {customer.id, uuid_new(customer.created_at)};
        TRY(texts_known(c, &ids, &texts));
        TRY(answers_forget(c, texts.v, texts.n));
        TRY(nameless_insert(c, &ids));
        TRY(ids_erase(c, &ids));
        TRY(groups_leave(c, &ids));
        TRY(approvals_forget(c, &ids));
        TRY(referrals_forget(c, &ids));
        TRY(referrer_forget(c, &ids));
        TRY(uses_forget(c, &ids));
        TRY(customers_touched_hold(c)); /* the directory may be taking him in at this very moment */
        for (size_t i = 0; i < holding_count; i++)
                if (holdings[i].copy)
                        TRY(table_erase(c, &holdings[i], &ids)); /* while his former ids are known */
        for (size_t i = 0; i < holding_count; i++)
                if (!holdings[i].copy)
                        TRY(table_erase(c, &holdings[i], &ids));
        TRY(jobs_forget(c)); /* lines of files can't be searched: those of jobs that are through go, whosever
                                they are, and those of the others when they are */
        return erasure_tell(c, ids.id, reason);
}
