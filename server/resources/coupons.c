/* /v1/coupons */
#include "coupons/coupons.h"

#include "customers/customers.h"
#include "resources/common.h"

/* A checkout takes minutes; a bank transfer, days. */
#define LOCK_SECONDS_MAX (7 * 86400)

/* What a person typed of a code, with room for dashes and spaces. */
#define COUPON_PATH                                                                                          \
        FIELD(coupon, .in = IN_PATH, .need = true, .max = 60,                                                \
              .doc = "Its code; case, dashes and spaces don't count.")
#define SESSION_FIELD(...) FIELD(session, .min = 1, .max = 200, .format = &format_printable, ##__VA_ARGS__)

ENDPOINT(
        coupon_issue_single, POST, "/v1/coupons", coupon_issue_in, 201, coupon, .status_hit = 200,
        .summary = "Issue a coupon", .scope = SCOPE_REWARDS_WRITE,
        .errors = ERRS(ERR_KEY_REQUIRED, ERR_NOT_FOUND, ERR_ERASED, ERR_COUPON_SOLD_OUT, ERR_COUPON_LIMIT,
                       ERR_COUPON_DIFFERS, ERR_CONFLICT),
        .doc = "To a customer, or to whoever will bear it. Without a key of its own it needs an Idempotency-Key.")
{
        bool known;

        if (in->key == NULL && !c->reply->keyed)
                return fail(c, ERR_KEY_REQUIRED, "Send a key in the body or an Idempotency-Key header.");
        TRY(coupon_issue_one(c, in, out, &known));
        c->reply->idempotency_hit = known;
        c->reply->status = known ? 200 : 201;
        if (!known)
                c->reply->location = arena_printf(c->arena, "/v1/coupons/%s", out->code);
        return ERR_OK;
}

struct coupon_path {
        const char *coupon;
};
#define SHAPE_T struct coupon_path
SHAPE(coupon_path, "A coupon.", COUPON_PATH);
#undef SHAPE_T

ENDPOINT(coupon_get_one, GET, "/v1/coupons/{coupon}", coupon_path, 200, coupon, .summary = "Get a coupon",
         .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND),
         .doc = "A mistyped code is told by its check character, and nothing is looked up.")
{
        return coupon_get(c, in->coupon, out);
}

#define SHAPE_T struct coupon_lock_in
SHAPE(coupon_lock_in, "A checkout that wants a coupon for itself.", COUPON_PATH,
      SESSION_FIELD(.need = true, .doc = "Its own name: only it may use or release the coupon meanwhile."),
      FIELD(customer, .min = 1, .max = 300, .doc = "Who wants to use it: UUID or ext:<external id>."),
      FIELD(expires_in_seconds, .min = 1, .max = LOCK_SECONDS_MAX, .dflt = "900",
            .doc = "After this time the lock ends by itself."));
#undef SHAPE_T

ENDPOINT(
        coupon_lock_single, POST, "/v1/coupons/{coupon}/lock", coupon_lock_in, 200, coupon,
        .idempotency = IDEMPOTENCY_NATURAL, .summary = "Lock a coupon for a checkout",
        .scope = SCOPE_REWARDS_WRITE, .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE),
        .doc = "Sent again by the same session it moves the end. An order uses it with coupon_session, or with the session as "
               "its external_id.")
{
        return coupon_lock_one(c, in, out);
}

#define SHAPE_T struct coupon_release_in
SHAPE(coupon_release_in, "The end of a lock.", COUPON_PATH,
      SESSION_FIELD(.need = true, .doc = "Whose lock it is."));
#undef SHAPE_T

ENDPOINT(coupon_release_single, POST, "/v1/coupons/{coupon}/release", coupon_release_in, 200, coupon,
         .idempotency = IDEMPOTENCY_REQUIRED, .summary = "Release a coupon", .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE))
{
        return coupon_release_one(c, in, out);
}

#define SHAPE_T struct coupon_redeem_in
SHAPE(coupon_redeem_in, "The use of a coupon for something that is no order here.", COUPON_PATH,
      FIELD(customer, .min = 1, .max = 300,
            .doc = "Who uses it: UUID or ext:<external id>; null: its owner."),
      SESSION_FIELD(.doc = "Under which it is locked, if it is."),
      FIELD(reference, .need = true, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's own name for what it is used for."),
      FIELD(off_minor, .from_zero = true, .max = COUPON_MINOR_MAX, .dflt = "0",
            .doc = "What it took off, for the record."));
#undef SHAPE_T

ENDPOINT(coupon_redeem_single, POST, "/v1/coupons/{coupon}/redeem", coupon_redeem_in, 200, coupon,
         .idempotency = IDEMPOTENCY_REQUIRED, .summary = "Use a coupon", .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE),
         .doc = "For what is no order here, as at a till; an order uses its coupon itself.")
{
        return coupon_redeem_one(c, in, out);
}

#define SHAPE_T struct coupon_rollback_in
SHAPE(coupon_rollback_in, "The use of a coupon, undone.", COUPON_PATH,
      FIELD(reference, .need = true, .min = 1, .max = 200, .format = &format_printable,
            .doc = "What it was used for."));
