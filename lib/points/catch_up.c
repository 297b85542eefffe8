/* Whoever decides about points does not wait for the housekeeper. */
#include "history/history.h"
#include "points/store.h"

struct open_hold {
        struct uuid customer_id, id;
};
#define SHAPE_T struct open_hold
SHAPE(open_hold, "A hold that is open.", FIELD(customer_id), FIELD(id));
#undef SHAPE_T

SQL_LATER(holds_open, customers_key, open_hold,
          "SELECT customer_id, id FROM points_holds WHERE customer_id = ANY(:ids) AND state = 'open' "
          "ORDER BY customer_id, id")

/* The lots of those books that have not got them, and all open holds. */
static enum err complete(struct ctx *c, struct book *const *books, size_t n)
{
        struct uuids ids = {ARENA_ARRAY(c->arena, n, struct uuid), n};
        struct uuids without = {ARENA_ARRAY(c->arena, n, struct uuid), 0};
        struct list open = {0}, lots = {0};
        struct hold_rows holds = {0};

        for (size_t i = 0; i < n; i++) {
                ids.v[i] = books[i]->account.customer_id;
                if (!books[i]->lots_loaded)
                        without.v[without.n++] = ids.v[i];
        }
        TRY(holds_open(c, &(struct customers_key){ids}, &open));
        if (without.n > 0)
                TRY(points_lots_later(c, &without, &lots));
        TRY(db_flush(c));
        struct hold_probe probe = {{ARENA_ARRAY(c->arena, open.n, struct uuid), open.n},
                                   {ARENA_ARRAY(c->arena, open.n, struct uuid), open.n}};
        for (size_t i = 0; i < open.n; i++) {
                probe.customers.v[i] = ((const struct open_hold *)open.v)[i].customer_id;
                probe.holds.v[i] = ((const struct open_hold *)open.v)[i].id;
        }
        if (open.n > 0) {
                TRY(points_holds_later(c, &probe, &holds));
                TRY(db_flush(c));
        }
        for (size_t i = 0; i < n; i++) {
                if (!books[i]->lots_loaded)
                        points_lots_give(c->arena, books[i], &lots);
                points_holds_give(c->arena, books[i], &holds);
        }
        return ERR_OK;
}

enum err points_catch_up(struct ctx *c, struct book *const *books, size_t n, struct journal *journal,
                         struct instant at)
{
        struct book **due = ARENA_ARRAY(c->arena, n, struct book *);
        size_t count = 0;
        bool comes;

        for (size_t i = 0; i < n; i++)
                if (book_is_due(books[i], journal, at))
                        due[count++] = books[i];
        if (count == 0)
                return ERR_OK;
        TRY(history_comes(c, &comes));
        if (comes)
                return ERR_OK;
        TRY(complete(c, due, count));
        for (size_t i = 0; i < count; i++)
                book_catch_up(due[i], journal, at);
        return ERR_OK;
}

enum err books_catch_up(struct ctx *c, const struct books *books, struct journal *journal)
{
        struct book **all = ARENA_ARRAY(c->arena, books->n, struct book *);

        for (size_t i = 0; i < books->n; i++)
                all[i] = &books->v[i];
        return points_catch_up(c, all, books->n, journal, c->now);
}
