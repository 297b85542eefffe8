#include "http/server.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal.h"
#include "http/keeper.h"
#include "http/lanes.h"
#include "http/metrics.h"

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
        server->router = router_new(server->arena, resources, &fault);
        if (server->router != NULL) {
                server->metrics = metrics_new(server->router);
                server->lanes = lanes_start(options);
                server->keeper = keeper_start(options->database_url, options->shop);
        }
        if (server->lanes != NULL && server->keeper != NULL)
                server->daemon = listener_start(server, &fault);
        if (server->daemon != NULL)
                return server;
        snprintf(why, sizeof why, "%s", fault);
        *ret_why = why;
        if (server->lanes != NULL)
                lanes_stop(server->lanes);
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

static unsigned connection_count(const struct server *server)
{
        return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

static void linger(const struct server *server)
{
        int64_t until_us = clock_monotonic_us() + DRAIN_LINGER_MS * 1000;

        while (connection_count(server) > 0 && clock_monotonic_us() < until_us)
                nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_MS * 1000000L}, NULL);
}

void server_drain_and_stop(struct server *server, unsigned limit_seconds)
{
        atomic_store(&server->draining, true);
        int listening = MHD_quiesce_daemon(server->daemon);
        /* Closed to newcomers, who would otherwise wait in the system's queue for a server that never takes
         * them. The number stays ours: the event thread may just be using it. */
        if (listening != MHD_INVALID_SOCKET)
                shutdown(listening, SHUT_RDWR);
        if (!wait_until_answered(server, clock_monotonic_us() + limit_seconds * INSTANT_SECOND)) {
                LOG(LOG_LEVEL_WARNING, "drain_limit", LOG_I("in_flight", atomic_load(&server->in_flight)));
                atomic_store(&server->giving_up, true);
                lanes_give_up(server->lanes);
        }
        linger(server);
        wait_until_answered(server, clock_monotonic_us() + DRAIN_SEND_SECONDS * INSTANT_SECOND);
        lanes_stop(server->lanes); /* every suspended connection is resumed after this */
        wait_until_answered(server, clock_monotonic_us() + DRAIN_SEND_SECONDS * INSTANT_SECOND);
        MHD_stop_daemon(server->daemon);
        if (listening != MHD_INVALID_SOCKET)
                close(listening);
        server_free(server);
}
