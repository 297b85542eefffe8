/* Cursors: they come back as they went out, to the same list only, and nothing else is taken for one. */
#include "test.h"

#include "base/cursor.h"

struct position {
        struct instant at;
        struct uuid id;
        const char *name;
};
#define SHAPE_T struct position
SHAPE(position, "Where a list goes on.", FIELD(at), FIELD(id), FIELD(name, .max = 20));
#undef SHAPE_T

static struct ctx c;

static void begin(void)
{
        c = (struct ctx){.arena = arena_new()};
}

static void end(void)
{
        problem_reset(&c);
        arena_free(c.arena);
}

static struct position somewhere(void)
{
        return (struct position){{INT64_C(1700000000123456)}, uuid_of_external("order", "A"), "王"};
}

TEST(a_cursor_comes_back_as_it_went_out)
{
        struct position at = somewhere(), back = {0};

        begin();
        const char *cursor = cursor_write(c.arena, "orders customer=", &position_shape, &at);
        EXPECT(strspn(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               strlen(cursor));
        EXPECT_INT(cursor_read(&c, cursor, "orders customer=", &position_shape, &back), ERR_OK);
        EXPECT(at.at.us == back.at.us && uuid_equal(at.id, back.id));
        EXPECT_TEXT(back.name, "王");
        end();
}

TEST(no_cursor_is_the_beginning)
{
        struct position back = {.name = "kept"};

        begin();
        EXPECT_INT(cursor_read(&c, NULL, "orders", &position_shape, &back), ERR_OK);
        EXPECT_TEXT(back.name, "kept");
        end();
}

TEST(a_cursor_of_other_filters_is_refused)
{
        struct position at = somewhere(), back = {0};

        begin();
        const char *cursor = cursor_write(c.arena, "orders customer=", &position_shape, &at);
        EXPECT_INT(cursor_read(&c, cursor, "orders customer=ext:1", &position_shape, &back), ERR_BAD_CURSOR);
        EXPECT_INT(cursor_read(&c, cursor, "", &position_shape, &back), ERR_BAD_CURSOR);
        EXPECT_INT(c.problem.fault_count, 0);
        end();
}

TEST(a_cursor_with_any_character_changed_is_refused_or_well_formed)
{
        struct position at = somewhere();
        size_t refused = 0;

        begin();
        const char *cursor = cursor_write(c.arena, "orders", &position_shape, &at);
        size_t len = strlen(cursor);
        for (size_t i = 0; i < len; i++) {
                struct position back = {0};
                char *other = arena_strdup(c.arena, cursor);
                other[i] = other[i] == 'A' ? 'B' : 'A';
                enum err err = cursor_read(&c, other, "orders", &position_shape, &back);
                EXPECT(err == ERR_OK || err == ERR_BAD_CURSOR);
                EXPECT(c.problem.fault_count == 0 && c.problem.extra.len == 0);
                refused += err == ERR_BAD_CURSOR;
                problem_reset(&c);
        }
        EXPECT(refused > len / 2);
        end();
}

TEST(what_is_no_cursor_is_refused)
{
        char longest[4000];
        memset(longest, 'A', sizeof longest - 1);
        longest[sizeof longest - 1] = '\0';
        const char *const bad[] = {"", "A", "!", "====", "AAAAAAAAAAAAAAAAAAAAAA", longest, "王"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct position back = {0};
                begin();
                EXPECT_INT(cursor_read(&c, bad[i], "orders", &position_shape, &back), ERR_BAD_CURSOR);
                end();
        }
}

TEST_MAIN
