/* A file on its way in: unpacked, cut into lines, decoded and stored, in constant memory whatever its size.
 */
#pragma once

#include "jobs/jobs.h"
#include "jobs/split.h"

struct stage;

/* What the sender says of the file. */
struct stage_options {
        struct job job; /* type, mode, format, dry_run, backfill, key_id; the rest is set here */
        const char *content_encoding, *charset; /* lower case, or NULL */
};

/* Begin a job that receives its file. ERR_MEDIA_TYPE (unknown encoding or charset). The context and its
 * connection must outlive it. */
enum err stage_begin(struct ctx *c, const struct stage_options *options, struct stage **ret) MUST_CHECK;

/* Take the next bytes of the file. ERR_BAD_FILE. */
enum err stage_take(struct stage *stage, const char *data, size_t len) MUST_CHECK;

/* The file is whole: the job waits for its turn. ERR_BAD_FILE. */
enum err stage_end(struct stage *stage, struct job *ret) MUST_CHECK;

/* Free it. A job whose file did not come in whole is removed. NULL is fine. */
void stage_free(struct stage *stage);
