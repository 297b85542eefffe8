/* The keys in memory and the check of each request. The SQL that changes keys is in keys.c. */
#include "access/access.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "access/installation.h"
#include "access/key_text.h"
#include "access/token_text.h"
#include "db/statement.h"

#define US_NS 1000

/* A key as the check needs it, without pointers: the table is one block. */
struct known_key {
        char id[KEY_ID_CHARS + 1];
        uint8_t hash[KEY_HASH_BYTES], previous_hash[KEY_HASH_BYTES];
        struct instant previous_until; /* none: there is no previous secret */
        uint64_t scopes;
        struct instant expires_at;
        int64_t secret_no;
        struct bucket_policy limit;
        size_t network_count; /* 0: from everywhere */
        struct network networks[KEY_NETWORKS_MAX];

        _Atomic int64_t full_at_ns; /* the bucket */
        _Atomic int64_t used_us;    /* last use, 0: none since the start */
        _Atomic int64_t stored_us;  /* the part of it that the database knows */
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
        struct bytes hash, previous_hash;
        struct texts scopes, networks;
        struct instant expires_at, previous_until;
        struct opt_int rate_per_second, rate_burst;
        int64_t secret_no;
};
#define SHAPE_T struct key_row
SHAPE(key_row, "A live key.", FIELD(id), FIELD(hash), FIELD(previous_hash), FIELD(scopes), FIELD(networks),
      FIELD(expires_at), FIELD(previous_until), FIELD(rate_per_second), FIELD(rate_burst), FIELD(secret_no));
#undef SHAPE_T

SQL_MANY(
        keys_live, nothing, key_row,
        "SELECT id, hash, previous_hash, scopes, networks, expires_at, previous_until, rate_per_second, rate_burst, "
        "secret_no FROM access_keys WHERE revoked_at IS NULL ORDER BY id COLLATE \"C\"")

struct key_use {
        const char *id;
        struct instant used_at;
};
#define SHAPE_T struct key_use
SHAPE(key_use, "When a key was used.", FIELD(id), FIELD(used_at));
#undef SHAPE_T

SQL_BATCH(keys_used, key_use,
          "UPDATE access_keys k SET last_used_at = n.at FROM unnest(:id, :used_at) AS n(id, at) "
          "WHERE k.id = n.id AND (k.last_used_at IS NULL OR k.last_used_at < n.at)")

/* ------------------------------------------------------------------ the table */

static int compare_id(const void *id, const void *key)
{
        return strcmp(id, ((const struct known_key *)key)->id);
}

static struct known_key *key_find(struct key_table *keys, const char *id)
{
        if (keys == NULL)
                return NULL;
        return bsearch(id, keys->keys, keys->count, sizeof keys->keys[0], compare_id);
}

/* What was counted goes on being counted. */
static void counts_take_over(struct key_table *next, struct key_table *old)
{
        for (size_t i = 0; i < next->count; i++) {
                struct known_key *key = &next->keys[i], *known = key_find(old, key->id);
                if (known == NULL)
                        continue;
                atomic_init(&key->full_at_ns, atomic_load(&known->full_at_ns));
                atomic_init(&key->used_us, atomic_load(&known->used_us));
                atomic_init(&key->stored_us, atomic_load(&known->stored_us));
        }
}

static void table_replace(struct key_table *next)
{
        pthread_rwlock_wrlock(&table_lock);
        struct key_table *old = table;
        if (next != NULL)
                counts_take_over(next, old);
        table = next;
        pthread_rwlock_unlock(&table_lock);
        if (old != NULL)
                sodium_memzero(old, sizeof *old + old->count * sizeof old->keys[0]);
        free(old);
}

static void key_fill(struct known_key *key, const struct key_row *row)
{
        memcpy(key->id, row->id, KEY_ID_CHARS); /* CHECK access_keys_id_check */
        memcpy(key->hash, row->hash.v, KEY_HASH_BYTES);
        if (row->previous_hash.v != NULL)
                memcpy(key->previous_hash, row->previous_hash.v, KEY_HASH_BYTES);
        key->previous_until = row->previous_until;
        key->scopes = scopes_held(&row->scopes);
        key->expires_at = row->expires_at;
        key->secret_no = row->secret_no;
        key->limit = (struct bucket_policy){row->rate_per_second.v, row->rate_burst.v};
}

/* A network that can't be read must not open the key to everywhere, so the key is not taken. */
static bool networks_fill(struct known_key *key, const struct key_row *row)
{
        if (row->networks.n > KEY_NETWORKS_MAX)
                return false;
        for (size_t i = 0; i < row->networks.n; i++)
                if (!network_parse(row->networks.v[i], &key->networks[key->network_count++]))
                        return false;
        return true;
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
                struct known_key *key = &next->keys[next->count];
                key_fill(key, row);
                if (networks_fill(key, row))
                        next->count++;
                else
                        memset(key, 0, sizeof *key);
        }
        table_replace(next);
        return ERR_OK;
}

void access_unload(void)
{
        table_replace(NULL);
}

/* ------------------------------------------------------------------ the check */

/* What a request's key or token lends it. */
struct identity_proof {
        struct known_key *key;
        uint64_t scopes;
        int64_t secret_no;
        bool token;
};

static bool previous_holds(const struct known_key *key, struct instant now)
{
        return instant_known(key->previous_until) && now.us < key->previous_until.us;
}

/* An unknown id is hashed and compared like a known one, so the time tells nothing. */
static bool key_proven(struct key_table *keys, const struct key_text *text, struct instant now,
                       struct identity_proof *ret)
{
        static struct known_key nobody = {.id = "nobody"};
        uint8_t hash[KEY_HASH_BYTES];
        struct known_key *key = key_find(keys, text->id);

