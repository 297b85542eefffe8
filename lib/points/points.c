#include "points/points.h"

#include <assert.h>
#include <stdlib.h>

#include "base/idmap.h"
#include "customers/customers.h"
#include "events/events.h"
#include "points/expiry.h"
#include "points/store.h"
#include "program/programs.h"

#define SHAPE_T struct customers_key
SHAPE(customers_key, "Customers.", FIELD(ids));
#undef SHAPE_T

#define SHAPE_T struct lot
SHAPE(lot, "A lot.", FIELD(customer_id), FIELD(lot_no), FIELD(amount), FIELD(remaining), FIELD(pending),
      FIELD(active_from), FIELD(expires_at), FIELD(order_id));
#undef SHAPE_T

#define SHAPE_T struct lot_life
SHAPE(lot_life, "Another life.", FIELD(customer_id), FIELD(lot_no), FIELD(seq), FIELD(expires_before));
#undef SHAPE_T

#define SHAPE_T struct lot_draw
SHAPE(lot_draw, "A draw.", FIELD(customer_id), FIELD(seq), FIELD(lot_no), FIELD(amount));
#undef SHAPE_T

SQL_LATER(
        accounts_load, customers_key, points_account,
        "SELECT customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, lifetime_expired, last_seq, "
        "moved_at, due_at FROM points_accounts WHERE customer_id = ANY(:ids)")

SQL_LATER(
        lots_load, customers_key, lot,
        "SELECT customer_id, lot_no, amount, remaining, pending, active_from, expires_at, order_id FROM points_lots "
        "WHERE customer_id = ANY(:ids) AND remaining > 0 ORDER BY customer_id, lot_no")

SQL_BATCH(
        accounts_store, points_account,
        "INSERT INTO points_accounts (customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, "
        "lifetime_expired, last_seq, moved_at, due_at) SELECT * FROM unnest(:customer_id, :active, :pending, :held, :debt, "
        ":lifetime_earned, :lifetime_spent, :lifetime_expired, :last_seq, :moved_at, :due_at) "
        "ON CONFLICT (customer_id) DO UPDATE SET active = excluded.active, pending = excluded.pending, "
        "held = excluded.held, debt = excluded.debt, lifetime_earned = excluded.lifetime_earned, "
        "lifetime_spent = excluded.lifetime_spent, lifetime_expired = excluded.lifetime_expired, "
        "last_seq = excluded.last_seq, moved_at = excluded.moved_at, due_at = excluded.due_at")

SQL_BATCH(
        entries_insert, ledger_entry,
        "INSERT INTO points_ledger (customer_id, seq, kind, amount, active_after, pending_after, held_after, "
        "debt_after, cause, order_id, reference, lot_no, actor, reason, created_at) SELECT * FROM unnest(:customer_id, :seq, "
        ":kind, :amount, :active_after, :pending_after, :held_after, :debt_after, :cause, :order_id, :reference, :lot_no, "
        ":actor, :reason, :created_at)")

/* New lots are inserted; those drawn from exist, and only change what can change. More points than
 * were warned of, or another end, are warned of anew; those that only come back from a cart are not. */
SQL_BATCH(
        lots_store, lot,
        "INSERT INTO points_lots (customer_id, lot_no, amount, remaining, pending, active_from, expires_at, order_id) "
        "SELECT * FROM unnest(:customer_id, :lot_no, :amount, :remaining, :pending, :active_from, :expires_at, :order_id) "
        "ON CONFLICT (customer_id, lot_no) DO UPDATE SET remaining = excluded.remaining, pending = excluded.pending, "
        "active_from = excluded.active_from, expires_at = excluded.expires_at, "
        "warned = points_lots.warned AND points_lots.expires_at IS NOT DISTINCT FROM excluded.expires_at "
        "AND excluded.remaining <= coalesce(points_lots.warned_of, points_lots.remaining)")

SQL_BATCH(draws_insert, lot_draw,
          "INSERT INTO points_allocations (customer_id, seq, lot_no, amount) "
          "SELECT * FROM unnest(:customer_id, :seq, :lot_no, :amount)")

SQL_BATCH(lives_insert, lot_life,
          "INSERT INTO points_lot_lives (customer_id, lot_no, seq, expires_before) "
          "SELECT * FROM unnest(:customer_id, :lot_no, :seq, :expires_before)")

enum err points_accounts_later(struct ctx *c, const struct uuids *customers, struct list *ret)
{
        return accounts_load(c, &(struct customers_key){*customers}, ret);
}

enum err points_lots_later(struct ctx *c, const struct uuids *customers, struct list *ret)
{
        return lots_load(c, &(struct customers_key){*customers}, ret);
}

