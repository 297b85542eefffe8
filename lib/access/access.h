/* Access: keys, what they may do, and the check of every request.
 *
 * A key is "pk_<id>_<secret>". Only a hash of it is kept, keyed with a secret of the installation. All keys
 * live in memory: the check touches no database, and a reload (access_load) replaces them at once, under
 * running checks. */
#pragma once

#include "access/scopes.h"
#include "base/ctx.h"
#include "base/shape.h"

#define KEY_ID_CHARS     12 /* hexadecimal */
#define KEY_SECRET_BYTES 32
#define KEY_SECRET_CHARS (2 * KEY_SECRET_BYTES) /* hexadecimal */
#define KEY_HASH_BYTES   32

/* A key that is to be made. */
struct key_new {
        const char *name;          /* what it is for, for people */
        struct texts scopes;       /* names of access/scopes.def */
        struct instant expires_at; /* none: never */
};

/* A key as it is known afterwards: without its secret. */
struct key_info {
        const char *id, *name;
        struct texts scopes;
        struct instant created_at, expires_at, revoked_at; /* the last two: none when it does not apply */
};
SHAPE_DECLARE(key_info);

/* Make a key; *ret_text is the only copy of it, in the arena. Running servers learn of it at once.
 * ERR_INVALID for an unknown scope, no scope, or an expiry that has passed. */
enum err key_create(struct ctx *c, const struct key_new *in, const char **ret_text) MUST_CHECK;

/* All keys, oldest first: an array of struct key_info. */
enum err key_list(struct ctx *c, struct list *ret) MUST_CHECK;

/* End a key for good; doing it again changes nothing. ERR_NOT_FOUND. */
enum err key_revoke(struct ctx *c, const char *id) MUST_CHECK;

/* Read all live keys and the installation's secret into memory, replacing what was there. ERR_NOT_FOUND when
 * the installation has not been recorded yet (installation_open). */
enum err access_load(struct ctx *c) MUST_CHECK;

/* Forget all keys: every check fails until the next load. */
void access_unload(void);

/* Who sends this Authorization header (NULL: none was sent)? NULL when it names no key that is good at `now`;
 * nothing tells an unknown key from a wrong one, not even the time it takes. The principal lives in the
 * arena. Thread-safe. */
const struct principal *access_check(const char *authorization, struct instant now,
                                     struct arena *arena) MUST_CHECK;
