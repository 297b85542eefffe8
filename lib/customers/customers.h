/* Customers: who they are and how they are recognised. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "customers/address.h"
#include "customers/lifecycle.h"

extern const struct names channel_names; /* where a contact or an order came from (RULES: source) */
extern const struct names gender_names;
#define CHANNEL_DIRECT   3 /* index in channel_names; the default of an order */
#define CHANNEL_REFERRAL 12

/* Characters of a contact's detail and campaign. */
#define SOURCE_DETAIL_MAX   500
#define SOURCE_CAMPAIGN_MAX 200

struct source {
        struct presence has;
        unsigned channel; /* channel_names */
        const char *detail, *campaign;
        const char *referrer;    /* as a caller names him */
        struct uuid referrer_id; /* as he is stored and shown */
};
extern const struct shape source_in_shape;

/* A further way to recognise a customer. */
struct identity {
        const char *kind, *value;
};
SHAPE_DECLARE(identity);

/* One that a customer has. */
struct known_identity {
        const char *kind, *value;
        bool secondary;
};
SHAPE_DECLARE(known_identity);

/* What a caller says of a customer: on creation, as a patch, or inside an order. */
struct customer_in {
        struct presence has;
        struct uuid id; /* inside an order only: a reference to somebody known */
        const char *external_id;
        const char *phone, *email;
        LIST_OF(struct identity) identities;
        LIST_OF(struct named_address) addresses;
        const char *name;
        unsigned gender;
        struct birthday birthday;
        const char *language, *country, *province, *city, *district, *owner;
        struct source source;
        struct json_text attributes, preferences;
};
SHAPE_DECLARE(customer_in);

/* Has the customer ever bought? */
enum deal { DEAL_NONE, DEAL_DEAL, DEAL_INQUIRING, DEAL_NO_DEAL };
extern const struct names deal_names;

/* What orders and points say of a customer. */
struct customer_metrics {
        const char *tier; /* code */
        int64_t orders, spend_minor, growth, points_active;
        struct instant first_order_at, last_order_at;
};
SHAPE_DECLARE(customer_metrics);