void points_lots_give(struct arena *arena, struct book *book, const struct list *rows)
{
        assert(!book->lots_loaded && book->lot_count == 0);
        book_lots_add(book, arena, rows);
        book->lots_loaded = true;
}

/* Whatever lapses is an event, whoever finds it. */
static enum err expiries_tell(struct ctx *c, const struct journal *journal)
{
        struct event_list events = {0};

        for (size_t i = 0; i < journal->entries.n; i++) {
                const struct ledger_entry *entry = &journal->entries.v[i];
                struct points_event event = {.points = -entry->amount};
                if (entry->kind != ENTRY_EXPIRE)
                        continue;
                instant_parse(entry->reference, &event.expires_at);
                event_add(c->arena, &events, EVENT_POINTS_EXPIRED, entry->customer_id, c->now,
                          &points_event_shape, &event);
        }
        return events_store(c, &events);
}

enum err points_store(struct ctx *c, struct book *const *books, size_t n, const struct journal *journal)
{
        struct points_account *accounts = ARENA_ARRAY(c->arena, n, struct points_account);
        struct uuid *touched = ARENA_ARRAY(c->arena, n, struct uuid);
        size_t account_count = 0, lot_count = 0;

        for (size_t i = 0; i < n; i++)
                lot_count += books[i]->lot_count;
        struct lot *lots = ARENA_ARRAY(c->arena, lot_count, struct lot);
        lot_count = 0;
        for (size_t i = 0; i < n; i++) {
                struct book *book = books[i];
                assert(book_check(book));
                if (!book->changed)
                        continue;
                book_due_note(book);
                touched[account_count] = book->account.customer_id;
                accounts[account_count++] = book->account;
                for (size_t k = 0; k < book->lot_count; k++)
                        if (book->lot_states[k] != LOT_STORED)
                                lots[lot_count++] = book->lots[k];
        }
        TRY(accounts_store(c, accounts, account_count));
        customers_touched(c, touched, account_count);
        TRY(entries_insert(c, journal->entries.v, journal->entries.n));
        TRY(lots_store(c, lots, lot_count));
        TRY(holds_store(c, books, n));
        TRY(lives_insert(c, journal->lives.v, journal->lives.n));
        TRY(draws_insert(c, journal->draws.v, journal->draws.n));
        return expiries_tell(c, journal);
}

/* ------------------------------------------------------------------ one customer */

enum err book_load(struct ctx *c, struct uuid customer_id, struct uuid hold_id, struct book *ret)
{
        struct uuids ids = {&customer_id, 1};
        struct list accounts = {0}, lots = {0};
        struct hold_rows holds = {0};
        struct book book = {.account.customer_id = customer_id};

        TRY(points_accounts_later(c, &ids, &accounts));
        TRY(points_lots_later(c, &ids, &lots));
        if (uuid_known(hold_id))
                TRY(points_holds_later(c, &(struct hold_probe){ids, {&hold_id, 1}}, &holds));
        TRY(db_flush(c));
        if (accounts.n == 1)
                book.account = *(const struct points_account *)accounts.v;
        points_lots_give(c->arena, &book, &lots);
        points_holds_give(c->arena, &book, &holds);
        *ret = book;
        return ERR_OK;
}

enum err books_load(struct ctx *c, const struct uuids *customers, const struct hold_probe *holds,
                    struct books *ret)
{
        struct books books = {.v = ARENA_ARRAY(c->arena, customers->n, struct book),
                              .by_customer = idmap_new(c->arena, customers->n)};
        struct list accounts = {0}, lots = {0};
        struct hold_rows hold_rows = {0};

        TRY(points_accounts_later(c, customers, &accounts));
        TRY(points_lots_later(c, customers, &lots));
        if (holds != NULL)
                TRY(points_holds_later(c, holds, &hold_rows));
        TRY(db_flush(c));
        for (size_t i = 0; i < customers->n; i++) {
                if (idmap_get(&books.by_customer, customers->v[i]) != SIZE_MAX)
                        continue;
                books.v[books.n].account.customer_id = customers->v[i];
                idmap_put(&books.by_customer, customers->v[i], books.n++);
        }
        for (size_t i = 0; i < accounts.n; i++) {
                const struct points_account *account = &((const struct points_account *)accounts.v)[i];
                books_of(&books, account->customer_id)->account = *account;
        }
        for (size_t i = 0; i < lots.n; i++) {
                struct lot *lot = &((struct lot *)lots.v)[i];
                book_lots_add(books_of(&books, lot->customer_id), c->arena, &(struct list){.v = lot, .n = 1});
        }
        for (size_t i = 0; i < books.n; i++) {
                points_holds_give(c->arena, &books.v[i], &hold_rows);
                books.v[i].lots_loaded = true;
        }
        *ret = books;
        return ERR_OK;
}

enum err books_store(struct ctx *c, const struct books *books, const struct journal *journal)
{
        struct book **all = ARENA_ARRAY(c->arena, books->n, struct book *);

