/* The HTTP server: one event thread that reads, checks and answers; lane workers that do the work; a
 * housekeeper. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"

struct server_options {
        const char *host; /* a numeric IPv4 or IPv6 address */
        uint16_t port;    /* 0: any free one, see server_port */

        unsigned connections_max;         /* open connections; further ones are closed unanswered */
        unsigned connection_idle_seconds; /* a connection without traffic is closed after this long */
        size_t body_max_bytes;
        unsigned queue_max;      /* waiting requests per queue; a full one answers 503 */
        unsigned orders_workers; /* threads, and connections to the database, of each lane */
        unsigned api_workers;
        unsigned reports_workers;
        unsigned bulk_workers;         /* each serves one upload, export or watcher at a time */
        unsigned request_deadline_ms;  /* a request that waited longer than this is not begun any more */
        unsigned statement_timeout_ms; /* of one statement on the api and the orders lane */
        unsigned report_timeout_ms;    /* of one statement on the reports lane */

        const char *cors_origins; /* see cors.h; NULL: none */
        const char *database_url;
        const struct shop *shop; /* must outlive the server */
};

struct server;

/* Start to listen and answer. The strings of the options must outlive the server. NULL when it can't:
 * *ret_why is then a sentence for a person (static text or until the next call). sodium_init and
 * json_object_seed must have been called. */
struct server *server_start(const struct server_options *options, const char **ret_why);

/* The port that is listened on. */
uint16_t server_port(const struct server *server);

/* Take no new connection, answer new requests 503 `draining`, wait until every accepted request is answered
 * (at most limit_seconds, then what still waits in a queue is answered 503 too), end all threads and free the
 * server. */
void server_drain_and_stop(struct server *server, unsigned limit_seconds);
