/* Issuing: what is counted is taken last, so that its row is locked for no longer than the commit takes. */
#include "coupons/store.h"
#include "customers/customers.h"

struct stock_take {
        const char *template;
        int64_t count;
};
#define SHAPE_T struct stock_take
SHAPE(stock_take, "Coupons to count.", FIELD(template), FIELD(count));
#undef SHAPE_T

struct stock {
        int64_t issued;
};
#define SHAPE_T struct stock
SHAPE(stock, "What was issued.", FIELD(issued));
#undef SHAPE_T

/* The limit is the newest version's, whatever was read before. */
SQL_OPT(stock_count, stock_take, stock,
        "UPDATE coupon_stocks SET issued = issued + :count WHERE template = :template AND issued + :count <= "
        "coalesce((SELECT total_limit FROM coupon_templates WHERE code = :template ORDER BY version DESC LIMIT 1), "
        "9223372036854775807) RETURNING issued")

enum err coupon_sold_out(struct ctx *c, const struct coupon_template *template, const char *why)
{
        problem_string(c, "template", template->code);
        return fail(c, ERR_COUPON_SOLD_OUT, "The template %s %s.", template->code, why);
}

enum err coupon_count(struct ctx *c, const struct coupon_template *template, int64_t n, const char *why_not)
{
        struct stock stock;
        bool found;

        TRY(stock_count(c, &(struct stock_take){template->code, n}, &stock, &found));
        return found ? ERR_OK : coupon_sold_out(c, template, why_not);
}

struct issue_key {
        const char *template, *issue_key;
        struct uuid customer_id;
};
#define SHAPE_T struct issue_key
SHAPE(issue_key, "An issue.", FIELD(template), FIELD(issue_key), FIELD(customer_id));
#undef SHAPE_T

SQL_OPT(issued_as, issue_key, coupon,
        "SELECT " COUPON_COLUMNS " FROM coupons WHERE template = :template AND issue_key = :issue_key")
SQL_ONE(issued_to, issue_key, stock,
        "SELECT count(*) AS issued FROM coupons WHERE customer_id = :customer_id AND template = :template "
        "AND state <> 'revoked'")

enum err coupon_limits_check(struct ctx *c, const struct coupon_template *template, struct uuid customer_id)
{
        struct stock had;
        struct instant from, expires_at;

        coupon_template_validity(template, &c->shop->zone, c->now, &from, &expires_at);
        if (!template->active)
                return coupon_sold_out(c, template, "is switched off");
        if (instant_known(expires_at) && expires_at.us <= c->now.us)
                return coupon_sold_out(c, template, "ended with its last day");
        if (!uuid_known(customer_id) || !template->per_customer_limit.set)
                return ERR_OK;
        TRY(issued_to(c, &(struct issue_key){.template = template->code, .customer_id = customer_id}, &had));
        if (had.issued < template->per_customer_limit.v)
                return ERR_OK;
        problem_int(c, "limit", template->per_customer_limit.v);
        return fail(c, ERR_COUPON_LIMIT, "The customer has had %lld of the template %s.",
                    (long long)had.issued, template->code);
}

struct coupon coupon_new(struct arena *arena, const struct shop *shop, struct instant at,
                         const struct coupon_template *template, enum coupon_source source, const char *key)
{
        char text[COUPON_CODE_SIZE];

        coupon_code_make(text);
        struct coupon coupon = {.code = arena_strdup(arena, text),
                                .id = uuid_new(at),
                                .template = template->code,
                                .template_version = template->version,
                                .source = source,
                                .issue_key = key,
                                .created_at = at};
        coupon_template_validity(template, &shop->zone, at, &coupon.valid_from, &coupon.expires_at);
        return coupon;
}

static enum err issue(struct ctx *c, const char *code, struct uuid customer_id, enum coupon_source source,
                      const char *key, struct coupon *ret)
{
        struct coupon_template template;
        struct coupon_one one = {.book.arena = c->arena};
        struct coupon_card card = {.template = &template};
        struct coupon *coupon = &card.coupon;
        bool found;

        TRY(coupon_template_newest(c, code, &template, &found));
        if (!found)
                return fail(c, ERR_NOT_FOUND, "There is no coupon template %s.", code);
        TRY(coupon_limits_check(c, &template, customer_id));
        *coupon = coupon_new(c->arena, c->shop, c->now, &template, source, key);
        coupon->customer_id = customer_id;
        one.book.events = &one.events;
        one.book.cards.v = one.card = &card;
        one.book.cards.n = 1;
        coupon_issue(&one.book, &card, c->now);
        TRY(coupon_close(c, &one, /* before= */ NULL));
        TRY(coupon_count(c, &template, 1, "has reached its total limit"));
        *ret = *coupon;
        return ERR_OK;
}

enum err coupon_issue_one(struct ctx *c, const struct coupon_issue_in *in, struct coupon *ret,
                          bool *ret_known)
{
        struct customer customer = {0};
        bool known = false;

        if (in->customer != NULL)
                TRY(customer_lock(c, in->customer, &customer));
        if (in->key != NULL)
                TRY(issued_as(c, &(struct issue_key){.template = in->template, .issue_key = in->key}, ret,
                              &known));
        *ret_known = known;
        if (!known)
                return issue(c, in->template, customer.id, COUPON_SOURCE_API, in->key, ret);
        if (!uuid_equal(ret->customer_id, customer.id))
                return fail(c, ERR_COUPON_DIFFERS,
                            "A coupon of %s was issued under the key %s with another customer.", in->template,
                            in->key);
        ret->state = coupon_state_at(ret, c->now);
        return ERR_OK;
}

enum err coupon_issue_to(struct ctx *c, const char *template, struct uuid customer_id,
                         enum coupon_source source, const char *key, struct coupon *ret)
{
        return issue(c, template, customer_id, source, key, ret);
}
