/* Whoever decides about points does not wait for the housekeeper. */
#include "history/history.h"
#include "points/store.h"

SQL_LATER(holds_open, customers_key, hold_named,
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
        if (open.n > 0) {
                struct hold_probe probe = hold_probe_of(c->arena, &open);
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

/* Are all the points that a hold reserves to be found in its draws, and the lots of these in the book? */
static bool hold_is_whole(const struct book *book, const struct hold *hold)
{
        int64_t points = 0;

        for (size_t i = 0; i < hold->draws.n; i++) {
                size_t lot = 0;
                while (lot < book->lot_count && book->lots[lot].lot_no != hold->draws.v[i].lot_no)
                        lot++;
                if (lot == book->lot_count)
                        return false;
                points += hold->draws.v[i].amount - hold->draws.v[i].returned;
        }
        return points == hold->points;
}

/* Is what was read of a book of one moment? Whoever holds the customer's lock can be sure of it; somebody who
 * only looks reads accounts, lots and holds one after the other, and others may have written meanwhile. */
static bool of_one_moment(const struct book *book)
{
        int64_t held = 0, active = 0, pending = 0;

        for (size_t i = 0; i < book->hold_count; i++) {
                if (book->holds[i].state != HOLD_OPEN)
                        continue;
                if (!hold_is_whole(book, &book->holds[i]))
                        return false;
                held += book->holds[i].points;
        }
        for (size_t i = 0; i < book->lot_count; i++)
                *(book->lots[i].pending ? &pending : &active) += book->lots[i].remaining;
        return held == book->account.held && active == book->account.active &&
               pending == book->account.pending;
}

/* Nothing but the accounts, as they are now. */
static enum err begin_again(struct ctx *c, struct book *const *books, size_t n)
{
        struct uuids ids = {ARENA_ARRAY(c->arena, n, struct uuid), n};
        struct list accounts = {0};

        for (size_t i = 0; i < n; i++)
                ids.v[i] = books[i]->account.customer_id;
        TRY(points_accounts_later(c, &ids, &accounts));
        TRY(db_flush(c));
        for (size_t i = 0; i < n; i++) {
                *books[i] = (struct book){.account.customer_id = ids.v[i]};
                for (size_t k = 0; k < accounts.n; k++) {
                        const struct points_account *account =
                                &((const struct points_account *)accounts.v)[k];
                        if (uuid_equal(account->customer_id, ids.v[i]))
                                books[i]->account = *account;
                }
        }
        return ERR_OK;
}

/* Complete the books and catch up; those that were of several moments are left in `books`, *n of them. */
static enum err complete_some(struct ctx *c, struct book **books, size_t *n, struct journal *journal,
                              struct instant at)
{
        size_t left = 0;

        TRY(complete(c, books, *n));
        for (size_t i = 0; i < *n; i++)
                if (of_one_moment(books[i]))
                        book_catch_up(books[i], journal, at);
                else
                        books[left++] = books[i];
        *n = left;
        return ERR_OK;
}

/* Looks at a customer whose points move all the time: then he is shown as he was at the last one. */
#define LOOKS_MAX 5

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
        for (int look = 1;; look++) {
                TRY(complete_some(c, due, &count, journal, at));
                if (count == 0)
                        return ERR_OK;
                TRY(begin_again(c, due, count));
                if (look == LOOKS_MAX)
                        break;
        }
        for (size_t i = 0; i < count; i++)
                due[i]->account.moved_at =
                        (struct instant){0}; /* his lots are not at hand: nothing is to lapse */
        return ERR_OK;
}

enum err books_catch_up(struct ctx *c, const struct books *books, struct journal *journal)
{
        struct book **all = ARENA_ARRAY(c->arena, books->n, struct book *);

        for (size_t i = 0; i < books->n; i++)
                all[i] = &books->v[i];
        return points_catch_up(c, all, books->n, journal, c->now);
}
