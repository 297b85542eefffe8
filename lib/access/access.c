/* The keys in memory and the check of each request. The SQL beside it is in keys.c. */
#include "access/access.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "access/installation.h"
#include "access/key_text.h"
#include "db/statement.h"

/* A key as the check needs it. Plain values: the table is one block. */
struct known_key {
        char id[KEY_ID_CHARS + 1];
        uint8_t hash[KEY_HASH_BYTES];
        uint64_t scopes;
        struct instant expires_at;
};

struct key_table {
        uint8_t secret[INSTALLATION_SECRET_BYTES];
        size_t count;
        struct known_key keys[]; /* ascending by id */
};

/* Held for a look-up and one hash, some microseconds; written only when keys change. */
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct key_table *table;

struct key_row {
        const char *id;
        struct bytes hash;
        struct texts scopes;
        struct instant expires_at;
};
#define SHAPE_T struct key_row
SHAPE(key_row, "A live key.", FIELD(id), FIELD(hash), FIELD(scopes), FIELD(expires_at));
#undef SHAPE_T

SQL_MANY(
        keys_live, nothing, key_row,
        "SELECT id, hash, scopes, expires_at FROM access_keys WHERE revoked_at IS NULL ORDER BY id COLLATE \"C\"")

static void table_replace(struct key_table *next)
{
        pthread_rwlock_wrlock(&table_lock);
        struct key_table *old = table;
        table = next;
        pthread_rwlock_unlock(&table_lock);
        if (old != NULL)
                sodium_memzero(old, sizeof *old + old->count * sizeof old->keys[0]);
        free(old);
}

/* A scope that this binary does not know gives nothing: an older server beside a newer one stays safe. */
static uint64_t scopes_of(const struct texts *names)
{
        uint64_t scopes = 0;

        for (size_t i = 0; i < names->n; i++)
                scopes |= scope_find(names->v[i], strlen(names->v[i]));
        return scopes & SCOPE_ADMIN ? (UINT64_C(1) << SCOPE_COUNT_) - 1 : scopes;
}

enum err access_load(struct ctx *c)
{
        uint8_t secret[INSTALLATION_SECRET_BYTES];
        struct list rows;

        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(installation_secret(c, secret));
        TRY(keys_live(c, &(struct nothing){0}, &rows));
        TRY(tx_commit(&tx));

        struct key_table *next = calloc(1, sizeof *next + rows.n * sizeof next->keys[0]);
        if (next == NULL)
                return fail(c, ERR_INTERNAL, "There is no memory for %zu keys.", rows.n);
        memcpy(next->secret, secret, sizeof secret);
        sodium_memzero(secret, sizeof secret);
        for (size_t i = 0; i < rows.n; i++) {
                const struct key_row *row = (const struct key_row *)rows.v + i;
                struct known_key *key = &next->keys[next->count++];
                memcpy(key->id, row->id, KEY_ID_CHARS); /* CHECK access_keys_id_check */
                memcpy(key->hash, row->hash.v, KEY_HASH_BYTES);
                key->scopes = scopes_of(&row->scopes);
                key->expires_at = row->expires_at;
        }
        table_replace(next);
        return ERR_OK;
}

void access_unload(void)
{
        table_replace(NULL);
}

static int compare_id(const void *id, const void *key)
{
        return strcmp(id, ((const struct known_key *)key)->id);
}

/* An unknown id is hashed and compared like a known one, so the time tells nothing. */
static bool find(const struct key_table *keys, const struct key_text *text, struct known_key *ret)
{
        static const struct known_key nobody = {.id = "nobody"};
        uint8_t hash[KEY_HASH_BYTES];
        const struct known_key *key =
                bsearch(text->id, keys->keys, keys->count, sizeof keys->keys[0], compare_id);

        bool known = key != NULL;
        if (!known)
                key = &nobody;
        key_text_hash(text, keys->secret, sizeof keys->secret, hash);
        bool same = sodium_memcmp(hash, key->hash, sizeof hash) == 0;
        *ret = *key;
        return same && known;
}

const struct principal *access_check(const char *authorization, struct instant now, struct arena *arena)
{
        struct key_text text;
        struct known_key key;

        if (authorization == NULL || !key_text_parse(authorization, &text))
                return NULL;
        pthread_rwlock_rdlock(&table_lock);
        bool found = table != NULL && find(table, &text, &key);
        pthread_rwlock_unlock(&table_lock);
        if (!found || (instant_known(key.expires_at) && now.us >= key.expires_at.us))
                return NULL;
        struct principal *principal = ARENA_NEW(arena, struct principal);
        principal->key_id = arena_strdup(arena, key.id);
        principal->scopes = key.scopes;
        principal->pii = (key.scopes & SCOPE_CUSTOMERS_PII) != 0;
        return principal;
}
