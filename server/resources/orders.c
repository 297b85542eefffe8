/* /v1/orders */
#include "orders/orders.h"

#include "resources/common.h"

static uint64_t lane_key(const void *in)
{
        return order_lane_key(in);
}

static void reply_outcome(struct ctx *c, const char *json, size_t len, bool hit)
{
        c->reply->json = json;
        c->reply->json_len = len;
        c->reply->idempotency_hit = hit;
        c->reply->status = 200;
}

static void reply_order_created(struct ctx *c, struct uuid order_id)
{
        c->reply->status = 201;
        reply_created(c, "orders", order_id);
}

ENDPOINT_BATCH(
        order_take, POST, "/v1/orders", order_in, 201, outcome, .status_hit = 200, .lane = LANE_ORDERS,
        .lane_key = lane_key, .idempotency = IDEMPOTENCY_NATURAL,
        .summary = "Send an order, in the state it is in", .scope = SCOPE_ORDERS_WRITE,
        .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED, ERR_IDENTITY_TAKEN, ERR_ADDRESSES_TOO_MANY,
                       ERR_ORDER_DIFFERS, ERR_ORDER_STATE, ERR_HOLD_RESOLVED, ERR_HOLD_BOUND,
                       ERR_COUPON_STATE, ERR_CONFLICT),
        .doc = "One call for every change of an order; the answer is the whole outcome. The same call again gets the same "
               "answer, with Idempotency-Hit: true.")
{
        struct order_call *orders = ARENA_ARRAY(c->arena, n, struct order_call);

        for (size_t i = 0; i < n; i++)
                orders[i] = (struct order_call){.c = calls[i].c, .in = calls[i].in};
        TRY(orders_take(c, orders, n));
        for (size_t i = 0; i < n; i++) {
                calls[i].err = orders[i].err;
                if (orders[i].err != ERR_OK)
                        continue;
                reply_outcome(calls[i].c, orders[i].outcome, orders[i].outcome_len, orders[i].replayed);
                if (orders[i].created)
                        reply_order_created(calls[i].c, orders[i].order_id);
        }
        return ERR_OK;
}

struct order_path {
        const char *order;
};
#define ORDER_PATH FIELD(order, .in = IN_PATH, .need = true, .max = 300, .doc = "UUID or ext:<external id>.")
#define SHAPE_T    struct order_path
SHAPE(order_path, "An order.", ORDER_PATH);
#undef SHAPE_T

ENDPOINT(order_get_one, GET, "/v1/orders/{order}", order_path, 200, order_view,
         .summary = "Get an order with its lines and refunds", .scope = SCOPE_ORDERS_READ, .etag = true,
         .errors = ERRS(ERR_NOT_FOUND))
{
        TRY(order_get(c, in->order, out));
        c->reply->version = out->order.version;
        return ERR_OK;
}

ENDPOINT(
        order_refund_one, POST, "/v1/orders/{order}/refunds", refund_in, 201, outcome, .status_hit = 200,
        .idempotency = IDEMPOTENCY_NATURAL, .summary = "Refund lines or shipping of an order",
        .scope = SCOPE_ORDERS_WRITE,
        .errors = ERRS(ERR_NOT_FOUND, ERR_NOT_REFUNDABLE, ERR_REFUND_EXCEEDS, ERR_REFUND_DIFFERS,
                       ERR_CONFLICT),
        .doc = "Points and growth go back in proportion, per line; however a refund is cut, the whole takes what one full refund "
               "takes. The same refund again gets the same answer.")
{
        struct refund_answer answer;

        (void)out;
        TRY(order_refund(c, in, &answer));
        reply_outcome(c, answer.outcome, answer.outcome_len, answer.replayed);
        if (!answer.replayed)
                reply_order_created(c, answer.order_id); /* which shows its refunds */
        return ERR_OK;
}

struct orders_query {
        SORT_QUERY;
        PAGE_QUERY;
        const char *customer;
        unsigned status, channel;
        const char *campaign, *referrer;
        struct instant since, until;
        struct opt_int total_min, total_max;
};
#define ORDER_TOTAL_MAX INT64_C(1000000000000000)
#define SHAPE_T         struct orders_query
SHAPE(orders_query, "Which page.", SORT_FIELD(order_sort_names, "-placed_at"), PAGE_QUERY_FIELDS,
      FIELD(customer, .in = IN_QUERY, .max = 300,
            .doc = "Only the orders of this customer: UUID or ext:<external id>."),
      FIELD(status, .in = IN_QUERY, .names = &order_status_names, .doc = "Only orders in this state."),
      FIELD(channel, .in = IN_QUERY, .names = &channel_names, .doc = "Only orders that came this way."),
      FIELD(campaign, .in = IN_QUERY, .min = 1, .max = 200, .doc = "Only orders that this campaign brought."),
      FIELD(referrer, .in = IN_QUERY, .min = 1, .max = 300,
            .doc = "Only orders to which this customer referred: UUID or ext:<external id>."),
      FIELD(since, .in = IN_QUERY, .doc = "Only orders that were placed from then on."),
      FIELD(until, .in = IN_QUERY, .doc = "Only orders that were placed before then."),
      FIELD(total_min, .in = IN_QUERY, .from_zero = true, .max = ORDER_TOTAL_MAX,
            .doc = "Of this total or more."),
      FIELD(total_max, .in = IN_QUERY, .from_zero = true, .max = ORDER_TOTAL_MAX,
            .doc = "Of this total or less."));
#undef SHAPE_T

struct orders_page {
        PAGE_OF(struct order);
};
#define SHAPE_T struct orders_page
SHAPE(orders_page, "A page of orders.", PAGE_FIELDS(order));
#undef SHAPE_T

ENDPOINT(order_list, GET, "/v1/orders", orders_query, 200, orders_page, .summary = "List orders",
         .scope = SCOPE_ORDERS_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED, ERR_BAD_CURSOR),
         .doc = "Newest first unless sort says otherwise.")
{
        struct customer customer = {0}, referrer = {0};
        struct page_rows rows;
        const char *filters = list_filters(c, &orders_query_shape, in);

        if (in->referrer != NULL)
                TRY(customer_get(c, in->referrer, &referrer));
        struct order_page page = {.status = in->status,
                                  .channel = in->channel,
                                  .campaign = in->campaign,
                                  .referrer_id = referrer.id,
                                  .since = in->since,
                                  .until = in->until,
                                  .total_min = in->total_min,
                                  .total_max = in->total_max,
                                  .page = PAGING(in, out)};

        TRY(sorted_begin(c, in->cursor, filters, &page.page));
        if (in->customer != NULL)
                TRY(customer_get(c, in->customer, &customer));
        page.customer_id = customer.id;
        TRY(orders_list(c, &page, &rows));
        SORTED_FILL(c, out, rows, filters);
        return ERR_OK;
}

RESOURCE(orders, "Orders", "Orders and refunds, with the whole outcome of each.", &order_take_endpoint,
         &order_list_endpoint, &order_get_one_endpoint, &order_refund_one_endpoint);
