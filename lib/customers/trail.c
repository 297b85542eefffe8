/* What the audit log is told of customers. */
#include "audit/audit.h"
#include "base/idmap.h"
#include "customers/store.h"

SQL_LATER(contacts_find, customer_ids, identity_row,
          "SELECT kind, value, customer_id FROM customer_identities WHERE customer_id = ANY(:ids) "
          "AND " OF_KIND " IN ('phone', 'email') AND NOT secondary")

static const char **contact_of(struct customer *customer, const char *kind)
{
        if (strcmp(kind, "phone") == 0)
                return &customer->phone;
        return strcmp(kind, "email") == 0 ? &customer->email : NULL;
}

/* Give the contacts among the rows to those whose they are; with only_after the old ones stay in before. */
static void contacts_give(struct customer_trail *trails, const struct idmap *by_id,
                          const struct identity_row *rows, size_t row_count, bool only_after)
{
        for (size_t i = 0; i < row_count; i++) {
                size_t at = idmap_get(by_id, rows[i].customer_id);
                if (at == SIZE_MAX || rows[i].secondary ||
                    contact_of(&trails[at].after, rows[i].kind) == NULL)
                        continue;
                *contact_of(&trails[at].after, rows[i].kind) = rows[i].value;
                if (!only_after)
                        *contact_of(&trails[at].before, rows[i].kind) = rows[i].value;
        }
}

static struct audit_change change_of(struct ctx *c, const struct ctx *who, const struct customer *before,
                                     const struct customer *after)
{
        char id[UUID_TEXT_SIZE];

        uuid_to_text(after->id, id);
        return (struct audit_change){.who = who,
                                     .customer_id = after->id,
                                     .subject = arena_printf(c->arena, "/v1/customers/%s", id),
                                     .shape = &customer_shape,
                                     .before = before,
                                     .after = after};
}

enum err trail_of_claims(struct ctx *c, struct customer_trail *trails, size_t n,
                         const struct identity_row *identities, size_t identity_count)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, identity_count, struct uuid)};
        struct list old = {0};
        struct audit_change *changes = ARENA_ARRAY(c->arena, n, struct audit_change);
        struct idmap by_id = idmap_new(c->arena, n);

        for (size_t i = 0; i < n; i++)
                idmap_put(&by_id, trails[i].after.id, i);
        for (size_t i = 0; i < identity_count; i++) {
                size_t at = idmap_get(&by_id, identities[i].customer_id);
                if (at != SIZE_MAX && contact_of(&trails[at].after, identities[i].kind) != NULL)
                        ids.ids.v[ids.ids.n++] = identities[i].customer_id;
        }
        if (ids.ids.n > 0) {
                TRY(contacts_find(c, &ids, &old));
                TRY(db_flush(c));
        }
        contacts_give(trails, &by_id, old.v, old.n, /* only_after= */ false);
        contacts_give(trails, &by_id, identities, identity_count, /* only_after= */ true);
        for (size_t i = 0; i < n; i++)
                changes[i] = change_of(c, trails[i].who, &trails[i].before, &trails[i].after);
        return audit_write_all(c, changes, n);
}

enum err trail_of_one(struct ctx *c, const struct customer *before, const struct customer *after)
{
        struct customer was = {0}, is = *after;

        if (before != NULL)
                was = *before;
        was.addresses.n = is.addresses.n = 0; /* they have entries of their own */
        struct audit_change change = change_of(c, /* who= */ NULL, before != NULL ? &was : NULL, &is);
        return audit_write(c, &change);
}
