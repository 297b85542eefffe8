/* Many customers at once: looked up, locked, noted for the directory. */
#include <stdlib.h>

#include "base/idmap.h"
#include "customers/customers.h"
#include "customers/store.h"
#include "db/statement.h"

#define SHAPE_T struct customer_moment
SHAPE(customer_moment, "A customer and a moment.", FIELD(customer_id), FIELD(at));
#undef SHAPE_T

struct found_id {
        struct uuid id;
};
#define SHAPE_T struct found_id
SHAPE(found_id, "An id that somebody has.", FIELD(id));
#undef SHAPE_T

struct touched_limit {
        int64_t limit;
};
#define SHAPE_T struct touched_limit
SHAPE(touched_limit, "How many.", FIELD(limit));
#undef SHAPE_T

struct touched_count {
        int64_t count;
};
#define SHAPE_T struct touched_count
SHAPE(touched_count, "How many.", FIELD(count));
#undef SHAPE_T

/* Nobody of them is merged or erased before the transaction ends; orders go on. */
SQL_LATER(ids_known, customer_ids, found_id,
          "SELECT id FROM customers WHERE id = ANY(:ids) AND NOT erased ORDER BY id FOR KEY SHARE")

SQL_MANY(customers_by_id, customer_ids, customer,
         "SELECT " CUSTOMER_COLUMNS CONTACT_COLUMNS " FROM customers WHERE id = ANY(:ids) AND NOT erased")

SQL_BATCH(inquired_note, customer_moment,
          "UPDATE customers SET inquired_at = first.at FROM (SELECT c.id, min(m.at) AS at FROM customers c "
          "JOIN unnest(:customer_id, :at) AS m (customer_id, at) ON m.customer_id = c.id "
          "WHERE c.inquired_at IS NULL GROUP BY c.id) AS first WHERE customers.id = first.id")

SQL_BATCH(touched_note, found_id, "INSERT INTO customer_changes (customer_id) SELECT * FROM unnest(:id)")

/* Any number that no other lock of this program has. */
SQL_MANY(touched_lock, nothing, touched_count,
         "SELECT 0::bigint AS count FROM (SELECT pg_advisory_xact_lock(7265174413)) AS held")

SQL_MANY(
        touched_take, touched_limit, customer_moment,
        "WITH gone AS (DELETE FROM customer_changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM customer_changes LIMIT :limit)) "
        "RETURNING customer_id) SELECT DISTINCT customer_id FROM gone")

SQL_ONE(touched_waiting, touched_limit, touched_count,
        "SELECT count(*) AS count FROM (SELECT 1 FROM customer_changes LIMIT :limit) AS waiting")

/* What is behind some ids: themselves, or the customers they became. */
struct behind {
        struct list known, aliases; /* struct found_id, struct alias_row */
};

/* Merges that may follow on each other while one call waits for locks. */
#define LOOKS_MAX 4

/* A customer that an alias leads to may be merged before he is held: then look again. */
static enum err look_behind(struct ctx *c, const struct customer_ids *wanted, struct behind *ret)
{
        for (unsigned look = 0; look < LOOKS_MAX; look++) {
                struct behind found = {0};
                struct list targets = {0};
                TRY(ids_known(c, wanted, &found.known));
                TRY(store_aliases(c, wanted, &found.aliases));
                TRY(db_flush(c));
                const struct alias_row *alias = found.aliases.v;
                struct customer_ids rest = {.ids.v = ARENA_ARRAY(c->arena, found.aliases.n, struct uuid)};
                struct idmap seen = idmap_new(c->arena, found.aliases.n);
                for (size_t i = 0; i < found.aliases.n; i++) {
                        if (idmap_get(&seen, alias[i].customer_id) != SIZE_MAX)
                                continue;
                        idmap_put(&seen, alias[i].customer_id, i);
                        rest.ids.v[rest.ids.n++] = alias[i].customer_id;
                }
                if (rest.ids.n > 0) {
                        TRY(ids_known(c, &rest, &targets));
                        TRY(db_flush(c));
                }
                if (targets.n == rest.ids.n) {
                        *ret = found;
                        return ERR_OK;
                }
        }
        return fail(c, ERR_CONFLICT, "Customers were merged meanwhile.");
}

enum err customers_resolve(struct ctx *c, const struct texts *references, struct uuid *ret_ids)
{
        struct uuid *ids = ARENA_ARRAY(c->arena, references->n, struct uuid);
        struct customer_ids wanted = {.ids.v = ARENA_ARRAY(c->arena, references->n, struct uuid)};
        struct idmap current = idmap_new(c->arena, 2 * references->n);
        struct behind behind = {0};

