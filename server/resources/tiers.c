/* /v1/customers/{customer}/tier and /v1/program */
#include "base/shape_json.h"
#include "http/endpoint.h"
#include "program/programs.h"
#include "tiers/tiers.h"

struct tier_path {
        const char *customer;
};
#define SHAPE_T struct tier_path
SHAPE(tier_path, "Whose tier.",
      FIELD(customer, .in = IN_PATH, .need = true, .max = 300, .doc = "UUID or ext:<external id>."));
#undef SHAPE_T

ENDPOINT(tier_get_one, GET, "/v1/customers/{customer}/tier", tier_path, 200, tier_view,
         .summary = "Get a customer's tier and progress", .scope = SCOPE_TIERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return tier_get(c, in->customer, out);
}

ENDPOINT(program_get_current, GET, "/v1/program", nothing, 200, program, .summary = "Get the loyalty programme",
         .scope = SCOPE_TIERS_READ, .doc = "The newest version, as one document.")
{
        (void)in;
        return program_get(c, out);
}

ENDPOINT(program_replace, PUT, "/v1/program", program, 200, program, .summary = "Replace the loyalty programme",
         .scope = SCOPE_TIERS_WRITE, .minimal = true, .errors = ERRS(ERR_STALE, ERR_CONFLICT),
         .doc = "Stores a new version; every server uses it within a second. If-Match is honoured. Points already earned and tiers "
                "already held stay as they are until they are judged again.")
{
        return program_put(c, in, c->reply->if_match, out);
}

RESOURCE(tiers, "Tiers", "Where customers stand, and the programme that says so.", &tier_get_one_endpoint,
         &program_get_current_endpoint, &program_replace_endpoint);
