/* The housekeeper: two threads that look after the database beside the requests. It knows whether the
 * database can be used, so that /readyz never waits for it, and does the chores (chores.h). */
#pragma once

#include "base/ctx.h"

/* NULL when its thread can't be made. The options' strings must outlive it. */
struct keeper *keeper_start(const char *database_url, const struct shop *shop);
void keeper_stop(struct keeper *keeper);

/* NULL when the database was fine at the last look (KEEPER_LOOK_SECONDS ago at most), else a word for what is
 * wrong: "unknown" before the first look, "away", "schema differs". Static text. */
#define KEEPER_LOOK_SECONDS 1
const char *keeper_database_fault(struct keeper *keeper);

/* Does the keeper of this process want its chores to end? They look between two pieces of long work. */
bool keeper_is_stopping(void);

/* For tests: have the keeper of this process do every chore now, by the clock as it stands, and wait until it
 * has. ret_failed: how many met an error. False when there is no keeper or it stops. */
bool keeper_chores_now(int64_t *ret_failed);
