#include "http/stream.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "http/internal.h"

/* Bytes on their way in each direction: several reads of a socket, and small enough for hundreds of streams.
 */
#define PIPE_BYTES ((size_t)128 * 1024)
/* How soon a worker that waits for its client notices that the server gives up. */
#define LOOK_MS 100
/* A client that has closed is cut off when nothing came for so many looks. */
#define SILENT_LOOKS 10

static struct request *request_of(struct ctx *c)
{
        return (struct request *)((char *)c - offsetof(struct request, ctx));
}

/* ------------------------------------------------------------------ bytes in a ring */

static size_t pipe_put(struct pipe *pipe, const char *data, size_t len)
{
        size_t put = 0;

        if (pipe->data == NULL) {
                pipe->data = malloc(PIPE_BYTES);
                if (pipe->data == NULL)
                        abort();
        }
        while (put < len && pipe->len < PIPE_BYTES) {
                size_t end = (pipe->start + pipe->len) % PIPE_BYTES;
                size_t n = (end < pipe->start ? pipe->start : PIPE_BYTES) - end;
                if (n > len - put)
                        n = len - put;
                memcpy(pipe->data + end, data + put, n);
                pipe->len += n;
                put += n;
        }
        return put;
}

static size_t pipe_take(struct pipe *pipe, char *buffer, size_t size)
{
        size_t taken = 0;

        while (taken < size && pipe->len > 0) {
                size_t n = PIPE_BYTES - pipe->start;
                if (n > pipe->len)
                        n = pipe->len;
                if (n > size - taken)
                        n = size - taken;
                memcpy(buffer + taken, pipe->data + pipe->start, n);
                pipe->start = (pipe->start + n) % PIPE_BYTES;
                pipe->len -= n;
                taken += n;
        }
        return taken;
}

/* ------------------------------------------------------------------ life */

struct streaming *streaming_new(void)
{
        struct streaming *s = calloc(1, sizeof *s);
        pthread_condattr_t attr;

        if (s == NULL)
                abort();
        pthread_mutex_init(&s->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&s->moved, &attr);
        pthread_condattr_destroy(&attr);
        return s;
}

void streaming_free(struct streaming *s)
{
        if (s == NULL)
                return;
        pthread_cond_destroy(&s->moved);
        pthread_mutex_destroy(&s->lock);
        free(s->in.data);
        free(s->out.data);
        free(s);
}

/* ------------------------------------------------------------------ the worker's side */

/* The event thread waits for us: let it go on. */
static void wake(struct request *r)
{
        struct streaming *s = r->streaming;

        if (!s->stalled)
                return;
        s->stalled = false;
        listener_resume(r);
}

static enum err still_of_use(struct request *r)
{
        if (r->streaming->gone)
                return fail(&r->ctx, ERR_CLIENT_GONE, "The client went away.");
        if (atomic_load(&r->server->giving_up))
                return fail(&r->ctx, ERR_DRAINING, "The server is stopping.");
        return ERR_OK;
}

static void wait_a_moment(struct streaming *s, int milliseconds)
{
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)milliseconds * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&s->moved, &s->lock, &until);
}

/* The library reads on when the system tells it of news, and once. The end of a stream that came together
 * with its last bytes is no news to it: it would go on waiting until the connection's time is over. Cutting a
 * connection whose other side has closed it is news. It may still have bytes for us in its hands, so only
 * when it had time to hand them over. */
static void nudge(struct request *r, unsigned *silent)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        char byte;

        if (recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) {
                *silent = 0;
        } else if (++*silent == SILENT_LOOKS) {
                shutdown(info->connect_fd, SHUT_RDWR);
                *silent = 0;
        }
}

enum err body_read(struct ctx *c, void *buffer, size_t size, size_t *ret_len)
{
        struct request *r = request_of(c);
        struct streaming *s = r->streaming;
        enum err err = ERR_OK;
        unsigned silent = 0;

        pthread_mutex_lock(&s->lock);
        while (s->in.len == 0 && !s->in.closed && (err = still_of_use(r)) == ERR_OK) {
                wait_a_moment(s, LOOK_MS);
                if (s->in.len == 0 && !s->in.closed && !s->gone)
                        nudge(r, &silent);
        }
        if (err == ERR_OK) {
                *ret_len = pipe_take(&s->in, buffer, size);
                if (!s->in.closed && s->in.len <= PIPE_BYTES / 2)
                        wake(r);
        }
        pthread_mutex_unlock(&s->lock);
        return err;
}

