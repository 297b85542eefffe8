#include "points/points.h"

#include <assert.h>

#include "base/idmap.h"
#include "customers/customers.h"
#include "db/statement.h"

struct customers_key {
        struct uuids ids;
};
#define SHAPE_T struct customers_key
SHAPE(customers_key, "Customers.", FIELD(ids));
#undef SHAPE_T

#define SHAPE_T struct lot
SHAPE(lot, "A lot.", FIELD(customer_id), FIELD(lot_no), FIELD(amount), FIELD(remaining), FIELD(pending),
      FIELD(active_from), FIELD(expires_at), FIELD(order_id));
#undef SHAPE_T

#define SHAPE_T struct lot_draw
SHAPE(lot_draw, "A draw.", FIELD(customer_id), FIELD(seq), FIELD(lot_no), FIELD(amount));
#undef SHAPE_T

SQL_LATER(
        accounts_load, customers_key, points_account,
        "SELECT customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, lifetime_expired, last_seq "
        "FROM points_accounts WHERE customer_id = ANY(:ids)")

SQL_LATER(
        lots_load, customers_key, lot,
        "SELECT customer_id, lot_no, amount, remaining, pending, active_from, expires_at, order_id FROM points_lots "
        "WHERE customer_id = ANY(:ids) AND remaining > 0 ORDER BY customer_id, lot_no")

SQL_BATCH(
        accounts_store, points_account,
        "INSERT INTO points_accounts (customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, "
        "lifetime_expired, last_seq) SELECT * FROM unnest(:customer_id, :active, :pending, :held, :debt, "
        ":lifetime_earned, :lifetime_spent, :lifetime_expired, :last_seq) "
        "ON CONFLICT (customer_id) DO UPDATE SET active = excluded.active, pending = excluded.pending, "
        "held = excluded.held, debt = excluded.debt, lifetime_earned = excluded.lifetime_earned, "
        "lifetime_spent = excluded.lifetime_spent, lifetime_expired = excluded.lifetime_expired, "
        "last_seq = excluded.last_seq")

SQL_BATCH(
        entries_insert, ledger_entry,
        "INSERT INTO points_ledger (customer_id, seq, kind, amount, active_after, pending_after, held_after, "
        "debt_after, cause, order_id, reference, created_at) SELECT * FROM unnest(:customer_id, :seq, :kind, :amount, "
        ":active_after, :pending_after, :held_after, :debt_after, :cause, :order_id, :reference, :created_at)")

/* New lots are inserted; those drawn from exist, and only change what can change. */
SQL_BATCH(
        lots_store, lot,
        "INSERT INTO points_lots (customer_id, lot_no, amount, remaining, pending, active_from, expires_at, order_id) "
        "SELECT * FROM unnest(:customer_id, :lot_no, :amount, :remaining, :pending, :active_from, :expires_at, :order_id) "
        "ON CONFLICT (customer_id, lot_no) DO UPDATE SET remaining = excluded.remaining, pending = excluded.pending, "
        "active_from = excluded.active_from, expires_at = excluded.expires_at")

SQL_BATCH(draws_insert, lot_draw,
          "INSERT INTO points_allocations (customer_id, seq, lot_no, amount) "
          "SELECT * FROM unnest(:customer_id, :seq, :lot_no, :amount)")

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
        const struct lot *lots = rows->v;
        size_t n = 0;

        assert(book->lot_count == 0);
        book->lots = ARENA_ARRAY(arena, rows->n, struct lot);
        book->lot_states = ARENA_ARRAY(arena, rows->n, unsigned char);
        for (size_t i = 0; i < rows->n; i++)
                if (uuid_equal(lots[i].customer_id, book->account.customer_id))
                        book->lots[n++] = lots[i];
        book->lot_count = n;
        book->lot_room = rows->n;
        book->lots_loaded = true;
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
                const struct book *book = books[i];
                assert(book_check(book));
                if (!book->changed)
                        continue;
                touched[account_count] = book->account.customer_id;
                accounts[account_count++] = book->account;
                for (size_t k = 0; k < book->lot_count; k++)
                        if (book->lot_states[k] != LOT_STORED)
                                lots[lot_count++] = book->lots[k];
        }
        TRY(accounts_store(c, accounts, account_count));
        TRY(customers_touched(c, touched, account_count));
        TRY(entries_insert(c, journal->entries.v, journal->entries.n));
        TRY(lots_store(c, lots, lot_count));
        return draws_insert(c, journal->draws.v, journal->draws.n);
}

