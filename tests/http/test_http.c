/* server/http as a client sees it, over sockets, with the endpoints of endpoints.c on a real database. */
#include "test.h"

#include <jansson.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access/access.h"
#include "access/installation.h"
#include "base/clock.h"
#include "base/log.h"
#include "client.h"
#include "endpoints.h"
#include "fixture.h"
#include "http/server.h"

static struct fixture *fixture;
static struct server *server;
static uint16_t port;
static struct server_options options;
static char admin[256], reader[256]; /* header lines */
static const struct shop shop = {.currency = "CNY"};

static void must(struct ctx *c, enum err err)
{
        if (err == ERR_OK)
                return;
        printf("set-up failed: %s (%s)\n", c->problem.detail, c->problem.cause);
        exit(EXIT_FAILURE);
}

static void make_key(const char *scope, char *ret_line, size_t size)
{
        struct ctx *c = fixture_ctx(fixture);
        const char *text, *scopes[] = {scope};

        c->now = clock_now();
        must(c, key_create(c, &(struct key_new){.name = "test", .scopes = {scopes, 1}}, &text));
        snprintf(ret_line, size, "Authorization: Bearer %s\r\n", text);
}

static struct server *start(void)
{
        const char *why;
        struct server *started = server_start(&options, &why);

        if (started == NULL) {
                printf("no server: %s\n", why);
                exit(EXIT_FAILURE);
        }
        return started;
}

