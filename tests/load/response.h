/* Reads HTTP/1.1 answers with a Content-Length off a byte stream, one at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longest header section that is taken. */
#define RESPONSE_HEAD_SIZE 4096

struct response {
        char head[RESPONSE_HEAD_SIZE + 1];
        size_t head_length;
        size_t body_left;
        bool in_body;
        int status;
        bool closes; /* the server closes the connection after this answer */
};

enum response_state { RESPONSE_MORE, RESPONSE_DONE, RESPONSE_BROKEN };

/* Begin a new answer. */
void response_reset(struct response *response);

/* Take in bytes; DONE when the answer is complete, BROKEN when it is none or has no length. Bytes after the
 * answer are BROKEN too: nothing is pipelined here. */
enum response_state response_feed(struct response *response, const char *bytes, size_t length);
