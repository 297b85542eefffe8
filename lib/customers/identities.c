/* What a known customer is recognised by: shown, and changed by a patch. */
#include "base/idmap.h"
#include "customers/address_store.h"

SQL_LATER(identities_held, customer_ids, identity_row,
          "SELECT customer_id, kind, value, secondary FROM customer_identities WHERE customer_id = ANY(:ids) "
          "ORDER BY customer_id, secondary, kind, value")
SQL_BATCH(identities_drop, identity_row,
          "DELETE FROM customer_identities i USING unnest(:kind, :value, :customer_id) AS n(k, v, c) "
          "WHERE i.kind = n.k AND i.value = n.v AND i.customer_id = n.c")
SQL_EXEC(contact_prefer, identity_row,
         "UPDATE customer_identities SET secondary = value <> :value WHERE customer_id = :customer_id "
         "AND " OF_KIND " = :kind")

static bool texts_equal(const char *a, const char *b)
{
        return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Is it shown as the phone or the e-mail of the profile? */
static bool is_contact(const struct customer *customer, const struct identity_row *held)
{
        return (strcmp(held->kind, "phone") == 0 && texts_equal(customer->phone, held->value)) ||
               (strcmp(held->kind, "email") == 0 && texts_equal(customer->email, held->value));
}

/* The rows of one customer follow each other, here and in addresses_give. */
static void identities_give(struct arena *arena, struct customer *customers, const struct idmap *by_id,
                            const struct list *held)
{
        const struct identity_row *rows = held->v;
        struct known_identity *known = ARENA_ARRAY(arena, held->n, struct known_identity);

        for (size_t i = 0; i < held->n; i++) {
                struct customer *customer = &customers[idmap_get(by_id, rows[i].customer_id)];
                if (is_contact(customer, &rows[i]))
                        continue;
                if (customer->identities.n == 0)
                        customer->identities.v = known;
                customer->identities.n++;
                *known++ = (struct known_identity){rows[i].kind, rows[i].value, rows[i].secondary};
        }
}

static void addresses_give(struct customer *customers, const struct idmap *by_id, const struct list *stored)
{
        struct address *rows = stored->v;

        for (size_t i = 0; i < stored->n; i++) {
                struct customer *customer = &customers[idmap_get(by_id, rows[i].customer_id)];
                if (customer->addresses.n == 0)
                        customer->addresses.v = &rows[i];
                customer->addresses.n++;
        }
}

enum err customers_fill_in(struct ctx *c, struct customer *customers, size_t n)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct idmap by_id = idmap_new(c->arena, n);
        struct list held = {0}, addresses = {0};

        for (size_t i = 0; i < n; i++) {
                customers[i].identities.n = customers[i].addresses.n = 0;
                idmap_put(&by_id, customers[i].id, i);
                ids.ids.v[ids.ids.n++] = customers[i].id;
        }
        TRY(identities_held(c, &ids, &held));
        TRY(store_addresses(c, &ids, &addresses));
        TRY(db_flush(c));
        identities_give(c->arena, customers, &by_id, &held);
        addresses_give(customers, &by_id, &addresses);
        return ERR_OK;
}

/* ------------------------------------------------------------------ changing */

static enum err nobody_has(struct ctx *c, const struct identity *identity, struct uuid id, bool *ret_his)
{
        struct identity_keys keys = {.kinds = {(const char **)&identity->kind, 1},
                                     .values = {(const char **)&identity->value, 1}};
        struct list owners = {0};

        TRY(store_identities(c, &keys, &owners));
        TRY(db_flush(c));
        *ret_his = owners.n > 0;
        if (owners.n == 0 || uuid_equal(((struct identity_row *)owners.v)[0].customer_id, id))
                return ERR_OK;
        problem_string(c, "kind", identity->kind);
        return fail(c, ERR_IDENTITY_TAKEN, "The %s belongs to another customer.", identity->kind);
}

/* The phone or e-mail of the profile: a new one replaces all of its kind, a secondary one changes places. */
static enum err contact_change(struct ctx *c, const struct identity *contact, struct uuid id)
{
        const struct identity_row row = {contact->kind, contact->value, id, false};
        bool his;

        TRY(nobody_has(c, contact, id, &his));
        if (his)
                return contact_prefer(c, &row);
        TRY(store_identities_clear(c, &row, 1));
        return store_identities_add(c, &row, 1);
}

static bool is_listed(const struct identity *listed, size_t n, const char *kind, const char *value)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(listed[i].kind, kind) == 0 && strcmp(listed[i].value, value) == 0)
                        return true;
        return false;
}

/* The first of its kind is what the profile shows: see CONTACT_COLUMN. */
static bool is_first(const struct identity_row *rows, size_t at)
{
        for (size_t i = 0; i < at; i++)
                if (strcmp(rows[i].kind, rows[at].kind) == 0)
                        return false;
        return identity_is_single(rows[at].kind);
}

static bool kind_is_held(const struct identity_row *rows, size_t n, const char *kind)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(rows[i].kind, kind) == 0)
                        return true;
        return false;
}

static enum err identities_replace(struct ctx *c, const struct identity *listed, size_t n, struct uuid id)
{
        struct identity_row *added = ARENA_ARRAY(c->arena, n, struct identity_row);
        struct list held = {0};
        size_t gone_count = 0, added_count = 0;

        TRY(identities_held(c, &(struct customer_ids){{&id, 1}}, &held));
        TRY(db_flush(c));
        const struct identity_row *rows = held.v;
        struct identity_row *gone = ARENA_ARRAY(c->arena, held.n, struct identity_row);
        for (size_t i = 0; i < held.n; i++)
                if (!is_first(rows, i) && !is_listed(listed, n, rows[i].kind, rows[i].value))
                        gone[gone_count++] = rows[i];
        for (size_t i = 0; i < n; i++) {
                const struct identity *one = &listed[i];
                bool his;
                TRY(nobody_has(c, one, id, &his));
                if (his || is_listed(listed, i, one->kind, one->value))
                        continue;
                bool beside = identity_is_single(one->kind) && (kind_is_held(rows, held.n, one->kind) ||
                                                                kind_is_held(added, added_count, one->kind));
                added[added_count++] = (struct identity_row){one->kind, one->value, id, beside};
        }
        TRY(identities_drop(c, gone, gone_count));
        return store_identities_add(c, added, added_count);
}

enum err identities_change(struct ctx *c, const struct customer_in *in, struct uuid id)
{
        struct identities given;
        size_t contacts = (in->phone != NULL ? 1U : 0U) + (in->email != NULL ? 1U : 0U);

        identities_of(c, "#", in, &given);
        TRY(problem_check(c));
        if (SHAPE_HAS(customer_in, in, phone) && in->phone == NULL)
                TRY(store_identities_clear(c, &(struct identity_row){"phone", NULL, id, false}, 1));
        if (SHAPE_HAS(customer_in, in, email) && in->email == NULL)
                TRY(store_identities_clear(c, &(struct identity_row){"email", NULL, id, false}, 1));
        for (size_t i = 0; i < contacts; i++)
                TRY(contact_change(c, &given.v[i], id));
        if (!SHAPE_HAS(customer_in, in, identities))
                return ERR_OK;
        return identities_replace(c, given.v + contacts, given.n - contacts, id);
}
