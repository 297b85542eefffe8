/* Text: growing, numbers, UTF-8. */
#include "test.h"

#include "base/err.h"
#include "base/text.h"

TEST(text_grows_byte_by_byte_and_stays_terminated)
{
        struct text text = {0};

        for (int i = 0; i < 5000; i++) {
                text_putc(&text, (char)('a' + i % 26));
                EXPECT(text.data[text.len] == '\0');
        }
        EXPECT_INT(strlen(text.data), 5000);
        EXPECT(text.data[0] == 'a' && text.data[4999] == 'a' + 4999 % 26);
        text_clear(&text);
        EXPECT_INT(text.len, 0);
        text_puts(&text, "again");
        EXPECT_TEXT(text.data, "again");
        text_free(&text);
        EXPECT(text.data == NULL && text.len == 0 && text.size == 0);
}

TEST(appending_nothing_terminates_too)
{
        struct text text = {0};

        text_append(&text, NULL, 0);
        EXPECT_TEXT(text.data, "");
        text_append(&text, "a\0b", 3);
        EXPECT_INT(text.len, 3);
        text_free(&text);
}

TEST(formatted_text_longer_than_the_buffer_is_whole)
{
        struct text text = {0};

        text_puts(&text, "x");
        text_printf(&text, "%0*d|%s", 1000, 7, "end");
        EXPECT_INT(text.len, 1005);
        EXPECT_TEXT(text.data + 1000, "7|end");
        text_free(&text);
}

TEST(numbers_are_written_from_the_smallest_to_the_largest)
{
        static const int64_t numbers[] = {0, 1, -1, 9, 10, -10, 1234567890, INT64_MAX, INT64_MIN};
        struct text text = {0};
        char expected[32];

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                text_clear(&text);
                text_put_int(&text, numbers[i]);
                snprintf(expected, sizeof expected, "%" PRId64, numbers[i]);
                EXPECT_TEXT(text.data, expected);
        }
        text_free(&text);
}

TEST(taking_hands_the_bytes_over)
{
        struct text text = {0};
        size_t len;

        text_puts(&text, "mine");
        char *data = text_take(&text, &len);
        EXPECT(len == 4 && text.data == NULL && text.len == 0);
        EXPECT_TEXT(data, "mine");
        free(data);
}

TEST(characters_are_counted_not_bytes)
{
        EXPECT_INT(text_chars(""), 0);
        EXPECT_INT(text_chars("abc"), 3);
        EXPECT_INT(text_chars("王小明"), 3);
        EXPECT_INT(text_chars("a\xF0\x9F\x98\x80z"), 3);
}

TEST(well_formed_characters_have_their_length)
{
        EXPECT_INT(text_utf8_len("a"), 1);
        EXPECT_INT(text_utf8_len("\x7F"), 1);
        EXPECT_INT(text_utf8_len("\xC2\x80"), 2);
        EXPECT_INT(text_utf8_len("\xDF\xBF"), 2);
        EXPECT_INT(text_utf8_len("\xE0\xA0\x80"), 3);
        EXPECT_INT(text_utf8_len("\xED\x9F\xBF"), 3);
        EXPECT_INT(text_utf8_len("\xEE\x80\x80"), 3);
        EXPECT_INT(text_utf8_len("\xF0\x90\x80\x80"), 4);
        EXPECT_INT(text_utf8_len("\xF4\x8F\xBF\xBF"), 4);
}

TEST(ill_formed_characters_have_none)
{
        static const char *const bad[] = {"\x80",
                                          "\xBF",
                                          "\xC0\x80",
                                          "\xC1\xBF",
                                          "\xC2",
                                          "\xC2\x61",
                                          "\xE0\x9F\xBF",
                                          "\xED\xA0\x80",
                                          "\xE1\x80",
                                          "\xE1\x80\x61",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "\xF5\x80\x80\x80",
                                          "\xF1\x80\x80",
                                          "\xFF"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                EXPECT_INT(text_utf8_len(bad[i]), 0);
}

TEST_MAIN
