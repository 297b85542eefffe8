#include "config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "access/installation.h"
#include "base/err.h"
#include "base/log.h"
#include "customers/behaviour.h"

enum setting_type { SETTING_TEXT, SETTING_INT, SETTING_BOOL, SETTING_LOG_LEVEL };

struct setting {
        const char *name;
        enum setting_type type;
        size_t offset;
        const char *dflt; /* NULL: none, the member stays NULL */
        int64_t min, max;
        const char *help;
};

#define AT(member_) offsetof(struct config, member_)

static const struct setting settings[] = {
        {"database_url", SETTING_TEXT, AT(database_url), "postgresql:///patron", 0, 0,
         "Where the data lives: a libpq URI or \"host=... dbname=...\". Not shown in any output."},
        {"listen", SETTING_TEXT, AT(listen), "127.0.0.1:8080", 0, 0,
         "Numeric address and port of the API; IPv6 in brackets; port 0 takes any free one."},
        {"currency", SETTING_TEXT, AT(currency), NULL, 0, 0,
         "ISO 4217 code of the shop's currency. Recorded at the first start (" INSTALLATION_CURRENCY
         " when not set); later it must match."},
        {"zone", SETTING_TEXT, AT(zone), NULL, 0, 0,
         "IANA time zone that decides days, birthdays and cycles. Recorded at the first start (" INSTALLATION_ZONE
         " when not set); later it must match."},
        {"migrate", SETTING_BOOL, AT(migrate), "true", 0, 0, "Bring the schema up to date at start."},
        {"log_level", SETTING_LOG_LEVEL, AT(log_level), "info", 0, 0, "debug, info, warning or error."},
        {"test_clock", SETTING_BOOL, AT(test_clock), "false", 0, 0,
         "Let POST /v1/test/clock set the time. For tests only."},
        {"cors_origins", SETTING_TEXT, AT(cors_origins), NULL, 0, 0,
         "Sites whose pages may call from a browser: exact origins such as https://shop.example with commas between "
         "them, or * for all. None when not set."},
        {"connection_limit", SETTING_INT, AT(connection_limit), "1024", 1, 60000,
         "Open client connections at most; further ones wait until one ends."},
        {"body_limit_bytes", SETTING_INT, AT(body_limit_bytes), "1048576", 1024, 67108864,
         "Size of one request body at most."},
        {"idle_timeout_seconds", SETTING_INT, AT(idle_timeout_seconds), "60", 1, 3600,
         "A connection without traffic is closed after this long."},
        {"request_deadline_ms", SETTING_INT, AT(request_deadline_ms), "10000", 100, 600000,
         "A request that has waited this long is answered 503 instead of begun."},
        {"statement_timeout_ms", SETTING_INT, AT(statement_timeout_ms), "8000", 100, 600000,
         "Time for one database statement of an ordinary request or an order."},
        {"report_timeout_ms", SETTING_INT, AT(report_timeout_ms), "60000", 100, 3600000,
         "Time for one database statement of a report."},
        {"api_workers", SETTING_INT, AT(api_workers), "4", 1, 64,
         "Threads, each with a database connection, for ordinary requests."},
        {"order_workers", SETTING_INT, AT(order_workers), "2", 1, 64,
         "The same for orders; two saturate two cores of PostgreSQL."},
        {"report_workers", SETTING_INT, AT(report_workers), "1", 1, 16, "The same for reports."},
        {"bulk_workers", SETTING_INT, AT(bulk_workers), "8", 1, 64,
         "The same for uploads, exports and watchers of jobs; each is busy with one as long as it lasts."},
        {"job_workers", SETTING_INT, AT(job_workers), "3", 1, 16,
         "Connections that one import is spread over while it is applied; they wait for the disk by turns."},
        {"queue_limit", SETTING_INT, AT(queue_limit), "1024", 1, 100000,
         "Requests that may wait for one worker's queue; further ones are answered 503 at once."},
        {"behaviour_months", SETTING_INT, AT(behaviour_months), "25", 1, BEHAVIOUR_MONTHS_MAX,
         "What customers did in the shop is forgotten after this many months, a month at a time."},
        {"drain_seconds", SETTING_INT, AT(drain_seconds), "30", 0, 3600,
         "How long a stopping server may take to finish what it has accepted."},
};

