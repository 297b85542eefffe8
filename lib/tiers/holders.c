#include "tiers/holders.h"

#include "db/statement.h"
#include "program/versions.h"

struct gone {
        struct texts codes;
};
#define SHAPE_T struct gone
SHAPE(gone, "Tiers.", FIELD(codes));
#undef SHAPE_T

struct holders {
        const char *tier;
        int64_t held, pinned;
};
#define SHAPE_T struct holders
SHAPE(holders, "How many have a tier.", FIELD(tier), FIELD(held), FIELD(pinned));
#undef SHAPE_T

SQL_MANY(
        holders_count, gone, holders,
        "SELECT tier, sum(held)::bigint AS held, sum(pinned)::bigint AS pinned FROM ("
        "SELECT tier, count(*) AS held, 0 AS pinned FROM tier_standings WHERE tier = ANY(:codes) GROUP BY tier UNION ALL "
        "SELECT pin_tier, 0, count(*) FROM tier_standings WHERE pin_tier = ANY(:codes) AND pin_until > :now "
        "GROUP BY pin_tier) AS counted GROUP BY tier ORDER BY tier")

enum err tiers_gone_check(struct ctx *c, const struct program *proposed, const char *pointer)
{
        struct program newest;
        struct gone gone = {{ARENA_ARRAY(c->arena, TIERS_MAX, const char *), 0}};
        struct list counted = {0};

        TRY(program_newest(c, &newest));
        for (size_t i = 0; i < newest.tiers.n; i++)
                if (program_tier(proposed, newest.tiers.v[i].code) < 0)
                        gone.codes.v[gone.codes.n++] = newest.tiers.v[i].code;
        if (gone.codes.n == 0)
                return ERR_OK;
        TRY(holders_count(c, &gone, &counted));
        const char *told = NULL;
        for (size_t i = 0; i < counted.n; i++) {
                const struct holders *holders = &((const struct holders *)counted.v)[i];
                if (holders->pinned == 0 && program_tier(&newest, holders->tier) == 0)
                        continue;
                told = arena_printf(c->arena, "%s%s%s: %lld hold it and %lld are pinned to it",
                                    told != NULL ? told : "", told != NULL ? "; " : "", holders->tier,
                                    (long long)holders->held, (long long)holders->pinned);
        }
        if (told != NULL)
                fault_body(c, pointer, "tier_in_use", "customers have tiers that are gone: %s", told);
        return ERR_OK;
}
