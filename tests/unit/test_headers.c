/* Header values: what is taken and what is refused. */
#include "test.h"

#include "http/headers.h"

TEST(request_id_takes_64_safe_characters)
{
        EXPECT(header_request_id_sane("a"));
        EXPECT(header_request_id_sane("0123456789012345678901234567890123456789012345678901234567890.-_"));
        EXPECT(!header_request_id_sane("01234567890123456789012345678901234567890123456789012345678901234"));
        EXPECT(!header_request_id_sane(""));
        EXPECT(!header_request_id_sane("a b"));
        EXPECT(!header_request_id_sane("a\"b"));
}

TEST(traceparent_has_one_form)
{
        EXPECT(header_traceparent_sane("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        EXPECT(!header_traceparent_sane("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x"));
        EXPECT(!header_traceparent_sane("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        EXPECT(!header_traceparent_sane("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"));
        EXPECT(!header_traceparent_sane(""));
}

static const char *key_of(const char *value)
{
        static char key[IDEMPOTENCY_KEY_MAX + 1];

        return header_idempotency_key(value, key) ? key : "refused";
}

TEST(idempotency_key_is_quoted_or_bare)
{
        char longest[IDEMPOTENCY_KEY_MAX + 2];

        EXPECT_TEXT(key_of("abc"), "abc");
        EXPECT_TEXT(key_of("\"abc\""), "abc");
        EXPECT_TEXT(key_of(" \"a \\\"b\\\\\" "), "a \"b\\");
        EXPECT_TEXT(key_of(""), "refused");
        EXPECT_TEXT(key_of("\"\""), "refused");
        EXPECT_TEXT(key_of("\""), "refused");
        EXPECT_TEXT(key_of("a\"b"), "refused");
        EXPECT_TEXT(key_of("\"a\\"), "refused");
        EXPECT_TEXT(key_of("\"a\\b\""), "refused");
        EXPECT_TEXT(key_of("\"a\\\""), "refused");
        EXPECT_TEXT(key_of("\xE7\x8E\x8B"), "refused");
        EXPECT_TEXT(key_of("a\tb"), "refused");
        memset(longest, 'k', sizeof longest);
        longest[IDEMPOTENCY_KEY_MAX] = '\0';
        EXPECT_TEXT(key_of(longest), longest);
        longest[IDEMPOTENCY_KEY_MAX] = 'k';
        longest[IDEMPOTENCY_KEY_MAX + 1] = '\0';
        EXPECT_TEXT(key_of(longest), "refused");
}

static int64_t version_of(const char *value)
{
        int64_t version;

        return header_if_match(value, &version) ? version : -2;
}

TEST(if_match_takes_one_etag)
{
        EXPECT_INT(version_of("\"12\""), 12);
        EXPECT_INT(version_of("*"), 0);
        EXPECT_INT(version_of("W/\"12\""), -1);
        EXPECT_INT(version_of("\"abc\""), -1);
        EXPECT_INT(version_of("\"-3\""), -1);
        EXPECT_INT(version_of("\"012\""), -1);
        EXPECT_INT(version_of("\"99999999999999999999\""), -1);
        EXPECT_INT(version_of("\"\""), -1);
        EXPECT_INT(version_of("12"), -2);
        EXPECT_INT(version_of("\"1\", \"2\""), -2);
        EXPECT_INT(version_of(""), -2);
        EXPECT_INT(version_of("W/"), -2);
}

TEST(if_none_match_takes_a_list)
{
        EXPECT(header_none_match("\"1\", W/\"2\",\"3\"", "\"2\""));
        EXPECT(header_none_match(" *", "\"2\""));
        EXPECT(!header_none_match("\"1\", \"22\"", "\"2\""));
        EXPECT(!header_none_match("\"1,\"2\"\"", "\"2\""));
        EXPECT(!header_none_match("", "\"2\""));
}

TEST(prefer_finds_minimal)
{
        EXPECT(header_prefers_minimal("return=minimal"));
        EXPECT(header_prefers_minimal("respond-async, Return=Minimal"));
        EXPECT(!header_prefers_minimal("return=representation"));
        EXPECT(!header_prefers_minimal("foo=\"return=minimal\""));
}

TEST(accept_is_decided_by_the_most_specific_range)
{
        EXPECT(header_accepts(NULL, "application/json") > 0);
        EXPECT(header_accepts("application/json", "application/json") > 0);
        EXPECT(header_accepts("text/html, application/*;q=0.2", "application/json") > 0);
        EXPECT(header_accepts("*/*", "application/json") > 0);
        EXPECT(header_accepts("*/*;q=0, application/json; charset=utf-8 ;q=0.001", "application/json") > 0);
        EXPECT(header_accepts("text/html", "application/json") == 0);
        EXPECT(header_accepts("*/*, application/json;q=0.000", "application/json") == 0);
        EXPECT(header_accepts("application/jsonp", "application/json") == 0);
        EXPECT(header_accepts("", "application/json") == 0);
}

TEST(content_type_is_json_in_utf8)
{
        EXPECT(header_is_json("application/json", false));
        EXPECT(header_is_json("Application/JSON ; Charset=UTF-8", false));
        EXPECT(header_is_json("application/json;charset=\"utf-8\"", false));
        EXPECT(header_is_json("application/merge-patch+json", true));
        EXPECT(!header_is_json("application/merge-patch+json", false));
        EXPECT(!header_is_json("application/json; charset=latin1", false));
        EXPECT(!header_is_json("text/json", false));
        EXPECT(!header_is_json("", false));
}

TEST(length_is_a_number)
{
        uint64_t length = 0;

        EXPECT(header_length("123", &length));
        EXPECT_INT(length, 123);
        EXPECT(!header_length("", &length));
        EXPECT(!header_length("-1", &length));
        EXPECT(!header_length("1x", &length));
        EXPECT(!header_length("99999999999999999999999", &length));
}

TEST_MAIN
