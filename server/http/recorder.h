/* The recorder: an answer that shows personal data goes out when the audit log has it, not before.
 *
 * The worker that made the answer does not wait for that: it hands the request over and goes on. The recorder
 * stores all that came while it was storing, in one statement and one commit, and then lets them go; so the
 * cost of a commit is shared, and nothing waits for a batch to grow. */
#pragma once

#include "http/server.h"

struct recorder;
struct request;

/* NULL when there is no thread for it. */
struct recorder *recorder_start(const struct server_options *options);

/* Does this answered request show somebody's personal data to somebody who may see it? Then recorder_put. */
bool recorder_wants(struct request *r);

/* Take the request over from its worker, who must not touch it afterwards. */
void recorder_put(struct recorder *recorder, struct request *r);

/* Store and let go what is there, end the thread and free the recorder; nothing is put any more. NULL is
 * fine. */
void recorder_stop(struct recorder *recorder);
