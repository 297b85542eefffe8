/* The parts of patron-load that could silently measure wrongly. */
#include "unit/test.h"

#include "histogram.h"
#include "request.h"
#include "response.h"

TEST(histogram_permille_is_within_one_percent)
{
        static struct histogram histogram;

        for (uint64_t value = 1; value <= 1000000; value++)
                histogram_add(&histogram, value);
        EXPECT_INT(histogram.count, 1000000);
        EXPECT_INT(histogram.max, 1000000);
        for (unsigned permille = 1; permille <= 1000; permille++) {
                uint64_t exact = UINT64_C(1000) * permille, got = histogram_permille(&histogram, permille);
                EXPECT(got >= exact && got <= exact + exact / 100);
        }
}

TEST(histogram_small_and_huge_values_are_kept)
{
        static struct histogram histogram;

        EXPECT_INT(histogram_permille(&histogram, 500), 0);
        histogram_add(&histogram, 0);
        histogram_add(&histogram, 7);
        histogram_add(&histogram, UINT64_MAX);
        EXPECT_INT(histogram_permille(&histogram, 333), 0);
        EXPECT_INT(histogram_permille(&histogram, 500), 7);
        EXPECT(histogram_permille(&histogram, 1000) == UINT64_MAX);
}

static const char answer[] =
        "HTTP/1.1 201 Created\r\nDate: x\r\ncontent-length: 5\r\nConnection: close\r\n\r\nhello";

TEST(response_is_read_in_any_pieces)
{
        static struct response response;

        for (size_t cut = 1; cut < sizeof(answer) - 1; cut++) {
                response_reset(&response);
                EXPECT_INT(response_feed(&response, answer, cut), RESPONSE_MORE);
                EXPECT_INT(response_feed(&response, answer + cut, sizeof(answer) - 1 - cut), RESPONSE_DONE);
                EXPECT_INT(response.status, 201);
                EXPECT(response.closes);
        }
}

TEST(response_without_length_or_with_too_much_is_broken)
{
        static const char *const broken[] = {
                "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
                "nonsense\r\n\r\n", "HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n"};
        static const char empty[] = "HTTP/1.1 204 No Content\r\n\r\n";
        static struct response response;

        for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
                response_reset(&response);
                EXPECT_INT(response_feed(&response, broken[i], strlen(broken[i])), RESPONSE_BROKEN);
        }
        response_reset(&response);
        EXPECT_INT(response_feed(&response, empty, sizeof(empty) - 1), RESPONSE_DONE);
}

TEST(request_content_length_is_right_and_mixes_are_what_they_say)
{
        char text[REQUEST_SIZE];
        struct request_maker maker = {.mix = MIX_MIXED, .key = "k", .run = "r", .customers = 100};
        int reads = 0;

        for (int i = 0; i < 1000; i++) {
                text[request_next(&maker, text)] = '\0';
                const char *length = strstr(text, "Content-Length: "), *body = strstr(text, "\r\n\r\n");
                reads += length == NULL;
                if (length != NULL)
                        EXPECT_INT(strtoul(length + 16, NULL, 10), strlen(body + 4));
        }
        EXPECT(reads > 750 && reads < 850);
        EXPECT_INT(maker.made, 1000);
}

TEST_MAIN
