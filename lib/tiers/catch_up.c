/* Whoever decides by tiers does not wait for the housekeeper. */
#include "db/statement.h"
#include "events/events.h"
#include "history/history.h"
#include "tiers/overdue.h"
#include "tiers/tiers.h"

void stand_judged_note(struct arena *arena, const struct stand *stand, size_t first,
                       struct event_list *events)
{
        for (size_t i = first; i < stand->history.n; i++) {
                const struct tier_change *change = &stand->history.v[i];
                struct tier_event event = {.before = change->tier_before, .after = change->tier_after};
                event_add(arena, events, EVENT_TIER_CHANGED, change->customer_id, change->created_at,
                          &tier_event_shape, &event);
        }
}

/* Judge stands that are overdue; with all their days, for the cycles may have ended long ago. */
static enum err judge_now(struct ctx *c, const struct program *program, struct instant at,
                          struct stand **overdue, size_t n, struct event_list *events)
{
        struct uuids ids = {ARENA_ARRAY(c->arena, n, struct uuid), n};
        struct stand_rows rows = {0};

        for (size_t i = 0; i < n; i++)
                ids.v[i] = overdue[i]->standing.customer_id;
        TRY(stands_later(c, &ids, /* from= */ (struct date){0}, &rows));
        TRY(db_flush(c));
        for (size_t i = 0; i < n; i++) {
                *overdue[i] = stand_of(c->arena, program, &rows, ids.v[i], overdue[i]->joined_at);
                stand_judge(overdue[i], c->arena, program, &c->shop->zone, at);
                if (events != NULL)
                        stand_judged_note(c->arena, overdue[i], 0, events);
        }
        return ERR_OK;
}

enum err stands_catch_up(struct ctx *c, const struct program *program, struct instant at,
                         struct stand *const *stands, size_t n, struct event_list *events)
{
        struct stand **overdue = ARENA_ARRAY(c->arena, n, struct stand *);
        size_t count = 0;
        bool comes;

        for (size_t i = 0; i < n; i++)
                if (stand_overdue(stands[i], program, at))
                        overdue[count++] = stands[i];
        if (count == 0)
                return ERR_OK;
        TRY(history_comes(c, &comes));
        return comes ? ERR_OK : judge_now(c, program, at, overdue, count, events);
}
