/* What the law asks for: everything held on a person, and its erasure. */
#include "privacy/privacy.h"

#include "resources/common.h"

ENDPOINT(
        customer_export, GET, "/v1/customers/{customer}/export", customer_path, 200, subject_export,
        .summary = "Export everything held on a customer", .scope = SCOPE_CUSTOMERS_PII, .lane = LANE_REPORTS,
        .errors = ERRS(ERR_NOT_FOUND),
        .doc = "One document of one moment: profile, identities, addresses, tags, notes, groups, contacts, behaviour, consents, orders, "
               "refunds, points, tiers, events and the audit log.")
{
        return privacy_export(c, in->customer, out);
}

struct erase_path {
        const char *customer;
        unsigned reason;
};
#define SHAPE_T struct erase_path
SHAPE(erase_path, "Whom to erase.", CUSTOMER_PATH,
      FIELD(reason, .in = IN_QUERY, .names = &erasure_reason_names, .dflt = "requested",
            .doc = "Why, for the audit log; a word, for a sentence could name the person."));
#undef SHAPE_T

ENDPOINT(
        customer_erase, DELETE, "/v1/customers/{customer}", erase_path, 204, nothing,
        .summary = "Erase a customer", .scope = SCOPE_CUSTOMERS_WRITE, .errors = ERRS(ERR_NOT_FOUND),
        .doc = "For good: all that tells who it was goes from everywhere, events and the audit log included. Orders, points and "
               "tiers stay, without a name. Identities are free for somebody new; until then the customer's ids answer 410, "
               "also when this is sent again.")
{
        (void)out;
        return privacy_erase(c, in->customer, in->reason);
}

RESOURCE(privacy, "Privacy", "What is held on a person, and its erasure.", &customer_export_endpoint,
         &customer_erase_endpoint);
