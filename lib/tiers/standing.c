#include "tiers/standing.h"

#include <assert.h>

#define SHAPE_T struct standing
SHAPE(standing, "Where a customer stands.", FIELD(customer_id), FIELD(tier), FIELD(since), FIELD(until),
      FIELD(orders), FIELD(spend_minor), FIELD(growth), FIELD(first_order_at), FIELD(last_order_at),
      FIELD(changes), FIELD(noticed_until), FIELD(pin_tier), FIELD(pin_until), FIELD(pin_reason));
#undef SHAPE_T

size_t stand_rank(const struct stand *stand, struct instant at)
{
        bool pinned = stand->pin_rank != SIZE_MAX && at.us < stand->standing.pin_until.us;

        return pinned ? stand->pin_rank : stand->rank;
}

struct metrics stand_metrics(const struct stand *stand)
{
        return (struct metrics){
                .days = stand->days,
                .day_count = stand->day_count,
                .spend_minor = stand->standing.spend_minor,
                .orders = stand->standing.orders,
                .growth = stand->standing.growth,
        };
}

struct metrics stand_metrics_as_of(const struct stand *stand, struct arena *arena, struct date day)
{
        struct metrics metrics = stand_metrics(stand);
        struct metric_day *days = ARENA_ARRAY(arena, stand->day_count, struct metric_day);
        size_t n = 0;

        for (size_t i = 0; i < stand->day_count; i++) {
                const struct metric_day *one = &stand->days[i];
                if (date_compare(one->day, day) <= 0) {
                        days[n++] = *one;
                        continue;
                }
                metrics.spend_minor -= one->spend_minor;
                metrics.orders -= one->orders;
                metrics.growth -= one->growth;
        }
        metrics.days = days;
        metrics.day_count = n;
        return metrics;
}

static void add(struct metric_day *day, const struct metric_day *delta)
{
        day->spend_minor += delta->spend_minor;
        day->orders += delta->orders;
        day->growth += delta->growth;
}

static size_t day_find(struct stand *stand, struct arena *arena, struct date day)
{
        for (size_t i = stand->day_count; i-- > 0;) /* usually the latest */
                if (date_compare(stand->days[i].day, day) == 0)
                        return i;
        if (stand->day_count == stand->day_room) {
                size_t room = stand->day_room + 8;
                struct metric_day *days = ARENA_ARRAY(arena, room, struct metric_day);
                struct metric_day *deltas = ARENA_ARRAY(arena, room, struct metric_day);
                for (size_t i = 0; i < stand->day_count; i++) {
                        days[i] = stand->days[i];
                        deltas[i] = stand->deltas[i];
                }
                stand->days = days;
                stand->deltas = deltas;
                stand->day_room = room;
        }
        stand->days[stand->day_count] = stand->deltas[stand->day_count] = (struct metric_day){.day = day};
        return stand->day_count++;
}

void stand_count(struct stand *stand, struct arena *arena, const struct metric_day *delta)
{
        size_t at = day_find(stand, arena, delta->day);

        add(&stand->days[at], delta);
        add(&stand->deltas[at], delta);
        stand->standing.spend_minor += delta->spend_minor;
        stand->standing.orders += delta->orders;
        stand->standing.growth += delta->growth;
        stand->changed = true;
}

/* The lowest tier is held for good. */
static struct instant end_of_cycle(const struct stand *stand, const struct program *program,
                                   const struct zone *zone, size_t rank, struct instant from)
{
        if (rank == 0)
                return (struct instant){0};
        return zone_midnight(
                zone, cycle_end(&program->cycle, zone_date(zone, from), zone_date(zone, stand->joined_at)));
}

void stand_renew(struct stand *stand, const struct program *program, const struct zone *zone)
{
        stand->standing.until = end_of_cycle(stand, program, zone, stand->rank, stand->standing.until);
        stand->changed = true;
}

void stand_move(struct stand *stand, struct arena *arena, const struct program *program,
                const struct zone *zone, const struct stand_move *move)
{
        struct standing *standing = &stand->standing;
        const char *before = standing->tier;

        assert(move->rank < program->tiers.n);
        standing->tier = program->tiers.v[move->rank].code;
        standing->since = move->at;
        standing->until = end_of_cycle(stand, program, zone, move->rank, move->at);
        standing->changes++;
        stand->rank = move->rank;
        stand->changed = true;
        if (stand->history.n == stand->history_room) {
                struct tier_change *larger = ARENA_ARRAY(arena, stand->history_room + 4, struct tier_change);
                for (size_t i = 0; i < stand->history.n; i++)
                        larger[i] = stand->history.v[i];
                stand->history.v = larger;
                stand->history_room += 4;
        }
        stand->history.v[stand->history.n++] = (struct tier_change){
                .customer_id = standing->customer_id,
                .change_no = standing->changes,
                .tier_before = before,
                .tier_after = standing->tier,
                .cause = move->cause,
                .order_id = move->order_id,
                .created_at = move->at,
        };
}
