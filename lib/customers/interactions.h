/* Interactions: every contact with a customer. */
#pragma once

#include "customers/past.h"

enum interaction_kind {
        INTERACTION_NONE,
        INTERACTION_CONSULTATION,
        INTERACTION_COMPLAINT,
        INTERACTION_CALL,
        INTERACTION_CHAT,
        INTERACTION_VISIT,
        INTERACTION_EMAIL,
        INTERACTION_SMS,
        INTERACTION_FOLLOW_UP,
        INTERACTION_OTHER,
};
extern const struct names interaction_kind_names;

enum direction { DIRECTION_NONE, DIRECTION_INBOUND, DIRECTION_OUTBOUND };
extern const struct names direction_names;

struct interaction {
        struct uuid customer_id, id;
        const char *external_id;
        unsigned kind, direction;
        const char *channel, *agent, *content, *outcome;
        struct opt_int satisfaction; /* 1 to 5 */
        struct instant occurred_at, created_at;
};
SHAPE_DECLARE(interaction);

#define INTERACTION_MEMBERS                                                                                  \
        const char *external_id; /* natural key of this customer's */                                        \
        unsigned kind, direction;                                                                            \
        const char *channel, *agent, *content, *outcome;                                                     \
        struct opt_int satisfaction;                                                                         \
        struct instant occurred_at /* none: now */
struct interaction_in {
        INTERACTION_MEMBERS;
};
SHAPE_DECLARE(interaction_in);

/* A contact in a file. */
struct interaction_line {
        const char *customer; /* reference */
        union {
                struct interaction_in in;
                struct {
                        INTERACTION_MEMBERS;
                };
        };
        struct uuid id; /* as exported: the key of one without external_id */
};
SHAPE_DECLARE(interaction_line);

/* One of a batch. */
struct interaction_call {
        struct uuid customer_id; /* locked by the transaction */
        const struct interaction_in *in;
        struct uuid id;                 /* of one without external_id; none: it gets a new one */
        struct interaction interaction; /* out: the stored one */
        bool created;                   /* out: false: its external_id was known, with the same content */
        enum err err;                   /* out: ERR_OK or ERR_INTERACTION_DIFFERS */
};
/* Record contacts of customers whose locks the transaction holds. An inbound consultation, call, chat or
 * visit makes a lead an inquiring customer. Emits interaction.recorded. */
enum err interactions_add(struct ctx *c, struct interaction_call *calls, size_t n) MUST_CHECK;

/* One contact of one customer, in a transaction. ERR_NOT_FOUND, ERR_INTERACTION_DIFFERS, ERR_INVALID. */
enum err interaction_add(struct ctx *c, const char *customer, const struct interaction_in *in,
                         struct interaction *ret, bool *ret_created) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err interaction_get(struct ctx *c, const char *customer, struct uuid id,
                         struct interaction *ret) MUST_CHECK;

/* Newest first; the page's kind is one of interaction_kind_names. */
enum err interactions_list(struct ctx *c, const struct past_page *page, struct list *ret) MUST_CHECK;
