/* What time causes: points that become active, holds whose time is over. Everybody who is due is found
 * without a lock and looked at again behind it, so that two servers, or one after days of outage, do the same
 * once. */
#include "base/idmap.h"
#include "customers/customers.h"
#include "points/store.h"

struct due_limit {
        int64_t limit;
};
#define SHAPE_T struct due_limit
SHAPE(due_limit, "How many at once.", FIELD(limit));
#undef SHAPE_T

struct due_customer {
        struct uuid customer_id;
};
#define SHAPE_T struct due_customer
SHAPE(due_customer, "Somebody with points that are due.", FIELD(customer_id));
#undef SHAPE_T

#define DUE(rows) "SELECT DISTINCT customer_id FROM (" rows " LIMIT :limit) AS due ORDER BY customer_id"

SQL_MANY(pending_due, due_limit, due_customer,
         DUE("SELECT customer_id FROM points_lots WHERE pending AND active_from <= :now AND remaining > 0 "
             "ORDER BY active_from"))

SQL_MANY(
        holds_due, due_limit, due_customer,
        DUE("SELECT customer_id FROM points_holds WHERE state = 'open' AND expires_at <= :now ORDER BY expires_at"))

struct due_hold {
        struct uuid customer_id, id;
};
#define SHAPE_T struct due_hold
SHAPE(due_hold, "A hold whose time is over.", FIELD(customer_id), FIELD(id));
#undef SHAPE_T

SQL_MANY(holds_due_of, customers_key, due_hold,
         "SELECT customer_id, id FROM points_holds WHERE state = 'open' AND expires_at <= :now "
         "AND customer_id = ANY(:ids) ORDER BY customer_id, id")

/* One kind of thing that time causes. */
struct due {
        enum err (*find)(struct ctx *c, const struct due_limit *in, struct list *ret);
        bool holds; /* the books come with their holds that are due */
        void (*decide)(struct ctx *c, struct book *book, struct journal *journal);
};

struct piece {
        const struct due *due;
        struct uuids customers;
};

static enum err holds_of(struct ctx *c, const struct uuids *customers, struct hold_rows *ret)
{
        struct list due;

        TRY(holds_due_of(c, &(struct customers_key){*customers}, &due));
        struct hold_probe probe = {{ARENA_ARRAY(c->arena, due.n, struct uuid), due.n},
                                   {ARENA_ARRAY(c->arena, due.n, struct uuid), due.n}};
        for (size_t i = 0; i < due.n; i++) {
                probe.customers.v[i] = ((const struct due_hold *)due.v)[i].customer_id;
                probe.holds.v[i] = ((const struct due_hold *)due.v)[i].id;
        }
        return points_holds_later(c, &probe, ret);
}

/* Books of customers whose locks are held. */
static enum err books_load(struct ctx *c, const struct piece *piece, struct book *books)
{
        const struct uuids *customers = &piece->customers;
        struct idmap by_id = idmap_new(c->arena, customers->n);
        struct list accounts = {0}, lots = {0};
        struct hold_rows holds = {0};

        TRY(points_accounts_later(c, customers, &accounts));
        TRY(points_lots_later(c, customers, &lots));
        if (piece->due->holds)
                TRY(holds_of(c, customers, &holds));
        TRY(db_flush(c));
        for (size_t i = 0; i < customers->n; i++) {
                books[i].account.customer_id = customers->v[i];
                idmap_put(&by_id, customers->v[i], i);
        }
        for (size_t i = 0; i < accounts.n; i++) {
                const struct points_account *account = &((const struct points_account *)accounts.v)[i];
                books[idmap_get(&by_id, account->customer_id)].account = *account;
        }
        for (size_t i = 0; i < lots.n; i++) {
                const struct lot *lot = &((const struct lot *)lots.v)[i];
                book_lots_add(&books[idmap_get(&by_id, lot->customer_id)], c->arena,
                              &(struct list){.v = (void *)lot, .n = 1});
        }
        for (size_t i = 0; i < customers->n; i++) {
                points_holds_give(c->arena, &books[i], &holds);
                books[i].lots_loaded = true;
        }
        return ERR_OK;
}

static enum err piece_do(struct ctx *c, void *arg)
{
        const struct piece *piece = arg;
        size_t n = piece->customers.n;
        struct book *books = ARENA_ARRAY(c->arena, n, struct book);
        struct book **stored = ARENA_ARRAY(c->arena, n, struct book *);
        struct journal journal = {.arena = c->arena};
        struct list locked;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customers_lock(c, &piece->customers, &locked));
        TRY(books_load(c, piece, books));
        for (size_t i = 0; i < n; i++) {
                piece->due->decide(c, &books[i], &journal);
                stored[i] = &books[i];
        }
        TRY(points_store(c, stored, n, &journal));
        return tx_commit(&tx);
}

static enum err due_do(struct ctx *c, const struct due *due, int64_t limit, bool *ret_more)
{
        struct list rows;
        struct piece piece = {.due = due};

        TRY(due->find(c, &(struct due_limit){limit}, &rows));
        piece.customers.v = ARENA_ARRAY(c->arena, rows.n, struct uuid);
        for (size_t i = 0; i < rows.n; i++)
                piece.customers.v[piece.customers.n++] = ((const struct due_customer *)rows.v)[i].customer_id;
        if (rows.n > 0)
                TRY(db_run(c, piece_do, &piece));
        *ret_more = rows.n > 0;
        return ERR_OK;
}

/* ------------------------------------------------------------------ what there is */

static void activate(struct ctx *c, struct book *book, struct journal *journal)
{
        struct posting why = {.at = c->now, .cause = "pending time over"};

        (void)book_activate(book, journal, &why, /* order_id= */ (struct uuid){0});
}

enum err points_activate_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        return due_do(c, &(struct due){.find = pending_due, .decide = activate}, limit, ret_more);
}

static void holds_expire(struct ctx *c, struct book *book, struct journal *journal)
{
        for (size_t i = 0; i < book->hold_count; i++) {
                struct hold *hold = &book->holds[i];
                struct posting why = {.at = c->now, .cause = "hold expired", .reference = hold->reference};
                if (hold->state == HOLD_OPEN && !hold_is_open(hold, c->now))
                        book_release(book, journal, &why, hold, HOLD_EXPIRED);
        }
}

enum err points_holds_expire_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        return due_do(c, &(struct due){.find = holds_due, .holds = true, .decide = holds_expire}, limit,
                      ret_more);
}
