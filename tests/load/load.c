#include "load.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "response.h"

#define NS            UINT64_C(1000000000)
#define DRAIN_NS      (5 * NS)
#define EVENTS_MAX    256
#define READ_SIZE     65536
#define STATUS_FAULTY 400

struct connection {
        int fd;
        bool busy;
        uint64_t began_ns; /* sent (closed loop) or due (open loop) */
        char request[REQUEST_SIZE];
        size_t request_length, request_sent;
        struct response response;
};

struct load {
        const struct load_plan *plan;
        struct request_maker *maker;
        struct load_result *result;
        int epoll, timer;
        struct connection *connections;
        unsigned *idle;
        unsigned idle_count;
        uint64_t sent, limit; /* requests */
        uint64_t start_ns, measure_ns, end_ns, last_ns;
};

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

static bool connection_open(struct load *load, unsigned index)
{
        struct connection *connection = &load->connections[index];
        int on = 1, fd = socket(load->plan->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index};

        if (fd < 0 ||
            connect(fd, (const struct sockaddr *)&load->plan->address, load->plan->address_length) < 0) {
                fprintf(stderr, "patron-load: connecting: %s\n", strerror(errno));
                if (fd >= 0)
                        close(fd);
                return false;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event);
        connection->fd = fd;
        connection->busy = false;
        load->idle[load->idle_count++] = index;
        return true;
}

/* Close it and put a fresh one in its place. */
static bool connection_renew(struct load *load, unsigned index)
{
        struct connection *connection = &load->connections[index];

        for (unsigned i = 0; !connection->busy && i < load->idle_count; i++) {
                if (load->idle[i] == index)
                        load->idle[i] = load->idle[--load->idle_count];
        }
        close(connection->fd);
        return connection_open(load, index);
}

/* It ended without, or in the middle of, an answer. */
static bool connection_broke(struct load *load, unsigned index)
{
        if (load->connections[index].busy)
                load->result->broken++;
        return connection_renew(load, index);
}

/* What is left of the request; a failure shows when reading. */
static void connection_write(struct connection *connection)
{
        while (connection->request_sent < connection->request_length) {
                ssize_t n = send(connection->fd, connection->request + connection->request_sent,
                                 connection->request_length - connection->request_sent, MSG_NOSIGNAL);
                if (n < 0)
                        return;
                connection->request_sent += (size_t)n;
        }
}

static void connection_ask(struct load *load, unsigned index, uint64_t began_ns)
{
        struct connection *connection = &load->connections[index];

        assert(!connection->busy);
        connection->busy = true;
        connection->began_ns = began_ns;
        connection->request_length = request_next(load->maker, connection->request);
        connection->request_sent = 0;
        response_reset(&connection->response);
        load->sent++;
        connection_write(connection);
}

static void note_answer(struct load *load, const struct connection *connection, uint64_t now)
{
        struct load_result *result = load->result;
        int status = connection->response.status;

        load->last_ns = now;
        if (status < STATUS_FAULTY && now >= load->measure_ns && now <= load->end_ns)
                result->in_time++;
        if (connection->began_ns < load->measure_ns)
                return;
        result->statuses[status]++;
        if (status < STATUS_FAULTY)
                histogram_add(&result->latency_ns, now - connection->began_ns);
}

/* Read what is there. False when no new connection could be opened in place of a broken one. */
static bool connection_read(struct load *load, unsigned index)
{
        struct connection *connection = &load->connections[index];
        static char bytes[READ_SIZE];

        for (;;) {
                ssize_t n = recv(connection->fd, bytes, sizeof(bytes), 0);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return true;
                if (n <= 0)
                        return connection_broke(load, index);
                enum response_state state = connection->busy
                                                    ? response_feed(&connection->response, bytes, (size_t)n)
                                                    : RESPONSE_BROKEN;
                if (state == RESPONSE_BROKEN)
                        return connection_broke(load, index);
                if (state == RESPONSE_MORE)
                        continue;
                note_answer(load, connection, now_ns());
                if (connection->response.closes)
                        return connection_renew(load, index);
                connection->busy = false;
                load->idle[load->idle_count++] = index;
        }
}

static uint64_t due_ns(const struct load *load, uint64_t request)
{
        return load->start_ns + (uint64_t)((double)request / load->plan->rate * (double)NS);
}

