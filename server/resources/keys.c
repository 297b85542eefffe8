/* /v1/keys and /v1/tokens */
#include "access/access.h"
#include "resources/common.h"

struct key_path {
        const char *key;
};
#define KEY_PATH FIELD(key, .in = IN_PATH, .need = true, .max = KEY_ID_CHARS, .doc = "Its id.")
#define SHAPE_T  struct key_path
SHAPE(key_path, "A key.", KEY_PATH);
#undef SHAPE_T

struct keys_query {
        PAGE_QUERY;
};
#define SHAPE_T struct keys_query
SHAPE(keys_query, "Which page.", PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct keys_page {
        PAGE_OF(struct key_info);
};
#define SHAPE_T struct keys_page
SHAPE(keys_page, "A page of keys.", PAGE_FIELDS(key_info));
#undef SHAPE_T

struct keys_position {
        struct instant at;
        const char *id;
};
#define SHAPE_T struct keys_position
SHAPE(keys_position, "The last one shown.", FIELD(at), FIELD(id));
#undef SHAPE_T

ENDPOINT(key_list_all, GET, "/v1/keys", keys_query, 200, keys_page, .summary = "List keys",
         .scope = SCOPE_KEYS_READ, .errors = ERRS(ERR_BAD_CURSOR), .doc = "Oldest first, revoked ones too.")
{
        struct keys_position at = {0};
        struct list rows;

        TRY(cursor_read(c, in->cursor, "keys", &keys_position_shape, &at));
        TRY(key_list(c, &(struct key_page){at.at, at.id, PAGE_LIMITS(in, out)}, &rows));
        const struct key_info *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at = (struct keys_position){last->created_at, last->id};
                out->next_cursor = cursor_write(c->arena, "keys", &keys_position_shape, &at);
        }
        return ERR_OK;
}

/* A kept answer would keep the secret: these calls take no Idempotency-Key. */
ENDPOINT(
        key_make, POST, "/v1/keys", key_new, 201, key_made, .idempotency = IDEMPOTENCY_NATURAL,
        .summary = "Make a key", .scope = SCOPE_KEYS_WRITE,
        .doc = "The key is shown once. It can be given only scopes that the caller's key holds. Good on every server within a "
               "second.")
{
        TRY(key_create(c, in, out));
        c->reply->location = arena_printf(c->arena, "/v1/keys/%s", out->id);
        return ERR_OK;
}

ENDPOINT(key_get_one, GET, "/v1/keys/{key}", key_path, 200, key_info, .summary = "Get a key",
         .scope = SCOPE_KEYS_READ, .errors = ERRS(ERR_NOT_FOUND), .doc = "Without its secret.")
{
        return key_get(c, in->key, out);
}

struct key_rotation {
        const char *key;
        int64_t overlap_seconds;
};
#define SHAPE_T struct key_rotation
SHAPE(key_rotation, "How to rotate.", KEY_PATH,
      FIELD(overlap_seconds, .from_zero = true, .max = KEY_OVERLAP_MAX_SECONDS, .dflt = "86400",
            .doc = "How long the old secret stays good; 0 when somebody else knows it."));
#undef SHAPE_T

ENDPOINT(
        key_rotate_one, POST, "/v1/keys/{key}/rotate", key_rotation, 200, key_made,
        .idempotency = IDEMPOTENCY_NATURAL, .summary = "Give a key a new secret", .scope = SCOPE_KEYS_WRITE,
        .errors = ERRS(ERR_NOT_FOUND, ERR_KEY_REVOKED),
        .doc = "The new secret is shown once; id, scopes and limits stay. A secret that was replaced earlier ends now.")
{
        return key_rotate(c, in->key, in->overlap_seconds, out);
}

ENDPOINT(key_revoke_one, DELETE, "/v1/keys/{key}", key_path, 204, nothing, .summary = "Revoke a key",
         .scope = SCOPE_KEYS_WRITE, .errors = ERRS(ERR_NOT_FOUND),
         .doc = "For good, with its tokens, on every server within a second. Doing it again changes nothing.")
{
        (void)out;
        return key_revoke(c, in->key);
}

ENDPOINT(
        token_mint_one, POST, "/v1/tokens", token_new, 200, token_made, .idempotency = IDEMPOTENCY_NATURAL,
        .summary = "Mint a short-lived token", .scope = SCOPE_TOKENS_WRITE,
        .doc = "For a browser: some of the key's scopes for at most an hour. It is used like a key, keeps to the key's networks and "
               "rate, and ends with the key or with the secret it was minted under. admin, keys:write and tokens:write are "
               "not lent.")
{
        return token_mint(c, in, out);
}

RESOURCE(keys, "Keys", "Who may call, what they may do, from where and how often.", &key_list_all_endpoint,
         &key_make_endpoint, &key_get_one_endpoint, &key_rotate_one_endpoint, &key_revoke_one_endpoint,
         &token_mint_one_endpoint);
