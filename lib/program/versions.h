/* The stored versions of the programme: read, listed, compared, brought back. */
#pragma once

#include "base/page.h"
#include "program/diff.h"

struct program_version {
        int64_t version;
        struct instant created_at;
        const char *key_id, *note;
        struct opt_int restored_version; /* what it brought back */
};
SHAPE_DECLARE(program_version);

/* The newest version, current even when another server has just changed it; the first time, the one that a
 * new installation starts with is stored. Compiled, in c's arena. */
enum err program_newest(struct ctx *c, struct program *ret) MUST_CHECK;

/* A version, compiled, in c's arena. ERR_NOT_FOUND. */
enum err program_get(struct ctx *c, int64_t version, struct program *ret) MUST_CHECK;

/* The version that was in force at an instant (before the first one: that), compiled, in c's arena. */
enum err program_at(struct ctx *c, struct instant at, struct program *ret) MUST_CHECK;

/* Versions, newest first, before a number (0: from the newest). */
struct program_versions_page {
        int64_t before_version;
        PAGED;
};
enum err program_versions(struct ctx *c, const struct program_versions_page *page,
                          struct list *ret) MUST_CHECK;

/* Why a version is stored. */
struct program_storing {
        int64_t expected_version; /* 0 takes any */
        const char *note;         /* or NULL */
};

/* Store a new version; every server takes it up at once, and uses it within a second. In a transaction.
 * ERR_INVALID, ERR_STALE. */
enum err program_put(struct ctx *c, const struct program *in, const struct program_storing *why,
                     struct program *ret) MUST_CHECK;

/* Store an earlier version again, as a new one. In a transaction. ERR_NOT_FOUND, ERR_STALE, ERR_INVALID (it
 * does not fit this release any more). */
enum err program_restore(struct ctx *c, int64_t version, const struct program_storing *why,
                         struct program *ret) MUST_CHECK;

/* How a proposed programme differs from the newest. ERR_INVALID. */
enum err program_compare(struct ctx *c, const struct program *in, int64_t *ret_version,
                         struct program_changes *ret) MUST_CHECK;