#undef SHAPE_T

ENDPOINT(coupon_rollback_single, POST, "/v1/coupons/{coupon}/rollback", coupon_rollback_in, 200, coupon,
         .idempotency = IDEMPOTENCY_REQUIRED, .summary = "Undo the use of a coupon",
         .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE, ERR_COUPON_BOUND))
{
        return coupon_rollback(c, in, out);
}

ENDPOINT(coupon_revoke_single, DELETE, "/v1/coupons/{coupon}", coupon_path, 200, coupon,
         .summary = "Withdraw a coupon", .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE),
         .doc = "For good; it stays to be read.")
{
        return coupon_revoke_one(c, in->coupon, out);
}

/* ------------------------------------------------------------------ lists */

struct coupons_query {
        PAGE_QUERY;
        const char *customer, *template;
        unsigned state;
};
#define SHAPE_T struct coupons_query
SHAPE(coupons_query, "Which page.", PAGE_QUERY_FIELDS,
      FIELD(customer, .in = IN_QUERY, .max = 300,
            .doc = "Only those of this customer: UUID or ext:<external id>."),
      FIELD(template, .in = IN_QUERY, .max = 50, .doc = "Only those of this template."),
      FIELD(state, .in = IN_QUERY, .names = &coupon_state_names, .doc = "Only those in this state."));
#undef SHAPE_T

struct coupons_page {
        PAGE_OF(struct coupon);
};
#define SHAPE_T struct coupons_page
SHAPE(coupons_page, "A page of coupons.", PAGE_FIELDS(coupon));
#undef SHAPE_T

struct coupons_position {
        struct uuid id;
};
#define SHAPE_T struct coupons_position
SHAPE(coupons_position, "The last one shown.", FIELD(id));
#undef SHAPE_T

ENDPOINT(coupon_list, GET, "/v1/coupons", coupons_query, 200, coupons_page, .summary = "List coupons",
         .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED, ERR_BAD_CURSOR),
         .doc = "Newest first.")
{
        struct coupons_position at = {0};
        struct customer customer = {0};
        struct list rows;
        const char *filters = arena_printf(c->arena, "coupons customer=%s template=%s state=%u",
                                           in->customer != NULL ? in->customer : "",
                                           in->template != NULL ? in->template : "", in->state);

        TRY(cursor_read(c, in->cursor, filters, &coupons_position_shape, &at));
        if (in->customer != NULL)
                TRY(customer_get(c, in->customer, &customer));
        const struct coupon_page page = {.before_id = at.id,
                                         .customer_id = customer.id,
                                         .template = in->template,
                                         .state = in->state,
                                         .limit = in->limit + 1,
                                         .total = PAGE_TOTAL(in, out)};
        TRY(coupons_list(c, &page, &rows));
        const struct coupon *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.id = last->id;
                out->next_cursor = cursor_write(c->arena, filters, &coupons_position_shape, &at);
        }
        return ERR_OK;
}

struct coupon_history_query {
        const char *coupon;
        PAGE_QUERY;
};
#define SHAPE_T struct coupon_history_query
SHAPE(coupon_history_query, "Which page.", COUPON_PATH, PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct coupon_history_list {
        PAGE_OF(struct coupon_change);
};
#define SHAPE_T struct coupon_history_list
SHAPE(coupon_history_list, "A page of a coupon's history.", PAGE_FIELDS(coupon_change));
#undef SHAPE_T

struct coupon_history_position {
        int64_t change_no;
};
#define SHAPE_T struct coupon_history_position
SHAPE(coupon_history_position, "The last one shown.", FIELD(change_no));
#undef SHAPE_T

ENDPOINT(coupon_history_get, GET, "/v1/coupons/{coupon}/history", coupon_history_query, 200,
         coupon_history_list, .summary = "List what became of a coupon", .scope = SCOPE_REWARDS_READ,
         .errors = ERRS(ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct coupon_history_position at = {0};
        struct coupon coupon;
        struct list rows;

        TRY(coupon_get(c, in->coupon, &coupon));
        const char *filters = arena_printf(c->arena, "coupon history %s", coupon.code);
        TRY(cursor_read(c, in->cursor, filters, &coupon_history_position_shape, &at));
        TRY(coupon_history(c, &(struct coupon_history_page){coupon.code, at.change_no, PAGE_LIMITS(in, out)},
                           &rows));
        const struct coupon_change *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.change_no = last->change_no;
                out->next_cursor = cursor_write(c->arena, filters, &coupon_history_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(coupons, "Coupons", "Issued, locked by a checkout, redeemed once.", &coupon_issue_single_endpoint,
         &coupon_list_endpoint, &coupon_get_one_endpoint, &coupon_history_get_endpoint,
         &coupon_lock_single_endpoint, &coupon_release_single_endpoint, &coupon_redeem_single_endpoint,
         &coupon_rollback_single_endpoint, &coupon_revoke_single_endpoint);
