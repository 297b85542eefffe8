#include "tiers/overdue.h"

static struct instant days_later(struct instant at, int64_t days)
{
        return (struct instant){at.us + days * INSTANT_DAY};
}

bool stand_overdue(const struct stand *stand, const struct program *program, struct instant now)
{
        struct instant until = stand->standing.until;

        return instant_known(until) && days_later(until, program->cycle.grace_days).us <= now.us;
}

size_t stand_rank_ahead(const struct stand *stand, const struct metrics *metrics,
                        const struct program *program, const struct zone *zone)
{
        struct date end = zone_date(zone, stand->standing.until);
        size_t rank = judge_cycle_end(program, stand->rank, metrics, end);

        return rank >= stand->rank ? rank
                                   : judge_cycle_end(program, stand->rank, metrics,
                                                     date_add_days(end, program->cycle.grace_days));
}

void stand_lowered(struct stand *stand, const struct metrics *before, const struct program *program,
                   const struct zone *zone)
{
        struct standing *standing = &stand->standing;
        struct metrics after = stand_metrics(stand);

        if (!instant_known(standing->until) || standing->noticed_until.us != standing->until.us)
                return;
        if (stand_rank_ahead(stand, before, program, zone) >= stand->rank &&
            stand_rank_ahead(stand, &after, program, zone) < stand->rank)
                standing->noticed_until = (struct instant){0};
}

/* One judging: what it goes by. */
struct judging {
        struct arena *arena;
        const struct program *program;
        const struct zone *zone;
};

static void move(const struct judging *j, struct stand *stand, size_t rank, struct instant at)
{
        stand_move(stand, j->arena, j->program, j->zone,
                   &(struct stand_move){.rank = rank, .cause = "cycle_end", .at = at});
}

/* The rank as of the first moment of a day: what is bought on that day comes too late. */
static size_t rank_at(const struct judging *j, const struct stand *stand, struct instant at)
{
        struct date day = zone_date(j->zone, at);
        struct metrics metrics = stand_metrics_as_of(stand, j->arena, date_add_days(day, -1));

        return judge_cycle_end(j->program, stand->rank, &metrics, day);
}

/* The rank after the cycle that is over: what is kept at its end is kept, and the grace can only help. */
static size_t rank_after_cycle(const struct judging *j, const struct stand *stand)
{
        struct instant end = stand->standing.until;
        int64_t grace_days = j->program->cycle.grace_days;
        size_t rank = rank_at(j, stand, end);

        return rank >= stand->rank || grace_days == 0 ? rank : rank_at(j, stand, days_later(end, grace_days));
}

void stand_judge(struct stand *stand, struct arena *arena, const struct program *program,
                 const struct zone *zone, struct instant now)
{
        const struct judging j = {arena, program, zone};
        size_t before = stand->rank;

        while (stand_overdue(stand, program, now)) {
                size_t rank = rank_after_cycle(&j, stand);
                if (rank == stand->rank)
                        stand_renew(stand, program, zone);
                else
                        move(&j, stand, rank, days_later(stand->standing.until, program->cycle.grace_days));
        }
        if (stand->rank >= before)
                return;
        /* What was bought since that end would have lifted him at once, had he been judged in time. */
        struct metrics metrics = stand_metrics(stand);
        size_t rank = judge_upgrade(program, stand->rank, &metrics, zone_date(zone, now));
        if (rank != stand->rank)
                move(&j, stand, rank, now);
}
