/* UUIDs: version 5 from a shop's own ids, version 7 by time, both computed here and never by the database. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/instant.h"

/* RFC 9562 bytes in network order; all zero is "no id". */
struct uuid {
        uint8_t b[16];
};

#define UUID_TEXT_SIZE 37

bool uuid_from_text(const char *text, struct uuid *ret);
void uuid_to_text(struct uuid id, char ret[UUID_TEXT_SIZE]);
/* In the arena; NULL for none. */
struct arena;
const char *uuid_written(struct arena *arena, struct uuid id);

/* The id that a shop's own id of a kind ("customer", "order") always has: version 5, name "kind:external". */
struct uuid uuid_of_external(const char *kind, const char *external_id);

/* The same under a parent: name "kind:parent:external" (a refund's id under its order's). */
struct uuid uuid_of_child(const char *kind, struct uuid parent, const char *external_id);

/* A new version 7 id: milliseconds of `at`, then 74 random bits. Thread-safe. */
struct uuid uuid_new(struct instant at);

/* The least id that uuid_new gives at this moment or later: what happened from then on has it or a greater
 * one. */
struct uuid uuid_first(struct instant at);

static inline bool uuid_known(struct uuid id)
{
        static const struct uuid none;
        return memcmp(&id, &none, sizeof id) != 0;
}
static inline int uuid_cmp(struct uuid a, struct uuid b)
{
        return memcmp(a.b, b.b, sizeof a.b);
}
static inline bool uuid_equal(struct uuid a, struct uuid b)
{
        return uuid_cmp(a, b) == 0;
}
/* Eight well-mixed bits-of-entropy bytes, for hash tables and lanes. */
static inline uint64_t uuid_hash(struct uuid id)
{
        uint64_t high, low;
        memcpy(&high, id.b, sizeof high);
        memcpy(&low, id.b + sizeof high, sizeof low);
        return (high ^ low) * UINT64_C(0x9E3779B97F4A7C15); /* Fibonacci hashing, Knuth TAOCP 6.4 */
}
