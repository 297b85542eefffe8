#include "base/mask.h"

#include <string.h>

void mask_put(struct text *out, enum pii pii, const char *value)
{
        size_t len = strlen(value);
        const char *at;
        size_t first = 1; /* bytes of the first character */

        while (len > 0 && ((unsigned char)value[first] & 0xC0) == 0x80)
                first++;
        struct text masked = {0};
        if (len == 0 || pii == PII_ALL) {
                text_puts(&masked, "***");
        } else if (pii == PII_PHONE && len >= 8 && strspn(value, "+0123456789") == len) {
                text_append(&masked, value, len - 8);
                text_puts(&masked, "****");
                text_puts(&masked, value + len - 4);
        } else if (pii == PII_EMAIL && (at = strrchr(value, '@')) != NULL) {
                text_append(&masked, value, first);
                text_printf(&masked, "***%s", at);
        } else if (pii == PII_NAME) {
                text_append(&masked, value, first);
                text_putc(&masked, '*');
        } else {
                text_puts(&masked, "***");
        }
        text_put_json(out, masked.data);
        text_free(&masked);
}
