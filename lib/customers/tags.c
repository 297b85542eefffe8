#include "customers/tags.h"

#include "audit/audit.h"
#include "base/idmap.h"
#include "customers/customers.h"
#include "customers/store.h"
#include "db/statement.h"
#include "events/events.h"

NAMES(tag_kind_names, "manual", "rule", "official");

#define SHAPE_T struct tag
SHAPE(tag, "A tag of a customer.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(kind, .need = true, .names = &tag_kind_names,
            .doc = "manual: by staff; rule: kept by a segment; official: from a marketplace."),
      FIELD(tag, .need = true), FIELD(expires_at, .doc = "From then on it is gone; null: it stays."),
      FIELD(created_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct tag_line
SHAPE(tag_line, "A tag of a customer.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(kind, .names = &tag_kind_names, .dflt = "manual"),
      FIELD(tag, .need = true, .min = 1, .max = TAG_CHARS_MAX, .format = &format_printable),
      FIELD(expires_at, .doc = "From then on it is gone; null: it stays."),
      FIELD(created_at, .doc = "With backfill: since when it is on."),
      FIELD(remove, .doc = "Take it off instead."));
#undef SHAPE_T

struct tag_limit {
        int64_t limit;
};
#define SHAPE_T struct tag_limit
SHAPE(tag_limit, "How many at once.", FIELD(limit));
#undef SHAPE_T

struct tags_query {
        struct uuids ids;
        struct instant at;
};
#define SHAPE_T struct tags_query
SHAPE(tags_query, "Whose tags, and as of when.", FIELD(ids), FIELD(at));
#undef SHAPE_T

#define TAG_COLUMNS "customer_id, kind, tag, expires_at, created_at"

SQL_MANY(tags_load, customer_ids, tag,
         "SELECT " TAG_COLUMNS " FROM customer_tags WHERE customer_id = ANY(:ids) "
         "AND (expires_at IS NULL OR expires_at > :now) ORDER BY customer_id, kind, tag")

SQL_LATER(tags_at, tags_query, tag,
          "SELECT " TAG_COLUMNS " FROM customer_tags WHERE customer_id = ANY(:ids) "
          "AND (expires_at IS NULL OR expires_at > :at) ORDER BY customer_id, tag, kind")

SQL_BATCH(tags_insert, tag,
          "INSERT INTO customer_tags (" TAG_COLUMNS ") SELECT * FROM unnest(:customer_id, :kind, :tag, "
          ":expires_at, :created_at) ON CONFLICT (customer_id, kind, tag) DO UPDATE SET "
          "expires_at = excluded.expires_at, created_at = excluded.created_at")

SQL_BATCH(tags_delete, tag,
          "DELETE FROM customer_tags t USING unnest(:customer_id, :kind, :tag) AS gone (c, k, t) "
          "WHERE t.customer_id = gone.c AND t.kind = gone.k AND t.tag = gone.t")

SQL_MANY(tags_expired, tag_limit, tag,
         "SELECT " TAG_COLUMNS
         " FROM customer_tags WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit")

/* The tags of the customers of a batch as they are after the changes so far. */
struct tagged {
        struct list rows;   /* struct tag, by customer */
        struct idmap first; /* customer → the first of his rows */
        struct tag_change *changes;
};

static bool same_tag(const struct tag *a, const struct tag *b)
{
        return uuid_equal(a->customer_id, b->customer_id) && a->kind == b->kind &&
               strcmp(a->tag, b->tag) == 0;
}

/* What stands of this tag before change at; NULL: nothing. *ret_count is how many of its kind there are. */
static const struct tag *stands(const struct tagged *tagged, size_t at, size_t *ret_count)
{
        const struct tag *wanted = &tagged->changes[at].tag, *found = NULL, *rows = tagged->rows.v;
        size_t count = 0;

        for (size_t i = idmap_get(&tagged->first, wanted->customer_id);
             i < tagged->rows.n && uuid_equal(rows[i].customer_id, wanted->customer_id); i++) {
                count += rows[i].kind == wanted->kind;
                if (same_tag(&rows[i], wanted))
                        found = &rows[i];
        }
        for (size_t i = 0; i < at; i++) {
                const struct tag_change *before = &tagged->changes[i];
                if (!before->changed || !uuid_equal(before->tag.customer_id, wanted->customer_id))
                        continue;
                if (before->tag.kind == wanted->kind)
                        count += before->remove ? (size_t)-1 : 1;
                if (same_tag(&before->tag, wanted))
                        found = before->remove ? NULL : &before->tag;
        }
        *ret_count = count;
        return found;
}

static void decide(struct ctx *c, struct tagged *tagged, size_t at)
{
        struct tag_change *change = &tagged->changes[at];
        size_t count;
        const struct tag *found = stands(tagged, at, &count);

        change->err = ERR_OK;
        change->changed = (found != NULL) == change->remove;
        if (found != NULL)
                change->tag.created_at = found->created_at;
        else if (!instant_known(change->tag.created_at))
                change->tag.created_at = c->now;
        if (change->changed && !change->remove && count >= TAGS_MAX) {
                change->changed = false;
                change->err = ERR_TAGS_TOO_MANY;
        }
}

static enum err changes_store(struct ctx *c, const struct tag_change *changes, size_t n)
{
        struct tag *puts = ARENA_ARRAY(c->arena, n, struct tag);
        struct tag *gone = ARENA_ARRAY(c->arena, n, struct tag);
        struct audit_change *audits = ARENA_ARRAY(c->arena, n, struct audit_change);
        struct event_list events = {0};
        size_t put_count = 0, gone_count = 0, audit_count = 0;

        for (size_t i = 0; i < n; i++) {
                const struct tag_change *change = &changes[i];
                bool overtaken = change->err != ERR_OK;
                for (size_t k = i + 1; k < n && !overtaken; k++)
                        overtaken = changes[k].err == ERR_OK && same_tag(&changes[k].tag, &change->tag);
                if (!overtaken && change->remove)
                        gone[gone_count++] = change->tag;
                else if (!overtaken)
                        puts[put_count++] = change->tag;
                if (change->changed)
                        audits[audit_count++] = (struct audit_change){
                                .customer_id = change->tag.customer_id,
                                .subject = customer_part(c->arena, change->tag.customer_id, "tags",
                                                         change->tag.tag),
                                .shape = &tag_shape,
                                .before = change->remove ? &change->tag : NULL,
                                .after = change->remove ? NULL : &change->tag,
                        };
                if (change->changed)
                        event_add(c->arena, &events,
                                  change->remove ? EVENT_CUSTOMER_UNTAGGED : EVENT_CUSTOMER_TAGGED,
                                  change->tag.customer_id, change->remove ? c->now : change->tag.created_at,
                                  &tag_event_shape,
                                  &(struct tag_event){tag_kind_names.v[change->tag.kind], change->tag.tag,
                                                      change->remove ? (struct instant){0}
                                                                     : change->tag.expires_at});
        }
        TRY(tags_delete(c, gone, gone_count));
        TRY(tags_insert(c, puts, put_count));
        TRY(audit_write_all(c, audits, audit_count));
        return events_store(c, &events);
}

enum err tags_change(struct ctx *c, struct tag_change *changes, size_t n)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct tagged tagged = {.changes = changes};

        for (size_t i = 0; i < n; i++)
                ids.ids.v[ids.ids.n++] = changes[i].tag.customer_id;
        TRY(tags_load(c, &ids, &tagged.rows));
        const struct tag *rows = tagged.rows.v;
        tagged.first = idmap_new(c->arena, n);
        for (size_t i = 0; i < tagged.rows.n; i++)
                if (i == 0 || !uuid_equal(rows[i].customer_id, rows[i - 1].customer_id))
                        idmap_put(&tagged.first, rows[i].customer_id, i);
        for (size_t i = 0; i < n; i++)
                decide(c, &tagged, i);
        return changes_store(c, changes, n);
}

