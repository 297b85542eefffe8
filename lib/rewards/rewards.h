/* Rewards: what points buy, and its redemption in two phases: issued (the points are held, the stock is
 * taken), then redeemed, cancelled or expired. */
#pragma once

#include "base/ctx.h"
#include "base/page.h"
#include "base/shape.h"
#include "points/points.h"

enum reward_kind { REWARD_KIND_NONE, REWARD_COUPON, REWARD_GIFT, REWARD_SERVICE, REWARD_TIER_TRIAL };
extern const struct names reward_kind_names;

/* All that a shop says of a reward. */
#define REWARD_RULE                                                                                          \
        const char *name;                                                                                    \
        unsigned kind;                                                                                       \
        int64_t points;                                                                                      \
        struct opt_int stock;                                                                                \
        struct opt_int customer_limit, limit_days; /* redemptions of one customer in so many days */         \
        const char *condition;                     /* on the customer; NULL: everybody */                    \
        struct date valid_from, valid_until;       /* both included, in the shop's zone */                   \
        int64_t redeem_days;                       /* then an issued one expires */                          \
        const char *coupon_template;               /* of a coupon */                                         \
        const char *trial_tier;                    /* of a tier trial */                                     \
        struct opt_int trial_days;                                                                           \
        bool active

struct reward_in {
        const char *reward; /* path: its code */
        REWARD_RULE;
};
SHAPE_DECLARE(reward_in);

struct reward {
        const char *code;
        int64_t version;
        REWARD_RULE;
        int64_t taken; /* of the stock: issued and redeemed */
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(reward);

/* Create, or store a new version, by code; expected_version 0 takes any. In a transaction. ERR_INVALID,
 * ERR_STALE. */
enum err reward_put(struct ctx *c, const struct reward_in *in, int64_t expected_version, struct reward *ret,
                    bool *ret_created) MUST_CHECK;

/* The newest version. ERR_NOT_FOUND. */
enum err reward_get(struct ctx *c, const char *code, struct reward *ret) MUST_CHECK;

/* Newest versions (struct reward), a page in one of these orders. */
extern const struct names reward_sort_names;
struct reward_page {
        struct paging page;
};
enum err rewards_list(struct ctx *c, const struct reward_page *page, struct page_rows *ret) MUST_CHECK;

/* Not to be had any more. In a transaction. ERR_NOT_FOUND, ERR_STALE. */
enum err reward_close(struct ctx *c, const char *code, int64_t expected_version,
                      struct reward *ret) MUST_CHECK;

/* ---- redemptions. Each change in a transaction. */

enum redemption_state {
        REDEMPTION_NONE,
        REDEMPTION_ISSUED,
        REDEMPTION_REDEEMED,
        REDEMPTION_CANCELLED,
        REDEMPTION_EXPIRED,
};
extern const struct names redemption_state_names;

struct redemption {
        struct uuid customer_id, id;
        const char *reward;
        int64_t reward_version;
        unsigned state; /* enum redemption_state */
        int64_t points;
        struct uuid hold_id;
        const char *coupon; /* the code that it issued */
        const char *reason;
        struct instant created_at, expires_at, resolved_at;
};
SHAPE_DECLARE(redemption);

struct redemption_in {
        const char *customer, *reward;
        bool redeem; /* both phases at once */
};
/* Hold the points and take one of the stock. ERR_NOT_FOUND, ERR_REWARD_SOLD_OUT, ERR_REWARD_LIMIT,
 * ERR_REWARD_NOT_FOR, ERR_POINTS_TOO_FEW; with `redeem` also those of redemption_redeem. */
enum err redemption_issue(struct ctx *c, const struct redemption_in *in, struct redemption *ret) MUST_CHECK;

/* Which one, and why it ends. */
struct redemption_ref {
        const char *customer, *redemption, *reason;
};
/* Spend the points: a coupon is issued, a tier on trial is pinned. ERR_NOT_FOUND, ERR_REDEMPTION_RESOLVED,
 * ERR_REWARD_NOT_FOR, ERR_COUPON_SOLD_OUT, ERR_COUPON_LIMIT. */
enum err redemption_redeem(struct ctx *c, const struct redemption_ref *in, struct redemption *ret) MUST_CHECK;

/* Points and stock go back. ERR_NOT_FOUND, ERR_REDEMPTION_RESOLVED. */
enum err redemption_cancel(struct ctx *c, const struct redemption_ref *in, struct redemption *ret) MUST_CHECK;

/* ERR_NOT_FOUND. What is over is shown as over. */
enum err redemption_get(struct ctx *c, const struct redemption_ref *in, struct redemption *ret) MUST_CHECK;

/* Redemptions (struct redemption) of a customer, newest first, before an id (nil: from the newest). */
struct redemption_page {
        struct uuid customer_id, before_id;
        unsigned state; /* none: all */
        PAGED;
};
enum err redemptions_list(struct ctx *c, const struct redemption_page *page, struct list *ret) MUST_CHECK;

/* Expire at most limit redemptions that nobody took in time, each in a transaction of its own; *ret_more when
 * there may be more. Safe to run anywhere, any time. */
enum err redemptions_expire_due(struct ctx *c, int64_t limit, bool *ret_more) MUST_CHECK;
