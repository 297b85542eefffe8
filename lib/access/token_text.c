#include "access/token_text.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/key_text.h"

#define PREFIX    "pt_"
#define VARIANT   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define PROOF_MAX (sodium_base64_ENCODED_LEN(crypto_auth_BYTES, VARIANT))
/* Of what it says, before base64: a quarter of the text is lost to that, and the proof takes its part. */
#define SAID_MAX ((TOKEN_TEXT_MAX - PROOF_MAX - sizeof PREFIX) / 4 * 3)

_Static_assert(crypto_auth_KEYBYTES == KEY_SECRET_BYTES, "the installation's secret is a key for the proof");

void token_text_write(const struct token *token, const uint8_t *secret, char ret[TOKEN_TEXT_MAX])
{
        char said[SAID_MAX], proof[PROOF_MAX];
        uint8_t mac[crypto_auth_BYTES];

        int len = snprintf(said, sizeof said, "%s %" PRId64 " %" PRId64 " ", token->key_id, token->secret_no,
                           token->until_seconds);
        for (unsigned i = 0; i < SCOPE_COUNT_; i++)
                if (token->scopes >> i & 1)
                        len += snprintf(said + len, sizeof said - (size_t)len, "%s,", scope_infos[i].name);
        assert((size_t)len < sizeof said); /* all scopes there are take a quarter of it */
        memcpy(ret, PREFIX, sizeof PREFIX);
        sodium_bin2base64(ret + strlen(PREFIX), TOKEN_TEXT_MAX - strlen(PREFIX), (const uint8_t *)said,
                          (size_t)len, VARIANT);
        crypto_auth(mac, (const uint8_t *)ret, strlen(ret), secret);
        sodium_bin2base64(proof, sizeof proof, mac, sizeof mac, VARIANT);
        size_t body = strlen(ret);
        snprintf(ret + body, TOKEN_TEXT_MAX - body, ".%s", proof);
}

static bool proof_holds(const char *text, size_t len, const char *proof, const uint8_t *secret)
{
        uint8_t mac[crypto_auth_BYTES];
        size_t mac_len;
        const char *end;

        if (sodium_base642bin(mac, sizeof mac, proof, strlen(proof), " ", &mac_len, &end, VARIANT) != 0 ||
            mac_len != sizeof mac || *end != '\0')
                return false;
        return crypto_auth_verify(mac, (const uint8_t *)text, len, secret) == 0;
}

static bool take_number(const char **p, int64_t *ret)
{
        char *end;

        *ret = strtoll(*p, &end, 10);
        if (end == *p || *end != ' ')
                return false;
        *p = end + 1;
        return true;
}

/* Only we write what a proof holds for, so this looks at no more than it needs. */
static bool said_read(const char *said, struct token *ret)
{
        const char *p = said;

        if (strlen(said) <= KEY_ID_CHARS || said[KEY_ID_CHARS] != ' ')
                return false;
        memcpy(ret->key_id, said, KEY_ID_CHARS);
        ret->key_id[KEY_ID_CHARS] = '\0';
        p += KEY_ID_CHARS + 1;
        if (!take_number(&p, &ret->secret_no) || !take_number(&p, &ret->until_seconds))
                return false;
        ret->scopes = 0;
        for (size_t len; *p != '\0'; p += len + (p[len] == ',')) {
                len = strcspn(p, ",");
                ret->scopes |= scope_find(p, len);
        }
        return true;
}

bool token_text_read(const char *authorization, const uint8_t *secret, struct token *ret)
{
        const char *text = bearer_text(authorization);
        char said[SAID_MAX + 1];
        struct token token;
        size_t len;

        if (text == NULL || strncmp(text, PREFIX, strlen(PREFIX)) != 0 || strlen(text) >= TOKEN_TEXT_MAX)
                return false;
        const char *dot = strchr(text, '.');
        if (dot == NULL || !proof_holds(text, (size_t)(dot - text), dot + 1, secret))
                return false;
        text += strlen(PREFIX);
        if (sodium_base642bin((uint8_t *)said, SAID_MAX, text, (size_t)(dot - text), NULL, &len, NULL,
                              VARIANT) != 0)
                return false;
        said[len] = '\0';
        if (!said_read(said, &token))
                return false;
        *ret = token;
        return true;
}
