/* The list of what is done beside the requests. */
#include "chores.h"

#include <malloc.h>

#include "access/access.h"
#include "activities/activities.h"
#include "birthdays/birthdays.h"
#include "coupons/coupons.h"
#include "customers/behaviour.h"
#include "customers/due.h"
#include "customers/tags.h"
#include "db/db.h"
#include "directory/directory.h"
#include "history/history.h"
#include "http/idempotency.h"
#include "http/keeper.h"
#include "http/pace.h"
#include "jobs/jobs.h"
#include "merges/merges.h"
#include "points/points.h"
#include "rewards/rewards.h"
#include "tiers/cycles.h"

/* Customers whose points or tiers are moved in one transaction: enough to share a commit, few enough that an
 * order of one of them waits for some ten milliseconds. */
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
static enum err unless_history_comes(struct ctx *c, bool *ret)
{
        bool comes;

        TRY(history_comes(c, &comes));
        *ret = !comes && !keeper_is_stopping();
        return ERR_OK;
}

/* Work off a share of what is due. */
static enum err due_share(struct ctx *c,
                          enum err (*work)(struct ctx *c, const struct share *share, bool *ret_more),
                          enum half half, bool *ret_more)
{
        bool may;

        *ret_more = false;
        TRY(unless_history_comes(c, &may));
        return may ? work(c, &(struct share){DUE_CUSTOMERS, half, unless_history_comes}, ret_more) : ERR_OK;
}

static enum err activate_due_points_even(struct ctx *c, bool *ret_more)
{
        return due_share(c, points_activate_due, HALF_EVEN, ret_more);
}

static enum err activate_due_points_odd(struct ctx *c, bool *ret_more)
{
        return due_share(c, points_activate_due, HALF_ODD, ret_more);
}

static enum err expire_holds(struct ctx *c, bool *ret_more)
{
        return points_holds_expire_due(c, &(struct share){.most = DUE_CUSTOMERS}, ret_more);
}

static enum err expire_points_even(struct ctx *c, bool *ret_more)
{
        return due_share(c, points_expire_due, HALF_EVEN, ret_more);
}

static enum err expire_points_odd(struct ctx *c, bool *ret_more)
{
        return due_share(c, points_expire_due, HALF_ODD, ret_more);
}

static enum err expire_inactive(struct ctx *c, bool *ret_more)
{
        return due_share(c, points_expire_inactive, HALF_BOTH, ret_more);
}

static enum err warn_of_expiry(struct ctx *c, bool *ret_more)
{
        return due_share(c, points_warn_due, HALF_BOTH, ret_more);
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

/* Behind a burst the directory follows at its own pace: what is left waits for the next second, unless nobody
 * needs the time. */
static enum err catch_up_directory(struct ctx *c, bool *ret_more)
{
        bool more;

        TRY(directory_catch_up(c, pace_import_runs() ? DIRECTORY_BESIDE_IMPORT : DIRECTORY_EACH_SECOND,
                               &more));
        *ret_more = more && pace_is_quiet();
        return ERR_OK;
}

static enum err judge_tiers_even(struct ctx *c, bool *ret_more)
{
        return due_share(c, tiers_judge_due, HALF_EVEN, ret_more);
}

static enum err judge_tiers_odd(struct ctx *c, bool *ret_more)
{
        return due_share(c, tiers_judge_due, HALF_ODD, ret_more);
}

static enum err give_notice(struct ctx *c, bool *ret_more)
{
        return due_share(c, tiers_give_notice, HALF_BOTH, ret_more);
}

static enum err end_pins(struct ctx *c, bool *ret_more)
{
        return tiers_unpin_due(c, &(struct share){.most = DUE_CUSTOMERS}, ret_more);
}

static enum err give_on_birthdays(struct ctx *c, bool *ret_more)
{
        return due_share(c, birthdays_give_due, HALF_BOTH, ret_more);
}

/* Coupons that are looked at in one transaction. */
#define DUE_COUPONS 500

static enum err settle_coupons(struct ctx *c, bool *ret_more)
{
        return coupons_settle_due(c, DUE_COUPONS, ret_more);
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

/* What a burst needed lies free in the allocator's arenas, between what is still in use: without this the
 * process would stay as large as its busiest second. It takes well under a millisecond. */
static enum err give_memory_back(struct ctx *c, bool *ret_more)
{
        (void)c;
        (void)malloc_trim(/* pad= */ 0);
        *ret_more = false;
        return ERR_OK;
}

const struct chore chores[] = {
        {"expire idempotency keys", 60, expire_idempotency_keys},
        {"expire holds", 5, expire_holds},
        {"activate due points, one half", 5, activate_due_points_even},
        {"activate due points, the other half", 5, activate_due_points_odd},
        {"expire tags", 30, expire_tags},
        {"keep behaviour partitions", 3600, keep_behaviour_partitions},
        {"store the last use of keys", 5, store_use_of_keys},
        {"settle referrals", 1, settle_referrals},
        {"judge tiers at the end of their cycle, one half", 5, judge_tiers_even},
        {"judge tiers at the end of their cycle, the other half", 5, judge_tiers_odd},
        {"expire points, one half", 5, expire_points_even},
        {"expire points, the other half", 5, expire_points_odd},
        {"expire points of the inactive", 300, expire_inactive},
        {"warn of points that will lapse", 60, warn_of_expiry},
        {"give notice of tiers that would fall", 60, give_notice},
        {"end pins", 60, end_pins},
        {"give on birthdays", 60, give_on_birthdays},
        {"end locks and validities of coupons", 5, settle_coupons},
        {"expire redemptions", 5, expire_redemptions},
        {"expire jobs", 5, jobs_expire},
        {"forget what merges moved", 300, forget_merges},
        {"catch up the directory", 1, catch_up_directory}, /* behind what changes customers */
        {"give memory back", 5, give_memory_back},
};
const size_t chore_count = ARRAY_SIZE(chores);
_Static_assert(ARRAY_SIZE(chores) <= CHORES_MAX, "the housekeeper has room for CHORES_MAX");
