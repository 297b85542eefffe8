/* Privacy: everything held on a person as one document, and its erasure. Like the auditor this reads (and
 * empties) the tables of all domains, by the list in holdings.h. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

/* Everything held on one person, table by table, at one moment. */
struct subject_export {
        struct uuid customer_id;
        struct instant exported_at;
        struct json_text data; /* {"customers": [{...}], "orders": [...], ...} */
};
SHAPE_DECLARE(subject_export);

/* One snapshot, in a transaction of its own. ERR_NOT_FOUND. */
enum err privacy_export(struct ctx *c, const char *customer, struct subject_export *ret) MUST_CHECK;

/* Why somebody is erased: a word, for a sentence could name him. */
extern const struct names erasure_reason_names;

/* Forget a person for good, in a transaction: nothing that tells who it was is left in the database. Orders,
 * points and tiers stay, balanced, as those of somebody without a name under a new id that nothing leads to.
 * Identities and the external id are free for somebody new; until then the person's ids answer ERR_ERASED,
 * here too. ERR_NOT_FOUND. */
enum err privacy_erase(struct ctx *c, const char *customer, unsigned reason) MUST_CHECK;
