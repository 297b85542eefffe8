/* The addresses of one customer while they are changed. Pure. */
#pragma once

#include "customers/address.h"

struct ctx;

struct address_book {
        struct uuid customer_id;
        const struct ctx *who; /* whose request changes it, for the audit log; NULL: that of the call */
        const struct address *before; /* as they are stored */
        size_t before_n;
        struct address *v; /* as they are now; there is room for ADDRESSES_MAX */
        size_t n;
};

/* The address of a name; NULL: there is none. Good until the next change. */
const struct address *address_book_find(const struct address_book *book, const char *name);

/* Would the customer have ADDRESSES_MAX at most with this one? */
bool address_book_takes(const struct address_book *book, const char *name);
/* The same of all of these, whose names differ. */
bool address_book_takes_all(const struct address_book *book, const struct named_address *wanted, size_t n);

/* Put an address that the book takes in place of the one of its name, or beside the others; where it is the
 * default the others no longer are. created_at: since when it is known; none: as is known, or from the
 * settling on. Returns whether anything is another now. */
bool address_book_put(struct address_book *book, const struct named_address *wanted,
                      struct instant created_at);

/* Returns whether there was one. */
bool address_book_remove(struct address_book *book, const char *name);

/* Take all away, to put others in their place. */
void address_book_clear(struct address_book *book);

/* Give those that are not what is stored their versions and times. */
void address_book_settle(struct address_book *book, struct instant now);

/* What became of an address; of one that is gone `after` is NULL, of a new one `before`. */
struct address_difference {
        const struct address *before, *after;
};
/* How a settled book differs from what is stored; ret has room for all of both sides. Returns how many. */
size_t address_book_differences(const struct address_book *book, struct address_difference *ret);

/* What becomes of an address of somebody who is merged into another customer. */
struct address_move {
        const char *name, *new_name;
        bool moves; /* false: the other one has the very same, whatever its name */
        bool is_default;
};
/* Decide it for all of `from`, one each in their order. A name that is taken gets a number behind it; the
 * default is that of `to` where he has one. Returns how many move. */
size_t address_books_join(struct arena *arena, const struct address_book *to, const struct address_book *from,
                          struct address_move *ret);
