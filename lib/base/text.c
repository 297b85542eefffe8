#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *text)
{
        free(text->data);
        *text = (struct text){0};
}

void text_clear(struct text *text)
{
        text->len = 0;
}

void text_grow(struct text *text, size_t more)
{
        size_t need = text->len + more + 1;

        size_t size = text->size < 256 ? 256 : text->size * 2;
        if (size < need)
                size = need;
        char *data = realloc(text->data, size);
        if (data == NULL) {
                fputs("patron: out of memory\n", stderr);
                abort();
        }
        text->data = data;
        text->size = size;
}

void text_printf(struct text *text, const char *fmt, ...)
{
        va_list args, again;

        va_start(args, fmt);
        va_copy(again, args);
        int len = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (len < 0)
                abort(); /* only a broken format can do this */
        text_reserve(text, (size_t)len);
        vsnprintf(text->data + text->len, (size_t)len + 1, fmt, args);
        text->len += (size_t)len;
        va_end(args);
}

void text_put_int(struct text *text, int64_t value)
{
        char digits[24];
        char *p = digits + sizeof digits;
        uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

        do
                *--p = (char)('0' + rest % 10);
        while ((rest /= 10) != 0);
        if (value < 0)
                *--p = '-';
        text_append(text, p, (size_t)(digits + sizeof digits - p));
}

void text_put_json(struct text *text, const char *string)
{
        static const char hex[] = "0123456789abcdef";
        const char *plain = string;

        text_putc(text, '"');
        for (const char *p = string; *p != '\0'; p++) {
                unsigned char c = (unsigned char)*p;
                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                text_append(text, plain, (size_t)(p - plain));
                plain = p + 1;
                if (c == '"' || c == '\\') {
                        text_append(text, (char[]){'\\', (char)c}, 2);
                } else if (c == '\n') {
                        text_append(text, "\\n", 2);
                } else {
                        text_append(text, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
                }
        }
        text_puts(text, plain);
        text_putc(text, '"');
}

char *text_take(struct text *text, size_t *ret_len)
{
        char *data = text->data;

        *ret_len = text->len;
        *text = (struct text){0};
        return data;
}

size_t text_chars(const char *utf8)
{
        size_t n = 0;

        for (; *utf8 != '\0'; utf8++)
                n += ((unsigned char)*utf8 & 0xC0) != 0x80;
        return n;
}

size_t text_utf8_len(const char *text)
{
        const unsigned char *p = (const unsigned char *)text;
        unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte, RFC 3629 section 4 */
        size_t len;

        if (p[0] < 0x80)
                return 1;
        if (p[0] >= 0xC2 && p[0] <= 0xDF) {
                len = 2;
        } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
                len = 3;
                low = p[0] == 0xE0 ? 0xA0 : low;
                high = p[0] == 0xED ? 0x9F : high;
        } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
                len = 4;
                low = p[0] == 0xF0 ? 0x90 : low;
                high = p[0] == 0xF4 ? 0x8F : high;
        } else {
                return 0;
        }
        if (p[1] < low || p[1] > high)
                return 0;
        for (size_t i = 2; i < len; i++)
                if ((p[i] & 0xC0) != 0x80)
                        return 0;
        return len;
}
