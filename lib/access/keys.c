/* Keys in the database: made, listed, ended. */
#include "access/access.h"

#include <sodium.h>

#include "access/installation.h"
#include "access/key_text.h"
#include "db/statement.h"

#define KEY_NAME_MAX 100

#define SHAPE_T struct key_info
SHAPE(key_info, "A key, without its secret.", FIELD(id, .need = true), FIELD(name, .need = true),
      FIELD(scopes), FIELD(created_at, .need = true), FIELD(expires_at, .doc = "null: never."),
      FIELD(revoked_at, .doc = "null: it is good."));
#undef SHAPE_T

struct key_insert {
        const char *id, *name;
        struct bytes hash;
        struct texts scopes;
        struct instant expires_at;
};
#define SHAPE_T struct key_insert
SHAPE(key_insert, "A new key.", FIELD(id), FIELD(name), FIELD(hash), FIELD(scopes), FIELD(expires_at));
#undef SHAPE_T

struct key_ref {
        const char *id;
};
#define SHAPE_T struct key_ref
SHAPE(key_ref, "A key by its id.", FIELD(id));
#undef SHAPE_T

SQL_EXEC(key_put, key_insert,
         "INSERT INTO access_keys (id, hash, name, scopes, created_at, expires_at)"
         " VALUES (:id, :hash, :name, :scopes, :now, :expires_at)")

SQL_MANY(
        keys_all, nothing, key_info,
        "SELECT id, name, scopes, created_at, expires_at, revoked_at FROM access_keys ORDER BY created_at, id")

SQL_ONE(key_end, key_ref, key_ref,
        "UPDATE access_keys SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id RETURNING id")

SQL_EXEC(keys_changed, nothing, "NOTIFY patron_cache, 'keys'")

static enum err check_new(struct ctx *c, const struct key_new *in)
{
        if (in->name == NULL || *in->name == '\0' || text_chars(in->name) > KEY_NAME_MAX)
                return fail(c, ERR_INVALID,
                            "A key needs a name of 1 to %d characters that says what it is for.",
                            KEY_NAME_MAX);
        if (in->scopes.n == 0)
                return fail(c, ERR_INVALID, "A key needs at least one scope.");
        for (size_t i = 0; i < in->scopes.n; i++)
                if (scope_find(in->scopes.v[i], strlen(in->scopes.v[i])) == 0)
                        return fail(c, ERR_INVALID, "There is no scope %s.", in->scopes.v[i]);
        if (instant_known(in->expires_at) && in->expires_at.us <= c->now.us)
                return fail(c, ERR_INVALID, "The key would have expired already.");
        return ERR_OK;
}

enum err key_create(struct ctx *c, const struct key_new *in, const char **ret_text)
{
        uint8_t secret[INSTALLATION_SECRET_BYTES], hash[KEY_HASH_BYTES];
        char text[KEY_TEXT_SIZE];

        TRY(check_new(c, in));
        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(installation_secret(c, secret));
        struct key_text key = key_text_new();
        key_text_hash(&key, secret, sizeof secret, hash);
        TRY(key_put(c, &(struct key_insert){
                               .id = key.id,
                               .name = in->name,
                               .hash = {hash, sizeof hash},
                               .scopes = in->scopes,
                               .expires_at = in->expires_at,
                       }));
        TRY(keys_changed(c, &(struct nothing){0}));
        TRY(tx_commit(&tx));
        key_text_write(&key, text);
        *ret_text = arena_strdup(c->arena, text);
        sodium_memzero(text, sizeof text);
        return ERR_OK;
}

enum err key_list(struct ctx *c, struct list *ret)
{
        return keys_all(c, &(struct nothing){0}, ret);
}

enum err key_revoke(struct ctx *c, const char *id)
{
        struct key_ref ended;

        TX(tx);
        TRY(tx_begin(c, &tx));
        enum err err = key_end(c, &(struct key_ref){id}, &ended);
        if (err == ERR_NOT_FOUND)
                return fail(c, ERR_NOT_FOUND, "There is no key %s.", id);
        TRY(err);
        TRY(keys_changed(c, &(struct nothing){0}));
        return tx_commit(&tx);
}
