/* Storing adjustments, and the second pair of eyes. */
#include "audit/audit.h"
#include "base/idmap.h"
#include "customers/customers.h"
#include "db/page.h"
#include "points/adjustments_store.h"
#include "program/programs.h"

NAMES(adjustment_state_names, "applied", "pending_approval", "declined", "refused");
NAMES(approval_state_names, "pending", "approved", "declined");

#define SHAPE_T struct adjustment_in
SHAPE(adjustment_in, "Points to give or take by hand.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      ADJUSTMENT_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct adjustment_line
SHAPE(adjustment_line, "Points to give or take by hand.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      ADJUSTMENT_FIELDS, FIELD(state, .names = &adjustment_state_names, .doc = "As exported; not read."),
      FIELD(id, .doc = "As exported; not read."), FIELD(created_at, .doc = "As exported; not read."));
#undef SHAPE_T

#define SHAPE_T struct adjustment
SHAPE(adjustment, "Points given or taken by hand.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(id, .need = true), FIELD(external_id),
      FIELD(state, .need = true, .names = &adjustment_state_names), FIELD(points),
      FIELD(reason, .need = true), FIELD(expiry, .need = true, .names = &grant_expiry_names),
      FIELD(expires_at), FIELD(allow_debt),
      FIELD(approval_id, .doc = "The request that it waits or waited for; null: none was needed."),
      FIELD(item_no, .doc = "Its place in the request, from 1."),
      FIELD(seq, .doc = "The ledger entry that booked it; null: none did."),
      FIELD(refusal, .doc = "Why an approved one could not be booked any more: the slug of a problem."),
      FIELD(key_id, .doc = "The key that asked for it."), FIELD(created_at, .need = true),
      FIELD(resolved_at, .doc = "When it was booked, declined or refused."));
#undef SHAPE_T

#define SHAPE_T struct approval
SHAPE(approval, "A request to give or take points that needs a second key.", FIELD(id, .need = true),
      FIELD(state, .need = true, .names = &approval_state_names), FIELD(items, .doc = "Adjustments in it."),
      FIELD(points_given), FIELD(points_taken), FIELD(requested_by, .doc = "Id of the key that asks."),
      FIELD(decided_by, .doc = "Id of the key that decided."), FIELD(reason, .doc = "Of the decision."),
      FIELD(created_at, .need = true), FIELD(decided_at));
#undef SHAPE_T

#define SHAPE_T struct approval_view
SHAPE(approval_view, "A request with its adjustments.", NEST(approval, approval),
      LIST(adjustments, adjustment, .doc = "In the order of the request."));
#undef SHAPE_T

#define SHAPE_T struct approval_page
SHAPE(approval_page, "A position.", FIELD(state, .names = &approval_state_names), FIELD(before_id),
      FIELD(limit));
#undef SHAPE_T

#define SHAPE_T struct adjustment_probe
SHAPE(adjustment_probe, "Adjustments with their customers.", FIELD(customers), FIELD(ids));
#undef SHAPE_T

struct approval_key {
        struct uuid id;
};
#define SHAPE_T struct approval_key
SHAPE(approval_key, "Which request.", FIELD(id));
#undef SHAPE_T

#define COLUMNS                                                                                              \
        "customer_id, id, external_id, state, points, reason, expiry, expires_at, allow_debt, approval_id, " \
        "item_no, seq, refusal, key_id, created_at, resolved_at"
#define APPROVAL_COLUMNS                                                                                     \
        "id, state, items, points_given, points_taken, requested_by, decided_by, reason, created_at, decided_at"

/* As with orders: each pair is looked up in the key. */
SQL_LATER(adjustments_load, adjustment_probe, adjustment,
          "SELECT t.* FROM unnest(:customers, :ids) AS k(c, i), LATERAL (SELECT " COLUMNS
          " FROM points_adjustments WHERE customer_id = k.c AND id = k.i OFFSET 0) AS t")
SQL_BATCH(
        adjustments_upsert, adjustment,
        "INSERT INTO points_adjustments (" COLUMNS
        ") SELECT * FROM unnest(:customer_id, :id, :external_id, :state, :points, :reason, :expiry, :expires_at, "
        ":allow_debt, :approval_id, :item_no, :seq, :refusal, :key_id, :created_at, :resolved_at) "
        "ON CONFLICT (customer_id, id) DO UPDATE SET state = excluded.state, seq = excluded.seq, "
        "refusal = excluded.refusal, resolved_at = excluded.resolved_at")
SQL_MANY(adjustments_of, approval_key, adjustment,
         "SELECT " COLUMNS " FROM points_adjustments WHERE approval_id = :id ORDER BY item_no")

SQL_EXEC(approval_upsert, approval,
         "INSERT INTO points_approvals (" APPROVAL_COLUMNS
         ") VALUES (:id, :state, :items, :points_given, :points_taken, :requested_by, :decided_by, :reason, "
         ":created_at, :decided_at) ON CONFLICT (id) DO UPDATE SET state = excluded.state, "
         "decided_by = excluded.decided_by, reason = excluded.reason, decided_at = excluded.decided_at")
SQL_OPT(approval_find, approval_key, approval,
        "SELECT " APPROVAL_COLUMNS " FROM points_approvals WHERE id = :id")
SQL_OPT(approval_lock, approval_key, approval,
        "SELECT " APPROVAL_COLUMNS " FROM points_approvals WHERE id = :id FOR UPDATE")
#define NEWEST_FIRST "AND id < coalesce(:before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') ORDER BY id DESC"
SQL_PAGE(approvals_pending, approval_page, approval, APPROVAL_COLUMNS,
         "points_approvals WHERE state = 'pending'", NEWEST_FIRST)
SQL_PAGE(approvals_any, approval_page, approval, APPROVAL_COLUMNS,
         "points_approvals WHERE (:state IS NULL OR state = :state)", NEWEST_FIRST)

enum err adjustments_later(struct ctx *c, const struct adjustment_probe *probe, struct list *ret)
{
        return adjustments_load(c, probe, ret);
}

enum err approval_store(struct ctx *c, const struct approval *approval)
{
        return approval_upsert(c, approval);
}

enum err adjustments_keep(struct ctx *c, const struct adjustment *adjustments, size_t n)
{
        struct audit_change *changes = ARENA_ARRAY(c->arena, n, struct audit_change);
        struct event_list events = {0};

        for (size_t i = 0; i < n; i++) {
                const struct adjustment *one = &adjustments[i];
                struct points_event event = {.points = one->points, .expires_at = one->expires_at};
                enum event_type type = one->state == ADJUSTMENT_APPLIED   ? EVENT_POINTS_ADJUSTED
                                       : one->state == ADJUSTMENT_PENDING ? EVENT_POINTS_ADJUSTMENT_PENDING
                                                                          : EVENT_POINTS_ADJUSTMENT_ENDED;
                char customer[UUID_TEXT_SIZE];
                uuid_to_text(one->customer_id, customer);
                event_add(c->arena, &events, type, one->customer_id, c->now, &points_event_shape, &event);
                changes[i] = (struct audit_change){
                        .customer_id = one->customer_id,
                        .subject = arena_printf(c->arena, "/v1/customers/%s/points/adjustments", customer),
                        .shape = &adjustment_shape,
                        .after = one};
        }
        TRY(adjustments_upsert(c, adjustments, n));
        TRY(audit_write_all(c, changes, n));
        return events_store(c, &events);
}

/* ------------------------------------------------------------------ deciding */

static enum err not_found(struct ctx *c, const char *id)
{
        return fail(c, ERR_NOT_FOUND, "There is no request %s.", id);
}

static enum err decidable(struct ctx *c, const struct approval *approval)
{
        const char *key_id = c->principal != NULL ? c->principal->key_id : NULL;

        if (approval->state != APPROVAL_PENDING) {
                problem_string(c, "state", approval_state_names.v[approval->state]);
                problem_string(c, "decided_by", approval->decided_by);
                return fail(c, ERR_APPROVAL_DECIDED, "The request was %s.",
                            approval_state_names.v[approval->state]);
        }
        if (key_id != NULL && approval->requested_by != NULL && strcmp(key_id, approval->requested_by) == 0)
                return fail(c, ERR_OWN_APPROVAL, "The request was made with this key.");
        return ERR_OK;
}

/* Merges that may follow on each other while this waits for locks. */
#define LOOKS_MAX 4

/* The adjustments of a request, with their customers' locks; whoever was merged between the look and the lock
 * is looked for again. */
static enum err adjustments_hold(struct ctx *c, const struct approval_key *key, struct list *ret)
{
        for (unsigned look = 0; look < LOOKS_MAX; look++) {
                struct list seen, locked, rows;
                TRY(adjustments_of(c, key, &seen));
                struct uuids people = {ARENA_ARRAY(c->arena, seen.n, struct uuid), seen.n};
                for (size_t i = 0; i < seen.n; i++)
                        people.v[i] = ((const struct adjustment *)seen.v)[i].customer_id;
                TRY(customers_lock(c, &people, &locked));
                struct idmap held = idmap_new(c->arena, locked.n);
                for (size_t i = 0; i < locked.n; i++)
                        idmap_put(&held, ((const struct customer_locked *)locked.v)[i].id, i);
                TRY(adjustments_of(c, key, &rows));
                bool all = true;
                for (size_t i = 0; i < rows.n; i++)
                        all &= idmap_get(&held, ((const struct adjustment *)rows.v)[i].customer_id) !=
                               SIZE_MAX;
                if (all) {
                        *ret = rows;
                        return ERR_OK;
                }
        }
        return fail(c, ERR_CONFLICT, "Customers were merged meanwhile.");
}

/* Book what still can be. Their customers are locked. */
static enum err adjustments_book(struct ctx *c, struct adjustment *adjustments, size_t n)
{
        PROGRAM(program);
        struct journal journal = journal_of(c, program);
        struct uuids people = {ARENA_ARRAY(c->arena, n, struct uuid), n};
        struct books books;

        for (size_t i = 0; i < n; i++)
                people.v[i] = adjustments[i].customer_id;
        TRY(books_load(c, &people, /* holds= */ NULL, &books));
        TRY(books_catch_up(c, &books, &journal));
        for (size_t i = 0; i < n; i++) {
                struct adjustment *one = &adjustments[i];
                bool lapsed = instant_known(one->expires_at) && one->expires_at.us <= c->now.us;
                one->resolved_at = c->now;
                if (!lapsed && adjustment_book(one, books_of(&books, one->customer_id), &journal, c->now))
                        continue;
                one->state = ADJUSTMENT_REFUSED;
                one->refusal = err_info(lapsed ? ERR_INVALID : ERR_POINTS_TOO_FEW)->slug;
        }
        return books_store(c, &books, &journal);
}

enum err points_approval_decide(struct ctx *c, const struct approval_decision *in, struct approval_view *ret)
{
        struct approval approval;
        struct approval_key key;
        struct list rows = {0};
        bool found = false;

        if (!uuid_from_text(in->approval, &key.id))
                return not_found(c, in->approval);
        TRY(adjustments_hold(c, &key, &rows)); /* customers first, as everybody does */
        TRY(approval_lock(c, &key, &approval, &found));
        if (!found)
                return not_found(c, in->approval);
        TRY(decidable(c, &approval));
        struct adjustment *adjustments = rows.v;
        if (in->approve)
                TRY(adjustments_book(c, adjustments, rows.n));
        for (size_t i = 0; i < rows.n && !in->approve; i++) {
                adjustments[i].state = ADJUSTMENT_DECLINED;
                adjustments[i].resolved_at = c->now;
        }
        approval.state = in->approve ? APPROVAL_APPROVED : APPROVAL_DECLINED;
        approval.decided_by = c->principal != NULL ? c->principal->key_id : NULL;
        approval.decided_at = c->now;
        approval.reason = in->reason;
        TRY(approval_store(c, &approval));
        TRY(adjustments_keep(c, adjustments, rows.n));
        *ret = (struct approval_view){.approval = approval, .adjustments = {adjustments, rows.n}};
        return ERR_OK;
}

/* ------------------------------------------------------------------ reading */

enum err points_approval_get(struct ctx *c, const char *id, struct approval_view *ret)
{
        struct approval_view view;
        struct approval_key key;
        struct list rows;
        bool found = false;

        if (uuid_from_text(id, &key.id))
                TRY(approval_find(c, &key, &view.approval, &found));
        if (!found)
                return not_found(c, id);
        TRY(adjustments_of(c, &key, &rows));
        view.adjustments.v = rows.v;
        view.adjustments.n = rows.n;
        *ret = view;
        return ERR_OK;
}

enum err points_approvals(struct ctx *c, const struct approval_page *page, struct list *ret)
{
        return page->state == APPROVAL_PENDING ? approvals_pending(c, page, ret)
                                               : approvals_any(c, page, ret);
}
