/* The map of a batch against a plain array, full to its capacity. */
#include "test.h"

#include "base/idmap.h"

#define IDS 500

TEST(empty_map_knows_nobody)
{
        struct arena *arena = arena_new();
        struct idmap map = idmap_new(arena, 0);

        EXPECT(idmap_get(&map, uuid_of_external("x", "1")) == SIZE_MAX);
        arena_free(arena);
}

TEST(a_full_map_finds_everyone_and_the_latest_index_holds)
{
        struct arena *arena = arena_new();
        struct idmap map = idmap_new(arena, IDS);
        struct uuid ids[IDS];
        char name[16];

        for (size_t i = 0; i < IDS; i++) {
                snprintf(name, sizeof name, "%zu", i);
                ids[i] = uuid_of_external("x", name);
                EXPECT(idmap_get(&map, ids[i]) == SIZE_MAX);
                idmap_put(&map, ids[i], i);
        }
        for (size_t i = 0; i < IDS; i += 3)
                idmap_put(&map, ids[i], i + IDS);
        for (size_t i = 0; i < IDS; i++)
                EXPECT_INT(idmap_get(&map, ids[i]), i % 3 == 0 ? i + IDS : i);
        EXPECT(idmap_get(&map, uuid_of_external("y", "0")) == SIZE_MAX);
        arena_free(arena);
}

TEST(ids_of_one_time_do_not_crowd_together)
{
        struct arena *arena = arena_new();
        struct idmap map = idmap_new(arena, IDS);
        size_t worst = 0;

        for (size_t i = 0; i < IDS; i++)
                idmap_put(&map, uuid_new((struct instant){INT64_C(1700000000000000)}), i);
        for (size_t at = 0, run = 0; at <= map.mask; at++) {
                run = uuid_known(map.slots[at].id) ? run + 1 : 0;
                worst = run > worst ? run : worst;
        }
        EXPECT(worst > 0 && worst < 50); /* half full: long runs would make every look-up long */
        arena_free(arena);
}

TEST_MAIN
