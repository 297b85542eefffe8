#include "customers/natural.h"

#include "base/idmap.h"
#include "customers/store.h"

SQL_MANY(
        former_ids, customer_ids, alias_row,
        "SELECT alias_id, customer_id FROM customer_aliases WHERE customer_id = ANY(:ids) ORDER BY customer_id, alias_id")

static void id_add(struct natural_ids *found, struct uuid customer_id, struct uuid id, size_t key)
{
        found->keys[found->ids.n] = key;
        found->customers.v[found->customers.n++] = customer_id;
        found->ids.v[found->ids.n++] = id;
}

/* Those of one customer follow each other, from his first one on. */
static size_t former_count(const struct list *former, size_t first)
{
        const struct alias_row *rows = former->v;
        size_t end = first;

        while (end < former->n && uuid_equal(rows[end].customer_id, rows[first].customer_id))
                end++;
        return first < former->n ? end - first : 0;
}

enum err natural_ids_find(struct ctx *c, const char *kind, const struct natural_key *keys, size_t n,
                          struct natural_ids *ret)
{
        struct customer_ids people = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct natural_ids found = {.former = 0};
        struct list former = {0};

        for (size_t i = 0; i < n; i++)
                if (keys[i].key != NULL)
                        people.ids.v[people.ids.n++] = keys[i].customer_id;
        if (people.ids.n > 0)
                TRY(former_ids(c, &people, &former));
        const struct alias_row *rows = former.v;
        struct idmap first = idmap_new(c->arena, former.n);
        for (size_t i = 0; i < former.n; i++)
                if (i == 0 || !uuid_equal(rows[i].customer_id, rows[i - 1].customer_id))
                        idmap_put(&first, rows[i].customer_id, i);
        for (size_t i = 0; i < people.ids.n; i++)
                found.former += former_count(&former, idmap_get(&first, people.ids.v[i]));
        found.keys = ARENA_ARRAY(c->arena, people.ids.n + found.former, size_t);
        found.customers.v = ARENA_ARRAY(c->arena, people.ids.n + found.former, struct uuid);
        found.ids.v = ARENA_ARRAY(c->arena, people.ids.n + found.former, struct uuid);
        for (size_t i = 0; i < n; i++) {
                if (keys[i].key == NULL)
                        continue;
                struct uuid customer_id = keys[i].customer_id;
                id_add(&found, customer_id, uuid_of_child(kind, customer_id, keys[i].key), i);
                size_t at = idmap_get(&first, customer_id);
                for (size_t k = 0; k < former_count(&former, at); k++)
                        id_add(&found, customer_id, uuid_of_child(kind, rows[at + k].alias_id, keys[i].key),
                               i);
        }
        *ret = found;
        return ERR_OK;
}
