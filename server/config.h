/* The settings of the process: one table (config.c) gives name, type, default, limits and help text.
 *
 * A value comes from, later ones winning: the default, the file of --config or PATRON_CONFIG (lines "name =
 * value"), the environment (PATRON_NAME), the command line (--name value or --name=value; - and _ are the
 * same). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

struct config {
        const char *database_url;
        const char *listen_host; /* from `listen` */
        int64_t listen_port;
        const char *listen;
        const char *cors_origins;    /* NULL: none */
        const char *currency, *zone; /* NULL: what the installation has recorded */
        bool migrate, test_clock;
        unsigned log_level; /* enum log_level */
        int64_t connection_limit, body_limit_bytes, idle_timeout_seconds;
        int64_t request_deadline_ms, statement_timeout_ms, report_timeout_ms;
        int64_t api_workers, order_workers, report_workers, bulk_workers, job_workers, queue_limit;
        int64_t behaviour_months;
        int64_t drain_seconds;
};

/* An option of one command, beside the settings. */
struct command_option {
        const char *name, *value_name, *help;
        const char *value; /* set by config_read; NULL when it was not given */
};

#define CONFIG_WORDS_MAX 4 /* no command has more words than "key revoke <id>" and one to complain about */

/* A command line, taken apart. */
struct command_line {
        struct command_option *options; /* the command's own; their values are filled in */
        size_t option_count;
        const char *words[CONFIG_WORDS_MAX]; /* what is no option, in order */
        size_t word_count;
};

/* Read all settings; strings live in the arena or in argv and env. argv[0] is the first argument, argv and
 * env end with NULL. False: *ret_why is a sentence for a person. */
bool config_read(struct arena *arena, char **argv, char **env, struct command_line *line, struct config *ret,
                 const char **ret_why);

/* Print the table of settings for people. */
void config_help(FILE *out);

/* "127.0.0.1:8080", "[::1]:8080" to host and port; false when it is neither. */
bool listen_parse(struct arena *arena, const char *listen, const char **ret_host, int64_t *ret_port);

/* Of several names the one that was probably meant (at most two slips away), or NULL. */
const char *closest_name(const char *name, const char *const *names, size_t n);
