#include "test.h"

#include <jansson.h>

#include "base/shape_json.h"
#include "program/default.h"
#include "program/diff.h"

#define RULES(...)                                                                                           \
        {                                                                                                    \
                .v = (struct earning_rule[]){__VA_ARGS__},                                                   \
                .n = sizeof((struct earning_rule[]){__VA_ARGS__}) / sizeof(struct earning_rule)              \
        }
static const struct earning_rule base = {.code = "base", .target = TARGET_POINTS, .kind = RULE_BASE},
                                 extra = {.code = "extra", .target = TARGET_POINTS, .kind = RULE_ADD},
                                 last = {.code = "last", .target = TARGET_GROWTH, .kind = RULE_ADD};

static void expect_change(const struct program_change *change, const char *path, enum change_kind kind,
                          const char *before, const char *after)
{
        EXPECT_TEXT(change->path, path);
        EXPECT_INT(change->change, kind);
        EXPECT((before == NULL) == (change->before.text == NULL));
        EXPECT((after == NULL) == (change->after.text == NULL));
        if (before != NULL && change->before.text != NULL)
                EXPECT_TEXT(change->before.text, before);
        if (after != NULL && change->after.text != NULL)
                EXPECT_TEXT(change->after.text, after);
}

TEST(program_diff_of_the_same_document_is_empty_whatever_its_version)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct program before = {.version = 1, .earning = RULES(base)}, after = before;

        after.version = 2;
        EXPECT_INT(program_diff(arena, &before, &after).n, 0);
}

TEST(program_diff_goes_by_codes_down_to_the_value)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct earning_rule dearer = base;
        struct program before = {.earning = RULES(base, extra)}, after = {.earning = RULES(last, base)};

        dearer.rate_millionths = 5;
        dearer.when = "first_order";
        after.earning.v[1] = dearer;
        after.points.pending_days = 3;
        struct program_changes changes = program_diff(arena, &before, &after);
        EXPECT_INT(changes.n, 5);
        if (changes.n != 5)
                return;
        expect_change(&changes.v[0], "/points/pending_days", CHANGE_CHANGED, "0", "3");
        expect_change(&changes.v[1], "/earning/base/rate_millionths", CHANGE_CHANGED, "0", "5");
        expect_change(&changes.v[2], "/earning/base/when", CHANGE_CHANGED, NULL, "\"first_order\"");
        EXPECT_TEXT(changes.v[3].path, "/earning/extra");
        EXPECT_INT(changes.v[3].change, CHANGE_REMOVED);
        EXPECT(changes.v[3].after.text == NULL &&
               strstr(changes.v[3].before.text, "\"code\":\"extra\"") != NULL);
        EXPECT_TEXT(changes.v[4].path, "/earning/last");
        EXPECT_INT(changes.v[4].change, CHANGE_ADDED);
        EXPECT(changes.v[4].before.text == NULL);
}

TEST(program_diff_tells_another_order_once_and_only_of_what_both_have)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct program before = {.earning = RULES(base, extra)},
                       after = {.earning = RULES(extra, last, base)};
        struct program_changes changes = program_diff(arena, &before, &after);

        EXPECT_INT(changes.n, 2);
        if (changes.n != 2)
                return;
        expect_change(&changes.v[0], "/earning", CHANGE_REORDERED, "[\"base\",\"extra\"]",
                      "[\"extra\",\"base\"]");
        EXPECT_TEXT(changes.v[1].path, "/earning/last");
}

TEST(program_diff_compares_a_list_without_codes_as_a_whole)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct full_reduction one = {.threshold_minor = 300, .off_minor = 50}, other = {300, 60};
        struct tier tiers[2] = {{.code = "gold", .name = "Gold"}, {.code = "gold", .name = "Gold"}};
        struct program before = {.tiers = {&tiers[0], 1}}, after = {.tiers = {&tiers[1], 1}};

        tiers[0].benefits.full_reduction.v = &one;
        tiers[0].benefits.full_reduction.n = 1;
        tiers[1].benefits.full_reduction.v = &other;
        tiers[1].benefits.full_reduction.n = 1;
        struct program_changes changes = program_diff(arena, &before, &after);
        EXPECT_INT(changes.n, 1);
        if (changes.n == 1)
                expect_change(&changes.v[0], "/tiers/gold/benefits/full_reduction", CHANGE_CHANGED,
                              "[{\"threshold_minor\":300,\"off_minor\":50}]",
                              "[{\"threshold_minor\":300,\"off_minor\":60}]");
}

#define ACTIVITIES(...)                                                                                      \
        {                                                                                                    \
                .v = (struct activity_rule[]){__VA_ARGS__},                                                  \
                .n = sizeof((struct activity_rule[]){__VA_ARGS__}) / sizeof(struct activity_rule)            \
        }
static const struct activity_rule visit = {.type = ACTIVITY_CUSTOM, .code = "visit", .points = 1},
                                  review = {.type = ACTIVITY_REVIEW, .points = 2},
                                  share = {.type = ACTIVITY_SHARE, .points = 3},
                                  own_review = {.type = ACTIVITY_CUSTOM, .code = "review", .points = 4};

