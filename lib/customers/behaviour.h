/* Behaviour: what customers do in the shop, in batches; one partition a month. */
#pragma once

#include "customers/past.h"

enum behaviour {
        BEHAVIOUR_NONE,
        BEHAVIOUR_VIEW,
        BEHAVIOUR_SEARCH,
        BEHAVIOUR_FAVOURITE,
        BEHAVIOUR_CART,
        BEHAVIOUR_CHECKOUT,
        BEHAVIOUR_SHARE,
        BEHAVIOUR_LIVE_ROOM,
        BEHAVIOUR_OTHER,
};
extern const struct names behaviour_names;

/* Events of one call: one insert of a few milliseconds. */
#define BEHAVIOUR_MAX 500

/* Ten years: a partition each month, and a planner that still looks at them quickly. */
#define BEHAVIOUR_MONTHS_MAX 120

struct behaviour_in {
        const char *customer; /* reference */
        unsigned type;
        const char *key;            /* the sender's own; the same one again is stored once */
        struct instant occurred_at; /* none: now */
        unsigned channel;
        const char *sku, *category, *brand, *query;
        struct opt_int quantity, value_minor;
        struct uuid id; /* of one without key; none: it gets a new one */
};
SHAPE_DECLARE(behaviour_in);
SHAPE_DECLARE(behaviour_line); /* the same in a file, with its id */

struct behaviour_event {
        struct uuid customer_id;
        struct instant occurred_at;
        struct uuid id;
        unsigned type, channel;
        const char *sku, *category, *brand, *query;
        struct opt_int quantity, value_minor;
};
SHAPE_DECLARE(behaviour_event);

/* One that was not taken. */
struct behaviour_refused {
        int64_t index; /* ascending */
        const char *code, *detail;
};
struct behaviour_taken {
        int64_t accepted;
        LIST_OF(struct behaviour_refused) refused;
};
SHAPE_DECLARE(behaviour_taken);

/* Store those whose customer is known and whose time is neither to come nor beyond what is kept; the others
 * are listed. A cart or checkout makes a lead an inquiring customer. In a transaction. */
enum err behaviour_take(struct ctx *c, const struct behaviour_in *events, size_t n,
                        struct behaviour_taken *ret) MUST_CHECK;

/* Newest first. */
enum err behaviour_list(struct ctx *c, const struct past_page *page, struct list *ret) MUST_CHECK;

/* Make the partitions of this month and the next ones, drop those that are older than the shop keeps
 * (shop.behaviour_months). */
enum err behaviour_partitions_keep(struct ctx *c) MUST_CHECK;

/* For behaviour.c: make sure that there are partitions for these instants. In a transaction. */
enum err behaviour_partitions_for(struct ctx *c, const struct behaviour_event *events, size_t n) MUST_CHECK;
