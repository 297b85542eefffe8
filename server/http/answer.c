#include "http/internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/shape_json.h"
#include "http/cors.h"
#include "http/headers.h"
#include "http/metrics.h"
#include "http/path.h"

#define RETRY_AFTER_SECONDS "1"
/* What MHD asks stream_pull for at once. */
#define STREAM_BLOCK_BYTES ((size_t)32 * 1024)

int64_t answer_version(const struct request *r)
{
        const struct field *field = r->match.route->version;

        if (r->reply.version != 0 || r->reply.json != NULL || field == NULL)
                return r->reply.version;
        return *(const int64_t *)((const char *)r->out + field->offset);
}

void answer_render(struct request *r)
{
        const struct endpoint *endpoint = r->match.route->endpoint;
        const struct reply *reply = &r->reply;
        bool masked = r->ctx.principal == NULL || !r->ctx.principal->pii;
        int64_t version = answer_version(r);

        r->answer.status = reply->status != 0 ? reply->status : endpoint->status;
        r->answer.location =
                reply->location != NULL ? percent_encode_uri(r->ctx.arena, reply->location) : NULL;
        r->answer.etag = version > 0 ? arena_printf(r->ctx.arena, "\"%" PRId64 "\"", version) : NULL;
        r->answer.idempotency_hit = reply->idempotency_hit;
        text_clear(&r->answer.body);
        if (reply->json != NULL)
                text_append(&r->answer.body, reply->json, reply->json_len);
        else if (r->answer.status != MHD_HTTP_NO_CONTENT)
                shape_encode_as(&r->answer.body, endpoint->out, r->out,
                                &(struct encoding){.masked = masked, .pick = r->pick});
}

/* ------------------------------------------------------------------ problems */

static void count_error(const struct request *r)
{
        switch (r->err) {
        case ERR_BUSY:
                metric_add(r->server->metrics, METRIC_QUEUE_FULL, 1);
                break;
        case ERR_DEADLINE:
                metric_add(r->server->metrics, METRIC_DEADLINE, 1);
                break;
        case ERR_DATABASE_AWAY:
                metric_add(r->server->metrics, METRIC_DATABASE_AWAY, 1);
                break;
        case ERR_INTERNAL:
                metric_add(r->server->metrics, METRIC_INTERNAL, 1);
                LOG(LOG_LEVEL_ERROR, "internal_error", LOG_S("request_id", r->ctx.request_id),
                    LOG_S("operation", r->match.route != NULL ? r->match.route->endpoint->name : NULL),
                    LOG_S("detail", r->ctx.problem.detail), LOG_S("cause", r->ctx.problem.cause));
                break;
        default:
                break;
        }
}

static void answer_problem(struct request *r)
{
        struct problem *problem = &r->ctx.problem;
        const char *instance = arena_printf(r->ctx.arena, "/requests/%s", r->ctx.request_id);

        if (problem->code != r->err)
                *problem = (struct problem){.code = r->err, .extra = problem->extra};
        count_error(r);
        if (r->err == ERR_INTERNAL)
                problem->detail = NULL; /* what failed inside is for the log only */
        text_free(&r->answer.body);
        r->answer = (struct answer){.status = err_info(r->err)->status,
                                    .type = "application/problem+json",
                                    .allow = r->answer.allow};
        problem_write(&r->ctx, instance, &r->answer.body);
}

/* ------------------------------------------------------------------ the response */

static void header_add(struct MHD_Response *response, const char *name, const char *value)
{
        if (value == NULL)
                return;
        enum MHD_Result added = MHD_add_response_header(response, name, value);
        assert(added == MHD_YES && "a header of ours with a line break in it");
        (void)added;
}

/* If-None-Match and Prefer: less is sent. */
static void answer_reduce(struct request *r)
{
        struct answer *answer = &r->answer;
        bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

        if (get && answer->status == MHD_HTTP_OK && answer->etag != NULL && r->head.if_none_match != NULL &&
            header_none_match(r->head.if_none_match, answer->etag))
                answer->status = MHD_HTTP_NOT_MODIFIED;
        if (r->prefers_minimal && answer->status >= 200 && answer->status < 300) {
                answer->status = MHD_HTTP_NO_CONTENT;
                answer->minimal_applied = true;
        }
        if (answer->status == MHD_HTTP_NOT_MODIFIED || answer->status == MHD_HTTP_NO_CONTENT) {
                text_free(&answer->body);
                answer->fixed_len = 0;
                answer->fixed_body = "";
        }
}

