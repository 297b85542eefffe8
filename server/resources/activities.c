/* /v1/activities */
#include "activities/activities.h"

#include "customers/customers.h"
#include "resources/common.h"

#define SHAPE_T struct activity_in
SHAPE(activity_in, "Something that a customer did.",
      FIELD(key, .need = true, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's own name of it, unique: the natural key of the call."),
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(type, .need = true, .names = &activity_type_names),
      FIELD(code, .min = 1, .max = 50, .format = &format_code,
            .doc = "Of a custom one: its code in the programme."),
      FIELD(referred, .min = 1, .max = 300, .doc = "Of a referral: the customer who was referred."),
      FIELD(occurred_at,
            .doc = "null: now. Limits are counted in the shop's day, week and month that it lies in."));
#undef SHAPE_T

ENDPOINT(
        activity_record_one, POST, "/v1/activities", activity_in, 201, activity_result, .status_hit = 200,
        .summary = "Record what a customer did", .scope = SCOPE_POINTS_WRITE,
        .idempotency = IDEMPOTENCY_NATURAL,
        .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED, ERR_ACTIVITY_DIFFERS, ERR_CONFLICT),
        .doc = "Paid in points and growth as the programme says; over a limit nothing is paid, and why tells. A referral waits until "
               "the referred customer's first order counts. The same activity again changes nothing.")
{
        struct activity_answer answer;
        char id[UUID_TEXT_SIZE];

        (void)out;
        TRY(activity_record(c, in, &answer));
        c->reply->json = answer.outcome;
        c->reply->json_len = answer.outcome_len;
        if (answer.replayed) {
                c->reply->status = 200;
                c->reply->idempotency_hit = true;
                return ERR_OK;
        }
        uuid_to_text(answer.customer_id, id);
        c->reply->location = arena_printf(c->arena, "/v1/customers/%s/activities", id);
        return ERR_OK;
}

struct activities_query {
        const char *customer;
        PAGE_QUERY;
};
#define SHAPE_T struct activities_query
SHAPE(activities_query, "Which page.", CUSTOMER_PATH, PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct activity_list {
        PAGE_OF(struct activity);
};
#define SHAPE_T struct activity_list
SHAPE(activity_list, "A page of activities.", PAGE_FIELDS(activity));
#undef SHAPE_T

struct activities_position {
        struct instant at;
        struct uuid id;
};
#define SHAPE_T struct activities_position
SHAPE(activities_position, "The last one shown.", FIELD(at), FIELD(id));
#undef SHAPE_T

ENDPOINT(activity_list_some, GET, "/v1/customers/{customer}/activities", activities_query, 200, activity_list,
         .summary = "List a customer's activities", .scope = SCOPE_POINTS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct activities_position at = {0};
        struct customer customer;
        struct list rows;
        char id[UUID_TEXT_SIZE];

        TRY(customer_get(c, in->customer, &customer));
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "activities %s", id);
        TRY(cursor_read(c, in->cursor, filters, &activities_position_shape, &at));
        TRY(activities_list(c, &(struct activity_page){customer.id, at.at, at.id, PAGE_LIMITS(in, out)},
                            &rows));
        const struct activity *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at = (struct activities_position){last->created_at, last->id};
                out->next_cursor = cursor_write(c->arena, filters, &activities_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(activities, "Activities", "What customers do beside buying.", &activity_record_one_endpoint,
         &activity_list_some_endpoint);