TEST(program_diff_calls_activities_without_a_code_by_their_type_in_any_order)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct activity_rule better = review;
        struct program before = {.activities = ACTIVITIES(visit, review)},
                       after = {.activities = ACTIVITIES(share, review, visit)};

        better.points = 9;
        after.activities.v[1] = better;
        struct program_changes changes = program_diff(arena, &before, &after);
        EXPECT_INT(changes.n, 3);
        if (changes.n == 3) {
                expect_change(&changes.v[0], "/activities", CHANGE_REORDERED, "[\"visit\",\"review\"]",
                              "[\"review\",\"visit\"]");
                expect_change(&changes.v[1], "/activities/review/points", CHANGE_CHANGED, "2", "9");
                EXPECT_TEXT(changes.v[2].path, "/activities/share");
                EXPECT_INT(changes.v[2].change, CHANGE_ADDED);
        }
        changes = program_diff(arena, &after, &before);
        EXPECT_INT(changes.n, 3);
        if (changes.n == 3) {
                EXPECT_TEXT(changes.v[1].path, "/activities/share");
                EXPECT_INT(changes.v[1].change, CHANGE_REMOVED);
                expect_change(&changes.v[2], "/activities/review/points", CHANGE_CHANGED, "9", "2");
        }
}

TEST(program_diff_keeps_an_own_activity_apart_from_the_type_of_its_name)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct activity_rule better = own_review;
        struct program before = {.activities = ACTIVITIES(review, own_review)},
                       after = {.activities = ACTIVITIES(review, own_review)};

        better.points = 5;
        after.activities.v[1] = better;
        struct program_changes changes = program_diff(arena, &before, &after);
        EXPECT_INT(changes.n, 1);
        if (changes.n == 1)
                expect_change(&changes.v[0], "/activities/review/points", CHANGE_CHANGED, "4", "5");
}

TEST(program_diff_tells_each_item_of_a_list_that_begins_or_ends_empty)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct program none = {0}, some = {.activities = ACTIVITIES(review, visit)};
        struct program_changes added = program_diff(arena, &none, &some),
                               removed = program_diff(arena, &some, &none);

        EXPECT_INT(added.n, 2);
        EXPECT_INT(removed.n, 2);
        if (added.n != 2 || removed.n != 2)
                return;
        EXPECT_TEXT(added.v[0].path, "/activities/review");
        EXPECT_INT(added.v[1].change, CHANGE_ADDED);
        EXPECT_TEXT(removed.v[1].path, "/activities/visit");
        EXPECT_INT(removed.v[0].change, CHANGE_REMOVED);
}

/* Decoded as the server does, without compiling: lists need not be in order. */
static struct program decoded(struct arena *arena, const json_t *document)
{
        struct program program = {0};
        struct ctx c = {.arena = arena};

        shape_decode(&c, &program_shape, document, &program);
        EXPECT_INT(problem_check(&c), ERR_OK);
        return program;
}

/* The list turned by some places, and every second time backwards too. */
static json_t *turned(const json_t *list, size_t turn)
{
        json_t *other = json_array();
        size_t n = json_array_size(list);

        for (size_t i = 0; i < n; i++) {
                size_t from = (i + turn / 2) % n;
                json_array_append(other, json_array_get(list, turn % 2 == 0 ? from : n - 1 - from));
        }
        return other;
}

TEST(program_diff_of_turned_lists_tells_the_order_and_nothing_else)
{
        static const char rules[] = "[{\"type\":\"custom\",\"code\":\"visit\",\"points\":1},"
                                    "{\"type\":\"photo_review\",\"growth\":50},"
                                    "{\"type\":\"custom\",\"code\":\"share\",\"points\":2},"
                                    "{\"type\":\"share\",\"points\":3}]";
        json_t *document = json_loads(program_default_json, /* flags= */ 0, /* error= */ NULL), *list;
        const char *name;

        json_object_set_new(document, "activities", json_loads(rules, /* flags= */ 0, /* error= */ NULL));
        json_object_foreach(document, name, list)
        {
                for (size_t turn = 1; json_is_array(list) && turn < 2 * json_array_size(list); turn++) {
                        _cleanup_(arena_freep) struct arena *arena = arena_new();
                        json_t *other = json_copy(document);
                        json_t *list_turned = turned(list, turn);
                        size_t told = json_equal(list, list_turned) ? 0 : 1;
                        json_object_set_new(other, name, list_turned);
                        struct program before = decoded(arena, document), after = decoded(arena, other);
                        struct program_changes changes = program_diff(arena, &before, &after);
                        EXPECT_INT(changes.n, told);
                        if (changes.n == 1) {
                                EXPECT_TEXT(changes.v[0].path, arena_printf(arena, "/%s", name));
                                EXPECT_INT(changes.v[0].change, CHANGE_REORDERED);
                        }
                        EXPECT_INT(program_diff(arena, &after, &before).n, told);
                        json_decref(other);
                }
        }
        json_decref(document);
}

TEST_MAIN
