#include "test.h"

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

TEST_MAIN
