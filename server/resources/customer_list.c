/* GET /v1/customers */
#include "resources/bulk.h"
#include "resources/common.h"
#include "resources/customer_filter.h"

struct customers_query {
        CUSTOMER_FILTER;
        SORT_QUERY;
        PAGE_QUERY;
};
#define SHAPE_T struct customers_query
SHAPE(customers_query, "Which customers, in which order.", CUSTOMER_FILTER_FIELDS,
      SORT_FIELD(customer_sort_names, "created_at"), PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct customers_page {
        PAGE_OF(struct customer);
};
#define SHAPE_T struct customers_page
SHAPE(customers_page, "A page of customers.", PAGE_FIELDS(customer));
#undef SHAPE_T

static void referrer_check(struct ctx *c, const char *reference)
{
        struct ctx own = {.arena = c->arena};
        struct uuid id;

        if (reference != NULL && customer_reference(&own, reference, &id) != ERR_OK)
                fault_parameter(c, "referrer", "bad_reference",
                                "must be a customer's UUID or ext:<external id>");
        problem_reset(&own);
}

enum err customer_filter_check(struct ctx *c, const struct customer_filter *filter)
{
        referrer_check(c, filter->referrer);
        if (!customer_filter_personal(filter))
                return problem_check(c);
        TRY(bulk_allowed(c, SCOPE_CUSTOMERS_PII));
        if ((filter->birthday_from.month != 0) != (filter->birthday_to.month != 0))
                fault_parameter(c, filter->birthday_from.month != 0 ? "birthday_to" : "birthday_from",
                                "required", "goes together with the other end");
        if (filter->birthday_from.year != 0)
                fault_parameter(c, "birthday_from", "not_allowed", "must have no year");
        if (filter->birthday_to.year != 0)
                fault_parameter(c, "birthday_to", "not_allowed", "must have no year");
        return problem_check(c);
}

ENDPOINT(
        customer_list, GET, "/v1/customers", customers_query, 200, customers_page,
        .summary = "List and search customers", .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_BAD_CURSOR),
        .doc = "In the order in which they were created unless sort says otherwise. Any page costs the same.")
{
        struct customer_query query = {.filter = in->filter, .sort = in->sort, .limit = in->limit};
        const char *filters = list_filters(c, &customers_query_shape, in);
        struct customer_list list;

        TRY(customer_filter_check(c, &in->filter));
        TRY(cursor_read(c, in->cursor, filters, &customer_position_shape, &query.after));
        TRY(directory_list(c, &query, &list));
        if (in->include_total) {
                out->total.set = true;
                TRY(directory_count(c, &in->filter, &out->total.v));
        }
        out->data.v = list.customers.v;
        out->data.n = list.customers.n;
        out->has_more = list.more;
        if (list.more)
                out->next_cursor = cursor_write(c->arena, filters, &customer_position_shape, &list.last);
        return ERR_OK;
}

RESOURCE(customer_list, "Lists of customers", "Search, filters and orders over all customers.",
         &customer_list_endpoint);
