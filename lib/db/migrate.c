#include "db/migrate.h"

#include <sodium.h>

#include "db/statement.h"

/* Any number that no other program on this database takes. */
#define MIGRATION_LOCK "7265174411"

struct migration_row {
        int64_t number;
        const char *name, *checksum;
};
#define SHAPE_T struct migration_row
SHAPE(migration_row, "An applied migration.", FIELD(number), FIELD(name), FIELD(checksum));
#undef SHAPE_T

SQL_MANY(migrations_applied, nothing, migration_row,
         "SELECT number, name, checksum FROM schema_migrations ORDER BY number")
SQL_EXEC(
        migration_record, migration_row,
        "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (:number, :name, :checksum, :now)")

struct migrations_kept {
        bool kept;
};
#define SHAPE_T struct migrations_kept
SHAPE(migrations_kept, "Whether the database has been migrated at all.", FIELD(kept));
#undef SHAPE_T

SQL_ONE(migrations_are_kept, nothing, migrations_kept,
        "SELECT to_regclass('schema_migrations') IS NOT NULL AS kept")

static const char *checksum(struct ctx *c, const char *sql)
{
        unsigned char hash[crypto_generichash_BYTES];
        char *hex = arena_alloc(c->arena, sizeof hash * 2 + 1);

        crypto_generichash(hash, sizeof hash, (const unsigned char *)sql, strlen(sql), NULL, 0);
        return sodium_bin2hex(hex, sizeof hash * 2 + 1, hash, sizeof hash);
}

/* Hold the applied rows against the files: a changed file and an unknown number are errors. */
static enum err compare(struct ctx *c, const struct list *applied)
{
        const struct migration_row *rows = applied->v;

        for (size_t i = 0; i < applied->n; i++) {
                if (i >= migration_count || rows[i].number != migrations[i].number)
                        return fail(
                                c, ERR_INTERNAL,
                                "The database has migration %04d_%s, which this program does not know: it is older "
                                "than the database.",
                                (int)rows[i].number, rows[i].name);
                if (strcmp(rows[i].checksum, checksum(c, migrations[i].sql)) != 0)
                        return fail(
                                c, ERR_INTERNAL,
                                "Migration %04d_%s was changed after it had been applied. Put the file back; "
                                "changes go into a new migration.",
                                (int)rows[i].number, rows[i].name);
        }
        return ERR_OK;
}

static enum err apply(struct ctx *c, const struct migration *migration)
{
        TX(tx);
        struct migration_row row = {.number = migration->number,
                                    .name = migration->name,
                                    .checksum = checksum(c, migration->sql)};

        TRY(tx_begin(c, &tx));
        enum err err = db_script(c, migration->sql);
        if (err != ERR_OK)
                return fail(c, err, "Migration %04d_%s failed: %s", migration->number, migration->name,
                            c->problem.cause != NULL ? c->problem.cause : "");
        TRY(migration_record(c, &row));
        return tx_commit(&tx);
}

static enum err up_locked(struct ctx *c, int *ret_applied)
{
        struct list applied;
        int count = 0;

        TRY(db_script(c, "CREATE TABLE IF NOT EXISTS schema_migrations ("
                         " number bigint CONSTRAINT schema_migrations_pkey PRIMARY KEY,"
                         " name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL)"));
        TRY(migrations_applied(c, &(struct nothing){0}, &applied));
        TRY(compare(c, &applied));
        for (size_t i = applied.n; i < migration_count; i++, count++)
                TRY(apply(c, &migrations[i]));
        *ret_applied = count;
        return ERR_OK;
}

enum err migrate_up(struct ctx *c, int *ret_applied)
{
        TRY(db_script(c, "SELECT pg_advisory_lock(" MIGRATION_LOCK ")"));
        enum err err = up_locked(c, ret_applied);
        enum err unlocked = db_script(c, "SELECT pg_advisory_unlock(" MIGRATION_LOCK ")");
        return err != ERR_OK ? err : unlocked;
}

enum err migrate_check(struct ctx *c)
{
        struct migrations_kept schema;
        struct list applied;

        TRY(migrations_are_kept(c, &(struct nothing){0}, &schema));
        if (!schema.kept)
                return fail(c, ERR_INTERNAL, "The database is empty. Set it up with: patron migrate");
        TRY(migrations_applied(c, &(struct nothing){0}, &applied));
        TRY(compare(c, &applied));
        if (applied.n < migration_count)
                return fail(c, ERR_INTERNAL,
                            "Migration %04d_%s has not been applied. Apply it with: patron migrate",
                            migrations[applied.n].number, migrations[applied.n].name);
        return ERR_OK;
}