/* ------------------------------------------------------------------ one customer */

/* The book of one customer whose lock is held. */
static enum err book_load(struct ctx *c, struct uuid customer_id, struct book *ret)
{
        struct uuids ids = {&customer_id, 1};
        struct list accounts = {0}, lots = {0};
        struct book book = {.account.customer_id = customer_id};

        TRY(points_accounts_later(c, &ids, &accounts));
        TRY(points_lots_later(c, &ids, &lots));
        TRY(db_flush(c));
        if (accounts.n == 1)
                book.account = *(const struct points_account *)accounts.v;
        points_lots_give(c->arena, &book, &lots);
        *ret = book;
        return ERR_OK;
}

static enum err book_store(struct ctx *c, struct book *book, const struct journal *journal)
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

struct expiring {
        struct uuid customer_id;
        struct instant expires_at;
        int64_t points;
};
#define SHAPE_T struct expiring
SHAPE(expiring, "Points that lapse together.", FIELD(customer_id), FIELD(expires_at), FIELD(points));
#undef SHAPE_T

SQL_LATER(expiries_load, customers_key, expiring,
          "SELECT customer_id, expires_at, sum(remaining)::bigint AS points FROM points_lots "
          "WHERE customer_id = ANY(:ids) AND expires_at IS NOT NULL AND remaining > 0 AND NOT pending "
          "GROUP BY customer_id, expires_at ORDER BY customer_id, expires_at")

/* Dated expiries as they are, the rest never lapses. */
static void expiries_give(struct arena *arena, const struct list *rows, struct points_balance *balance)
{
        const struct expiring *expiring = rows->v;
        int64_t dated = 0;
        size_t n = 0;

        for (size_t i = 0; i < rows->n; i++)
                n += uuid_equal(expiring[i].customer_id, balance->customer_id);
        balance->next_expiries.v = ARENA_ARRAY(arena, n + 1, struct expiry);
        for (size_t i = 0; i < rows->n; i++) {
                if (!uuid_equal(expiring[i].customer_id, balance->customer_id))
                        continue;
                balance->next_expiries.v[balance->next_expiries.n++] =
                        (struct expiry){expiring[i].expires_at, expiring[i].points};
                dated += expiring[i].points;
        }
        if (balance->active > dated)
                balance->next_expiries.v[balance->next_expiries.n++] =
                        (struct expiry){.points = balance->active - dated};
}

/* Balances of these ids; returns how many of the reads found an account. */
static enum err balances_read(struct ctx *c, struct points_read *reads, struct uuid *ids, size_t n)
{
        struct uuids key = {ids, n};
        struct list accounts = {0}, expiries = {0};
        struct idmap by_id = idmap_new(c->arena, n);

        TRY(points_accounts_later(c, &key, &accounts));
        TRY(expiries_load(c, &(struct customers_key){key}, &expiries));
        TRY(db_flush(c));
        for (size_t i = 0; i < accounts.n; i++)
                idmap_put(&by_id, ((const struct points_account *)accounts.v)[i].customer_id, i);
        for (size_t i = 0; i < n; i++) {
                size_t at = uuid_known(ids[i]) ? idmap_get(&by_id, ids[i]) : SIZE_MAX;
                if (at == SIZE_MAX)
                        continue;
                balance_of(&((const struct points_account *)accounts.v)[at], reads[i].balance);
                expiries_give(reads[i].c->arena, &expiries, reads[i].balance);
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
        if (read->err == ERR_NOT_FOUND)
                return ERR_OK;
        TRY(read->err);
        TRY(balances_read(c, read, &customer.id, 1));
        read->balance->customer_id = customer.id;
        return ERR_OK;
}

enum err points_balances(struct ctx *c, struct points_read *reads, size_t n)
{
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);

