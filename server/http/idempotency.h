/* Idempotency keys: an answer is kept in the same transaction as its effect, for a day, under the API key and
 * the Idempotency-Key that asked for it. Only success is kept: what failed changed nothing, so a retry may
 * run anew. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

#define FINGERPRINT_BYTES        32
#define IDEMPOTENCY_KEEP_SECONDS INT64_C(86400)
/* Rows removed by one idempotency_expire: a short transaction, however long nobody cleaned up. */
#define IDEMPOTENCY_EXPIRE_ROWS 1000

/* A request under a key. */
struct idempotent {
        const char *key_id, *key;
        uint8_t fingerprint[FINGERPRINT_BYTES];
};

/* An answer as it is kept. */
struct kept_answer {
        struct bytes fingerprint;
        int32_t status;
        const char *body; /* JSON */
        const char *location;
        int64_t version; /* of the ETag, 0: none */
};

/* What makes two requests the same: method, path with query, body. */
void idempotency_fingerprint(const char *method, const char *target, const char *body, size_t body_len,
                             uint8_t ret[FINGERPRINT_BYTES]);

/* Claim the key for this transaction and look for a kept answer: *ret_found tells. ERR_IN_PROGRESS while
 * another transaction holds the key, ERR_KEY_REUSED when it belongs to another request. */
enum err idempotency_begin(struct ctx *c, const struct idempotent *idempotent, struct kept_answer *ret,
                           bool *ret_found) MUST_CHECK;

/* Keep the answer with the transaction's effect. The fingerprint is filled in here. */
enum err idempotency_keep(struct ctx *c, const struct idempotent *idempotent,
                          const struct kept_answer *answer) MUST_CHECK;

/* Remove up to IDEMPOTENCY_EXPIRE_ROWS answers that are too old; *ret_removed is how many went. */
enum err idempotency_expire(struct ctx *c, int64_t *ret_removed) MUST_CHECK;
