/* /v1/customers/{customer}/points/holds */
#include "customers/customers.h"
#include "points/points.h"
#include "resources/common.h"

/* A cart is left within minutes; a bank transfer takes days. */
#define HOLD_SECONDS_MAX (7 * 86400)

#define HOLD_PATH                                                                                            \
        CUSTOMER_PATH, FIELD(hold, .in = IN_PATH, .need = true, .max = 300, .doc = "UUID or ext:<reference>.")

static void reply_hold(struct ctx *c, const struct hold *hold)
{
        char customer[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];

        uuid_to_text(hold->customer_id, customer);
        uuid_to_text(hold->id, id);
        c->reply->location = arena_printf(c->arena, "/v1/customers/%s/points/holds/%s", customer, id);
}

#define SHAPE_T struct hold_in
SHAPE(hold_in, "Points to reserve.", CUSTOMER_PATH,
      FIELD(points, .need = true, .min = 1, .max = POINTS_MAX, .doc = "How many."),
      FIELD(expires_in_seconds, .min = 1, .max = HOLD_SECONDS_MAX, .dflt = "1800",
            .doc = "After this time the points go back."),
      FIELD(reason, .min = 1, .max = 200, .doc = "What for; shown in the ledger."),
      FIELD(reference, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's own name for it, one hold each: ext:<reference> means it from then on."));
#undef SHAPE_T

ENDPOINT(points_hold_create, POST, "/v1/customers/{customer}/points/holds", hold_in, 201, hold_result,
         .summary = "Reserve points", .scope = SCOPE_POINTS_WRITE, .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_POINTS_TOO_FEW, ERR_HOLD_EXISTS, ERR_CONFLICT),
         .doc = "Earliest expiry first, then oldest. A hold is captured, released or expires, once; an order "
                "that names it in points_hold does that for it.")
{
        TRY(points_hold(c, in, out));
        reply_hold(c, &out->hold);
        return ERR_OK;
}

struct hold_path {
        const char *customer, *hold;
};
#define SHAPE_T struct hold_path
SHAPE(hold_path, "Which hold.", HOLD_PATH);
#undef SHAPE_T

ENDPOINT(points_hold_get_one, GET, "/v1/customers/{customer}/points/holds/{hold}", hold_path, 200, hold,
         .summary = "Get a hold", .scope = SCOPE_POINTS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return points_hold_get(c, in->customer, in->hold, out);
}

#define SHAPE_T struct hold_capture
SHAPE(hold_capture, "How much of a hold to spend.", HOLD_PATH,
      FIELD(points, .min = 1, .max = POINTS_MAX, .doc = "A part, and the rest goes back; null: all."));
#undef SHAPE_T

ENDPOINT(points_hold_capture_one, POST, "/v1/customers/{customer}/points/holds/{hold}/capture", hold_capture,
         200, hold_result, .summary = "Spend a hold", .scope = SCOPE_POINTS_WRITE,
         .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_HOLD_RESOLVED, ERR_HOLD_BOUND, ERR_CONFLICT))
{
        return points_hold_capture(c, in, out);
}

#define SHAPE_T struct hold_release
SHAPE(hold_release, "Why a hold is given back.", HOLD_PATH,
      FIELD(reason, .min = 1, .max = 200, .doc = "Shown in the ledger."));
#undef SHAPE_T

ENDPOINT(points_hold_release_one, POST, "/v1/customers/{customer}/points/holds/{hold}/release", hold_release,
         200, hold_result, .summary = "Give a hold back", .scope = SCOPE_POINTS_WRITE,
         .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_HOLD_RESOLVED, ERR_HOLD_BOUND, ERR_CONFLICT),
         .doc = "The points return to their lots with the expiry that these have.")
{
        return points_hold_release(c, in, out);
}

struct holds_query {
        const char *customer;
        PAGE_QUERY;
        unsigned state;
};
#define SHAPE_T struct holds_query
SHAPE(holds_query, "Which page.", CUSTOMER_PATH, PAGE_QUERY_FIELDS,
      FIELD(state, .in = IN_QUERY, .names = &hold_state_names, .doc = "Only those in this state."));
#undef SHAPE_T

struct holds_list {
        PAGE_OF(struct hold);
};
#define SHAPE_T struct holds_list
SHAPE(holds_list, "A page of holds.", PAGE_FIELDS(hold));
#undef SHAPE_T

struct holds_position {
        int64_t seq;
};
#define SHAPE_T struct holds_position
SHAPE(holds_position, "The last one shown.", FIELD(seq));
#undef SHAPE_T

ENDPOINT(points_hold_list, GET, "/v1/customers/{customer}/points/holds", holds_query, 200, holds_list,
         .summary = "List a customer's holds", .scope = SCOPE_POINTS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct holds_position at = {0};
        struct customer customer;
        struct list rows;
        char id[UUID_TEXT_SIZE];

        TRY(customer_get(c, in->customer, &customer));
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "holds %s %u", id, in->state);
        TRY(cursor_read(c, in->cursor, filters, &holds_position_shape, &at));
        TRY(points_holds(c, &(struct hold_page){customer.id, in->state, at.seq, PAGE_LIMITS(in, out)},
                         &rows));
        const struct hold *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.seq = last->seq;
                out->next_cursor = cursor_write(c->arena, filters, &holds_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(holds, "Holds", "Points reserved for a purchase.", &points_hold_create_endpoint,
         &points_hold_list_endpoint, &points_hold_get_one_endpoint, &points_hold_capture_one_endpoint,
         &points_hold_release_one_endpoint);
