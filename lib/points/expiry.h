/* When points lapse. Pure. Days are the shop's; whatever lapses does so at the end of a day. */
#pragma once

#include "base/instant.h"
#include "program/program.h"

/* When a lot that becomes active at a moment lapses; none: never, or by inactivity. */
struct instant expiry_of(const struct expiry_settings *settings, const struct zone *zone,
                         struct instant active_from);

/* When points without a date of their own lapse if nothing is earned or spent after moved_at (none: nothing
 * ever was), counted from then or from when silence began to count; none: they do not lapse by inactivity. */
struct instant expiry_by_inactivity(const struct expiry_settings *settings, const struct zone *zone,
                                    struct instant moved_at);

/* Whoever moved last before this moment, and nobody else, has lapsed by inactivity at `now`; none: nobody
 * has. Only for a programme in which points do. */
struct instant expiry_inactive_before(const struct expiry_settings *settings, const struct zone *zone,
                                      struct instant now);