        for (size_t i = 0; i < books->n; i++)
                all[i] = &books->v[i];
        return points_store(c, all, books->n, journal);
}

enum err book_store(struct ctx *c, struct book *book, const struct journal *journal)
{
        return points_store(c, &book, 1, journal);
}

static void balance_of(const struct points_account *account, struct points_balance *ret)
{
        *ret = (struct points_balance){
                .customer_id = account->customer_id,
                .active = account->active,
                .pending = account->pending,
                .held = account->held,
                .debt = account->debt,
                .lifetime_earned = account->lifetime_earned,
                .lifetime_spent = account->lifetime_spent,
                .lifetime_expired = account->lifetime_expired,
        };
}

/* ------------------------------------------------------------------ reading */

#define SHAPE_T struct expiring
SHAPE(expiring, "Points that lapse together.", FIELD(customer_id), FIELD(expires_at), FIELD(points));
#undef SHAPE_T

SQL_LATER(expiries_load, customers_key, expiring,
          "SELECT customer_id, expires_at, sum(remaining)::bigint AS points FROM points_lots "
          "WHERE customer_id = ANY(:ids) AND expires_at IS NOT NULL AND remaining > 0 AND NOT pending "
          "GROUP BY customer_id, expires_at ORDER BY customer_id, expires_at")

/* Dated expiries as they are; the rest lapses by inactivity or never. */
static void expiries_give(struct arena *arena, const struct list *rows, struct instant inactive,
                          struct points_balance *balance)
{
        const struct expiring *expiring = rows->v;
        int64_t undated = balance->active;
        size_t n = 0;

        for (size_t i = 0; i < rows->n; i++)
                if (uuid_equal(expiring[i].customer_id, balance->customer_id)) {
                        undated -= expiring[i].points;
                        n++;
                }
        struct expiry *next = balance->next_expiries.v = ARENA_ARRAY(arena, n + 1, struct expiry);
        n = 0;
        for (size_t i = 0; i < rows->n; i++) {
                if (!uuid_equal(expiring[i].customer_id, balance->customer_id))
                        continue;
                int64_t points = expiring[i].points;
                if (undated > 0 && instant_known(inactive) && inactive.us <= expiring[i].expires_at.us) {
                        if (inactive.us == expiring[i].expires_at.us)
                                points += undated;
                        else
                                next[n++] = (struct expiry){inactive, undated};
                        undated = 0;
                }
                next[n++] = (struct expiry){expiring[i].expires_at, points};
        }
        if (undated > 0)
                next[n++] = (struct expiry){inactive, undated};
        balance->next_expiries.n = n;
}

static int expiring_order(const void *a, const void *b)
{
        const struct expiring *x = a, *y = b;

        return (x->expires_at.us > y->expires_at.us) - (x->expires_at.us < y->expires_at.us);
}

/* Rows of one customer, by date, one for each; returns how many. */
static size_t expiring_sum(struct expiring *rows, size_t n)
{
        size_t last = 0;

        if (n == 0)
                return 0;
        qsort(rows, n, sizeof *rows, expiring_order);
        for (size_t i = 1; i < n; i++)
                if (rows[i].expires_at.us == rows[last].expires_at.us)
                        rows[last].points += rows[i].points;
                else
                        rows[++last] = rows[i];
        return last + 1;
}

static struct instant inactive_end(const struct ctx *c, const struct program *program,
                                   const struct points_account *account)
{
        return expiry_by_inactivity(&program->points.expiry, &c->shop->zone, account->moved_at);
}

void balance_fill(const struct ctx *c, const struct program *program, const struct points_account *account,
                  const struct list *expiries, struct points_balance *ret)
{
        balance_of(account, ret);
        expiries_give(c->arena, expiries, inactive_end(c, program, account), ret);
}

/* The balance as it is now, though the housekeeper has not come by: what he would book is reckoned, and not
 * written. */
static enum err balance_catch_up(struct ctx *c, const struct program *program, struct book *book,
                                 const struct points_read *read)
{
        struct journal journal = journal_of(c, program);
        struct list expiries = {.v = NULL};

        TRY(points_catch_up(c, &book, 1, &journal, c->now));
        if (!book->lots_loaded)
                return ERR_OK; /* history comes in */
        struct expiring *rows = ARENA_ARRAY(c->arena, book->lot_count, struct expiring);
        for (size_t i = 0; i < book->lot_count; i++) {
                const struct lot *lot = &book->lots[i];
                if (!lot->pending && lot->remaining > 0 && instant_known(lot->expires_at))
                        rows[expiries.n++] =
                                (struct expiring){lot->customer_id, lot->expires_at, lot->remaining};
        }
        expiries.v = rows;
        expiries.n = expiring_sum(rows, expiries.n);
        balance_fill(read->c, program, &book->account, &expiries, read->balance);
        return ERR_OK;
}

