#include "points/adjustments.h"

#include <assert.h>

#include "base/idmap.h"
#include "customers/natural.h"
#include "points/adjustments_store.h"
#include "program/programs.h"

/* One request while it is worked on. */
struct request {
        struct ctx *c;
        struct adjustment_call *calls;
        size_t count;
        struct uuid *owners; /* customer of each call; nil: it failed */
        struct books books;
        struct list known; /* struct adjustment: those that the calls name and that exist */
        struct journal journal;
        struct event_list events;
        struct adjustment *fresh; /* those of this request, to be stored */
        size_t fresh_count;
        struct idmap fresh_by_id;
};

static enum err input_check(struct ctx *c, const struct adjustment_in *in)
{
        bool dated = in->expiry == GRANT_EXPIRY_AT;

        if (in->points == 0)
                fault_body(c, "#/points", "not_allowed", "0 changes nothing");
        if (in->points > 0 && in->allow_debt)
                fault_body(c, "#/allow_debt", "not_allowed", "only what is taken can become debt");
        if (in->points < 0 && in->expiry != GRANT_EXPIRY_PROGRAM)
                fault_body(c, "#/expiry", "not_allowed", "only what is given lapses");
        if (dated && !instant_known(in->expires_at))
                fault_body(c, "#/expires_at", "required", "with expiry = at say when");
        if (!dated && instant_known(in->expires_at))
                fault_body(c, "#/expires_at", "not_allowed", "counts only with expiry = at");
        if (dated && instant_known(in->expires_at) && in->expires_at.us <= c->now.us)
                fault_body(c, "#/expires_at", "too_small", "must lie in the future");
        return problem_check(c);
}

/* ------------------------------------------------------------------ people */

/* Lock the customers of the calls that are not yet in the map. */
static enum err owners_lock(struct request *r, struct idmap *locked)
{
        struct uuids ids = {ARENA_ARRAY(r->c->arena, r->count, struct uuid), 0};
        struct list rows;

        for (size_t i = 0; i < r->count; i++)
                if (uuid_known(r->owners[i]) && idmap_get(locked, r->owners[i]) == SIZE_MAX)
                        ids.v[ids.n++] = r->owners[i];
        if (ids.n == 0)
                return ERR_OK;
        TRY(customers_lock(r->c, &ids, &rows));
        for (size_t i = 0; i < rows.n; i++)
                idmap_put(locked, ((const struct customer_locked *)rows.v)[i].id, i);
        return ERR_OK;
}

/* An old id, or nobody: rare, so one by one. */
static enum err owner_find(struct request *r, size_t i)
{
        struct adjustment_call *call = &r->calls[i];
        struct customer customer;
        struct db *own = call->c->db;

        call->c->db = r->c->db;
        call->err = customer_get(call->c, call->in->customer, &customer);
        call->c->db = own;
        r->owners[i] = call->err == ERR_OK ? customer.id : (struct uuid){0};
        return call->err == ERR_NOT_FOUND || call->err == ERR_ERASED ? ERR_OK : call->err;
}

static enum err owners_find(struct request *r)
{
        struct idmap locked = idmap_new(r->c->arena, 2 * r->count);

        for (size_t i = 0; i < r->count; i++) {
                struct adjustment_call *call = &r->calls[i];
                call->err = input_check(call->c, call->in);
                if (call->err == ERR_OK)
                        call->err = customer_reference(call->c, call->in->customer, &r->owners[i]);
                if (call->err != ERR_OK)
                        r->owners[i] = (struct uuid){0};
        }
        TRY(owners_lock(r, &locked));
        for (size_t i = 0; i < r->count; i++)
                if (uuid_known(r->owners[i]) && idmap_get(&locked, r->owners[i]) == SIZE_MAX)
                        TRY(owner_find(r, i));
        return owners_lock(r, &locked);
}

/* ------------------------------------------------------------------ deciding */

#define NATURAL_KIND "adjustment"

static struct uuid id_of(const struct request *r, size_t i)
{
        const char *external_id = r->calls[i].in->external_id;

        if (external_id != NULL)
                return uuid_of_child(NATURAL_KIND, r->owners[i], external_id);
        return uuid_known(r->calls[i].id) ? r->calls[i].id : uuid_new(r->c->now);
}

