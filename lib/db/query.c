#include "db/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/internal.h"

/* Lane connections plan once for any values; here the values decide. */
#define PLAN_FOR_VALUES "SET LOCAL plan_cache_mode = force_custom_plan"

/* What connections that look up by key are forbidden (see connect.c). Another process would take its time
 * from the orders. Afterwards all of it is again as the connection has it. */
static const char *const many_begin[] = {"SET LOCAL enable_seqscan = on", "SET LOCAL enable_hashjoin = on",
                                         "SET LOCAL enable_mergejoin = on",
                                         "SET LOCAL max_parallel_workers_per_gather = 0"};
static const char *const many_end[] = {"RESET enable_seqscan", "RESET enable_hashjoin",
                                       "RESET enable_mergejoin", "RESET max_parallel_workers_per_gather"};

static enum err commands_send(struct ctx *c, const char *const *commands, size_t n)
{
        for (size_t i = 0; i < n; i++)
                TRY(command_send(c, commands[i]));
        return ERR_OK;
}

static enum err send(struct ctx *c, const struct sql *sql, bool over_many, const void *in, struct list *rows)
{
        TRY(command_send(c, PLAN_FOR_VALUES));
        if (over_many)
                TRY(commands_send(c, many_begin, ARRAY_SIZE(many_begin)));
        TRY(bind_send_once(c, sql, in));
        TRY(pending_add(c, (struct pending){.kind = PENDING_STATEMENT, .sql = sql, .later = rows}));
        if (over_many)
                TRY(commands_send(c, many_end, ARRAY_SIZE(many_end)));
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
                                          : send(c, &sql, query->over_many, in, &rows);
        free((char *)plan.text);
        TRY(err);
        *ret = rows;
        return ERR_OK;
}

/* ------------------------------------------------------------------ estimates */

struct explained {
        const char *line;
};
static const struct field explained_fields[] = {{.name = "QUERY PLAN",
                                                 .wire = WIRE_TEXT,
                                                 .offset = offsetof(struct explained, line),
                                                 .size = sizeof(const char *)}};
static const struct shape explained_shape = {.name = "explained",
                                             .doc = "A line of a plan.",
                                             .size = sizeof(struct explained),
                                             .fields = explained_fields,
                                             .count = ARRAY_SIZE(explained_fields)};

enum err query_estimate(struct ctx *c, const struct query *query, const void *in, int64_t *ret)
{
        static const char rows_mark[] = " rows=";
        struct query explain = *query;
        struct list lines;

        explain.text = arena_printf(c->arena, "EXPLAIN %s", query->text);
        explain.out = &explained_shape;
        TRY(query_many(c, &explain, in, &lines));
        const char *rows = lines.n > 0 ? strstr(((const struct explained *)lines.v)->line, rows_mark) : NULL;
        char *end = NULL;
        long long estimate = rows != NULL ? strtoll(rows + strlen(rows_mark), &end, 10) : 0;
        if (rows == NULL || *end != ' ')
                return fail(c, ERR_INTERNAL, "%s: the plan does not tell its rows.", query->name);
        *ret = estimate;
        return ERR_OK;
}

void query_must(struct text *conditions, const char *condition)
{
        if (conditions->len > 0)
                text_puts(conditions, " AND ");
        text_puts(conditions, condition);
}
