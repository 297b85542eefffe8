/* Scopes: what a key may do, one bit each. */
#pragma once

#include <stddef.h>
#include <stdint.h>

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
