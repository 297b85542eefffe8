/* The text of a key and what an Authorization header says: pure. */
#pragma once

#include <stdbool.h>

#include "access/access.h"

/* "pk_<id>_<secret>" with NUL. */
#define KEY_TEXT_SIZE (sizeof "pk__" + KEY_ID_CHARS + KEY_SECRET_CHARS)

/* A key, taken apart and still in hexadecimal. */
struct key_text {
        char id[KEY_ID_CHARS + 1];
        char secret[KEY_SECRET_CHARS + 1];
};

/* What follows "Bearer" and its spaces, or NULL. The scheme's case does not matter. */
const char *bearer_text(const char *authorization);

/* Take "Bearer pk_<id>_<secret>" apart; false when it has another form. */
bool key_text_parse(const char *authorization, struct key_text *ret);

/* A new key of random bytes. */
struct key_text key_text_new(void);

/* A new secret for a key that keeps its id. */
struct key_text key_text_renew(const char *id);

void key_text_write(const struct key_text *key, char ret[KEY_TEXT_SIZE]);

/* The hash that is kept, keyed with the installation's secret; it covers the id too, so that a hash copied to
 * another row opens nothing. */
void key_text_hash(const struct key_text *key, const uint8_t *secret, size_t secret_len,
                   uint8_t ret[KEY_HASH_BYTES]);
