#include "http/path.h"

#include <string.h>

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

/* Bytes of the character at p, or 0 when it is not well-formed. */
static size_t utf8_length(const unsigned char *p)
{
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

bool utf8_valid(const char *text)
{
        const unsigned char *p = (const unsigned char *)text;

        while (*p != '\0') {
                size_t len = utf8_length(p);
                if (len == 0)
                        return false;
                p += len;
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