void stream_begin(struct ctx *c, const char *content_type)
{
        struct request *r = request_of(c);
        struct streaming *s = r->streaming;

        pthread_mutex_lock(&s->lock);
        s->begun = true;
        if (!s->gone) {
                answer_stream(r, content_type);
                r->phase = PHASE_DONE;
                if (strcmp(r->method, "HEAD") == 0) /* nobody will take the bytes */
                        s->unwanted = true;
                listener_resume(r);
        }
        pthread_mutex_unlock(&s->lock);
}

enum err stream_write(struct ctx *c, const void *data, size_t len)
{
        struct request *r = request_of(c);
        struct streaming *s = r->streaming;
        enum err err = ERR_OK;
        size_t put = 0;

        pthread_mutex_lock(&s->lock);
        if (s->unwanted)
                err = ERR_CLIENT_GONE;
        while (err == ERR_OK && put < len && (err = still_of_use(r)) == ERR_OK) {
                size_t n = pipe_put(&s->out, (const char *)data + put, len - put);
                put += n;
                if (n > 0)
                        wake(r);
                else
                        wait_a_moment(s, LOOK_MS);
        }
        pthread_mutex_unlock(&s->lock);
        return err;
}

enum err stream_pause(struct ctx *c, int milliseconds)
{
        struct request *r = request_of(c);
        struct streaming *s = r->streaming;
        int64_t until_us = clock_monotonic_us() + milliseconds * INT64_C(1000);
        enum err err;

        pthread_mutex_lock(&s->lock);
        while ((err = still_of_use(r)) == ERR_OK && !atomic_load(&r->server->draining) &&
               clock_monotonic_us() < until_us)
                wait_a_moment(s, milliseconds < LOOK_MS ? milliseconds : LOOK_MS);
        pthread_mutex_unlock(&s->lock);
        if (err == ERR_OK && atomic_load(&r->server->draining))
                return fail(c, ERR_DRAINING, "The server is stopping.");
        return err;
}

void stream_finish(struct request *r)
{
        struct streaming *s = r->streaming;
        bool begun = s->begun;

        if (!begun)
                answer_finish(r);
        pthread_mutex_lock(&s->lock);
        s->held = false;
        s->out.closed = true;
        s->failed = r->err != ERR_OK;
        bool gone = s->gone;
        if (!gone && !begun && s->in.closed) { /* else the end of the body finds the answer ready */
                r->phase = PHASE_DONE;
                listener_resume(r);
        } else if (!gone) {
                wake(r);
        }
        pthread_mutex_unlock(&s->lock);
        if (gone)
                request_free(r);
}

/* ------------------------------------------------------------------ the event thread's side */

void stream_body_put(struct request *r, const char *data, size_t *len)
{
        struct streaming *s = r->streaming;

        pthread_mutex_lock(&s->lock);
        size_t put = s->held ? pipe_put(&s->in, data, *len) : *len; /* refused already: read on and drop */
        *len -= put;
        if (*len > 0) {
                s->stalled = true;
                MHD_suspend_connection(r->connection); /* before the worker can resume it */
        }
        pthread_cond_signal(&s->moved);
        pthread_mutex_unlock(&s->lock);
}

bool stream_body_end(struct request *r)
{
        struct streaming *s = r->streaming;

        pthread_mutex_lock(&s->lock);
        bool answered = !s->held;
        s->in.closed = true;
        if (!answered)
                MHD_suspend_connection(r->connection);
        r->phase = answered ? PHASE_DONE : PHASE_WORKING;
        pthread_cond_signal(&s->moved);
        pthread_mutex_unlock(&s->lock);
        return answered;
}

ssize_t stream_pull(void *cls, uint64_t position, char *buffer, size_t size)
{
        struct request *r = cls;
        struct streaming *s = r->streaming;
        ssize_t n;

        (void)position;
        pthread_mutex_lock(&s->lock);
        if (s->out.len > 0) {
                n = (ssize_t)pipe_take(&s->out, buffer, size);
                pthread_cond_signal(&s->moved);
        } else if (s->out.closed) {
                n = s->failed ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
        } else {
                s->stalled = true;
                MHD_suspend_connection(r->connection);
                n = 0;
        }
        pthread_mutex_unlock(&s->lock);
        return n;
}

bool stream_abandon(struct request *r)
{
        struct streaming *s = r->streaming;

        pthread_mutex_lock(&s->lock);
        bool held = s->held;
        s->gone = true;
        s->stalled = false;
        pthread_cond_signal(&s->moved);
        pthread_mutex_unlock(&s->lock);
        return held;
}
