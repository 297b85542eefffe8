/* How long work leaves room to orders. Whoever works in pieces rests after each one: when orders come by API,
 * longer than it took, so that a processor and the database are free when the next one is there.
 *
 * One process's own view: orders that come to another server are not seen. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Who works beside the requests. */
enum pace_work {
        PACE_UPLOAD, /* staging a file */
        PACE_IMPORT, /* applying its lines */
        PACE_UPKEEP, /* the housekeeper's chores */
};

/* An order came by API. Called by the event thread. */
void pace_order_came(void);

/* Do orders come by API just now? Then pieces of work should be small: an order may wait for a whole one. */
bool pace_orders_come(void);

/* Is a file being worked on? */
bool pace_import_runs(void);

/* Is there nobody to leave room to: neither orders nor an import just now? */
bool pace_is_quiet(void);

/* An import is begun or over; calls come in pairs. */
void pace_import_begins(void);
void pace_import_ends(void);

/* Rest after a piece of work that took so long. */
void pace_rest(enum pace_work work, int64_t took_us);

/* The rest itself, in microseconds. */
int64_t pace_rest_us(enum pace_work work, int64_t took_us, bool orders_come, bool import_runs);
