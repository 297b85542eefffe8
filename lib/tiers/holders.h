/* Who holds the tiers that another programme would not have. */
#pragma once

#include "program/program.h"

/* Note a fault `tier_in_use` at the pointer when somebody holds, or is pinned to, tiers of the newest
 * programme that the proposed one lacks; it names them with the numbers. Such customers would have the lowest
 * tier at once. The lowest tier itself may go, for they have the new lowest one. Counts only when a tier is
 * gone. The fault is for the check that follows to find. */
enum err tiers_gone_check(struct ctx *c, const struct program *proposed, const char *pointer) MUST_CHECK;
