/* The commands that fit on one screen: migrate, check, openapi, version. */
#include <stdlib.h>

#include "check/check.h"
#include "commands/command.h"
#include "db/migrate.h"
#include "http/openapi.h"

static int migrate_run(struct process *p)
{
        int applied;

        if (process_connect(p) != ERR_OK || migrate_up(&p->c, &applied) != ERR_OK)
                return process_failed(p);
        printf("%d migration%s applied, %zu in all.\n", applied, applied == 1 ? "" : "s", migration_count);
        return EXIT_SUCCESS;
}

const struct command migrate_command = {.name = "migrate",
                                        .usage = "",
                                        .help = "Bring the schema of the database up to date.",
                                        .run = migrate_run};

static int check_run_command(struct process *p)
{
        bool ok;

        if (process_open(p) != ERR_OK || check_run(&p->c, stdout, &ok) != ERR_OK)
                return process_failed(p);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command check_command = {.name = "check",
                                      .usage = "",
                                      .help = "Prove every balance and the schema; fails when one is wrong.",
                                      .run = check_run_command};

static int openapi_run(struct process *p)
{
        size_t len;
        const char *document = openapi_document(&len);

        (void)p;
        bool written = fwrite(document, 1, len, stdout) == len && fflush(stdout) == 0;
        return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command openapi_command = {.name = "openapi",
                                        .usage = "",
                                        .help = "Print the OpenAPI document; needs no database.",
                                        .run = openapi_run};

static int version_run(struct process *p)
{
        (void)p;
        puts("patron " PATRON_VERSION);
        return EXIT_SUCCESS;
}

const struct command version_command = {
        .name = "version", .usage = "", .help = "Print the version.", .run = version_run};