/* Balances of these ids; returns how many of the reads found an account. */
static enum err balances_read(struct ctx *c, struct points_read *reads, struct uuid *ids, size_t n)
{
        struct uuids key = {ids, n};
        struct list accounts = {0}, expiries = {0};
        struct idmap by_id = idmap_new(c->arena, n);
        PROGRAM(program);
        const struct journal journal = journal_of(c, program);

        TRY(points_accounts_later(c, &key, &accounts));
        TRY(expiries_load(c, &(struct customers_key){key}, &expiries));
        TRY(db_flush(c));
        for (size_t i = 0; i < accounts.n; i++)
                idmap_put(&by_id, ((const struct points_account *)accounts.v)[i].customer_id, i);
        for (size_t i = 0; i < n; i++) {
                size_t at = uuid_known(ids[i]) ? idmap_get(&by_id, ids[i]) : SIZE_MAX;
                if (at == SIZE_MAX)
                        continue;
                struct book book = {.account = ((const struct points_account *)accounts.v)[at]};
                balance_fill(reads[i].c, program, &book.account, &expiries, reads[i].balance);
                if (book_is_due(&book, &journal, c->now))
                        TRY(balance_catch_up(c, program, &book, &reads[i]));
        }
        return ERR_OK;
}

/* An old id, or somebody without an account: rare, so one by one. */
static enum err balance_read_again(struct ctx *c, struct points_read *read)
{
        struct customer customer;
        struct db *own = read->c->db;

        read->c->db = c->db;
        read->err = customer_get(read->c, read->customer, &customer);
        read->c->db = own;
        if (read->err == ERR_NOT_FOUND || read->err == ERR_ERASED)
                return ERR_OK;
        TRY(read->err);
        TRY(balances_read(c, read, &customer.id, 1));
        read->balance->customer_id = customer.id;
        return ERR_OK;
}

/* Of a past instant, likewise. */
static enum err balance_read_past(struct ctx *c, struct points_read *read)
{
        struct db *own = read->c->db;

        read->c->db = c->db;
        read->err = balance_as_of(read->c, read->customer, read->as_of, read->balance);
        read->c->db = own;
        return read->err == ERR_NOT_FOUND || read->err == ERR_INVALID ? ERR_OK : read->err;
}

enum err points_balances(struct ctx *c, struct points_read *reads, size_t n)
{
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);

        for (size_t i = 0; i < n; i++)
                if (!instant_known(reads[i].as_of))
                        reads[i].err = customer_reference(reads[i].c, reads[i].customer, &ids[i]);
        TRY(balances_read(c, reads, ids, n));
        for (size_t i = 0; i < n; i++) {
                if (instant_known(reads[i].as_of))
                        TRY(balance_read_past(c, &reads[i]));
                else if (reads[i].err == ERR_OK && !uuid_known(reads[i].balance->customer_id))
                        TRY(balance_read_again(c, &reads[i]));
        }
        return ERR_OK;
}

enum err balance_after(struct ctx *c, const struct program *program, const struct book *book,
                       struct points_balance *ret)
{
        struct uuid customer_id = book->account.customer_id;
        struct list expiries = {0};

        TRY(expiries_load(c, &(struct customers_key){{&customer_id, 1}}, &expiries));
        TRY(db_flush(c));
        balance_fill(c, program, &book->account, &expiries, ret);
        return ERR_OK;
}

enum err points_too_few(struct ctx *c, const struct book *book, int64_t required, const char *what)
{
        problem_int(c, "balance", book->account.active);
        problem_int(c, "required", required);
        return fail(c, ERR_POINTS_TOO_FEW, "The balance is %lld; the %s costs %lld.",
                    (long long)book->account.active, what, (long long)required);
}

/* ------------------------------------------------------------------ writing */

enum err points_spend(struct ctx *c, const struct points_spending *in, struct points_spent *ret)
{
        struct customer customer;
        struct book book;
        PROGRAM(program);
        struct journal journal = journal_of(c, program);

        TRY(customer_lock(c, in->customer, &customer));
        TRY(book_load(c, customer.id, /* hold_id= */ (struct uuid){0}, &book));
        TRY(points_catch_up(c, (struct book *[]){&book}, 1, &journal, c->now));
        struct posting why = {.at = c->now, .cause = "redemption", .reason = in->reason};
        if (!book_spend(&book, &journal, &why, in->points))
                return points_too_few(c, &book, in->points, "redemption");
        TRY(book_store(c, &book, &journal));
        *ret = (struct points_spent){
                .customer_id = customer.id, .seq = book.account.last_seq, .points = in->points};
        return balance_after(c, program, &book, &ret->balance);
}
