/* The people of a batch: found, locked, created and filled in together. */
#include <assert.h>

#include "base/idmap.h"
#include "customers/address_store.h"
#include "customers/addresses.h"
#include "customers/attributes.h"
#include "events/events.h"

/* An identity that a customer of the batch has. */
struct belonging {
        const char *kind;
        struct uuid key;          /* identity_key */
        struct identity_row *row; /* a new one; NULL: it is stored */
        struct belonging *next;
};

/* One customer of the batch. */
struct member {
        struct customer customer;
        struct belonging *belongings;
        bool is_new, changed;
        const struct customer *before; /* somebody known who gets another one here; NULL: as he was */
        const struct ctx *changed_by;
};

/* One claim while it is worked on. */
struct person {
        struct uuid id; /* the id it names, nil when it only has identities */
        struct identities identities;
        struct referrer referrer, contact_referrer; /* of the customer; of this contact */
};

struct crowd {
        struct ctx *c; /* of the batch */
        struct member *members;
        size_t count;
        struct idmap by_id;       /* id or alias → member */
        struct idmap by_identity; /* identity_key → member */
        struct identity_row *new_identities;
        size_t new_identity_count;
        struct alias_row *new_aliases;
        size_t new_alias_count;
        struct address_books addresses; /* loaded where a claim names any */
        struct event_list events;
};

static void person_read(struct customer_claim *claim, struct person *person)
{
        const struct customer_in *in = claim->in;
        struct ctx *c = claim->c;

        identities_of(c, claim->pointer, in, &person->identities);
        if (in->attributes.text != NULL)
                attributes_check(c, arena_printf(c->arena, "%s/attributes", claim->pointer),
                                 in->attributes.text);
        addresses_check(c, claim->pointer, in);
        referrer_read(c, arena_printf(c->arena, "%s/source/referrer", claim->pointer), in->source.referrer,
                      &person->referrer);
        referrer_read(c, "#/referrer", claim->contact.referrer, &person->contact_referrer);
        if (uuid_known(in->id))
                person->id = in->id;
        else if (in->external_id != NULL)
                person->id = uuid_of_external("customer", in->external_id);
        else if (person->identities.n == 0)
                fault_body(c, claim->pointer, "required",
                           "must hold id, external_id, phone, email or identities");
        claim->err = problem_check(c);
}

static enum err referrers_of(struct ctx *c, struct person *people, size_t n)
{
        struct referrer **referrers = ARENA_ARRAY(c->arena, 2 * n, struct referrer *);
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                if (people[i].referrer.text != NULL)
                        referrers[count++] = &people[i].referrer;
                if (people[i].contact_referrer.text != NULL)
                        referrers[count++] = &people[i].contact_referrer;
        }
        return count > 0 ? referrers_find(c, referrers, count) : ERR_OK;
}

/* What to look for. */
static void keys_collect(struct ctx *c, const struct customer_claim *claims, const struct person *people,
                         size_t n, struct customer_ids *ret_ids, struct identity_keys *ret_keys)
{
        size_t identities = 0;

        for (size_t i = 0; i < n; i++)
                identities += people[i].identities.n;
        ret_ids->ids.v = ARENA_ARRAY(c->arena, n, struct uuid);
        ret_keys->kinds.v = ARENA_ARRAY(c->arena, identities, const char *);
        ret_keys->values.v = ARENA_ARRAY(c->arena, identities, const char *);
        for (size_t i = 0; i < n; i++) {
                if (claims[i].err != ERR_OK)
                        continue;
                if (uuid_known(people[i].id))
                        ret_ids->ids.v[ret_ids->ids.n++] = people[i].id;
                for (size_t k = 0; k < people[i].identities.n; k++) {
                        const struct identity *identity = &people[i].identities.v[k];
                        ret_keys->kinds.v[ret_keys->kinds.n++] = identity->kind;
                        ret_keys->values.v[ret_keys->values.n++] = identity->value;
                }
        }
}

static void members_add(struct crowd *crowd, const struct list *rows)
{
        for (size_t i = 0; i < rows->n; i++) {
                struct member *member = &crowd->members[crowd->count];
                member->customer = ((const struct customer *)rows->v)[i];
                idmap_put(&crowd->by_id, member->customer.id, crowd->count++);
        }
}

static void belonging_add(struct crowd *crowd, size_t at, const char *kind, struct uuid key,
                          struct identity_row *row)
{
        struct member *member = &crowd->members[at];
        struct belonging *belonging = ARENA_NEW(crowd->c->arena, struct belonging);

