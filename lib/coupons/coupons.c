/* What the API asks of one coupon, and lists of them. */
#include "coupons/coupons.h"

#include "coupons/store.h"
#include "customers/customers.h"
#include "db/page.h"

static enum err not_usable(struct ctx *c, const struct coupon *coupon, const char *detail)
{
        problem_string(c, "code", coupon->code);
        problem_string(c, "state", coupon_state_names.v[coupon_state_at(coupon, c->now)]);
        return fail(c, ERR_COUPON_STATE, "%s", detail);
}

/* The customer who wants to use it, if he is named; a coupon of somebody else is none for him. */
static enum err user_find(struct ctx *c, const char *reference, const struct coupon *coupon, struct uuid *ret)
{
        struct customer customer = {0};

        if (reference != NULL)
                TRY(customer_get(c, reference, &customer));
        if (reference != NULL && uuid_known(coupon->customer_id) &&
            !uuid_equal(coupon->customer_id, customer.id)) {
                fault_body(c, "#/customer", "other_customer", "the coupon belongs to somebody else");
                return problem_check(c);
        }
        *ret = customer.id;
        return ERR_OK;
}

enum err coupon_lock_one(struct ctx *c, const struct coupon_lock_in *in, struct coupon *ret)
{
        struct coupon_one one;
        struct coupon_use use = {.session = in->session, .reference = in->session, .at = c->now};

        TRY(coupon_open(c, in->coupon, &one));
        struct coupon before = one.card->coupon;
        TRY(user_find(c, in->customer, &before, &use.customer_id));
        TRY(coupon_usable(c, &before, &use));
        coupon_lock(&one.book, one.card, &use,
                    (struct instant){c->now.us + in->expires_in_seconds * INSTANT_SECOND});
        TRY(coupon_close(c, &one, &before));
        *ret = one.card->coupon;
        return ERR_OK;
}

enum err coupon_release_one(struct ctx *c, const struct coupon_release_in *in, struct coupon *ret)
{
        struct coupon_one one;
        struct coupon_use use = {.reference = in->session, .at = c->now};

        TRY(coupon_open(c, in->coupon, &one));
        struct coupon before = one.card->coupon;
        if (coupon_state_at(&before, c->now) != COUPON_LOCKED || strcmp(before.session, in->session) != 0)
                return not_usable(c, &before, "The coupon has no lock of this session.");
        coupon_release(&one.book, one.card, &use);
        TRY(coupon_close(c, &one, &before));
        *ret = one.card->coupon;
        ret->state = coupon_state_at(ret, c->now);
        return ERR_OK;
}

enum err coupon_redeem_one(struct ctx *c, const struct coupon_redeem_in *in, struct coupon *ret)
{
        struct coupon_one one;
        struct coupon_use use = {.session = in->session, .reference = in->reference, .at = c->now};

        TRY(coupon_open(c, in->coupon, &one));
        struct coupon before = one.card->coupon;
        TRY(user_find(c, in->customer, &before, &use.customer_id));
        if (!uuid_known(use.customer_id))
                use.customer_id = before.customer_id;
        TRY(coupon_usable(c, &before, &use));
        coupon_redeem(&one.book, one.card, &use, in->off_minor);
        TRY(coupon_close(c, &one, &before));
        *ret = one.card->coupon;
        return ERR_OK;
}

enum err coupon_rollback(struct ctx *c, const struct coupon_rollback_in *in, struct coupon *ret)
{
        struct coupon_one one;
        struct coupon_use use = {.reference = in->reference, .at = c->now};

