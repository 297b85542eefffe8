/* What the files of lib/rewards share; nobody else includes this. */
#pragma once

#include "db/statement.h"
#include "program/program.h"
#include "rewards/rewards.h"

struct expr;

/* The version of a reward that a redemption was made under. ERR_NOT_FOUND. */
enum err reward_version(struct ctx *c, const char *code, int64_t version, struct reward *ret) MUST_CHECK;

/* The condition under a programme, whose tiers it may name; faults at #/condition. NULL: none. */
enum err reward_condition(struct ctx *c, const struct program *program, const struct reward *reward,
                          const struct expr **ret) MUST_CHECK;

/* Take so many of the stock (or, below 0, give them back): *ret_done false when there are too few. Last of
 * all, for its row stays locked. */
enum err reward_stock_take(struct ctx *c, const char *code, int64_t count, bool *ret_done) MUST_CHECK;