        *belonging = (struct belonging){.kind = kind, .key = key, .row = row, .next = member->belongings};
        member->belongings = belonging;
        idmap_put(&crowd->by_identity, key, at);
}

/* Customers that were only found by an alias or an identity are locked second. *ret_gone: one of them became
 * another customer meanwhile. */
static enum err lock_the_rest(struct crowd *crowd, const struct list *aliases, const struct list *identities,
                              bool *ret_gone)
{
        struct ctx *c = crowd->c;
        const struct alias_row *alias = aliases->v;
        const struct identity_row *identity = identities->v;
        struct customer_ids rest = {.ids.v = ARENA_ARRAY(c->arena, aliases->n + identities->n, struct uuid)};
        struct list rows = {0};

        for (size_t i = 0; i < aliases->n; i++)
                if (idmap_get(&crowd->by_id, alias[i].customer_id) == SIZE_MAX)
                        rest.ids.v[rest.ids.n++] = alias[i].customer_id;
        for (size_t i = 0; i < identities->n; i++)
                if (idmap_get(&crowd->by_id, identity[i].customer_id) == SIZE_MAX)
                        rest.ids.v[rest.ids.n++] = identity[i].customer_id;
        if (rest.ids.n > 0) {
                TRY(store_lock(c, &rest, &rows));
                TRY(db_flush(c));
                members_add(crowd, &rows);
        }
        *ret_gone = false;
        for (size_t i = 0; i < aliases->n; i++) {
                size_t at = idmap_get(&crowd->by_id, alias[i].customer_id);
                *ret_gone |= at == SIZE_MAX;
                if (at != SIZE_MAX)
                        idmap_put(&crowd->by_id, alias[i].alias_id, at);
        }
        for (size_t i = 0; i < identities->n; i++) {
                size_t at = idmap_get(&crowd->by_id, identity[i].customer_id);
                *ret_gone |= at == SIZE_MAX;
                if (at != SIZE_MAX)
                        belonging_add(crowd, at, identity[i].kind,
                                      identity_key(identity[i].kind, identity[i].value), /* row= */ NULL);
        }
        return ERR_OK;
}

/* Merges that may follow on each other while one batch waits for locks. */
#define LOADS_MAX 4

static enum err crowd_load_once(struct crowd *crowd, const struct customer_claim *claims,
                                const struct person *people, size_t n, bool *ret_gone)
{
        struct ctx *c = crowd->c;
        struct customer_ids ids = {0};
        struct identity_keys keys = {0};
        struct list locked = {0}, aliases = {0}, identities = {0};

        keys_collect(c, claims, people, n, &ids, &keys);
        if (ids.ids.n > 0) {
                TRY(store_lock(c, &ids, &locked));
                TRY(store_aliases(c, &ids, &aliases));
        }
        if (keys.values.n > 0)
                TRY(store_identities(c, &keys, &identities));
        TRY(db_flush(c));
        size_t most = locked.n + aliases.n + identities.n + n;
        crowd->members = ARENA_ARRAY(c->arena, most, struct member);
        crowd->by_id = idmap_new(c->arena, most + ids.ids.n + aliases.n);
        crowd->by_identity = idmap_new(c->arena, identities.n + keys.values.n);
        crowd->new_identities = ARENA_ARRAY(c->arena, keys.values.n, struct identity_row);
        crowd->new_aliases = ARENA_ARRAY(c->arena, n, struct alias_row);
        members_add(crowd, &locked);
        return lock_the_rest(crowd, &aliases, &identities, ret_gone);
}

/* Whoever is found gone was merged or erased while this waited for the lock: a new look finds the survivor.
 */
static enum err crowd_load(struct crowd *crowd, const struct customer_claim *claims,
                           const struct person *people, size_t n)
{
        bool gone = true;

        for (unsigned load = 0; gone && load < LOADS_MAX; load++) {
                crowd->count = 0;
                TRY(crowd_load_once(crowd, claims, people, n, &gone));
        }
        return gone ? fail(crowd->c, ERR_CONFLICT, "Customers were merged meanwhile.") : ERR_OK;
}

/* Orders that say nothing of addresses do without this round trip. */
static enum err addresses_load(struct crowd *crowd, const struct customer_claim *claims, size_t n)
{
        struct ctx *c = crowd->c;
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, crowd->count, struct uuid)};
        bool named = false;

        for (size_t i = 0; i < n; i++)
                named |= claims[i].err == ERR_OK && claims[i].in->addresses.n > 0;
        if (!named)
                return ERR_OK;
        for (size_t i = 0; i < crowd->count; i++)
                ids.ids.v[ids.ids.n++] = crowd->members[i].customer.id;
        return address_books_load(c, &ids, /* more= */ n, &crowd->addresses);
}

