/* /v1/customers/{customer}/points/adjustments and /v1/points/approvals */
#include "points/adjustments.h"

#include "resources/common.h"

struct adjust {
        ADJUSTMENT_MEMBERS;
};
#define SHAPE_T struct adjust
SHAPE(adjust, "Points to give or take by hand.", CUSTOMER_PATH, ADJUSTMENT_FIELDS);
#undef SHAPE_T

struct adjusted {
        struct adjustment adjustment;
        struct points_balance balance;
};
#define SHAPE_T struct adjusted
SHAPE(adjusted, "An adjustment and the balance after it.", NEST(adjustment, adjustment),
      NEST(balance, points_balance));
#undef SHAPE_T

static void reply_approval(struct ctx *c, struct uuid approval_id)
{
        char id[UUID_TEXT_SIZE];

        uuid_to_text(approval_id, id);
        c->reply->location = arena_printf(c->arena, "/v1/points/approvals/%s", id);
}

ENDPOINT(
        points_adjust_one, POST, "/v1/customers/{customer}/points/adjustments", adjust, 201, adjusted,
        .summary = "Give or take points by hand", .scope = SCOPE_POINTS_WRITE,
        .idempotency = IDEMPOTENCY_REQUIRED,
        .errors = ERRS(ERR_NOT_FOUND, ERR_POINTS_TOO_FEW, ERR_ADJUSTMENT_DIFFERS, ERR_CONFLICT),
        .doc = "More points than the programme's approval_above wait, as pending_approval, for a second key.")
{
        struct adjustment_in wanted = {in->customer, in->points,     in->reason,    in->external_id,
                                       in->expiry,   in->expires_at, in->allow_debt};
        struct adjustment_call call = {.c = c, .in = &wanted};
        struct uuid approval_id;
        char customer[UUID_TEXT_SIZE];

        TRY(points_adjust(c, &call, 1, &approval_id));
        TRY(call.err);
        out->adjustment = call.adjustment;
        c->reply->idempotency_hit = call.replayed;
        uuid_to_text(call.adjustment.customer_id, customer);
        c->reply->location = arena_printf(c->arena, "/v1/customers/%s/points/ledger", customer);
        if (uuid_known(approval_id))
                reply_approval(c, approval_id);
        struct points_read read = {.c = c, .customer = customer, .balance = &out->balance};
        TRY(points_balances(c, &read, 1));
        return read.err;
}

/* ------------------------------------------------------------------ many at once */

struct adjust_many {
        LIST_OF(struct adjustment_in) items;
};
#define SHAPE_T struct adjust_many
SHAPE(adjust_many, "Points to give or take by hand.",
      LIST(items, adjustment_in, .need = true, .min = 1, .max = ADJUSTMENTS_MAX));
#undef SHAPE_T

struct adjust_result {
        int64_t line, status;
        struct uuid id, customer_id;
        const char *external_id;
        unsigned state;
        struct json_text error;
};
#define SHAPE_T struct adjust_result
SHAPE(adjust_result, "What became of one item.", FIELD(line, .doc = "Its place, from 1."),
      FIELD(status, .doc = "As if it had been sent alone; 200: it was known already."), FIELD(id),
      FIELD(customer_id), FIELD(external_id), FIELD(state, .names = &adjustment_state_names),
      FIELD(error, .doc = "The problem; null: there is none."));
#undef SHAPE_T

struct adjust_results {
        LIST_OF(struct adjust_result) data;
        int64_t succeeded, failed;
        struct uuid approval_id;
};
#define SHAPE_T struct adjust_results
SHAPE(adjust_results, "What became of each item.", LIST(data, adjust_result), FIELD(succeeded), FIELD(failed),
      FIELD(approval_id, .doc = "The request that all of them wait for; null: none was needed."));
#undef SHAPE_T

static struct adjust_result result_of(struct ctx *c, const struct adjustment_call *call, size_t index)
{
        const struct adjustment *done = &call->adjustment;
        struct adjust_result result = {.line = (int64_t)index + 1, .external_id = call->in->external_id};
        struct text problem = {0};

        if (call->err == ERR_OK) {
                result.status = call->replayed ? 200 : 201;
                result.id = done->id;
                result.customer_id = done->customer_id;
                result.state = done->state;
                return result;
        }
        result.status = err_info(call->err)->status;
        problem_write(call->c, /* instance= */ NULL, &problem);
        result.error.text = arena_strdup(c->arena, problem.data);
        text_free(&problem);
        return result;
}

