/* A database of its own for one test program, with the schema of this build, and a context on it. */
#pragma once

#include "base/ctx.h"
#include "db/db.h"

struct fixture {
        struct ctx ctx;
        const char *url; /* of the program's own database */
        char *name;
        struct db *admin; /* creates and drops it */
};

/* Create and migrate the database `patron_test_<label>_<pid>` on the server of PATRON_TEST_DATABASE_URL; ends
 * the program with a sentence when it can't. The clock stands at 2026-11-21T12:00:00Z, the zone is
 * Asia/Shanghai. */
struct fixture *fixture_new(const char *label);
void fixture_free(struct fixture *fixture);

/* A fresh arena and a clean problem, for the next step of a test. */
struct ctx *fixture_ctx(struct fixture *fixture);
