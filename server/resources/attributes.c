/* /v1/attributes */
#include "customers/attributes.h"

#include "resources/common.h"

#define ATTRIBUTE_PATH CODE_PATH(attribute, "The attribute's name.")

struct attribute_path {
        const char *attribute;
};
#define SHAPE_T struct attribute_path
SHAPE(attribute_path, "An attribute.", ATTRIBUTE_PATH);
#undef SHAPE_T

struct attribute_setting {
        const char *attribute;
        struct attribute_in content;
};
#define SHAPE_T struct attribute_setting
SHAPE(attribute_setting, "An attribute.", ATTRIBUTE_PATH, NEST(content, attribute_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

struct attribute_list {
        LIST_OF(struct attribute) data;
};
#define SHAPE_T struct attribute_list
SHAPE(attribute_list, "The shop's attributes of customers.", LIST(data, attribute));
#undef SHAPE_T

ENDPOINT(attribute_list_all, GET, "/v1/attributes", nothing, 200, attribute_list,
         .summary = "List the attributes of customers", .scope = SCOPE_CUSTOMERS_READ,
         .doc = "All of them, by name.")
{
        struct list rows;

        (void)in;
        TRY(attributes_list(c, &rows));
        out->data.v = rows.v;
        out->data.n = rows.n;
        return ERR_OK;
}

ENDPOINT(
        attribute_put_one, PUT, "/v1/attributes/{attribute}", attribute_setting, 200, attribute,
        .status_hit = 201, .summary = "Define an attribute of customers", .scope = SCOPE_CUSTOMERS_WRITE,
        .errors = ERRS(ERR_STALE, ERR_ATTRIBUTES_TOO_MANY),
        .doc = "From within a second on, attributes of this name must hold what is said here, wherever customers come in. "
               "What is stored stays. What is not defined may hold anything.")
{
        bool created;

        TRY(attribute_put(c, in->attribute, &in->content, c->reply->if_match, out, &created));
        c->reply->status = created ? 201 : 200;
        if (created)
                c->reply->location = arena_printf(c->arena, "/v1/attributes/%s", out->name);
        return ERR_OK;
}

ENDPOINT(attribute_get_one, GET, "/v1/attributes/{attribute}", attribute_path, 200, attribute,
         .summary = "Get a definition", .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return attribute_get(c, in->attribute, out);
}

ENDPOINT(attribute_delete_one, DELETE, "/v1/attributes/{attribute}", attribute_path, 204, nothing,
         .summary = "Remove a definition", .scope = SCOPE_CUSTOMERS_WRITE, .errors = ERRS(ERR_NOT_FOUND),
         .doc = "What customers have under the name stays.")
{
        (void)out;
        return attribute_remove(c, in->attribute);
}

RESOURCE(attributes, "Attributes", "What the shop's own attributes of customers may hold.",
         &attribute_list_all_endpoint, &attribute_get_one_endpoint, &attribute_put_one_endpoint,
         &attribute_delete_one_endpoint);
