/* /v1/customers/{customer}/timeline */
#include "timeline/timeline.h"

#include "customers/customers.h"
#include "resources/common.h"

struct timeline_query {
        const char *customer;
        unsigned kind;
        UNCOUNTED_PAGE_QUERY;
};
#define SHAPE_T struct timeline_query
SHAPE(timeline_query, "Which page.", CUSTOMER_PATH,
      FIELD(kind, .in = IN_QUERY, .names = &timeline_kind_names, .doc = "Only these."),
      UNCOUNTED_PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct timeline {
        UNCOUNTED_PAGE_OF(struct timeline_entry);
};
#define SHAPE_T struct timeline
SHAPE(timeline, "A page of the timeline.", UNCOUNTED_PAGE_FIELDS(timeline_entry));
#undef SHAPE_T

struct timeline_position {
        struct instant at;
        unsigned kind;
        const char *key;
};
#define SHAPE_T struct timeline_position
SHAPE(timeline_position, "The last one shown.", FIELD(at, .need = true),
      FIELD(kind, .need = true, .names = &timeline_kind_names), FIELD(key, .need = true));
#undef SHAPE_T

ENDPOINT(
        timeline_get, GET, "/v1/customers/{customer}/timeline", timeline_query, 200, timeline,
        .summary = "See everything that happened to a customer", .scope = SCOPE_CUSTOMERS_READ,
        .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR),
        .doc = "Newest first: orders, refunds, points, activities, tiers, contacts, behaviour, notes, tags put on and taken off, groups joined "
               "and left, consent, suppressions and their end, merges.")
{
        struct timeline_position at = {0};
        struct customer customer;
        struct list rows;
        char id[UUID_TEXT_SIZE];

        TRY(customer_get(c, in->customer, &customer));
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "timeline %u %s", in->kind, id);
        TRY(cursor_read(c, in->cursor, filters, &timeline_position_shape, &at));
        struct timeline_page page = {customer.id, in->kind, at.at, at.kind, at.key, in->limit + 1};
        TRY(timeline_list(c, &page, &rows));
        const struct timeline_entry *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at = (struct timeline_position){last->at, last->kind, last->key};
                out->next_cursor = cursor_write(c->arena, filters, &timeline_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(timelines, "Timeline", "Everything that happened to a customer.", &timeline_get_endpoint);
