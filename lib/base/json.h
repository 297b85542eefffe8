/* JSON text: parsed within limits, merged. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

/* JSON deeper than this is refused before it is parsed; our own shapes nest 5 levels at most. */
#define JSON_DEPTH_MAX 32

/* A free JSON object of the client's has at most this many bytes: a page of attributes, not a document store.
 */
#define JSON_BYTES_MAX 65536

/* Parse bytes to JSON: ERR_NOT_JSON with line and column (duplicate keys and NUL are errors too), or
 * ERR_INVALID when too deep. The caller owns *ret (json_decref). */
enum err json_parse(struct ctx *c, const char *bytes, size_t len, json_t **ret) MUST_CHECK;
/* The same for one line of many: the problem names the column only. */
enum err json_parse_line(struct ctx *c, const char *bytes, size_t len, json_t **ret) MUST_CHECK;

/* Does JSON text nest deeper than JSON_DEPTH_MAX? To ask before a parser recurses. */
bool json_too_deep(const char *bytes, size_t len);

/* Are two texts the same JSON value, however they are written (PostgreSQL writes jsonb its own way)? NULL
 * only equals NULL; text that is no JSON only equals itself. */
bool json_text_equal(const char *a, const char *b);

/* RFC 7396: what becomes of the JSON object in target (NULL: an empty one) when patch is merged into it; the
 * arena's. Both were stored or decoded before, so both are sound. */
const char *json_merge_patch(struct arena *arena, const char *target, const char *patch);
