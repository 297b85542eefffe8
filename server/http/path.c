#include "http/path.h"

#include <string.h>

#include "base/text.h"

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

bool utf8_valid(const char *text)
{
        while (*text != '\0') {
                size_t len = text_utf8_len(text);
                if (len == 0)
                        return false;
                text += len;
        }
        return true;
}

bool percent_decode(char *text, bool query)
{
        char *out = text;

        for (const char *p = text; *p != '\0'; p++) {
                if (*p == '%') {
                        int high = hex_digit(p[1]);
                        int low = high < 0 ? -1 : hex_digit(p[2]);
                        if (low < 0 || (high == 0 && low == 0))
                                return false;
                        *out++ = (char)(high << 4 | low);
                        p += 2;
                } else {
                        *out++ = query && *p == '+' ? ' ' : *p;
                }
        }
        *out = '\0';
        return utf8_valid(text);
}

const char *percent_encode_uri(struct arena *arena, const char *text)
{
        static const char hex[] = "0123456789ABCDEF", marks[] = "-._~:/?#[]@!$&'()*+,;=%";
        char *encoded = arena_alloc(arena, 3 * strlen(text) + 1), *out = encoded;

        for (const char *p = text; *p != '\0'; p++) {
                unsigned char c = (unsigned char)*p;
                bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             strchr(marks, c) != NULL;
                if (plain) {
                        *out++ = *p;
                } else {
                        *out++ = '%';
                        *out++ = hex[c >> 4];
                        *out++ = hex[c & 15];
                }
        }
        return encoded;
}

enum query_step query_next(struct arena *arena, const char **rest, const char **ret_name,
                           const char **ret_value)
{
        const char *pair = *rest + strspn(*rest, "&");
        size_t len = strcspn(pair, "&");

        if (len == 0)
                return QUERY_END;
        *rest = pair + len;
        char *name = arena_strndup(arena, pair, len);
        char *value = strchr(name, '=');
        if (value != NULL)
                *value++ = '\0';
        else
                value = name + len; /* a name alone has an empty value */
        if (!percent_decode(name, /* query= */ true) || !percent_decode(value, /* query= */ true))
                return QUERY_MALFORMED;
        *ret_name = name;
        *ret_value = value;
        return QUERY_PAIR;
}
