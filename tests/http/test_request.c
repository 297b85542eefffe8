/* One request at a time, as a client sees it: addresses, access, headers, bodies, idempotency, the server's
 * own pages. */
#include "test.h"

#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "harness.h"

static void pause_ms(long ms)
{
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* First, since the others talk to it. */
TEST(server_starts_on_a_free_port)
{
        harness_open("http_request");
        EXPECT(harness.port != 0);
}

/* ------------------------------------------------------------------ addresses and methods */

TEST(unknown_path_gives_404)
{
        EXPECT_INT(ask("GET", "/v1/nothing", harness.admin, NULL), 404);
        EXPECT(is_problem("no-such-route"));
        EXPECT_INT(ask("GET", "/v1/echo/a/", harness.admin, NULL), 404);
        EXPECT_INT(ask("GET", "/v1/echo/", harness.admin, NULL), 404);
}

TEST(unknown_method_gives_405_and_options_204_with_allow)
{
        EXPECT_INT(ask("DELETE", "/v1/counters/a", harness.admin, NULL), 405);
        EXPECT(is_problem("method-not-allowed"));
        EXPECT_TEXT(response_header(&answer, "Allow"), "POST, PATCH, OPTIONS");
        EXPECT_INT(ask("OPTIONS", "/v1/echo/a", "", NULL), 204);
        EXPECT_TEXT(response_header(&answer, "Allow"), "GET, HEAD, OPTIONS");
        EXPECT_INT(ask("POST", "/healthz", "", "{}"), 405);
}

TEST(head_answers_as_get_without_body)
{
        EXPECT_INT(ask("HEAD", "/v1/echo/a", harness.admin, NULL), 200);
        EXPECT_INT(answer.body_len, 0);
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"7\"");
        EXPECT(strcmp(response_header(&answer, "Content-Length"), "0") != 0);
}

TEST(path_is_decoded_by_segment)
{
        EXPECT_INT(ask("GET", "/v1/%65cho/ext:a%2Fb%20%E7%8E%8B", harness.admin, NULL), 200);
        EXPECT(strstr(answer.body, "\"thing\":\"ext:a/b 王\"") != NULL);
        EXPECT_INT(ask("GET", "/v1/echo/%zz", harness.admin, NULL), 400);
        EXPECT(is_problem("bad-address"));
        EXPECT_INT(ask("GET", "/v1/echo/a%00b", harness.admin, NULL), 400);
        EXPECT_INT(ask("GET", "/v1/echo/%C0%AF", harness.admin, NULL), 400);
        EXPECT_INT(ask("GET", "/v1/echo/a?limit=%", harness.admin, NULL), 400);
        EXPECT_INT(ask("GET", "http://somewhere:1/v1/echo/a", harness.admin, NULL), 200);
}

TEST(too_long_address_gives_414)
{
        char target[5000] = "/v1/echo/";

        memset(target + 9, 'a', 4100);
        EXPECT_INT(ask("GET", target, harness.admin, NULL), 414);
        EXPECT(is_problem("address-too-long"));
}

/* ------------------------------------------------------------------ access */

TEST(no_key_or_a_wrong_one_gives_401)
{
        EXPECT_INT(ask("GET", "/v1/echo/a", "", NULL), 401);
        EXPECT(is_problem("unauthenticated"));
        EXPECT_TEXT(response_header(&answer, "WWW-Authenticate"), "Bearer");
        EXPECT_INT(ask("GET", "/v1/echo/a", "Authorization: Bearer pk_0123456789ab_00\r\n", NULL), 401);
        EXPECT_INT(ask("POST", "/v1/members", "", "{\"name\":\"a\"}"), 401);
}

TEST(missing_scope_gives_403_and_names_it)
{
        EXPECT_INT(ask("POST", "/v1/members", harness.reader, "{\"name\":\"a\"}"), 403);
        EXPECT(is_problem("missing-scope"));
        EXPECT(strstr(answer.body, "\"scope\":\"orders:write\"") != NULL);
}

