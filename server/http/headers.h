/* Values of request headers: what each may be, per RFC 9110 and the IETF Idempotency-Key draft. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDEMPOTENCY_KEY_MAX 255
#define REQUEST_ID_MAX      64

/* A caller's Request-Id is taken over when it is 1 to 64 of [A-Za-z0-9._-]. */
bool header_request_id_sane(const char *value);

/* Audit-Reason: 1 to AUDIT_REASON_MAX bytes of UTF-8 without control characters. */
#define AUDIT_REASON_MAX 500
bool header_reason_sane(const char *value);

/* W3C Trace Context, version 00: 55 characters of lower-case hexadecimal and dashes. */
bool header_traceparent_sane(const char *value);

/* The key, quoted or bare, printable ASCII, 1 to 255 characters. */
bool header_idempotency_key(const char *value, char ret[IDEMPOTENCY_KEY_MAX + 1]);

/* If-Match: "*" gives 0 (any), one ETag of ours its version, one that can't be ours -1 (matches nothing);
 * false for anything else. */
bool header_if_match(const char *value, int64_t *ret_version);

/* If-None-Match: does the list hold this ETag (with its quotes), or is it "*"? Weak ones count, as RFC
 * 9110 13.1.2 says. */
bool header_none_match(const char *value, const char *etag);

/* Prefer: is return=minimal among the preferences? */
bool header_prefers_minimal(const char *value);

/* Accept: how much is this media type ("application/json") liked? 0: not at all; more the more narrowly it is
 * named. NULL admits everything; the most specific range decides. */
int header_accepts(const char *value, const char *type);

/* Content-Type: this media type, whatever its parameters. */
bool header_is_type(const char *value, const char *type);

/* The value of a parameter of a Content-Type ("charset"), without quotes and in lower case; false when there
 * is none, or it is longer than size - 1. */
bool header_parameter(const char *value, const char *name, char *ret, size_t size);

/* Content-Type: application/json, or with patch application/merge-patch+json; a charset must be UTF-8. */
bool header_is_json(const char *value, bool patch);

/* Content-Length; false when it is not a number. */
bool header_length(const char *value, uint64_t *ret);
