/* Short-lived tokens: what a key lends to a browser. No row is kept: a token says what it may, until when,
 * and under which secret of which key it was made, and carries a proof of that by the installation's secret.
 * It is good as long as its key is: pure, whoever asks looks the key up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "access/access.h"

/* Longest text of a token: its scopes are by name, so that servers of two versions understand each other. */
#define TOKEN_TEXT_MAX 2048

struct token {
        char key_id[KEY_ID_CHARS + 1];
        int64_t secret_no; /* of the key when it was made: a rotation ends it with the secret */
        int64_t until_seconds;
        uint64_t scopes;
};

/* "pt_<what it says>.<proof>", NUL included. The secret has 32 bytes. */
void token_text_write(const struct token *token, const uint8_t *secret, char ret[TOKEN_TEXT_MAX]);

/* Take "Bearer pt_..." apart; false when it has another form or the proof is wrong. A scope that this binary
 * does not know gives nothing. */
bool token_text_read(const char *authorization, const uint8_t *secret, struct token *ret);
