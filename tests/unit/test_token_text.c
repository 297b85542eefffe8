/* The text of short-lived tokens. */
#include "test.h"

#include <sodium.h>

#include "access/token_text.h"

static const uint8_t secret[KEY_SECRET_BYTES] = {1, 2, 3}, other_secret[KEY_SECRET_BYTES] = {1, 2, 4};

static struct token some_token(void)
{
        return (struct token){.key_id = "0123456789ab",
                              .secret_no = 3,
                              .until_seconds = 1800000000,
                              .scopes = SCOPE_CUSTOMERS_READ | SCOPE_AUDIT_READ};
}

static bool read_text(const char *text, const uint8_t *with, struct token *ret)
{
        char header[TOKEN_TEXT_MAX + 32];

        snprintf(header, sizeof header, "Bearer %s", text);
        return token_text_read(header, with, ret);
}

TEST(token_text_comes_back_as_it_was)
{
        struct token token = some_token(), read;
        char text[TOKEN_TEXT_MAX];

        token_text_write(&token, secret, text);
        EXPECT(read_text(text, secret, &read));
        EXPECT_TEXT(read.key_id, "0123456789ab");
        EXPECT_INT(read.secret_no, 3);
        EXPECT_INT(read.until_seconds, 1800000000);
        EXPECT_INT(read.scopes, token.scopes);
}

TEST(token_text_has_room_for_all_scopes)
{
        struct token token = some_token(), read;
        char text[TOKEN_TEXT_MAX];

        token.scopes = (UINT64_C(1) << SCOPE_COUNT_) - 1;
        token_text_write(&token, secret, text);
        EXPECT(read_text(text, secret, &read) && read.scopes == token.scopes);
}

TEST(token_text_of_another_installation_is_nothing)
{
        struct token token = some_token(), read;
        char text[TOKEN_TEXT_MAX];

        token_text_write(&token, secret, text);
        EXPECT(!read_text(text, other_secret, &read));
}

/* Every character counts, but for spare bits of the last one of a base64 part, which must be 0. */
TEST(token_text_with_any_character_changed_is_nothing)
{
        static const char others[] = "ABCZabcz0189-_. ";
        struct token token = some_token(), read;
        char text[TOKEN_TEXT_MAX];

        token_text_write(&token, secret, text);
        size_t len = strlen(text);
        for (size_t i = 0; i < len; i++) {
                char kept = text[i];
                for (const char *other = others; *other != '\0'; other++) {
                        text[i] = *other;
                        bool at_end = i == len - 1 && *other == ' '; /* a cut and a space: shorter by one */
                        if (*other != kept && !at_end)
                                EXPECT(!read_text(text, secret, &read));
                }
                text[i] = kept;
        }
        text[len - 1] = '\0';
        EXPECT(!read_text(text, secret, &read));
}

TEST(token_text_of_another_form_is_nothing)
{
        static const char *const bad[] = {"",      "pt_", "pt_.", "pt_a", "pt_a.b", "pt_MDEyMzQ1Njc4OWFi.",
                                          "pk_a.b"};
        struct token read;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                EXPECT(!read_text(bad[i], secret, &read));
        EXPECT(!token_text_read("Basic pt_a.b", secret, &read));
}

int main(void)
{
        if (sodium_init() < 0)
                return EXIT_FAILURE;
        return test_run_all();
}
