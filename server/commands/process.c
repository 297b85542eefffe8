/* What the commands share: the connection, and what is said when something fails. */
#include <stdlib.h>

#include "access/installation.h"
#include "base/clock.h"
#include "commands/command.h"
#include "db/migrate.h"

enum err process_connect(struct process *p)
{
        const struct db_options options = {
                .url = p->config.database_url,
                .application = "patron",
                .statement_timeout_ms = 0, /* migrations and checks take as long as they take */
        };

        p->c = (struct ctx){.arena = p->arena, .now = clock_now(), .db = db_new(&options)};
        if (!db_url_ok(p->config.database_url))
                return fail(
                        &p->c, ERR_INVALID,
                        "database_url is neither a URI such as postgresql://user@host/name nor a string such as "
                        "host=... dbname=...");
        return db_ready(&p->c);
}

enum err process_open(struct process *p)
{
        TRY(process_connect(p));
        TRY(migrate_check(&p->c));
        TRY(installation_open(&p->c, p->config.currency, p->config.zone, &p->shop));
        p->c.shop = &p->shop;
        return ERR_OK;
}

void process_close(struct process *p)
{
        problem_reset(&p->c);
        db_free(p->c.db);
        p->c.db = NULL;
}

int process_failed(const struct process *p)
{
        const struct problem *problem = &p->c.problem;

        fprintf(stderr, "patron: %s\n",
                problem->detail != NULL ? problem->detail : err_info(problem->code)->title);
        for (size_t i = 0; i < problem->fault_count; i++)
                fprintf(stderr, "        %s %s\n", problem->faults[i].pointer, problem->faults[i].detail);
        if (problem->cause != NULL)
                fprintf(stderr, "        %s\n", problem->cause);
        return EXIT_FAILURE;
}

int process_misused(const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        fputs("patron: ", stderr);
        vfprintf(stderr, fmt, args);
        fputs("\nTry: patron --help\n", stderr);
        va_end(args);
        return EXIT_MISUSED;
}
