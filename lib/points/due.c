/* What time causes: points that become active, holds whose time is over. Everybody who is due is found
 * without a lock and looked at again behind it, so that two servers, or one after days of outage, do the same
 * once. */
#include "customers/customers.h"
#include "customers/due.h"
#include "events/events.h"
#include "points/expiry.h"
#include "points/store.h"
#include "program/programs.h"

struct due_limit {
        int64_t limit, half;
        struct instant until;       /* what lies before this is looked for */
        struct instant silent_from; /* of the programme */
};
#define SHAPE_T struct due_limit
SHAPE(due_limit, "How many at once, and of whom.", FIELD(limit), FIELD(half), FIELD(until),
      FIELD(silent_from));
#undef SHAPE_T

struct due_customer {
        struct uuid customer_id;
};
#define SHAPE_T struct due_customer
SHAPE(due_customer, "Somebody with points that are due.", FIELD(customer_id));
#undef SHAPE_T

#define DUE(rows) "SELECT DISTINCT customer_id FROM (" rows " LIMIT :limit) AS due ORDER BY customer_id"

SQL_MANY(
        pending_due, due_limit, due_customer,
        DUE("SELECT customer_id FROM points_lots WHERE pending AND active_from <= :until AND remaining > 0 AND " IN_HALF
            " ORDER BY active_from"))

SQL_MANY(holds_due, due_limit, due_customer,
         DUE("SELECT customer_id FROM points_holds WHERE state = 'open' AND expires_at <= :until AND " IN_HALF
             " ORDER BY expires_at"))
SQL_MANY(lots_due, due_limit, due_customer,
         DUE("SELECT customer_id FROM points_lots WHERE expires_at <= :until AND remaining > 0 AND " IN_HALF
             " ORDER BY expires_at"))
/* Points without a date of their own. */
#define UNDATED                                                                                                \
        "FROM points_lots l WHERE l.customer_id = a.customer_id AND l.expires_at IS NULL AND l.remaining > 0 " \
        "AND NOT l.pending"
/* No index: it would cost every order, and this is asked for one kind of programme only. */
SQL_MANY(inactive_due, due_limit, due_customer,
         DUE("SELECT customer_id FROM points_accounts a WHERE moved_at < :until AND active > 0 AND " IN_HALF
             " AND EXISTS (SELECT " UNDATED ")"))

SQL_MANY(holds_due_of, customers_key, hold_named,
         "SELECT customer_id, id FROM points_holds WHERE state = 'open' AND expires_at <= :now "
         "AND customer_id = ANY(:ids) ORDER BY customer_id, id")

/* One kind of thing that time causes. */
struct due {
        enum err (*find)(struct ctx *c, const struct due_limit *in, struct list *ret);
        bool holds; /* the books come with their holds that are due */
};

struct piece {
        const struct due *due;
        const struct program *program;
        struct uuids customers;
};

/* The holds of these customers that are due. */
static enum err holds_of(struct ctx *c, const struct uuids *customers, struct hold_probe *ret)
{
        struct list due;

        TRY(holds_due_of(c, &(struct customers_key){*customers}, &due));
        *ret = hold_probe_of(c->arena, &due);
        return ERR_OK;
}

static enum err piece_do(struct ctx *c, const struct piece *piece)
{
        struct hold_probe holds = {0};
        struct books books;
        struct journal journal = journal_of(c, piece->program);
        struct list locked = {0};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customers_lock_later(c, &piece->customers, &locked));
        if (piece->due->holds)
                TRY(holds_of(c, &piece->customers, &holds));
        TRY(books_load(c, &piece->customers, piece->due->holds ? &holds : NULL, &books));
        for (size_t i = 0; i < books.n; i++)
                book_catch_up(&books.v[i], &journal, c->now);
        TRY(books_store(c, &books, &journal));
        return tx_commit(&tx);
}

static enum err slice_do(struct ctx *c, const struct piece_of_work *work)
{
        struct piece piece = *(const struct piece *)work->arg;

        piece.customers.v += work->from;
        piece.customers.n = work->n;
        return piece_do(c, &piece);
}

static enum err due_do(struct ctx *c, const struct program *program, const struct due *due,
                       const struct share *share, struct instant until, bool *ret_more)
{
        struct list rows;
        struct piece piece = {.due = due, .program = program};
        struct due_limit many = {.limit = FOUND_MAX, .half = share->half, .until = until};
        bool done;

        TRY(due->find(c, &many, &rows));
        piece.customers.v = ARENA_ARRAY(c->arena, rows.n, struct uuid);
        for (size_t i = 0; i < rows.n; i++)
                piece.customers.v[piece.customers.n++] = ((const struct due_customer *)rows.v)[i].customer_id;
        struct pieces pieces = {(size_t)share->most, share->may_go_on, slice_do, &piece};
        TRY(db_run_pieces(c, rows.n, &pieces, &done));
        *ret_more = rows.n > 0 && done;
        return ERR_OK;
}

/* ------------------------------------------------------------------ what there is */

enum err points_activate_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);

        return due_do(c, program, &(struct due){.find = pending_due}, share, c->now, ret_more);
}

enum err points_holds_expire_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);

        return due_do(c, program, &(struct due){.find = holds_due, .holds = true}, share, c->now, ret_more);
}

enum err points_expire_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);

        return due_do(c, program, &(struct due){.find = lots_due}, share, c->now, ret_more);
}

