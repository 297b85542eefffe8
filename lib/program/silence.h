/* Since when silence counts against undated points. Pure. */
#pragma once

#include "program/program.h"

/* Since when it does under the terms `after`, which come into force at `now` in place of `before`: from now
 * on where points lapse by inactivity only now, or might lapse sooner than before, so that nothing lapses by
 * a switch that nobody was told of; else as before. None: ever, or they do not lapse by inactivity. */
struct instant silence_counts_from(const struct expiry_settings *before, const struct expiry_settings *after,
                                   struct instant now);