TEST(personal_data_is_masked_without_the_scope)
{
        EXPECT_INT(ask("GET", "/v1/echo/wang", harness.reader, NULL), 200);
        EXPECT(strstr(answer.body, "\"thing\":\"w*\"") != NULL);
        EXPECT_INT(ask("GET", "/v1/echo/wang", harness.admin, NULL), 200);
        EXPECT(strstr(answer.body, "\"thing\":\"wang\"") != NULL);
}

/* ------------------------------------------------------------------ headers */

TEST(request_id_is_taken_over_when_sane_else_made)
{
        EXPECT_INT(ask("GET", "/healthz", "Request-Id: abc-1.2_3\r\n", NULL), 200);
        EXPECT_TEXT(response_header(&answer, "Request-Id"), "abc-1.2_3");
        EXPECT_INT(ask("GET", "/healthz", "Request-Id: a b\r\n", NULL), 200);
        EXPECT_INT(strlen(response_header(&answer, "Request-Id")), 36);
        EXPECT_INT(ask("GET", "/healthz", "", NULL), 200);
        EXPECT_INT(strlen(response_header(&answer, "Request-Id")), 36);
}

TEST(accept_without_json_gives_406)
{
        char headers[512];

        header_lines(headers, sizeof headers, harness.admin, "Accept: text/html, application/json;q=0\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 406);
        EXPECT(is_problem("not-acceptable"));
        header_lines(headers, sizeof headers, harness.admin, "Accept: text/html, */*;q=0.1\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 200);
}

TEST(repeated_key_header_gives_400)
{
        char headers[512];

        header_lines(headers, sizeof headers, harness.admin, harness.admin);
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 400);
        EXPECT(is_problem("bad-header"));
}

TEST(etag_matches_give_304)
{
        char headers[512];

        header_lines(headers, sizeof headers, harness.admin, "If-None-Match: \"6\", W/\"7\"\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 304);
        EXPECT_INT(answer.body_len, 0);
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"7\"");
        header_lines(headers, sizeof headers, harness.admin, "If-None-Match: \"8\"\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 200);
}

TEST(if_match_stops_a_stale_change)
{
        char headers[512];

        EXPECT_INT(ask("PATCH", "/v1/counters/match", harness.admin, "{\"add\":5}"), 200);
        EXPECT_INT(answer_int("version"), 1);
        header_lines(headers, sizeof headers, harness.admin, "If-Match: \"1\"\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 200);
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"2\"");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 412);
        EXPECT(is_problem("stale-version"));
        header_lines(headers, sizeof headers, harness.admin, "If-Match: W/\"2\"\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 412);
        header_lines(headers, sizeof headers, harness.admin, "If-Match: 2\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 400);
        EXPECT_INT(ask("PATCH", "/v1/counters/match", harness.admin, "{\"add\":5}"), 200);
        EXPECT_INT(answer_int("value"), 15); /* the refused ones left no trace */
}

/* ------------------------------------------------------------------ bodies */

TEST(all_faults_of_path_query_and_body_come_at_once)
{
        EXPECT_INT(ask("PATCH", "/v1/counters/a?what=1", harness.admin,
                       "{\"add\":0,\"more\":1,\"fail_after\":3}"),
                   422);
        EXPECT(is_problem("invalid"));
        EXPECT(strstr(answer.body, "\"parameter\":\"what\"") != NULL);
        EXPECT(strstr(answer.body, "\"pointer\":\"#/add\"") != NULL);
        EXPECT(strstr(answer.body, "\"pointer\":\"#/more\"") != NULL);
        EXPECT(strstr(answer.body, "\"pointer\":\"#/fail_after\"") != NULL);
        EXPECT_INT(ask("GET", "/v1/echo/012345678901234567890?limit=0&limit=1&x", harness.admin, NULL), 422);
        EXPECT(strstr(answer.body, "\"parameter\":\"thing\"") != NULL);
        EXPECT(strstr(answer.body, "\"parameter\":\"limit\"") != NULL);
        EXPECT(strstr(answer.body, "\"parameter\":\"x\"") != NULL);
}

TEST(what_is_not_json_gives_400_or_415)
{
        char headers[512];

        EXPECT_INT(ask("PATCH", "/v1/counters/a", harness.admin, "{\"add\":"), 400);
        EXPECT(is_problem("not-json"));
        EXPECT_INT(ask("PATCH", "/v1/counters/a", harness.admin, NULL), 400);
        EXPECT(is_problem("not-json"));
        EXPECT_INT(ask("PATCH", "/v1/counters/a", harness.admin, "{\"add\":1,\"add\":2}"), 400);
        EXPECT_INT(ask("PATCH", "/v1/counters/a", harness.admin, "[]"), 422);
        header_lines(headers, sizeof headers, harness.admin, "Content-Type: text/plain\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/a", headers, "{\"add\":1}"), 415);
        EXPECT(is_problem("unsupported-media-type"));
        header_lines(headers, sizeof headers, harness.admin,
                     "Content-Type: application/json; charset=latin1\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/a", headers, "{\"add\":1}"), 415);
        header_lines(headers, sizeof headers, harness.admin, "Content-Encoding: gzip\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/a", headers, "{\"add\":1}"), 415);
        EXPECT_INT(ask("GET", "/v1/echo/a", harness.admin, "{}"), 422);
        EXPECT(strstr(answer.body, "unexpected_body") != NULL);
}

