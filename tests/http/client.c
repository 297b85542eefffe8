#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

#define READ_TIMEOUT_SECONDS 20

void response_free(struct response *response)
{
        free(response->head);
        free(response->body);
        *response = (struct response){0};
}

const char *response_header(const struct response *response, const char *name)
{
        static _Thread_local char value[1024];
        size_t len = strlen(name);

        for (const char *line = response->head; line != NULL; line = strstr(line, "\r\n")) {
                line += strncmp(line, "\r\n", 2) == 0 ? 2 : 0;
                if (strncasecmp(line, name, len) != 0 || line[len] != ':')
                        continue;
                const char *start = line + len + 1 + strspn(line + len + 1, " ");
                snprintf(value, sizeof value, "%.*s", (int)strcspn(start, "\r"), start);
                return value;
        }
        return NULL;
}

int client_connect(uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        struct timeval timeout = {.tv_sec = READ_TIMEOUT_SECONDS};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
                perror("connect");
                exit(EXIT_FAILURE);
        }
        return fd;
}

void client_send(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
                if (sent <= 0)
                        return; /* the answer, or its absence, tells */
                bytes += sent;
                len -= (size_t)sent;
        }
}

static bool read_more(int fd, struct text *in)
{
        char buffer[4096];
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);

        if (n <= 0)
                return false;
        text_append(in, buffer, (size_t)n);
        return true;
}

void client_read(int fd, bool head_only, struct response *ret)
{
        struct text in = {0};
        char *end = NULL;

        response_free(ret);
        for (;;) {
                while (in.data == NULL || (end = strstr(in.data, "\r\n\r\n")) == NULL)
                        if (!read_more(fd, &in)) {
                                text_free(&in);
                                return;
                        }
                if (strncmp(in.data, "HTTP/1.1 100", strlen("HTTP/1.1 100")) != 0)
                        break;
                size_t skip = (size_t)(end + 4 - in.data); /* the interim answer */
                memmove(in.data, in.data + skip, in.len - skip + 1);
                in.len -= skip;
        }
        size_t head_len = (size_t)(end + 2 - in.data);
        ret->head = strndup(in.data, head_len);
        ret->status = (int)strtol(in.data + strlen("HTTP/1.1 "), NULL, 10);
        const char *length = response_header(ret, "Content-Length");
        size_t body_len = head_only || length == NULL ? 0 : strtoul(length, NULL, 10);
        while (in.len < head_len + 2 + body_len && read_more(fd, &in))
                ;
        ret->body_len = in.len - head_len - 2;
        ret->body = strndup(in.data + head_len + 2, ret->body_len);
        text_free(&in);
}

char *client_format(const char *method, const char *target, const char *headers, const char *body)
{
        struct text out = {0};
        size_t len;

        text_printf(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, target, headers);
        if (body != NULL && strstr(headers, "Content-Type:") == NULL)
                text_puts(&out, "Content-Type: application/json\r\n");
        if (body != NULL)
                text_printf(&out, "Content-Length: %zu\r\n", strlen(body));
        text_printf(&out, "\r\n%s", body != NULL ? body : "");
        return text_take(&out, &len);
}

void client_request(uint16_t port, const char *method, const char *target, const char *headers,
                    const char *body, struct response *ret)
{
        int fd = client_connect(port);
        char *bytes = client_format(method, target, headers, body);

        client_send(fd, bytes, strlen(bytes));
        client_read(fd, strcmp(method, "HEAD") == 0, ret);
        free(bytes);
        close(fd);
}
