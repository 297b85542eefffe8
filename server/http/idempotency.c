#include "http/idempotency.h"

#include <sodium.h>

#include "db/statement.h"

struct idempotency_row {
        const char *key_id, *key;
        int64_t lock;
        struct bytes fingerprint;
        int32_t status;
        const char *body, *location;
        int64_t version;
        struct instant expires_at;
};
#define SHAPE_T struct idempotency_row
SHAPE(idempotency_row, "One kept answer.", FIELD(key_id), FIELD(key), FIELD(lock), FIELD(fingerprint),
      FIELD(status), FIELD(body), FIELD(location), FIELD(version), FIELD(expires_at));
#undef SHAPE_T

#define SHAPE_T struct kept_answer
SHAPE(kept_answer, "An answer as it is kept.", FIELD(fingerprint), FIELD(status), FIELD(body),
      FIELD(location), FIELD(version));
#undef SHAPE_T

struct idempotency_claim {
        bool claimed;
};
#define SHAPE_T struct idempotency_claim
SHAPE(idempotency_claim, "Whether the key is ours until the transaction ends.", FIELD(claimed));
#undef SHAPE_T

struct idempotency_expiry {
        int64_t rows;
};
#define SHAPE_T struct idempotency_expiry
SHAPE(idempotency_expiry, "How many rows.", FIELD(rows));
#undef SHAPE_T

SQL_LATER(key_claim, idempotency_row, idempotency_claim, "SELECT pg_try_advisory_xact_lock(:lock) AS claimed")

SQL_OPT(key_find, idempotency_row, kept_answer,
        "SELECT fingerprint, status, body, location, version FROM idempotency_keys "
        "WHERE key_id = :key_id AND key = :key AND expires_at > :now")

SQL_EXEC(
        key_keep, idempotency_row,
        "INSERT INTO idempotency_keys AS k "
        "(key_id, key, fingerprint, status, body, location, version, created_at, expires_at) "
        "VALUES (:key_id, :key, :fingerprint, :status, :body, :location, :version, :now, :expires_at) "
        "ON CONFLICT (key_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, "
        "body = excluded.body, location = excluded.location, version = excluded.version, "
        "created_at = excluded.created_at, expires_at = excluded.expires_at")

SQL_ONE(keys_expire, idempotency_expiry, idempotency_expiry,
        "WITH old AS (SELECT key_id, key FROM idempotency_keys WHERE expires_at <= :now "
        "ORDER BY expires_at LIMIT :rows FOR UPDATE SKIP LOCKED), "
        "gone AS (DELETE FROM idempotency_keys k USING old WHERE k.key_id = old.key_id AND k.key = old.key RETURNING 1) "
        "SELECT count(*) AS rows FROM gone")

static void hash_part(crypto_generichash_state *state, const void *part, size_t len)
{
        uint64_t prefix = len; /* lengths first, so that no two lists of parts read the same */

        crypto_generichash_update(state, (const unsigned char *)&prefix, sizeof prefix);
        crypto_generichash_update(state, part, len);
}

void idempotency_fingerprint(const char *method, const char *target, const char *body, size_t body_len,
                             uint8_t ret[FINGERPRINT_BYTES])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, /* key= */ NULL, 0, FINGERPRINT_BYTES);
        hash_part(&state, method, strlen(method));
        hash_part(&state, target, strlen(target));
        hash_part(&state, body, body_len);
        crypto_generichash_final(&state, ret, FINGERPRINT_BYTES);
}

/* The advisory lock of a key: a clash of two keys only makes one of two simultaneous requests try again. */
static int64_t lock_of(const struct idempotent *idempotent)
{
        crypto_generichash_state state;
        uint8_t hash[crypto_generichash_BYTES_MIN];
        int64_t lock;

        crypto_generichash_init(&state, /* key= */ NULL, 0, sizeof hash);
        hash_part(&state, idempotent->key_id, strlen(idempotent->key_id));
        hash_part(&state, idempotent->key, strlen(idempotent->key));
        crypto_generichash_final(&state, hash, sizeof hash);
        memcpy(&lock, hash, sizeof lock);
        return lock;
}

enum err idempotency_begin(struct ctx *c, const struct idempotent *idempotent, struct kept_answer *ret,
                           bool *ret_found)
{
        struct idempotency_row row = {
                .key_id = idempotent->key_id, .key = idempotent->key, .lock = lock_of(idempotent)};
        struct kept_answer kept = {0};
        struct list claim = {0};
        bool found = false;

        /* Two statements, so the second sees what the lock's last holder committed; one round trip all the
         * same. */
        TRY(key_claim(c, &row, &claim));
        TRY(key_find(c, &row, &kept, &found));
        if (!((const struct idempotency_claim *)claim.v)->claimed)
                return fail(c, ERR_IN_PROGRESS,
                            "Another request with this Idempotency-Key is still running.");
        if (found && (kept.fingerprint.n != FINGERPRINT_BYTES ||
                      memcmp(kept.fingerprint.v, idempotent->fingerprint, FINGERPRINT_BYTES) != 0))
                return fail(c, ERR_KEY_REUSED,
                            "The Idempotency-Key was sent before with another method, path or body.");
        *ret = kept;
        *ret_found = found;
        return ERR_OK;
}

enum err idempotency_keep(struct ctx *c, const struct idempotent *idempotent,
                          const struct kept_answer *answer)
{
        struct idempotency_row row = {.key_id = idempotent->key_id,
                                      .key = idempotent->key,
                                      .fingerprint = {idempotent->fingerprint, FINGERPRINT_BYTES},
                                      .status = answer->status,
                                      .body = answer->body,
                                      .location = answer->location,
                                      .version = answer->version,
                                      .expires_at = {c->now.us + IDEMPOTENCY_KEEP_SECONDS * INSTANT_SECOND}};

        return key_keep(c, &row);
}

enum err idempotency_expire(struct ctx *c, int64_t *ret_removed)
{
        struct idempotency_expiry expiry = {.rows = IDEMPOTENCY_EXPIRE_ROWS};

        TRY(keys_expire(c, &expiry, &expiry));
        *ret_removed = expiry.rows;
        return ERR_OK;
}
