/* The list of what is done beside the requests. */
#include "chores.h"

#include "db/db.h"
#include "http/idempotency.h"
#include "jobs/jobs.h"
#include "points/points.h"

/* Customers whose points are activated in one piece. */
#define ACTIVATE_CUSTOMERS 200

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

static enum err activate_due_points(struct ctx *c, bool *ret_more)
{
        return points_activate_due(c, ACTIVATE_CUSTOMERS, ret_more);
}

const struct chore chores[] = {
        {"expire idempotency keys", 60, expire_idempotency_keys},
        {"activate due points", 5, activate_due_points},
        {"expire jobs", 60, jobs_expire},
};
const size_t chore_count = ARRAY_SIZE(chores);
_Static_assert(ARRAY_SIZE(chores) <= CHORES_MAX, "the housekeeper has room for CHORES_MAX");
