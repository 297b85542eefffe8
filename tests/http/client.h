/* A small blocking HTTP/1.1 client for tests: it sends bytes as they are and reads one answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer and what it cost; the texts live until the next one is read into it, or response_free. */
struct response {
        int status; /* 0: the connection ended without an answer */
        char *head; /* status line and headers */
        char *body; /* NUL-terminated */
        size_t body_len;
};
void response_free(struct response *response);

/* The value of a header, or NULL; the thread's own static memory, overwritten by its next call. */
const char *response_header(const struct response *response, const char *name);

/* A connection to 127.0.0.1; ends the program when it can't be made. */
int client_connect(uint16_t port);
void client_send(int fd, const char *bytes, size_t len);

/* Read one answer; `head_only` for HEAD. */
void client_read(int fd, bool head_only, struct response *ret);

/* One request over a connection of its own. `headers` are whole lines with "\r\n", or "". A body gets
 * Content-Length and, unless headers has one, Content-Type: application/json; NULL is none. */
void client_request(uint16_t port, const char *method, const char *target, const char *headers,
                    const char *body, struct response *ret);

/* The same text as one string to send. The caller frees it. */
char *client_format(const char *method, const char *target, const char *headers, const char *body);
