#include "program/programs.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/shape_json.h"
#include "db/statement.h"
#include "program/default.h"

struct program_row {
        int64_t version;
        struct json_text document;
        const char *key_id;
};
#define SHAPE_T struct program_row
SHAPE(program_row, "A stored programme.", FIELD(version), FIELD(document), FIELD(key_id));
#undef SHAPE_T

SQL_OPT(program_newest, nothing, program_row,
        "SELECT version, document, key_id FROM programs ORDER BY version DESC LIMIT 1")
SQL_EXEC(
        program_insert, program_row,
        "INSERT INTO programs (version, document, key_id, created_at) VALUES (:version, :document, :key_id, :now)")
SQL_EXEC(
        program_first, program_row,
        "INSERT INTO programs (version, document, key_id, created_at) VALUES (:version, :document, :key_id, :now) "
        "ON CONFLICT (version) DO NOTHING")
SQL_EXEC(program_changed, nothing, "NOTIFY patron_cache, 'program'")

/* A programme in memory with the arena that it lives in, freed by its last holder. */
struct held {
        struct program program; /* first: a pointer to it is one to its holder */
        struct arena *arena;
        unsigned holders;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct held *current;

/* Take one holder away; call with the lock held. Returns what is to be freed, or NULL. */
static struct held *let_go(struct held *held)
{
        return held != NULL && --held->holders == 0 ? held : NULL;
}

static void held_free(struct held *held)
{
        if (held == NULL)
                return;
        arena_free(held->arena);
        free(held);
}

const struct program *program_acquire(void)
{
        pthread_mutex_lock(&lock);
        assert(current != NULL);
        current->holders++;
        struct held *held = current;
        pthread_mutex_unlock(&lock);
        return &held->program;
}

void program_release(const struct program *program)
{
        pthread_mutex_lock(&lock);
        struct held *gone = let_go((struct held *)program);
        pthread_mutex_unlock(&lock);
        held_free(gone);
}

static void replace(struct held *held)
{
        pthread_mutex_lock(&lock);
        struct held *gone = let_go(current);
        current = held;
        pthread_mutex_unlock(&lock);
        held_free(gone);
}

void program_unload(void)
{
        replace(NULL);
}

/* A stored document to a compiled programme in c's arena. */
static enum err program_read(struct ctx *c, const struct program_row *row, struct program *ret)
{
        json_t *json;
        struct program program = {0};

        TRY(json_parse(c, row->document.text, strlen(row->document.text), &json));
        shape_decode(c, &program_shape, json, &program);
        json_decref(json);
        TRY(problem_check(c));
        program.version = row->version;
        TRY(program_compile(c, &program));
        *ret = program;
        return ERR_OK;
}

static enum err newest(struct ctx *c, struct program_row *ret)
{
        TX(tx);
        bool found;
        struct program_row first = {.version = 1, .document.text = program_default_json};

        TRY(program_newest(c, &(struct nothing){0}, ret, &found));
        if (found)
                return ERR_OK;
        TRY(tx_begin(c, &tx));
        TRY(program_first(c, &first));
        TRY(tx_commit(&tx));
        TRY(program_newest(c, &(struct nothing){0}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_INTERNAL, "The programme could not be stored.");
}

enum err program_load(struct ctx *c)
{
        struct program_row row;
        struct held *held = calloc(1, sizeof *held);

        if (held == NULL)
                abort();
        *held = (struct held){.arena = arena_new(), .holders = 1};
        enum err err = newest(c, &row);
        if (err == ERR_OK) {
                struct ctx own = {.arena = held->arena, .now = c->now, .shop = c->shop};
                err = program_read(&own, &row, &held->program);
                if (err != ERR_OK)
                        fail(c, err, "The stored programme %lld is not valid: %s", (long long)row.version,
                             own.problem.fault_count > 0 ? own.problem.faults[0].detail : own.problem.detail);
                problem_reset(&own);
        }
        if (err != ERR_OK) {
                held_free(held);
                return err;
        }
        replace(held);
        return ERR_OK;
}

enum err program_get(struct ctx *c, struct program *ret)
{
        struct program_row row;

        TRY(newest(c, &row));
        return program_read(c, &row, ret);
}

enum err program_put(struct ctx *c, const struct program *in, int64_t expected_version, struct program *ret)
{
        struct program_row row;
        struct program program = *in, before;
        struct text document = {0};

        TRY(program_compile(c, &program));
        TRY(newest(c, &row));
        if (expected_version != 0 && expected_version != row.version) {
                problem_int(c, "version", row.version);
                return fail(c, ERR_STALE, "The programme is at version %lld, not %lld.",
                            (long long)row.version, (long long)expected_version);
        }
        TRY(program_read(c, &row, &before));
        program.version = row.version + 1;
        shape_encode(&document, &program_shape, &program, /* masked= */ false);
        row = (struct program_row){.version = program.version,
                                   .document.text = arena_strdup(c->arena, document.data),
                                   .key_id = c->principal != NULL ? c->principal->key_id : NULL};
        text_free(&document);
        TRY(program_insert(c, &row));
        TRY(audit_write(c, &(struct audit_change){.subject = "/v1/program",
                                                  .shape = &program_shape,
                                                  .before = &before,
                                                  .after = &program}));
        TRY(program_changed(c, &(struct nothing){0}));
        *ret = program;
        return ERR_OK;
}