        for (size_t i = 0; i < references->n; i++) {
                if (customer_reference(c, references->v[i], &ids[i]) == ERR_OK)
                        wanted.ids.v[wanted.ids.n++] = ids[i];
                else
                        ids[i] = (struct uuid){0};
        }
        problem_reset(c); /* what is no reference is nobody's */
        TRY(look_behind(c, &wanted, &behind));
        const struct found_id *own = behind.known.v;
        const struct alias_row *alias = behind.aliases.v;
        struct uuid *targets = ARENA_ARRAY(c->arena, behind.known.n + behind.aliases.n, struct uuid);
        size_t n = 0;
        for (size_t i = 0; i < behind.known.n; i++) {
                targets[n] = own[i].id;
                idmap_put(&current, own[i].id, n++);
        }
        for (size_t i = 0; i < behind.aliases.n; i++) {
                targets[n] = alias[i].customer_id;
                idmap_put(&current, alias[i].alias_id, n++);
        }
        for (size_t i = 0; i < references->n; i++) {
                size_t at = uuid_known(ids[i]) ? idmap_get(&current, ids[i]) : SIZE_MAX;
                ret_ids[i] = at == SIZE_MAX ? (struct uuid){0} : targets[at];
        }
        return ERR_OK;
}

enum err customers_lock_many(struct ctx *c, const struct texts *references, struct uuid *ret_ids)
{
        struct customer_ids known = {.ids.v = ARENA_ARRAY(c->arena, references->n, struct uuid)};
        struct list locked = {0};

        TRY(customers_resolve(c, references, ret_ids));
        for (size_t i = 0; i < references->n; i++)
                if (uuid_known(ret_ids[i]))
                        known.ids.v[known.ids.n++] = ret_ids[i];
        TRY(store_lock(c, &known, &locked));
        return db_flush(c);
}

enum err customers_of(struct ctx *c, const struct uuids *ids, struct list *ret)
{
        return customers_by_id(c, &(struct customer_ids){*ids}, ret);
}

enum err customers_inquired(struct ctx *c, const struct customer_moment *moments, size_t n)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct list locked = {0};
        struct uuid *leads = ARENA_ARRAY(c->arena, n, struct uuid);
        size_t lead_count = 0;

        if (n == 0)
                return ERR_OK;
        for (size_t i = 0; i < n; i++)
                ids.ids.v[ids.ids.n++] = moments[i].customer_id;
        TRY(store_lock(c, &ids, &locked));
        TRY(db_flush(c));
        for (size_t i = 0; i < locked.n; i++) {
                const struct customer *customer = &((const struct customer *)locked.v)[i];
                if (!instant_known(customer->inquired_at))
                        leads[lead_count++] = customer->id;
        }
        if (lead_count == 0)
                return ERR_OK;
        customers_touched(c, leads, lead_count);
        return inquired_note(c, moments, n);
}

enum err customers_first_asked(struct ctx *c, const struct customer_moment *moments, size_t n)
{
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);

        if (n == 0)
                return ERR_OK;
        for (size_t i = 0; i < n; i++)
                ids[i] = moments[i].customer_id;
        customers_touched(c, ids, n);
        return inquired_note(c, moments, n);
}

/* Everybody who was touched in a transaction. */
struct gathered {
        struct found_id *v;
        size_t n, room;
};

static int compare_found(const void *a, const void *b)
{
        return memcmp(a, b, sizeof(struct found_id));
}

static enum err touched_flush(struct ctx *c, void *arg)
{
        struct gathered *all = arg;
        size_t n = 0;

        qsort(all->v, all->n, sizeof *all->v, compare_found);
        for (size_t i = 0; i < all->n; i++)
                if (n == 0 || compare_found(&all->v[i], &all->v[n - 1]) != 0)
                        all->v[n++] = all->v[i];
        return touched_note(c, all->v, n);
}

void customers_touched(struct ctx *c, const struct uuid *ids, size_t n)
{
        if (n == 0)
                return;
        struct gathered *all = tx_gather(c, touched_flush, sizeof *all);
        if (all->n + n > all->room) {
                all->room = 2 * (all->n + n);
                struct found_id *larger = ARENA_ARRAY(tx_arena(c), all->room, struct found_id);
                if (all->n > 0)
                        memcpy(larger, all->v, all->n * sizeof *larger);
                all->v = larger;
        }
        for (size_t i = 0; i < n; i++)
                all->v[all->n++].id = ids[i];
}

enum err customers_touched_hold(struct ctx *c)
{
        struct list held;

        return touched_lock(c, &(struct nothing){0}, &held);
}

enum err customers_take_touched(struct ctx *c, int64_t limit, struct touched *ret)
{
        struct list rows;
        int64_t left;

        TRY(customers_touched_hold(c));
        TRY(touched_take(c, &(struct touched_limit){limit}, &rows));
        TRY(customers_touched_count(c, 1, &left));
        ret->customers.v = rows.v;
        ret->customers.n = rows.n;
        ret->more = left > 0;
        return ERR_OK;
}

enum err customers_touched_count(struct ctx *c, int64_t limit, int64_t *ret)
{
        struct touched_count count;

        TRY(touched_waiting(c, &(struct touched_limit){limit}, &count));
        *ret = count.count;
        return ERR_OK;
}
