#include "test.h"

#include "base/err.h"
#include "base/text.h"
#include "customers/address_book.h"

#define NOW   ((struct instant){.us = 1000})
#define LATER ((struct instant){.us = 2000})

static struct arena *arena;

static struct address_book book_of(size_t stored_n, const struct address *stored)
{
        struct address_book book = {.before = stored,
                                    .before_n = stored_n,
                                    .v = ARENA_ARRAY(arena, ADDRESSES_MAX, struct address),
                                    .n = stored_n};

        if (stored_n > 0)
                memcpy(book.v, stored, stored_n * sizeof *stored);
        return book;
}

static struct named_address at(const char *name, const char *street, bool is_default)
{
        return (struct named_address){.name = name, .street = street, .is_default = is_default};
}

static bool put(struct address_book *book, const char *name, const char *street, bool is_default)
{
        const struct named_address wanted = at(name, street, is_default);

        return address_book_put(book, &wanted, (struct instant){0});
}

static struct address stored(const char *name, const char *street, bool is_default)
{
        return (struct address){.name = name,
                                .street = street,
                                .is_default = is_default,
                                .version = 3,
                                .created_at = NOW,
                                .updated_at = NOW};
}

static size_t differ(struct address_book *book, struct address_difference *ret)
{
        address_book_settle(book, LATER);
        return address_book_differences(book, ret);
}

TEST(address_book_a_new_address_has_version_1_and_the_time_it_is_settled)
{
        struct address_book book = book_of(0, NULL);
        struct address_difference found[1];

        EXPECT(put(&book, "home", "a", false));
        EXPECT_INT(differ(&book, found), 1);
        EXPECT(found[0].before == NULL);
        EXPECT_TEXT(found[0].after->street, "a");
        EXPECT_INT(found[0].after->version, 1);
        EXPECT_INT(found[0].after->created_at.us, LATER.us);
        EXPECT_INT(found[0].after->updated_at.us, LATER.us);
}

TEST(address_book_what_says_the_same_is_no_difference)
{
        const struct address known = stored("home", "a", true);
        struct address_book book = book_of(1, &known);
        struct address_difference found[2];

        EXPECT(!put(&book, "home", "a", true));
        EXPECT_INT(differ(&book, found), 0);
        address_book_clear(&book);
        EXPECT(put(&book, "home", "a", true)); /* as a list that is replaced puts it */
        EXPECT_INT(differ(&book, found), 0);
        EXPECT_INT(book.v[0].version, 3);
        EXPECT_INT(book.v[0].updated_at.us, NOW.us);
}

TEST(address_book_a_change_counts_the_version_and_keeps_since_when)
{
        const struct address known = stored("home", "a", false);
        struct address_book book = book_of(1, &known);
        const struct named_address older = at("home", "b", false);
        struct address_difference found[2];

        EXPECT(put(&book, "home", "b", false));
        EXPECT_INT(differ(&book, found), 1);
        EXPECT(found[0].before == &known);
        EXPECT_INT(found[0].after->version, 4);
        EXPECT_INT(found[0].after->created_at.us, NOW.us);
        EXPECT(address_book_put(&book, &older, (struct instant){.us = 5})); /* known for longer */
        EXPECT_INT(differ(&book, found), 1);
        EXPECT_INT(found[0].after->version, 4);
        EXPECT_INT(found[0].after->created_at.us, 5);
}

TEST(address_book_the_default_is_one_at_most_and_moves)
{
        const struct address known[] = {stored("a", "a", true), stored("b", "b", false)};
        struct address_book book = book_of(2, known);
        struct address_difference found[4];

        EXPECT(put(&book, "b", "b", true));
        EXPECT(!address_book_find(&book, "a")->is_default);
        EXPECT_INT(differ(&book, found), 2);
        EXPECT(put(&book, "b", "b", false)); /* back to none */
        EXPECT_INT(differ(&book, found), 1);
        EXPECT_TEXT(found[0].after->name, "a");
}