static bool texts_equal(const char *a, const char *b)
{
        return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* The one that is known under the id of a call, of an earlier request or of this one, or that came with a
 * merge under its number; NULL: none. */
static const struct adjustment *known_find(const struct request *r, size_t call, struct uuid id)
{
        const char *number = r->calls[call].in->external_id;
        const struct adjustment *rows = r->known.v, *former = NULL;
        size_t at = idmap_get(&r->fresh_by_id, id);

        if (at != SIZE_MAX)
                return &r->fresh[at];
        for (size_t i = 0; i < r->known.n; i++) {
                if (uuid_equal(rows[i].id, id))
                        return &rows[i];
                if (number != NULL && uuid_equal(rows[i].customer_id, r->owners[call]) &&
                    texts_equal(rows[i].external_id, number))
                        former = &rows[i];
        }
        return former;
}

static enum err replay(struct adjustment_call *call, const struct adjustment *known)
{
        const struct adjustment_in *in = call->in;
        bool same = in->points == known->points && texts_equal(in->reason, known->reason) &&
                    in->expiry == known->expiry && in->expires_at.us == known->expires_at.us &&
                    in->allow_debt == known->allow_debt;

        if (!same)
                return fail(call->c, ERR_ADJUSTMENT_DIFFERS, "The adjustment %s is known with other values.",
                            in->external_id != NULL ? in->external_id : "of this id");
        call->adjustment = *known;
        call->replayed = true;
        return ERR_OK;
}

/* Could it be booked now? What waits for approval is asked the same, to spare a second person the look. */
static enum err takeable(struct adjustment_call *call, const struct book *book)
{
        const struct adjustment_in *in = call->in;

        if (in->points > 0 || in->allow_debt || -in->points <= book->account.active)
                return ERR_OK;
        return points_too_few(call->c, book, -in->points, "adjustment");
}

static void call_begin(struct request *r, size_t i, struct uuid id)
{
        const struct adjustment_in *in = r->calls[i].in;

        assert(r->fresh != NULL && r->fresh_count < r->count);
        r->calls[i].adjustment = (struct adjustment){
                .customer_id = r->owners[i],
                .id = id,
                .external_id = in->external_id,
                .points = in->points,
                .reason = in->reason,
                .expiry = in->expiry,
                .expires_at = in->expires_at,
                .allow_debt = in->allow_debt,
                .item_no = (int64_t)i + 1,
                .key_id = r->c->principal != NULL ? r->c->principal->key_id : NULL,
                .created_at = r->c->now,
        };
        idmap_put(&r->fresh_by_id, id, r->fresh_count);
        r->fresh[r->fresh_count++] = r->calls[i].adjustment;
}

bool adjustment_book(struct adjustment *adjustment, struct book *book, struct journal *journal,
                     struct instant now)
{
        struct posting why = {.at = now,
                              .cause = "adjustment",
                              .reference = adjustment->external_id,
                              .reason = adjustment->reason};
        struct adjust_how how = {adjustment->expiry, adjustment->expires_at, adjustment->allow_debt};

        journal->actor = adjustment->key_id;
        if (!book_adjust(book, journal, &why, adjustment->points, &how))
                return false;
        adjustment->state = ADJUSTMENT_APPLIED;
        adjustment->seq = (struct opt_int){true, book->account.last_seq};
        adjustment->resolved_at = now;
        return true;
}

/* Which of them are new, and are they too much for one pair of eyes? */
static enum err calls_sort(struct request *r, struct approval *approval)
{
        for (size_t i = 0; i < r->count; i++) {
                struct adjustment_call *call = &r->calls[i];
                if (call->err != ERR_OK)
                        continue;
                struct uuid id = id_of(r, i);
                const struct adjustment *known = known_find(r, i, id);
                call->err = known != NULL ? replay(call, known)
                                          : takeable(call, books_of(&r->books, r->owners[i]));
                if (call->err != ERR_OK || call->replayed)
                        continue;
                call_begin(r, i, id);
                *(call->in->points > 0 ? &approval->points_given : &approval->points_taken) +=
                        call->in->points > 0 ? call->in->points : -call->in->points;
                approval->items++;
        }
        return ERR_OK;
}

static void calls_decide(struct request *r, struct uuid approval_id)
{
        size_t kept = 0;

        for (size_t i = 0; i < r->count; i++) {
                struct adjustment_call *call = &r->calls[i];
                struct adjustment *adjustment = &call->adjustment;
                if (call->err != ERR_OK || call->replayed)
                        continue;
                struct book *book = books_of(&r->books, r->owners[i]);
                adjustment->state = ADJUSTMENT_PENDING;
                adjustment->approval_id = approval_id;
                if (!uuid_known(approval_id) && !adjustment_book(adjustment, book, &r->journal, r->c->now)) {
                        call->err = points_too_few(call->c, book, -adjustment->points, "adjustment");
                        continue; /* an earlier one of the request took it */
                }
                r->fresh[kept++] = *adjustment;
        }
        r->fresh_count = kept;
}

/* The same one twice in one request shares its fate. */
static void twins_settle(struct request *r)
{
        for (size_t i = 0; i < r->count; i++) {
                struct adjustment_call *call = &r->calls[i];
                if (call->err != ERR_OK || !call->replayed || call->adjustment.state != ADJUSTMENT_NONE)
                        continue;
                for (size_t k = 0; k < i; k++)
                        if (r->calls[k].err == ERR_OK &&
                            uuid_equal(r->calls[k].adjustment.id, call->adjustment.id))
                                call->adjustment = r->calls[k].adjustment;
                if (call->adjustment.state == ADJUSTMENT_NONE)
                        call->err = points_too_few(call->c, books_of(&r->books, r->owners[i]),
                                                   -call->adjustment.points, "adjustment");
        }
}

/* ------------------------------------------------------------------ the request */

/* What may be known: by number, and by the id that an exported line has. */
static struct adjustment_probe probe_of(const struct request *r, const struct natural_ids *found)
{
        struct arena *arena = r->c->arena;
        size_t n = found->ids.n, most = n + r->count;
        struct adjustment_probe probe = {{ARENA_ARRAY(arena, most, struct uuid), n},
                                         {ARENA_ARRAY(arena, most, struct uuid), n}};

        for (size_t i = 0; i < n; i++) {
                probe.customers.v[i] = found->customers.v[i];
                probe.ids.v[i] = found->ids.v[i];
        }
        for (size_t i = 0; i < r->count; i++) {
                if (r->calls[i].err != ERR_OK || r->calls[i].in->external_id != NULL ||
                    !uuid_known(r->calls[i].id))
                        continue;
                probe.customers.v[probe.customers.n++] = r->owners[i];
                probe.ids.v[probe.ids.n++] = r->calls[i].id;
        }
        return probe;
}

static enum err load(struct request *r)
{
        struct arena *arena = r->c->arena;
        struct uuids people = {ARENA_ARRAY(arena, r->count, struct uuid), 0};
        struct natural_key *keys = ARENA_ARRAY(arena, r->count, struct natural_key);
        struct natural_ids found;

        for (size_t i = 0; i < r->count; i++) {
                if (r->calls[i].err != ERR_OK)
                        continue;
                people.v[people.n++] = r->owners[i];
                keys[i] = (struct natural_key){r->owners[i], r->calls[i].in->external_id};
        }
        TRY(natural_ids_find(r->c, NATURAL_KIND, keys, r->count, &found));
        struct adjustment_probe probe = probe_of(r, &found);
        if (probe.ids.n > 0)
                TRY(adjustments_later(r->c, &probe, &r->known));
        TRY(books_load(r->c, &people, /* holds= */ NULL, &r->books));
        return books_catch_up(r->c, &r->books, &r->journal);
}

static enum err request_run(struct ctx *c, struct adjustment_call *calls, size_t n, bool all_wait,
                            struct uuid *ret_approval)
{
        PROGRAM(program);
        struct request r = {
                .c = c,
                .calls = calls,
                .count = n,
                .owners = ARENA_ARRAY(c->arena, n, struct uuid),
                .journal = journal_of(c, program),
                .fresh = ARENA_ARRAY(c->arena, n, struct adjustment),
                .fresh_by_id = idmap_new(c->arena, n),
        };
        struct approval approval = {.state = APPROVAL_PENDING, .created_at = c->now};

        assert(n <= ADJUSTMENTS_MAX);
        TRY(owners_find(&r));
        TRY(load(&r));
        TRY(calls_sort(&r, &approval));
        bool too_much = approval.points_given + approval.points_taken > program->points.approval_above;
        if (approval.items > 0 && (all_wait || too_much))
                approval.id = uuid_new(c->now);
        calls_decide(&r, approval.id);
        twins_settle(&r);
        if (uuid_known(approval.id)) {
                approval.requested_by = c->principal != NULL ? c->principal->key_id : NULL;
                TRY(approval_store(c, &approval));
        }
        TRY(books_store(c, &r.books, &r.journal));
        TRY(adjustments_keep(c, r.fresh, r.fresh_count));
        *ret_approval = approval.id;
        return ERR_OK;
}

enum err points_adjust(struct ctx *c, struct adjustment_call *calls, size_t n, struct uuid *ret_approval)
{
        return request_run(c, calls, n, /* all_wait= */ false, ret_approval);
}

enum err points_adjust_waiting(struct ctx *c, struct adjustment_call *calls, size_t n,
                               struct uuid *ret_approval)
{
        return request_run(c, calls, n, /* all_wait= */ true, ret_approval);
}