static enum err change_one(struct ctx *c, const char *reference, struct tag_change *change)
{
        struct customer customer;

        TRY(customer_lock(c, reference, &customer));
        if (instant_known(change->tag.expires_at) && change->tag.expires_at.us <= c->now.us)
                fault_body(c, "#/expires_at", "too_early", "must lie in the future");
        TRY(problem_check(c));
        change->tag.customer_id = customer.id;
        TRY(tags_change(c, change, 1));
        return change->err == ERR_OK
                       ? ERR_OK
                       : fail(c, change->err, "The customer has %d tags of the kind %s already.", TAGS_MAX,
                              tag_kind_names.v[change->tag.kind]);
}

enum err tag_kind_check(struct ctx *c, unsigned kind)
{
        if (kind == TAG_RULE)
                fault_body(c, "#/kind", "not_allowed", "must not be rule, whose tags are kept by segments");
        return problem_check(c);
}

enum err tag_put(struct ctx *c, const char *customer, const struct tag *tag, struct tag *ret, bool *ret_added)
{
        struct tag_change change = {.tag = *tag};

        TRY(change_one(c, customer, &change));
        *ret = change.tag;
        *ret_added = change.changed;
        return ERR_OK;
}

enum err tag_remove(struct ctx *c, const char *customer, const struct tag *tag)
{
        struct tag_change change = {.tag = *tag, .remove = true};

