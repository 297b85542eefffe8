/* Ids: text in and out, the same name has the same id for ever, times sort. */
#include "test.h"

#include "base/err.h"
#include "base/shape.h"
#include "base/uuid.h"

static const char *text_of(struct uuid id)
{
        static char text[UUID_TEXT_SIZE];

        uuid_to_text(id, text);
        return text;
}

TEST(text_in_any_case_comes_back_in_lower_case)
{
        struct uuid id;

        EXPECT(uuid_from_text("6B1F0A3E-52C7-4D19-9a84-7e2dc155f093", &id));
        EXPECT_TEXT(text_of(id), "6b1f0a3e-52c7-4d19-9a84-7e2dc155f093");
}

TEST(what_is_no_uuid_is_refused)
{
        static const char *const bad[] = {"",
                                          "6b1f0a3e52c74d199a847e2dc155f093",
                                          "6b1f0a3e-52c7-4d19-9a84-7e2dc155f09",
                                          "6b1f0a3e-52c7-4d19-9a84-7e2dc155f0933",
                                          "6b1f0a3e-52c7-4d19-9a84-7e2dc155f09g",
                                          "{6b1f0a3e-52c7-4d19-9a84-7e2dc155f09}",
                                          "6b1f0a3e-52c7-4d199a84--7e2dc155f093"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct uuid id = {{7}};
                EXPECT(!uuid_from_text(bad[i], &id));
                EXPECT_INT(id.b[0], 7);
        }
}

TEST(the_id_of_a_name_never_changes)
{
        /* fixed for ever: a shop's data is keyed by these; any other value here loses every customer */
        EXPECT_TEXT(text_of(uuid_of_external("customer", "C-77")), "648dc555-1026-5181-9294-d1d271432875");
        EXPECT_TEXT(text_of(uuid_of_external("order", "A-1001")), "8a05c59a-a05b-553c-b963-dc04a0539e2a");
        EXPECT_TEXT(text_of(uuid_of_child("refund", uuid_of_external("order", "A-1001"), "R-1")),
                    "87dc36be-332f-5475-94a0-d88f76282910");
}

TEST(names_of_different_kinds_and_parents_differ)
{
        struct uuid one = uuid_of_external("order", "1"), other = uuid_of_external("customer", "1");

        EXPECT(!uuid_equal(one, other));
        EXPECT(!uuid_equal(uuid_of_child("refund", one, "1"), uuid_of_child("refund", other, "1")));
        EXPECT(!uuid_equal(uuid_of_child("refund", one, "1"), uuid_of_child("cancellation", one, "1")));
        EXPECT_INT(one.b[6] >> 4, 5);
        EXPECT_INT(one.b[8] >> 6, 2);
}

TEST(the_longest_names_have_ids)
{
        char longest[4 * 254 + 1] = "";

        for (int i = 0; i < 254; i++)
                strcat(longest, "\xF0\xA0\x80\x80");
        EXPECT(uuid_known(uuid_of_external("a_kind_of_forty_characters_is_the_longest", longest)));
        EXPECT(uuid_known(uuid_of_child("cancellation", uuid_of_external("order", longest), longest)));
}

TEST(new_ids_sort_by_time_and_are_not_alike)
{
        struct uuid before = {0};

        for (int i = 0; i < 1000; i++) {
                struct uuid id = uuid_new((struct instant){INT64_C(1700000000000000) + i * INT64_C(1000)});
                EXPECT(uuid_cmp(before, id) < 0);
                EXPECT_INT(id.b[6] >> 4, 7);
                EXPECT_INT(id.b[8] >> 6, 2);
                before = id;
        }
        struct instant at = {INT64_C(1700000000000000)};
        EXPECT(!uuid_equal(uuid_new(at), uuid_new(at)));
        EXPECT(strncmp(text_of(uuid_new(at)), "018bcfe5-6800-7", 15) == 0);
}

TEST(nil_is_no_id)
{
        EXPECT(!uuid_known((struct uuid){0}));
        EXPECT(uuid_known((struct uuid){.b = {[15] = 1}}));
}

TEST_MAIN
