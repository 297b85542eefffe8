/* A shop and its names, for the tests of the expression language. */
#pragma once

#include "base/ctx.h"
#include "expr/expr.h"

static const struct zone_change fixture_shanghai_changes[] = {{INT64_MIN, 8 * 3600}};
#define FIXTURE_ZONE                                                                                         \
        {                                                                                                    \
                "Asia/Shanghai", fixture_shanghai_changes, 1                                                 \
        }
static const struct zone fixture_shanghai = FIXTURE_ZONE;

/* Summer time of 2011: from 27 March to 30 October, both at 01:00 UTC. */
static const struct zone_change fixture_london_changes[] = {
        {INT64_MIN, 0},
        {INT64_C(1301187600) * INSTANT_SECOND, 3600},
        {INT64_C(1319936400) * INSTANT_SECOND, 0},
};
__attribute__((unused)) static const struct zone fixture_london = {"Europe/London", fixture_london_changes,
                                                                   3};

static const char *const fixture_tiers[] = {"basic", "silver", "gold", "diamond"};
static const char *const fixture_channel_names[] = {NULL, "search", "live", "referral", "paid_search"};
static const char *const fixture_gender_names[] = {NULL, "female", "male"};
static const struct names fixture_channels = {fixture_channel_names, 5};
static const struct names fixture_genders = {fixture_gender_names, 3};
static const struct expr_names fixture_names = {
        .tiers = fixture_tiers, .tier_count = 4, .channels = &fixture_channels, .genders = &fixture_genders};

struct fixture {
        struct ctx c;
};

static struct fixture fixture_new(void)
{
        static const struct shop shop = {.currency = "CNY", .zone = FIXTURE_ZONE};

        return (struct fixture){.c = {.arena = arena_new(), .shop = &shop}};
}

static void fixture_free(struct fixture *f)
{
        problem_reset(&f->c);
        arena_free(f->c.arena);
}

/* Nothing is known but the time, 2026-11-01T10:00:00Z. */
__attribute__((unused)) static struct expr_facts fixture_facts(void)
{
        return (struct expr_facts){.now = {INT64_C(1793527200) * INSTANT_SECOND}, .zone = &fixture_shanghai};
}
