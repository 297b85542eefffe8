/* Issuing: what is counted is taken last, so that its row is locked for no longer than the commit takes. */
#include <stdlib.h>

#include "audit/audit.h"
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

static enum err sold_out(struct ctx *c, const struct coupon_template *template, const char *why)
{
        problem_string(c, "template", template->code);
        return fail(c, ERR_COUPON_SOLD_OUT, "The template %s %s.", template->code, why);
}

static enum err limits_check(struct ctx *c, const struct coupon_template *template, struct uuid customer_id)
{
        struct stock had;
        struct instant from, expires_at;

        coupon_template_validity(template, &c->shop->zone, c->now, &from, &expires_at);
        if (!template->active)
                return sold_out(c, template, "is switched off");
        if (instant_known(expires_at) && expires_at.us <= c->now.us)
                return sold_out(c, template, "ended with its last day");
        if (!uuid_known(customer_id) || !template->per_customer_limit.set)
                return ERR_OK;
        TRY(issued_to(c, &(struct issue_key){.template = template->code, .customer_id = customer_id}, &had));
        if (had.issued < template->per_customer_limit.v)
                return ERR_OK;
        problem_int(c, "limit", template->per_customer_limit.v);
        return fail(c, ERR_COUPON_LIMIT, "The customer has had %lld of the template %s.",
                    (long long)had.issued, template->code);
}

/* What a coupon of this template is, but for who gets it; its code is new. */
static struct coupon coupon_of(struct ctx *c, const struct coupon_template *template,
                               enum coupon_source source, const char *key)
{
        char text[COUPON_CODE_SIZE];

        coupon_code_make(text);
        struct coupon coupon = {.code = arena_strdup(c->arena, text),
                                .id = uuid_new(c->now),
                                .template = template->code,
                                .template_version = template->version,
                                .source = source,
                                .issue_key = key,
                                .created_at = c->now};
        coupon_template_validity(template, &c->shop->zone, c->now, &coupon.valid_from, &coupon.expires_at);
        return coupon;
}

static enum err issue(struct ctx *c, const char *code, struct uuid customer_id, enum coupon_source source,
                      const char *key, struct coupon *ret)
{
        struct coupon_template template;
        struct coupon_one one = {.book.arena = c->arena};
        struct coupon_card card = {.template = &template};
        struct coupon *coupon = &card.coupon;
        struct stock stock;
        bool found;

        TRY(coupon_template_newest(c, code, &template, &found));
        if (!found)
                return fail(c, ERR_NOT_FOUND, "There is no coupon template %s.", code);
        TRY(limits_check(c, &template, customer_id));
        *coupon = coupon_of(c, &template, source, key);
        coupon->customer_id = customer_id;
        one.book.events = &one.events;
        one.book.cards.v = one.card = &card;
        one.book.cards.n = 1;
        coupon_issue(&one.book, &card, c->now);
        TRY(coupon_close(c, &one, /* before= */ NULL));
        TRY(stock_count(c, &(struct stock_take){template.code, 1}, &stock, &found));
        if (!found)
                return sold_out(c, &template, "has reached its total limit");
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

/* ------------------------------------------------------------------ many */

struct issue_keys {
        const char *template;
        struct texts keys;
};
#define SHAPE_T struct issue_keys
SHAPE(issue_keys, "Issues of a template.", FIELD(template), FIELD(keys));
#undef SHAPE_T

SQL_MANY(issued_under, issue_keys, coupon,
         "SELECT " COUPON_COLUMNS
         " FROM coupons WHERE template = :template AND issue_key = ANY(:keys) ORDER BY id")

static void batch_show(struct ctx *c, const struct coupon *coupons, size_t n, struct coupon_batch *ret)
{
        *ret = (struct coupon_batch){.template = coupons->template,
                                     .template_version = coupons->template_version,
                                     .valid_from = coupons->valid_from,
                                     .expires_at = coupons->expires_at,
                                     .codes = {ARENA_ARRAY(c->arena, n, const char *), n}};
        for (size_t i = 0; i < n; i++)
                ret->codes.v[i] = coupons[i].code;
}

/* The coupons that this key names already, in the order of their keys: n of them, or none. */
static enum err batch_find(struct ctx *c, const struct issue_keys *keys, const char *key, struct coupon *ret,
                           bool *ret_found)
{
        struct list rows;

        TRY(issued_under(c, keys, &rows));
        const struct coupon *known = rows.v;
        *ret_found = rows.n > 0;
        /* one beyond those that are asked for tells a smaller number from the same one */
        if (rows.n > 0 && rows.n != keys->keys.n - 1)
                return fail(c, ERR_COUPON_DIFFERS, "Another number of coupons was issued under the key %s.",
                            key);
        for (size_t i = 0; i < rows.n; i++) {
                size_t at = (size_t)strtoull(strrchr(known[i].issue_key, '/') + 1, NULL, /* base= */ 10) - 1;
                ret[at] = known[i];
        }
        return ERR_OK;
}

static enum err batch_store(struct ctx *c, const struct coupon_template *template, const struct texts *keys,
                            size_t n, struct coupon *coupons)
{
        struct event_list events = {0};
        struct coupon_card *cards = ARENA_ARRAY(c->arena, n, struct coupon_card);
        struct coupon_book book = {.arena = c->arena, .cards = {cards, n}, .events = &events};
        struct stock stock;
        bool found;

        for (size_t i = 0; i < n; i++) {
                cards[i] =
                        (struct coupon_card){.coupon = coupon_of(c, template, COUPON_SOURCE_API, keys->v[i]),
                                             .template = template};
                coupon_issue(&book, &cards[i], c->now);
                coupons[i] = cards[i].coupon;
        }
        TRY(coupons_store(c, &book));
        TRY(audit_write(
                c, &(struct audit_change){.subject = arena_printf(c->arena, "/v1/coupon-templates/%s/coupons",
                                                                  template->code)}));
        TRY(stock_count(c, &(struct stock_take){template->code, (int64_t)n}, &stock, &found));
        return found ? ERR_OK : sold_out(c, template, "has fewer left");
}

enum err coupon_issue_batch(struct ctx *c, const struct coupon_batch_in *in, struct coupon_batch *ret,
                            bool *ret_known)
{
        struct coupon_template template;
        size_t n = (size_t)in->count;
        struct issue_keys keys = {in->template, {ARENA_ARRAY(c->arena, n + 1, const char *), n + 1}};
        struct coupon *coupons = ARENA_ARRAY(c->arena, n + 1, struct coupon);
        bool found;

        for (size_t i = 0; i <= n; i++)
                keys.keys.v[i] = arena_printf(c->arena, "%s/%zu", in->key, i + 1);
        TRY(batch_find(c, &keys, in->key, coupons, ret_known));
        if (!*ret_known) {
                TRY(coupon_template_newest(c, in->template, &template, &found));
                if (!found)
                        return fail(c, ERR_NOT_FOUND, "There is no coupon template %s.", in->template);
                TRY(limits_check(c, &template, /* customer_id= */ (struct uuid){0}));
                TRY(batch_store(c, &template, &keys.keys, n, coupons));
        }
        batch_show(c, coupons, n, ret);
        return ERR_OK;
}
