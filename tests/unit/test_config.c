#include "test.h"

#include <unistd.h>

#include "base/log.h"
#include "config.h"

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})

static struct arena *arena;

/* Read with these arguments and this environment; the reason, or NULL when it went well. */
static const char *read_with(char **argv, char **env, struct config *ret)
{
        struct command_line line = {0};
        const char *why = NULL;

        arena_free(arena);
        arena = arena_new();
        return config_read(arena, argv, env, &line, ret, &why) ? NULL : why;
}

static char *no[] = {NULL};

TEST(config_without_sources_has_the_defaults)
{
        struct config config;

        EXPECT(read_with(no, no, &config) == NULL);
        EXPECT_TEXT(config.listen_host, "127.0.0.1");
        EXPECT_INT(config.listen_port, 8080);
        EXPECT(config.currency == NULL && config.zone == NULL);
        EXPECT(config.migrate && !config.test_clock);
        EXPECT_INT(config.body_limit_bytes, 1 << 20);
        EXPECT_INT(config.log_level, LOG_LEVEL_INFO);
}

TEST(config_arguments_beat_environment_beats_file_beats_default)
{
        struct config config;
        char path[] = "/tmp/patron-config-XXXXXX";
        static const char text[] = "# a shop\n\n api_workers = 7 \norder_workers=8\nreport_workers = 9\r\n";
        int fd = mkstemp(path);

        EXPECT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
        char *argv[] = {"--config", path, "--report-workers=3", NULL};
        char *env[] = {"PATRON_ORDER_WORKERS=4", "PATRON_REPORT_WORKERS=5", "HOME=/", NULL};
        EXPECT(read_with(argv, env, &config) == NULL);
        EXPECT_INT(config.api_workers, 7);
        EXPECT_INT(config.order_workers, 4);
        EXPECT_INT(config.report_workers, 3);
        unlink(path);
}

TEST(config_file_faults_name_file_and_line)
{
        struct config config;
        char path[] = "/tmp/patron-config-XXXXXX";
        static const char text[] = "currency = GBP\nzome = UTC\n";
        int fd = mkstemp(path);
        char variable[64];

        EXPECT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
        snprintf(variable, sizeof variable, "PATRON_CONFIG=%s", path);
        const char *why = read_with(no, ARGV(variable), &config);
        EXPECT(why != NULL && strstr(why, "line 2: there is no setting zome; did you mean zone?") != NULL);
        unlink(path);
        why = read_with(no, ARGV(variable), &config);
        EXPECT(why != NULL && strstr(why, "can't be read") != NULL);
}

TEST(config_unknown_names_are_refused_with_the_closest)
{
        struct config config;

        EXPECT_TEXT(read_with(ARGV("--drain-second", "5"), no, &config),
                    "There is no option --drain-second; did you mean --drain_seconds?");
        EXPECT_TEXT(read_with(ARGV("--nonsense", "5"), no, &config), "There is no option --nonsense.");
        const char *why = read_with(no, ARGV("PATRON_CURENCY=EUR"), &config);
        EXPECT(why != NULL && strstr(why, "did you mean currency?") != NULL);
}

TEST(config_environment_of_others_is_left_alone)
{
        struct config config;

        EXPECT(read_with(
                       no,
                       ARGV("PATRON_DATA=/srv", "PATRON_TEST_DATABASE_URL=x", "PATRON_SERVICE_HOST=10.0.0.1"),
                       &config) == NULL);
}

TEST(config_values_are_checked_by_type_and_limit)
{
        struct config config;
        static const struct {
                char *name, *value;
        } bad[] = {
                {"--api-workers", "0"},    {"--api-workers", "65"},
                {"--api-workers", "four"}, {"--api-workers", "4x"},
                {"--api-workers", ""},     {"--migrate", "yes"},
                {"--log-level", "loud"},   {"--zone", ""},
                {"--listen", "8080"},      {"--listen", ":8080"},
                {"--listen", "::1:8080"},  {"--listen", "h:65536"},
                {"--listen", "[::1]"},     {"--listen", "h:80x"},
                {"--listen", "[]:80"},     {"--queue-limit", "99999999999999999999"},
        };

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                const char *why = read_with(ARGV(bad[i].name, bad[i].value), no, &config);
                EXPECT(why != NULL);
                if (why == NULL)
                        printf("  taken: %s %s\n", bad[i].name, bad[i].value);
        }
        EXPECT_TEXT(read_with(ARGV("--zone"), no, &config), "--zone needs a value.");
}

TEST(config_listen_takes_both_families)
{
        struct config config;

        EXPECT(read_with(ARGV("--listen", "[::1]:9000"), no, &config) == NULL);
        EXPECT_TEXT(config.listen_host, "::1");
        EXPECT_INT(config.listen_port, 9000);
        EXPECT(read_with(ARGV("--listen", "0.0.0.0:0"), no, &config) == NULL);
        EXPECT_TEXT(config.listen_host, "0.0.0.0");
        EXPECT_INT(config.listen_port, 0);
}

TEST(config_commands_get_their_own_options_and_words)
{
        struct config config;
        struct command_option options[] = {{.name = "name"}, {.name = "scopes"}};
        struct command_line line = {.options = options, .option_count = 2};
        const char *why = NULL;

        arena_free(arena);
        arena = arena_new();
        EXPECT(config_read(arena, ARGV("create", "--name", "till", "--listen", "h:1", "--scopes=a,b", "x"),
                           no, &line, &config, &why));
        EXPECT_INT(line.word_count, 2);
        EXPECT_TEXT(line.words[0], "create");
        EXPECT_TEXT(line.words[1], "x");
        EXPECT_TEXT(options[0].value, "till");
        EXPECT_TEXT(options[1].value, "a,b");
        EXPECT(!config_read(arena, ARGV("1", "2", "3", "4", "5"), no, &line, &config, &why));
        EXPECT_TEXT(why, "There are too many arguments at \"5\".");
        arena_free(arena);
        arena = NULL;
}

TEST(config_help_names_every_setting_and_no_value_of_the_environment)
{
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);

        config_help(out);
        fclose(out);
        EXPECT(strstr(text, "--database_url") != NULL &&
               strstr(text, "--drain_seconds (30) [0..3600]") != NULL);
        free(text);
}

TEST_MAIN
