/* Reads the table of lib/jobs, which knows every domain and so can't be asked by one. */
#include "history/history.h"

#include "db/statement.h"

struct coming {
        bool comes;
};
#define SHAPE_T struct coming
SHAPE(coming, "Is history coming in?", FIELD(comes));
#undef SHAPE_T

/* What a dry run does nobody sees. */
SQL_ONE(history_find, nothing, coming,
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE status IN ('queued', 'running', 'canceling') AND backfill "
        "AND NOT dry_run AND type IN ('orders', 'refunds')) AS comes")

enum err history_comes(struct ctx *c, bool *ret)
{
        struct coming coming;

        TRY(history_find(c, &(struct nothing){0}, &coming));
        *ret = coming.comes;
        return ERR_OK;
}
