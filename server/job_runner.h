/* The threads that work on jobs: one that takes them on, and as many hands as a job is spread over. */
#pragma once

#include "base/ctx.h"

struct job_runner;

/* `workers` (1 to 16) is how many connections apply one job's lines. NULL when a thread can't be made. The
 * strings and the shop must outlive it. */
struct job_runner *job_runner_start(const char *database_url, const struct shop *shop, unsigned workers);

/* Finish what is being applied, give the job back, and end the threads. NULL is fine. */
void job_runner_stop(struct job_runner *runner);
