/* What the files of lib/coupons share of loading and storing; nobody else includes this. */
#pragma once

#include "coupons/coupons.h"
#include "db/statement.h"

#define COUPON_COLUMNS                                                                                          \
        "code, id, template, template_version, customer_id, state, source, issue_key, valid_from, expires_at, " \
        "session, locked_at, locked_until, used_by, order_id, redemption, off_minor, redeemed_at, changes, created_at"

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

/* The newest version of a template, compiled. */
enum err coupon_template_newest(struct ctx *c, const char *code, struct coupon_template *ret,
                                bool *ret_found) MUST_CHECK;
