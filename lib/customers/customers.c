#include "customers/customers.h"

#include "customers/attributes.h"
#include "base/json.h"
#include "customers/address_store.h"
#include "events/events.h"

enum err customer_reference(struct ctx *c, const char *reference, struct uuid *ret)
{
        static const char prefix[] = "ext:";

        const size_t skip = sizeof prefix - 1;

        if (strncmp(reference, prefix, skip) == 0 && reference[skip] != '\0' &&
            text_chars(reference + skip) <= TEXT_MAX_DEFAULT) {
                *ret = uuid_of_external("customer", reference + skip);
                return ERR_OK;
        }
        if (uuid_from_text(reference, ret))
                return ERR_OK;
        return fail(c, ERR_NOT_FOUND, "\"%s\" is neither a customer's UUID nor ext:<external id>.",
                    reference);
}

struct customer_key {
        struct uuid id;
};
#define SHAPE_T struct customer_key
SHAPE(customer_key, "One id, current or old.", FIELD(id));
#undef SHAPE_T

#define CURRENT_ID "coalesce((SELECT customer_id FROM customer_aliases WHERE alias_id = :id), :id)"
SQL_OPT(customer_find, customer_key, customer,
        "SELECT " CUSTOMER_COLUMNS CONTACT_COLUMNS " FROM customers WHERE NOT erased AND id = " CURRENT_ID)

SQL_OPT(customer_find_locked, customer_key, customer,
        "SELECT " CUSTOMER_COLUMNS " FROM customers WHERE NOT erased AND id = " CURRENT_ID
        " FOR NO KEY UPDATE")

/* Points and refunds of somebody who was erased go on. */
SQL_OPT(customer_lock_any, customer_key, customer,
        "SELECT " CUSTOMER_COLUMNS " FROM customers WHERE id = :id FOR NO KEY UPDATE")

#define SHAPE_T struct customer_locked
SHAPE(customer_locked, "A customer whose row is locked.", FIELD(id), FIELD(created_at));
#undef SHAPE_T