ENDPOINT(
        points_adjust_many, POST, "/v1/points/adjustments:batch", adjust_many, 207, adjust_results,
        .summary = "Give or take points of many customers by hand", .scope = SCOPE_POINTS_WRITE,
        .idempotency = IDEMPOTENCY_REQUIRED, .errors = ERRS(ERR_CONFLICT),
        .doc = "Each item for itself: good ones land, whatever becomes of the others. When they are together more than "
               "the programme's approval_above, all wait for one approval.")
{
        size_t n = in->items.n;
        struct adjustment_call *calls = ARENA_ARRAY(c->arena, n, struct adjustment_call);
        struct ctx *contexts = ARENA_ARRAY(c->arena, n, struct ctx);

        for (size_t i = 0; i < n; i++) {
                contexts[i] = *c;
                contexts[i].problem = (struct problem){0};
                calls[i] = (struct adjustment_call){.c = &contexts[i], .in = &in->items.v[i]};
        }
        enum err err = points_adjust(c, calls, n, &out->approval_id);
        out->data.v = ARENA_ARRAY(c->arena, n, struct adjust_result);
        out->data.n = n;
        for (size_t i = 0; i < n; i++) {
                out->data.v[i] = result_of(c, &calls[i], i);
                *(calls[i].err == ERR_OK ? &out->succeeded : &out->failed) += 1;
                problem_reset(&contexts[i]);
        }
        return err;
}

/* ------------------------------------------------------------------ approvals */

#define APPROVAL_PATH FIELD(approval, .in = IN_PATH, .need = true, .max = 300, .doc = "Id of the request.")

struct approval_path {
        const char *approval;
};
#define SHAPE_T struct approval_path
SHAPE(approval_path, "Which request.", APPROVAL_PATH);
#undef SHAPE_T

struct approval_reason {
        const char *approval, *reason;
};
#define SHAPE_T struct approval_reason
SHAPE(approval_reason, "Why it is decided so.", APPROVAL_PATH, FIELD(reason, .min = 1, .max = 500));
#undef SHAPE_T

ENDPOINT(
        points_approval_approve, POST, "/v1/points/approvals/{approval}/approve", approval_reason, 200,
        approval_view, .summary = "Approve adjustments that another key asked for",
        .scope = SCOPE_POINTS_APPROVE, .idempotency = IDEMPOTENCY_REQUIRED,
        .errors = ERRS(ERR_NOT_FOUND, ERR_APPROVAL_DECIDED, ERR_OWN_APPROVAL, ERR_CONFLICT),
        .doc = "They are booked now; one that can't be any more, because the points were spent meanwhile, is refused.")
{
        return points_approval_decide(c, &(struct approval_decision){in->approval, true, in->reason}, out);
}

ENDPOINT(points_approval_decline, POST, "/v1/points/approvals/{approval}/decline", approval_reason, 200,
         approval_view, .summary = "Decline adjustments that another key asked for",
         .scope = SCOPE_POINTS_APPROVE, .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_APPROVAL_DECIDED, ERR_OWN_APPROVAL, ERR_CONFLICT))
{
        return points_approval_decide(c, &(struct approval_decision){in->approval, false, in->reason}, out);
}

ENDPOINT(points_approval_get_one, GET, "/v1/points/approvals/{approval}", approval_path, 200, approval_view,
         .summary = "Get a request for approval", .scope = SCOPE_POINTS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return points_approval_get(c, in->approval, out);
}

struct approvals_query {
        PAGE_QUERY;
        unsigned state;
};
#define SHAPE_T struct approvals_query
SHAPE(approvals_query, "Which page.", PAGE_QUERY_FIELDS,
      FIELD(state, .in = IN_QUERY, .names = &approval_state_names, .doc = "Only those in this state."));
#undef SHAPE_T

struct approvals_list {
        PAGE_OF(struct approval);
};
#define SHAPE_T struct approvals_list
SHAPE(approvals_list, "A page of requests.", PAGE_FIELDS(approval));
#undef SHAPE_T

struct approvals_position {
        struct uuid id;
};
#define SHAPE_T struct approvals_position
SHAPE(approvals_position, "The last one shown.", FIELD(id));
#undef SHAPE_T

ENDPOINT(points_approval_list, GET, "/v1/points/approvals", approvals_query, 200, approvals_list,
         .summary = "List requests for approval", .scope = SCOPE_POINTS_READ, .errors = ERRS(ERR_BAD_CURSOR),
         .doc = "Newest first.")
{
        struct approvals_position at = {0};
        struct list rows;
        const char *filters = arena_printf(c->arena, "approvals %u", in->state);

        TRY(cursor_read(c, in->cursor, filters, &approvals_position_shape, &at));
        TRY(points_approvals(c, &(struct approval_page){in->state, at.id, PAGE_LIMITS(in, out)}, &rows));
        const struct approval *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.id = last->id;
                out->next_cursor = cursor_write(c->arena, filters, &approvals_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(adjustments, "Adjustments", "Points given and taken by hand, and their approval by a second key.",
         &points_adjust_one_endpoint, &points_adjust_many_endpoint, &points_approval_list_endpoint,
         &points_approval_get_one_endpoint, &points_approval_approve_endpoint,
         &points_approval_decline_endpoint);
