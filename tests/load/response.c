#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STATUS_NO_CONTENT 204

void response_reset(struct response *response)
{
        response->head_length = 0;
        response->body_left = 0;
        response->in_body = false;
        response->status = 0;
        response->closes = false;
}

/* The value of a header in the terminated head, or NULL. */
static const char *header(const struct response *response, const char *name)
{
        size_t length = strlen(name);

        for (const char *line = strstr(response->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
                line += 2;
                if (strncasecmp(line, name, length) == 0 && line[length] == ':')
                        return line + length + 1 + strspn(line + length + 1, " ");
        }
        return NULL;
}

static bool read_head(struct response *response)
{
        if (strncmp(response->head, "HTTP/1.1 ", 9) != 0)
                return false;
        response->status = (int)strtol(response->head + 9, NULL, 10);
        const char *connection = header(response, "Connection"), *length = header(response, "Content-Length");

        response->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
        if (length == NULL && response->status != STATUS_NO_CONTENT)
                return false;
        response->body_left = length == NULL ? 0 : strtoul(length, NULL, 10);
        return response->status >= 100 && response->status < 600;
}

enum response_state response_feed(struct response *response, const char *bytes, size_t length)
{
        if (!response->in_body) {
                size_t before = response->head_length, room = RESPONSE_HEAD_SIZE - before;
                size_t taken = length < room ? length : room;

                memcpy(response->head + before, bytes, taken);
                response->head[before + taken] = '\0';
                char *end = strstr(response->head + (before > 3 ? before - 3 : 0), "\r\n\r\n");
                if (end == NULL) {
                        response->head_length = before + taken;
                        return response->head_length == RESPONSE_HEAD_SIZE ? RESPONSE_BROKEN : RESPONSE_MORE;
                }
                size_t head_length = (size_t)(end - response->head) + 4;
                end[2] = '\0';
                if (!read_head(response))
                        return RESPONSE_BROKEN;
                response->in_body = true;
                length -= head_length - before;
        }
        if (length > response->body_left)
                return RESPONSE_BROKEN;
        response->body_left -= length;
        return response->body_left == 0 ? RESPONSE_DONE : RESPONSE_MORE;
}
