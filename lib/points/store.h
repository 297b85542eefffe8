/* What the files of lib/points share of loading and storing; nobody else includes this. */
#pragma once

#include "base/idmap.h"
#include "db/statement.h"
#include "points/points.h"

SHAPE_DECLARE(lot_draw);

struct customers_key {
        struct uuids ids;
};
SHAPE_DECLARE(customers_key);

/* The book of one customer whose lock is held, with one hold (nil: none). */
enum err book_load(struct ctx *c, struct uuid customer_id, struct uuid hold_id, struct book *ret) MUST_CHECK;

/* Books of several customers, found by customer. */
struct books {
        struct book *v;
        size_t n;
        struct idmap by_customer;
};
static inline struct book *books_of(const struct books *books, struct uuid customer_id)
{
        return &books->v[idmap_get(&books->by_customer, customer_id)];
}

/* Books of customers whose locks are held (a name may come twice), with their lots and these holds (NULL:
 * none). */
enum err books_load(struct ctx *c, const struct uuids *customers, const struct hold_probe *holds,
                    struct books *ret) MUST_CHECK;

/* points_catch_up for all of them, as of now. */
enum err books_catch_up(struct ctx *c, const struct books *books, struct journal *journal) MUST_CHECK;

/* Queue the writes of all that changed. */
enum err books_store(struct ctx *c, const struct books *books, const struct journal *journal) MUST_CHECK;

/* Queue the writes of one book. */
enum err book_store(struct ctx *c, struct book *book, const struct journal *journal) MUST_CHECK;

/* The balance of a book whose writes are queued. */
enum err balance_after(struct ctx *c, const struct program *program, const struct book *book,
                       struct points_balance *ret) MUST_CHECK;

struct expiring {
        struct uuid customer_id;
        struct instant expires_at;
        int64_t points;
};
SHAPE_DECLARE(expiring);

/* The balance of an account with what lapses by date (struct expiring of anybody, by date). */
void balance_fill(const struct ctx *c, const struct program *program, const struct points_account *account,
                  const struct list *expiries, struct points_balance *ret);

/* What it was at a past instant. ERR_NOT_FOUND, ERR_INVALID (it lies in the future). */
enum err balance_as_of(struct ctx *c, const char *customer, struct instant at,
                       struct points_balance *ret) MUST_CHECK;

/* ERR_POINTS_TOO_FEW: what costs more than the balance. */
enum err points_too_few(struct ctx *c, const struct book *book, int64_t required,
                        const char *what) MUST_CHECK;

/* Queue the writes of the holds that changed. */
enum err holds_store(struct ctx *c, struct book *const *books, size_t n) MUST_CHECK;
