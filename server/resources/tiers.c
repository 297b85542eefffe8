/* /v1/customers/{customer}/tier */
#include "customers/customers.h"
#include "reports/simulation.h"
#include "resources/common.h"
#include "tiers/cycles.h"
#include "tiers/tiers.h"

struct tier_path {
        const char *customer;
};
#define SHAPE_T struct tier_path
SHAPE(tier_path, "Whose tier.", CUSTOMER_PATH);
#undef SHAPE_T

ENDPOINT(tier_get_one, GET, "/v1/customers/{customer}/tier", tier_path, 200, tier_view,
         .summary = "Get a customer's tier and progress", .scope = SCOPE_TIERS_READ,
         .errors = ERRS(ERR_NOT_FOUND))
{
        return tier_get(c, in->customer, out);
}

struct tier_history_query {
        const char *customer;
        PAGE_QUERY;
};
#define SHAPE_T struct tier_history_query
SHAPE(tier_history_query, "Which page.", CUSTOMER_PATH, PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct tier_history_list {
        PAGE_OF(struct tier_change);
};
#define SHAPE_T struct tier_history_list
SHAPE(tier_history_list, "A page of the history.", PAGE_FIELDS(tier_change));
#undef SHAPE_T

struct tier_history_position {
        int64_t change_no;
};
#define SHAPE_T struct tier_history_position
SHAPE(tier_history_position, "The last one shown.", FIELD(change_no));
#undef SHAPE_T

ENDPOINT(tier_history_get, GET, "/v1/customers/{customer}/tier/history", tier_history_query, 200,
         tier_history_list, .summary = "List a customer's changes of tier", .scope = SCOPE_TIERS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct tier_history_position at = {0};
        struct customer customer;
        struct list rows;
        const char *filters = arena_printf(c->arena, "tier history %s", in->customer);

        TRY(cursor_read(c, in->cursor, filters, &tier_history_position_shape, &at));
        TRY(customer_get(c, in->customer, &customer));
        TRY(tier_history(c, &(struct tier_history_page){customer.id, at.change_no, PAGE_LIMITS(in, out)},
                         &rows));
        const struct tier_change *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.change_no = last->change_no;
                out->next_cursor = cursor_write(c->arena, filters, &tier_history_position_shape, &at);
        }
        return ERR_OK;
}

struct tier_pin_in {
        const char *customer, *tier;
        struct instant until;
        const char *reason;
};
#define SHAPE_T struct tier_pin_in
SHAPE(tier_pin_in, "A tier set by hand.", CUSTOMER_PATH,
      FIELD(tier, .need = true, .min = 1, .max = 50, .doc = "Code of the tier."),
      FIELD(until, .need = true, .doc = "Then the earned tier holds again."),
      FIELD(reason, .need = true, .min = 1, .max = 500));
#undef SHAPE_T

ENDPOINT(
        tier_pin_set, PUT, "/v1/customers/{customer}/tier/pin", tier_pin_in, 200, tier_view,
        .summary = "Set a customer's tier by hand", .scope = SCOPE_TIERS_WRITE, .errors = ERRS(ERR_NOT_FOUND),
        .doc = "Overrides what is earned until a time, and then gives it back. Sent again, it replaces the pin.")
{
        TRY(tier_pin(c, &(struct tier_pin){in->customer, in->tier, in->until, in->reason}));
        return tier_get(c, in->customer, out);
}

ENDPOINT(tier_pin_drop, DELETE, "/v1/customers/{customer}/tier/pin", tier_path, 200, tier_view,
         .summary = "Give a customer's earned tier back", .scope = SCOPE_TIERS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND), .doc = "Ends a pin now; without one nothing changes.")
{
        TRY(tier_unpin(c, in->customer));
        return tier_get(c, in->customer, out);
}

ENDPOINT(
        tiers_simulate, POST, "/v1/tiers/simulate", simulation_in, 200, simulation, .lane = LANE_REPORTS,
        .idempotency = IDEMPOTENCY_NATURAL, .only_asks = true,
        .summary = "Try other tiers on the real history", .scope = SCOPE_TIERS_READ,
        .doc = "Everybody is judged as if the proposed tiers were in force and his cycle ended today: how many hold each tier, who "
               "rises, who falls, and what the benefits would have cost in the last 12 months. Nothing is written.")
{
        return simulation_run(c, in, out);
}

RESOURCE(tiers, "Tiers", "Where customers stand.", &tier_get_one_endpoint, &tier_history_get_endpoint,
         &tier_pin_set_endpoint, &tier_pin_drop_endpoint, &tiers_simulate_endpoint);
