/* Keys in the database: made, listed, rotated, ended. */
#include "access/access.h"

#include <sodium.h>

#include "access/installation.h"
#include "access/key_text.h"
#include "audit/audit.h"
#include "db/page.h"

#define KEY_NAME_MAX 100

#define NAME_FIELD                                                                                           \
        FIELD(name, .need = true, .min = 1, .max = KEY_NAME_MAX, .format = &format_printable,                \
              .doc = "What it is for.")
#define LIMIT_FIELDS                                                                                          \
        FIELD(networks, .max = KEY_NETWORKS_MAX,                                                              \
              .doc = "Where it may be used from: addresses or networks such as 10.0.0.0/8; none: anywhere."), \
                FIELD(rate_per_second, .min = 1, .max = BUCKET_RATE_MAX,                                      \
                      .doc = "Requests per second, to each server by itself; null: no limit."),               \
                FIELD(rate_burst, .min = 1, .max = BUCKET_RATE_MAX,                                           \
                      .doc = "Requests at once after a pause; a second's worth when left out.")

#define SHAPE_T struct key_new
SHAPE(key_new, "A key that is to be made.", NAME_FIELD,
      FIELD(scopes, .need = true, .min = 1, .max = SCOPE_COUNT_,
            .doc = "Scopes that the caller holds himself."),
      FIELD(expires_at, .doc = "null: never."), LIMIT_FIELDS);
#undef SHAPE_T

#define KEY_INFO_FIELDS                                                                                      \
        FIELD(id, .need = true), NAME_FIELD, FIELD(scopes), LIMIT_FIELDS, FIELD(created_at, .need = true),   \
                FIELD(expires_at, .doc = "null: never."), FIELD(revoked_at, .doc = "null: it is good."),     \
                FIELD(last_used_at, .doc = "To some seconds; null: never."),                                 \
                FIELD(previous_until,                                                                        \
                      .doc = "The secret before the last rotation is good until then; null: there is none.")

