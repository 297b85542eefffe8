#include "program/silence.h"

/* Rounding goes to the end of longer and longer periods, each made of whole ones of the one before: more
 * months, or a longer period, never end a life sooner. */
static bool may_end_sooner(const struct expiry_settings *before, const struct expiry_settings *after)
{
        return after->months < before->months || after->round_to < before->round_to;
}

struct instant silence_counts_from(const struct expiry_settings *before, const struct expiry_settings *after,
                                   struct instant now)
{
        if (after->form != EXPIRY_INACTIVITY)
                return (struct instant){0};
        if (before->form != EXPIRY_INACTIVITY || may_end_sooner(before, after))
                return now;
        return before->silent_from;
}
