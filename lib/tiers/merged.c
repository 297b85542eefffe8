#include "tiers/merged.h"

#include "db/statement.h"
#include "events/events.h"
#include "program/programs.h"

struct gone_stand {
        struct uuid id;
};
#define SHAPE_T struct gone_stand
SHAPE(gone_stand, "Whose standing goes.", FIELD(id));
#undef SHAPE_T

SQL_EXEC(standing_drop, gone_stand, "DELETE FROM tier_standings WHERE customer_id = :id")
SQL_EXEC(days_drop, gone_stand, "DELETE FROM metric_days WHERE customer_id = :id")
SQL_EXEC(history_drop, gone_stand, "DELETE FROM tier_history WHERE customer_id = :id")

/* The stands of two customers, with all their days. */
static enum err two_stands(struct ctx *c, const struct program *program, const struct newcomer who[2],
                           struct event_list *events, struct stand **ret)
{
        struct uuid ids[2] = {who[0].customer_id, who[1].customer_id};
        struct stand_rows rows = {0};

        TRY(stands_later(c, &(struct uuids){ids, 2}, (struct date){0}, &rows));
        TRY(db_flush(c));
        *ret = stands_of(c->arena, program, &rows, who, 2);
        return stands_catch_up(c, program, c->now, (struct stand *[]){&(*ret)[0], &(*ret)[1]}, 2, events);
}

static struct instant earlier(struct instant a, struct instant b)
{
        if (!instant_known(a) || !instant_known(b))
                return instant_known(a) ? a : b;
        return a.us < b.us ? a : b;
}

static struct instant later(struct instant a, struct instant b)
{
        return a.us > b.us || !instant_known(b) ? a : b;
}

static void move(struct ctx *c, const struct program *program, struct stand *stand, size_t rank,
                 const char *cause, struct event_list *events)
{
        struct tier_event event = {.before = stand->standing.tier};

        stand_move(stand, c->arena, program, &c->shop->zone,
                   &(struct stand_move){.rank = rank, .cause = cause, .at = c->now});
        event.after = stand->standing.tier;
        event_add(c->arena, events, EVENT_TIER_CHANGED, stand->standing.customer_id, c->now,
                  &tier_event_shape, &event);
}

enum err tiers_merge(struct ctx *c, const struct tiers_merging *merging)
{
        PROGRAM(program);
        struct event_list events = {0};
        struct stand *stands;
        struct date today = zone_date(&c->shop->zone, c->now);

        TRY(two_stands(c, program,
                       (struct newcomer[2]){{merging->from, merging->from_joined},
                                            {merging->to, merging->to_joined}},
                       &events, &stands));
        const struct stand *from = &stands[0];
        struct stand *to = &stands[1];
        for (size_t i = 0; i < from->day_count; i++)
                stand_count(to, c->arena, &from->days[i]);
        to->standing.first_order_at = earlier(to->standing.first_order_at, from->standing.first_order_at);
        to->standing.last_order_at = later(to->standing.last_order_at, from->standing.last_order_at);
        if (to->standing.pin_tier == NULL && from->standing.pin_tier != NULL) {
                to->standing.pin_tier = from->standing.pin_tier;
                to->standing.pin_until = from->standing.pin_until;
                to->standing.pin_reason = from->standing.pin_reason;
                to->changed = true;
        }
        struct metrics metrics = stand_metrics(to);
        bool higher = from->rank > to->rank;
        size_t rank = judge_upgrade(program, higher ? from->rank : to->rank, &metrics, today);
        if (rank != to->rank)
                move(c, program, to, rank, "merge", &events);
        if (higher && rank == from->rank) { /* with its cycle */
                to->standing.since = from->standing.since;
                to->standing.until = from->standing.until;
                to->standing.noticed_until = from->standing.noticed_until;
        }
        TRY(standing_drop(c, &(struct gone_stand){merging->from}));
        TRY(days_drop(c, &(struct gone_stand){merging->from}));
        TRY(history_drop(c, &(struct gone_stand){merging->from}));
        TRY(stands_store(c, &to, 1));
        return events_store(c, &events);
}

static struct metric_day negative(const struct metric_day *day)
{
        return (struct metric_day){.day = day->day,
                                   .spend_minor = -day->spend_minor,
                                   .orders = -day->orders,
                                   .growth = -day->growth};
}

/* The tier of who stays: never more than before or alone, never lifted by the undoing. */
static void stay(struct ctx *c, const struct program *program, struct stand *stand,
                 const struct tiers_before *before, struct event_list *events)
{
        struct metrics metrics = stand_metrics(stand);
        int known = before->tier != NULL ? program_tier(program, before->tier) : 0;
        size_t had = known > 0 ? (size_t)known : 0;
        size_t alone = judge_qualified(program, &metrics, zone_date(&c->shop->zone, c->now));
        size_t most = had > alone ? had : alone;

        if (stand->rank <= most)
                return;
        move(c, program, stand, most, "merge undone", events);
        if (most != had || before->tier == NULL)
                return;
        stand->standing.since = before->since;
        stand->standing.until = before->until;
}

enum err tiers_separate(struct ctx *c, const struct tiers_separating *in)
{
        PROGRAM(program);
        struct event_list events = {0};
        struct stand *stands;

        TRY(two_stands(c, program,
                       (struct newcomer[2]){{in->stays, in->stays_joined}, {in->leaves, in->leaves_joined}},
                       &events, &stands));
        struct stand *stays = &stands[0], *leaves = &stands[1];
        for (size_t i = 0; i < in->moved_count; i++) {
                struct metric_day day = negative(&in->moved[i]);
                stand_count(stays, c->arena, &day);
        }
        for (size_t i = 0; i < in->since_count; i++) {
                struct metric_day day = negative(&in->since[i]);
                stand_count(stays, c->arena, &day);
                stand_count(leaves, c->arena, &in->since[i]);
        }
        stays->standing.first_order_at = earlier(in->before.first_order_at, in->stays_first);
        stays->standing.last_order_at = in->stays_last;
        leaves->standing.first_order_at = earlier(leaves->standing.first_order_at, in->leaves_first);
        leaves->standing.last_order_at = in->leaves_last;
        const char *pin = leaves->standing.pin_tier;
        if (in->before.pin_tier == NULL && pin != NULL && stays->standing.pin_tier != NULL &&
            strcmp(pin, stays->standing.pin_tier) == 0 &&
            stays->standing.pin_until.us == leaves->standing.pin_until.us) {
                stays->standing.pin_tier = stays->standing.pin_reason = NULL;
                stays->standing.pin_until = (struct instant){0};
        }
        stay(c, program, stays, &in->before, &events);
        struct metrics metrics = stand_metrics(leaves);
        size_t rank = judge_upgrade(program, leaves->rank, &metrics, zone_date(&c->shop->zone, c->now));
        if (rank != leaves->rank)
                move(c, program, leaves, rank, "merge undone", &events);
        stays->changed = true;
        TRY(stands_store(c, (struct stand *[]){stays, leaves}, 2));
        return events_store(c, &events);
}
