/* What time does to tiers: cycles end, notices come before that, pins run out. Each call does a bounded
 * piece of a share (customers/due.h), in transactions of its own; all are safe to run twice, on several
 * servers, and after days of outage.
 */
#pragma once

#include "tiers/tiers.h"

/* Judge customers whose cycle (and grace) is over; a cycle that was missed is judged as of its own end. */
struct share;
enum err tiers_judge_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;

/* Consider customers whose cycle ends within the programme's notice days: those who would fall
 * get a tier.notice event, once a cycle. */
enum err tiers_give_notice(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;

/* End pins that have run out. */
enum err tiers_unpin_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;

/* Set a tier by hand until a time: it overrides what is earned meanwhile, and then gives it back. */
struct tier_pin {
        const char *customer; /* reference */
        const char *tier;     /* code */
        struct instant until;
        const char *reason;
};
/* In a transaction. ERR_NOT_FOUND, ERR_INVALID. */
enum err tier_pin(struct ctx *c, const struct tier_pin *in) MUST_CHECK;

/* Take the pin away; none is fine. ERR_NOT_FOUND (the customer). */
enum err tier_unpin(struct ctx *c, const char *customer) MUST_CHECK;
