/* /v1/customers/{customer}/consents and suppressions */
#include "customers/consent.h"

#include "customers/customers.h"
#include "resources/common.h"

ENDPOINT(consent_get, GET, "/v1/customers/{customer}/consents", customer_path, 200, contact_states,
         .summary = "See how a customer may be written to", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND),
         .doc = "Every channel, with its consent and suppression as they are now.")
{
        struct customer customer;

        TRY(customer_get(c, in->customer, &customer));
        return contacts_get(c, customer.id, out);
}

#define CHANNEL_PATH                                                                                         \
        CUSTOMER_PATH, FIELD(channel, .in = IN_PATH, .need = true, .names = &contact_channel_names,          \
                             .doc = "The channel.")

struct consent_setting {
        const char *customer;
        unsigned channel;
        struct consent_in content;
};
#define SHAPE_T struct consent_setting
SHAPE(consent_setting, "What the customer said.", CHANNEL_PATH,
      NEST(content, consent_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(consent_put_one, PUT, "/v1/customers/{customer}/consents/{channel}", consent_setting, 200,
         contact_states, .summary = "Record a customer's consent", .scope = SCOPE_CUSTOMERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND),
         .doc = "The newest statement holds; an older one only joins the history.")
{
        return consent_put(c, in->customer, in->channel, &in->content, out);
}

struct consent_history {
        PAGE_OF(struct consent_change);
};
#define SHAPE_T struct consent_history
SHAPE(consent_history, "A page of statements.", PAGE_FIELDS(consent_change));
#undef SHAPE_T

struct consent_history_query {
        PAST_QUERY;
        unsigned channel;
};
#define SHAPE_T struct consent_history_query
SHAPE(consent_history_query, "Which page.", PAST_QUERY_FIELDS,
      FIELD(channel, .in = IN_QUERY, .names = &contact_channel_names, .doc = "Only of this channel."));
#undef SHAPE_T

ENDPOINT(consent_history_list, GET, "/v1/customers/{customer}/consent-history", consent_history_query, 200,
         consent_history, .summary = "List what a customer said about being written to",
         .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR),
         .doc = "The latest said first.")
{
        struct past past;
        struct list rows;

        TRY(past_begin(c, &consent_history_query_shape, in, contact_channel_names.v[in->channel],
                       PAGE_TOTAL(in, out), &past));
        TRY(consents_history(c, &past.page, &rows));
        const struct consent_change *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL)
                out->next_cursor = past_next(c, &past, last->occurred_at, last->id);
        return ERR_OK;
}

struct suppression_setting {
        const char *customer;
        unsigned channel, reason;
        const char *detail;
};
#define SHAPE_T struct suppression_setting
SHAPE(suppression_setting, "Why the channel must not be used.", CHANNEL_PATH,
      FIELD(reason, .need = true, .names = &suppression_reason_names),
      FIELD(detail, .min = 1, .max = 500, .format = &format_printable, .pii = PII_ALL));
#undef SHAPE_T

ENDPOINT(suppression_put_one, PUT, "/v1/customers/{customer}/suppressions/{channel}", suppression_setting,
         200, suppression, .summary = "Suppress a channel of a customer", .scope = SCOPE_CUSTOMERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND),
         .doc = "Nothing is sent there, whatever is consented to, until it is lifted.")
{
        return suppression_put(
                c, in->customer,
                &(struct suppression){.channel = in->channel, .reason = in->reason, .detail = in->detail},
                out);
}

struct suppression_path {
        const char *customer;
        unsigned channel;
};
#define SHAPE_T struct suppression_path
SHAPE(suppression_path, "A suppressed channel.", CHANNEL_PATH);
#undef SHAPE_T

ENDPOINT(suppression_delete_one, DELETE, "/v1/customers/{customer}/suppressions/{channel}", suppression_path,
         204, nothing, .summary = "Lift a suppression", .scope = SCOPE_CUSTOMERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND))
{
        (void)out;
        return suppression_lift(c, in->customer, in->channel);
}

RESOURCE(consents, "Consent",
         "Who may be written to on which channel, who said so, and what must not be used.",
         &consent_get_endpoint, &consent_put_one_endpoint, &consent_history_list_endpoint,
         &suppression_put_one_endpoint, &suppression_delete_one_endpoint);
