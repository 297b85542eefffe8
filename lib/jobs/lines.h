/* A job whose lines nobody sends: they are made here and applied like those of a file. */
#pragma once

#include "jobs/jobs.h"

struct made_lines {
        int64_t n;
        /* Write line no (from 1) as JSON. */
        void (*write)(struct text *out, int64_t no, const void *arg);
        const void *arg;
};

/* Begin such a job: of *job the type and the key_id are looked at. In a transaction. */
enum err job_of_lines(struct ctx *c, const struct job *job, const struct made_lines *lines,
                      struct job *ret) MUST_CHECK;
