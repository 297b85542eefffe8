#include "base/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/text.h"

const char *const log_level_names[LOG_LEVEL_COUNT_] = {
        [LOG_LEVEL_DEBUG] = "debug",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_ERROR] = "error",
};

static atomic_int log_level = LOG_LEVEL_INFO;
static atomic_int log_fd = STDERR_FILENO;

#define LINE_SIZE  4096 /* PIPE_BUF: a write of this size to a pipe is never torn apart */
#define LINE_TAIL  8    /* room kept for the end of a cut text and of the line: "..." and "}\n */
#define FIELD_ROOM 32   /* what a field takes beside its name and its text: quotes, colon, an integer */

struct line {
        char data[LINE_SIZE];
        size_t len;
};

static void put(struct line *line, const char *bytes, size_t len)
{
        memcpy(line->data + line->len, bytes, len);
        line->len += len;
}

static void put_string(struct line *line, const char *string)
{
        put(line, string, strlen(string));
}

static void put_text(struct line *line, const char *text)
{
        static const char hex[] = "0123456789abcdef";
        const unsigned char *p = (const unsigned char *)text;

        put(line, "\"", 1);
        while (*p != '\0') {
                size_t len = text_utf8_len((const char *)p);
                if (line->len + sizeof "\\u0000" > LINE_SIZE - LINE_TAIL) {
                        put_string(line, "...");
                        break;
                }
                if (*p < 0x20 || *p == '"' || *p == '\\' || *p == 0x7F)
                        put(line, (char[]){'\\', 'u', '0', '0', hex[*p >> 4], hex[*p & 15]}, 6);
                else if (len == 0)
                        put(line, "?", 1);
                else
                        put(line, (const char *)p, len);
                p += len == 0 ? 1 : len;
        }
        put(line, "\"", 1);
}

static void put_int(struct line *line, int64_t value)
{
        char digits[24];
        int len = snprintf(digits, sizeof digits, "%" PRId64, value);

        put(line, digits, (size_t)len);
}

static void put_field(struct line *line, const struct log_field *field)
{
        size_t name_len = strlen(field->name);

        if (field->is_text && field->text == NULL)
                return;
        if (line->len + name_len + FIELD_ROOM > LINE_SIZE - LINE_TAIL)
                return;
        put(line, ",\"", 2);
        put(line, field->name, name_len);
        put(line, "\":", 2);
        if (field->is_text)
                put_text(line, field->text);
        else
                put_int(line, field->number);
}

static struct instant wall_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (struct instant){now.tv_sec * INSTANT_SECOND + now.tv_nsec / 1000};
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
        struct line line;
        char at[INSTANT_TEXT_SIZE];

        if ((int)level < atomic_load_explicit(&log_level, memory_order_relaxed))
                return;
        line.len = 0;
        instant_format(wall_clock(), at);
        put_string(&line, "{\"at\":\"");
        put_string(&line, at);
        put_string(&line, "\",\"level\":\"");
        put_string(&line, log_level_names[level]);
        put_string(&line, "\",\"event\":");
        put_text(&line, event);
        for (size_t i = 0; i < n; i++)
                put_field(&line, &fields[i]);
        put_string(&line, "}\n");
        ssize_t written = write(atomic_load_explicit(&log_fd, memory_order_relaxed), line.data, line.len);
        (void)written; /* there is no better place to complain */
}

void log_set_level(enum log_level level)
{
        atomic_store(&log_level, (int)level);
}

void log_set_fd(int fd)
{
        atomic_store(&log_fd, fd);
}
