#include "http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/builtin.h"
#include "http/lanes.h"
#include "http/loop.h"
#include "http/metrics.h"

/* Head and I/O of one connection: a target and headers of 8 KiB fit, and 256 connections cost 4 MB. */
#define CONNECTION_MEMORY_BYTES ((size_t)16 * 1024)

/* ------------------------------------------------------------------ one request, step by step */

/* Called with the request line, before the headers: whatever it returns is *slot of the other callbacks. */
static void *request_line(void *cls, const char *target, struct MHD_Connection *connection)
{
        struct request *r = request_new(cls, target);

        r->connection = connection;
        return r;
}

static enum MHD_Result answer_queue(struct request *r)
{
        return MHD_queue_response(r->connection, (unsigned)r->answer.status, r->response);
}

static enum MHD_Result answer_now(struct request *r)
{
        answer_finish(r);
        r->phase = PHASE_DONE;
        return answer_queue(r);
}

void listener_resume(struct request *r)
{
        struct loop *loop = r->server->loop;

        MHD_resume_connection(r->connection);
        loop_wake(loop);
}

static void request_count(struct request *r)
{
        atomic_fetch_add(&r->server->in_flight, 1);
        r->counted = true;
        metric_add(r->server->metrics, METRIC_IN_FLIGHT, 1);
        r->arrived_us = clock_monotonic_us();
}

/* The request is whole: answer it here, or give it to a lane. */
static enum MHD_Result request_dispatch(struct request *r)
{
        request_count(r);
        /* Counted before it is looked at: either the drain waits for this request, or the request sees the
         * drain. */
        if (r->err == ERR_OK && r->match.route != NULL && atomic_load(&r->server->draining))
                r->err = fail(&r->ctx, ERR_DRAINING, "The server is stopping.");
        if (r->err == ERR_OK && r->answer.status == 0 && r->builtin != NULL)
                builtin_answer(r);
        else if (r->err == ERR_OK && r->answer.status == 0)
                r->err = request_decode(r);
        if (r->err != ERR_OK || r->answer.status != 0)
                return answer_now(r);

        r->phase = PHASE_WORKING;
        if (r->match.route->endpoint->streams) {
                r->streaming = streaming_new();
                r->streaming->held = r->streaming->in.closed = true;
        }
        MHD_suspend_connection(r->connection); /* before a worker can resume it */
        if (lanes_put(r->server->lanes, r))
                return MHD_YES;
        r->err = fail(&r->ctx, ERR_BUSY, "The queue for this kind of request is full.");
        if (r->streaming != NULL)
                r->streaming->held = false;
        answer_finish(r);
        r->phase = PHASE_DONE;
        listener_resume(r);
        return MHD_YES;
}

/* The head is whole and the body is for a worker to read while it comes in. False: it is not, or can't be. */
static bool upload_begin(struct request *r)
{
        if (r->err != ERR_OK || r->match.route == NULL || r->match.route->endpoint->consumes == NULL)
                return false;
        r->err = request_decode_head(r);
        if (r->err != ERR_OK)
                return false;
        request_count(r);
        r->streaming = streaming_new();
        r->streaming->held = true;
        r->phase = PHASE_UPLOAD;
        if (lanes_put(r->server->lanes, r))
                return true;
        r->err = fail(&r->ctx, ERR_BUSY, "The queue for this kind of request is full.");
        r->streaming->held = false;
        answer_finish(r);
        return true;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload, size_t *upload_len,
                              void **slot)
{
        struct request *r = *slot;

        (void)cls;
        (void)connection;
        (void)url;
        (void)version;
        switch (r->phase) {
        case PHASE_HEAD:
                r->method = arena_strdup(r->ctx.arena, method);
                request_begin(r);
                if (upload_begin(r))
                        return MHD_YES;
                r->phase = PHASE_BODY;
                /* An answer in this first call would close the connection; only here that is wanted. */
                return request_refused_early(r) ? answer_now(r) : MHD_YES;
        case PHASE_BODY:
                if (*upload_len == 0)
                        return request_dispatch(r);
                bool bearable = request_body(r, upload, *upload_len);
                *upload_len = 0;
                return bearable ? MHD_YES : MHD_NO;
        case PHASE_UPLOAD:
                if (*upload_len == 0)
                        return stream_body_end(r) ? answer_queue(r) : MHD_YES;
                stream_body_put(r, upload, upload_len);
                return MHD_YES;
        case PHASE_WORKING:
                return MHD_YES; /* suspended: nothing to do yet */
        case PHASE_DONE:
                return answer_queue(r);
        }
        return MHD_NO;
}

/* ------------------------------------------------------------------ the end of a request */

static void request_log(const struct request *r, int64_t total_us, bool sent)
{
        const struct route *route = r->match.route;

        /* Probes and scrapes come every few seconds and say nothing. */
        LOG(r->builtin != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "request",
            LOG_S("request_id", r->ctx.request_id), LOG_S("method", r->method),
            LOG_S("route", route != NULL ? route->endpoint->path : (r->builtin != NULL ? r->path : NULL)),
            LOG_I("status", r->answer.status), LOG_I("total_us", total_us),
            LOG_I("queued_us", r->started_us != 0 ? r->started_us - r->arrived_us : 0),
            LOG_S("key_id", r->ctx.principal != NULL ? r->ctx.principal->key_id : NULL),
            LOG_S("traceparent", r->traceparent), LOG_S("ended", sent ? NULL : "client went away"));
}

