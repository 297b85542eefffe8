/* What the user may ask of the program: one struct command each, listed in main.c. */
#pragma once

#include <stdio.h>

#include "base/ctx.h"
#include "config.h"
#include "db/db.h"

/* One run of a command: its settings and, once process_connect was called, its database and its shop. */
struct process {
        struct arena *arena; /* lives as long as the process */
        struct config config;
        struct command_line line;
        struct shop shop;
        struct ctx c;
};

struct command {
        const char *name;  /* the first word */
        const char *usage; /* what follows it */
        const char *help;
        struct command_option *options;
        size_t option_count;
        bool takes_words;              /* beside options and settings */
        int (*run)(struct process *p); /* the exit status */
};

extern const struct command serve_command, migrate_command, key_command, check_command, openapi_command,
        version_command;

/* Connect to the database of the settings. */
enum err process_connect(struct process *p) MUST_CHECK;

/* Connect to a database whose schema is this binary's and whose installation is the one of the settings. */
enum err process_open(struct process *p) MUST_CHECK;

/* Free the connection and what hangs on it. */
void process_close(struct process *p);

/* Tell the user what went wrong; the exit status. */
int process_failed(const struct process *p);

/* Tell the user that the command line is wrong; the exit status. */
int process_misused(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define EXIT_MISUSED 2