#define SHAPE_T struct key_info
SHAPE(key_info, "A key, without its secret.", KEY_INFO_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct key_made
SHAPE(key_made, "A key with its new secret.", KEY_INFO_FIELDS,
      FIELD(key, .need = true, .doc = "For Authorization: Bearer; shown once, kept nowhere."));
#undef SHAPE_T

struct key_ref {
        const char *id;
};
#define SHAPE_T struct key_ref
SHAPE(key_ref, "A key by its id.", FIELD(id));
#undef SHAPE_T

struct key_insert {
        const char *id, *name;
        struct bytes hash;
        struct texts scopes, networks;
        struct opt_int rate_per_second, rate_burst;
        struct instant expires_at;
};
#define SHAPE_T struct key_insert
SHAPE(key_insert, "A new key.", FIELD(id), FIELD(name), FIELD(hash), FIELD(scopes), FIELD(networks),
      FIELD(rate_per_second), FIELD(rate_burst), FIELD(expires_at));
#undef SHAPE_T

struct key_secrets {
        const char *id;
        struct bytes hash, previous_hash;
        struct instant previous_until;
};
#define SHAPE_T struct key_secrets
SHAPE(key_secrets, "A key's secrets.", FIELD(id), FIELD(hash), FIELD(previous_hash), FIELD(previous_until));
#undef SHAPE_T

#define SHAPE_T struct key_page
SHAPE(key_page, "A position.", FIELD(after_at), FIELD(after_id), FIELD(limit));
#undef SHAPE_T

#define KEY_COLUMNS                                                                                          \
        "id, name, scopes, networks, rate_per_second, rate_burst, created_at, expires_at, revoked_at, "      \
        "last_used_at, previous_until"

SQL_EXEC(
        key_put, key_insert,
        "INSERT INTO access_keys (id, hash, name, scopes, networks, rate_per_second, rate_burst, created_at, expires_at)"
        " VALUES (:id, :hash, :name, :scopes, :networks, :rate_per_second, :rate_burst, :now, :expires_at)")
SQL_PAGE(keys_page, key_page, key_info, KEY_COLUMNS, "access_keys WHERE true",
         "AND (created_at, id) > (coalesce(:after_at, '-infinity'), coalesce(:after_id, '')) "
         "ORDER BY created_at, id")
SQL_OPT(key_read_one, key_ref, key_info, "SELECT " KEY_COLUMNS " FROM access_keys WHERE id = :id")
SQL_OPT(key_lock, key_ref, key_info, "SELECT " KEY_COLUMNS " FROM access_keys WHERE id = :id FOR UPDATE")
SQL_ONE(key_hash, key_ref, key_secrets,
        "SELECT id, hash, previous_hash, previous_until FROM access_keys WHERE id = :id")
SQL_EXEC(
        key_renew, key_secrets,
        "UPDATE access_keys SET hash = :hash, previous_hash = :previous_hash, previous_until = :previous_until, "
        "secret_no = secret_no + 1 WHERE id = :id")
SQL_EXEC(key_end, key_ref, "UPDATE access_keys SET revoked_at = :now WHERE id = :id")
SQL_EXEC(keys_changed, nothing, "NOTIFY patron_cache, 'keys'")

/* ------------------------------------------------------------------ what is common */

static enum err no_key(struct ctx *c, const char *id)
{
        return fail(c, ERR_NOT_FOUND, "There is no key %s.", id);
}

static enum err shown(struct ctx *c, const char *id, struct key_info *ret)
{
        bool found;

        TRY(key_read_one(c, &(struct key_ref){id}, ret, &found));
        return found ? ERR_OK : no_key(c, id);
}

/* The key, locked for a change that the caller may make. */
static enum err locked(struct ctx *c, const char *id, struct key_info *ret)
{
        bool found;

        TRY(key_lock(c, &(struct key_ref){id}, ret, &found));
        if (!found)
                return no_key(c, id);
        return scopes_may_give(c, scopes_held(&ret->scopes));
}

/* Every server is told, and the log. */
static enum err changed(struct ctx *c, const char *id, const struct key_info *before,
                        const struct key_info *after)
{
        TRY(keys_changed(c, &(struct nothing){0}));
        return audit_write(c, &(struct audit_change){.subject = arena_printf(c->arena, "/v1/keys/%s", id),
                                                     .shape = &key_info_shape,
                                                     .before = before,
                                                     .after = after});
}

static enum err hash_of(struct ctx *c, const struct key_text *key, uint8_t ret[KEY_HASH_BYTES])
{
        uint8_t secret[INSTALLATION_SECRET_BYTES];

        TRY(installation_secret(c, secret));
        key_text_hash(key, secret, sizeof secret, ret);
        sodium_memzero(secret, sizeof secret);
        return ERR_OK;
}

static struct key_made made_of(struct ctx *c, const struct key_info *info, const struct key_text *key)
{
        char text[KEY_TEXT_SIZE];

        key_text_write(key, text);
        struct key_made made = {.id = info->id,
                                .name = info->name,
                                .scopes = info->scopes,
                                .networks = info->networks,
                                .rate_per_second = info->rate_per_second,
                                .rate_burst = info->rate_burst,
                                .created_at = info->created_at,
                                .expires_at = info->expires_at,
                                .revoked_at = info->revoked_at,
                                .last_used_at = info->last_used_at,
                                .previous_until = info->previous_until,
                                .key = arena_strdup(c->arena, text)};
        sodium_memzero(text, sizeof text);
        return made;
}

/* ------------------------------------------------------------------ a new key */

/* The networks in their one form, with a fault for each that is none. */
static struct texts networks_read(struct ctx *c, const struct texts *given)
{
        struct texts networks = {.v = ARENA_ARRAY(c->arena, given->n, const char *), .n = given->n};

        for (size_t i = 0; i < given->n; i++) {
                struct network network;
                char *text = arena_alloc(c->arena, NETWORK_TEXT_SIZE);
                if (network_parse(given->v[i], &network))
                        network_format(&network, text);
                else
                        fault_body(
                                c, arena_printf(c->arena, "#/networks/%zu", i), "wrong_format",
                                "must be an address or a network such as 10.0.0.0/8 or 2001:db8::/32, without bits "
                                "beyond the prefix");
                networks.v[i] = text;
        }
        return networks;
}

static enum err key_read(struct ctx *c, const struct key_new *in, struct key_insert *ret)
{
        uint64_t scopes;
        struct key_insert key = {.name = in->name,
                                 .scopes = in->scopes,
                                 .rate_per_second = in->rate_per_second,
                                 .rate_burst = in->rate_burst,
                                 .expires_at = in->expires_at};

        if (in->name == NULL || *in->name == '\0' || text_chars(in->name) > KEY_NAME_MAX)
                fault_body(c, "#/name", "required", "must say in 1 to %d characters what the key is for",
                           KEY_NAME_MAX);
        if (in->scopes.n == 0)
                fault_body(c, "#/scopes", "too_few", "must hold at least 1 item");
        if (instant_known(in->expires_at) && in->expires_at.us <= c->now.us)
                fault_body(c, "#/expires_at", "too_early", "must lie in the future");
        if (in->rate_burst.set && !in->rate_per_second.set)
                fault_body(c, "#/rate_burst", "unexpected", "needs rate_per_second beside it");
        if (in->rate_per_second.set && !in->rate_burst.set)
                key.rate_burst = in->rate_per_second;
        key.networks = networks_read(c, &in->networks);
        TRY(scopes_read(c, &in->scopes, &scopes));
        TRY(scopes_may_give(c, scopes));
        *ret = key;
        return ERR_OK;
}

enum err key_create(struct ctx *c, const struct key_new *in, struct key_made *ret)
{
        uint8_t hash[KEY_HASH_BYTES];
        struct key_insert insert;
        struct key_info info;
        struct key_text key = key_text_new();

        TRY(key_read(c, in, &insert));
        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(hash_of(c, &key, hash));
        insert.id = key.id;
        insert.hash = (struct bytes){hash, sizeof hash};
        TRY(key_put(c, &insert));
        TRY(shown(c, key.id, &info));
        TRY(changed(c, key.id, /* before= */ NULL, &info));
        TRY(tx_commit(&tx));
        *ret = made_of(c, &info, &key);
        return ERR_OK;
}

/* ------------------------------------------------------------------ changes */

enum err key_rotate(struct ctx *c, const char *id, int64_t overlap_seconds, struct key_made *ret)
{
        uint8_t hash[KEY_HASH_BYTES];
        struct key_info before, after;
        struct key_secrets old;

        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(locked(c, id, &before));
        if (instant_known(before.revoked_at))
                return fail(c, ERR_KEY_REVOKED, "The key %s was revoked; make another one.", id);
        struct key_text key = key_text_renew(before.id);
        TRY(hash_of(c, &key, hash));
        TRY(key_hash(c, &(struct key_ref){id}, &old));
        struct key_secrets renewed = {.id = id, .hash = {hash, sizeof hash}};
        if (overlap_seconds > 0) {
                renewed.previous_hash = old.hash;
                renewed.previous_until.us = c->now.us + overlap_seconds * INSTANT_SECOND;
        }
        TRY(key_renew(c, &renewed));
        TRY(shown(c, id, &after));
        TRY(changed(c, id, &before, &after));
        TRY(tx_commit(&tx));
        *ret = made_of(c, &after, &key);
        return ERR_OK;
}

enum err key_revoke(struct ctx *c, const char *id)
{
        struct key_info before;

        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(locked(c, id, &before));
        struct key_info after = before;
        if (!instant_known(before.revoked_at)) {
                after.revoked_at = c->now;
                TRY(key_end(c, &(struct key_ref){id}));
        }
        TRY(changed(c, id, &before, &after));
        return tx_commit(&tx);
}

enum err key_get(struct ctx *c, const char *id, struct key_info *ret)
{
        return shown(c, id, ret);
}

enum err key_list(struct ctx *c, const struct key_page *page, struct list *ret)
{
        return keys_page(c, page, ret);
}