#define SETTING_COUNT ARRAY_SIZE(settings)
#define PREFIX        "PATRON_"
#define NAME_MAX_     64 /* longer than any name: a longer one is unknown */

/* What is being read, for the messages. */
struct reading {
        struct arena *arena;
        struct config *config;
        const char *why;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reading *r, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        r->why = arena_vprintf(r->arena, fmt, args);
        va_end(args);
        return false;
}

/* ------------------------------------------------------------------ names */

/* Do the names agree, - and _ and the cases being the same? */
static bool same_name(const char *a, const char *b, size_t b_len)
{
        if (strlen(a) != b_len)
                return false;
        for (size_t i = 0; i < b_len; i++) {
                char x = b[i] == '-' ? '_' : (char)tolower((unsigned char)b[i]);
                if (a[i] != x)
                        return false;
        }
        return true;
}

static const struct setting *setting_find(const char *name, size_t len)
{
        for (size_t i = 0; i < SETTING_COUNT; i++)
                if (same_name(settings[i].name, name, len))
                        return &settings[i];
        return NULL;
}

/* Levenshtein's distance over one row; names longer than NAME_MAX_ are far from everything. */
static size_t distance(const char *a, const char *b)
{
        size_t row[NAME_MAX_ + 1], n = strlen(b);

        if (n > NAME_MAX_)
                return SIZE_MAX;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1] != '\0'; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t change = diagonal + (a[i - 1] != b[j - 1]);
                        size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
                        diagonal = row[j];
                        row[j] = change < shift ? change : shift;
                }
        }
        return row[n];
}

const char *closest_name(const char *name, const char *const *names, size_t n)
{
        const size_t slips_max = 2;
        const char *best = NULL;
        size_t best_distance = slips_max + 1;

        for (size_t i = 0; i < n; i++) {
                size_t d = distance(names[i], name);
                if (d < best_distance && d < strlen(names[i]) / 2 + 1) {
                        best_distance = d;
                        best = names[i];
                }
        }
        return best;
}

/* The setting or option that was probably meant, or NULL. */
static const char *meant(struct arena *arena, const char *name, size_t len, const struct command_line *line)
{
        size_t n = 0, own = line != NULL ? line->option_count : 0;
        const char **names = ARENA_ARRAY(arena, SETTING_COUNT + own, const char *);
        char *plain = arena_strndup(arena, name, len);

        for (char *p = plain; *p != '\0'; p++)
                *p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
        for (size_t i = 0; i < SETTING_COUNT; i++)
                names[n++] = settings[i].name;
        for (size_t i = 0; i < own; i++)
                /* cppcheck-suppress nullPointer -- without a line, own is 0 */
                names[n++] = line->options[i].name;
        return closest_name(plain, names, n);
}

/* ------------------------------------------------------------------ values */

