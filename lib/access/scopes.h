/* Scopes: what a key may do, one bit each. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/shape.h"

enum scope_index {
#define SCOPE(name, text, doc) SCOPE_INDEX_##name,
#include "access/scopes.def"
#undef SCOPE
        SCOPE_COUNT_
};
enum scope {
#define SCOPE(name, text, doc) SCOPE_##name = 1 << SCOPE_INDEX_##name,
#include "access/scopes.def"
#undef SCOPE
};

struct scope_info {
        const char *name, *doc;
};
extern const struct scope_info scope_infos[SCOPE_COUNT_];

/* The bit of one name of len bytes, 0 when there is no such scope. */
uint64_t scope_find(const char *name, size_t len);

/* Parse "orders:write customers:read" (spaces or commas); 0 when a name is unknown or there is none. */
uint64_t scopes_parse(const char *text);

/* The bits of stored names; admin is all. A name that this binary does not know gives nothing: an older
 * server beside a newer one stays safe. */
uint64_t scopes_held(const struct texts *names);

/* The bits of names that a caller gives, in the member scopes of the body: a fault for each that is unknown.
 */
enum err scopes_read(struct ctx *c, const struct texts *names, uint64_t *ret) MUST_CHECK;

/* May the caller give these scopes to somebody? ERR_FORBIDDEN names the first that he does not hold; the
 * process itself holds all. */
enum err scopes_may_give(struct ctx *c, uint64_t scopes) MUST_CHECK;
