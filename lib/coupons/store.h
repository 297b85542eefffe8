/* What the files of lib/coupons share of loading and storing; nobody else includes this. */
#pragma once

#include "coupons/coupons.h"
#include "db/statement.h"

#define COUPON_COLUMNS                                                                                          \
        "code, id, template, template_version, customer_id, state, source, issue_key, valid_from, expires_at, " \
        "session, locked_at, locked_until, used_by, order_id, redemption, off_minor, redeemed_at, changes, created_at, origin_id"

/* The newest version, with the day of the first one and what was issued. */
#define COUPON_TEMPLATE_COLUMNS                                                                                         \
        "t.code, t.version, t.name, t.kind, t.off_minor, t.off_permille, t.max_off_minor, t.threshold_minor, t.goods, " \
        "t.valid_from, t.valid_until, t.valid_days, t.per_customer_limit, t.total_limit, t.with_tier_discount, "        \
        "t.with_full_reduction, t.with_points, t.with_coupons, t.returns_on_refund, t.returned_days, t.active, "        \
        "s.issued, s.created_at, t.created_at AS updated_at"
#define COUPON_TEMPLATE_ROWS                                                                                 \
        "(SELECT template AS code, issued, created_at FROM coupon_stocks) AS s, "                            \
        "LATERAL (SELECT * FROM coupon_templates WHERE code = s.code ORDER BY version DESC LIMIT 1) AS t "

/* A coupon, and what is noted of it meanwhile. */
struct coupon_one {
        struct coupon_book book;
        struct event_list events;
        struct coupon_card *card;
};

/* Lock the coupon that somebody typed. ERR_COUPON_MISTYPED, ERR_NOT_FOUND. */
enum err coupon_open(struct ctx *c, const char *typed, struct coupon_one *ret) MUST_CHECK;

/* Queue its writes and its entry in the audit log. */
enum err coupon_close(struct ctx *c, const struct coupon_one *one, const struct coupon *before) MUST_CHECK;

/* May this template issue now, to this customer (nil: to whoever bears it), but for its total limit?
 * ERR_COUPON_SOLD_OUT, ERR_COUPON_LIMIT. */
enum err coupon_limits_check(struct ctx *c, const struct coupon_template *template,
                             struct uuid customer_id) MUST_CHECK;
/* ERR_COUPON_SOLD_OUT: "The template <code> <why>." */
enum err coupon_sold_out(struct ctx *c, const struct coupon_template *template, const char *why);

/* Count n coupons as issued, all or none: the last thing before the commit, for it locks what all issues of
 * the template share. ERR_COUPON_SOLD_OUT with why_not. */
enum err coupon_count(struct ctx *c, const struct coupon_template *template, int64_t n,
                      const char *why_not) MUST_CHECK;

/* What a coupon of this template is, but for who gets it; its code is new. */
struct coupon coupon_new(struct arena *arena, const struct shop *shop, struct instant at,
                         const struct coupon_template *template, enum coupon_source source, const char *key);

/* The newest version of a template, compiled. */
enum err coupon_template_newest(struct ctx *c, const char *code, struct coupon_template *ret,
                                bool *ret_found) MUST_CHECK;
