/* Addresses: percent-decoding of path segments and query strings. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Decode %XX in place; the result is never longer. In a query '+' is a space (as HTML forms and
 * URLSearchParams write it). False for an incomplete escape, a NUL, or bytes that are not UTF-8. */
bool percent_decode(char *text, bool query);

/* Percent-encode whatever may not stand in a URI (RFC 3986): controls, spaces, quotes, bytes beyond ASCII.
 * What is encoded already stays. In the arena. */
const char *percent_encode_uri(struct arena *arena, const char *text);

/* Is the text valid UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF)? */
bool utf8_valid(const char *text);

/* The next name=value of a query string, decoded, in the arena; empty pairs are skipped. *rest starts at the
 * text behind the '?' and moves on. */
enum query_step { QUERY_PAIR, QUERY_END, QUERY_MALFORMED };
enum query_step query_next(struct arena *arena, const char **rest, const char **ret_name,
                           const char **ret_value);
