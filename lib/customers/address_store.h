/* Loading and storing the addresses of many customers; for the files of lib/customers alone. */
#pragma once

#include "base/idmap.h"
#include "customers/address_book.h"
#include "customers/store.h"

struct address_books {
        struct address_book *v;
        size_t n;
        struct idmap by_customer;
};

/* Queue: the addresses of some customers, in the order in which they are shown; *ret is struct address. */
enum err store_addresses(struct ctx *c, const struct customer_ids *ids, struct list *ret) MUST_CHECK;

/* The books of these customers, with room for `more` of others. One round trip, none without any id. */
enum err address_books_load(struct ctx *c, const struct customer_ids *ids, size_t more,
                            struct address_books *ret) MUST_CHECK;

/* The book of one of them, or of somebody new: an empty one. */
struct address_book *address_book_of(struct ctx *c, struct address_books *books, struct uuid customer_id);

/* Queue what has become of the books, with its events and its entries of the audit log; they are settled
 * then. *ret_changed (or NULL): whose are not what they were, in the arena. */
enum err address_books_store(struct ctx *c, struct address_books *books,
                             struct uuids *ret_changed) MUST_CHECK;

/* Faults of a list of addresses: a name twice, more than one default. */
void addresses_check(struct ctx *c, const char *pointer, const struct customer_in *in);

/* What the list says of each, besides the others: of a customer that the transaction holds. Returns whether
 * anything is another now. The book takes them all. */
bool addresses_put_all(struct address_book *book, const struct customer_in *in);

/* Put the list in place of all that the locked customer has. */
enum err addresses_replace(struct ctx *c, struct uuid customer_id, const struct customer_in *in) MUST_CHECK;
