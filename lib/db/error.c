/* What a failed statement means: by the constraint's name first, then by SQLSTATE. */
#include <stdio.h>
#include <string.h>

#include "db/internal.h"

struct constraint {
        const char *name;
        enum err err; /* ERR_OK: a race */
};

static const struct constraint constraints[] = {
#define CONSTRAINT(name_, err_) {#name_, err_},
#define RACE(name_)             {#name_, ERR_OK},
#include "db/constraints.def"
#undef CONSTRAINT
#undef RACE
};

static bool starts(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum err race(struct ctx *c)
{
        c->db->lost_race = true;
        return fail(c, ERR_CONFLICT, "Another change came between, several times over.");
}

enum err error_from_result(struct ctx *c, const PGresult *result)
{
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
        const char *message = PQresultErrorMessage(result);

        if (PQstatus(c->db->conn) == CONNECTION_BAD || state == NULL)
                return connection_lost(c);
        c->problem.cause = arena_strdup(c->arena, message);
        for (size_t i = 0; constraint != NULL && i < ARRAY_SIZE(constraints); i++) {
                if (strcmp(constraints[i].name, constraint) != 0)
                        continue;
                if (constraints[i].err == ERR_OK)
                        return race(c);
                return fail(c, constraints[i].err, "%s.", err_info(constraints[i].err)->title);
        }
        if (strcmp(state, "40001") == 0 ||
            strcmp(state, "40P01") == 0) /* serialization_failure, deadlock_detected */
                return race(c);
        if (strcmp(state, "57014") == 0) /* query_canceled: statement_timeout */
                return fail(c, ERR_DEADLINE, "The database took longer than one request may.");
        if (starts(state, "57P") || starts(state, "08") ||
            starts(state, "53")) { /* shutdown, connection, resources */
                return fail(c, ERR_DATABASE_AWAY, "The database takes no work at this moment.");
        }
        return fail(c, ERR_INTERNAL, "The database refused a statement; the log says why.");
}

/* One row of the catalogue. */
struct constraint_name {
        const char *name;
};
#define SHAPE_T struct constraint_name
SHAPE(constraint_name, "A constraint of the schema.", FIELD(name));
#undef SHAPE_T

SQL_MANY(constraints_of_schema, nothing, constraint_name,
         "SELECT conname::text AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace")

enum err sql_check_constraints(struct ctx *c)
{
        struct list known;
        struct text missing = {0};

        TRY(constraints_of_schema(c, &(struct nothing){0}, &known));
        for (size_t i = 0; i < ARRAY_SIZE(constraints); i++) {
                bool found = false;
                for (size_t k = 0; k < known.n; k++)
                        found = found ||
                                strcmp(((struct constraint_name *)known.v)[k].name, constraints[i].name) == 0;
                if (!found)
                        text_printf(&missing, " %s", constraints[i].name);
        }
        if (missing.len == 0)
                return ERR_OK;
        enum err err = fail(c, ERR_INTERNAL, "The schema lacks these constraints:%s", missing.data);
        text_free(&missing);
        return err;
}
