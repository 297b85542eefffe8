/* Holds: loading and storing them, and what the API asks. */
#include <assert.h>
#include <inttypes.h>

#include "customers/customers.h"
#include "db/page.h"
#include "points/store.h"
#include "program/programs.h"

#define SHAPE_T struct hold_probe
SHAPE(hold_probe, "Holds with their customers.", FIELD(customers), FIELD(holds));
#undef SHAPE_T

#define SHAPE_T struct hold_named
SHAPE(hold_named, "A hold and whose it is.", FIELD(customer_id), FIELD(id));
#undef SHAPE_T

#define HOLD_COLUMNS                                                                                                       \
        "customer_id, id, state, points, captured, restored, reason, reference, order_id, redemption_id, seq, spend_seq, " \
        "created_at, expires_at, resolved_at"

/* As with orders: each pair is looked up in the key. */
#define OF_PAIRS "SELECT t.* FROM unnest(:customers, :holds) AS k(c, h), LATERAL ("
#define BY_PAIR  " OFFSET 0) AS t"

SQL_LATER(holds_load, hold_probe, hold,
          OF_PAIRS "SELECT " HOLD_COLUMNS " FROM points_holds WHERE customer_id = k.c AND id = k.h" BY_PAIR)
SQL_LATER(hold_draws_load, hold_probe, hold_draw,
          OF_PAIRS "SELECT customer_id, hold_id, draw_no, lot_no, amount, returned FROM points_hold_draws "
                   "WHERE customer_id = k.c AND hold_id = k.h" BY_PAIR
                   " ORDER BY customer_id, hold_id, draw_no")
SQL_LATER(
        hold_lots_load, hold_probe, lot,
        "SELECT DISTINCT t.* FROM unnest(:customers, :holds) AS k(c, h), LATERAL ("
        "SELECT l.customer_id, l.lot_no, l.amount, l.remaining, l.pending, l.active_from, l.expires_at, l.order_id "
        "FROM points_hold_draws d JOIN points_lots l ON l.customer_id = d.customer_id AND l.lot_no = d.lot_no "
        "WHERE d.customer_id = k.c AND d.hold_id = k.h AND l.customer_id = k.c AND l.remaining = 0" BY_PAIR)

SQL_BATCH(
        holds_upsert, hold,
        "INSERT INTO points_holds (" HOLD_COLUMNS
        ") SELECT * FROM unnest(:customer_id, :id, :state, :points, :captured, :restored, :reason, :reference, "
        ":order_id, :redemption_id, :seq, :spend_seq, :created_at, :expires_at, :resolved_at) "
        "ON CONFLICT (customer_id, id) DO UPDATE SET state = excluded.state, captured = excluded.captured, "
        "restored = excluded.restored, order_id = excluded.order_id, spend_seq = excluded.spend_seq, "
        "expires_at = excluded.expires_at, resolved_at = excluded.resolved_at")
SQL_BATCH(hold_draws_upsert, hold_draw,
          "INSERT INTO points_hold_draws (customer_id, hold_id, draw_no, lot_no, amount, returned) "
          "SELECT * FROM unnest(:customer_id, :hold_id, :draw_no, :lot_no, :amount, :returned) "
          "ON CONFLICT (customer_id, hold_id, draw_no) DO UPDATE SET returned = excluded.returned")

struct hold_known_as {
        struct uuid customer_id;
        const char *reference;
};
#define SHAPE_T struct hold_known_as
SHAPE(hold_known_as, "A hold by its reference.", FIELD(customer_id), FIELD(reference));
#undef SHAPE_T
struct hold_id {
        struct uuid id;
};
#define SHAPE_T struct hold_id
SHAPE(hold_id, "A hold.", FIELD(id));
#undef SHAPE_T

/* One that came with a merge has another id than its reference would have here. */
SQL_LATER(
        holds_as, hold_known_as, hold_id,
        "SELECT id FROM points_holds WHERE customer_id = :customer_id AND reference = :reference ORDER BY seq DESC LIMIT 1")

struct hold_probe hold_probe_of(struct arena *arena, const struct list *named)
{
        const struct hold_named *rows = named->v;
        struct hold_probe probe = {{ARENA_ARRAY(arena, named->n, struct uuid), named->n},
                                   {ARENA_ARRAY(arena, named->n, struct uuid), named->n}};

        for (size_t i = 0; i < named->n; i++) {
                probe.customers.v[i] = rows[i].customer_id;
                probe.holds.v[i] = rows[i].id;
        }
        return probe;
}

enum err points_holds_later(struct ctx *c, const struct hold_probe *probe, struct hold_rows *ret)
{
        TRY(holds_load(c, probe, &ret->holds));
        TRY(hold_draws_load(c, probe, &ret->draws));
        return hold_lots_load(c, probe, &ret->lots);
}

