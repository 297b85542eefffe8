/* The list of what is done beside the requests. */
#include "chores.h"

#include "access/access.h"
#include "activities/activities.h"
#include "birthdays/birthdays.h"
#include "coupons/coupons.h"
#include "customers/behaviour.h"
#include "customers/tags.h"
#include "db/db.h"
#include "directory/directory.h"
#include "history/history.h"
#include "http/idempotency.h"
#include "jobs/jobs.h"
#include "merges/merges.h"
#include "points/points.h"
#include "rewards/rewards.h"
#include "tiers/cycles.h"

/* Customers whose points are moved in one transaction: enough to share a commit, few enough that an order of
 * one of them waits for some ten milliseconds. */
#define DUE_CUSTOMERS 500

static enum err expire_once(struct ctx *c, void *arg)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(idempotency_expire(c, arg));
        return tx_commit(&tx);
}

static enum err expire_idempotency_keys(struct ctx *c, bool *ret_more)
{
        int64_t removed;

        TRY(db_run(c, expire_once, &removed));
        *ret_more = removed == IDEMPOTENCY_EXPIRE_ROWS;
        return ERR_OK;
}

/* Half of somebody's history would lapse his points and judge his tier otherwise than all of it: what the
 * result of an import is must not depend on when the housekeeper comes by. */
static enum err unless_history_comes(struct ctx *c,
                                     enum err (*work)(struct ctx *c, int64_t most, bool *ret_more),
                                     int64_t most, bool *ret_more)
{
        bool comes;

        *ret_more = false;
        TRY(history_comes(c, &comes));
        return comes ? ERR_OK : work(c, most, ret_more);
}

static enum err activate_due_points(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, points_activate_due, DUE_CUSTOMERS, ret_more);
}

static enum err expire_holds(struct ctx *c, bool *ret_more)
{
        return points_holds_expire_due(c, DUE_CUSTOMERS, ret_more);
}

static enum err expire_points(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, points_expire_due, DUE_CUSTOMERS, ret_more);
}

static enum err expire_inactive(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, points_expire_inactive, DUE_CUSTOMERS, ret_more);
}

static enum err warn_of_expiry(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, points_warn_due, DUE_CUSTOMERS, ret_more);
}

static enum err store_use_once(struct ctx *c, void *arg)
{
        (void)arg;
        return access_store_use(c);
}

static enum err store_use_of_keys(struct ctx *c, bool *ret_more)
{
        *ret_more = false;
        return db_run(c, store_use_once, /* arg= */ NULL);
}

/* Tags taken off in one piece. */
#define EXPIRE_TAGS 500

static enum err expire_tags(struct ctx *c, bool *ret_more)
{
        return tags_expire(c, EXPIRE_TAGS, ret_more);
}

static enum err keep_behaviour_partitions(struct ctx *c, bool *ret_more)
{
        *ret_more = false;
        return behaviour_partitions_keep(c);
}

/* Behind a burst of orders the directory follows at its own pace: what is left waits for the next second. */
static enum err catch_up_directory(struct ctx *c, bool *ret_more)
{
        TRY(directory_catch_up(c, DIRECTORY_EACH_SECOND, ret_more));
        *ret_more = false;
        return ERR_OK;
}

/* Customers whose tiers are looked at in one transaction. */
#define TIER_CUSTOMERS 500

static enum err judge_tiers(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, tiers_judge_due, TIER_CUSTOMERS, ret_more);
}

static enum err give_notice(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, tiers_give_notice, TIER_CUSTOMERS, ret_more);
}

static enum err end_pins(struct ctx *c, bool *ret_more)
{
        return tiers_unpin_due(c, TIER_CUSTOMERS, ret_more);
}

/* Customers with a birthday who are given something in one transaction. */
#define BIRTHDAY_CUSTOMERS 200

static enum err give_on_birthdays(struct ctx *c, bool *ret_more)
{
        return unless_history_comes(c, birthdays_give_due, BIRTHDAY_CUSTOMERS, ret_more);
}

/* Coupons that are looked at in one transaction. */
#define DUE_COUPONS 500

static enum err end_coupon_locks(struct ctx *c, bool *ret_more)
{
        return coupons_unlock_due(c, DUE_COUPONS, ret_more);
}

static enum err expire_coupons(struct ctx *c, bool *ret_more)
{
        return coupons_expire_due(c, DUE_COUPONS, ret_more);
}

/* Redemptions that are ended in one piece, each in a transaction of its own. */
#define DUE_REDEMPTIONS 200

static enum err expire_redemptions(struct ctx *c, bool *ret_more)
{
        return redemptions_expire_due(c, DUE_REDEMPTIONS, ret_more);
}

/* Referrals that are paid or taken back in one piece: each is a transaction of its own. */
#define REFERRALS 50

static enum err settle_referrals(struct ctx *c, bool *ret_more)
{
        return activities_settle_due(c, REFERRALS, ret_more);
}

/* Rows of the journal of merges that go in one transaction. */
#define JOURNAL_ROWS 5000

static enum err forget_merges(struct ctx *c, bool *ret_more)
{
        return merges_forget_due(c, JOURNAL_ROWS, ret_more);
}

const struct chore chores[] = {
        {"expire idempotency keys", 60, expire_idempotency_keys},
        {"expire holds", 5, expire_holds},
        {"activate due points", 5, activate_due_points},
        {"expire tags", 30, expire_tags},
        {"keep behaviour partitions", 3600, keep_behaviour_partitions},
        {"catch up the directory", 1, catch_up_directory},
        {"store the last use of keys", 5, store_use_of_keys},
        {"settle referrals", 1, settle_referrals},
        {"judge tiers at the end of their cycle", 5, judge_tiers},
        {"expire points", 5, expire_points},
        {"expire points of the inactive", 300, expire_inactive},
        {"warn of points that will lapse", 60, warn_of_expiry},
        {"give notice of tiers that would fall", 60, give_notice},
        {"end pins", 60, end_pins},
        {"give on birthdays", 60, give_on_birthdays},
        {"end locks of coupons", 5, end_coupon_locks},
        {"expire coupons", 5, expire_coupons},
        {"expire redemptions", 5, expire_redemptions},
        {"expire jobs", 5, jobs_expire},
        {"forget what merges moved", 300, forget_merges},
};
const size_t chore_count = ARRAY_SIZE(chores);
_Static_assert(ARRAY_SIZE(chores) <= CHORES_MAX, "the housekeeper has room for CHORES_MAX");