static struct MHD_Response *response_of_body(struct answer *answer)
{
        size_t len;

        if (answer->fixed_body != NULL)
                return MHD_create_response_from_buffer(
                        answer->fixed_len, (void *)(uintptr_t)answer->fixed_body, MHD_RESPMEM_PERSISTENT);
        char *bytes = text_take(&answer->body, &len);
        return MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
}

static void add_cors(struct request *r)
{
        const char *origins = r->server->options.cors_origins;
        const char *allowed = cors_allowed(origins, r->head.origin);

        header_add(r->response, "Vary", cors_varies(origins) ? "Origin" : NULL);
        if (allowed == NULL)
                return;
        header_add(r->response, "Access-Control-Allow-Origin", allowed);
        if (strcmp(r->method, "OPTIONS") != 0) {
                header_add(r->response, "Access-Control-Expose-Headers", CORS_ANSWER_HEADERS);
                return;
        }
        header_add(r->response, "Access-Control-Allow-Methods", r->answer.allow);
        header_add(r->response, "Access-Control-Allow-Headers", CORS_REQUEST_HEADERS);
        header_add(r->response, "Access-Control-Max-Age", CORS_MAX_AGE_SECONDS);
}

/* As draft-ietf-httpapi-ratelimit-headers has it; the one policy there is, is the key's. */
static void add_limit(struct request *r)
{
        const struct access_grant *grant = &r->grant;

        if (grant->limit.per_second == 0)
                return;
        header_add(r->response, "RateLimit-Policy",
                   arena_printf(r->ctx.arena, "\"key\";q=%" PRId64 ";w=%" PRId64, grant->limit.burst,
                                bucket_window_seconds(grant->limit)));
        header_add(r->response, "RateLimit",
                   arena_printf(r->ctx.arena, "\"key\";r=%" PRId64 ";t=%" PRId64, grant->level.remaining,
                                grant->level.full_in_seconds));
}

static const char *retry_after(const struct request *r)
{
        if (r->answer.status == MHD_HTTP_SERVICE_UNAVAILABLE)
                return RETRY_AFTER_SECONDS;
        if (r->answer.status == MHD_HTTP_TOO_MANY_REQUESTS)
                return arena_printf(r->ctx.arena, "%" PRId64, r->grant.level.retry_in_seconds);
        return NULL;
}

static void add_headers(struct request *r)
{
        const struct answer *answer = &r->answer;
        struct MHD_Response *response = r->response;

        header_add(response, "Request-Id", r->ctx.request_id);
        if (answer->status != MHD_HTTP_NO_CONTENT && answer->status != MHD_HTTP_NOT_MODIFIED)
                header_add(response, "Content-Type",
                           answer->type != NULL ? answer->type : "application/json");
        /* Personal data is not for shared caches; without an ETag there is nothing to revalidate with. */
        header_add(response, "Cache-Control",
                   answer->cache != NULL ? answer->cache
                                         : (answer->etag != NULL ? "private, no-cache" : "no-store"));
        header_add(response, "X-Content-Type-Options", "nosniff");
        header_add(response, "ETag", answer->etag);
        header_add(response, "Location", answer->location);
        header_add(response, "Allow", answer->allow);
        header_add(response, "Content-Security-Policy", answer->policy);
        header_add(response, "Idempotency-Hit", answer->idempotency_hit ? "true" : NULL);
        header_add(response, "Preference-Applied", answer->minimal_applied ? "return=minimal" : NULL);
        header_add(response, "WWW-Authenticate", answer->status == MHD_HTTP_UNAUTHORIZED ? "Bearer" : NULL);
        header_add(response, "Retry-After", retry_after(r));
        add_limit(r);
        add_cors(r);
        if (atomic_load(&r->server->draining))
                header_add(response, "Connection", "close");
}

void answer_finish(struct request *r)
{
        if (r->err != ERR_OK)
                answer_problem(r);
        else if (r->answer.status == 0)
                answer_render(r);
        answer_reduce(r);
        r->response = response_of_body(&r->answer);
        if (r->response == NULL)
                abort(); /* out of memory, as everywhere */
        add_headers(r);
}

void answer_stream(struct request *r, const char *content_type)
{
        r->answer.status = MHD_HTTP_OK;
        r->answer.type = content_type;
        r->response =
                MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, stream_pull, r, NULL);
        if (r->response == NULL)
                abort();
        add_headers(r);
}