        for (size_t i = 0; i < n; i++)
                reads[i].err = customer_reference(reads[i].c, reads[i].customer, &ids[i]);
        TRY(balances_read(c, reads, ids, n));
        for (size_t i = 0; i < n; i++)
                if (reads[i].err == ERR_OK && !uuid_known(reads[i].balance->customer_id))
                        TRY(balance_read_again(c, &reads[i]));
        return ERR_OK;
}

#define SHAPE_T struct ledger_page
SHAPE(ledger_page, "A position.", FIELD(customer_id), FIELD(before_seq), FIELD(limit));
#undef SHAPE_T

SQL_MANY(
        ledger_load, ledger_page, ledger_entry,
        "SELECT customer_id, seq, kind, amount, active_after, pending_after, held_after, debt_after, cause, order_id, "
        "reference, created_at FROM points_ledger WHERE customer_id = :customer_id "
        "AND (:before_seq = 0 OR seq < :before_seq) ORDER BY seq DESC LIMIT :limit")

enum err points_ledger(struct ctx *c, const struct ledger_page *page, struct list *ret)
{
        return ledger_load(c, page, ret);
}

/* ------------------------------------------------------------------ writing */

enum err points_spend(struct ctx *c, const struct points_spending *in, struct points_spent *ret)
{
        struct customer customer;
        struct book book;
        struct journal journal = {.arena = c->arena};
        struct list expiries = {0};

        TRY(customer_lock(c, in->customer, &customer));
        TRY(book_load(c, customer.id, &book));
        struct posting why = {.at = c->now, .cause = "redemption", .reference = in->reason};
        if (!book_spend(&book, &journal, &why, in->points)) {
                problem_int(c, "balance", book.account.active);
                problem_int(c, "required", in->points);
                return fail(c, ERR_POINTS_TOO_FEW, "The balance is %lld; the redemption costs %lld.",
                            (long long)book.account.active, (long long)in->points);
        }
        TRY(book_store(c, &book, &journal));
        TRY(expiries_load(c, &(struct customers_key){{&customer.id, 1}}, &expiries));
        TRY(db_flush(c));
        *ret = (struct points_spent){
                .customer_id = customer.id, .seq = book.account.last_seq, .points = in->points};
        balance_of(&book.account, &ret->balance);
        expiries_give(c->arena, &expiries, &ret->balance);
        return ERR_OK;
}

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

SQL_MANY(
        due_customers, due_limit, due_customer,
        "SELECT DISTINCT customer_id FROM (SELECT customer_id FROM points_lots "
        "WHERE pending AND active_from <= :now AND remaining > 0 ORDER BY active_from LIMIT :limit) AS due ORDER BY customer_id")

static enum err activate_one(struct ctx *c, void *arg)
{
        struct customer customer;
        struct book book;
        struct journal journal = {.arena = c->arena};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customer_lock_id(c, *(const struct uuid *)arg, &customer));
        TRY(book_load(c, customer.id, &book));
        struct posting why = {.at = c->now, .cause = "pending time over"};
        if (book_activate(&book, &journal, &why, (struct uuid){0}) > 0)
                TRY(book_store(c, &book, &journal));
        return tx_commit(&tx);
}

enum err points_activate_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct list due;

        TRY(due_customers(c, &(struct due_limit){limit}, &due));
        for (size_t i = 0; i < due.n; i++)
                TRY(db_run(c, activate_one, &((struct due_customer *)due.v)[i].customer_id));
        *ret_more = due.n > 0;
        return ERR_OK;
}
