/* The pages that a person reads in a browser: /docs and /problems/<slug>. Both are text/html in UTF-8, whole
 * in one answer, and load nothing but /openapi.json. */
#pragma once

#include <stddef.h>

/* The interactive page; static memory, not NUL-terminated. */
const char *docs_page(size_t *ret_len);

/* The page of one error, or NULL when no error has this slug; the caller frees it. */
char *problem_page(const char *slug, size_t *ret_len);

/* The Content-Security-Policy to send with both. */
#define DOCS_PAGE_POLICY                                                                                     \
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "    \
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