/* First, since the others talk to it. */
TEST(server_starts_on_a_free_port)
{
        log_set_level(getenv("TEST_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_COUNT_);
        json_object_seed(0);
        fixture = fixture_new("http");
        struct ctx *c = fixture_ctx(fixture);
        struct shop recorded;
        must(c, endpoints_prepare(c));
        must(c, installation_open(c, NULL, NULL, &recorded));
        make_key("admin", admin, sizeof admin);
        make_key("customers:read", reader, sizeof reader);
        must(c, access_load(fixture_ctx(fixture)));
        options = (struct server_options){.host = "127.0.0.1",
                                          .connections_max = 200,
                                          .connection_idle_seconds = 30,
                                          .body_max_bytes = 4096,
                                          .queue_max = 100,
                                          .orders_workers = 2,
                                          .api_workers = 2,
                                          .reports_workers = 1,
                                          .request_deadline_ms = 5000,
                                          .statement_timeout_ms = 5000,
                                          .report_timeout_ms = 5000,
                                          .database_url = fixture->url,
                                          .shop = &shop};
        server = start();
        port = server_port(server);
        EXPECT(port != 0);
}

/* One request; the answer stays until the next ask. */
static struct response answer;
static int ask(const char *method, const char *target, const char *headers, const char *body)
{
        client_request(port, method, target, headers, body, &answer);
        return answer.status;
}

static void join(char *out, size_t size, const char *a, const char *b)
{
        snprintf(out, size, "%s%s", a, b);
}

/* Does the answer hold the problem with this slug, in full? */
static bool is_problem(const char *slug)
{
        char type[128];
        const char *content = response_header(&answer, "Content-Type");
        json_t *json = json_loads(answer.body != NULL ? answer.body : "", 0, NULL);

        snprintf(type, sizeof type, "/problems/%s", slug);
        bool same = content != NULL && strcmp(content, "application/problem+json") == 0 && json != NULL &&
                    strcmp(json_string_value(json_object_get(json, "type")), type) == 0 &&
                    json_integer_value(json_object_get(json, "status")) == answer.status &&
                    strncmp(json_string_value(json_object_get(json, "instance")), "/requests/", 10) == 0;
        if (!same)
                printf("  not %s: %s\n%s\n", slug, answer.head, answer.body);
        json_decref(json);
        return same;
}

static int64_t answer_int(const char *member)
{
        json_t *json = json_loads(answer.body, 0, NULL);
        int64_t value = json_integer_value(json_object_get(json, member));

        json_decref(json);
        return value;
}

/* ------------------------------------------------------------------ addresses and methods */

TEST(unknown_path_gives_404)
{
        EXPECT_INT(ask("GET", "/v1/nothing", admin, NULL), 404);
        EXPECT(is_problem("no-such-route"));
        EXPECT_INT(ask("GET", "/v1/echo/a/", admin, NULL), 404);
        EXPECT_INT(ask("GET", "/v1/echo/", admin, NULL), 404);
}

TEST(unknown_method_gives_405_and_options_204_with_allow)
{
        EXPECT_INT(ask("DELETE", "/v1/counters/a", admin, NULL), 405);
        EXPECT(is_problem("method-not-allowed"));
        EXPECT_TEXT(response_header(&answer, "Allow"), "POST, PATCH, OPTIONS");
        EXPECT_INT(ask("OPTIONS", "/v1/echo/a", "", NULL), 204);
        EXPECT_TEXT(response_header(&answer, "Allow"), "GET, HEAD, OPTIONS");
        EXPECT_INT(ask("POST", "/healthz", "", "{}"), 405);
}

TEST(head_answers_as_get_without_body)
{
        EXPECT_INT(ask("HEAD", "/v1/echo/a", admin, NULL), 200);
        EXPECT_INT(answer.body_len, 0);
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"7\"");
        EXPECT(strcmp(response_header(&answer, "Content-Length"), "0") != 0);
}

TEST(path_is_decoded_by_segment)
{
        EXPECT_INT(ask("GET", "/v1/%65cho/ext:a%2Fb%20%E7%8E%8B", admin, NULL), 200);
        EXPECT(strstr(answer.body, "\"thing\":\"ext:a/b 王\"") != NULL);
        EXPECT_INT(ask("GET", "/v1/echo/%zz", admin, NULL), 400);
        EXPECT(is_problem("bad-address"));
        EXPECT_INT(ask("GET", "/v1/echo/a%00b", admin, NULL), 400);
        EXPECT_INT(ask("GET", "/v1/echo/%C0%AF", admin, NULL), 400);
        EXPECT_INT(ask("GET", "/v1/echo/a?limit=%", admin, NULL), 400);
        EXPECT_INT(ask("GET", "http://somewhere:1/v1/echo/a", admin, NULL), 200);
}

TEST(too_long_address_gives_414)
{
        char target[5000] = "/v1/echo/";

        memset(target + 9, 'a', 4100);
        EXPECT_INT(ask("GET", target, admin, NULL), 414);
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
        EXPECT_INT(ask("POST", "/v1/members", reader, "{\"name\":\"a\"}"), 403);
        EXPECT(is_problem("missing-scope"));
        EXPECT(strstr(answer.body, "\"scope\":\"orders:write\"") != NULL);
}

TEST(personal_data_is_masked_without_the_scope)
{
        EXPECT_INT(ask("GET", "/v1/echo/wang", reader, NULL), 200);
        EXPECT(strstr(answer.body, "\"thing\":\"w*\"") != NULL);
        EXPECT_INT(ask("GET", "/v1/echo/wang", admin, NULL), 200);
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

        join(headers, sizeof headers, admin, "Accept: text/html, application/json;q=0\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 406);
        EXPECT(is_problem("not-acceptable"));
        join(headers, sizeof headers, admin, "Accept: text/html, */*;q=0.1\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 200);
}

TEST(repeated_key_header_gives_400)
{
        char headers[512];

        join(headers, sizeof headers, admin, admin);
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 400);
        EXPECT(is_problem("bad-header"));
}

TEST(etag_matches_give_304)
{
        char headers[512];

        join(headers, sizeof headers, admin, "If-None-Match: \"6\", W/\"7\"\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 304);
        EXPECT_INT(answer.body_len, 0);
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"7\"");
        join(headers, sizeof headers, admin, "If-None-Match: \"8\"\r\n");
        EXPECT_INT(ask("GET", "/v1/echo/a", headers, NULL), 200);
}

TEST(if_match_stops_a_stale_change)
{
        char headers[512];

        EXPECT_INT(ask("PATCH", "/v1/counters/match", admin, "{\"add\":5}"), 200);
        EXPECT_INT(answer_int("version"), 1);
        join(headers, sizeof headers, admin, "If-Match: \"1\"\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 200);
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"2\"");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 412);
        EXPECT(is_problem("stale-version"));
        join(headers, sizeof headers, admin, "If-Match: W/\"2\"\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 412);
        join(headers, sizeof headers, admin, "If-Match: 2\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/match", headers, "{\"add\":5}"), 400);
        EXPECT_INT(ask("PATCH", "/v1/counters/match", admin, "{\"add\":5}"), 200);
        EXPECT_INT(answer_int("value"), 15); /* the refused ones left no trace */
}

/* ------------------------------------------------------------------ bodies */

TEST(all_faults_of_path_query_and_body_come_at_once)
{
        EXPECT_INT(ask("PATCH", "/v1/counters/a?what=1", admin, "{\"add\":0,\"more\":1,\"fail_after\":3}"),
                   422);
        EXPECT(is_problem("invalid"));
        EXPECT(strstr(answer.body, "\"parameter\":\"what\"") != NULL);
        EXPECT(strstr(answer.body, "\"pointer\":\"#/add\"") != NULL);
        EXPECT(strstr(answer.body, "\"pointer\":\"#/more\"") != NULL);
        EXPECT(strstr(answer.body, "\"pointer\":\"#/fail_after\"") != NULL);
        EXPECT_INT(ask("GET", "/v1/echo/012345678901234567890?limit=0&limit=1&x", admin, NULL), 422);
        EXPECT(strstr(answer.body, "\"parameter\":\"thing\"") != NULL);
        EXPECT(strstr(answer.body, "\"parameter\":\"limit\"") != NULL);
        EXPECT(strstr(answer.body, "\"parameter\":\"x\"") != NULL);
}

TEST(what_is_not_json_gives_400_or_415)
{
        char headers[512];

        EXPECT_INT(ask("PATCH", "/v1/counters/a", admin, "{\"add\":"), 400);
        EXPECT(is_problem("not-json"));
        EXPECT_INT(ask("PATCH", "/v1/counters/a", admin, NULL), 400);
        EXPECT(is_problem("not-json"));
        EXPECT_INT(ask("PATCH", "/v1/counters/a", admin, "{\"add\":1,\"add\":2}"), 400);
        EXPECT_INT(ask("PATCH", "/v1/counters/a", admin, "[]"), 422);
        join(headers, sizeof headers, admin, "Content-Type: text/plain\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/a", headers, "{\"add\":1}"), 415);
        EXPECT(is_problem("unsupported-media-type"));
        join(headers, sizeof headers, admin, "Content-Type: application/json; charset=latin1\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/a", headers, "{\"add\":1}"), 415);
        join(headers, sizeof headers, admin, "Content-Encoding: gzip\r\n");
        EXPECT_INT(ask("PATCH", "/v1/counters/a", headers, "{\"add\":1}"), 415);
        EXPECT_INT(ask("GET", "/v1/echo/a", admin, "{}"), 422);
        EXPECT(strstr(answer.body, "unexpected_body") != NULL);
}

