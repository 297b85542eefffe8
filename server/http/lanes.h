/* Lanes: bounded first-in-first-out queues and the workers that empty them. Each worker owns one database
 * connection.
 *
 * The api and reports lanes have one queue for all their workers. The reads lane has one worker: while it is
 * at the database the next reads gather and become one batch, which costs less than waking more workers for
 * smaller ones. The orders lane has one queue per worker, chosen by the endpoint's lane_key, so that one
 * customer's orders are decided in turn and never fight for a row. */
#pragma once

#include "http/internal.h"

/* Start all workers; they connect when first used. NULL when a thread can't be made. */
struct lanes *lanes_start(const struct server_options *options);

/* Queue a decoded request; false when the queue is full. Called by the event thread only; on success the
 * request belongs to a worker at once. */
bool lanes_put(struct lanes *lanes, struct request *r);

/* Is some queue full? */
bool lanes_full(struct lanes *lanes);

/* How many requests wait in each lane. */
void lanes_depth(struct lanes *lanes, unsigned ret[LANE_COUNT_]);

/* Let the workers answer what still waits with ERR_DRAINING instead of running it. */
void lanes_give_up(struct lanes *lanes);

/* Let the workers finish what is queued and join them; nothing may be put afterwards, the rest answers. */
void lanes_stop(struct lanes *lanes);

/* Free what lanes_stop left. NULL is fine. */
void lanes_free(struct lanes *lanes);
