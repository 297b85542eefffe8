/* The load itself: one thread, one epoll, kept-alive connections.
 *
 * Closed loop: every connection asks again as soon as it is answered. Open loop: requests are due at a fixed
 * rate, whatever the server does, and latency counts from the due time, so that waiting for a free connection
 * is seen. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "request.h"

#define CONNECTIONS_MAX 4096
#define STATUS_MAX      600

struct load_plan {
        struct sockaddr_storage address; /* loopback */
        socklen_t address_length;
        unsigned connections; /* 1 to CONNECTIONS_MAX */
        double rate;          /* requests a second; 0: closed loop */
        double warm_seconds;  /* before measuring */
        double seconds;       /* measured */
        uint64_t count;       /* stop after this many requests; 0: only time ends it */
};

struct load_result {
        struct histogram latency_ns;   /* of answers with a status below 400 */
        uint64_t statuses[STATUS_MAX]; /* of all measured answers */
        uint64_t in_time;              /* good answers within the measured time */
        uint64_t broken;     /* connections that broke with a request under way, or gave no HTTP answer */
        uint64_t unanswered; /* due or sent, but still open when waiting ended */
        double seconds;      /* measured time: shorter than planned when count ended it */
};

/* Run it; false, with a line on stderr, when the server can't be reached. */
bool load_run(const struct load_plan *plan, struct request_maker *maker, struct load_result *ret);