/* Whether another request belongs to this load at all, and since when it is due. */
static bool next_due(const struct load *load, uint64_t now, uint64_t *ret_due)
{
        uint64_t due = load->plan->rate > 0 ? due_ns(load, load->sent) : now;

        if (load->sent >= load->limit || due >= load->end_ns)
                return false;
        *ret_due = due;
        return true;
}

/* Give idle connections what is due; set the timer for what is not. */
static void dispatch(struct load *load)
{
        uint64_t now = now_ns(), due;

        while (load->idle_count > 0 && next_due(load, now, &due)) {
                if (due > now) {
                        struct itimerspec when = {
                                .it_value = {.tv_sec = (time_t)(due / NS), .tv_nsec = (long)(due % NS)}};
                        timerfd_settime(load->timer, TFD_TIMER_ABSTIME, &when, NULL);
                        return;
                }
                connection_ask(load, load->idle[--load->idle_count], due);
        }
}

static bool finished(const struct load *load)
{
        uint64_t now = now_ns(), due;

        if (now >= load->end_ns + DRAIN_NS)
                return true;
        return load->idle_count == load->plan->connections && !next_due(load, now, &due);
}

/* Its only use is to wake the loop; it may have been set anew since it fired. */
static void timer_quieten(struct load *load)
{
        uint64_t expired;

        if (read(load->timer, &expired, sizeof(expired)) < 0)
                assert(errno == EAGAIN);
}

static bool loop(struct load *load)
{
        struct epoll_event events[EVENTS_MAX];

        for (dispatch(load); !finished(load); dispatch(load)) {
                int n = epoll_wait(load->epoll, events, EVENTS_MAX, /* timeout_ms= */ 100);

                for (int i = 0; i < n; i++) {
                        uint32_t index = events[i].data.u32;

                        if (index == load->plan->connections) {
                                timer_quieten(load);
                                continue;
                        }
                        if (events[i].events & EPOLLOUT && load->connections[index].busy)
                                connection_write(&load->connections[index]);
                        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) &&
                            !connection_read(load, index))
                                return false;
                }
        }
        return true;
}

static void set_times(struct load *load)
{
        const struct load_plan *plan = load->plan;

        load->start_ns = load->last_ns = now_ns();
        load->measure_ns = load->start_ns + (uint64_t)(plan->warm_seconds * (double)NS);
        load->end_ns = load->measure_ns + (uint64_t)(plan->seconds * (double)NS);
        load->limit = plan->count > 0 ? plan->count : UINT64_MAX;
}

/* What is still open, and how long it was measured. */
static void conclude(struct load *load)
{
        uint64_t due_all = load->sent, end = load->end_ns;

        if (load->plan->rate > 0) {
                double planned = (load->plan->warm_seconds + load->plan->seconds) * load->plan->rate;
                due_all = (uint64_t)planned < load->limit ? (uint64_t)planned : load->limit;
        }
        load->result->unanswered = load->plan->connections - load->idle_count;
        if (due_all > load->sent)
                load->result->unanswered += due_all - load->sent;
        if (load->sent == load->limit && load->last_ns < end)
                end = load->last_ns;
        load->result->seconds = (double)(end - load->measure_ns) / (double)NS;
}

bool load_run(const struct load_plan *plan, struct request_maker *maker, struct load_result *ret)
{
        assert(plan->connections > 0 && plan->connections <= CONNECTIONS_MAX);
        struct load load = {.plan = plan, .maker = maker, .result = ret};
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = plan->connections};
        bool ok = true;

        load.epoll = epoll_create1(EPOLL_CLOEXEC);
        load.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        load.connections = calloc(plan->connections, sizeof(*load.connections));
        load.idle = calloc(plan->connections, sizeof(*load.idle));
        if (load.epoll < 0 || load.timer < 0 || load.connections == NULL || load.idle == NULL)
                abort();
        epoll_ctl(load.epoll, EPOLL_CTL_ADD, load.timer, &event);
        unsigned opened = 0;
        while (ok && opened < plan->connections) {
                ok = connection_open(&load, opened);
                opened += ok;
        }
        set_times(&load);
        ok = ok && loop(&load);
        conclude(&load);
        for (unsigned i = 0; i < opened; i++)
                close(load.connections[i].fd);
        close(load.timer);
        close(load.epoll);
        free(load.connections);
        free(load.idle);
        return ok;
}