TEST(too_deep_json_is_refused)
{
        char body[512] = "{\"add\":";

        memset(body + 7, '[', 40);
        EXPECT_INT(ask("PATCH", "/v1/counters/a", admin, body), 422);
        EXPECT(strstr(answer.body, "too_deep") != NULL);
}

TEST(too_large_body_gives_413_by_length_and_by_count)
{
        char *body = calloc(1, 5001);
        struct text chunked = {0};
        int fd = client_connect(port);

        memset(body, ' ', 5000);
        EXPECT_INT(ask("PATCH", "/v1/counters/a", admin, body), 413);
        EXPECT(is_problem("body-too-large"));
        EXPECT_INT(answer_int("limit_bytes"), 4096);

        text_printf(&chunked,
                    "PATCH /v1/counters/a HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n1388\r\n%s\r\n0\r\n\r\n",
                    admin, body);
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
                 admin);
        close(fd);
        fd = client_connect(port);
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
        int fd = client_connect(port);

        snprintf(bytes, sizeof bytes,
                 "PATCH /v1/counters/chunks HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"ad\r\n5\r\nd\":9}\r\n0\r\n\r\n",
                 admin);
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

        join(headers, sizeof headers, admin, "Idempotency-Key: \"once\"\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/once", headers, "{\"add\":3}"), 201);
        EXPECT(response_header(&answer, "Idempotency-Hit") == NULL);
        EXPECT_TEXT(response_header(&answer, "Location"), "/v1/counters/once");
        char *first = strdup(answer.body);
        join(headers, sizeof headers, admin, "Idempotency-Key: once\r\n"); /* bare or quoted, one key */
        EXPECT_INT(ask("POST", "/v1/counters/once", headers, "{\"add\":3}"), 201);
        EXPECT_TEXT(response_header(&answer, "Idempotency-Hit"), "true");
        EXPECT_TEXT(response_header(&answer, "Location"), "/v1/counters/once");
        EXPECT_TEXT(response_header(&answer, "ETag"), "\"1\"");
        EXPECT_TEXT(answer.body, first);
        free(first);
        EXPECT_INT(ask("POST", "/v1/counters/once", headers, "{\"add\":4}"), 422);
        EXPECT(is_problem("idempotency-key-reused"));
        EXPECT_INT(ask("POST", "/v1/counters/twice", headers, "{\"add\":3}"), 422);
        EXPECT_INT(ask("PATCH", "/v1/counters/once", admin, "{\"add\":1}"), 200);
        EXPECT_INT(answer_int("value"), 4);
}

