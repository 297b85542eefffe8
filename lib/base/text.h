/* Text: a growing byte buffer on the heap, for answers, SQL and binary parameters. */
#pragma once

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
        char *data; /* NUL-terminated once anything was appended; NULL before */
        size_t len, size;
};

void text_free(struct text *text);
void text_clear(struct text *text);
/* Make room for more bytes and a NUL behind the text; text_reserve does when there is none. */
void text_grow(struct text *text, size_t more);

/* Here, because JSON is written in pieces of some bytes. */
static inline void text_reserve(struct text *text, size_t more)
{
        if (text->len + more + 1 > text->size) /* room for the NUL */
                text_grow(text, more);
}

static inline void text_append(struct text *text, const void *data, size_t len)
{
        text_reserve(text, len);
        assert(text->data != NULL);
        if (len > 0)
                memcpy(text->data + text->len, data, len);
        text->len += len;
        text->data[text->len] = '\0';
}

static inline void text_puts(struct text *text, const char *string)
{
        text_append(text, string, strlen(string));
}

static inline void text_putc(struct text *text, char c)
{
        text_append(text, &c, 1);
}

void text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_put_int(struct text *text, int64_t value);
/* A JSON string with quotes; escapes what RFC 8259 asks for. The input must be valid UTF-8. */
void text_put_json(struct text *text, const char *string);

/* Hand the bytes over: the caller frees the result with free(). */
char *text_take(struct text *text, size_t *ret_len);

/* Length in Unicode characters of valid UTF-8. */
size_t text_chars(const char *utf8);

/* Bytes of the character that the text begins with, 0 when it is not well-formed UTF-8 (RFC 3629). */
size_t text_utf8_len(const char *text);
