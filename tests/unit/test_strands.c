/* Which lines of a chunk are applied by whom. */
#include "test.h"

#include "base/err.h"
#include "jobs/strands.h"

#define PARTS 4
#define LINES 1000

/* A line of the tests: whom it names. */
struct named {
        const char *v[3];
};

static const size_t *parts_of(struct arena *arena, const struct named *named, size_t n)
{
        struct strand_names *names = ARENA_ARRAY(arena, n, struct strand_names);
        size_t *parts = ARENA_ARRAY(arena, n, size_t);

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < ARRAY_SIZE(named->v) && named[i].v[k] != NULL; k++)
                        names[i].v[names[i].n++] = uuid_of_external("customer", named[i].v[k]);
        strands_of(arena, names, n, PARTS, parts);
        return parts;
}

TEST(lines_of_one_name_are_of_one_part)
{
        struct arena *arena = arena_new();
        struct named named[LINES];
        size_t sizes[PARTS] = {0};

        for (size_t i = 0; i < LINES; i++)
                named[i] = (struct named){{arena_printf(arena, "%zu", i % 500)}};
        const size_t *parts = parts_of(arena, named, LINES);
        for (size_t i = 0; i < LINES; i++) {
                EXPECT_INT(parts[i], parts[i % 500]);
                sizes[parts[i]]++;
        }
        for (size_t i = 0; i < PARTS; i++) /* and nobody has much more to do than others */
                EXPECT(sizes[i] > LINES / PARTS / 2 && sizes[i] < LINES / PARTS * 2);
        arena_free(arena);
}

TEST(what_shares_a_name_through_others_is_of_one_part_too)
{
        struct arena *arena = arena_new();
        struct named named[LINES];

        /* each names the one before him, so they are all of one strand; met from both ends */
        for (size_t i = 0; i < LINES; i++) {
                size_t at = i % 2 == 0 ? i / 2 : LINES - 1 - i / 2;
                named[i] =
                        (struct named){{arena_printf(arena, "%zu", at), arena_printf(arena, "%zu", at + 1)}};
        }
        const size_t *parts = parts_of(arena, named, LINES);
        for (size_t i = 0; i < LINES; i++)
                EXPECT_INT(parts[i], parts[0]);
        arena_free(arena);
}

TEST(strands_are_joined_by_a_later_line)
{
        struct arena *arena = arena_new();

        for (int i = 0; i < 50; i++) {
                const char *one = arena_printf(arena, "one %d", i),
                           *other = arena_printf(arena, "other %d", i),
                           *third = arena_printf(arena, "third %d", i);
                struct named named[] = {{{one}}, {{other}}, {{third}}, {{third, other, one}}};
                const size_t *parts = parts_of(arena, named, ARRAY_SIZE(named));
                EXPECT(parts[0] == parts[1] && parts[1] == parts[2] && parts[2] == parts[3]);
        }
        arena_free(arena);
}

TEST(lines_without_a_name_are_of_the_first_part)
{
        struct arena *arena = arena_new();
        struct named named[] = {{{NULL}}, {{"one"}}, {{NULL}}};
        const size_t *parts = parts_of(arena, named, ARRAY_SIZE(named));

        EXPECT_INT(parts[0], 0);
        EXPECT_INT(parts[2], 0);
        arena_free(arena);
}

TEST_MAIN
