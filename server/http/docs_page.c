#include "http/docs_page.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "embedded.h"

const char *docs_page(size_t *ret_len)
{
        *ret_len = docs_html_len;
        return docs_html;
}

static void put_html(struct text *out, const char *plain)
{
        for (; *plain != '\0'; plain++) {
                if (*plain == '<')
                        text_puts(out, "&lt;");
                else if (*plain == '&')
                        text_puts(out, "&amp;");
                else
                        text_putc(out, *plain);
        }
}

static const struct err_info *find(const char *slug)
{
        for (int i = ERR_OK + 1; i < ERR_COUNT_; i++)
                if (strcmp(err_info((enum err)i)->slug, slug) == 0)
                        return err_info((enum err)i);
        return NULL;
}

char *problem_page(const char *slug, size_t *ret_len)
{
        const struct err_info *info = find(slug);
        struct text out = {0};

        if (info == NULL)
                return NULL;
        text_puts(&out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width\"><title>");
        put_html(&out, info->title);
        text_puts(&out,
                  "</title><style>:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;"
                  "max-width:40rem;margin:12vh auto;padding:0 1.5rem}code{font-size:.95em}"
                  "small{opacity:.7}</style></head><body><small>Problem</small><h1>");
        put_html(&out, info->title);
        text_printf(&out, "</h1><p><code>%d</code> &nbsp; <code>/problems/%s</code></p><p>", info->status,
                    info->slug);
        put_html(&out, info->page);
        text_puts(&out, "</p><p><a href=\"/docs\">All operations</a></p></body></html>\n");
        return text_take(&out, ret_len);
}