static void request_end(void *cls, struct MHD_Connection *connection, void **slot,
                        enum MHD_RequestTerminationCode code)
{
        struct request *r = *slot;

        (void)connection;
        if (r == NULL)
                return;
        struct server *server = cls;
        if (r->phase == PHASE_DONE) { /* else the head was malformed or the client left while sending */
                int64_t total_us = clock_monotonic_us() - r->arrived_us;
                if (r->match.route != NULL)
                        metric_request(server->metrics, r->match.route, r->answer.status, total_us);
                request_log(r, total_us, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
        }
        *slot = NULL;
        if (r->streaming == NULL || !stream_abandon(r))
                request_free(r);
}

void request_free(struct request *r)
{
        struct server *server = r->server;
        bool counted = r->counted;

        if (r->response != NULL)
                MHD_destroy_response(r->response);
        streaming_free(r->streaming);
        text_free(&r->body);
        text_free(&r->answer.body);
        problem_reset(&r->ctx);
        arena_free(r->ctx.arena);
        if (counted) {
                metric_add(server->metrics, METRIC_IN_FLIGHT, -1);
                atomic_fetch_sub(&server->in_flight, 1);
        }
}

/* ------------------------------------------------------------------ the daemon */

static void connection_change(void *cls, struct MHD_Connection *connection, void **slot,
                              enum MHD_ConnectionNotificationCode code)
{
        struct server *server = cls;

        (void)connection;
        (void)slot;
        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                atomic_fetch_add(&server->connections, 1);
                metric_add(server->metrics, METRIC_CONNECTIONS, 1);
                metric_add(server->metrics, METRIC_CONNECTIONS_TOTAL, 1);
        } else {
                atomic_fetch_sub(&server->connections, 1);
                metric_add(server->metrics, METRIC_CONNECTIONS, -1);
        }
}

/* The router decodes by itself: "%2F" inside a segment is not a separator. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
        (void)cls;
        (void)connection;
        return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void library_log(void *cls, const char *fmt, va_list args)
{
        char line[512];

        (void)cls;
        int len = vsnprintf(line, sizeof line, fmt, args);
        while (len > 0 && (size_t)len < sizeof line && line[len - 1] == '\n')
                line[--len] = '\0';
        LOG(LOG_LEVEL_DEBUG, "http_library", LOG_S("detail", line));
}

static bool address_of(const struct server_options *options, struct sockaddr_storage *ret)
{
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

        *ret = (struct sockaddr_storage){0};
        if (inet_pton(AF_INET, options->host, &v4->sin_addr) == 1) {
                v4->sin_family = AF_INET;
                v4->sin_port = htons(options->port);
                return true;
        }
        if (inet_pton(AF_INET6, options->host, &v6->sin6_addr) == 1) {
                v6->sin6_family = AF_INET6;
                v6->sin6_port = htons(options->port);
                return true;
        }
        return false;
}

static struct MHD_Daemon *daemon_start(struct server *server, const char **ret_why)
{
        struct sockaddr_storage address;
        unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG;

        if (!address_of(&server->options, &address)) {
                *ret_why = "The address to listen on must be a numeric IPv4 or IPv6 address.";
                return NULL;
        }
        if (address.ss_family == AF_INET6)
                flags |= MHD_USE_IPv6;
        errno = 0;
        /* clang-format off */
        struct MHD_Daemon *daemon = MHD_start_daemon(
                flags, server->options.port, /* accept policy= */ NULL, NULL, handle, server,
                MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL, /* first, to hear about the others */
                MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                MHD_OPTION_URI_LOG_CALLBACK, request_line, server,
                MHD_OPTION_NOTIFY_COMPLETED, request_end, server,
                MHD_OPTION_NOTIFY_CONNECTION, connection_change, server,
                MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                MHD_OPTION_CONNECTION_LIMIT, server->options.connections_max,
                MHD_OPTION_CONNECTION_TIMEOUT, server->options.connection_idle_seconds,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES,
                MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
                MHD_OPTION_STRICT_FOR_CLIENT, 1, /* what two servers could read in two ways is refused */
                MHD_OPTION_END);
        /* clang-format on */
        if (daemon == NULL)
                *ret_why = errno != 0 ? strerror(errno) : "The HTTP library could not start.";
        return daemon;
}

bool listener_start(struct server *server, const char **ret_why)
{
        server->daemon = daemon_start(server, ret_why);
        if (server->daemon == NULL)
                return false;
        server->loop = loop_new(server->daemon);
        if (loop_start(server->loop)) /* from here on there are requests */
                return true;
        *ret_why = "A thread could not be started.";
        MHD_stop_daemon(server->daemon);
        loop_free(server->loop);
        return false;
}

void listener_stop(struct server *server)
{
        loop_stop(server->loop);
        MHD_stop_daemon(server->daemon);
        loop_free(server->loop);
}
