/* The shop's time zone, as PostgreSQL knows it, so that C and SQL always agree on days. */
#pragma once

#include "base/ctx.h"

/* The first and the last year for which the offsets are read; outside, the nearest ones hold. */
#define ZONE_YEAR_FIRST 1970
#define ZONE_YEAR_LAST  2100

/* Read the UTC offsets of an IANA zone in one statement; the arena's memory. ERR_INVALID when PostgreSQL has
 * no zone of this name. */
enum err zone_load(struct ctx *c, const char *name, struct zone *ret) MUST_CHECK;
