#include "coupons/offers.h"

#include "coupons/store.h"

NAMES(coupon_offered_names, "issued", "sold_out", "limit_reached", "unknown_template", "withdrawn");

struct offers_key {
        struct texts templates;
        struct uuids customers;
};
#define SHAPE_T struct offers_key
SHAPE(offers_key, "Templates and customers.", FIELD(templates), FIELD(customers));
#undef SHAPE_T

#define SHAPE_T struct coupon_had
SHAPE(coupon_had, "What a customer has of a template.", FIELD(customer_id), FIELD(template), FIELD(n));
#undef SHAPE_T

SQL_LATER(offered_templates, offers_key, coupon_template,
          "SELECT " COUPON_TEMPLATE_COLUMNS " FROM " COUPON_TEMPLATE_ROWS "WHERE s.code = ANY(:templates)")
SQL_LATER(offered_had, offers_key, coupon_had,
          "SELECT customer_id, template, count(*) AS n FROM coupons WHERE customer_id = ANY(:customers) "
          "AND template = ANY(:templates) AND state <> 'revoked' GROUP BY customer_id, template")

enum err coupon_offers_later(struct ctx *c, const struct texts *templates, const struct uuids *customers,
                             struct coupon_offer_rows *ret)
{
        const struct offers_key key = {*templates, *customers};

        TRY(offered_templates(c, &key, &ret->templates));
        return offered_had(c, &key, &ret->had);
}

enum err coupon_offers_give(struct ctx *c, const struct coupon_offer_rows *rows, struct coupon_offers *ret)
{
        const struct coupon_template *templates = rows->templates.v;

        ret->offers.n = rows->templates.n;
        ret->offers.v = ARENA_ARRAY(c->arena, ret->offers.n, struct coupon_offer);
        for (size_t i = 0; i < ret->offers.n; i++) {
                ret->offers.v[i].template = templates[i];
                TRY(coupon_template_compile(c, &ret->offers.v[i].template));
        }
        ret->had.v = rows->had.v;
        ret->had.n = ret->had_room = rows->had.n;
        return ERR_OK;
}

static struct coupon_offer *offer_of(struct coupon_offers *offers, const char *template)
{
        for (size_t i = 0; i < offers->offers.n; i++)
                if (strcmp(offers->offers.v[i].template.code, template) == 0)
                        return &offers->offers.v[i];
        return NULL;
}

static struct coupon_had *had_of(struct coupon_offers *offers, struct arena *arena,
                                 const struct coupon_wish *wish)
{
        for (size_t i = 0; i < offers->had.n; i++)
                if (uuid_equal(offers->had.v[i].customer_id, wish->customer_id) &&
                    strcmp(offers->had.v[i].template, wish->template) == 0)
                        return &offers->had.v[i];
        if (offers->had.n == offers->had_room) {
                offers->had_room = offers->had_room * 2 + 8;
                struct coupon_had *larger = ARENA_ARRAY(arena, offers->had_room, struct coupon_had);
                for (size_t i = 0; i < offers->had.n; i++)
                        larger[i] = offers->had.v[i];
                offers->had.v = larger;
        }
        offers->had.v[offers->had.n] =
                (struct coupon_had){.customer_id = wish->customer_id, .template = wish->template};
        return &offers->had.v[offers->had.n++];
}

static bool sold_out(const struct coupon_offer *offer, const struct shop *shop, struct instant at)
{
        const struct coupon_template *template = &offer->template;
        struct instant from, expires_at;

        coupon_template_validity(template, &shop->zone, at, &from, &expires_at);
        return !template->active || (instant_known(expires_at) && expires_at.us <= at.us) ||
               (template->total_limit.set && template->issued + offer->taken >= template->total_limit.v);
}

/* One more card, among those that the book has. */
static struct coupon_card *card_add(struct coupon_book *book)
{
        struct coupon_card *larger = ARENA_ARRAY(book->arena, book->cards.n + 1, struct coupon_card);

        for (size_t i = 0; i < book->cards.n; i++)
                larger[i] = book->cards.v[i];
        book->cards.v = larger;
        return &larger[book->cards.n++];
}

enum coupon_offered coupon_offer_take(struct coupon_offers *offers, struct coupon_book *book,
                                      const struct shop *shop, const struct coupon_wish *wish,
                                      struct coupon_card **ret_card)
{
        struct coupon_offer *offer = offer_of(offers, wish->template);

        if (offer == NULL)
                return COUPON_UNKNOWN;
        if (sold_out(offer, shop, wish->at))
                return COUPON_SOLD_OUT;
        struct coupon_had *had = had_of(offers, book->arena, wish);
        const struct opt_int *limit = &offer->template.per_customer_limit;
        if (limit->set && had->n >= limit->v)
                return COUPON_LIMIT;
        had->n++;
        offer->taken++;
        struct coupon_card *card = card_add(book);
        card->template = &offer->template;
        card->coupon = coupon_new(book->arena, shop, wish->at, &offer->template, wish->source, wish->key);
        card->coupon.customer_id = wish->customer_id;
        card->coupon.origin_id = wish->origin_id;
        coupon_issue(book, card, wish->at);
        *ret_card = card;
        return COUPON_ISSUED;
}

/* ------------------------------------------------------------------ storing */

struct offer_count {
        const char *template;
        int64_t n;
};
#define SHAPE_T struct offer_count
SHAPE(offer_count, "Coupons to count.", FIELD(template), FIELD(n));
#undef SHAPE_T

/* Statements of a pipeline can't look at each other's results: beyond the limit the count is one that
 * coupon_stocks_issued_check refuses. Rows are locked in the order of codes. */
SQL_BATCH(
        offers_count, offer_count,
        "UPDATE coupon_stocks s SET issued = CASE WHEN s.issued + k.n <= k.most THEN s.issued + k.n ELSE -1 END "
        "FROM (SELECT w.template, w.n, coalesce((SELECT total_limit FROM coupon_templates WHERE code = w.template "
        "ORDER BY version DESC LIMIT 1), 9223372036854775807) AS most FROM unnest(:template, :n) AS w(template, n) "
        "JOIN (SELECT template FROM coupon_stocks WHERE template = ANY(:template) ORDER BY template FOR NO KEY UPDATE) AS l "
        "USING (template)) AS k WHERE s.template = k.template")

enum err coupon_offers_store(struct ctx *c, const struct coupon_offers *offers)
{
        struct offer_count *counts = ARENA_ARRAY(c->arena, offers->offers.n, struct offer_count);
        size_t n = 0;

        for (size_t i = 0; i < offers->offers.n; i++)
                if (offers->offers.v[i].taken > 0)
                        counts[n++] = (struct offer_count){offers->offers.v[i].template.code,
                                                           offers->offers.v[i].taken};
        return n > 0 ? offers_count(c, counts, n) : ERR_OK;
}
