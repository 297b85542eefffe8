/* The origins that may call from a browser. */
#include "test.h"

#include "http/cors.h"

#define SHOP  "https://shop.example"
#define ADMIN "https://admin.example:8443"

static bool fault_is(const char *setting, const char *word)
{
        size_t len;
        const char *fault = cors_fault(setting, &len);

        return fault != NULL && strlen(word) == len && strncmp(fault, word, len) == 0;
}

TEST(cors_setting_takes_origins_and_a_lone_star)
{
        static const char *const good[] = {"",
                                           " ",
                                           "*",
                                           SHOP,
                                           SHOP ", " ADMIN,
                                           SHOP " " ADMIN,
                                           "http://localhost:3000",
                                           "http://[::1]:8080"};
        size_t len;

        EXPECT(cors_fault(NULL, &len) == NULL);
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
                EXPECT(cors_fault(good[i], &len) == NULL);
}

TEST(cors_setting_names_the_word_that_is_no_origin)
{
        EXPECT(fault_is(SHOP "/", SHOP "/"));
        EXPECT(fault_is(SHOP ",shop.example", "shop.example"));
        EXPECT(fault_is("https://", "https://"));
        EXPECT(fault_is("https://*.example", "https://*.example"));
        EXPECT(fault_is(SHOP ",*", "*"));
        EXPECT(fault_is("* " SHOP, SHOP));
        EXPECT(fault_is("https://Shop.example", "https://Shop.example")); /* browsers send lower case */
}

TEST(cors_allows_exactly_the_origins_of_the_list)
{
        const char *setting = SHOP "," ADMIN;

        EXPECT_TEXT(cors_allowed(setting, SHOP), SHOP);
        EXPECT_TEXT(cors_allowed(setting, ADMIN), ADMIN);
        EXPECT(cors_allowed(setting, "https://shop.example.evil") == NULL);
        EXPECT(cors_allowed(setting, "http://shop.example") == NULL);
        EXPECT(cors_allowed(setting, "https://admin.example") == NULL);
        EXPECT(cors_allowed(setting, "null") == NULL);
        EXPECT(cors_allowed(setting, NULL) == NULL);
        EXPECT(cors_allowed(NULL, SHOP) == NULL && cors_allowed("", SHOP) == NULL);
        EXPECT_TEXT(cors_allowed("*", SHOP), "*");
}

TEST(cors_answers_vary_by_origin_only_where_they_do)
{
        EXPECT(cors_varies(SHOP));
        EXPECT(!cors_varies("*") && !cors_varies(NULL) && !cors_varies("") && !cors_varies(" "));
}

TEST_MAIN
