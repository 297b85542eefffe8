/* /v1/customers/{customer}/tags */
#include "customers/tags.h"

#include "customers/customers.h"
#include "resources/common.h"

struct tags_page {
        LIST_OF(struct tag) data;
};
#define SHAPE_T struct tags_page
SHAPE(tags_page, "A customer's tags.", LIST(data, tag));
#undef SHAPE_T

ENDPOINT(tag_list, GET, "/v1/customers/{customer}/tags", customer_path, 200, tags_page,
         .summary = "List a customer's tags", .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND),
         .doc = "All of them, by kind and name; those that have expired are gone.")
{
        struct customer customer;
        struct list rows;

        TRY(customer_get(c, in->customer, &customer));
        TRY(tags_list(c, customer.id, &rows));
        out->data.v = rows.v;
        out->data.n = rows.n;
        return ERR_OK;
}

#define TAG_PATH                                                                                             \
        CUSTOMER_PATH, FIELD(tag, .in = IN_PATH, .need = true, .min = 1, .max = TAG_CHARS_MAX,               \
                             .format = &format_printable, .doc = "The tag itself, percent-encoded.")

struct tag_setting {
        const char *customer, *tag;
        unsigned kind;
        struct instant expires_at;
};
#define SHAPE_T struct tag_setting
SHAPE(tag_setting, "A tag to put on.", TAG_PATH,
      FIELD(kind, .names = &tag_kind_names, .dflt = "manual", .doc = "Not rule: those are kept by segments."),
      FIELD(expires_at, .doc = "From then on it is gone; null: it stays."));
#undef SHAPE_T

ENDPOINT(tag_put_one, PUT, "/v1/customers/{customer}/tags/{tag}", tag_setting, 200, tag, .status_hit = 201,
         .summary = "Tag a customer", .scope = SCOPE_CUSTOMERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND, ERR_TAGS_TOO_MANY),
         .doc = "201 when it is new; else its expiry is replaced. At most 250 of each kind.")
{
        struct tag tag = {.kind = in->kind, .tag = in->tag, .expires_at = in->expires_at};
        bool added;

        TRY(tag_kind_check(c, in->kind));
        TRY(tag_put(c, in->customer, &tag, out, &added));
        c->reply->status = added ? 201 : 200;
        if (added)
                c->reply->location = customer_part(c->arena, out->customer_id, "tags", out->tag);
        return ERR_OK;
}

struct tag_path {
        const char *customer, *tag;
        unsigned kind;
};
#define SHAPE_T struct tag_path
SHAPE(tag_path, "A tag.", TAG_PATH,
      FIELD(kind, .in = IN_QUERY, .names = &tag_kind_names, .dflt = "manual",
            .doc = "Of which kind the tag is."));
#undef SHAPE_T

ENDPOINT(tag_delete_one, DELETE, "/v1/customers/{customer}/tags/{tag}", tag_path, 204, nothing,
         .summary = "Take a tag off", .scope = SCOPE_CUSTOMERS_WRITE, .errors = ERRS(ERR_NOT_FOUND))
{
        (void)out;
        return tag_remove(c, in->customer, &(struct tag){.kind = in->kind, .tag = in->tag});
}

RESOURCE(tags, "Tags", "Words that staff, segments and marketplaces put on customers.", &tag_list_endpoint,
         &tag_put_one_endpoint, &tag_delete_one_endpoint);