static enum err taken(struct customer_claim *claim, const char *kind)
{
        problem_string(claim->c, "kind", kind);
        return fail(claim->c, ERR_IDENTITY_TAKEN, "The %s belongs to another customer.", kind);
}

/* Who referred the claim's customer, at a member (SIZE_MAX: somebody new); those whom the batch itself made
 * are known too. */
static enum err referrer_of(const struct crowd *crowd, const struct customer_claim *claim,
                            const struct person *person, size_t at, struct referrer *referrer,
                            struct uuid *ret)
{
        struct uuid self = at != SIZE_MAX ? crowd->members[at].customer.id : person->id;

        if (uuid_known(referrer->named) && idmap_get(&crowd->by_id, referrer->named) != SIZE_MAX)
                referrer->found = crowd->members[idmap_get(&crowd->by_id, referrer->named)].customer.id;
        return referrer_settle(crowd->c, claim->c, referrer, uuid_known(person->id) ? person->id : self, self,
                               ret);
}

/* The source of somebody new. A channel of his own is another contact, and nothing of this one belongs to it.
 */
static struct source first_contact(const struct customer_claim *claim)
{
        unsigned channel = claim->in->source.channel;

        if (channel != 0 && channel != claim->contact.channel)
                return (struct source){0};
        return (struct source){.channel = claim->contact.channel,
                               .detail = claim->contact.detail,
                               .campaign = claim->contact.campaign,
                               .referrer_id = claim->contact.referrer_id};
}

static size_t member_new(struct crowd *crowd, const struct customer_claim *claim, const struct person *person)
{
        struct member *member = &crowd->members[crowd->count];

        *member = (struct member){.is_new = true};
        member->customer = (struct customer){
                .id = uuid_known(person->id) ? person->id : uuid_new(crowd->c->now),
                .source = first_contact(claim),
                .created_at = instant_known(claim->created_at) ? claim->created_at : crowd->c->now,
        };
        idmap_put(&crowd->by_id, member->customer.id, crowd->count);
        return crowd->count++;
}

/* Which member a claim means: by id, else by the first identity that somebody has; SIZE_MAX: nobody yet. */
static enum err member_find(const struct crowd *crowd, struct customer_claim *claim,
                            const struct person *person, size_t *ret_at)
{
        size_t at = uuid_known(person->id) ? idmap_get(&crowd->by_id, person->id) : SIZE_MAX;
        bool by_identity = at == SIZE_MAX;

        if (at == SIZE_MAX && uuid_known(claim->in->id) && !claim->adopts_id)
                return customer_missing(crowd->c, claim->c, person->id, "with this id");
        for (size_t i = 0; at == SIZE_MAX && i < person->identities.n; i++)
                at = idmap_get(&crowd->by_identity,
                               identity_key(person->identities.v[i].kind, person->identities.v[i].value));
        *ret_at = at;
        if (at == SIZE_MAX || !by_identity || claim->in->external_id == NULL)
                return ERR_OK;
        /* Found by an identity while the shop's number is new: it becomes that customer's, unless he has one.
         */
        return crowd->members[at].customer.external_id == NULL ? ERR_OK
                                                               : taken(claim, person->identities.v[0].kind);
}

/* The claim's identities are the member's (SIZE_MAX: a new one's) or nobody's. */
static enum err identities_check(const struct crowd *crowd, struct customer_claim *claim,
                                 const struct person *person, size_t at)
{
        for (size_t i = 0; i < person->identities.n; i++) {
                const struct identity *identity = &person->identities.v[i];
                size_t owner = idmap_get(&crowd->by_identity, identity_key(identity->kind, identity->value));
                if (owner != SIZE_MAX && owner != at)
                        return taken(claim, identity->kind);
        }
        return ERR_OK;
}

static enum err addresses_fit(struct crowd *crowd, struct customer_claim *claim, size_t at)
{
        const struct customer_in *in = claim->in;

        if (at == SIZE_MAX || in->addresses.n == 0) /* somebody new has room for a whole list */
                return ERR_OK;
        const struct address_book *book =
                address_book_of(crowd->c, &crowd->addresses, crowd->members[at].customer.id);
        return address_book_takes_all(book, in->addresses.v, in->addresses.n) ? ERR_OK
                                                                              : addresses_too_many(claim->c);
}

