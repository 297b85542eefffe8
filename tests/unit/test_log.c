#include "test.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/log.h"

/* Everything that was written to the log since the last call, at most size - 1 bytes. */
static int pipe_fds[2] = {-1, -1};

static void log_open(void)
{
        if (pipe_fds[0] >= 0)
                return;
        if (pipe2(pipe_fds, O_NONBLOCK) != 0)
                abort();
        log_set_fd(pipe_fds[1]);
}

static size_t log_read(char *ret, size_t size)
{
        ssize_t len = read(pipe_fds[0], ret, size - 1);

        ret[len > 0 ? len : 0] = '\0';
        return len > 0 ? (size_t)len : 0;
}

TEST(log_line_is_one_json_object_with_its_fields_in_order)
{
        char line[8192];
        json_error_t error;

        log_open();
        LOG(LOG_LEVEL_INFO, "request", LOG_S("request_id", "r-1"), LOG_I("status", 201),
            LOG_S("key_id", NULL), LOG_I("least", INT64_MIN));
        size_t len = log_read(line, sizeof line);
        EXPECT(len > 0 && line[len - 1] == '\n' && strchr(line, '\n') == line + len - 1);
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        EXPECT(json != NULL);
        EXPECT_TEXT(json_string_value(json_object_get(json, "level")), "info");
        EXPECT_TEXT(json_string_value(json_object_get(json, "event")), "request");
        EXPECT_TEXT(json_string_value(json_object_get(json, "request_id")), "r-1");
        EXPECT_INT(json_integer_value(json_object_get(json, "status")), 201);
        EXPECT(json_integer_value(json_object_get(json, "least")) == INT64_MIN);
        EXPECT(json_object_get(json, "key_id") == NULL);
        EXPECT(strlen(json_string_value(json_object_get(json, "at"))) >= strlen("2026-11-01T10:00:00Z"));
        json_decref(json);
}

TEST(log_line_without_fields_is_complete)
{
        char line[8192];

        log_open();
        LOG(LOG_LEVEL_ERROR, "alone");
        log_read(line, sizeof line);
        EXPECT(strstr(line, "\"event\":\"alone\"}\n") != NULL);
}

TEST(log_hostile_text_stays_one_valid_line)
{
        char line[8192], text[256];
        json_error_t error;

        log_open();
        for (int round = 0; round < 500; round++) {
                size_t len = (size_t)test_between(0, sizeof text - 1);
                for (size_t i = 0; i < len; i++)
                        text[i] = (char)test_between(1, 255);
                text[len] = '\0';
                LOG(LOG_LEVEL_INFO, "x", LOG_S("text", text));
                size_t line_len = log_read(line, sizeof line);
                EXPECT(line_len > 0 && strchr(line, '\n') == line + line_len - 1);
                json_t *json = json_loads(line, 0, &error);
                EXPECT(json != NULL);
                json_decref(json);
        }
}

TEST(log_text_beyond_the_line_is_cut_and_the_line_stays_valid)
{
        char line[8192];
        json_error_t error;
        static char text[10000];

        log_open();
        for (int pad = 0; pad < 8; pad++) {
                memset(text, 'a', (size_t)pad);
                for (size_t i = (size_t)pad; i + 3 < sizeof text; i += 3)
                        memcpy(text + i, "\xE7\x8E\x8B", 3);
                LOG(LOG_LEVEL_INFO, "x", LOG_S("text", text), LOG_I("lost", 1));
                size_t len = log_read(line, sizeof line);
                EXPECT(len > 4000 && len <= 4096);
                json_t *json = json_loads(line, 0, &error);
                EXPECT(json != NULL && json_object_get(json, "lost") == NULL);
                json_decref(json);
        }
}

TEST(log_below_the_level_writes_nothing)
{
        char line[8192];

        log_open();
        LOG(LOG_LEVEL_DEBUG, "quiet");
        EXPECT_INT(log_read(line, sizeof line), 0);
        log_set_level(LOG_LEVEL_DEBUG);
        LOG(LOG_LEVEL_DEBUG, "loud");
        EXPECT(log_read(line, sizeof line) > 0);
        log_set_level(LOG_LEVEL_INFO);
}

TEST_MAIN
