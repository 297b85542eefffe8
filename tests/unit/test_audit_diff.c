/* What the audit log is told of a change, and whose personal data an answer holds. */
#include "test.h"

#include "audit/diff.h"

struct home {
        const char *city;
};
#define SHAPE_T struct home
SHAPE(home, "Where.", FIELD(city, .pii = PII_ALL));
#undef SHAPE_T

struct person {
        struct uuid id;
        const char *name, *note;
        int64_t visits;
        struct home home;
};
#define SHAPE_T struct person
SHAPE(person, "Somebody.", FIELD(id, .subject = true), FIELD(name, .pii = PII_NAME), FIELD(note),
      FIELD(visits), NEST(home, home));
#undef SHAPE_T

struct page {
        LIST_OF(struct person) data;
        const char *cursor;
};
#define SHAPE_T struct page
SHAPE(page, "Some people.", LIST(data, person), FIELD(cursor));
#undef SHAPE_T

struct leak {
        struct uuid id;
        const char *name;
};
#define SHAPE_T struct leak
SHAPE(leak, "A name without a person.", FIELD(id), FIELD(name, .pii = PII_NAME));
#undef SHAPE_T

static struct uuid id_of(uint8_t n)
{
        return (struct uuid){{n}};
}

TEST(diff_tells_only_what_differs_and_keeps_personal_data_apart)
{
        struct arena *arena = arena_new();
        struct person before = {id_of(1), "Anna", "x", 1, {"Graz"}}, after = before;

        after.name = "Bert";
        after.visits = 2;
        struct audit_diff diff = audit_diff(arena, &person_shape, &before, &after);
        EXPECT_TEXT(diff.changes,
                    "{\"name\":{\"before\":\"A*\",\"after\":\"B*\"},\"visits\":{\"before\":1,\"after\":2}}");
        EXPECT_TEXT(diff.personal, "{\"name\":{\"before\":\"Anna\",\"after\":\"Bert\"}}");
        arena_free(arena);
}

/* Two names may look the same under the mask: it is a change all the same. */
TEST(diff_sees_a_change_that_the_mask_hides)
{
        struct arena *arena = arena_new();
        struct person before = {id_of(1), "Anna", NULL, 1, {"Graz"}}, after = before;

        after.name = "Albert";
        after.home.city = "Linz";
        struct audit_diff diff = audit_diff(arena, &person_shape, &before, &after);
        EXPECT_TEXT(diff.changes,
                    "{\"name\":{\"before\":\"A*\",\"after\":\"A*\"},\"home\":{\"before\":{\"city\":"
                    "\"***\"},\"after\":{\"city\":\"***\"}}}");
        EXPECT_TEXT(diff.personal,
                    "{\"name\":{\"before\":\"Anna\",\"after\":\"Albert\"},\"home\":{\"before\":{\"city\":"
                    "\"Graz\"},\"after\":{\"city\":\"Linz\"}}}");
        arena_free(arena);
}

TEST(diff_of_the_same_is_nothing)
{
        struct arena *arena = arena_new();
        struct person one = {id_of(1), "Anna", "x", 1, {"Graz"}}, same = one;

        struct audit_diff diff = audit_diff(arena, &person_shape, &one, &same);
        EXPECT(diff.changes == NULL && diff.personal == NULL);
        arena_free(arena);
}

TEST(diff_of_a_beginning_leaves_out_what_is_not_known)
{
        struct arena *arena = arena_new();
        struct home home = {"Graz"};

        struct audit_diff diff = audit_diff(arena, &home_shape, NULL, &home);
        EXPECT_TEXT(diff.personal, "{\"city\":{\"before\":null,\"after\":\"Graz\"}}");
        diff = audit_diff(arena, &home_shape, &home, NULL);
        EXPECT_TEXT(diff.personal, "{\"city\":{\"before\":\"Graz\",\"after\":null}}");
        diff = audit_diff(arena, &home_shape, NULL, &(struct home){NULL});
        EXPECT(diff.changes == NULL && diff.personal == NULL);
        arena_free(arena);
}

TEST(subjects_are_the_people_whose_data_is_there_each_once)
{
        struct arena *arena = arena_new();
        struct person people[40];
        struct page page = {.data = {people, 40}};
        struct uuids found = {0};

        for (uint8_t i = 0; i < 40; i++)
                people[i] = (struct person){.id = id_of((uint8_t)(i % 30 + 1)), .name = "x"};
        people[3] = (struct person){.id = id_of(99)}; /* nothing personal is known of him */
        people[4] = (struct person){.id = id_of(77), .home.city = "Graz"};
        shape_subjects(arena, &page_shape, /* pick= */ NULL, &page, &found);
        EXPECT_INT(found.n, 31);
        for (size_t i = 0; i < found.n; i++) {
                EXPECT(found.v[i].b[0] != 99);
                for (size_t k = 0; k < i; k++)
                        EXPECT(!uuid_equal(found.v[i], found.v[k]));
        }
        arena_free(arena);
}

/* An order names its customer in a struct beside the refunds. */
struct beside {
        struct person person;
        const char *said;
};
#define SHAPE_T struct beside
SHAPE(beside, "Somebody, and something of him beside.", NEST(person, person), FIELD(said, .pii = PII_ALL));
#undef SHAPE_T

TEST(a_struct_beside_it_may_name_whose_personal_data_it_is)
{
        struct arena *arena = arena_new();
        struct uuids found = {0};

        EXPECT(shape_pii_of_nobody(&beside_shape) == NULL);
        shape_subjects(arena, &beside_shape, /* pick= */ NULL,
                       &(struct beside){.person.id = id_of(7), .said = "x"}, &found);
        EXPECT_INT(found.n, 1);
        EXPECT(found.n == 1 && uuid_equal(found.v[0], id_of(7)));
        found = (struct uuids){0};
        shape_subjects(arena, &beside_shape, /* pick= */ NULL, &(struct beside){.person.id = id_of(7)},
                       &found);
        EXPECT_INT(found.n, 0);
        arena_free(arena);
}

TEST(subject_is_demanded_where_there_is_personal_data)
{
        EXPECT(shape_has_pii(&page_shape, /* pick= */ NULL) && shape_pii_of_nobody(&page_shape) == NULL);
        EXPECT(shape_pii_of_nobody(&leak_shape) == shape_field(&leak_shape, "name", 4));
        EXPECT(shape_pii_of_nobody(&home_shape) != NULL);
        EXPECT(uuid_equal(shape_subject(&person_shape, &(struct person){.id = id_of(5)}), id_of(5)));
        EXPECT(!uuid_known(shape_subject(&home_shape, &(struct home){"Graz"})));
}

TEST_MAIN