enum err points_expire_inactive(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);
        const struct expiry_settings *settings = &program->points.expiry;

        *ret_more = false;
        if (settings->form != EXPIRY_INACTIVITY)
                return ERR_OK;
        return due_do(c, program, &(struct due){.find = inactive_due}, share,
                      expiry_inactive_before(settings, &c->shop->zone, c->now), ret_more);
}

/* ------------------------------------------------------------------ warnings */

SQL_MANY(
        lots_to_warn, due_limit, due_customer,
        DUE("SELECT customer_id FROM points_lots WHERE expires_at <= :until AND remaining > 0 AND NOT warned AND " IN_HALF
            " ORDER BY expires_at"))
/* Whose silence has begun anew since he was warned of its end. */
#define SILENT_SINCE  "greatest(moved_at, :silent_from)"
#define WARNED_BEFORE "warned_at < " SILENT_SINCE
SQL_MANY(inactive_to_warn, due_limit, due_customer,
         DUE("SELECT customer_id FROM points_accounts a WHERE moved_at < :until AND active > 0 AND " IN_HALF
             " AND (warned_at IS NULL OR " WARNED_BEFORE ") AND EXISTS (SELECT " UNDATED ")"))

struct warning {
        struct uuids ids;
        struct instant until, silent_from;
};
#define SHAPE_T struct warning
SHAPE(warning, "Who is warned of what lies before when.", FIELD(ids), FIELD(until), FIELD(silent_from));
#undef SHAPE_T

struct warned {
        struct uuid customer_id;
        struct instant expires_at; /* of lots; of an account: when its silence began */
        int64_t points;
};
#define SHAPE_T struct warned
SHAPE(warned, "Points of which somebody is warned.", FIELD(customer_id), FIELD(expires_at), FIELD(points));
#undef SHAPE_T

SQL_MANY(
        warn_of_lots, warning, warned,
        "WITH w AS (UPDATE points_lots SET warned = true, warned_of = remaining WHERE customer_id = ANY(:ids) AND expires_at <= :until "
        "AND remaining > 0 AND NOT warned RETURNING customer_id, expires_at, remaining) "
        "SELECT customer_id, expires_at, sum(remaining)::bigint AS points FROM w WHERE expires_at > :now "
        "GROUP BY customer_id, expires_at ORDER BY expires_at, customer_id")
SQL_MANY(warn_of_inactivity, warning, warned,
         "WITH w AS (UPDATE points_accounts SET warned_at = " SILENT_SINCE " WHERE customer_id = ANY(:ids) "
         "AND moved_at < :until AND active > 0 AND (warned_at IS NULL OR " WARNED_BEFORE ") "
         "RETURNING customer_id, warned_at AS expires_at) "
         "SELECT customer_id, expires_at, (SELECT sum(remaining)::bigint " UNDATED ") AS points FROM w AS a "
         "ORDER BY customer_id")

struct warn_piece {
        const struct program *program;
        bool inactive; /* what lapses by inactivity, else on a date */
        struct due_limit due;
        size_t found;
};

static enum err warn_note(struct ctx *c, const struct warn_piece *piece, const struct list *warned)
{
        struct event_list events = {0};

        for (size_t i = 0; i < warned->n; i++) {
                const struct warned *row = &((const struct warned *)warned->v)[i];
                struct points_event event = {.points = row->points, .expires_at = row->expires_at};
                if (piece->inactive)
                        event.expires_at = expiry_by_inactivity(&piece->program->points.expiry,
                                                                &c->shop->zone, row->expires_at);
                event_add(c->arena, &events, EVENT_POINTS_EXPIRING, row->customer_id, c->now,
                          &points_event_shape, &event);
        }
        return events_store(c, &events);
}

static enum err warn_once(struct ctx *c, void *arg)
{
        struct warn_piece *piece = arg;
        struct list found, locked = {0}, warned;
        TX(tx);

        TRY(piece->inactive ? inactive_to_warn(c, &piece->due, &found)
                            : lots_to_warn(c, &piece->due, &found));
        piece->found = found.n;
        struct warning warning = {.ids.v = ARENA_ARRAY(c->arena, found.n, struct uuid),
                                  .until = piece->due.until,
                                  .silent_from = piece->due.silent_from};
        for (size_t i = 0; i < found.n; i++)
                warning.ids.v[warning.ids.n++] = ((const struct due_customer *)found.v)[i].customer_id;
        TRY(tx_begin(c, &tx));
        TRY(customers_lock_later(c, &warning.ids, &locked));
        TRY(piece->inactive ? warn_of_inactivity(c, &warning, &warned) : warn_of_lots(c, &warning, &warned));
        TRY(warn_note(c, piece, &warned));
        return tx_commit(&tx);
}

enum err points_warn_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);
        const struct expiry_settings *settings = &program->points.expiry;
        struct warn_piece piece = {
                .program = program,
                .due = {share->most,
                        share->half,
                        {c->now.us + settings->warn_days * INSTANT_DAY},
                        settings->silent_from},
        };

        *ret_more = false;
        if (settings->warn_days == 0)
                return ERR_OK;
        TRY(db_run(c, warn_once, &piece));
        *ret_more = piece.found > 0;
        if (*ret_more || settings->form != EXPIRY_INACTIVITY)
                return ERR_OK;
        piece.inactive = true;
        piece.due.until = expiry_inactive_before(settings, &c->shop->zone, piece.due.until);
        TRY(db_run(c, warn_once, &piece));
        *ret_more = piece.found > 0;
        return ERR_OK;
}
