#include "customers/store.h"

#define SHAPE_T struct customer_ids
SHAPE(customer_ids, "Ids.", FIELD(ids));
#undef SHAPE_T
#define SHAPE_T struct identity_row
SHAPE(identity_row, "An identity.", FIELD(kind), FIELD(value), FIELD(customer_id), FIELD(secondary));
#undef SHAPE_T
#define SHAPE_T struct alias_row
SHAPE(alias_row, "An alias.", FIELD(alias_id), FIELD(customer_id));
#undef SHAPE_T
#define SHAPE_T struct identity_keys
SHAPE(identity_keys, "Identities looked for.", FIELD(kinds), FIELD(values));
#undef SHAPE_T

SQL_LATER(customers_lock_rows, customer_ids, customer,
          "SELECT " CUSTOMER_COLUMNS
          " FROM customers WHERE id = ANY(:ids) AND NOT erased ORDER BY id FOR NO KEY UPDATE")

SQL_LATER(aliases_find, customer_ids, alias_row,
          "SELECT alias_id, customer_id FROM customer_aliases WHERE alias_id = ANY(:ids)")

/* Pairs are looked up one by one in the key; OFFSET 0 keeps the planner from joining the whole table. */
SQL_LATER(identities_find, identity_keys, identity_row,
          "SELECT i.* FROM unnest(:kinds, :values) AS n(k, v), LATERAL (SELECT kind, value, customer_id "
          "FROM customer_identities WHERE kind = n.k AND value = n.v OFFSET 0) AS i")

#define INSERT_CUSTOMERS                                                                                                                \
        "INSERT INTO customers (id, external_id, name, gender, birthday, language, country, province, city, district, "                 \
        "owner, source_channel, source_detail, source_campaign, referrer_id, attributes, preferences, version, created_at, "            \
        "updated_at) SELECT * FROM unnest(:id, :external_id, :name, :gender, :birthday, :language, :country, :province, "               \
        ":city, :district, :owner, :source.channel, :source.detail, :source.campaign, :source.referrer_id, :attributes, :preferences, " \
        ":version, :created_at, :updated_at)"

SQL_BATCH(customers_insert, customer, INSERT_CUSTOMERS)

/* The rows exist and are locked: the conflict is certain, and finds each row by its key whatever the table's
 * size. */
SQL_BATCH(
        customers_update, customer,
        INSERT_CUSTOMERS
        " ON CONFLICT (id) DO UPDATE SET external_id = excluded.external_id, name = excluded.name, "
        "gender = excluded.gender, birthday = excluded.birthday, language = excluded.language, "
        "country = excluded.country, province = excluded.province, city = excluded.city, district = excluded.district, "
        "owner = excluded.owner, source_channel = excluded.source_channel, source_detail = excluded.source_detail, "
        "source_campaign = excluded.source_campaign, referrer_id = excluded.referrer_id, attributes = excluded.attributes, "
        "preferences = excluded.preferences, version = excluded.version, updated_at = excluded.updated_at")

SQL_BATCH(aliases_insert, alias_row,
          "INSERT INTO customer_aliases (alias_id, customer_id, created_at) "
          "SELECT a, c, :now FROM unnest(:alias_id, :customer_id) AS n(a, c)")

SQL_BATCH(identities_insert, identity_row,
          "INSERT INTO customer_identities (kind, value, customer_id, created_at, secondary) "
          "SELECT k, v, c, :now, s FROM unnest(:kind, :value, :customer_id, :secondary) AS n(k, v, c, s)")

SQL_BATCH(identities_clear, identity_row,
          "DELETE FROM customer_identities WHERE ctid = ANY(ARRAY(SELECT i.ctid FROM "
          "unnest(:kind, :value, :customer_id) AS n(k, v, c), LATERAL (SELECT ctid FROM customer_identities "
          "WHERE customer_id = n.c AND " OF_KIND " = n.k OFFSET 0) AS i))")

enum err store_lock(struct ctx *c, const struct customer_ids *ids, struct list *ret)
{
        return customers_lock_rows(c, ids, ret);
}

enum err store_aliases(struct ctx *c, const struct customer_ids *ids, struct list *ret)
{
        return aliases_find(c, ids, ret);
}

enum err store_identities(struct ctx *c, const struct identity_keys *keys, struct list *ret)
{
        return identities_find(c, keys, ret);
}

enum err store_insert(struct ctx *c, const struct customer *rows, size_t n)
{
        return customers_insert(c, rows, n);
}

enum err store_update(struct ctx *c, const struct customer *rows, size_t n)
{
        return customers_update(c, rows, n);
}

enum err store_alias(struct ctx *c, const struct alias_row *rows, size_t n)
{
        return aliases_insert(c, rows, n);
}

bool identity_is_single(const char *kind)
{
        return strcmp(kind, "email") == 0 || strcmp(kind, "phone") == 0;
}

enum err store_identities_add(struct ctx *c, const struct identity_row *rows, size_t n)
{
        return identities_insert(c, rows, n);
}

enum err store_identities_clear(struct ctx *c, const struct identity_row *rows, size_t n)
{
        return identities_clear(c, rows, n);
}

void identities_of(struct ctx *c, const char *pointer, const struct customer_in *in, struct identities *ret)
{
        struct identity *v = ARENA_ARRAY(c->arena, in->identities.n + 2, struct identity);
        size_t n = 0;

        if (in->phone != NULL)
                v[n++] = (struct identity){
                        "phone",
                        identity_normal(c, arena_printf(c->arena, "%s/phone", pointer), "phone", in->phone)};
        if (in->email != NULL)
                v[n++] = (struct identity){
                        "email",
                        identity_normal(c, arena_printf(c->arena, "%s/email", pointer), "email", in->email)};
        for (size_t i = 0; i < in->identities.n; i++) {
                const struct identity *given = &in->identities.v[i];
                const char *at = arena_printf(c->arena, "%s/identities/%zu/value", pointer, i);
                v[n++] = (struct identity){given->kind, identity_normal(c, at, given->kind, given->value)};
        }
        *ret = (struct identities){v, n};
}

struct uuid identity_key(const char *kind, const char *value)
{
        return uuid_of_external(kind, value);
}