TEST(too_deep_json_is_refused)
{
        char body[512] = "{\"add\":";

        memset(body + 7, '[', 40);
        EXPECT_INT(ask("PATCH", "/v1/counters/a", harness.admin, body), 422);
        EXPECT(strstr(answer.body, "too_deep") != NULL);
}

TEST(too_large_body_gives_413_by_length_and_by_count)
{
        char *body = calloc(1, 5001);
        struct text chunked = {0};
        int fd = client_connect(harness.port);

        memset(body, ' ', 5000);
        EXPECT_INT(ask("PATCH", "/v1/counters/a", harness.admin, body), 413);
        EXPECT(is_problem("body-too-large"));
        EXPECT_INT(answer_int("limit_bytes"), 4096);

        text_printf(&chunked,
                    "PATCH /v1/counters/a HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n1388\r\n%s\r\n0\r\n\r\n",
                    harness.admin, body);
        client_send(fd, chunked.data, chunked.len);
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 413);
        client_send(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 35); /* the connection is still good */
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 200);

        char huge[512];
        snprintf(huge, sizeof huge,
                 "PATCH /v1/counters/a HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                 "Content-Length: 99999999\r\n\r\n",
                 harness.admin);
        close(fd);
        fd = client_connect(harness.port);
        client_send(fd, huge, strlen(huge)); /* answered before any of it is sent */
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 413);
        close(fd);
        text_free(&chunked);
        free(body);
}

TEST(chunked_body_is_taken)
{
        char bytes[512];
        int fd = client_connect(harness.port);

        snprintf(bytes, sizeof bytes,
                 "PATCH /v1/counters/chunks HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"ad\r\n5\r\nd\":9}\r\n0\r\n\r\n",
                 harness.admin);
        client_send(fd, bytes, strlen(bytes));
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 200);
        EXPECT_INT(answer_int("value"), 9);
        close(fd);
}

/* ------------------------------------------------------------------ idempotency */

TEST(idempotency_key_pays_once)
{
        char headers[512];

        header_lines(headers, sizeof headers, harness.admin, "Idempotency-Key: \"once\"\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/once", headers, "{\"add\":3}"), 201);
        EXPECT(response_header(&answer, "Idempotency-Hit") == NULL);
        EXPECT_TEXT(response_header(&answer, "Location"), "/v1/counters/once");
        char *first = strdup(answer.body);
        header_lines(headers, sizeof headers, harness.admin,
                     "Idempotency-Key: once\r\n"); /* bare or quoted, one key */
        EXPECT_INT(ask("POST", "/v1/counters/once", headers, "{\"add\":3}"), 201);
        EXPECT_TEXT(response_header(&answer, "Idempotency-Hit"), "true");
        EXPECT_TEXT(response_header(&answer, "Location"), "/v1/counters/once");
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"1\"");
        EXPECT_TEXT(answer.body, first);
        free(first);
        EXPECT_INT(ask("POST", "/v1/counters/once", headers, "{\"add\":4}"), 422);
        EXPECT(is_problem("idempotency-key-reused"));
        EXPECT_INT(ask("POST", "/v1/counters/twice", headers, "{\"add\":3}"), 422);
        EXPECT_INT(ask("PATCH", "/v1/counters/once", harness.admin, "{\"add\":1}"), 200);
        EXPECT_INT(answer_int("value"), 4);
}

