/* Start-up check: every statement of the program against the live schema. */
#include <stdio.h>
#include <string.h>

#include "db/internal.h"

static void misfit(struct text *out, const struct sql *sql, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static void misfit(struct text *out, const struct sql *sql, const char *fmt, ...)
{
        va_list args;
        char why[512];

        va_start(args, fmt);
        vsnprintf(why, sizeof why, fmt, args);
        va_end(args);
        text_printf(out, "\n%s: %s", sql->name, why);
}

static void check_columns(struct text *out, const struct sql *sql, const PGresult *described)
{
        int columns = PQnfields(described);

        if ((sql->out != NULL) != (columns > 0)) {
                misfit(out, sql, columns > 0 ? "returns rows that nobody takes" : "returns no rows");
                return;
        }
        for (int i = 0; i < columns; i++) {
                const char *name = PQfname(described, i);
                size_t offset;
                const struct field *field = shape_path(sql->out, name, strlen(name), &offset);
                if (field == NULL)
                        misfit(out, sql, "the shape %s has no field %s", sql->out->name, name);
                else if (wire_oid(field->wire) != PQftype(described, i))
                        misfit(out, sql, "the column %s has type %u, the field %u", name,
                               PQftype(described, i), wire_oid(field->wire));
        }
}

/* Describe one statement by preparing it outside the pipeline under a name of its own. */
static void check_statement(struct ctx *c, const struct sql *sql, struct text *out)
{
        const struct sql_plan *plan = sql->plan;
        Oid types[SQL_PARAMS_MAX];

        /* A connection knows its prepared statements by name: a second one of a name would fail now and then.
         */
        for (const struct sql *other = sql->next; other != NULL; other = other->next)
                if (strcmp(other->name, sql->name) == 0)
                        misfit(out, sql, "two statements have this name");
        if (plan->fault != NULL) {
                misfit(out, sql, "%s", plan->fault);
                return;
        }
        for (int i = 0; i < plan->count; i++)
                types[i] = param_oid(sql, i);
        PGresult *prepared = PQprepare(c->db->conn, "", plan->text, plan->count, types);
        if (PQresultStatus(prepared) != PGRES_COMMAND_OK) {
                misfit(out, sql, "%s", PQresultErrorMessage(prepared));
        } else {
                PGresult *described = PQdescribePrepared(c->db->conn, "");
                check_columns(out, sql, described);
                PQclear(described);
        }
        PQclear(prepared);
}

enum err sql_check_all(struct ctx *c)
{
        struct text misfits = {0};
        enum err err = ERR_OK;

        PQexitPipelineMode(c->db->conn);
        for (const struct sql *sql = sql_first(); sql != NULL; sql = sql->next)
                check_statement(c, sql, &misfits);
        if (!PQenterPipelineMode(c->db->conn))
                err = connection_lost(c);
        else if (misfits.len > 0)
                err = fail(c, ERR_INTERNAL, "These statements do not fit the schema:%s", misfits.data);
        text_free(&misfits);
        return err;
}
