/* Duplicates and merges of customers. */
#include "merges/duplicates.h"
#include "merges/merges.h"
#include "resources/common.h"

struct duplicates_query {
        unsigned why;
        UNCOUNTED_PAGE_QUERY;
};
#define SHAPE_T struct duplicates_query
SHAPE(duplicates_query, "Which page.",
      FIELD(why, .in = IN_QUERY, .names = &likeness_names, .doc = "Only of this likeness."),
      UNCOUNTED_PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct duplicates {
        UNCOUNTED_PAGE_OF(struct duplicate);
};
#define SHAPE_T struct duplicates
SHAPE(duplicates, "A page of suggestions.", UNCOUNTED_PAGE_FIELDS(duplicate));
#undef SHAPE_T

ENDPOINT(duplicate_list, GET, "/v1/customers/duplicates", duplicates_query, 200, duplicates,
         .summary = "List customers who may be one person", .scope = SCOPE_CUSTOMERS_READ,
         .lane = LANE_REPORTS, .errors = ERRS(ERR_BAD_CURSOR),
         .doc = "By identities in a normal form, and by name and address; the surest first.")
{
        const char *filters = list_filters(c, &duplicates_query_shape, in);
        struct duplicates_page page = {.why = in->why, .limit = in->limit};
        struct duplicates_found found;

        TRY(cursor_read(c, in->cursor, filters, &duplicate_position_shape, &page.after));
        TRY(duplicates_list(c, &page, &found));
        out->data.v = found.duplicates.v;
        out->data.n = found.duplicates.n;
        out->has_more = found.more;
        if (found.more)
                out->next_cursor = cursor_write(c->arena, filters, &duplicate_position_shape, &found.last);
        return ERR_OK;
}

#define ABSORBED_DOC "The customer who is absorbed: UUID or ext:<external id>."

struct merge_in {
        const char *customer, *absorbed;
};
#define SHAPE_T struct merge_in
SHAPE(merge_in, "Whom to merge.", CUSTOMER_PATH,
      FIELD(absorbed, .need = true, .min = 1, .max = 300, .doc = ABSORBED_DOC));
#undef SHAPE_T

ENDPOINT(merge_preview_one, POST, "/v1/customers/{customer}/merges/preview", merge_in, 200, merge_preview,
         .summary = "See what a merge would do", .scope = SCOPE_CUSTOMERS_READ, .only_asks = true,
         .errors = ERRS(ERR_NOT_FOUND),
         .doc = "Both customers, what would move, and what stands in the way. Nothing is written.")
{
        return merge_preview_get(c, in->customer, in->absorbed, out);
}

ENDPOINT(
        merge_create, POST, "/v1/customers/{customer}/merges", merge_in, 201, customer_merge,
        .summary = "Merge a duplicate into a customer", .scope = SCOPE_CUSTOMERS_WRITE,
        .idempotency = IDEMPOTENCY_REQUIRED, .errors = ERRS(ERR_NOT_FOUND, ERR_MERGE_BLOCKED),
        .doc = "Everything of the absorbed customer becomes the survivor's: orders, points with their lots, tags, contacts, "
               "consents (the stricter holds). What the survivor has stays, what he lacks he gets. The absorbed customer's ids "
               "and references mean the survivor from then on. Can be undone for 30 days.")
{
        TRY(merge_do(c, in->customer, in->absorbed, out));
        reply_created(c, "merges", out->id);
        return ERR_OK;
}

struct merges_query {
        const char *customer;
        PAGE_QUERY;
};
#define SHAPE_T struct merges_query
SHAPE(merges_query, "Which page.",
      FIELD(customer, .in = IN_QUERY, .max = 300, .doc = "Only merges into this customer."),
      PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct merges {
        PAGE_OF(struct customer_merge);
};
#define SHAPE_T struct merges
SHAPE(merges, "A page of merges.", PAGE_FIELDS(customer_merge));
#undef SHAPE_T

struct merges_position {
        struct uuid id;
};
#define SHAPE_T struct merges_position
SHAPE(merges_position, "The last one shown.", FIELD(id, .need = true));
#undef SHAPE_T

ENDPOINT(merge_list, GET, "/v1/merges", merges_query, 200, merges, .summary = "List merges",
         .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED, ERR_BAD_CURSOR),
         .doc = "Newest first, those that were undone included.")
{
        struct merges_position at = {{{0}}};
        struct customer customer = {0};
        struct list rows;
        const char *filters = arena_printf(c->arena, "merges %s", in->customer != NULL ? in->customer : "");

        TRY(cursor_read(c, in->cursor, filters, &merges_position_shape, &at));
        if (in->customer != NULL)
                TRY(customer_get(c, in->customer, &customer));
        TRY(merges_list(c, &(struct merges_page){customer.id, at.id, PAGE_LIMITS(in, out)}, &rows));
        const struct customer_merge *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL)
                out->next_cursor = cursor_write(c->arena, filters, &merges_position_shape,
                                                &(struct merges_position){last->id});
        return ERR_OK;
}

struct merge_path {
        struct uuid merge;
};
#define SHAPE_T struct merge_path
SHAPE(merge_path, "A merge.", FIELD(merge, .in = IN_PATH, .need = true, .doc = "Its id."));
#undef SHAPE_T

ENDPOINT(merge_get_one, GET, "/v1/merges/{merge}", merge_path, 200, customer_merge, .summary = "Get a merge",
         .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return merge_get(c, in->merge, out);
}

struct merge_undo_in {
        struct uuid merge;
        const char *reason;
};
#define SHAPE_T struct merge_undo_in
SHAPE(merge_undo_in, "Which merge, and why it was wrong.",
      FIELD(merge, .in = IN_PATH, .need = true, .doc = "Its id."),
      FIELD(reason, .min = 1, .max = 500, .pii = PII_ALL));
#undef SHAPE_T

ENDPOINT(
        merge_undo_one, POST, "/v1/merges/{merge}/undo", merge_undo_in, 200, customer_merge,
        .summary = "Undo a merge", .scope = SCOPE_CUSTOMERS_WRITE, .idempotency = IDEMPOTENCY_REQUIRED,
        .errors = ERRS(ERR_NOT_FOUND, ERR_MERGE_BLOCKED, ERR_MERGE_UNDONE, ERR_MERGE_TOO_OLD),
        .doc = "Within 30 days. What was moved goes back with what has become of it; what else has happened since stays with the "
               "survivor. Points that the survivor spent from the other's are spent.")
{
        return merge_undo(c, in->merge, in->reason, out);
}

RESOURCE(merges, "Merges", "Customers who are one person.", &duplicate_list_endpoint,
         &merge_preview_one_endpoint, &merge_create_endpoint, &merge_list_endpoint, &merge_get_one_endpoint,
         &merge_undo_one_endpoint);
