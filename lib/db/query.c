#include "db/query.h"

#include <assert.h>
#include <stdlib.h>

#include "db/internal.h"

/* Lane connections plan once for any values; here the values decide. */
#define PLAN_FOR_VALUES "SET LOCAL plan_cache_mode = force_custom_plan"

static enum err send(struct ctx *c, const struct sql *sql, const void *in, struct list *rows)
{
        TRY(command_send(c, PLAN_FOR_VALUES));
        TRY(bind_send_once(c, sql, in));
        TRY(pending_add(c, (struct pending){.kind = PENDING_STATEMENT, .sql = sql, .later = rows}));
        return db_flush(c);
}

enum err query_many(struct ctx *c, const struct query *query, const void *in, struct list *ret)
{
        struct sql_plan plan = {0};
        struct sql sql = {
                .name = query->name, .text = query->text, .in = query->in, .out = query->out, .plan = &plan};
        struct list rows = {0};

        assert(c->db->tx_depth > 0);
        plan_read(&sql, &plan);
        enum err err = plan.fault != NULL ? fail(c, ERR_INTERNAL, "%s: %s", query->name, plan.fault)
                                          : send(c, &sql, in, &rows);
        free((char *)plan.text);
        TRY(err);
        *ret = rows;
        return ERR_OK;
}
