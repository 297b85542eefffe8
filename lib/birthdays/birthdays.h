/* What the programme gives for birthdays. */
#pragma once

#include "customers/due.h"

/* Give what is due, to everybody whatever the share's half: once a day for each rule, a year's gift once,
 * whoever runs it and how often; what was missed is made up for (OCCASION_MISSED_DAYS). *ret_more is false:
 * it is all done. */
enum err birthdays_give_due(struct ctx *c, const struct share *share, bool *ret_more) MUST_CHECK;