static bool set_int(struct reading *r, const struct setting *setting, const char *value, int64_t *ret)
{
        char *end;

        errno = 0;
        long long number = strtoll(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0' || number < setting->min || number > setting->max)
                return refuse(r, "%s must be an integer from %" PRId64 " to %" PRId64 ", not \"%s\".",
                              setting->name, setting->min, setting->max, value);
        *ret = number;
        return true;
}

static bool set_bool(struct reading *r, const struct setting *setting, const char *value, bool *ret)
{
        bool yes = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

        if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
                return refuse(r, "%s must be true or false, not \"%s\".", setting->name, value);
        *ret = yes;
        return true;
}

static bool set_log_level(struct reading *r, const struct setting *setting, const char *value, unsigned *ret)
{
        for (unsigned i = 0; i < LOG_LEVEL_COUNT_; i++)
                if (strcmp(log_level_names[i], value) == 0) {
                        *ret = i;
                        return true;
                }
        return refuse(r, "%s must be debug, info, warning or error, not \"%s\".", setting->name, value);
}

static bool set(struct reading *r, const struct setting *setting, const char *value)
{
        void *at = (char *)r->config + setting->offset;

        switch (setting->type) {
        case SETTING_INT:
                return set_int(r, setting, value, at);
        case SETTING_BOOL:
                return set_bool(r, setting, value, at);
        case SETTING_LOG_LEVEL:
                return set_log_level(r, setting, value, at);
        case SETTING_TEXT:
                break;
        }
        if (*value == '\0')
                return refuse(r, "%s must not be empty.", setting->name);
        *(const char **)at = arena_strdup(r->arena, value);
        return true;
}

bool listen_parse(struct arena *arena, const char *listen, const char **ret_host, int64_t *ret_port)
{
        const char *colon = strrchr(listen, ':');
        char *end;

        if (colon == NULL || colon == listen || !isdigit((unsigned char)colon[1]))
                return false;
        long port = strtol(colon + 1, &end, 10);
        if (*end != '\0' || port > UINT16_MAX)
                return false;
        size_t len = (size_t)(colon - listen);
        bool brackets = listen[0] == '[' && listen[len - 1] == ']' && len > 2;
        if (!brackets && strcspn(listen, "[]:") < len)
                return false; /* an IPv6 address wants brackets, others have none */
        *ret_host = brackets ? arena_strndup(arena, listen + 1, len - 2) : arena_strndup(arena, listen, len);
        *ret_port = port;
        return true;
}

/* ------------------------------------------------------------------ sources */

static bool read_defaults(struct reading *r)
{
        for (size_t i = 0; i < SETTING_COUNT; i++)
                if (settings[i].dflt != NULL && !set(r, &settings[i], settings[i].dflt))
                        return false;
        return true;
}

static char *trim(char *text)
{
        text += strspn(text, " \t");
        size_t len = strlen(text);
        while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
                len--;
        text[len] = '\0';
        return text;
}

static bool read_line(struct reading *r, const char *path, int number, char *line)
{
        char *name = trim(line);

        if (*name == '\0' || *name == '#')
                return true;
        char *equals = strchr(name, '=');
        if (equals == NULL)
                return refuse(r, "%s, line %d: a setting is written as name = value.", path, number);
        *equals = '\0';
        name = trim(name);
        const struct setting *setting = setting_find(name, strlen(name));
        if (setting == NULL) {
                const char *guess = meant(r->arena, name, strlen(name), /* line= */ NULL);
                return guess != NULL ? refuse(r, "%s, line %d: there is no setting %s; did you mean %s?",
                                              path, number, name, guess)
                                     : refuse(r, "%s, line %d: there is no setting %s.", path, number, name);
        }
        if (!set(r, setting, trim(equals + 1)))
                return refuse(r, "%s, line %d: %s", path, number, r->why);
        return true;
}

static bool read_file(struct reading *r, const char *path)
{
        char *line = NULL;
        size_t size = 0;
        bool ok = true;
        FILE *file = fopen(path, "re");

        if (file == NULL)
                return refuse(r, "The settings file %s can't be read: %s.", path, strerror(errno));
        for (int number = 1; ok && getline(&line, &size, file) >= 0; number++)
                ok = read_line(r, path, number, line);
        free(line);
        fclose(file);
        return ok;
}

/* Of the names that are no settings only near misses are refused: others may be for the tools beside the
 * server, or come from an orchestrator that announces services this way. */
static bool read_environment(struct reading *r, char **env)
{
        for (; *env != NULL; env++) {
                const char *name = *env + strlen(PREFIX), *equals = strchr(*env, '=');
                if (strncmp(*env, PREFIX, strlen(PREFIX)) != 0 || equals == NULL)
                        continue;
                size_t len = (size_t)(equals - name);
                const struct setting *setting = setting_find(name, len);
                const char *guess = setting == NULL ? meant(r->arena, name, len, /* line= */ NULL) : NULL;
                if (guess != NULL)
                        return refuse(r, "There is no setting %.*s; did you mean %s?", (int)(equals - *env),
                                      *env, guess);
                if (setting != NULL && !set(r, setting, equals + 1))
                        return refuse(r, "%.*s: %s", (int)(equals - *env), *env, r->why);
        }
        return true;
}

/* One "--name" argument: where its value starts, or NULL with r->why set. Moves *argv to the last argument it
 * used. */
static const char *option_value(struct reading *r, char ***argv, size_t *ret_name_len)
{
        const char *name = **argv + 2, *equals = strchr(name, '=');

        *ret_name_len = equals != NULL ? (size_t)(equals - name) : strlen(name);
        if (equals != NULL)
                return equals + 1;
        if ((*argv)[1] == NULL) {
                refuse(r, "%s needs a value.", **argv);
                return NULL;
        }
        return *++*argv;
}

static bool read_option(struct reading *r, char ***argv, struct command_line *line)
{
        const char *argument = **argv, *name = argument + 2;
        size_t len = strcspn(name, "=");
        const struct setting *setting = setting_find(name, len);
        struct command_option *own = NULL;

        for (size_t i = 0; i < line->option_count; i++)
                if (same_name(line->options[i].name, name, len))
                        own = &line->options[i];
        bool is_config = same_name("config", name, len);
        if (setting == NULL && own == NULL && !is_config) {
                const char *guess = meant(r->arena, name, len, line);
                return guess != NULL ? refuse(r, "There is no option --%.*s; did you mean --%s?", (int)len,
                                              name, guess)
                                     : refuse(r, "There is no option --%.*s.", (int)len, name);
        }
        const char *value = option_value(r, argv, &len);
        if (value == NULL)
                return false;
        if (own != NULL)
                own->value = value;
        return setting == NULL || set(r, setting, value);
}

static bool read_arguments(struct reading *r, char **argv, struct command_line *line)
{
        line->word_count = 0;
        for (; *argv != NULL; argv++) {
                if (strncmp(*argv, "--", 2) == 0) {
                        if (!read_option(r, &argv, line))
                                return false;
                } else if (line->word_count == CONFIG_WORDS_MAX) {
                        return refuse(r, "There are too many arguments at \"%s\".", *argv);
                } else {
                        line->words[line->word_count++] = *argv;
                }
        }
        return true;
}

/* The settings file has a lower rank than the rest but is named there, so it is looked for first. */
static const char *file_named(char **argv, char **env)
{
        static const char variable[] = PREFIX "CONFIG=", option[] = "--config";
        const char *path = NULL;

        for (; *env != NULL; env++)
                if (strncmp(*env, variable, strlen(variable)) == 0)
                        path = *env + strlen(variable);
        for (; *argv != NULL; argv++) {
                if (strcmp(*argv, option) == 0 && argv[1] != NULL)
                        path = *++argv;
                else if (strncmp(*argv, option, strlen(option)) == 0 && (*argv)[strlen(option)] == '=')
                        path = *argv + sizeof option;
        }
        return path;
}

bool config_read(struct arena *arena, char **argv, char **env, struct command_line *line, struct config *ret,
                 const char **ret_why)
{
        struct config config = {0};
        struct reading r = {.arena = arena, .config = &config};
        const char *path = file_named(argv, env);

        if (!read_defaults(&r) || (path != NULL && !read_file(&r, path)) || !read_environment(&r, env) ||
            !read_arguments(&r, argv, line)) {
                *ret_why = r.why;
                return false;
        }
        if (!listen_parse(arena, config.listen, &config.listen_host, &config.listen_port)) {
                *ret_why = arena_printf(
                        arena, "listen must be an address with a port such as 127.0.0.1:8080, not \"%s\".",
                        config.listen);
                return false;
        }
        *ret = config;
        return true;
}

/* ------------------------------------------------------------------ help */

/* Print words, wrapped and indented. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t width)
{
        size_t column = 0;

        while (*text != '\0') {
                size_t len = strcspn(text, " ");
                if (column == 0 || column + 1 + len > width) {
                        fprintf(out, "%s%*s", column == 0 ? "" : "\n", (int)indent, "");
                        column = indent;
                } else {
                        fputc(' ', out);
                        column++;
                }
                fwrite(text, 1, len, out);
                column += len;
                text += len + strspn(text + len, " ");
        }
        fputc('\n', out);
}

void config_help(FILE *out)
{
        const size_t indent = 6, width = 100;

        fputs("Settings, as --name value, as PATRON_NAME in the environment, or as \"name = value\" in the file that\n"
              "--config FILE (or PATRON_CONFIG) names; the first of these wins:\n\n",
              out);
        for (size_t i = 0; i < SETTING_COUNT; i++) {
                const struct setting *setting = &settings[i];
                fprintf(out, "  --%s", setting->name);
                if (setting->dflt != NULL)
                        fprintf(out, " (%s)", setting->dflt);
                if (setting->type == SETTING_INT)
                        fprintf(out, " [%" PRId64 "..%" PRId64 "]", setting->min, setting->max);
                fputc('\n', out);
                print_wrapped(out, setting->help, indent, width);
        }
}