static void draws_give(struct hold *hold, const struct list *rows)
{
        struct hold_draw *draws = rows->v; /* those of one hold follow each other */
        size_t first = 0;

        while (first < rows->n && !(uuid_equal(draws[first].customer_id, hold->customer_id) &&
                                    uuid_equal(draws[first].hold_id, hold->id)))
                first++;
        hold->draws.v = draws + first;
        hold->draws.n = 0;
        while (first + hold->draws.n < rows->n && uuid_equal(hold->draws.v[hold->draws.n].hold_id, hold->id))
                hold->draws.n++;
}

/* Two holds may have drawn from one lot. */
static void empty_lots_give(struct arena *arena, struct book *book, const struct list *rows)
{
        for (size_t i = 0; i < rows->n; i++) {
                struct lot *lot = &((struct lot *)rows->v)[i];
                bool known = false;
                for (size_t k = 0; k < book->lot_count && !known; k++)
                        known = book->lots[k].lot_no == lot->lot_no;
                if (!known)
                        book_lots_add(book, arena, &(struct list){.v = lot, .n = 1});
        }
}

void points_holds_give(struct arena *arena, struct book *book, const struct hold_rows *rows)
{
        const struct hold *holds = rows->holds.v;
        struct hold *larger = ARENA_ARRAY(arena, book->hold_count + rows->holds.n, struct hold);

        for (size_t i = 0; i < book->hold_count; i++)
                larger[i] = book->holds[i];
        book->holds = larger;
        book->hold_room = book->hold_count + rows->holds.n;
        for (size_t i = 0; i < rows->holds.n; i++) {
                if (!uuid_equal(holds[i].customer_id, book->account.customer_id) ||
                    book_hold_find(book, holds[i].id) != NULL)
                        continue;
                book->holds[book->hold_count] = holds[i];
                draws_give(&book->holds[book->hold_count++], &rows->draws);
        }
        empty_lots_give(arena, book, &rows->lots);
}

enum err holds_store(struct ctx *c, struct book *const *books, size_t n)
{
        size_t hold_count = 0, draw_count = 0;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < books[i]->hold_count; k++) {
                        hold_count += books[i]->holds[k].changed;
                        draw_count += books[i]->holds[k].changed ? books[i]->holds[k].draws.n : 0;
                }
        if (hold_count == 0)
                return ERR_OK;
        struct hold *holds = ARENA_ARRAY(c->arena, hold_count, struct hold);
        struct hold_draw *draws = ARENA_ARRAY(c->arena, draw_count, struct hold_draw);
        hold_count = draw_count = 0;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < books[i]->hold_count; k++) {
                        const struct hold *hold = &books[i]->holds[k];
                        if (!hold->changed)
                                continue;
                        holds[hold_count++] = *hold;
                        for (size_t d = 0; d < hold->draws.n; d++)
                                draws[draw_count++] = hold->draws.v[d];
                }
        TRY(holds_upsert(c, holds, hold_count));
        return hold_draws_upsert(c, draws, draw_count);
}

/* ------------------------------------------------------------------ who is meant */

static enum err not_found(struct ctx *c, const char *reference)
{
        return fail(c, ERR_NOT_FOUND, "The customer has no hold %s.", reference);
}

/* The hold that a reference names when it came with a merge; none: *ret stays. */
static enum err came_find(struct ctx *c, struct uuid customer_id, const char *reference, struct uuid *ret)
{
        static const char ext[] = "ext:";
        struct list rows = {0};

        if (strncmp(reference, ext, strlen(ext)) == 0) {
                TRY(holds_as(c, &(struct hold_known_as){customer_id, reference + strlen(ext)}, &rows));
                TRY(db_flush(c));
        }
        if (rows.n > 0)
                *ret = ((const struct hold_id *)rows.v)->id;
        return ERR_OK;
}

/* The book of a customer, locked, and the hold that is meant, which may still be resolved. */
static enum err open_hold(struct ctx *c, const char *customer, const char *reference, struct journal *journal,
                          struct book *ret_book, struct hold **ret)
{
        struct customer locked;
        struct uuid id;

        TRY(customer_lock(c, customer, &locked));
        if (!hold_reference(locked.id, reference, &id))
                return not_found(c, reference);
        TRY(book_load(c, locked.id, id, ret_book));
        if (book_hold_find(ret_book, id) == NULL) {
                TRY(came_find(c, locked.id, reference, &id));
                TRY(book_load(c, locked.id, id, ret_book));
        }
        TRY(points_catch_up(c, &ret_book, 1, journal, c->now));
        struct hold *hold = book_hold_find(ret_book, id);
        if (hold == NULL)
                return not_found(c, reference);
        TRY(hold_resolvable(c, hold));
        TRY(hold_unbound(c, hold, /* order_id= */ (struct uuid){0}));
        *ret = hold;
        return ERR_OK;
}

/* ------------------------------------------------------------------ the API */

/* Whoever looks sees a hold whose time is over as expired, be its points booked back yet or not. */
static struct hold seen(struct hold hold, struct instant now)
{
        if (hold.state == HOLD_OPEN && !hold_is_open(&hold, now))
                hold.state = HOLD_EXPIRED;
        return hold;
}

