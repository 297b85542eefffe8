/* Consent: what a customer said about being written to on a channel; the newest statement holds, all are
 * kept. Suppression: an address that must not be used whatever was consented to. */
#pragma once

#include "customers/past.h"

enum contact_channel {
        CONTACT_NONE,
        CONTACT_SMS,
        CONTACT_EMAIL,
        CONTACT_PUSH,
        CONTACT_WECHAT,
        CONTACT_PHONE,
        CONTACT_COUNT_,
};
extern const struct names contact_channel_names;

enum consent_state { CONSENT_UNKNOWN, CONSENT_GRANTED, CONSENT_DENIED, CONSENT_WITHDRAWN };
extern const struct names consent_state_names;

enum suppression_reason { SUPPRESSION_NONE, SUPPRESSION_BOUNCE, SUPPRESSION_COMPLAINT, SUPPRESSION_MANUAL };
extern const struct names suppression_reason_names;

/* One statement. */
struct consent_change {
        struct uuid customer_id, id;
        unsigned channel, state;
        int64_t change_no;
        const char *source, *evidence;
        struct instant occurred_at, created_at;
};
SHAPE_DECLARE(consent_change);

struct suppression {
        struct uuid customer_id;
        unsigned channel, reason;
        const char *detail;
        struct instant created_at;
};
SHAPE_DECLARE(suppression);

/* A suppression in a file. */
struct suppression_line {
        const char *customer; /* reference */
        unsigned channel, reason;
        const char *detail;
        struct instant created_at;
};
SHAPE_DECLARE(suppression_line);

/* One channel as it is now. */
struct contact_state {
        unsigned channel, consent;
        const char *source, *evidence;
        struct instant since;
        unsigned suppression;
        struct instant suppressed_at;
        bool contactable; /* granted and not suppressed */
};
struct contact_states {
        struct uuid customer_id;
        LIST_OF(struct contact_state) channels; /* every channel, in the order of the enum */
};
SHAPE_DECLARE(contact_states);

/* One statement of a batch. */
#define CONSENT_MEMBERS                                                                                      \
        unsigned state;                                                                                      \
        const char *source, *evidence;                                                                       \
        struct instant occurred_at /* none: now */
struct consent_in {
        CONSENT_MEMBERS;
};
SHAPE_DECLARE(consent_in);

/* A statement in a file. */
struct consent_line {
        const char *customer; /* reference */
        unsigned channel;
        union {
                struct consent_in in;
                struct {
                        CONSENT_MEMBERS;
                };
        };
        struct instant created_at;
};
SHAPE_DECLARE(consent_line);

struct consent_call {
        struct uuid customer_id; /* locked by the transaction */
        unsigned channel;
        const struct consent_in *in;
        bool recorded; /* out: it was not known */
};
/* Record statements of customers whose locks the transaction holds. One that is older than what holds only
 * joins the history; the same state at the same time changes nothing. Emits consent.changed. */
enum err consents_record(struct ctx *c, struct consent_call *calls, size_t n) MUST_CHECK;

/* ERR_NOT_FOUND, ERR_INVALID (a time to come). In a transaction. */
enum err consent_put(struct ctx *c, const char *customer, unsigned channel, const struct consent_in *in,
                     struct contact_states *ret) MUST_CHECK;

/* In a transaction. ERR_NOT_FOUND; lifting also when there is none. Emits customer.suppressed, .unsuppressed.
 */
enum err suppression_put(struct ctx *c, const char *customer, const struct suppression *in,
                         struct suppression *ret) MUST_CHECK;

struct suppression_call {
        struct suppression
                suppression; /* of a customer whose lock the transaction holds; created_at none: now */
        bool changed;        /* out */
};
/* Like so many suppression_put, of different channels or customers. What holds already, and what is older
 * than what holds, changes nothing. */
enum err suppressions_record(struct ctx *c, struct suppression_call *calls, size_t n) MUST_CHECK;
enum err suppression_lift(struct ctx *c, const char *customer, unsigned channel) MUST_CHECK;

/* All channels as they are now. */
enum err contacts_get(struct ctx *c, struct uuid customer_id, struct contact_states *ret) MUST_CHECK;

/* Every statement, newest first by when it was said. */
enum err consents_history(struct ctx *c, const struct past_page *page, struct list *ret) MUST_CHECK;
