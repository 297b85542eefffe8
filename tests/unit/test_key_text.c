#include "test.h"

#include <sodium.h>

#include "access/key_text.h"

#define ID     "0123456789ab"
#define SECRET "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

TEST(key_text_takes_a_bearer_key_apart)
{
        struct key_text key;

        EXPECT(key_text_parse("Bearer pk_" ID "_" SECRET, &key));
        EXPECT_TEXT(key.id, ID);
        EXPECT_TEXT(key.secret, SECRET);
        EXPECT(key_text_parse("bearer   pk_" ID "_" SECRET "  ", &key)); /* RFC 9110: any case, 1*SP */
}

TEST(key_text_refuses_every_other_form)
{
        static const char *const bad[] = {
                "",
                "Bearer",
                "Bearer ",
                "Basic pk_" ID "_" SECRET,
                "pk_" ID "_" SECRET,
                "Bearer pk_" ID,
                "Bearer pk_" ID "_",
                "Bearer pk_" ID SECRET,
                "Bearer PK_" ID "_" SECRET,
                "Bearer pk_" ID "__" SECRET,
                "Bearer pk_" ID "_" SECRET "0",
                "Bearer pk_" ID "_" SECRET " x",
                "Bearer pk_0123456789AB_" SECRET,
                "Bearer pk_" ID "_g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                "Bearer\tpk_" ID "_" SECRET,
        };
        struct key_text key;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                EXPECT(!key_text_parse(bad[i], &key));
                if (key_text_parse(bad[i], &key))
                        printf("  taken: %s\n", bad[i]);
        }
}

TEST(key_text_of_a_new_key_comes_back_and_never_repeats)
{
        char first[KEY_TEXT_SIZE], second[KEY_TEXT_SIZE], header[KEY_TEXT_SIZE + 16];
        struct key_text key = key_text_new(), other = key_text_new(), parsed;

        key_text_write(&key, first);
        key_text_write(&other, second);
        EXPECT(strcmp(first, second) != 0 && strcmp(key.id, other.id) != 0 &&
               strcmp(key.secret, other.secret) != 0);
        EXPECT_INT(strlen(first), KEY_TEXT_SIZE - 1);
        snprintf(header, sizeof header, "Bearer %s", first);
        EXPECT(key_text_parse(header, &parsed));
        EXPECT_TEXT(parsed.id, key.id);
        EXPECT_TEXT(parsed.secret, key.secret);
}

TEST(key_text_hash_depends_on_id_secret_and_installation)
{
        const uint8_t mine[32] = {1}, yours[32] = {2};
        struct key_text key = {ID, SECRET}, other_id = {"0123456789ac", SECRET}, other_secret = key;
        uint8_t hash[KEY_HASH_BYTES], again[KEY_HASH_BYTES];

        other_secret.secret[0] = 'f';
        key_text_hash(&key, mine, sizeof mine, hash);
        key_text_hash(&key, mine, sizeof mine, again);
        EXPECT(memcmp(hash, again, sizeof hash) == 0);
        key_text_hash(&key, yours, sizeof yours, again);
        EXPECT(memcmp(hash, again, sizeof hash) != 0);
        key_text_hash(&other_id, mine, sizeof mine, again);
        EXPECT(memcmp(hash, again, sizeof hash) != 0);
        key_text_hash(&other_secret, mine, sizeof mine, again);
        EXPECT(memcmp(hash, again, sizeof hash) != 0);
}

TEST(scopes_parse_takes_known_names_only)
{
        EXPECT_INT(scopes_parse("orders:write, customers:read"), SCOPE_ORDERS_WRITE | SCOPE_CUSTOMERS_READ);
        EXPECT_INT(scopes_parse("admin"), SCOPE_ADMIN);
        EXPECT_INT(scopes_parse("orders"), 0);
        EXPECT_INT(scopes_parse("orders:write orders:delete"), 0);
        EXPECT_INT(scopes_parse(" , "), 0);
        for (unsigned i = 0; i < SCOPE_COUNT_; i++)
                EXPECT_INT(scopes_parse(scope_infos[i].name), INT64_C(1) << i);
}

int main(void)
{
        if (sodium_init() < 0)
                return EXIT_FAILURE;
        return test_run_all();
}
