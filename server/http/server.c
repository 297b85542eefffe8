#include "http/server.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal.h"
#include "http/keeper.h"
#include "http/cors.h"
#include "http/lanes.h"
#include "http/loop.h"
#include "http/metrics.h"
#include "http/recorder.h"

/* Requests are allocated by one thread and freed by another; with an allocator arena for every thread each
 * would keep its own high-water mark. Two are enough for the contention there is. */
#define MALLOC_ARENAS 2
/* Larger blocks (bodies near the limit) come from and go back to the system by themselves. */
#define MALLOC_MMAP_BYTES (256 * 1024)

#define DRAIN_POLL_MS 2
/* Answers that are made must still be sent when the lanes are empty. */
#define DRAIN_SEND_SECONDS 2
/* A client that keeps its connection may be sending its next request just now: so long it still hears that
 * the server is stopping, instead of a connection cut under its request. */
#define DRAIN_LINGER_MS 200

static void server_free(struct server *server)
{
        keeper_stop(server->keeper);
        lanes_free(server->lanes);
        metrics_free(server->metrics);
        arena_free(server->arena);
        free(server);
}

static bool cors_ok(struct server *server, const char **ret_why)
{
        size_t len;
        const char *word = cors_fault(server->options.cors_origins, &len);

        if (word != NULL)
                *ret_why = arena_printf(
                        server->arena,
                        "cors_origins must be * or a list of origins such as https://shop.example, not \"%.*s\".",
                        (int)len, word);
        return word == NULL;
}

struct server *server_start(const struct server_options *options, const char **ret_why)
{
        static char why[512];
        const char *fault = "A thread could not be started.";
        struct server *server = calloc(1, sizeof *server);

        mallopt(M_ARENA_MAX, MALLOC_ARENAS);
        mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_BYTES);
        if (server == NULL)
                abort();
        server->options = *options;
        server->arena = arena_new();
        if (cors_ok(server, &fault))
                server->router = router_new(server->arena, resources, &fault);
        if (server->router != NULL) {
                server->metrics = metrics_new(server->router);
                server->recorder = recorder_start(options);
                server->lanes = lanes_start(options);
                server->keeper = keeper_start(options->database_url, options->shop);
        }
        if (server->lanes != NULL && server->keeper != NULL && server->recorder != NULL &&
            listener_start(server, &fault))
                return server;
        snprintf(why, sizeof why, "%s", fault);
        *ret_why = why;
        if (server->lanes != NULL)
                lanes_stop(server->lanes);
        recorder_stop(server->recorder);
        server_free(server);
        return NULL;
}

uint16_t server_port(const struct server *server)
{
        return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* Wait until every accepted request is answered; polled, since it happens once in the life of a process. */
static bool wait_until_answered(struct server *server, int64_t until_us)
{
        while (atomic_load(&server->in_flight) > 0) {
                if (clock_monotonic_us() >= until_us)
                        return false;
                nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_MS * 1000000L}, NULL);
        }
        return true;
}

static void linger(struct server *server)
{
        int64_t until_us = clock_monotonic_us() + DRAIN_LINGER_MS * 1000;

        while (atomic_load(&server->connections) > 0 && clock_monotonic_us() < until_us)
                nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_MS * 1000000L}, NULL);
}

void server_drain_and_stop(struct server *server, unsigned limit_seconds)
{
        atomic_store(&server->draining, true);
        loop_close(server->loop);
        if (!wait_until_answered(server, clock_monotonic_us() + limit_seconds * INSTANT_SECOND)) {
                LOG(LOG_LEVEL_WARNING, "drain_limit", LOG_I("in_flight", atomic_load(&server->in_flight)));
                atomic_store(&server->giving_up, true);
                lanes_give_up(server->lanes);
        }
        linger(server);
        wait_until_answered(server, clock_monotonic_us() + DRAIN_SEND_SECONDS * INSTANT_SECOND);
        lanes_stop(server->lanes);
        recorder_stop(server->recorder); /* every suspended connection is resumed after this */
        wait_until_answered(server, clock_monotonic_us() + DRAIN_SEND_SECONDS * INSTANT_SECOND);
        listener_stop(server);
        server_free(server);
}
