/* Tokens are minted here and read in token_text.c. */
#include <sodium.h>

#include "access/installation.h"
#include "access/token_text.h"

#define TOKEN_SECONDS_MIN 60

#define SHAPE_T struct token_new
SHAPE(token_new, "What is to be lent.",
      FIELD(scopes, .need = true, .min = 1, .max = SCOPE_COUNT_, .doc = "Scopes that the key itself holds."),
      FIELD(expires_in_seconds, .min = TOKEN_SECONDS_MIN, .max = TOKEN_SECONDS_MAX, .dflt = "900",
            .doc = "How long it is good; never longer than its key."));
#undef SHAPE_T

#define SHAPE_T struct token_made
SHAPE(token_made, "A token.",
      FIELD(token, .need = true, .doc = "For Authorization: Bearer; shown once, kept nowhere."),
      FIELD(scopes), FIELD(expires_at, .need = true));
#undef SHAPE_T

/* A token can't make what outlives it. */
#define SCOPES_NOT_LENT (SCOPE_ADMIN | SCOPE_KEYS_WRITE | SCOPE_TOKENS_WRITE)

static enum err check_lent(struct ctx *c, const struct token_new *in, uint64_t *ret_scopes)
{
        uint64_t scopes = 0;

        TRY(scopes_read(c, &in->scopes, &scopes));
        for (size_t i = 0; i < in->scopes.n; i++)
                if ((scope_find(in->scopes.v[i], strlen(in->scopes.v[i])) & SCOPES_NOT_LENT) != 0)
                        fault_body(c, arena_printf(c->arena, "#/scopes/%zu", i), "not_lent",
                                   "cannot be lent to a token");
        TRY(problem_check(c));
        TRY(scopes_may_give(c, scopes));
        *ret_scopes = scopes;
        return ERR_OK;
}

enum err token_mint(struct ctx *c, const struct token_new *in, struct token_made *ret)
{
        uint8_t secret[INSTALLATION_SECRET_BYTES];
        char text[TOKEN_TEXT_MAX];
        uint64_t scopes;

        TRY(check_lent(c, in, &scopes));
        TRY(installation_secret(c, secret));
        struct instant end = access_end(c->principal);
        int64_t until = c->now.us / INSTANT_SECOND + in->expires_in_seconds;
        if (instant_known(end) && end.us / INSTANT_SECOND < until)
                until = end.us / INSTANT_SECOND;
        struct token token = {.secret_no = c->principal->secret_no, .until_seconds = until, .scopes = scopes};
        memcpy(token.key_id, c->principal->key_id, sizeof token.key_id);
        token_text_write(&token, secret, text);
        sodium_memzero(secret, sizeof secret);
        *ret = (struct token_made){.token = arena_strdup(c->arena, text),
                                   .scopes = in->scopes,
                                   .expires_at = {until * INSTANT_SECOND}};
        return ERR_OK;
}
