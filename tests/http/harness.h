/* A server on a database of its own, one for each test program, and short words to talk to it. */
#pragma once

#include "client.h"
#include "fixture.h"
#include "http/server.h"

struct harness {
        struct fixture *fixture;
        struct server_options options; /* of the main server; a test may start others with a changed copy */
        struct server *server;
        uint16_t port;
        char admin[128],
                reader[128]; /* header lines: a key that may all, one that may read customers, masked */
};
extern struct harness harness;

/* Prepare the database and start the main server; PATRON_TEST_LOG in the environment shows its log. */
void harness_open(const char *label);
void harness_close(void);

/* Another server with harness.options; ends the program when it can't be. */
struct server *harness_start(void);
void harness_must(struct ctx *c, enum err err);

/* One request to the main server, over a connection of its own: the status. The whole answer stays in
 * `answer`. */
int ask(const char *method, const char *target, const char *headers, const char *body);
extern struct response answer;

/* Is the last answer the problem with this slug, in full? */
bool is_problem(const char *slug);

/* An integer member of the last answer's body. */
int64_t answer_int(const char *member);

/* Put two sets of header lines together. */
void header_lines(char *out, size_t size, const char *a, const char *b);
