/* Coupons: templates, issuing, locking and redeeming; loading and storing them. */
#pragma once

#include "base/page.h"
#include "coupons/code.h"
#include "coupons/coupon.h"

/* ---- for whoever decides in a transaction that holds the customers' locks */

struct coupon_rows {
        struct list coupons, templates;
};
/* Queue: lock these coupons, in the order of their codes, and read them with what they promise; unknown ones
 * are left out. The next round trip fills *ret. */
enum err coupons_later(struct ctx *c, const struct texts *codes, struct coupon_rows *ret) MUST_CHECK;

/* Add what was read to a book, each coupon once. ERR_INTERNAL when a stored template no longer compiles. */
enum err coupons_give(struct ctx *c, const struct coupon_rows *rows, struct coupon_book *book) MUST_CHECK;

/* Queue the writes of what changed in a book, but for its events. */
enum err coupons_store(struct ctx *c, const struct coupon_book *book) MUST_CHECK;

/* The same without a lock, for a question. */
enum err coupons_read(struct ctx *c, const struct texts *codes, struct coupon_book *book) MUST_CHECK;

/* ---- templates */

/* Create, or store a new version, by code; expected_version 0 takes any. In a transaction. ERR_INVALID,
 * ERR_STALE. */
enum err coupon_template_put(struct ctx *c, const struct coupon_template_in *in, int64_t expected_version,
                             struct coupon_template *ret, bool *ret_created) MUST_CHECK;

/* The newest version. ERR_NOT_FOUND. */
enum err coupon_template_get(struct ctx *c, const char *code, struct coupon_template *ret) MUST_CHECK;

/* Newest versions (struct coupon_template), a page in one of these orders. */
extern const struct names coupon_template_sort_names;
struct coupon_template_page {
        struct paging page;
};
enum err coupon_templates(struct ctx *c, const struct coupon_template_page *page,
                          struct page_rows *ret) MUST_CHECK;

/* No more are issued from now on; those that are out stay good. In a transaction. ERR_NOT_FOUND, ERR_STALE.
 */
enum err coupon_template_close(struct ctx *c, const char *code, int64_t expected_version,
                               struct coupon_template *ret) MUST_CHECK;

/* ---- issuing */

struct coupon_issue_in {
        const char *template;
        const char *customer; /* reference; NULL: for whoever bears it */
        const char *key;      /* natural key of the issue, unique for the template; NULL: none */
};
SHAPE_DECLARE(coupon_issue_in);

/* Issue one. In a transaction. ERR_NOT_FOUND (template or customer), ERR_COUPON_SOLD_OUT, ERR_COUPON_LIMIT,
 * ERR_COUPON_DIFFERS. *ret_known: the key had been used for it before. */
enum err coupon_issue_one(struct ctx *c, const struct coupon_issue_in *in, struct coupon *ret,
                          bool *ret_known) MUST_CHECK;

/* The same for a customer whose lock is held, by another part of the house. */
enum err coupon_issue_to(struct ctx *c, const char *template, struct uuid customer_id,
                         enum coupon_source source, const char *key, struct coupon *ret) MUST_CHECK;

/* Codes of one call, at most: a page to print, and a transaction of some hundredths of a second. */
#define COUPON_BATCH_MAX 1000

struct coupon_batch_in {
        const char *template; /* path */
        int64_t count;
        const char *key; /* natural key of them all: the n-th coupon has the issue key "<key>/<n>" */
};
SHAPE_DECLARE(coupon_batch_in);

struct coupon_batch {
        const char *template;
        int64_t template_version;
        struct instant valid_from, expires_at;
        struct texts codes;
};
SHAPE_DECLARE(coupon_batch);

/* Issue many for whoever bears them, all or none. In a transaction. ERR_NOT_FOUND, ERR_COUPON_SOLD_OUT,
 * ERR_COUPON_DIFFERS (the key was used for another number). *ret_known: they had been issued before. */
enum err coupon_issue_batch(struct ctx *c, const struct coupon_batch_in *in, struct coupon_batch *ret,
                            bool *ret_known) MUST_CHECK;

