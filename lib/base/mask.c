#include "base/mask.h"

#include <string.h>

void mask_text(struct text *out, enum pii pii, const char *value)
{
        size_t len = strlen(value);
        const char *at;
        size_t first = 1; /* bytes of the first character */

        while (len > 0 && ((unsigned char)value[first] & 0xC0) == 0x80)
                first++;
        if (len == 0 || pii == PII_ALL) {
                text_puts(out, "***");
        } else if (pii == PII_PHONE && len >= 8 && strspn(value, "+0123456789") == len) {
                text_append(out, value, len - 8);
                text_puts(out, "****");
                text_puts(out, value + len - 4);
        } else if (pii == PII_EMAIL && (at = strrchr(value, '@')) != NULL) {
                text_append(out, value, first);
                text_printf(out, "***%s", at);
        } else if (pii == PII_NAME) {
                text_append(out, value, first);
                text_putc(out, '*');
        } else {
                text_puts(out, "***");
        }
}

void mask_put(struct text *out, enum pii pii, const char *value)
{
        struct text masked = {0};

        mask_text(&masked, pii, value);
        text_put_json(out, masked.data);
        text_free(&masked);
}
