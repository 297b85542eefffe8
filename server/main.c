/* patron: the server and the commands around it. */
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "commands/command.h"

static const struct command *const commands[] = {
        &serve_command, &migrate_command, &key_command, &check_command, &openapi_command, &version_command,
};

static void print_options(const struct command *command)
{
        if (command->option_count == 0)
                return;
        fputs("\nOptions:\n\n", stdout);
        for (size_t i = 0; i < command->option_count; i++)
                printf("  --%s %s\n      %s\n", command->options[i].name, command->options[i].value_name,
                       command->options[i].help);
}

static int help(const struct command *command)
{
        if (command != NULL) {
                printf("Usage: patron %s %s\n\n%s\n", command->name, command->usage, command->help);
                print_options(command);
        } else {
                fputs("Patron: customers, orders, points and tiers for online shops.\n\nUsage: patron COMMAND\n\n",
                      stdout);
                for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                        printf("  %-8s %s\n", commands[i]->name, commands[i]->help);
                fputs("\npatron COMMAND --help says more about one of them.\n", stdout);
        }
        fputc('\n', stdout);
        config_help(stdout);
        return EXIT_SUCCESS;
}

static const struct command *command_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i];
        return NULL;
}

static bool is_help(const char *argument)
{
        return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 ||
               strcmp(argument, "help") == 0;
}

static int unknown_command(const char *name)
{
        const char *names[ARRAY_SIZE(commands)];

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                names[i] = commands[i]->name;
        const char *meant = closest_name(name, names, ARRAY_SIZE(names));
        return meant != NULL ? process_misused("There is no command %s; did you mean %s?", name, meant)
                             : process_misused("There is no command %s.", name);
}

static int run(const struct command *command, char **argv)
{
        struct process p = {
                .arena = arena_new(),
                .line = {.options = command->options, .option_count = command->option_count},
        };
        const char *why;
        int status;

        if (!config_read(p.arena, argv, environ, &p.line, &p.config, &why)) {
                status = process_misused("%s", why);
        } else if (p.line.word_count > 0 && !command->takes_words) {
                status = process_misused("patron %s does not know what to do with \"%s\".", command->name,
                                         p.line.words[0]);
        } else {
                log_set_level(p.config.log_level);
                if (p.config.test_clock)
                        clock_test_enable();
                status = command->run(&p);
                process_close(&p);
        }
        arena_free(p.arena);
        return status;
}

int main(int argc, char **argv)
{
        /* Both want to be called before there is a second thread. */
        json_object_seed(0);
        /* A generator of the process's own, seeded by the system: an id costs no system call. */
        randombytes_set_implementation(&randombytes_internal_implementation);
        if (sodium_init() < 0) {
                fputs("patron: the system gives no random numbers\n", stderr);
                return EXIT_FAILURE;
        }
        if (argc < 2)
                return process_misused("What shall it do?");
        const struct command *command = command_find(argv[1]);
        for (int i = 1; i < argc; i++)
                if (is_help(argv[i]))
                        return help(command);
        return command != NULL ? run(command, argv + 2) : unknown_command(argv[1]);
}
