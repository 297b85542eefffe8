#include "jobs/apply.h"

#include "db/db.h"

/* A batch or a line that keeps meeting others is told so, as a single call would be. */
#define RACES_MAX DB_ATTEMPTS_MAX

static void line_reset(struct bulk_line *line)
{
        problem_reset(&line->c);
        line->err = ERR_OK;
        line->status = 0;
}

/* The problem of the whole, where a line has none of its own. */
static void line_blame(struct bulk_line *line, const struct ctx *c, enum err err)
{
        const char *detail = c->problem.detail;

        line->err = err;
        if (line->c.problem.code == err)
                return;
        problem_reset(&line->c);
        (void)fail(&line->c, err, "%s", err == ERR_INTERNAL || detail == NULL ? "" : detail);
        if (err == ERR_INTERNAL || detail == NULL)
                line->c.problem.detail = NULL; /* what failed inside is not for the caller */
}

/* Try the lines as one; what they did is undone when that fails, or when the only line is refused. */
static enum err attempt(struct ctx *c, const struct bulk_type *type, const struct bulk_options *options,
                        struct bulk_line **lines, size_t n)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx own = *c;

        own.arena = arena;
        own.problem = (struct problem){0};
        for (size_t i = 0; i < n; i++)
                line_reset(lines[i]);
        TRY(tx_mark(c));
        enum err err = type->apply(&own, options, lines, n);
        bool refused = err == ERR_OK && n == 1 && lines[0]->err != ERR_OK;
        if (err == ERR_OK && !refused)
                err = tx_keep(&own);
        if (err != ERR_OK && n == 1)
                line_blame(lines[0], &own, err);
        problem_reset(&own);
        if (err == ERR_OK && !refused)
                return ERR_OK;
        bool raced = db_lost_race(c->db);
        TRY(tx_undo(c));
        if (refused)
                return ERR_OK;
        return raced ? ERR_CONFLICT : err;
}

static enum err batch_apply(struct ctx *c, const struct bulk_type *type, const struct bulk_options *options,
                            struct bulk_line **lines, size_t n)
{
        enum err err = ERR_OK;

        for (int races = 0; races < RACES_MAX; races++) {
                err = attempt(c, type, options, lines, n);
                if (err == ERR_OK || err == ERR_DATABASE_AWAY)
                        return err;
                if (!db_lost_race(c->db))
                        break;
                if (options->again) /* what the transaction holds may be what the other one waits for */
                        return ERR_CONFLICT;
        }
        if (n == 1)
                return ERR_OK; /* its own failure */
        TRY(batch_apply(c, type, options, lines, n / 2));
        return batch_apply(c, type, options, lines + n / 2, n - n / 2);
}

enum err lines_apply(struct ctx *c, const struct bulk_type *type, const struct bulk_options *options,
                     struct bulk_line **lines, size_t n)
{
        for (size_t done = 0; done < n;) {
                size_t batch = n - done < type->batch_max ? n - done : type->batch_max;
                TRY(batch_apply(c, type, options, lines + done, batch));
                done += batch;
        }
        return ERR_OK;
}
