/* /v1/customers/{customer}/addresses */
#include "customers/addresses.h"

#include "customers/customers.h"
#include "resources/common.h"

struct addresses_page {
        LIST_OF(struct address) data;
};
#define SHAPE_T struct addresses_page
SHAPE(addresses_page, "A customer's addresses.", LIST(data, address));
#undef SHAPE_T

ENDPOINT(address_list, GET, "/v1/customers/{customer}/addresses", customer_path, 200, addresses_page,
         .summary = "List a customer's addresses", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND), .doc = "All of them: the default first, then by name.")
{
        struct customer customer;
        struct list rows;

        TRY(customer_get(c, in->customer, &customer));
        TRY(addresses_list(c, customer.id, &rows));
        out->data.v = rows.v;
        out->data.n = rows.n;
        return ERR_OK;
}

#define ADDRESS_PATH                                                                                         \
        CUSTOMER_PATH,                                                                                       \
                FIELD(address, .in = IN_PATH, .need = true, .min = 1, .max = ADDRESS_NAME_CHARS_MAX,         \
                      .format = &format_printable, .doc = "The name of the address, percent-encoded.")

struct address_path {
        const char *customer, *address;
};
#define SHAPE_T struct address_path
SHAPE(address_path, "An address.", ADDRESS_PATH);
#undef SHAPE_T

ENDPOINT(address_get_one, GET, "/v1/customers/{customer}/addresses/{address}", address_path, 200, address,
         .summary = "Get an address", .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return address_get(c, in->customer, in->address, out);
}

struct address_setting {
        const char *customer, *address;
        ADDRESS_CONTENT;
};
#define SHAPE_T struct address_setting
SHAPE(address_setting, "An address as it is to be.", ADDRESS_PATH, ADDRESS_FIELDS(.need = true));
#undef SHAPE_T

ENDPOINT(
        address_put_one, PUT, "/v1/customers/{customer}/addresses/{address}", address_setting, 200, address,
        .status_hit = 201, .summary = "Put an address", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
        .errors = ERRS(ERR_NOT_FOUND, ERR_STALE, ERR_ADDRESSES_TOO_MANY),
        .doc = "201 when there was none of this name; else it is replaced: what is left out is gone. At most 20. If-Match is honoured.")
{
        const struct named_address wanted = {.name = in->address, .content = in->content};
        bool created;

        TRY(address_put(c, in->customer, &wanted, c->reply->if_match, out, &created));
        c->reply->status = created ? 201 : 200;
        if (created)
                c->reply->location = customer_part(c->arena, out->customer_id, "addresses", out->name);
        return ERR_OK;
}

struct address_changing {
        const char *customer, *address;
        struct address_patch patch;
};
#define SHAPE_T struct address_changing
SHAPE(address_changing, "An address and what changes.", ADDRESS_PATH,
      NEST(patch, address_patch, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(address_patch_one, PATCH, "/v1/customers/{customer}/addresses/{address}", address_changing, 200,
         address, .summary = "Change an address", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
         .errors = ERRS(ERR_NOT_FOUND, ERR_STALE),
         .doc = "JSON merge patch: what is left out stays, null clears. If-Match is honoured.")
{
        return address_change_one(c, in->customer, in->address, &in->patch, c->reply->if_match, out);
}

ENDPOINT(address_delete_one, DELETE, "/v1/customers/{customer}/addresses/{address}", address_path, 204,
         nothing, .summary = "Take an address away", .scope = SCOPE_CUSTOMERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND))
{
        (void)out;
        return address_remove(c, in->customer, in->address);
}

RESOURCE(addresses, "Addresses", "Where customers' parcels go.", &address_list_endpoint,
         &address_get_one_endpoint, &address_put_one_endpoint, &address_patch_one_endpoint,
         &address_delete_one_endpoint);
