/* /v1/customers/{customer}/interactions, /v1/behaviour-events */
#include "customers/behaviour.h"
#include "customers/customers.h"
#include "customers/interactions.h"
#include "resources/common.h"

struct interaction_new {
        const char *customer;
        struct interaction_in interaction;
};
#define SHAPE_T struct interaction_new
SHAPE(interaction_new, "A contact to record.", CUSTOMER_PATH,
      NEST(interaction, interaction_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(interaction_create, POST, "/v1/customers/{customer}/interactions", interaction_new, 201, interaction,
         .status_hit = 200, .summary = "Record a contact with a customer", .scope = SCOPE_CUSTOMERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND, ERR_INTERACTION_DIFFERS),
         .doc = "The same external_id again answers with what was recorded (200).")
{
        bool created;

        TRY(interaction_add(c, in->customer, &in->interaction, out, &created));
        c->reply->status = created ? 201 : 200;
        c->reply->idempotency_hit = !created;
        if (created)
                c->reply->location = customer_part_by_id(c->arena, out->customer_id, "interactions", out->id);
        return ERR_OK;
}

struct interaction_path {
        const char *customer;
        struct uuid interaction;
};
#define SHAPE_T struct interaction_path
SHAPE(interaction_path, "A contact.", CUSTOMER_PATH,
      FIELD(interaction, .in = IN_PATH, .need = true, .doc = "The contact's id."));
#undef SHAPE_T

ENDPOINT(interaction_get_one, GET, "/v1/customers/{customer}/interactions/{interaction}", interaction_path,
         200, interaction, .summary = "Get a contact", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND))
{
        return interaction_get(c, in->customer, in->interaction, out);
}

struct interactions_query {
        PAST_QUERY;
        unsigned kind;
};
#define SHAPE_T struct interactions_query
SHAPE(interactions_query, "Which page.", PAST_QUERY_FIELDS,
      FIELD(kind, .in = IN_QUERY, .names = &interaction_kind_names, .doc = "Only these."));
#undef SHAPE_T

struct interactions_list {
        PAGE_OF(struct interaction);
};
#define SHAPE_T struct interactions_list
SHAPE(interactions_list, "A page of contacts.", PAGE_FIELDS(interaction));
#undef SHAPE_T

ENDPOINT(interaction_list, GET, "/v1/customers/{customer}/interactions", interactions_query, 200,
         interactions_list, .summary = "List the contacts with a customer", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct past past;
        struct list rows;

        TRY(past_begin(c, &interactions_query_shape, in, interaction_kind_names.v[in->kind],
                       PAGE_TOTAL(in, out), &past));
        TRY(interactions_list(c, &past.page, &rows));
        const struct interaction *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL)
                out->next_cursor = past_next(c, &past, last->occurred_at, last->id);
        return ERR_OK;
}

struct behaviour_batch {
        LIST_OF(struct behaviour_in) events;
};
#define SHAPE_T struct behaviour_batch
SHAPE(behaviour_batch, "What customers did.",
      LIST(events, behaviour_in, .need = true, .min = 1, .max = BEHAVIOUR_MAX));
#undef SHAPE_T

ENDPOINT(
        behaviour_create, POST, "/v1/behaviour-events", behaviour_batch, 200, behaviour_taken,
        .summary = "Send what customers did in the shop", .scope = SCOPE_CUSTOMERS_WRITE,
        .doc = "Up to 500 events. Those of unknown customers, or outside the time that is kept, are listed as refused; "
               "the others are stored. With a key and a time an event that comes twice is stored once.")
{
        return behaviour_take(c, in->events.v, in->events.n, out);
}

struct behaviour_page {
        PAGE_OF(struct behaviour_event);
};
#define SHAPE_T struct behaviour_page
SHAPE(behaviour_page, "A page of events.", PAGE_FIELDS(behaviour_event));
#undef SHAPE_T

struct behaviour_query {
        PAST_QUERY;
        unsigned type;
};
#define SHAPE_T struct behaviour_query
SHAPE(behaviour_query, "Which page.", PAST_QUERY_FIELDS,
      FIELD(type, .in = IN_QUERY, .names = &behaviour_names, .doc = "Only these."));
#undef SHAPE_T

ENDPOINT(behaviour_list_one, GET, "/v1/customers/{customer}/behaviour-events", behaviour_query, 200,
         behaviour_page, .summary = "List what a customer did in the shop", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first, as far back as it is kept.")
{
        struct past past;
        struct list rows;

        TRY(past_begin(c, &behaviour_query_shape, in, behaviour_names.v[in->type], PAGE_TOTAL(in, out),
                       &past));
        TRY(behaviour_list(c, &past.page, &rows));
        const struct behaviour_event *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL)
                out->next_cursor = past_next(c, &past, last->occurred_at, last->id);
        return ERR_OK;
}

RESOURCE(interactions, "Interactions", "Contacts with customers, and what they do in the shop.",
         &interaction_create_endpoint, &interaction_list_endpoint, &interaction_get_one_endpoint,
         &behaviour_create_endpoint, &behaviour_list_one_endpoint);