/* Returns whether any is another one now. */
static bool addresses_take(struct crowd *crowd, const struct customer_claim *claim, size_t at)
{
        if (claim->in->addresses.n == 0)
                return false;
        struct address_book *book =
                address_book_of(crowd->c, &crowd->addresses, crowd->members[at].customer.id);
        book->who = claim->c;
        return addresses_put_all(book, claim->in);
}

/* The e-mail or phone that a member had is free again, for the claims after this one too. */
static void identity_make_room(struct crowd *crowd, const char *kind, size_t at)
{
        struct belonging **link = &crowd->members[at].belongings;

        while (*link != NULL) {
                const struct belonging *belonging = *link;
                if (strcmp(belonging->kind, kind) != 0) {
                        link = &(*link)->next;
                        continue;
                }
                idmap_put(&crowd->by_identity, belonging->key, SIZE_MAX);
                if (belonging->row != NULL)
                        belonging->row->value = NULL; /* it came and went within the batch */
                *link = belonging->next;
        }
}

/* Is it a second phone or e-mail of one claim, which is kept beside the first? */
static bool comes_beside(const struct identities *claimed, size_t i)
{
        if (!identity_is_single(claimed->v[i].kind))
                return false;
        for (size_t k = 0; k < i; k++)
                if (strcmp(claimed->v[k].kind, claimed->v[i].kind) == 0)
                        return true;
        return false;
}

/* Returns whether there was one that the member did not have. */
static bool identities_take(struct crowd *crowd, const struct person *person, size_t at)
{
        bool changed = false;

        for (size_t i = 0; i < person->identities.n; i++) {
                const struct identity *identity = &person->identities.v[i];
                struct uuid key = identity_key(identity->kind, identity->value);
                if (idmap_get(&crowd->by_identity, key) == at)
                        continue;
                bool beside = comes_beside(&person->identities, i);
                if (identity_is_single(identity->kind) && !beside)
                        identity_make_room(crowd, identity->kind, at);
                struct identity_row *row = &crowd->new_identities[crowd->new_identity_count++];
                *row = (struct identity_row){identity->kind, identity->value, crowd->members[at].customer.id,
                                             beside};
                belonging_add(crowd, at, identity->kind, key, row);
                changed = true;
        }
        return changed;
}

/* A number of the shop's for somebody who was known without: the id made of it becomes an alias. */
static void external_id_take(struct crowd *crowd, const struct person *person, const char *external_id,
                             size_t at)
{
        struct customer *customer = &crowd->members[at].customer;

        customer->external_id = external_id;
        if (uuid_equal(customer->id, person->id))
                return;
        crowd->new_aliases[crowd->new_alias_count++] = (struct alias_row){person->id, customer->id};
        idmap_put(&crowd->by_id, person->id, at);
}

static enum err known_already(struct customer_claim *claim)
{
        const char *kind = claim->in->external_id != NULL ? "external_id" : "identity";

        problem_string(claim->c, "kind", kind);
        return fail(claim->c, ERR_IDENTITY_TAKEN, "There is a customer with this %s already.", kind);
}

/* What the claim says of the profile becomes the member's. Returns whether it changes anything. */
static bool profile_take(const struct customer_claim *claim, struct member *member)
{
        struct customer_in profile = *claim->in;

        profile.id = (struct uuid){0}; /* who it is is settled by its claim */
        profile.external_id = profile.phone = profile.email = NULL;
        profile.identities.v = NULL;
        profile.identities.n = 0;
        profile.addresses.v = NULL;
        profile.addresses.n = 0;
        return shape_merge(&customer_in_shape, &profile, &customer_shape, &member->customer, MERGE_KNOWN);
}

static enum err claim_settle(struct crowd *crowd, struct customer_claim *claim, struct person *person)
{
        size_t at = SIZE_MAX;
        struct uuid referrer_id = {0};