TEST(idempotency_key_is_demanded_and_checked)
{
        char headers[1024], key[400];

        EXPECT_INT(ask("POST", "/v1/counters/a", admin, "{\"add\":3}"), 400);
        EXPECT(is_problem("idempotency-key-required"));
        snprintf(key, sizeof key, "Idempotency-Key: %0*d\r\n", 256, 1);
        join(headers, sizeof headers, admin, key);
        EXPECT_INT(ask("POST", "/v1/counters/a", headers, "{\"add\":3}"), 400);
        EXPECT(is_problem("bad-header"));
        join(headers, sizeof headers, admin, "Idempotency-Key: \"a\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/a", headers, "{\"add\":3}"), 400);
}

TEST(failure_is_not_kept_and_changes_nothing)
{
        char headers[512];

        join(headers, sizeof headers, admin, "Idempotency-Key: failing\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/failing", headers, "{\"add\":3,\"fail_after\":true}"), 409);
        EXPECT(is_problem("insufficient-points"));
        EXPECT_INT(ask("POST", "/v1/counters/failing", headers, "{\"add\":3}"), 201);
        EXPECT_INT(answer_int("value"), 3);
}

TEST(prefer_minimal_gives_204)
{
        char headers[512];

        join(headers, sizeof headers, admin,
             "Idempotency-Key: minimal\r\nPrefer: wait=5, return=minimal\r\n");
        EXPECT_INT(ask("POST", "/v1/counters/minimal", headers, "{\"add\":3}"), 204);
        EXPECT_INT(answer.body_len, 0);
        EXPECT_TEXT(response_header(&answer, "Location"), "/v1/counters/minimal");
        EXPECT_TEXT(response_header(&answer, "Preference-Applied"), "return=minimal");
}

/* ------------------------------------------------------------------ many at once */

struct parallel {
        pthread_t thread;
        const char *method, *target, *headers, *body;
        uint16_t port;
        struct response answer;
};

static void *parallel_main(void *arg)
{
        struct parallel *p = arg;

        client_request(p->port, p->method, p->target, p->headers, p->body, &p->answer);
        return NULL;
}

static void parallel_start(struct parallel *p)
{
        if (p->port == 0)
                p->port = port;
        pthread_create(&p->thread, NULL, parallel_main, p);
}

static int parallel_end(struct parallel *p)
{
        pthread_join(p->thread, NULL);
        int status = p->answer.status;
        response_free(&p->answer);
        return status;
}

