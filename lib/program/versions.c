#include "program/versions.h"

#include <string.h>

#include "audit/audit.h"
#include "base/json.h"
#include "base/shape_json.h"
#include "db/page.h"
#include "program/default.h"
#include "program/silence.h"

#define SHAPE_T struct program_version
SHAPE(program_version, "A stored version of the programme.", FIELD(version, .need = true),
      FIELD(created_at, .need = true),
      FIELD(key_id, .doc = "Whose key stored it; null: the installation, or the command line."),
      FIELD(note, .doc = "Why it was stored."),
      FIELD(restored_version,
            .doc = "The earlier version that it brought back; null: a document of its own."));
#undef SHAPE_T

#define SHAPE_T struct program_versions_page
SHAPE(program_versions_page, "A position.", FIELD(before_version), FIELD(limit));
#undef SHAPE_T

struct program_row {
        int64_t version;
        struct json_text document;
        const char *key_id, *note;
        struct opt_int restored_version;
        struct instant silent_from;
};
#define SHAPE_T struct program_row
SHAPE(program_row, "A stored programme.", FIELD(version), FIELD(document), FIELD(key_id), FIELD(note),
      FIELD(restored_version), FIELD(silent_from));
#undef SHAPE_T

#define COLUMNS "version, document, key_id, note, restored_version, silent_from"

SQL_OPT(row_newest, nothing, program_row, "SELECT " COLUMNS " FROM programs ORDER BY version DESC LIMIT 1")
SQL_OPT(row_at, program_version, program_row,
        "SELECT " COLUMNS
        " FROM programs WHERE created_at <= :created_at OR version = 1 ORDER BY version DESC LIMIT 1")
SQL_OPT(row_of, program_row, program_row, "SELECT " COLUMNS " FROM programs WHERE version = :version")
SQL_EXEC(row_insert, program_row,
         "INSERT INTO programs (" COLUMNS ", created_at) "
         "VALUES (:version, :document, :key_id, :note, :restored_version, :silent_from, :now)")
SQL_EXEC(row_first, program_row,
         "INSERT INTO programs (version, document, created_at) VALUES (:version, :document, :now) "
         "ON CONFLICT (version) DO NOTHING")
SQL_PAGE(versions_before, program_versions_page, program_version,
         "version, created_at, key_id, note, restored_version", "programs WHERE true",
         "AND (:before_version = 0 OR version < :before_version) ORDER BY version DESC")
SQL_EXEC(program_changed, nothing, "NOTIFY patron_cache, 'program'")

/* A stored document to a compiled programme in c's arena. */
static enum err row_read(struct ctx *c, const struct program_row *row, struct program *ret)
{
        json_t *json;
        struct program program = {0};

        TRY(json_parse(c, row->document.text, strlen(row->document.text), &json));
        shape_decode(c, &program_shape, json, &program);
        json_decref(json);
        TRY(problem_check(c));
        program.version = row->version;
        program.points.expiry.silent_from = row->silent_from;
        TRY(program_compile_stored(c, &program));
        *ret = program;
        return ERR_OK;
}

static enum err newest(struct ctx *c, struct program_row *ret)
{
        TX(tx);
        bool found;
        struct program_row first = {.version = 1, .document.text = program_default_json};

        TRY(row_newest(c, &(struct nothing){0}, ret, &found));
        if (found)
                return ERR_OK;
        TRY(tx_begin(c, &tx));
        TRY(row_first(c, &first));
        TRY(tx_commit(&tx));
        TRY(row_newest(c, &(struct nothing){0}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_INTERNAL, "The programme could not be stored.");
}

enum err program_newest(struct ctx *c, struct program *ret)
{
        struct program_row row;

        TRY(newest(c, &row));
        return row_read(c, &row, ret);
}

enum err program_at(struct ctx *c, struct instant at, struct program *ret)
{
        struct program_row row;
        bool found;

        TRY(row_at(c, &(struct program_version){.created_at = at}, &row, &found));
        if (!found)
                TRY(newest(c, &row));
        return row_read(c, &row, ret);
}

enum err program_get(struct ctx *c, int64_t version, struct program *ret)
{
        struct program_row row;
        bool found;

        TRY(row_of(c, &(struct program_row){.version = version}, &row, &found));
        if (!found)
                return fail(c, ERR_NOT_FOUND, "There is no version %lld of the programme.",
                            (long long)version);
        return row_read(c, &row, ret);
}

enum err program_versions(struct ctx *c, const struct program_versions_page *page, struct list *ret)
{
        return versions_before(c, page, ret);
}

/* The newest version, when it is the one that the caller has seen. */
static enum err expected(struct ctx *c, int64_t version, struct program *ret)
{
        TRY(program_newest(c, ret));
        if (version == 0 || version == ret->version)
                return ERR_OK;
        problem_int(c, "version", ret->version);
        return fail(c, ERR_STALE, "The programme is at version %lld, not %lld.", (long long)ret->version,
                    (long long)version);
}

/* Store a compiled programme after the newest one. */
static enum err store(struct ctx *c, struct program *program, const struct program_storing *why,
                      struct opt_int restored)
{
        struct program before;
        struct text document = {0};

        TRY(expected(c, why->expected_version, &before));
        program->version = before.version + 1;
        program->points.expiry.silent_from =
                silence_counts_from(&before.points.expiry, &program->points.expiry, c->now);
        shape_encode(&document, &program_shape, program, /* masked= */ false);
        struct program_row row = {.version = program->version,
                                  .document.text = arena_strdup(c->arena, document.data),
                                  .key_id = c->principal != NULL ? c->principal->key_id : NULL,
                                  .note = why->note,
                                  .restored_version = restored,
                                  .silent_from = program->points.expiry.silent_from};
        text_free(&document);
        TRY(row_insert(c, &row));
        TRY(audit_write(c, &(struct audit_change){.subject = "/v1/program",
                                                  .shape = &program_shape,
                                                  .before = &before,
                                                  .after = program}));
        return program_changed(c, &(struct nothing){0});
}

enum err program_put(struct ctx *c, const struct program *in, const struct program_storing *why,
                     struct program *ret)
{
        struct program program = *in;

        TRY(program_compile(c, &program));
        TRY(store(c, &program, why, (struct opt_int){0}));
        *ret = program;
        return ERR_OK;
}

enum err program_restore(struct ctx *c, int64_t version, const struct program_storing *why,
                         struct program *ret)
{
        struct program program;

        TRY(program_get(c, version, &program));
        TRY(program_compile(c, &program)); /* what was right then need not be right now */
        TRY(store(c, &program, why, (struct opt_int){.set = true, .v = version}));
        *ret = program;
        return ERR_OK;
}

enum err program_compare(struct ctx *c, const struct program *in, int64_t *ret_version,
                         struct program_changes *ret)
{
        struct program program = *in, before;

        TRY(program_compile(c, &program));
        TRY(program_newest(c, &before));
        *ret = program_diff(c->arena, &before, &program);
        *ret_version = before.version;
        return ERR_OK;
}
