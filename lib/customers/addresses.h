/* Addresses: where a customer's parcels go, each under a name of the shop's own. */
#pragma once

#include "base/ctx.h"
#include "customers/address.h"

/* One that is put or taken away. */
struct address_change {
        const struct ctx *who; /* whose request it is; NULL: that of the call */
        struct uuid customer_id;
        struct named_address wanted; /* to be taken away: only its name counts */
        struct instant created_at;   /* since when somebody new to it has it; none: as is known, or now */
        bool remove;
        enum err err; /* out: ERR_OK, ERR_ADDRESSES_TOO_MANY */
        bool created; /* out: there was none of this name */
};

/* Change addresses of customers whose locks the transaction holds; n is at most 1,000. A change's own failure
 * goes into its err; the result is the batch's. Emits address.added, address.changed and address.removed, and
 * the customers are at their next version. */
enum err addresses_change(struct ctx *c, struct address_change *changes, size_t n) MUST_CHECK;

/* ERR_ADDRESSES_TOO_MANY, in words. */
enum err addresses_too_many(struct ctx *c) MUST_CHECK;

/* All addresses of a customer: the default first, then by name. */
enum err addresses_list(struct ctx *c, struct uuid customer_id, struct list *ret) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err address_get(struct ctx *c, const char *customer, const char *name, struct address *ret) MUST_CHECK;

/* One address of one customer, in a transaction: all that was known of it is replaced. expected_version 0
 * takes any. ERR_NOT_FOUND, ERR_STALE, ERR_ADDRESSES_TOO_MANY. */
enum err address_put(struct ctx *c, const char *customer, const struct named_address *wanted,
                     int64_t expected_version, struct address *ret, bool *ret_created) MUST_CHECK;

/* JSON merge patch. ERR_NOT_FOUND, ERR_STALE, ERR_INVALID (without a street). */
enum err address_change_one(struct ctx *c, const char *customer, const char *name,
                            const struct address_patch *patch, int64_t expected_version,
                            struct address *ret) MUST_CHECK;

/* ERR_NOT_FOUND also when the customer has no such address. */
enum err address_remove(struct ctx *c, const char *customer, const char *name) MUST_CHECK;
