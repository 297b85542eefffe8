/* The statements that the files of lib/customers share; nobody else includes this. */
#pragma once

#include "customers/customers.h"
#include "db/statement.h"

/* Rows of a set of ids. */
struct customer_ids {
        struct uuids ids;
};
SHAPE_DECLARE(customer_ids);

struct identity_row {
        const char *kind, *value;
        struct uuid customer_id;
        bool secondary; /* a phone or e-mail beside that of the profile */
};
SHAPE_DECLARE(identity_row);

struct alias_row {
        struct uuid alias_id, customer_id;
};
SHAPE_DECLARE(alias_row);

struct identity_keys {
        struct texts kinds, values;
};
SHAPE_DECLARE(identity_keys);

#define CUSTOMER_COLUMNS                                                                                     \
        "id, external_id, name, gender, birthday, language, country, province, city, district, owner, "      \
        "source_channel AS \"source.channel\", source_detail AS \"source.detail\", "                         \
        "source_campaign AS \"source.campaign\", referrer_id AS \"source.referrer_id\", attributes, preferences, inquired_at, version, created_at, updated_at"

/* Beside a customer's id: as an expression the kind has no index, or that of (kind, value) would look as good
 * as the customer's while the table is empty, and be kept while it grows. */
#define OF_KIND "(kind || '')"
#define CONTACT_COLUMN(kind)                                                                                 \
        ", (SELECT value FROM customer_identities i WHERE i.customer_id = customers.id AND " OF_KIND         \
        " = '" kind "' ORDER BY secondary LIMIT 1) AS " kind
#define CONTACT_COLUMNS CONTACT_COLUMN("phone") CONTACT_COLUMN("email")

/* Queue: lock the rows of those who were not erased in the order of their ids; *ret is filled by the next
 * round trip. */
enum err store_lock(struct ctx *c, const struct customer_ids *ids, struct list *ret) MUST_CHECK;
enum err store_aliases(struct ctx *c, const struct customer_ids *ids, struct list *ret) MUST_CHECK;
enum err store_identities(struct ctx *c, const struct identity_keys *keys, struct list *ret) MUST_CHECK;

/* Queue writes. */
enum err store_insert(struct ctx *c, const struct customer *rows, size_t n) MUST_CHECK;
enum err store_update(struct ctx *c, const struct customer *rows, size_t n) MUST_CHECK;
enum err store_alias(struct ctx *c, const struct alias_row *rows, size_t n) MUST_CHECK;
/* Give identities to their customers. An e-mail or phone that is not secondary replaces the one that a known
 * customer had, which must be cleared before; among rows there is one of each for a customer at most. */
enum err store_identities_add(struct ctx *c, const struct identity_row *rows, size_t n) MUST_CHECK;
/* Take every identity of a row's kind from its customer; the value does not matter. */
enum err store_identities_clear(struct ctx *c, const struct identity_row *rows, size_t n) MUST_CHECK;

/* A change of a known customer, for the audit log. */
struct customer_trail {
        const struct ctx *who;
        struct customer before, after; /* of a claim: without phone and e-mail */
};

/* Queue the entries of claims. Called before the new identities are stored: those that they replace are read
 * where there are any. */
enum err trail_of_claims(struct ctx *c, struct customer_trail *trails, size_t n,
                         const struct identity_row *identities, size_t identity_count) MUST_CHECK;

/* Queue the entry of one change; before NULL: created. */
enum err trail_of_one(struct ctx *c, const struct customer *before, const struct customer *after) MUST_CHECK;

/* Is it at the version that the caller expects? 0 takes any. ERR_STALE. */
enum err version_expect(struct ctx *c, const char *what, int64_t version,
                        int64_t expected_version) MUST_CHECK;

/* Has a customer one identity of this kind at most? */
bool identity_is_single(const char *kind);

/* The identities that an input names, in normal form, with faults where they have none. */
struct identities {
        struct identity *v;
        size_t n;
};
void identities_of(struct ctx *c, const char *pointer, const struct customer_in *in, struct identities *ret);

/* What a patch says of a customer's phone, e-mail and further identities. ERR_IDENTITY_TAKEN, ERR_INVALID. */
enum err identities_change(struct ctx *c, const struct customer_in *in, struct uuid id) MUST_CHECK;

/* Whoever is named as the one who referred somebody. */
struct referrer {
        const char *text, *pointer; /* text NULL: nobody is named */
        struct uuid named;          /* the id in his reference */
        struct uuid found;          /* his id by now; nil: nobody knows him */
};

/* Read a reference; a fault at pointer when it is none. */
void referrer_read(struct ctx *c, const char *pointer, const char *text, struct referrer *ret);

/* Find those that are named, all at once: no round trip where nobody is. Until the transaction ends nobody of
 * them is merged or erased. */
enum err referrers_find(struct ctx *c, struct referrer *const *referrers, size_t n) MUST_CHECK;

/* Who referred the customer `self`, who goes by the id `named`; *ret is nil where nobody is named, where he
 * was erased, and where he became that very customer by a merge. A fault of who, and ERR_INVALID, when nobody
 * knows him, or the customer names himself. c has the connection. */
enum err referrer_settle(struct ctx *c, struct ctx *who, const struct referrer *referrer, struct uuid named,
                         struct uuid self, struct uuid *ret) MUST_CHECK;

/* Take a referrer into a source. Returns whether it is another one now. */
bool referrer_take(struct source *source, struct uuid referrer_id);

/* Note the event that a customer was created or changed. */
struct event_list;
void customer_told(struct arena *arena, struct event_list *events, bool created,
                   const struct customer *customer, struct instant at);

/* Say in who's problem why nobody has an id: ERR_ERASED or ERR_NOT_FOUND. c has the connection. */
enum err customer_missing(struct ctx *c, struct ctx *who, struct uuid id, const char *reference) MUST_CHECK;

/* The id that an identity has in an idmap. */
struct uuid identity_key(const char *kind, const char *value);
