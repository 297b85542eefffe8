#include "audit/audit.h"

#include "audit/diff.h"
#include "db/page.h"

NAMES(audit_kind_names, "write", "read");

static struct audit_remask remask;

void audit_mask_now(const char *field, void (*mask)(struct text *out, const char *json))
{
        remask = (struct audit_remask){field, mask};
}

static void mask_changes(struct text *out, const char *json)
{
        audit_remask(out, json, &remask);
}

#define SHAPE_T struct audit_entry
SHAPE(audit_entry, "Something that was done.", FIELD(id, .need = true), FIELD(at, .need = true),
      FIELD(kind, .names = &audit_kind_names, .doc = "A write, or a look at somebody's personal data."),
      FIELD(operation, .need = true, .doc = "The operationId, or the command."),
      FIELD(key_id, .doc = "Whose key; null: the command line, or the server by itself."), FIELD(request_id),
      FIELD(customer_id, .subject = true, .doc = "Whom it is about; null: nobody in particular."),
      FIELD(reason, .doc = "Audit-Reason of the request."),
      FIELD(subject, .doc = "What changed, as its path; null where no changes are told."),
      FIELD(changes, .mask = mask_changes,
            .doc = "Every field that changed, as {\"before\": ..., \"after\": ...}; personal data masked."),
      FIELD(personal, .pii = PII_ALL, .doc = "Those of them that hold personal data, in full."));
#undef SHAPE_T

#define SHAPE_T struct audit_page
SHAPE(audit_page, "A position and filters.", FIELD(before_id), FIELD(customer_id), FIELD(key_id),
      FIELD(operation), FIELD(kind, .names = &audit_kind_names), FIELD(since), FIELD(until), FIELD(limit),
      FIELD(first_id), FIELD(end_id));
#undef SHAPE_T

struct audit_person {
        struct uuid customer_id;
};
#define SHAPE_T struct audit_person
SHAPE(audit_person, "Whose entries.", FIELD(customer_id));
#undef SHAPE_T

#define NOBODY "'00000000-0000-0000-0000-000000000000'"

SQL_BATCH(
        audit_insert, audit_entry,
        "INSERT INTO audit_log (customer_id, id, kind, operation, key_id, request_id, reason, subject, changes, "
        "personal, at) SELECT coalesce(c, " NOBODY
        "), i, k, o, y, r, w, s, d, p, t FROM unnest(:customer_id, :id, "
        ":kind, :operation, :key_id, :request_id, :reason, :subject, :changes, :personal, :at) "
        "AS n(c, i, k, o, y, r, w, s, d, p, t)")

/* One statement for each index: a plan that serves all filters would use none. */
#define ENTRIES                                                                                              \
        "id, nullif(customer_id, " NOBODY ") AS customer_id, kind, operation, key_id, request_id, reason, "  \
        "subject, changes, personal, at"
#define ENTRIES_ONLY(where_)                                                                                 \
        "audit_log WHERE " where_ " AND id >= coalesce(:first_id, " NOBODY                                   \
        ") AND (:end_id IS NULL OR id < :end_id) "                                                           \
        "AND (:operation IS NULL OR operation = :operation) AND (:kind IS NULL OR kind = :kind) "            \
        "AND at >= coalesce(:since, '-infinity') AND at < coalesce(:until, 'infinity')"
#define NEWEST_FIRST                                                                                         \
        "AND id < coalesce(:before_id, :end_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') ORDER BY id DESC"
SQL_PAGE(audit_of_all, audit_page, audit_entry, ENTRIES, ENTRIES_ONLY("true"), NEWEST_FIRST)
SQL_PAGE(audit_of_key, audit_page, audit_entry, ENTRIES, ENTRIES_ONLY("key_id = :key_id"), NEWEST_FIRST)
SQL_PAGE(audit_of_customer, audit_page, audit_entry, ENTRIES,
         ENTRIES_ONLY("customer_id = :customer_id AND (:key_id IS NULL OR key_id = :key_id)"), NEWEST_FIRST)

SQL_EXEC(
        audit_forget, audit_person,
        "UPDATE audit_log SET reason = NULL, changes = NULL, personal = NULL WHERE customer_id = :customer_id")

static struct audit_entry entry_of(const struct ctx *who, enum audit_kind kind, struct uuid customer_id,
                                   struct instant at)
{
        return (struct audit_entry){
                .id = uuid_new(at),
                .customer_id = customer_id,
                .kind = kind,
                .operation = who->operation != NULL ? who->operation : "patron",
                .key_id = who->principal != NULL ? who->principal->key_id : NULL,
                .request_id = who->request_id,
                .reason = who->reason,
                .at = at,
        };
}

enum err audit_write(struct ctx *c, const struct audit_change *change)
{
        return audit_write_all(c, change, 1);
}

enum err audit_write_all(struct ctx *c, const struct audit_change *changes, size_t n)
{
        struct audit_entry *entries = ARENA_ARRAY(c->arena, n, struct audit_entry);

        for (size_t i = 0; i < n; i++) {
                const struct audit_change *change = &changes[i];
                struct audit_diff diff = {0};
                if (change->shape != NULL)
                        diff = audit_diff(c->arena, change->shape, change->before, change->after);
                entries[i] = entry_of(change->who != NULL ? change->who : c, AUDIT_WRITE, change->customer_id,
                                      c->now);
                entries[i].subject = change->subject;
                entries[i].changes.text = diff.changes;
                entries[i].personal.text = diff.personal;
        }
        c->audited += (unsigned)n;
        return n > 0 ? audit_insert(c, entries, n) : ERR_OK;
}

enum err audit_looks(struct ctx *c, const struct audit_look *looks, size_t n)
{
        size_t count = 0, at = 0;
        TX(tx);

        for (size_t i = 0; i < n; i++)
                count += looks[i].count;
        struct audit_entry *entries = ARENA_ARRAY(c->arena, count, struct audit_entry);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < looks[i].count; k++)
                        entries[at++] = entry_of(looks[i].who, AUDIT_READ, looks[i].customers[k], c->now);
        TRY(tx_begin(c, &tx));
        TRY(audit_insert(c, entries, count));
        return tx_commit(&tx);
}

/* Ids hold the time to the millisecond, so an index on them finds a span of time too. */
static struct audit_page bounded(const struct audit_page *page)
{
        const struct instant millisecond = {INSTANT_SECOND / 1000};
        struct audit_page bounds = *page;

        if (instant_known(page->since))
                bounds.first_id = uuid_first(page->since);
        if (instant_known(page->until))
                bounds.end_id = uuid_first((struct instant){page->until.us + millisecond.us});
        return bounds;
}

enum err audit_list(struct ctx *c, const struct audit_page *page, struct list *ret)
{
        struct audit_page bounds = bounded(page);

        if (uuid_known(page->customer_id))
                return audit_of_customer(c, &bounds, ret);
        return page->key_id != NULL ? audit_of_key(c, &bounds, ret) : audit_of_all(c, &bounds, ret);
}

enum err audit_erase(struct ctx *c, struct uuid customer_id)
{
        return audit_forget(c, &(struct audit_person){customer_id});
}