        TRY(change_one(c, customer, &change));
        return change.changed ? ERR_OK
                              : fail(c, ERR_NOT_FOUND, "The customer has no %s tag \"%s\".",
                                     tag_kind_names.v[tag->kind], tag->tag);
}

enum err tags_list(struct ctx *c, struct uuid customer_id, struct list *ret)
{
        return tags_load(c, &(struct customer_ids){{&customer_id, 1}}, ret);
}

struct expiring {
        int64_t limit;
        size_t found;
};

static enum err expire_once(struct ctx *c, void *arg)
{
        struct expiring *expiring = arg;
        struct list rows, locked = {0};
        struct event_list events = {0};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(tags_expired(c, &(struct tag_limit){expiring->limit}, &rows));
        const struct tag *tags = rows.v;
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, rows.n, struct uuid)};
        for (size_t i = 0; i < rows.n; i++)
                ids.ids.v[ids.ids.n++] = tags[i].customer_id;
        TRY(store_lock(c, &ids, &locked));
        /* with the locks in hand: what was prolonged meanwhile is no longer among them */
        TRY(tags_expired(c, &(struct tag_limit){expiring->limit}, &rows));
        tags = rows.v;
        for (size_t i = 0; i < rows.n; i++)
                event_add(c->arena, &events, EVENT_CUSTOMER_UNTAGGED, tags[i].customer_id, c->now,
                          &tag_event_shape,
                          &(struct tag_event){.kind = tag_kind_names.v[tags[i].kind], .tag = tags[i].tag});
        TRY(tags_delete(c, tags, rows.n));
        TRY(events_store(c, &events));
        expiring->found = rows.n;
        return tx_commit(&tx);
}

enum err tags_later(struct ctx *c, const struct uuids *ids, struct instant at, struct list *ret)
{
        return tags_at(c, &(struct tags_query){*ids, at}, ret);
}

struct texts tags_of(struct arena *arena, const struct list *tags, struct uuid customer_id)
{
        const struct tag *rows = tags->v;
        struct texts texts = {.v = ARENA_ARRAY(arena, tags->n, const char *)};

        for (size_t i = 0; i < tags->n; i++)
                if (uuid_equal(rows[i].customer_id, customer_id))
                        texts.v[texts.n++] = rows[i].tag;
        return texts;
}

enum err tags_expire(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct expiring expiring = {.limit = limit};

        TRY(db_run(c, expire_once, &expiring));
        *ret_more = expiring.found == (size_t)limit;
        return ERR_OK;
}
