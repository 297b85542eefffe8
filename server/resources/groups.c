/* /v1/groups */
#include "customers/groups.h"

#include "customers/customers.h"
#include "resources/common.h"

#define GROUP_PATH CODE_PATH(group, "The group's code.")

struct group_path {
        const char *group;
};
#define SHAPE_T struct group_path
SHAPE(group_path, "A group.", GROUP_PATH);
#undef SHAPE_T

struct group_setting {
        const char *group;
        struct group_in content;
};
#define SHAPE_T struct group_setting
SHAPE(group_setting, "A group.", GROUP_PATH, NEST(content, group_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(group_put_one, PUT, "/v1/groups/{group}", group_setting, 200, group, .status_hit = 201,
         .summary = "Create or replace a group", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
         .errors = ERRS(ERR_STALE), .doc = "With a platform it is a community out there. Its members stay.")
{
        bool created;

        TRY(group_put(c, in->group, &in->content, c->reply->if_match, out, &created));
        c->reply->status = created ? 201 : 200;
        if (created)
                c->reply->location = arena_printf(c->arena, "/v1/groups/%s", out->code);
        return ERR_OK;
}

ENDPOINT(group_get_one, GET, "/v1/groups/{group}", group_path, 200, group, .summary = "Get a group",
         .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return group_get(c, in->group, out);
}

ENDPOINT(group_delete_one, DELETE, "/v1/groups/{group}", group_path, 204, nothing,
         .summary = "Remove a group", .scope = SCOPE_CUSTOMERS_WRITE, .errors = ERRS(ERR_NOT_FOUND),
         .doc = "With its list of members; the customers stay.")
{
        (void)out;
        return group_remove(c, in->group);
}

struct groups_query {
        unsigned platform;
        SORT_QUERY;
        PAGE_QUERY;
};
#define SHAPE_T struct groups_query
SHAPE(groups_query, "Which page.",
      FIELD(platform, .in = IN_QUERY, .names = &platform_names, .doc = "Only communities there."),
      SORT_FIELD(group_sort_names, "code"), PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct groups_list {
        PAGE_OF(struct group);
};
#define SHAPE_T struct groups_list
SHAPE(groups_list, "A page of groups.", PAGE_FIELDS(group));
#undef SHAPE_T

ENDPOINT(group_list, GET, "/v1/groups", groups_query, 200, groups_list,
         .summary = "List groups and communities", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_BAD_CURSOR), .doc = "By code unless sort says otherwise.")
{
        struct groups_page page = {in->platform, PAGING(in, out)};
        struct page_rows rows;
        const char *filters = list_filters(c, &groups_query_shape, in);

        TRY(sorted_begin(c, in->cursor, filters, &page.page));
        TRY(groups_list(c, &page, &rows));
        SORTED_FILL(c, out, rows, filters);
        return ERR_OK;
}

struct members_query {
        const char *group;
        bool gone;
        PAGE_QUERY;
};
#define SHAPE_T struct members_query
SHAPE(members_query, "Which page.", GROUP_PATH,
      FIELD(gone, .in = IN_QUERY, .doc = "Also those who have left."), PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct members_list {
        PAGE_OF(struct group_member);
};
#define SHAPE_T struct members_list
SHAPE(members_list, "A page of members.", PAGE_FIELDS(group_member));
#undef SHAPE_T

struct member_position {
        struct uuid id;
};
#define SHAPE_T struct member_position
SHAPE(member_position, "The last one shown.", FIELD(id, .need = true));
#undef SHAPE_T

ENDPOINT(member_list, GET, "/v1/groups/{group}/members", members_query, 200, members_list,
         .summary = "List the members of a group", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "By the customers' ids.")
{
        struct member_position at = {0};
        struct group group;
        struct list rows;
        const char *filters = arena_printf(c->arena, "members %d %s", in->gone, in->group);

        TRY(cursor_read(c, in->cursor, filters, &member_position_shape, &at));
        TRY(group_get(c, in->group, &group));
        TRY(group_members(c, &(struct members_page){in->group, in->gone, at.id, PAGE_LIMITS(in, out)},
                          &rows));
        const struct group_member *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.id = last->customer_id;
                out->next_cursor = cursor_write(c->arena, filters, &member_position_shape, &at);
        }
        return ERR_OK;
}

#define SHAPE_T struct group_changes
SHAPE(group_changes, "Customers to add and to take out, by UUID or ext:<external id>.", GROUP_PATH,
      FIELD(add, .max = 300), FIELD(remove, .max = 300));
#undef SHAPE_T

#define SHAPE_T struct group_changed
SHAPE(group_changed, "What changed.", FIELD(added), FIELD(removed),
      FIELD(members, .doc = "Who are in it now."));
#undef SHAPE_T

ENDPOINT(
        member_change, POST, "/v1/groups/{group}/members", group_changes, 200, group_changed,
        .summary = "Add and take out members", .scope = SCOPE_CUSTOMERS_WRITE, .errors = ERRS(ERR_NOT_FOUND),
        .doc = "Up to 500 customers, all or none. Who is a member already stays one; who leaves is kept with the date.")
{
        return group_change_many(c, in, out);
}

struct customer_groups {
        LIST_OF(struct group_member) data;
};
#define SHAPE_T struct customer_groups
SHAPE(customer_groups, "The groups of a customer.", LIST(data, group_member));
#undef SHAPE_T

ENDPOINT(customer_group_list, GET, "/v1/customers/{customer}/groups", customer_path, 200, customer_groups,
         .summary = "List the groups that a customer is or was in", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND), .doc = "The latest joined first; at most 1,000.")
{
        struct customer customer;
        struct list rows;

        TRY(customer_get(c, in->customer, &customer));
        TRY(groups_of_customer(c, customer.id, &rows));
        out->data.v = rows.v;
        out->data.n = rows.n;
        return ERR_OK;
}

RESOURCE(groups, "Groups", "Groups of customers, and communities with who joined and left.",
         &group_list_endpoint, &group_put_one_endpoint, &group_get_one_endpoint, &group_delete_one_endpoint,
         &member_list_endpoint, &member_change_endpoint, &customer_group_list_endpoint);
