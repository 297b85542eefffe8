/* patron key: make, list and end the keys of the API. */
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "commands/command.h"

enum { OPTION_NAME, OPTION_SCOPES, OPTION_EXPIRES };

static struct command_option options[] = {
        [OPTION_NAME] = {.name = "name", .value_name = "TEXT", .help = "create: what the key is for."},
        [OPTION_SCOPES] =
                {.name = "scopes",
                 .value_name = "LIST",
                 .help = "create: scopes with commas between them, such as orders:write,customers:read; or admin."},
        [OPTION_EXPIRES] =
                {.name = "expires",
                 .value_name = "TIME",
                 .help = "create: when it ends, such as 2027-01-01T00:00:00Z; never when not given."},
};

static int create_misused(void)
{
        fputs("The scopes are:\n", stderr);
        for (unsigned i = 0; i < SCOPE_COUNT_; i++)
                fprintf(stderr, "  %-16s %s\n", scope_infos[i].name, scope_infos[i].doc);
        return process_misused("A new key needs --name and --scopes, the latter from the list above.");
}

/* The names in a list with commas or spaces between them. */
static struct texts split(struct arena *arena, const char *list)
{
        static const char separators[] = " ,";
        struct texts words = {.v = ARENA_ARRAY(arena, strlen(list) / 2 + 1, const char *)};

        for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
                size_t len = strcspn(list, separators);
                words.v[words.n++] = arena_strndup(arena, list, len);
                list += len;
        }
        return words;
}

static int create(struct process *p)
{
        const char *expires = options[OPTION_EXPIRES].value;
        struct key_made made;
        struct key_new key = {.name = options[OPTION_NAME].value};

        if (key.name == NULL || options[OPTION_SCOPES].value == NULL ||
            scopes_parse(options[OPTION_SCOPES].value) == 0)
                return create_misused();
        if (expires != NULL && !instant_parse(expires, &key.expires_at))
                return process_misused("--expires must be a time such as 2027-01-01T00:00:00Z.");
        key.scopes = split(p->arena, options[OPTION_SCOPES].value);
        if (process_open(p) != ERR_OK)
                return process_failed(p);
        p->c.operation = "patron key create";
        if (key_create(&p->c, &key, &made) != ERR_OK)
                return process_failed(p);
        puts(made.key);
        return EXIT_SUCCESS;
}

static void print_key(const struct key_info *key)
{
        char created[INSTANT_TEXT_SIZE], ended[INSTANT_TEXT_SIZE] = "";
        const char *state = "good";

        instant_format(key->created_at, created);
        if (instant_known(key->revoked_at)) {
                state = "revoked ";
                instant_format(key->revoked_at, ended);
        } else if (instant_known(key->expires_at)) {
                state = "until ";
                instant_format(key->expires_at, ended);
        }
        printf("%s  created %s  %s%s  %s  ", key->id, created, state, ended, key->name);
        for (size_t i = 0; i < key->scopes.n; i++)
                printf("%s%s", i == 0 ? "" : ",", key->scopes.v[i]);
        putchar('\n');
}

static int list(struct process *p)
{
        struct list keys;

        if (process_open(p) != ERR_OK ||
            key_list(&p->c, &(struct key_page){.limit = INT64_MAX}, &keys) != ERR_OK)
                return process_failed(p);
        for (size_t i = 0; i < keys.n; i++)
                print_key((const struct key_info *)keys.v + i);
        return EXIT_SUCCESS;
}

static int revoke(struct process *p, const char *id)
{
        if (process_open(p) != ERR_OK)
                return process_failed(p);
        p->c.operation = "patron key revoke";
        if (key_revoke(&p->c, id) != ERR_OK)
                return process_failed(p);
        return EXIT_SUCCESS;
}

static int key_run(struct process *p)
{
        const char *verb = p->line.word_count > 0 ? p->line.words[0] : "";

        if (strcmp(verb, "create") == 0 && p->line.word_count == 1)
                return create(p);
        if (strcmp(verb, "list") == 0 && p->line.word_count == 1)
                return list(p);
        if (strcmp(verb, "revoke") == 0 && p->line.word_count == 2)
                return revoke(p, p->line.words[1]);
        return process_misused("Say patron key create, patron key list or patron key revoke ID.");
}

const struct command key_command = {
        .name = "key",
        .usage = "create --name TEXT --scopes LIST [--expires TIME] | list | revoke ID",
        .help = "Make, list or end keys of the API. A new key is printed once and never again.",
        .options = options,
        .option_count = ARRAY_SIZE(options),
        .takes_words = true,
        .run = key_run,
};
