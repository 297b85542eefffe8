/* Is history coming in? Whoever judges by time alone asks before he does. */
#pragma once

#include "base/ctx.h"

/* A file of orders or refunds with their own times waits or is worked on: half of somebody's history would
 * lapse his points and judge his tier otherwise than all of it, so meanwhile nothing is caused by time. */
enum err history_comes(struct ctx *c, bool *ret) MUST_CHECK;