/* A customer as stored and as shown. */
struct customer {
        struct uuid id;
        const char *external_id;
        const char *phone, *email;                 /* only filled where the customer is shown */
        LIST_OF(struct known_identity) identities; /* the others; filled by customers_fill_in alone */
        LIST_OF(struct address) addresses;         /* the default first, then by name; likewise */
        const char *name;
        unsigned gender;
        struct birthday birthday;
        const char *language, *country, *province, *city, *district, *owner;
        struct source source;
        struct json_text attributes, preferences;
        struct instant inquired_at; /* first asked or filled a cart */
        /* only filled where the customer is shown (directory_complete) */
        unsigned lifecycle, deal_status; /* enum lifecycle, enum deal */
        struct customer_metrics *metrics;
        int64_t version;
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(customer);

/* "ext:C-77" or a UUID to the id that it names; nothing is looked up. ERR_NOT_FOUND when it is neither. */
enum err customer_reference(struct ctx *c, const char *reference, struct uuid *ret) MUST_CHECK;

/* The customer behind a reference, old ids included. ERR_NOT_FOUND; ERR_ERASED, which whoever takes a
 * reference answers too. */
enum err customer_get(struct ctx *c, const char *reference, struct customer *ret) MUST_CHECK;

/* Lock the customer behind a reference until the transaction ends: whoever changes anything of a customer
 * holds this lock. ERR_NOT_FOUND. */
enum err customer_lock(struct ctx *c, const char *reference, struct customer *ret) MUST_CHECK;

/* The same by the id that something stored belongs to, be its customer erased or not. */
enum err customer_lock_id(struct ctx *c, struct uuid id, struct customer *ret) MUST_CHECK;

/* Lock these customers, erased or not, in the order of their ids; *ret holds struct customer_locked. Unknown
 * ids are left out. */
struct customer_locked {
        struct uuid id;
        struct instant created_at;
};
enum err customers_lock(struct ctx *c, const struct uuids *ids, struct list *ret) MUST_CHECK;

/* Queue the same: what is queued behind it is read when the locks are held. */
enum err customers_lock_later(struct ctx *c, const struct uuids *ids, struct list *ret) MUST_CHECK;

/* Create a customer. ERR_IDENTITY_TAKEN, ERR_INVALID. In a transaction. */
enum err customer_create(struct ctx *c, const struct customer_in *in, struct customer *ret) MUST_CHECK;

/* Create or update by reference ("ext:C-77"). ERR_IDENTITY_TAKEN, ERR_ADDRESSES_TOO_MANY, ERR_INVALID,
 * ERR_NOT_FOUND (an unknown UUID). */
enum err customer_upsert(struct ctx *c, const char *reference, const struct customer_in *in,
                         struct customer *ret, bool *ret_created) MUST_CHECK;

/* Is the customer at this version? 0 takes any. Locks the customer, so the answer holds until the transaction
 * ends. ERR_NOT_FOUND, ERR_STALE. */
enum err customer_expect(struct ctx *c, const char *reference, int64_t expected_version) MUST_CHECK;

/* JSON merge patch, whose list of identities replaces those that are not the profile's phone and e-mail, and
 * whose list of addresses replaces all of them; expected_version 0 takes any. ERR_NOT_FOUND, ERR_STALE,
 * ERR_IDENTITY_TAKEN, ERR_INVALID.
 */
enum err customer_patch(struct ctx *c, const char *reference, const struct customer_in *in,
                        int64_t expected_version, struct customer *ret) MUST_CHECK;

/* Who the reference means that names the referrer of a customer (nil: of somebody unknown): as an order would
 * take it. ERR_INVALID, with a fault at pointer. */
enum err customer_referrer(struct ctx *c, const char *pointer, const char *reference, struct uuid customer_id,
                           struct uuid *ret) MUST_CHECK;

/* Note who referred a customer, in a referral that came by itself; nothing where somebody is known already.
 * His row is locked. */
enum err customer_referred(struct ctx *c, struct uuid id, struct uuid referrer_id) MUST_CHECK;

/* ---- many at once */

/* The ids behind references, old ids included; nil where there is no such customer. Until the transaction
 * ends nobody of them is merged or erased. One round trip, two when there are old ids.
 */
enum err customers_resolve(struct ctx *c, const struct texts *references, struct uuid *ret_ids) MUST_CHECK;

/* The same, and lock them in the order of their ids. */
enum err customers_lock_many(struct ctx *c, const struct texts *references, struct uuid *ret_ids) MUST_CHECK;

/* The customers of these ids with their contacts, in any order; those that are gone are left out. */
enum err customers_of(struct ctx *c, const struct uuids *ids, struct list *ret) MUST_CHECK;

/* Fill in what these customers have several of: by what else than their phones and e-mails, which they hold
 * already, they are recognised, and their addresses. One round trip. */
enum err customers_fill_in(struct ctx *c, struct customer *customers, size_t n) MUST_CHECK;

/* Queue: note that these customers first asked at a moment, where none is noted. They are known. Takes the
 * locks of those that change. */
struct customer_moment {
        struct uuid customer_id;
        struct instant at;
};
enum err customers_inquired(struct ctx *c, const struct customer_moment *moments, size_t n) MUST_CHECK;

/* The same for customers who are locked and of whom nothing is noted, each once: no round trip. */
enum err customers_first_asked(struct ctx *c, const struct customer_moment *moments, size_t n) MUST_CHECK;

/* Tell the directory that something changed which customers are listed by: their own fields, orders, spend,
 * growth, tier, active points. Whoever writes such a thing calls this in the same transaction; at its end
 * everybody is noted once. */
void customers_touched(struct ctx *c, const struct uuid *ids, size_t n);

/* Take at most limit customers from those that were touched (each once); *ret_more when others remain. In a
 * transaction, which alone takes any until it ends. */
struct touched {
        LIST_OF(struct customer_moment) customers; /* at: unused */
        bool more;
};
enum err customers_take_touched(struct ctx *c, int64_t limit, struct touched *ret) MUST_CHECK;
/* Wait until whoever takes some is through, and let nobody take any until the transaction ends. */
enum err customers_touched_hold(struct ctx *c) MUST_CHECK;

/* How many notes wait to be taken, up to limit. */
enum err customers_touched_count(struct ctx *c, int64_t limit, int64_t *ret) MUST_CHECK;

/* One of the people of a batch of orders. */
struct customer_claim {
        struct ctx *c;       /* whose faults these are */
        const char *pointer; /* where `in` stands in its body: "#/customer" */
        const struct customer_in *in;
        struct source contact; /* this contact: the source of somebody new, as far as he names no other;
                                  out: referrer_id, nil where there is none */
        bool adopts_id;        /* an id that nobody has is given to a new customer: an export comes back */
        bool only_new;         /* somebody who is known is refused */
        struct instant created_at; /* since when somebody new is a customer; none: now */
        enum err err; /* out: ERR_OK, ERR_INVALID, ERR_IDENTITY_TAKEN, ERR_ADDRESSES_TOO_MANY, ERR_NOT_FOUND,
                         ERR_ERASED */
        struct customer *customer; /* out: locked; as this claim leaves it */
        bool created;
        bool touched; /* it created or changed something: whoever then refuses the call must undo the
                         transaction */
};

/* Find, lock, create and fill in the people of a batch, all at once: one read round trip when everybody is
 * known, writes queued. A claim's own failure goes into its err; the result is the batch's. In a transaction.
 */
enum err customers_claim(struct ctx *c, struct customer_claim *claims, size_t n) MUST_CHECK;

/* Pure: an identity in its one normal form (e-mail trimmed and lower-case, phone E.164 with +86 where no
 * country is given); a fault at pointer when it has none. Returns NULL then. */
const char *identity_normal(struct ctx *c, const char *pointer, const char *kind, const char *value);

/* The path of something that a customer has: /v1/customers/<id>/<parts>/<name>. In the arena. */
const char *customer_part(struct arena *arena, struct uuid customer_id, const char *parts, const char *name);
const char *customer_part_by_id(struct arena *arena, struct uuid customer_id, const char *parts,
                                struct uuid id);
