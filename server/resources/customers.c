/* /v1/customers */
#include "customers/customers.h"

#include "directory/directory.h"
#include "resources/common.h"

struct customer_change {
        const char *customer;
        struct customer_in profile;
};
#define SHAPE_T struct customer_change
SHAPE(customer_change, "A customer and what changes.", CUSTOMER_PATH,
      NEST(profile, customer_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(
        customer_create_one, POST, "/v1/customers", customer_in, 201, customer,
        .summary = "Create a customer", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
        .errors = ERRS(ERR_IDENTITY_TAKEN),
        .doc = "With an external_id the id is made of it, so parallel creations of one person end in one customer.")
{
        TRY(customer_create(c, in, out));
        TRY(directory_complete(c, out, 1));
        reply_created(c, "customers", out->id);
        return ERR_OK;
}

ENDPOINT(customer_get_one, GET, "/v1/customers/{customer}", customer_path, 200, customer,
         .summary = "Get a customer", .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        TRY(customer_get(c, in->customer, out));
        TRY(customers_fill_in(c, out, 1));
        return directory_complete(c, out, 1);
}

ENDPOINT(
        customer_put_one, PUT, "/v1/customers/{customer}", customer_change, 200, customer, .status_hit = 201,
        .summary = "Create or update a customer", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
        .errors = ERRS(ERR_NOT_FOUND, ERR_IDENTITY_TAKEN, ERR_ADDRESSES_TOO_MANY, ERR_STALE),
        .doc = "By ext:<external id> a customer who is unknown is created (201). What is left out or null stays as it is.")
{
        bool created;

        TRY(customer_expect(c, in->customer, c->reply->if_match));
        TRY(customer_upsert(c, in->customer, &in->profile, out, &created));
        c->reply->status = created ? 201 : 200;
        if (created)
                reply_created(c, "customers", out->id);
        return directory_complete(c, out, 1);
}

ENDPOINT(
        customer_patch_one, PATCH, "/v1/customers/{customer}", customer_change, 200, customer,
        .summary = "Change a customer", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
        .errors = ERRS(ERR_NOT_FOUND, ERR_IDENTITY_TAKEN, ERR_STALE),
        .doc = "JSON merge patch: what is left out stays, null clears, the list of identities replaces those that are not the phone and the email of the profile, the list of addresses all of them. If-Match is honoured.")
{
        TRY(customer_patch(c, in->customer, &in->profile, c->reply->if_match, out));
        return directory_complete(c, out, 1);
}

RESOURCE(customers, "Customers", "Who the shop's customers are.", &customer_create_one_endpoint,
         &customer_get_one_endpoint, &customer_put_one_endpoint, &customer_patch_one_endpoint);