TEST(idempotency_key_is_demanded_and_checked)
{
        char headers[1024], key[400];

        EXPECT_INT(ask("POST", "/v1/counters/a", harness.admin, "{\"add\":3}"), 400);
        EXPECT(is_problem("idempotency-key-required"));
        snprintf(key, sizeof key, "Idempotency-Key: %0*d\r\n", 256, 1);
        header_lines(headers, sizeof headers, harness.admin, key);
        EXPECT_INT(ask("POST", "/v1/counters/a", headers, "{\"add\":3}"), 400);
        EXPECT(is_problem("bad-header"));
        header_lines(headers, sizeof headers, harness.admin, "Idempotency-Key: \"a\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/a", headers, "{\"add\":3}"), 400);
}

TEST(failure_is_not_kept_and_changes_nothing)
{
        char headers[512];

        header_lines(headers, sizeof headers, harness.admin, "Idempotency-Key: failing\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/failing", headers, "{\"add\":3,\"fail_after\":true}"), 409);
        EXPECT(is_problem("insufficient-points"));
        EXPECT_INT(ask("POST", "/v1/counters/failing", headers, "{\"add\":3}"), 201);
        EXPECT_INT(answer_int("value"), 3);
}

TEST(prefer_minimal_gives_204)
{
        char headers[512];

        header_lines(headers, sizeof headers, harness.admin,
                     "Idempotency-Key: minimal\r\nPrefer: wait=5, return=minimal\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/minimal", headers, "{\"add\":3}"), 204);
        EXPECT_INT(answer.body_len, 0);
        EXPECT_TEXT(response_header(&answer, "Location"), "/v1/counters/minimal");
        EXPECT_TEXT(response_header(&answer, "Preference-Applied"), "return=minimal");
}

/* ------------------------------------------------------------------ the server's own pages */

TEST(own_pages_answer)
{
        char header[256];

        for (int i = 0; i < 100 && ask("GET", "/readyz", "", NULL) != 200; i++)
                pause_ms(20);
        EXPECT_INT(answer.status, 200);
        EXPECT_INT(ask("GET", "/healthz", "", NULL), 200);
        EXPECT_INT(ask("GET", "/docs", "", NULL), 200);
        EXPECT(response_header(&answer, "Content-Security-Policy") != NULL);
        EXPECT_INT(ask("GET", "/problems/busy", "", NULL), 200);
        EXPECT_INT(ask("GET", "/problems/none", "", NULL), 404);
        EXPECT_INT(ask("GET", "/openapi.json", "", NULL), 200);
        EXPECT(strstr(answer.body, "\"/v1/members\"") != NULL);
        snprintf(header, sizeof header, "If-None-Match: %s\r\n", response_header(&answer, "ETag"));
        EXPECT_INT(ask("GET", "/openapi.json", header, NULL), 304);
}

TEST(metrics_count_requests)
{
        EXPECT_INT(ask("GET", "/v1/echo/a", harness.admin, NULL), 200);
        EXPECT_INT(ask("GET", "/metrics", "", NULL), 200);
        EXPECT(strstr(answer.body,
                      "patron_requests_total{route=\"/v1/echo/{thing}\",method=\"GET\",status=\"2xx\"}") !=
               NULL);
        EXPECT(strstr(answer.body, "patron_request_seconds_count{lane=\"api\"}") != NULL);
        EXPECT(strstr(answer.body, "patron_batch_calls_bucket{le=\"64\"}") != NULL);
        EXPECT(strstr(answer.body, "patron_queue_depth{lane=\"orders\"} 0\n") != NULL);
}

/* Last. */
TEST(server_stops)
{
        harness_close();
        EXPECT(answer.body == NULL);
}

TEST_MAIN