        TRY(member_find(crowd, claim, person, &at));
        TRY(identities_check(crowd, claim, person, at));
        if (claim->only_new && at != SIZE_MAX)
                return known_already(claim);
        TRY(addresses_fit(crowd, claim, at));
        TRY(referrer_of(crowd, claim, person, at, &person->contact_referrer, &claim->contact.referrer_id));
        TRY(referrer_of(crowd, claim, person, at, &person->referrer, &referrer_id));
        claim->created = at == SIZE_MAX;
        if (claim->created)
                at = member_new(crowd, claim, person);
        struct member *member = &crowd->members[at];
        const struct customer before = member->customer;
        const char *external_id = claim->in->external_id;
        bool changed = false;
        if (external_id != NULL && member->customer.external_id == NULL) {
                external_id_take(crowd, person, external_id, at);
                changed = true;
        }
        changed |= identities_take(crowd, person, at);
        changed |= addresses_take(crowd, claim, at);
        changed |= profile_take(claim, member);
        if (uuid_known(referrer_id))
                changed |= referrer_take(&member->customer.source, referrer_id);
        claim->touched = claim->created || changed;
        if (claim->touched) {
                if (!member->is_new && member->before == NULL) {
                        struct customer *kept = ARENA_NEW(crowd->c->arena, struct customer);
                        *kept = before;
                        member->before = kept;
                        member->changed_by = claim->c;
                }
                member->changed = true;
                member->customer.version++;
                member->customer.updated_at = crowd->c->now;
                customer_told(crowd->c->arena, &crowd->events, claim->created, &member->customer,
                              crowd->c->now);
        }
        claim->customer = ARENA_NEW(crowd->c->arena, struct customer);
        *claim->customer = member->customer;
        return ERR_OK;
}

/* What known people were and become is told to the audit log; new ones are told by whoever creates them. */
static enum err crowd_audit(const struct crowd *crowd)
{
        struct customer_trail *trails = ARENA_ARRAY(crowd->c->arena, crowd->count, struct customer_trail);
        size_t n = 0;

        for (size_t i = 0; i < crowd->count; i++) {
                const struct member *member = &crowd->members[i];
                if (member->before != NULL)
                        trails[n++] = (struct customer_trail){.who = member->changed_by,
                                                              .before = *member->before,
                                                              .after = member->customer};
        }
        return trail_of_claims(crowd->c, trails, n, crowd->new_identities, crowd->new_identity_count);
}

/* The new identities: rows that came and went are dropped; what those of known people replace is cleared. */
static enum err identities_store(struct crowd *crowd)
{
        struct identity_row *rows = crowd->new_identities;
        struct identity_row *replacing =
                ARENA_ARRAY(crowd->c->arena, crowd->new_identity_count, struct identity_row);
        size_t kept = 0, replacing_count = 0;

        for (size_t i = 0; i < crowd->new_identity_count; i++) {
                if (rows[i].value == NULL)
                        continue;
                if (identity_is_single(rows[i].kind) && !rows[i].secondary &&
                    !crowd->members[idmap_get(&crowd->by_id, rows[i].customer_id)].is_new)
                        replacing[replacing_count++] = rows[i];
                rows[kept++] = rows[i];
        }
        crowd->new_identity_count = kept;
        TRY(crowd_audit(crowd));
        TRY(store_identities_clear(crowd->c, replacing, replacing_count));
        return store_identities_add(crowd->c, rows, kept);
}

static enum err crowd_store(struct crowd *crowd)
{
        struct ctx *c = crowd->c;
        struct customer *inserts = ARENA_ARRAY(c->arena, crowd->count, struct customer);
        struct customer *updates = ARENA_ARRAY(c->arena, crowd->count, struct customer);
        struct uuid *touched = ARENA_ARRAY(c->arena, crowd->count, struct uuid);
        size_t insert_count = 0, update_count = 0, touched_count = 0;

        for (size_t i = 0; i < crowd->count; i++) {
                const struct member *member = &crowd->members[i];
                if (!member->is_new && !member->changed)
                        continue;
                if (member->is_new)
                        inserts[insert_count++] = member->customer;
                else
                        updates[update_count++] = member->customer;
                touched[touched_count++] = member->customer.id;
        }
        TRY(store_insert(c, inserts, insert_count));
        TRY(store_update(c, updates, update_count));
        TRY(store_alias(c, crowd->new_aliases, crowd->new_alias_count));
        TRY(identities_store(crowd));
        customers_touched(c, touched, touched_count);
        TRY(events_store(c, &crowd->events));
        return address_books_store(c, &crowd->addresses, /* ret_changed= */ NULL);
}

enum err customers_claim(struct ctx *c, struct customer_claim *claims, size_t n)
{
        struct crowd crowd = {.c = c};
        struct person *people = ARENA_ARRAY(c->arena, n, struct person);

        for (size_t i = 0; i < n; i++)
                person_read(&claims[i], &people[i]);
        TRY(referrers_of(c, people, n));
        TRY(crowd_load(&crowd, claims, people, n));
        TRY(addresses_load(&crowd, claims, n));
        for (size_t i = 0; i < n; i++)
                if (claims[i].err == ERR_OK)
                        claims[i].err = claim_settle(&crowd, &claims[i], &people[i]);
        return crowd_store(&crowd);
}
