/* Streams: how an endpoint with .streams reads a body, or writes an answer, of any length in constant memory.
 *
 * Such an endpoint runs on its lane from the moment the head of the request is complete, without a
 * transaction around it, and is never run again. It reads the whole body first (when it takes one), and then
 * either returns like any endpoint or begins to stream its answer. The functions block; the event thread
 * stops to read from a client whose bytes nobody takes, and stops a worker whose client takes nothing. */
#pragma once

#include "base/ctx.h"

/* Take the next bytes of the body: up to size, *ret_len 0 at its end. ERR_CLIENT_GONE, ERR_DRAINING. */
enum err body_read(struct ctx *c, void *buffer, size_t size, size_t *ret_len) MUST_CHECK;

/* Send status 200 and this Content-Type; from now on a failure can only cut the answer short. */
void stream_begin(struct ctx *c, const char *content_type);

/* Send bytes. ERR_CLIENT_GONE, ERR_DRAINING. */
enum err stream_write(struct ctx *c, const void *data, size_t len) MUST_CHECK;

/* Wait for a while. An error when there is no use in going on: ERR_CLIENT_GONE, ERR_DRAINING (the server
 * stops: whoever only watches ends here). */
enum err stream_pause(struct ctx *c, int milliseconds) MUST_CHECK;
