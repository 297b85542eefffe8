/* What the files of lib/points share of loading and storing; nobody else includes this. */
#pragma once

#include "db/statement.h"
#include "points/points.h"

SHAPE_DECLARE(lot_draw);

struct customers_key {
        struct uuids ids;
};
SHAPE_DECLARE(customers_key);

/* The book of one customer whose lock is held, with one hold (nil: none). */
enum err book_load(struct ctx *c, struct uuid customer_id, struct uuid hold_id, struct book *ret) MUST_CHECK;

/* Queue the writes of one book. */
enum err book_store(struct ctx *c, struct book *book, const struct journal *journal) MUST_CHECK;

/* The balance of a book whose writes are queued. */
enum err balance_after(struct ctx *c, const struct program *program, const struct book *book,
                       struct points_balance *ret) MUST_CHECK;

/* ERR_POINTS_TOO_FEW: what costs more than the balance. */
enum err points_too_few(struct ctx *c, const struct book *book, int64_t required,
                        const char *what) MUST_CHECK;

/* Queue the writes of the holds that changed. */
enum err holds_store(struct ctx *c, struct book *const *books, size_t n) MUST_CHECK;