TEST(address_book_what_is_taken_away_is_told_and_may_come_back)
{
        const struct address known[] = {stored("a", "a", false), stored("b", "b", false)};
        struct address_book book = book_of(2, known);
        struct address_difference found[4];

        EXPECT(address_book_remove(&book, "a"));
        EXPECT(!address_book_remove(&book, "a"));
        EXPECT_INT(differ(&book, found), 1);
        EXPECT(found[0].before == &known[0] && found[0].after == NULL);
        EXPECT(put(&book, "a", "c", false));
        EXPECT_INT(differ(&book, found), 1);
        EXPECT_INT(found[0].after->version, 4);
        EXPECT_INT(found[0].after->created_at.us, NOW.us);
}

TEST(address_book_takes_as_many_as_there_may_be_and_those_it_has)
{
        struct address_book book = book_of(0, NULL);
        struct named_address list[] = {at("n0", "a", false), at("more", "a", false)};

        for (int i = 0; i < ADDRESSES_MAX - 1; i++)
                put(&book, arena_printf(arena, "n%d", i), "s", false);
        EXPECT(address_book_takes(&book, "more"));
        EXPECT(address_book_takes_all(&book, list, ARRAY_SIZE(list)));
        put(&book, "last", "s", false);
        EXPECT(!address_book_takes(&book, "more"));
        EXPECT(address_book_takes(&book, "n0"));
        EXPECT(!address_book_takes_all(&book, list, ARRAY_SIZE(list)));
        EXPECT(address_book_takes_all(&book, list, 1));
}

/* ------------------------------------------------------------------ joining */

static size_t joined(const struct address_book *to, const struct address_book *from, struct address_move *ret)
{
        return address_books_join(arena, to, from, ret);
}

TEST(address_book_join_numbers_names_that_are_taken_and_keeps_the_survivors_default)
{
        const struct address his[] = {stored("home", "a", true), stored("home 2", "b", false)};
        const struct address other[] = {stored("home", "c", true), stored("home 3", "d", false),
                                        stored("office", "e", false), stored("again", "b", false)};
        const struct address_book to = book_of(2, his), from = book_of(4, other);
        struct address_move moves[4];

        EXPECT_INT(joined(&to, &from, moves), 3);
        EXPECT_TEXT(moves[0].new_name, "home 4"); /* 2 is the survivor's, 3 comes with him */
        EXPECT(moves[0].moves && !moves[0].is_default);
        EXPECT_TEXT(moves[1].new_name, "home 3");
        EXPECT_TEXT(moves[2].new_name, "office");
        EXPECT(!moves[3].moves); /* the survivor has it, by another name */
}

TEST(address_book_join_brings_a_default_to_somebody_without)
{
        const struct address his = stored("home", "a", false), other = stored("office", "b", true);
        const struct address_book to = book_of(1, &his), from = book_of(1, &other);
        struct address_move move;

        EXPECT_INT(joined(&to, &from, &move), 1);
        EXPECT(move.is_default);
}

TEST(address_book_join_names_fit_and_stay_apart_whatever_they_are)
{
        for (int round = 0; round < 300; round++) {
                struct address_book to = book_of(0, NULL), from = book_of(0, NULL);
                struct address_move moves[ADDRESSES_MAX];
                struct address_book *both[] = {&to, &from};
                for (size_t side = 0; side < 2; side++)
                        for (int64_t n = test_between(0, ADDRESSES_MAX / 2); n > 0; n--) {
                                int width = (int)test_between(1, 2) * 48 + (int)test_between(0, 2);
                                char *name =
                                        arena_printf(arena, "%0*d %d", width, 0, (int)test_between(1, 4));
                                put(both[side], name, arena_printf(arena, "%d", (int)test_between(0, 9)),
                                    false);
                        }
                size_t n = joined(&to, &from, moves);
                for (size_t i = 0; i < from.n; i++) {
                        if (!moves[i].moves)
                                continue;
                        n--;
                        EXPECT(text_chars(moves[i].new_name) <= ADDRESS_NAME_CHARS_MAX);
                        EXPECT(address_book_find(&to, moves[i].new_name) == NULL);
                        for (size_t k = 0; k < i; k++)
                                EXPECT(!moves[k].moves || strcmp(moves[k].new_name, moves[i].new_name) != 0);
                }
                EXPECT_INT(n, 0);
        }
}

int main(void)
{
        arena = arena_new();
        int status = test_run_all();
        arena_free(arena);
        return status;
}
