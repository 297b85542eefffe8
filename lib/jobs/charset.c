#include "jobs/charset.h"

#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A character of GB18030 has at least as many bytes as two thirds of its UTF-8 form. */
#define GROWTH_NUMERATOR   3
#define GROWTH_DENOMINATOR 2

struct charset {
        iconv_t iconv; /* to UTF-8; (iconv_t)-1: it is UTF-8 */
};

struct charset *charset_new(const char *name)
{
        static const char *const chinese[] = {"gb18030", "gbk", "gb2312"}; /* each holds the next */
        bool utf8 = name == NULL || strcmp(name, "utf-8") == 0 || strcmp(name, "utf8") == 0;
        bool known = utf8;

        for (size_t i = 0; i < sizeof chinese / sizeof chinese[0]; i++)
                known = known || strcmp(name, chinese[i]) == 0;
        if (!known)
                return NULL;
        struct charset *charset = malloc(sizeof *charset);
        if (charset == NULL)
                abort();
        charset->iconv = utf8 ? (iconv_t)-1 : iconv_open("UTF-8", "GB18030");
        if (!utf8 && charset->iconv == (iconv_t)-1) { /* a system without the tables */
                free(charset);
                return NULL;
        }
        return charset;
}

void charset_free(struct charset *charset)
{
        if (charset == NULL)
                return;
        if (charset->iconv != (iconv_t)-1)
                iconv_close(charset->iconv);
        free(charset);
}

/* Is text, which ends with NUL after len bytes, UTF-8 without NUL in it? */
static bool valid(const char *text, size_t len)
{
        const char *end = text + len;

        while (text < end) {
                if (*text > 0) { /* plain ASCII, the usual case */
                        text++;
                        continue;
                }
                size_t n = text_utf8_len(text);
                if (n == 0 || *text == '\0')
                        return false;
                text += n;
        }
        return text == end;
}

bool charset_decode(struct charset *charset, const char *data, size_t len, struct text *out)
{
        size_t start = out->len;

        if (charset->iconv == (iconv_t)-1) {
                text_append(out, data, len);
        } else {
                size_t room = len * GROWTH_NUMERATOR / GROWTH_DENOMINATOR + 1;
                char *from = (char *)(uintptr_t)data;
                text_reserve(out, room + 1);
                char *to = out->data + out->len;
                iconv(charset->iconv, NULL, NULL, NULL, NULL);
                if (iconv(charset->iconv, &from, &len, &to, &room) == (size_t)-1)
                        return false;
                out->len = (size_t)(to - out->data);
                *to = '\0';
        }
        return out->len == start || valid(out->data + start, out->len - start);
}