        bool known = key != NULL;
        if (!known)
                key = &nobody;
        key_text_hash(text, keys->secret, sizeof keys->secret, hash);
        bool same = sodium_memcmp(hash, key->hash, sizeof hash) == 0;
        bool same_as_before = sodium_memcmp(hash, key->previous_hash, sizeof hash) == 0;
        bool previous = same_as_before && previous_holds(key, now);
        *ret = (struct identity_proof){
                .key = key, .scopes = key->scopes, .secret_no = key->secret_no - (previous ? 1 : 0)};
        return known && (same || previous);
}

static bool token_proven(struct key_table *keys, const char *authorization, struct instant now,
                         struct identity_proof *ret)
{
        struct token token;

        if (!token_text_read(authorization, keys->secret, &token) ||
            now.us >= token.until_seconds * INSTANT_SECOND)
                return false;
        struct known_key *key = key_find(keys, token.key_id);
        if (key == NULL)
                return false;
        bool previous = token.secret_no == key->secret_no - 1 && previous_holds(key, now);
        *ret = (struct identity_proof){.key = key,
                                       .scopes = token.scopes & key->scopes,
                                       .secret_no = token.secret_no,
                                       .token = true};
        return token.secret_no == key->secret_no || previous;
}

static bool proven(struct key_table *keys, const struct access_request *request, struct identity_proof *ret)
{
        struct key_text text;

        if (keys == NULL || request->authorization == NULL)
                return false;
        bool good = key_text_parse(request->authorization, &text)
                            ? key_proven(keys, &text, request->now, ret)
                            : token_proven(keys, request->authorization, request->now, ret);
        return good && (!instant_known(ret->key->expires_at) || request->now.us < ret->key->expires_at.us);
}

static bool comes_from_allowed(const struct known_key *key, const struct network_address *from)
{
        for (size_t i = 0; i < key->network_count; i++)
                if (network_holds(&key->networks[i], from))
                        return true;
        return key->network_count == 0;
}

static bool bucket_of_key_take(struct known_key *key, int64_t now_ns, struct bucket_level *ret)
{
        int64_t before = atomic_load(&key->full_at_ns), after;
        bool taken;

        do {
                after = before;
                taken = bucket_take(key->limit, now_ns, &after, ret);
        } while (taken && !atomic_compare_exchange_weak(&key->full_at_ns, &before, after));
        return taken;
}

static enum access_result judge(const struct access_request *request, const struct identity_proof *proof,
                                struct access_grant *grant)
{
        struct known_key *key = proof->key;

        atomic_store(&key->used_us, request->now.us);
        if (!comes_from_allowed(key, &request->from))
                return ACCESS_ELSEWHERE;
        grant->limit = key->limit;
        if (key->limit.per_second > 0 &&
            !bucket_of_key_take(key, request->monotonic_us * US_NS, &grant->level))
                return ACCESS_TOO_OFTEN;
        return ACCESS_GRANTED;
}

enum access_result access_check(const struct access_request *request, struct arena *arena,
                                struct access_grant *ret)
{
        enum access_result result = ACCESS_UNKNOWN;
        struct identity_proof proof;

        *ret = (struct access_grant){0};
        pthread_rwlock_rdlock(&table_lock);
        if (proven(table, request, &proof)) {
                struct principal *principal = ARENA_NEW(arena, struct principal);
                *principal = (struct principal){.key_id = arena_strdup(arena, proof.key->id),
                                                .scopes = proof.scopes,
                                                .pii = (proof.scopes & SCOPE_CUSTOMERS_PII) != 0,
                                                .token = proof.token,
                                                .secret_no = proof.secret_no};
                ret->principal = principal;
                result = judge(request, &proof, ret);
        }
        pthread_rwlock_unlock(&table_lock);
        return result;
}

/* ------------------------------------------------------------------ last use */

static size_t uses_collect(struct arena *arena, struct key_use **ret)
{
        size_t n = 0;

        pthread_rwlock_rdlock(&table_lock);
        size_t most = table != NULL ? table->count : 0;
        *ret = ARENA_ARRAY(arena, most, struct key_use);
        for (size_t i = 0; i < most; i++) {
                const struct known_key *key = &table->keys[i];
                int64_t used_us = atomic_load(&key->used_us);
                if (used_us > atomic_load(&key->stored_us))
                        (*ret)[n++] = (struct key_use){arena_strdup(arena, key->id), {used_us}};
        }
        pthread_rwlock_unlock(&table_lock);
        return n;
}

static void uses_stored(const struct key_use *uses, size_t n)
{
        pthread_rwlock_rdlock(&table_lock);
        for (size_t i = 0; i < n; i++) {
                struct known_key *key = key_find(table, uses[i].id);
                if (key != NULL)
                        atomic_store(&key->stored_us, uses[i].used_at.us);
        }
        pthread_rwlock_unlock(&table_lock);
}

enum err access_store_use(struct ctx *c)
{
        struct key_use *uses;
        size_t n = uses_collect(c->arena, &uses);

        if (n == 0)
                return ERR_OK;
        TX(tx);
        TRY(tx_begin(c, &tx));
        TRY(keys_used(c, uses, n));
        TRY(tx_commit(&tx));
        uses_stored(uses, n);
        return ERR_OK;
}

struct instant access_end(const struct principal *principal)
{
        struct instant end = {0};

        pthread_rwlock_rdlock(&table_lock);
        const struct known_key *key = key_find(table, principal->key_id);
        if (key != NULL) {
                end = key->expires_at;
                bool previous = principal->secret_no < key->secret_no;
                if (previous && (!instant_known(end) || key->previous_until.us < end.us))
                        end = key->previous_until;
        }
        pthread_rwlock_unlock(&table_lock);
        return end;
}
