/* /v1/rewards and /v1/customers/{customer}/rewards/redemptions */
#include "rewards/rewards.h"

#include "customers/customers.h"
#include "resources/common.h"

struct reward_path {
        const char *reward;
};
#define SHAPE_T struct reward_path
SHAPE(reward_path, "A reward.", FIELD(reward, .in = IN_PATH, .need = true, .max = 50, .doc = "Its code."));
#undef SHAPE_T

ENDPOINT(
        reward_put_one, PUT, "/v1/rewards/{reward}", reward_in, 200, reward, .status_hit = 201,
        .summary = "Create or replace a reward", .scope = SCOPE_REWARDS_WRITE, .minimal = true,
        .errors = ERRS(ERR_STALE, ERR_CONFLICT),
        .doc = "What is left out has its default. If-Match is honoured. Redemptions keep what they were made under.")
{
        bool created;

        TRY(reward_put(c, in, c->reply->if_match, out, &created));
        c->reply->status = created ? 201 : 200;
        if (created)
                c->reply->location = arena_printf(c->arena, "/v1/rewards/%s", out->code);
        return ERR_OK;
}

ENDPOINT(reward_get_one, GET, "/v1/rewards/{reward}", reward_path, 200, reward, .summary = "Get a reward",
         .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_NOT_FOUND), .doc = "Its newest version.")
{
        return reward_get(c, in->reward, out);
}

ENDPOINT(reward_delete, DELETE, "/v1/rewards/{reward}", reward_path, 200, reward,
         .summary = "Take a reward out", .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND, ERR_STALE, ERR_CONFLICT),
         .doc = "Switches it off. It stays to be read, and what is issued stays good.")
{
        return reward_close(c, in->reward, c->reply->if_match, out);
}

struct rewards_query {
        SORT_QUERY;
        PAGE_QUERY;
};
#define SHAPE_T struct rewards_query
SHAPE(rewards_query, "Which page.", SORT_FIELD(reward_sort_names, "code"), PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct rewards_page {
        PAGE_OF(struct reward);
};
#define SHAPE_T struct rewards_page
SHAPE(rewards_page, "A page of rewards.", PAGE_FIELDS(reward));
#undef SHAPE_T

ENDPOINT(reward_list, GET, "/v1/rewards", rewards_query, 200, rewards_page, .summary = "List rewards",
         .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_BAD_CURSOR),
         .doc = "By code unless sort says otherwise, those that are switched off too.")
{
        struct reward_page page = {PAGING(in, out)};
        struct page_rows rows;
        const char *filters = list_filters(c, &rewards_query_shape, in);

        TRY(sorted_begin(c, in->cursor, filters, &page.page));
        TRY(rewards_list(c, &page, &rows));
        SORTED_FILL(c, out, rows, filters);
        return ERR_OK;
}

/* ------------------------------------------------------------------ redemptions */

#define SHAPE_T struct redemption_in
SHAPE(redemption_in, "A reward for a customer.", CUSTOMER_PATH,
      FIELD(reward, .need = true, .min = 1, .max = 50, .format = &format_code, .doc = "Its code."),
      FIELD(redeem, .dflt = "false",
            .doc = "true: both phases at once, as for a coupon that is given at once."));
#undef SHAPE_T

ENDPOINT(
        reward_issue, POST, "/v1/customers/{customer}/rewards/redemptions", redemption_in, 201, redemption,
        .summary = "Ask for a reward", .scope = SCOPE_REWARDS_WRITE, .idempotency = IDEMPOTENCY_REQUIRED,
        .errors = ERRS(ERR_NOT_FOUND, ERR_REWARD_SOLD_OUT, ERR_REWARD_LIMIT, ERR_REWARD_NOT_FOR,
                       ERR_POINTS_TOO_FEW, ERR_COUPON_SOLD_OUT, ERR_COUPON_LIMIT, ERR_CONFLICT),
        .doc = "Its points are held and one of its stock is taken, until it is redeemed, cancelled or expires.")
{
        char customer[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];

        TRY(redemption_issue(c, in, out));
        uuid_to_text(out->customer_id, customer);
        uuid_to_text(out->id, id);
        c->reply->location = arena_printf(c->arena, "/v1/customers/%s/rewards/redemptions/%s", customer, id);
        return ERR_OK;
}

