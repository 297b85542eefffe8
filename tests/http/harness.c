#include "harness.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "access/installation.h"
#include "base/clock.h"
#include "base/log.h"
#include "endpoints.h"
#include "program/programs.h"

struct harness harness;
static const struct shop shop = {.currency = "CNY"};

void harness_must(struct ctx *c, enum err err)
{
        if (err == ERR_OK)
                return;
        printf("set-up failed: %s (%s)\n", c->problem.detail, c->problem.cause);
        exit(EXIT_FAILURE);
}

static void make_key(const char *scope, char *ret_line, size_t size)
{
        struct ctx *c = fixture_ctx(harness.fixture);
        const char *scopes[] = {scope};
        struct key_made made;

        c->now = clock_now();
        harness_must(c, key_create(c, &(struct key_new){.name = "test", .scopes = {scopes, 1}}, &made));
        snprintf(ret_line, size, "Authorization: Bearer %s\r\n", made.key);
}

struct server *harness_start(void)
{
        const char *why;
        struct server *started = server_start(&harness.options, &why);

        if (started == NULL) {
                printf("no server: %s\n", why);
                exit(EXIT_FAILURE);
        }
        return started;
}

void harness_open(const char *label)
{
        log_set_level(getenv("PATRON_TEST_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_COUNT_);
        json_object_seed(0);
        harness.fixture = fixture_new(label);
        struct ctx *c = fixture_ctx(harness.fixture);
        struct shop recorded;
        harness_must(c, endpoints_prepare(c));
        harness_must(c, installation_open(c, NULL, NULL, &recorded));
        make_key("admin", harness.admin, sizeof harness.admin);
        make_key("customers:read", harness.reader, sizeof harness.reader);
        harness_must(c, access_load(fixture_ctx(harness.fixture)));
        harness_must(c, program_load(fixture_ctx(harness.fixture))); /* the housekeeper asks it */
        harness.options = (struct server_options){.host = "127.0.0.1",
                                                  .connections_max = 200,
                                                  .connection_idle_seconds = 30,
                                                  .body_max_bytes = 4096,
                                                  .queue_max = 100,
                                                  .orders_workers = 2,
                                                  .api_workers = 2,
                                                  .reports_workers = 1,
                                                  .bulk_workers = 2,
                                                  .request_deadline_ms = 5000,
                                                  .statement_timeout_ms = 5000,
                                                  .report_timeout_ms = 5000,
                                                  .database_url = harness.fixture->url,
                                                  .shop = &shop};
        harness.server = harness_start();
        harness.port = server_port(harness.server);
}

void harness_close(void)
{
        server_drain_and_stop(harness.server, /* limit_seconds= */ 5);
        access_unload();
        program_unload();
        fixture_free(harness.fixture);
        response_free(&answer);
}

struct response answer;

int ask(const char *method, const char *target, const char *headers, const char *body)
{
        client_request(harness.port, method, target, headers, body, &answer);
        return answer.status;
}

void header_lines(char *out, size_t size, const char *a, const char *b)
{
        snprintf(out, size, "%s%s", a, b);
}

bool is_problem(const char *slug)
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

int64_t answer_int(const char *member)
{
        json_t *json = json_loads(answer.body, 0, NULL);
        int64_t value = json_integer_value(json_object_get(json, member));

        json_decref(json);
        return value;
}
