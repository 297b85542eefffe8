/* Many requests at once and bad days: batches, full queues, deadlines, drain, a database that is away. */
#include "test.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/db.h"
#include "endpoints.h"
#include "harness.h"

/* First, since the others talk to it. */
TEST(server_starts_on_a_free_port)
{
        harness_open("http_load");
        EXPECT(harness.port != 0);
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
                p->port = harness.port;
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

        header_lines(headers, sizeof headers, harness.admin, "Idempotency-Key: running\r\n");
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

        header_lines(headers, sizeof headers, harness.admin, "Idempotency-Key: parallel\r\n");
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
        EXPECT_INT(ask("PATCH", "/v1/counters/parallel", harness.admin, "{\"add\":1}"), 200);
        EXPECT_INT(answer_int("value"), 3);
}

TEST(waiting_calls_run_as_one_batch)
{
        const struct parallel member = {.method = "POST", .target = "/v1/members", .headers = harness.admin};
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
        const struct parallel member = {.method = "POST", .target = "/v1/members", .headers = harness.admin};
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
        EXPECT_INT(ask("GET", "/v1/echo/fail", harness.admin, NULL), 500);
        EXPECT(is_problem("internal"));
        EXPECT(strstr(answer.body, "secret") == NULL);
}

TEST(full_queue_gives_503_at_once)
{
        struct server_options saved = harness.options;
        struct parallel all[4];
        int served = 0, busy = 0;

        harness.options.queue_max = 1;
        harness.options.api_workers = 1;
        struct server *small = harness_start();
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
        harness.options = saved;
}

TEST(waiting_too_long_gives_503)
{
        struct server_options saved = harness.options;

        harness.options.request_deadline_ms = 100;
        harness.options.api_workers = 1;
        struct server *small = harness_start();
        struct parallel slow = {
                .method = "GET", .target = "/v1/sleep?ms=400", .headers = "", .port = server_port(small)};
        parallel_start(&slow);
        pause_ms(50);
        client_request(server_port(small), "GET", "/v1/sleep?ms=1", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(is_problem("deadline-exceeded"));
        EXPECT_INT(parallel_end(&slow), 200);
        server_drain_and_stop(small, 5);
        harness.options = saved;
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
        struct drain drain = {.server = harness_start()};
        uint16_t draining_port = server_port(drain.server);
        struct parallel slow = {
                .method = "GET", .target = "/v1/sleep?ms=600", .headers = "", .port = draining_port};
        int fd = client_connect(draining_port);
        char *bytes = client_format("GET", "/v1/sleep?ms=1", "", NULL);

        client_send(fd, bytes, strlen(bytes));
        client_read(fd, false, &answer);
        EXPECT_INT(answer.status, 200);
        int half = client_connect(draining_port);
        char *post = client_format("POST", "/v1/members", harness.admin, "{\"name\":\"half\"}");
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
        struct server_options saved = harness.options;

        harness.options.database_url = "host=/nonexistent dbname=none";
        struct server *lost = harness_start();
        pause_ms(200);
        client_request(server_port(lost), "GET", "/v1/sleep?ms=1", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(is_problem("database-away"));
        EXPECT_TEXT(response_header(&answer, "Retry-After"), "1");
        client_request(server_port(lost), "POST", "/v1/members", harness.admin, "{\"name\":\"a\"}", &answer);
        EXPECT(is_problem("database-away"));
        client_request(server_port(lost), "GET", "/readyz", "", NULL, &answer);
        EXPECT_INT(answer.status, 503);
        EXPECT(strstr(answer.body, "\"database\":\"away\"") != NULL);
        client_request(server_port(lost), "GET", "/healthz", "", NULL, &answer);
        EXPECT_INT(answer.status, 200);
        server_drain_and_stop(lost, 5);
        harness.options = saved;
}

TEST(killed_connections_are_made_anew)
{
        struct ctx *c = fixture_ctx(harness.fixture);

        EXPECT_INT(ask("GET", "/v1/sleep?ms=1", "", NULL), 200);
        harness_must(c,
                     db_script(c, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                  "WHERE datname = current_database() AND application_name LIKE 'patron %'"));
        pause_ms(100);
        for (int i = 0; i < 10; i++)
                EXPECT_INT(ask("GET", "/v1/sleep?ms=1", "", NULL), 200);
        EXPECT_INT(ask("POST", "/v1/members", harness.admin, "{\"name\":\"good\"}"), 201);
}

TEST(vanished_client_harms_nobody)
{
        char *bytes = client_format("GET", "/v1/sleep?ms=200", "", NULL);

        for (int i = 0; i < 10; i++) {
                int fd = client_connect(harness.port);
                client_send(fd, bytes, strlen(bytes) - (i % 2 == 0 ? 0 : 7));
                close(fd);
        }
        free(bytes);
        EXPECT_INT(ask("GET", "/v1/sleep?ms=1", "", NULL), 200);
}

/* Last. */
TEST(idle_server_stops_at_once)
{
        int64_t began_us = clock_monotonic_us();
        int idle = client_connect(harness.port);

        harness_close();
        EXPECT(clock_monotonic_us() - began_us < 2 * INSTANT_SECOND);
        close(idle);
}

TEST_MAIN