struct redemption_path {
        const char *customer, *redemption;
};
#define REDEMPTION_PATH                                                                                      \
        CUSTOMER_PATH, FIELD(redemption, .in = IN_PATH, .need = true, .max = 36, .doc = "Its UUID.")
#define SHAPE_T struct redemption_path
SHAPE(redemption_path, "A redemption.", REDEMPTION_PATH);
#undef SHAPE_T

ENDPOINT(reward_redemption_get, GET, "/v1/customers/{customer}/rewards/redemptions/{redemption}",
         redemption_path, 200, redemption, .summary = "Get a redemption", .scope = SCOPE_REWARDS_READ,
         .errors = ERRS(ERR_NOT_FOUND))
{
        return redemption_get(c, &(struct redemption_ref){in->customer, in->redemption, NULL}, out);
}

#define SHAPE_T struct redemption_ref
SHAPE(redemption_ref, "How a redemption ends.", REDEMPTION_PATH,
      FIELD(reason, .min = 1, .max = 500, .doc = "Kept with it."));
#undef SHAPE_T

ENDPOINT(reward_redeem, POST, "/v1/customers/{customer}/rewards/redemptions/{redemption}/redeem",
         redemption_ref, 200, redemption, .summary = "Hand a reward over", .scope = SCOPE_REWARDS_WRITE,
         .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_REDEMPTION_RESOLVED, ERR_REWARD_NOT_FOR, ERR_COUPON_SOLD_OUT,
                        ERR_COUPON_LIMIT, ERR_CONFLICT),
         .doc = "The points are spent; a coupon is issued, a tier on trial begins.")
{
        return redemption_redeem(c, in, out);
}

ENDPOINT(reward_cancel, POST, "/v1/customers/{customer}/rewards/redemptions/{redemption}/cancel",
         redemption_ref, 200, redemption, .summary = "Give a reward up", .scope = SCOPE_REWARDS_WRITE,
         .idempotency = IDEMPOTENCY_REQUIRED,
         .errors = ERRS(ERR_NOT_FOUND, ERR_REDEMPTION_RESOLVED, ERR_CONFLICT),
         .doc = "The points return to their lots with the expiry that these have; the stock has one more.")
{
        return redemption_cancel(c, in, out);
}

struct redemptions_query {
        const char *customer;
        PAGE_QUERY;
        unsigned state;
};
#define SHAPE_T struct redemptions_query
SHAPE(redemptions_query, "Which page.", CUSTOMER_PATH, PAGE_QUERY_FIELDS,
      FIELD(state, .in = IN_QUERY, .names = &redemption_state_names, .doc = "Only those in this state."));
#undef SHAPE_T

struct redemptions_list {
        PAGE_OF(struct redemption);
};
#define SHAPE_T struct redemptions_list
SHAPE(redemptions_list, "A page of redemptions.", PAGE_FIELDS(redemption));
#undef SHAPE_T

struct redemptions_position {
        struct uuid id;
};
#define SHAPE_T struct redemptions_position
SHAPE(redemptions_position, "The last one shown.", FIELD(id));
#undef SHAPE_T

ENDPOINT(reward_redemption_list, GET, "/v1/customers/{customer}/rewards/redemptions", redemptions_query, 200,
         redemptions_list, .summary = "List a customer's redemptions", .scope = SCOPE_REWARDS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct redemptions_position at = {0};
        struct customer customer;
        struct list rows;
        char id[UUID_TEXT_SIZE];

        TRY(customer_get(c, in->customer, &customer));
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "redemptions %s %u", id, in->state);
        TRY(cursor_read(c, in->cursor, filters, &redemptions_position_shape, &at));
        TRY(redemptions_list(
                c, &(struct redemption_page){customer.id, at.id, in->state, PAGE_LIMITS(in, out)}, &rows));
        const struct redemption *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.id = last->id;
                out->next_cursor = cursor_write(c->arena, filters, &redemptions_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(rewards, "Rewards", "What points buy, in two phases.", &reward_list_endpoint,
         &reward_put_one_endpoint, &reward_get_one_endpoint, &reward_delete_endpoint, &reward_issue_endpoint,
         &reward_redemption_list_endpoint, &reward_redemption_get_endpoint, &reward_redeem_endpoint,
         &reward_cancel_endpoint);
