/* A small hash map from id to index, for the rows of one batch. Lives in an arena; never shrinks. */
#pragma once

#include "base/arena.h"
#include "base/uuid.h"

struct idmap_slot {
        struct uuid id; /* nil: free */
        size_t index;
};
struct idmap {
        struct idmap_slot *slots;
        size_t mask; /* size - 1, a power of two at least twice the capacity */
};

/* Room for up to capacity different ids. */
static inline struct idmap idmap_new(struct arena *arena, size_t capacity)
{
        size_t size = 4;

        while (size < capacity * 2)
                size *= 2;
        return (struct idmap){.slots = ARENA_ARRAY(arena, size, struct idmap_slot), .mask = size - 1};
}

static inline struct idmap_slot *idmap_slot_of(const struct idmap *map, struct uuid id)
{
        size_t at = (size_t)(uuid_hash(id) >> 20) & map->mask;

        while (uuid_known(map->slots[at].id) && !uuid_equal(map->slots[at].id, id))
                at = (at + 1) & map->mask;
        return &map->slots[at];
}

/* The index of an id, or SIZE_MAX. */
static inline size_t idmap_get(const struct idmap *map, struct uuid id)
{
        const struct idmap_slot *slot = idmap_slot_of(map, id);

        return uuid_known(slot->id) ? slot->index : SIZE_MAX;
}

/* Set the index of an id that is not nil. */
static inline void idmap_put(struct idmap *map, struct uuid id, size_t index)
{
        *idmap_slot_of(map, id) = (struct idmap_slot){.id = id, .index = index};
}