SQL_LATER(customers_lock_any, customer_ids, customer_locked,
          "SELECT id, created_at FROM customers WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

SQL_OPT(erased_find, customer_key, customer_key,
        "SELECT id FROM erased_customers WHERE id = :id UNION ALL SELECT id FROM customers WHERE erased AND id = :id")

void customer_told(struct arena *arena, struct event_list *events, bool created,
                   const struct customer *customer, struct instant at)
{
        event_add(arena, events, created ? EVENT_CUSTOMER_CREATED : EVENT_CUSTOMER_UPDATED, customer->id, at,
                  &customer_event_shape, &(struct customer_event){customer->external_id, customer->version});
}

enum err customer_missing(struct ctx *c, struct ctx *who, struct uuid id, const char *reference)
{
        struct customer_key erased;
        bool found;

        TRY(erased_find(c, &(struct customer_key){id}, &erased, &found));
        if (found)
                return fail(who, ERR_ERASED, "The customer was erased.");
        return fail(who, ERR_NOT_FOUND, "There is no customer %s.", reference);
}

enum err customer_get(struct ctx *c, const char *reference, struct customer *ret)
{
        struct customer_key key;
        bool found;

        TRY(customer_reference(c, reference, &key.id));
        TRY(customer_find(c, &key, ret, &found));
        return found ? ERR_OK : customer_missing(c, c, key.id, reference);
}

enum err customer_lock_id(struct ctx *c, struct uuid id, struct customer *ret)
{
        bool found;

        TRY(customer_lock_any(c, &(struct customer_key){id}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no such customer.");
}

enum err customer_lock(struct ctx *c, const char *reference, struct customer *ret)
{
        struct customer_key key;
        bool found;

        TRY(customer_reference(c, reference, &key.id));
        TRY(customer_find_locked(c, &key, ret, &found));
        if (!found) /* or merged while this waited for the lock: then there is an alias by now */
                TRY(customer_find_locked(c, &key, ret, &found));
        return found ? ERR_OK : customer_missing(c, c, key.id, reference);
}

enum err version_expect(struct ctx *c, const char *what, int64_t version, int64_t expected_version)
{
        if (expected_version == 0 || expected_version == version)
                return ERR_OK;
        problem_int(c, "version", version);
        return fail(c, ERR_STALE, "The %s is at version %lld, not %lld.", what, (long long)version,
                    (long long)expected_version);
}

enum err customer_expect(struct ctx *c, const char *reference, int64_t expected_version)
{
        struct customer customer;

        if (expected_version == 0)
                return ERR_OK;
        TRY(customer_lock(c, reference, &customer));
        return version_expect(c, "customer", customer.version, expected_version);
}

enum err customers_lock_later(struct ctx *c, const struct uuids *ids, struct list *ret)
{
        return customers_lock_any(c, &(struct customer_ids){*ids}, ret);
}

enum err customers_lock(struct ctx *c, const struct uuids *ids, struct list *ret)
{
        TRY(customers_lock_later(c, ids, ret));
        return db_flush(c);
}

/* The customer as it is shown, with what this transaction queued. */
static enum err shown(struct ctx *c, struct uuid id, struct customer *ret)
{
        bool found;

        TRY(customer_find(c, &(struct customer_key){id}, ret, &found));
        return found ? customers_fill_in(c, ret, 1) : fail(c, ERR_INTERNAL, "The customer is gone.");
}

static enum err claim_one(struct ctx *c, const struct customer_in *in, bool only_new,
                          struct customer_claim *ret)
{
        *ret = (struct customer_claim){.c = c, .pointer = "#", .in = in, .only_new = only_new};
        TRY(customers_claim(c, ret, 1));
        return ret->err;
}

enum err customer_create(struct ctx *c, const struct customer_in *in, struct customer *ret)
{
        struct customer_claim claim;

        if (uuid_known(in->id))
                fault_body(c, "#/id", "unknown_field", "is given by the server");
        TRY(problem_check(c));
        TRY(claim_one(c, in, /* only_new= */ true, &claim));
        TRY(shown(c, claim.customer->id, ret));
        return trail_of_one(c, /* before= */ NULL, ret);
}

enum err customer_upsert(struct ctx *c, const char *reference, const struct customer_in *in,
                         struct customer *ret, bool *ret_created)
{
        struct uuid id;
        struct customer_in claimed = *in;
        struct customer_claim claim;

        TRY(customer_reference(c, reference, &id));
        if (strncmp(reference, "ext:", 4) == 0) {
                if (in->external_id != NULL && strcmp(in->external_id, reference + 4) != 0)
                        fault_body(c, "#/external_id", "differs", "must be that of the path, or be left out");
                claimed.external_id = reference + 4;
        } else {
                claimed.id = id;
        }
        if (uuid_known(in->id))
                fault_body(c, "#/id", "unknown_field", "is given by the path");
        TRY(problem_check(c));
        TRY(claim_one(c, &claimed, /* only_new= */ false, &claim));
        *ret_created = claim.created;
        TRY(shown(c, claim.customer->id, ret));
        return claim.created ? trail_of_one(c, /* before= */ NULL, ret) : ERR_OK;
}

/* Another number of the shop's: the old one goes on answering, the new one becomes an alias of the same id.
 */
static enum err external_id_change(struct ctx *c, const struct customer_in *in,
                                   const struct customer *customer)
{
        if (in->external_id == NULL ||
            (customer->external_id != NULL && strcmp(in->external_id, customer->external_id) == 0))
                return ERR_OK;
        struct uuid id = uuid_of_external("customer", in->external_id);
        struct customer other;
        bool found;

        TRY(customer_find(c, &(struct customer_key){id}, &other, &found));
        if (found && !uuid_equal(other.id, customer->id)) {
                problem_string(c, "kind", "external_id");
                return fail(c, ERR_IDENTITY_TAKEN, "The external_id belongs to another customer.");
        }
        return found ? ERR_OK : store_alias(c, &(struct alias_row){id, customer->id}, 1);
}

/* A merge patch goes into the free objects too; what grows too large by it is a fault. */
static void facts_merge(struct ctx *c, const char *pointer, struct json_text known, struct json_text *patch)
{
        if (patch->text == NULL)
                return;
        patch->text = json_merge_patch(c->arena, known.text, patch->text);
        if (strlen(patch->text) > JSON_BYTES_MAX)
                fault_body(c, pointer, "too_long", "must have at most %d bytes", JSON_BYTES_MAX);
}

/* Another referrer; NULL: none. */
static enum err referrer_change(struct ctx *c, const char *reference, struct customer *customer)
{
        struct uuid id = {0};

        if (reference != NULL)
                TRY(customer_referrer(c, "#/source/referrer", reference, customer->id, &id));
        referrer_take(&customer->source, id);
        return ERR_OK;
}

enum err customer_referred(struct ctx *c, struct uuid id, struct uuid referrer_id)
{
        struct customer before;
        struct event_list events = {0};

        TRY(shown(c, id, &before));
        if (uuid_known(before.source.referrer_id))
                return ERR_OK;
        struct customer after = before;
        referrer_take(&after.source, referrer_id);
        after.version++;
        after.updated_at = c->now;
        TRY(store_update(c, &after, 1));
        customers_touched(c, &id, 1);
        customer_told(c->arena, &events, /* created= */ false, &after, c->now);
        TRY(events_store(c, &events));
        return trail_of_one(c, &before, &after);
}

enum err customer_patch(struct ctx *c, const char *reference, const struct customer_in *in,
                        int64_t expected_version, struct customer *ret)
{
        struct customer customer, before;
        struct event_list events = {0};

        if (SHAPE_HAS(customer_in, in, external_id) && in->external_id == NULL)
                fault_body(c, "#/external_id", "required", "cannot be cleared; give another one");
        if (SHAPE_HAS(customer_in, in, id))
                fault_body(c, "#/id", "unknown_field", "never changes");
        TRY(problem_check(c));
        TRY(customer_lock(c, reference, &customer));
        attributes_check(c, "#/attributes", in->attributes.text);
        addresses_check(c, "#", in);
        TRY(version_expect(c, "customer", customer.version, expected_version));
        TRY(shown(c, customer.id, &before));
        TRY(external_id_change(c, in, &customer));
        TRY(identities_change(c, in, customer.id));
        struct customer_in patch = *in;
        patch.identities.v = NULL;
        patch.identities.n = 0; /* they are settled above */
        patch.addresses.v = NULL;
        patch.addresses.n = 0; /* and they below */
        facts_merge(c, "#/attributes", customer.attributes, &patch.attributes);
        facts_merge(c, "#/preferences", customer.preferences, &patch.preferences);
        TRY(problem_check(c));
        shape_merge(&customer_in_shape, &patch, &customer_shape, &customer, MERGE_ALL);
        if (SHAPE_HAS(source_in, &in->source, referrer))
                TRY(referrer_change(c, in->source.referrer, &customer));
        customer.version++;
        customer.updated_at = c->now;
        TRY(store_update(c, &customer, 1));
        if (SHAPE_HAS(customer_in, in, addresses))
                TRY(addresses_replace(c, customer.id, in));
        customers_touched(c, &customer.id, 1);
        customer_told(c->arena, &events, /* created= */ false, &customer, c->now);
        TRY(events_store(c, &events));
        TRY(shown(c, customer.id, ret));
        return trail_of_one(c, &before, ret);
}

const char *customer_part(struct arena *arena, struct uuid customer_id, const char *parts, const char *name)
{
        char text[UUID_TEXT_SIZE];

        uuid_to_text(customer_id, text);
        return arena_printf(arena, "/v1/customers/%s/%s/%s", text, parts, name);
}

const char *customer_part_by_id(struct arena *arena, struct uuid customer_id, const char *parts,
                                struct uuid id)
{
        char text[UUID_TEXT_SIZE];

        uuid_to_text(id, text);
        return customer_part(arena, customer_id, parts, text);
}