static enum err store_and_show(struct ctx *c, const struct program *program, struct book *book,
                               const struct journal *journal, const struct hold *hold,
                               struct hold_result *ret)
{
        TRY(book_store(c, book, journal));
        ret->hold = *hold;
        return balance_after(c, program, book, &ret->balance);
}

enum err points_hold(struct ctx *c, const struct hold_in *in, struct hold_result *ret)
{
        struct customer customer;
        struct book book;
        struct list former = {0};
        PROGRAM(program);
        struct journal journal = journal_of(c, program);
        struct posting why = {
                .at = c->now, .cause = "hold", .reference = in->reference, .reason = in->reason};

        TRY(customer_lock(c, in->customer, &customer));
        struct uuid id = in->reference != NULL ? hold_named(customer.id, in->reference) : uuid_new(c->now);
        struct hold_known_as known = {customer.id, in->reference};
        TRY(holds_as(c, &known, &former));
        TRY(book_load(c, customer.id, id, &book));
        if (former.n > 0 || book_hold_find(&book, id) != NULL)
                return fail(c, ERR_HOLD_EXISTS, "The customer has a hold %s already.", in->reference);
        TRY(points_catch_up(c, (struct book *[]){&book}, 1, &journal, c->now));
        const struct hold *hold = book_hold(
                &book, &journal, &why,
                &(struct hold){.id = id,
                               .points = in->points,
                               .reason = in->reason,
                               .reference = in->reference,
                               .expires_at.us = c->now.us + in->expires_in_seconds * INSTANT_SECOND});
        if (hold == NULL)
                return points_too_few(c, &book, in->points, "hold");
        return store_and_show(c, program, &book, &journal, hold, ret);
}

enum err points_hold_capture(struct ctx *c, const struct hold_capture *in, struct hold_result *ret)
{
        struct book book = {0};
        struct hold *hold = NULL;
        PROGRAM(program);
        struct journal journal = journal_of(c, program);

        TRY(open_hold(c, in->customer, in->hold, &journal, &book, &hold));
        assert(hold != NULL); /* as open_hold promises */
        int64_t points = in->points.set ? in->points.v : hold->points;
        if (points > hold->points) {
                fault_body(c, "#/points", "too_large", "the hold has %" PRId64, hold->points);
                return problem_check(c);
        }
        struct posting why = {
                .at = c->now, .cause = "capture", .reference = hold->reference, .reason = hold->reason};
        book_capture(&book, &journal, &why, hold, points);
        return store_and_show(c, program, &book, &journal, hold, ret);
}

enum err points_hold_release(struct ctx *c, const struct hold_release *in, struct hold_result *ret)
{
        struct book book = {0};
        struct hold *hold = NULL;
        PROGRAM(program);
        struct journal journal = journal_of(c, program);

        TRY(open_hold(c, in->customer, in->hold, &journal, &book, &hold));
        assert(hold != NULL); /* as open_hold promises */
        struct posting why = {
                .at = c->now, .cause = "release", .reference = hold->reference, .reason = in->reason};
        book_release(&book, &journal, &why, hold, HOLD_RELEASED);
        return store_and_show(c, program, &book, &journal, hold, ret);
}

static enum err hold_one(struct ctx *c, struct uuid customer_id, struct uuid id, struct list *ret)
{
        TRY(holds_load(c, &(struct hold_probe){{&customer_id, 1}, {&id, 1}}, ret));
        return db_flush(c);
}

enum err points_hold_get(struct ctx *c, const char *customer, const char *reference, struct hold *ret)
{
        struct customer found;
        struct uuid id;
        struct list rows = {0};

        TRY(customer_get(c, customer, &found));
        if (!hold_reference(found.id, reference, &id))
                return not_found(c, reference);
        TRY(hold_one(c, found.id, id, &rows));
        if (rows.n == 0) {
                TRY(came_find(c, found.id, reference, &id));
                TRY(hold_one(c, found.id, id, &rows));
        }
        if (rows.n == 0)
                return not_found(c, reference);
        *ret = seen(*(const struct hold *)rows.v, c->now);
        return ERR_OK;
}

#define SHAPE_T struct hold_page
SHAPE(hold_page, "A position.", FIELD(customer_id), FIELD(state, .names = &hold_state_names),
      FIELD(before_seq), FIELD(limit));
#undef SHAPE_T

#define STATE_SEEN "CASE WHEN state = 'open' AND expires_at <= :now THEN 'expired' ELSE state END"

SQL_PAGE(holds_page, hold_page, hold,
         "customer_id, id, " STATE_SEEN " AS state, points, captured, restored, reason, reference, order_id, "
         "redemption_id, seq, spend_seq, created_at, expires_at, resolved_at",
         "points_holds WHERE customer_id = :customer_id AND (:state IS NULL OR " STATE_SEEN " = :state)",
         "AND (:before_seq = 0 OR seq < :before_seq) ORDER BY seq DESC")

enum err points_holds(struct ctx *c, const struct hold_page *page, struct list *ret)
{
        return holds_page(c, page, ret);
}
