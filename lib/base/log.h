/* The log: one JSON object a line. The process logs; library code returns errors instead. Never log personal
 * data, keys or secrets.
 *
 *         LOG(LOG_LEVEL_INFO, "request", LOG_S("request_id", id), LOG_I("status", 201));
 *
 * writes
 * {"at":"2026-11-01T10:00:00.123456Z","level":"info","event":"request","request_id":"...","status":201}. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVEL_COUNT_ };

/* "debug", "info", "warning", "error". */
extern const char *const log_level_names[LOG_LEVEL_COUNT_];

struct log_field {
        const char *name; /* a plain JSON name: nothing in it is escaped */
        const char *text; /* with is_text; NULL leaves the field out */
        int64_t number;
        bool is_text;
};

/* A text (bytes that are not UTF-8 become "?"; cut where the line would pass 4 KiB) and an integer. */
#define LOG_S(name_, text_)   ((struct log_field){.name = (name_), .text = (text_), .is_text = true})
#define LOG_I(name_, number_) ((struct log_field){.name = (name_), .number = (int64_t)(number_)})

/* Write one line with a single write(2), so lines of several threads never mix. Cheap below the level: one
 * atomic read. Thread-safe; a line that can't be written is lost. */
void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n);

#define LOG(level_, event_, ...)                                                                             \
        log_event((level_), (event_), &((const struct log_field[]){{0}, ##__VA_ARGS__})[1],                  \
                  sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field) - 1)

/* What is below the level is not written; at first LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Where lines go; at first standard error. The descriptor stays the caller's. */
void log_set_fd(int fd);
