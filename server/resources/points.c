/* /v1/customers/{customer}/points and the proof */
#include "points/points.h"

#include "check/check.h"
#include "customers/customers.h"
#include "resources/common.h"

struct balance_query {
        const char *customer;
        struct instant as_of;
};
#define SHAPE_T struct balance_query
SHAPE(balance_query, "Whose points.", CUSTOMER_PATH,
      FIELD(as_of, .in = IN_QUERY, .doc = "A past instant, to tell what there was then; null: now."));
#undef SHAPE_T

ENDPOINT_BATCH(points_get, GET, "/v1/customers/{customer}/points", balance_query, 200, points_balance,
               .lane = LANE_READS, .summary = "Get a customer's points", .scope = SCOPE_POINTS_READ,
               .errors = ERRS(ERR_NOT_FOUND))
{
        struct points_read *reads = ARENA_ARRAY(c->arena, n, struct points_read);

        for (size_t i = 0; i < n; i++) {
                const struct balance_query *in = calls[i].in;
                reads[i] = (struct points_read){.c = calls[i].c,
                                                .customer = in->customer,
                                                .balance = calls[i].out,
                                                .as_of = in->as_of};
        }
        TRY(points_balances(c, reads, n));
        for (size_t i = 0; i < n; i++)
                calls[i].err = reads[i].err;
        return ERR_OK;
}

struct redeem {
        const char *customer;
        int64_t points;
        const char *reason;
};
#define SHAPE_T struct redeem
SHAPE(redeem, "Points to spend.", CUSTOMER_PATH,
      FIELD(points, .need = true, .min = 1, .max = POINTS_MAX, .doc = "How many."),
      FIELD(reason, .min = 1, .max = 200, .doc = "What for; shown in the ledger."));
#undef SHAPE_T

ENDPOINT(points_redeem, POST, "/v1/customers/{customer}/points/redemptions", redeem, 201, points_spent,
         .summary = "Spend points", .scope = SCOPE_POINTS_WRITE, .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_POINTS_TOO_FEW, ERR_CONFLICT),
         .doc = "Earliest expiry first, then oldest. All of it or nothing.")
{
        char id[UUID_TEXT_SIZE];

        TRY(points_spend(c, &(struct points_spending){in->customer, in->points, in->reason}, out));
        uuid_to_text(out->customer_id, id);
        c->reply->location = arena_printf(c->arena, "/v1/customers/%s/points/ledger", id);
        return ERR_OK;
}

struct ledger_query {
        const char *customer;
        PAGE_QUERY;
};
#define SHAPE_T struct ledger_query
SHAPE(ledger_query, "Which page.", CUSTOMER_PATH, PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct ledger_list {
        PAGE_OF(struct ledger_line);
};
#define SHAPE_T struct ledger_list
SHAPE(ledger_list, "A page of the ledger.", PAGE_FIELDS(ledger_line));
#undef SHAPE_T

struct ledger_position {
        int64_t seq;
};
#define SHAPE_T struct ledger_position
SHAPE(ledger_position, "The last one shown.", FIELD(seq));
#undef SHAPE_T

ENDPOINT(points_ledger_list, GET, "/v1/customers/{customer}/points/ledger", ledger_query, 200, ledger_list,
         .summary = "List a customer's ledger", .scope = SCOPE_POINTS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct ledger_position at = {0};
        struct customer customer;
        struct list rows;

        TRY(customer_get(c, in->customer, &customer));
        char id[UUID_TEXT_SIZE];
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "ledger %s", id);
        TRY(cursor_read(c, in->cursor, filters, &ledger_position_shape, &at));
        TRY(points_ledger(c, &(struct ledger_page){customer.id, at.seq, PAGE_LIMITS(in, out)}, &rows));
        const struct ledger_line *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.seq = last->seq;
                out->next_cursor = cursor_write(c->arena, filters, &ledger_position_shape, &at);
        }
        return ERR_OK;
}

ENDPOINT(
        points_proof, GET, "/v1/points/proof", nothing, 200, proof, .lane = LANE_REPORTS,
        .summary = "Prove that all points are right", .scope = SCOPE_POINTS_READ,
        .doc = "Ledgers, accounts and lots of everybody, in one consistent view. Takes its time on large shops.")
{
        (void)in;
        return check_points(c, out);
}

RESOURCE(points, "Points", "Balances, the ledger, spending, and the proof of it all.", &points_get_endpoint,
         &points_ledger_list_endpoint, &points_redeem_endpoint, &points_proof_endpoint);
