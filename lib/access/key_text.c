#include "access/key_text.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <strings.h>

/* Exactly n lower-case hexadecimal digits at *p; moves *p behind them. */
static bool take_hex(const char **p, size_t n, char *ret)
{
        if (strspn(*p, "0123456789abcdef") < n)
                return false;
        memcpy(ret, *p, n);
        ret[n] = '\0';
        *p += n;
        return true;
}

static bool take(const char **p, const char *word)
{
        size_t len = strlen(word);

        if (strncasecmp(*p, word, len) != 0)
                return false;
        *p += len;
        return true;
}

const char *bearer_text(const char *authorization)
{
        const char *p = authorization;

        if (!take(&p, "Bearer "))
                return NULL;
        return p + strspn(p, " ");
}

bool key_text_parse(const char *authorization, struct key_text *ret)
{
        const char *p = bearer_text(authorization);
        struct key_text key;

        if (p == NULL || strncmp(p, "pk_", 3) != 0)
                return false;
        p += 3;
        if (!take_hex(&p, KEY_ID_CHARS, key.id) || !take(&p, "_") ||
            !take_hex(&p, KEY_SECRET_CHARS, key.secret))
                return false;
        p += strspn(p, " ");
        if (*p != '\0')
                return false;
        *ret = key;
        return true;
}

/* The id is left to the caller. */
static struct key_text new_secret(void)
{
        uint8_t secret[KEY_SECRET_BYTES];
        struct key_text key = {{0}, {0}};

        randombytes_buf(secret, sizeof secret);
        sodium_bin2hex(key.secret, sizeof key.secret, secret, sizeof secret);
        sodium_memzero(secret, sizeof secret);
        return key;
}

struct key_text key_text_new(void)
{
        uint8_t id[KEY_ID_CHARS / 2];
        struct key_text key = new_secret();

        randombytes_buf(id, sizeof id);
        sodium_bin2hex(key.id, sizeof key.id, id, sizeof id);
        return key;
}

struct key_text key_text_renew(const char *id)
{
        struct key_text key = new_secret();

        assert(strlen(id) == KEY_ID_CHARS);
        memcpy(key.id, id, KEY_ID_CHARS);
        return key;
}

void key_text_write(const struct key_text *key, char ret[KEY_TEXT_SIZE])
{
        snprintf(ret, KEY_TEXT_SIZE, "pk_%s_%s", key->id, key->secret);
}

void key_text_hash(const struct key_text *key, const uint8_t *secret, size_t secret_len,
                   uint8_t ret[KEY_HASH_BYTES])
{
        char text[KEY_TEXT_SIZE];

        key_text_write(key, text);
        int failed = crypto_generichash(ret, KEY_HASH_BYTES, (const uint8_t *)text, strlen(text), secret,
                                        secret_len);
        assert(failed == 0); /* only wrong lengths make it fail */
        (void)failed;
        sodium_memzero(text, sizeof text);
}
