#include "test.h"

#include <ctype.h>

#include "coupons/code.h"

#define ROUNDS 2000

static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";

static enum coupon_code_form form_of(const char *text)
{
        char code[COUPON_CODE_SIZE];

        return coupon_code_read(text, code);
}

TEST(coupon_code_made_is_read_however_it_is_typed)
{
        for (int i = 0; i < ROUNDS; i++) {
                char code[COUPON_CODE_SIZE], typed[64] = "", read[COUPON_CODE_SIZE];
                size_t n = 0;

                coupon_code_make(code);
                for (const char *at = code; *at != '\0'; at++) {
                        if (*at == '-') {
                                EXPECT_INT((at - code) % 5, 4);
                                continue;
                        }
                        EXPECT(strchr(letters, *at) != NULL);
                        typed[n++] = test_between(0, 1) == 1 ? (char)tolower(*at) : *at;
                        if (test_between(0, 3) == 0)
                                typed[n++] = ' ';
                }
                EXPECT_INT(coupon_code_read(typed, read), COUPON_CODE_OK);
                EXPECT_TEXT(read, code);
        }
}

TEST(coupon_code_with_one_wrong_character_is_always_found)
{
        char code[COUPON_CODE_SIZE], wrong[COUPON_CODE_SIZE];

        for (int round = 0; round < 20; round++) {
                coupon_code_make(code);
                for (size_t at = 0; code[at] != '\0'; at++) {
                        if (code[at] == '-')
                                continue;
                        for (const char *letter = letters; *letter != '\0'; letter++) {
                                strcpy(wrong, code);
                                wrong[at] = *letter;
                                EXPECT_INT(form_of(wrong),
                                           *letter == code[at] ? COUPON_CODE_OK : COUPON_CODE_MISTYPED);
                        }
                }
        }
}

TEST(coupon_code_with_two_characters_swapped_is_always_found)
{
        char code[COUPON_CODE_SIZE], wrong[COUPON_CODE_SIZE];

        for (int round = 0; round < 20; round++) {
                coupon_code_make(code);
                for (size_t a = 0; code[a] != '\0'; a++)
                        for (size_t b = a + 1; code[b] != '\0'; b++) {
                                if (code[a] == '-' || code[b] == '-' || code[a] == code[b])
                                        continue;
                                strcpy(wrong, code);
                                wrong[a] = code[b];
                                wrong[b] = code[a];
                                EXPECT_INT(form_of(wrong), COUPON_CODE_MISTYPED);
                        }
        }
}

TEST(coupon_code_uses_all_characters_evenly)
{
        int seen[256] = {0}, codes = 31 * 400;
        char code[COUPON_CODE_SIZE];

        for (int i = 0; i < codes; i++) {
                coupon_code_make(code);
                for (size_t at = 0; at < sizeof code - 1; at++)
                        seen[(unsigned char)code[at]]++;
        }
        for (const char *letter = letters; *letter != '\0';
             letter++) /* 6400 each; 8 standard deviations are 640 */
                EXPECT(seen[(unsigned char)*letter] > 5760 && seen[(unsigned char)*letter] < 7040);
}

TEST(coupon_code_tells_mistyped_from_foreign)
{
        EXPECT_INT(form_of("0000-0000-0000-0000"), COUPON_CODE_MISTYPED);
        EXPECT_INT(form_of("2222-2222-2222-2222"), COUPON_CODE_OK); /* all zero: the sum is */
        EXPECT_INT(form_of("2222-2222-2222-222"), COUPON_CODE_FOREIGN);
        EXPECT_INT(form_of("2222-2222-2222-2222-2"), COUPON_CODE_FOREIGN);
        EXPECT_INT(form_of("2222_2222_2222_2222"), COUPON_CODE_FOREIGN);
        EXPECT_INT(form_of("SUMMER"), COUPON_CODE_FOREIGN);
        EXPECT_INT(form_of(""), COUPON_CODE_FOREIGN);
        EXPECT_INT(form_of("\xc3\xa4"), COUPON_CODE_FOREIGN);
}

TEST(coupon_names_are_read_in_order_and_once)
{
        struct arena *arena = arena_new();
        char first[COUPON_CODE_SIZE], second[COUPON_CODE_SIZE];

        coupon_code_make(first);
        coupon_code_make(second);
        struct coupon_names names = coupon_names_read(
                arena, arena_printf(arena, "%s, SUMMER,%s,%s,0000000000000000", first, second, first));
        EXPECT_INT(names.n, 2);
        EXPECT_INT(names.foreign, 1);
        EXPECT_INT(names.mistyped, 1);
        EXPECT_TEXT(names.codes[0], first);
        EXPECT_TEXT(names.codes[1], second);
        EXPECT_TEXT(names.text, arena_printf(arena, "%s, SUMMER,%s,0000000000000000", first, second));
        EXPECT(!names.too_many);
        EXPECT(coupon_names_read(arena, NULL).text == NULL);
        const char *many = first;
        for (int i = 0; i < COUPONS_PER_ORDER_MAX; i++) {
                coupon_code_make(second);
                many = arena_printf(arena, "%s,%s", many, second);
        }
        names = coupon_names_read(arena, many);
        EXPECT_INT(names.n, COUPONS_PER_ORDER_MAX);
        EXPECT(names.too_many);
        arena_free(arena);
}

TEST_MAIN
