#include "http/loop.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ctx.h"

#define EVENT_STACK_BYTES ((size_t)(512 * 1024))

struct loop {
        pthread_t thread;
        struct MHD_Daemon *daemon;
        int wake;          /* an eventfd */
        atomic_bool woken; /* it was written to: once is enough for all who come before the thread awakes */
        atomic_bool closing, stopping;
};

/* How long the library has nothing to do by itself; -1: until a socket is ready. */
static int idle_ms(struct MHD_Daemon *daemon)
{
        MHD_UNSIGNED_LONG_LONG ms;

        if (MHD_get_timeout(daemon, &ms) == MHD_NO)
                return -1;
        return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void close_listening(struct MHD_Daemon *daemon)
{
        int fd = MHD_quiesce_daemon(daemon);

        if (fd != MHD_INVALID_SOCKET)
                close(fd);
}

static unsigned connections(struct MHD_Daemon *daemon)
{
        return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

/* At its connection limit the library stops listening, and it looks whether it may listen again only at the
 * start of a run, before it frees the connections that ended in that run. With nothing else to wake it,
 * clients that wait for their turn would wait for ever: so run once more when some have ended. */
static void run(struct MHD_Daemon *daemon)
{
        unsigned before = connections(daemon);

        MHD_run(daemon);
        if (connections(daemon) < before)
                MHD_run(daemon);
}

static void *loop_main(void *arg)
{
        struct loop *loop = arg;
        struct pollfd fds[] = {
                {.fd = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                 .events = POLLIN},
                {.fd = loop->wake, .events = POLLIN},
        };
        eventfd_t wakes;

        while (!atomic_load(&loop->stopping)) {
                poll(fds, ARRAY_SIZE(fds), idle_ms(loop->daemon));
                if (fds[1].revents != 0) {
                        eventfd_read(loop->wake, &wakes);
                        atomic_store(&loop->woken, false); /* before looking, so that nobody is overlooked */
                }
                if (atomic_exchange(&loop->closing, false))
                        close_listening(loop->daemon);
                run(loop->daemon);
        }
        return NULL;
}

struct loop *loop_new(struct MHD_Daemon *daemon)
{
        struct loop *loop = calloc(1, sizeof *loop);

        if (loop == NULL)
                abort();
        loop->daemon = daemon;
        loop->wake = eventfd(0, EFD_CLOEXEC);
        if (loop->wake < 0)
                abort(); /* no descriptors left before the first request */
        return loop;
}

bool loop_start(struct loop *loop)
{
        pthread_attr_t attr;
        sigset_t pipe, before;

        /* A client that vanishes is an error of the write to it, not a signal: as the library is told. */
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, &before); /* inherited */
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, EVENT_STACK_BYTES);
        int error = pthread_create(&loop->thread, &attr, loop_main, loop);
        pthread_attr_destroy(&attr);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return error == 0;
}

void loop_wake(struct loop *loop)
{
        if (!atomic_exchange(&loop->woken, true))
                eventfd_write(loop->wake, 1);
}

void loop_close(struct loop *loop)
{
        atomic_store(&loop->closing, true);
        loop_wake(loop);
}

void loop_stop(struct loop *loop)
{
        atomic_store(&loop->stopping, true);
        loop_wake(loop);
        pthread_join(loop->thread, NULL);
}

void loop_free(struct loop *loop)
{
        close(loop->wake);
        free(loop);
}