static void pause_ms(long ms)
{
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

TEST(same_key_still_running_gives_409)
{
        char headers[512];
        struct parallel slow = {
                .method = "POST", .target = "/v1/sleep?ms=600", .headers = headers, .body = NULL};

        join(headers, sizeof headers, admin, "Idempotency-Key: running\r\n");
        parallel_start(&slow);
        pause_ms(250);
        EXPECT_INT(ask("POST", "/v1/sleep?ms=600", headers, NULL), 409);
        EXPECT(is_problem("request-in-progress"));
        EXPECT_INT(parallel_end(&slow), 200);
        EXPECT_INT(ask("POST", "/v1/sleep?ms=600", headers, NULL), 200);
        EXPECT_TEXT(response_header(&answer, "Idempotency-Hit"), "true");
}

#define PARALLEL 40

TEST(same_key_in_parallel_pays_once)
{
        char headers[512];
        struct parallel all[PARALLEL];
        int paid = 0;

        join(headers, sizeof headers, admin, "Idempotency-Key: parallel\r\n");
        for (int i = 0; i < PARALLEL; i++) {
                all[i] = (struct parallel){.method = "POST",
                                           .target = "/v1/counters/parallel",
                                           .headers = headers,
                                           .body = "{\"add\":2}"};
                parallel_start(&all[i]);
        }
        for (int i = 0; i < PARALLEL; i++) {
                int status = parallel_end(&all[i]);
                EXPECT(status == 201 || status == 409);
                paid += status == 201;
        }
        EXPECT(paid >= 1);
        EXPECT_INT(ask("PATCH", "/v1/counters/parallel", admin, "{\"add\":1}"), 200);
        EXPECT_INT(answer_int("value"), 3);
}

TEST(waiting_calls_run_as_one_batch)
{
        const struct parallel member = {.method = "POST", .target = "/v1/members", .headers = admin};
        struct parallel all[PARALLEL], slow = member;

        slow.body = "{\"name\":\"slow\"}";
        parallel_start(&slow);
        pause_ms(30);
        for (int i = 0; i < PARALLEL; i++) {
                all[i] = member;
                all[i].body = i == 5 ? "{\"name\":\"bad\"}" : "{\"name\":\"good\"}";
                parallel_start(&all[i]);
        }
        EXPECT_INT(parallel_end(&slow), 201);
        for (int i = 0; i < PARALLEL; i++)
                EXPECT_INT(parallel_end(&all[i]), i == 5 ? 404 : 201);
        EXPECT(endpoints_largest_batch() > PARALLEL / 2);
        EXPECT(endpoints_largest_batch() <= 64);
}

TEST(poison_fails_alone)
{
        const struct parallel member = {.method = "POST", .target = "/v1/members", .headers = admin};
        struct parallel all[PARALLEL], slow = member;

        slow.body = "{\"name\":\"slow\"}";
        parallel_start(&slow);
        pause_ms(30);
        for (int i = 0; i < PARALLEL; i++) {
                all[i] = member;
                all[i].body = i == 7 ? "{\"name\":\"poison\"}" : "{\"name\":\"good\"}";
                parallel_start(&all[i]);
        }
        EXPECT_INT(parallel_end(&slow), 201);
        for (int i = 0; i < PARALLEL; i++)
                EXPECT_INT(parallel_end(&all[i]), i == 7 ? 409 : 201);
        EXPECT_INT(ask("GET", "/metrics", "", NULL), 200);
        EXPECT(strstr(answer.body, "patron_batches_split_total 1\n") != NULL);
}

/* ------------------------------------------------------------------ bad days */

TEST(inner_failure_is_hidden)
{
        EXPECT_INT(ask("GET", "/v1/echo/fail", admin, NULL), 500);
        EXPECT(is_problem("internal"));
        EXPECT(strstr(answer.body, "secret") == NULL);
}

TEST(full_queue_gives_503_at_once)
{
        struct server_options saved = options;
        struct parallel all[4];
        int served = 0, busy = 0;

        options.queue_max = 1;
        options.api_workers = 1;
        struct server *small = start();
        for (int i = 0; i < 4; i++) {
                all[i] = (struct parallel){.method = "GET",
                                           .target = "/v1/sleep?ms=700",
                                           .headers = "",
                                           .port = server_port(small)};
                parallel_start(&all[i]);
                pause_ms(50);
        }
        client_request(server_port(small), "GET", "/readyz", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(strstr(answer.body, "\"lanes\":\"full\"") != NULL);
        for (int i = 0; i < 4; i++) {
                pthread_join(all[i].thread, NULL);
                served += all[i].answer.status == 200;
                if (all[i].answer.status == 503) {
                        busy++;
                        EXPECT(strstr(all[i].answer.body, "/problems/busy") != NULL);
                        EXPECT_TEXT(response_header(&all[i].answer, "Retry-After"), "1");
                }
                response_free(&all[i].answer);
        }
        EXPECT_INT(served, 2);
        EXPECT_INT(busy, 2);
        server_drain_and_stop(small, 5);
        options = saved;
}

TEST(waiting_too_long_gives_503)
{
        struct server_options saved = options;

        options.request_deadline_ms = 100;
        options.api_workers = 1;
        struct server *small = start();
        struct parallel slow = {
                .method = "GET", .target = "/v1/sleep?ms=400", .headers = "", .port = server_port(small)};
        parallel_start(&slow);
        pause_ms(50);
        client_request(server_port(small), "GET", "/v1/sleep?ms=1", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(is_problem("deadline-exceeded"));
        EXPECT_INT(parallel_end(&slow), 200);
        server_drain_and_stop(small, 5);
        options = saved;
}

struct drain {
        pthread_t thread;
        struct server *server;
};

static void *drain_main(void *arg)
{
        server_drain_and_stop(((struct drain *)arg)->server, 5);
        return NULL;
}

TEST(drain_answers_what_was_accepted_and_refuses_what_is_new)
{
        struct drain drain = {.server = start()};
        uint16_t draining_port = server_port(drain.server);
        struct parallel slow = {
                .method = "GET", .target = "/v1/sleep?ms=600", .headers = "", .port = draining_port};
        int fd = client_connect(draining_port);
        char *bytes = client_format("GET", "/v1/sleep?ms=1", "", NULL);

        client_send(fd, bytes, strlen(bytes));
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 200);
        int half = client_connect(draining_port);
        char *post = client_format("POST", "/v1/members", admin, "{\"name\":\"half\"}");
        client_send(half, post, strlen(post) - 5);
        parallel_start(&slow);
        pause_ms(200);
        pthread_create(&drain.thread, NULL, drain_main, &drain);
        pause_ms(100);
        client_send(fd, bytes, strlen(bytes)); /* an old connection, a new request */
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(is_problem("draining"));
        EXPECT_TEXT(response_header(&answer, "Connection"), "close");
        client_send(half, post + strlen(post) - 5, 5);
        client_read(half, false, &answer);
        EXPECT(is_problem("draining"));
        EXPECT_INT(parallel_end(&slow), 200);
        pthread_join(drain.thread, NULL);
        close(fd);
        close(half);
        free(bytes);
        free(post);
}

TEST(absent_database_gives_503_and_not_ready)
{
        struct server_options saved = options;

        options.database_url = "host=/nonexistent dbname=none";
        struct server *lost = start();
        pause_ms(200);
        client_request(server_port(lost), "GET", "/v1/sleep?ms=1", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(is_problem("database-away"));
        EXPECT_TEXT(response_header(&answer, "Retry-After"), "1");
        client_request(server_port(lost), "POST", "/v1/members", admin, "{\"name\":\"a\"}", &answer);
        EXPECT(is_problem("database-away"));
        client_request(server_port(lost), "GET", "/readyz", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(strstr(answer.body, "\"database\":\"away\"") != NULL);
        client_request(server_port(lost), "GET", "/healthz", "", NULL, &answer);
        EXPECT_INT(answer.status, 200);
        server_drain_and_stop(lost, 5);
        options = saved;
}

TEST(killed_connections_are_made_anew)
{
        struct ctx *c = fixture_ctx(fixture);

        EXPECT_INT(ask("GET", "/v1/sleep?ms=1", "", NULL), 200);
        must(c, db_script(c, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                             "WHERE datname = current_database() AND application_name LIKE 'patron %'"));
        pause_ms(100);
        for (int i = 0; i < 10; i++)
                EXPECT_INT(ask("GET", "/v1/sleep?ms=1", "", NULL), 200);
        EXPECT_INT(ask("POST", "/v1/members", admin, "{\"name\":\"good\"}"), 201);
}

TEST(vanished_client_harms_nobody)
{
        char *bytes = client_format("GET", "/v1/sleep?ms=200", "", NULL);

        for (int i = 0; i < 10; i++) {
                int fd = client_connect(port);
                client_send(fd, bytes, strlen(bytes) - (i % 2 == 0 ? 0 : 7));
                close(fd);
        }
        free(bytes);
        EXPECT_INT(ask("GET", "/v1/sleep?ms=1", "", NULL), 200);
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
        EXPECT_INT(ask("GET", "/v1/echo/a", admin, NULL), 200);
        EXPECT_INT(ask("GET", "/metrics", "", NULL), 200);
        EXPECT(strstr(answer.body,
                      "patron_requests_total{route=\"/v1/echo/{thing}\",method=\"GET\",status=\"2xx\"}") !=
               NULL);
        EXPECT(strstr(answer.body, "patron_request_seconds_count{lane=\"api\"}") != NULL);
        EXPECT(strstr(answer.body, "patron_batch_calls_bucket{le=\"64\"}") != NULL);
        EXPECT(strstr(answer.body, "patron_queue_depth{lane=\"orders\"} 0\n") != NULL);
}

/* Last. */
TEST(idle_server_stops_at_once)
{
        int64_t began_us = clock_monotonic_us();
        int idle = client_connect(port);

        server_drain_and_stop(server, 5);
        EXPECT(clock_monotonic_us() - began_us < 2 * INSTANT_SECOND);
        access_unload();
        fixture_free(fixture);
        response_free(&answer);
        close(idle);
}

TEST_MAIN