/* One of the many coupons of a job. */
struct coupon_wanted {
        const char *template, *key;
};
SHAPE_DECLARE(coupon_wanted);
struct coupon_call {
        struct ctx *c; /* its own problem */
        const struct coupon_wanted *in;
        enum err err;         /* out: ERR_OK, ERR_COUPON_SOLD_OUT */
        bool known;           /* out: it had been issued before */
        struct coupon coupon; /* out */
};

/* Issue coupons of one template, each under its own key and as long as the total limit lasts. In a
 * transaction. ERR_NOT_FOUND, ERR_COUPON_SOLD_OUT (to none of them; also: others took the last ones
 * meanwhile). */
enum err coupon_issue_lines(struct ctx *c, struct uuid job_id, struct coupon_call *calls,
                            size_t n) MUST_CHECK;

/* Could a job issue coupons of this template now? ERR_NOT_FOUND, ERR_COUPON_SOLD_OUT. */
enum err coupon_job_check(struct ctx *c, const char *template) MUST_CHECK;

/* ---- one coupon. The code may be typed any way; ERR_COUPON_MISTYPED before anything is looked up. Each
 * change in a transaction. */

/* ERR_COUPON_MISTYPED, ERR_NOT_FOUND. What is over is shown as over. */
enum err coupon_get(struct ctx *c, const char *code, struct coupon *ret) MUST_CHECK;

struct coupon_lock_in {
        const char *coupon;  /* path */
        const char *session; /* who locks it */
        const char *customer;
        int64_t expires_in_seconds;
};
/* Lock for a checkout; the same session again moves the end. ERR_COUPON_MISTYPED, ERR_NOT_FOUND,
 * ERR_COUPON_STATE. */
enum err coupon_lock_one(struct ctx *c, const struct coupon_lock_in *in, struct coupon *ret) MUST_CHECK;

struct coupon_release_in {
        const char *coupon, *session;
};
/* End a lock. ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE (it has no such lock any more). */
enum err coupon_release_one(struct ctx *c, const struct coupon_release_in *in, struct coupon *ret) MUST_CHECK;

struct coupon_redeem_in {
        const char *coupon, *customer, *session, *reference;
        int64_t off_minor;
};
/* Use it for something that is no order here. ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_INVALID,
 * ERR_COUPON_STATE. */
enum err coupon_redeem_one(struct ctx *c, const struct coupon_redeem_in *in, struct coupon *ret) MUST_CHECK;

struct coupon_rollback_in {
        const char *coupon, *reference;
};
/* Undo that. ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE (nothing of this name uses it),
 * ERR_COUPON_BOUND (an order does). */
enum err coupon_rollback(struct ctx *c, const struct coupon_rollback_in *in, struct coupon *ret) MUST_CHECK;

/* Withdraw it. ERR_COUPON_MISTYPED, ERR_NOT_FOUND, ERR_COUPON_STATE (used, or withdrawn before). */
enum err coupon_revoke_one(struct ctx *c, const char *code, struct coupon *ret) MUST_CHECK;

/* Coupons (struct coupon), newest first, before an id (nil: from the newest); nil, NULL and 0 filter nothing.
 */
struct coupon_page {
        struct uuid before_id, customer_id, origin_id;
        const char *template;
        unsigned state;
        PAGED;
};
enum err coupons_list(struct ctx *c, const struct coupon_page *page, struct list *ret) MUST_CHECK;

/* What became of one (struct coupon_change), newest first, before a number (0: from the newest). */
struct coupon_history_page {
        const char *code; /* in its right form */
        int64_t before_no;
        PAGED;
};
enum err coupon_history(struct ctx *c, const struct coupon_history_page *page, struct list *ret) MUST_CHECK;

/* The code in its right form, in the arena. ERR_COUPON_MISTYPED. */
enum err coupon_code_of(struct ctx *c, const char *typed, const char **ret) MUST_CHECK;

/* ---- what time causes: for at most limit coupons in a transaction of its own; *ret_more when there may be
 * more. */

/* End locks whose time is over; write down what has lapsed. */
enum err coupons_settle_due(struct ctx *c, int64_t limit, bool *ret_more) MUST_CHECK;
