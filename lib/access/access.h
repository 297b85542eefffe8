/* Access: keys, what they may do, and the check of every request.
 *
 * A key is "pk_<id>_<secret>". Only a hash of it is kept, keyed with a secret of the installation. All keys
 * live in memory: the check touches no database, and a reload (access_load) replaces them at once, under
 * running checks. */
#pragma once

#include "access/bucket.h"
#include "access/network.h"
#include "access/scopes.h"
#include "base/ctx.h"
#include "base/page.h"
#include "base/shape.h"

#define KEY_ID_CHARS     12 /* hexadecimal */
#define KEY_SECRET_BYTES 32
#define KEY_SECRET_CHARS (2 * KEY_SECRET_BYTES) /* hexadecimal */
#define KEY_HASH_BYTES   32

/* All keys are in memory with all their networks, some 20 bytes each. */
#define KEY_NETWORKS_MAX 16
/* A forgotten overlap must end by itself. */
#define KEY_OVERLAP_MAX_SECONDS INT64_C(2592000)

#define TOKEN_SECONDS_MAX INT64_C(3600)

/* A key that is to be made. */
struct key_new {
        const char *name;                           /* what it is for, for people */
        struct texts scopes;                        /* names of access/scopes.def */
        struct instant expires_at;                  /* none: never */
        struct texts networks;                      /* CIDR; empty: from everywhere */
        struct opt_int rate_per_second, rate_burst; /* none: no limit; the burst is a second's worth */
};
SHAPE_DECLARE(key_new);

/* A key as it is known afterwards, without its secret. Instants: none when it does not apply. */
#define KEY_INFO_MEMBERS                                                                                     \
        const char *id, *name;                                                                               \
        struct texts scopes;                                                                                 \
        struct texts networks;                                                                               \
        struct opt_int rate_per_second, rate_burst;                                                          \
        struct instant created_at, expires_at, revoked_at, last_used_at;                                     \
        struct instant previous_until /* the secret before the last rotation is good until then */
struct key_info {
        KEY_INFO_MEMBERS;
};
SHAPE_DECLARE(key_info);

/* The same when there is a new secret: the only copy of it, in the arena. */
struct key_made {
        KEY_INFO_MEMBERS;
        const char *key; /* "pk_..." */
};
SHAPE_DECLARE(key_made);

/* Make a key. Running servers learn of it at once. ERR_INVALID for an unknown scope, no scope, an expiry that
 * has passed or a faulty network; ERR_FORBIDDEN for a scope that the caller does not hold. */
enum err key_create(struct ctx *c, const struct key_new *in, struct key_made *ret) MUST_CHECK;

/* A new secret for a key; the old one stays good for overlap_seconds, at most KEY_OVERLAP_MAX_SECONDS, and
 * the one before it ends now. ERR_NOT_FOUND, ERR_KEY_REVOKED, ERR_FORBIDDEN. */
enum err key_rotate(struct ctx *c, const char *id, int64_t overlap_seconds, struct key_made *ret) MUST_CHECK;

/* End a key for good; doing it again changes nothing. ERR_NOT_FOUND, ERR_FORBIDDEN for a key with a scope
 * that the caller does not hold. */
enum err key_revoke(struct ctx *c, const char *id) MUST_CHECK;

/* One key. ERR_NOT_FOUND. */
enum err key_get(struct ctx *c, const char *id, struct key_info *ret) MUST_CHECK;

/* Keys, oldest first, after the position (created_at, id): an array of struct key_info. */
struct key_page {
        struct instant after_at;
        const char *after_id; /* NULL: from the first */
        PAGED;
};
enum err key_list(struct ctx *c, const struct key_page *page, struct list *ret) MUST_CHECK;

/* A token that a caller wants of his key. */
struct token_new {
        struct texts scopes;
        int64_t expires_in_seconds; /* at most TOKEN_SECONDS_MAX; never longer than the key's own time */
};
SHAPE_DECLARE(token_new);

struct token_made {
        const char *token; /* "pt_..." */
        struct texts scopes;
        struct instant expires_at;
};
SHAPE_DECLARE(token_made);

/* When what the caller shows (his key with the secret he knows) ends; none: never. */
struct instant access_end(const struct principal *principal);

/* Lend some of the caller's scopes for a short time; nothing is stored. Neither admin nor what makes keys and
 * tokens can be lent. ERR_INVALID, ERR_FORBIDDEN. */
enum err token_mint(struct ctx *c, const struct token_new *in, struct token_made *ret) MUST_CHECK;

/* Store when keys were used since the last time: once in a while, not with each request. */
enum err access_store_use(struct ctx *c) MUST_CHECK;

/* Read all live keys and the installation's secret into memory, replacing what was there; how full the
 * buckets are stays. ERR_NOT_FOUND when the installation has not been recorded yet (installation_open). */
enum err access_load(struct ctx *c) MUST_CHECK;

/* Forget all keys: every check fails until the next load. */
void access_unload(void);

/* A request as the check sees it. */
struct access_request {
        const char *authorization; /* the header, or NULL */
        struct network_address from;
        struct instant now;
        int64_t monotonic_us; /* the buckets' clock */
};

enum access_result {
        ACCESS_GRANTED,
        ACCESS_UNKNOWN,   /* nothing tells an unknown key from a wrong one, not even the time it takes */
        ACCESS_ELSEWHERE, /* the key is good, but not from this address */
        ACCESS_TOO_OFTEN, /* the key's bucket is empty */
};

struct access_grant {
        const struct principal *principal; /* in the arena; NULL: unknown */
        struct bucket_policy limit;        /* per_second 0: none, and level says nothing */
        struct bucket_level level;
};

/* Who asks, and may he now? Takes a token from the key's bucket. Thread-safe. */
enum access_result access_check(const struct access_request *request, struct arena *arena,
                                struct access_grant *ret) MUST_CHECK;
