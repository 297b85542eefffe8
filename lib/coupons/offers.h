/* Coupons that a transaction issues by itself, while it decides about many customers: what may be issued is
 * loaded with what else it needs, taken from memory, and counted with the commit. */
#pragma once

#include "coupons/coupons.h"

/* A template, and what is left of it. */
struct coupon_offer {
        struct coupon_template template;
        int64_t taken; /* in this transaction */
};
/* What a customer has of a template already. */
struct coupon_had {
        struct uuid customer_id;
        const char *template;
        int64_t n;
};
struct coupon_offers {
        LIST_OF(struct coupon_offer) offers;
        LIST_OF(struct coupon_had) had;
        size_t had_room;
};

struct coupon_offer_rows {
        struct list templates, had;
};
/* Queue: these templates, and what these customers, whose locks are held, have of them. */
enum err coupon_offers_later(struct ctx *c, const struct texts *templates, const struct uuids *customers,
                             struct coupon_offer_rows *ret) MUST_CHECK;
enum err coupon_offers_give(struct ctx *c, const struct coupon_offer_rows *rows,
                            struct coupon_offers *ret) MUST_CHECK;

enum coupon_offered {
        COUPON_OFFERED_NONE,
        COUPON_ISSUED,
        COUPON_SOLD_OUT, /* its total limit is reached, it is switched off, or its last day is over */
        COUPON_LIMIT,    /* the customer has had enough of them */
        COUPON_UNKNOWN,  /* there is no such template */
        COUPON_WITHDRAWN,
};
extern const struct names coupon_offered_names;

/* What is to be issued. */
struct coupon_wish {
        const char *template, *key;
        struct uuid customer_id, origin_id;
        unsigned source; /* enum coupon_source */
        struct instant at;
};
/* Issue it into the book, if it may be; *ret_card when it is COUPON_ISSUED. */
enum coupon_offered coupon_offer_take(struct coupon_offers *offers, struct coupon_book *book,
                                      const struct shop *shop, const struct coupon_wish *wish,
                                      struct coupon_card **ret_card);

/* Queue the counts. Where others took the last ones meanwhile the transaction is a lost race, to be run
 * again. */
enum err coupon_offers_store(struct ctx *c, const struct coupon_offers *offers) MUST_CHECK;

/* Queue: lock the coupons that these orders brought. */
enum err coupons_from_later(struct ctx *c, const struct uuids *orders, struct coupon_rows *ret) MUST_CHECK;
