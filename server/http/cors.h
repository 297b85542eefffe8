/* Cross-origin requests: which pages of which sites may call from a browser. Pure.
 *
 * The setting is a list of origins with commas or spaces between them ("https://shop.example,
 * https://admin.example:8443"), or *. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first word of the setting that is neither * nor an origin (scheme://host or scheme://host:port and
 * nothing more), with its length; NULL: all are. * must stand alone. NULL and "" are no origins. */
const char *cors_fault(const char *setting, size_t *ret_len);

/* The value of Access-Control-Allow-Origin for a request from `origin` (NULL: it names none), or NULL when
 * that origin may not. It is `origin` itself, or "*". */
const char *cors_allowed(const char *setting, const char *origin);

/* Does the answer depend on the origin, so that a cache must keep one for each? */
bool cors_varies(const char *setting);

/* Request headers that a page may send, and headers of the answer that it may read, beyond the plain ones. */
#define CORS_REQUEST_HEADERS                                                                                 \
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Request-Id, "        \
        "Audit-Reason, traceparent"
#define CORS_ANSWER_HEADERS                                                                                  \
        "Request-Id, ETag, Location, Idempotency-Hit, Preference-Applied, RateLimit, RateLimit-Policy, "     \
        "Retry-After, WWW-Authenticate, Allow"
/* Chromium keeps a preflight's answer for two hours at most; a change of the setting is noticed sooner. */
#define CORS_MAX_AGE_SECONDS "600"
