/* Registration: reads each statement's text once, before main, and resolves its parameters against its shape.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/internal.h"

static struct sql *statements;
static unsigned statement_count;

struct sql *sql_first(void)
{
        return statements;
}

static bool name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* The number of the parameter called name, added when it is new. */
static int param_number(const struct sql *sql, struct sql_plan *plan, const char *name, size_t len)
{
        struct sql_param param = {0};

        if (!(len == 3 && memcmp(name, "now", 3) == 0)) {
                param.field = shape_path(sql->in, name, len, &param.offset);
                if (param.field == NULL) {
                        static char fault[128]; /* the first one is told; the process ends on it */
                        snprintf(fault, sizeof fault, "the shape %s has no field %.*s", sql->in->name,
                                 (int)len, name);
                        plan->fault = fault;
                        return 1;
                }
        }
        for (int i = 0; i < plan->count; i++)
                if (plan->params[i].field == param.field && plan->params[i].offset == param.offset)
                        return i + 1;
        assert(plan->count < SQL_PARAMS_MAX);
        plan->params[plan->count] = param;
        return ++plan->count;
}

/* Copy a quoted literal, identifier or a comment whole, so that a colon in it is no parameter. */
static const char *copy_quoted(struct text *out, const char *p)
{
        const char *end;

        if (p[0] == '-' && p[1] == '-') {
                end = strchr(p, '\n');
                end = end != NULL ? end : p + strlen(p);
        } else {
                end = strchr(p + 1, *p);
                assert(end != NULL);
                end++;
        }
        text_append(out, p, (size_t)(end - p));
        return end;
}

void plan_read(const struct sql *sql, struct sql_plan *plan)
{
        struct text out = {0};
        size_t len;

        for (const char *p = sql->text; *p != '\0';) {
                if (*p == '\'' || *p == '"' || (p[0] == '-' && p[1] == '-')) {
                        p = copy_quoted(&out, p);
                } else if (p[0] == ':' && p[1] == ':') {
                        text_puts(&out, "::");
                        p += 2;
                } else if (p[0] == ':' && name_char(p[1])) {
                        for (len = 1; name_char(p[1 + len]); len++)
                                ;
                        text_printf(&out, "$%d", param_number(sql, plan, p + 1, len));
                        p += 1 + len;
                } else {
                        text_putc(&out, *p++);
                }
        }
        plan->text = text_take(&out, &len);
}

void sql_register(struct sql *sql)
{
        struct sql_plan *plan = calloc(1, sizeof *plan);

        assert(plan != NULL && statement_count < SQL_STATEMENTS_MAX);
        plan_read(sql, plan);
        sql->plan = plan;
        sql->index = statement_count++;
        sql->next = statements;
        statements = sql;
}