        TRY(coupon_open(c, in->coupon, &one));
        struct coupon before = one.card->coupon;
        if (uuid_known(before.order_id)) {
                char order[UUID_TEXT_SIZE];
                uuid_to_text(before.order_id, order);
                problem_string(c, "order_id", order);
                return fail(c, ERR_COUPON_BOUND, "The order %s has used the coupon.", order);
        }
        if (before.state != COUPON_REDEEMED || strcmp(before.redemption, in->reference) != 0)
                return not_usable(c, &before, "The coupon was not redeemed for this.");
        use.customer_id = before.used_by;
        coupon_return(&one.book, one.card, &use, /* min_days= */ 0);
        TRY(coupon_close(c, &one, &before));
        *ret = one.card->coupon;
        ret->state = coupon_state_at(ret, c->now);
        return ERR_OK;
}

enum err coupon_revoke_one(struct ctx *c, const char *code, struct coupon *ret)
{
        struct coupon_one one;
        struct coupon_use use = {.at = c->now};

        TRY(coupon_open(c, code, &one));
        struct coupon before = one.card->coupon;
        if (before.state == COUPON_REDEEMED || before.state == COUPON_REVOKED)
                return not_usable(c, &before, "The coupon can't be withdrawn any more.");
        coupon_revoke(&one.book, one.card, &use);
        TRY(coupon_close(c, &one, &before));
        *ret = one.card->coupon;
        return ERR_OK;
}

/* ------------------------------------------------------------------ lists */

#define SHAPE_T struct coupon_page
SHAPE(coupon_page, "A position.", FIELD(before_id), FIELD(customer_id), FIELD(origin_id), FIELD(template),
      FIELD(state, .names = &coupon_state_names), FIELD(limit));
#undef SHAPE_T

/* As coupon_state_at. */
#define LOCK_OVER "(state = 'locked' AND locked_until <= :now)"
#define STATE_SEEN                                                                                           \
        "CASE WHEN (state = 'available' OR " LOCK_OVER ") AND expires_at <= :now THEN 'expired' "            \
        "WHEN " LOCK_OVER " THEN 'available' ELSE state END"
#define COLUMNS_SEEN                                                                                                  \
        "code, id, template, template_version, customer_id, " STATE_SEEN                                              \
        " AS state, source, issue_key, valid_from, expires_at, session, locked_at, locked_until, used_by, order_id, " \
        "redemption, off_minor, redeemed_at, changes, created_at, origin_id"
#define OTHER_FILTERS                                                                                        \
        "AND (:template IS NULL OR template = :template) AND (:state IS NULL OR " STATE_SEEN " = :state) "   \
        "AND (:customer_id IS NULL OR customer_id = :customer_id)"
#define NEWEST_FIRST "AND (:before_id IS NULL OR id < :before_id) ORDER BY id DESC"

SQL_PAGE(coupons_page, coupon_page, coupon, COLUMNS_SEEN, "coupons WHERE true " OTHER_FILTERS, NEWEST_FIRST)
SQL_PAGE(coupons_page_of, coupon_page, coupon, COLUMNS_SEEN,
         "coupons WHERE customer_id = :customer_id " OTHER_FILTERS, NEWEST_FIRST)
SQL_PAGE(coupons_page_from, coupon_page, coupon, COLUMNS_SEEN,
         "coupons WHERE origin_id = :origin_id " OTHER_FILTERS, NEWEST_FIRST)

enum err coupons_list(struct ctx *c, const struct coupon_page *page, struct list *ret)
{
        if (uuid_known(page->origin_id))
                return coupons_page_from(c, page, ret);
        return uuid_known(page->customer_id) ? coupons_page_of(c, page, ret) : coupons_page(c, page, ret);
}

#define SHAPE_T struct coupon_history_page
SHAPE(coupon_history_page, "A position.", FIELD(code), FIELD(before_no), FIELD(limit));
#undef SHAPE_T

SQL_PAGE(coupon_history_rows, coupon_history_page, coupon_change,
         "code, change_no, action, state, customer_id, order_id, reference, created_at",
         "coupon_history WHERE code = :code",
         "AND (:before_no = 0 OR change_no < :before_no) ORDER BY change_no DESC")

enum err coupon_history(struct ctx *c, const struct coupon_history_page *page, struct list *ret)
{
        return coupon_history_rows(c, page, ret);
}
