/* What the resources of bulk work share. */
#pragma once

#include "jobs/jobs.h"
#include "jobs/types.h"
#include "resources/common.h"

#define NDJSON_TYPE "application/x-ndjson"
#define CSV_TYPE    "text/csv"
/* As answered: text/csv without a charset is taken for US-ASCII by the letter of RFC 4180. */
#define CSV_TYPE_SENT "text/csv; charset=utf-8"

/* May the caller do what this scope allows? ERR_FORBIDDEN names it. */
enum err bulk_allowed(struct ctx *c, uint64_t scope) MUST_CHECK;

/* Where a job is found. */
const char *bulk_job_path(struct ctx *c, const struct job *job);

static inline bool bulk_wants_csv(const struct ctx *c)
{
        return strcmp(c->reply->form, CSV_TYPE) == 0;
}

/* Stream the results of a job, or only those of the lines that failed: in the order of the lines, each as
 * soon as all before it are done. */
enum err bulk_results_stream(struct ctx *c, const struct job *job, bool errors_only) MUST_CHECK;

/* One result, for the documentation. */
struct bulk_result {
        int64_t line, status;
        struct uuid id;
        const char *external_id;
        struct json_text error, input;
};
SHAPE_DECLARE(bulk_result);
