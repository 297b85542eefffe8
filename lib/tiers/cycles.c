#include "tiers/cycles.h"

#include "customers/customers.h"
#include "customers/due.h"
#include "db/statement.h"
#include "events/events.h"
#include "program/programs.h"
#include "tiers/overdue.h"

/* Whose turn it is. */
struct due {
        struct instant before;
        int64_t limit, half;
};
#define SHAPE_T struct due
SHAPE(due, "Until when, how many, and of whom.", FIELD(before), FIELD(limit), FIELD(half));
#undef SHAPE_T

struct due_standing {
        struct uuid customer_id;
        struct instant until;
};
#define SHAPE_T struct due_standing
SHAPE(due_standing, "A customer whose turn it is.", FIELD(customer_id), FIELD(until));
#undef SHAPE_T

/* Whose :moment is over, the longest first; in the order of the customers' ids. */
#define DUE(moment, more)                                                                                    \
        "SELECT customer_id, until FROM (SELECT customer_id, " moment " AS until FROM tier_standings "       \
        "WHERE " moment " <= :before AND " IN_HALF more " ORDER BY " moment                                  \
        " LIMIT :limit) AS due ORDER BY customer_id"

SQL_MANY(standings_over, due, due_standing, DUE("until", ""))
SQL_MANY(standings_to_notice, due, due_standing, DUE("until", " AND noticed_until IS DISTINCT FROM until"))
SQL_MANY(pins_over, due, due_standing, DUE("pin_until", ""))

/* Some customers' stands in one transaction. */
struct round {
        struct ctx *c;
        const struct program *program;
        struct stand *stands;
        size_t count;
        struct event_list events;
};

struct task {
        const struct due_standing *due;
        void (*visit)(struct round *round, struct stand *stand);
};

static struct instant days_later(struct instant at, int64_t days)
{
        return (struct instant){at.us + days * INSTANT_DAY};
}

/* Lock and load whoever is due. */
static enum err round_load(struct round *round, const struct list *due)
{
        struct ctx *c = round->c;
        const struct due_standing *rows = due->v;
        struct instant first = c->now;
        struct uuids ids = {ARENA_ARRAY(c->arena, due->n, struct uuid), due->n};
        struct list customers = {0};
        struct stand_rows stands = {0};

        for (size_t i = 0; i < due->n; i++) {
                ids.v[i] = rows[i].customer_id;
                if (rows[i].until.us < first.us)
                        first = rows[i].until;
        }
        TRY(customers_lock_later(c, &ids, &customers));
        struct date earliest = zone_date(&c->shop->zone, first);
        TRY(stands_later(c, &ids, date_add_months(earliest, -program_window_months(round->program)),
                         &stands));
        TRY(db_flush(c));
        struct newcomer *who = ARENA_ARRAY(c->arena, customers.n, struct newcomer);
        for (size_t i = 0; i < customers.n; i++) {
                const struct customer_locked *customer = &((const struct customer_locked *)customers.v)[i];
                who[i] = (struct newcomer){customer->id, customer->created_at};
        }
        round->count = customers.n;
        round->stands = stands_of(c->arena, round->program, &stands, who, customers.n);
        return ERR_OK;
}

static enum err round_run(struct ctx *c, const struct piece_of_work *piece)
{
        const struct task *task = piece->arg;
        PROGRAM(program);
        TX(tx);
        struct round round = {.c = c, .program = program};

        TRY(tx_begin(c, &tx));
        TRY(round_load(&round, &(struct list){(void *)(task->due + piece->from), piece->n}));
        struct stand **stands = ARENA_ARRAY(c->arena, round.count, struct stand *);
        for (size_t i = 0; i < round.count; i++) {
                stands[i] = &round.stands[i];
                task->visit(&round, stands[i]);
        }
        TRY(stands_store(c, stands, round.count));
        TRY(events_store(c, &round.events));
        return tx_commit(&tx);
}

static enum err round_of(struct ctx *c, const struct list *due, const struct share *share,
                         void (*visit)(struct round *, struct stand *), bool *ret_more)
{
        struct task task = {due->v, visit};
        struct pieces pieces = {(size_t)share->most, share->may_go_on, round_run, &task};
        bool done;

        TRY(db_run_pieces(c, due->n, &pieces, &done));
        *ret_more = due->n > 0 && done;
        return ERR_OK;
}

static void note(struct round *round, const struct stand *stand, enum event_type type,
                 const struct tier_event *event, struct instant at)
{
        event_add(round->c->arena, &round->events, type, stand->standing.customer_id, at, &tier_event_shape,
                  event);
}

/* ------------------------------------------------------------------ the end of a cycle */

static void judge(struct round *round, struct stand *stand)
{
        struct ctx *c = round->c;

        stand_judge(stand, c->arena, round->program, &c->shop->zone, c->now);
        stand_judged_note(c->arena, stand, /* first= */ 0, &round->events);
}

enum err tiers_judge_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);
        struct list due;

        TRY(standings_over(
                c, &(struct due){days_later(c->now, -program->cycle.grace_days), FOUND_MAX, share->half},
                &due));
        return round_of(c, &due, share, judge, ret_more);
}

/* ------------------------------------------------------------------ notices */

/* Does a pin last beyond the moment in which the running cycle would lower the tier? */
static bool pin_covers(const struct stand *stand, const struct program *program)
{
        const struct standing *standing = &stand->standing;

        return stand->pin_rank != SIZE_MAX && instant_known(standing->until) &&
               standing->pin_until.us > days_later(standing->until, program->cycle.grace_days).us;
}

static void notice(struct round *round, struct stand *stand)
{
        const struct program *program = round->program;
        struct standing *standing = &stand->standing;
        struct metrics metrics = stand_metrics(stand);

        if (!instant_known(standing->until) || standing->noticed_until.us == standing->until.us ||
            standing->until.us > days_later(round->c->now, program->cycle.notice_days).us)
                return; /* another server was quicker, or judged it meanwhile */
        standing->noticed_until = standing->until;
        stand->changed = true;
        size_t rank = stand_rank_ahead(stand, &metrics, program, &round->c->shop->zone);
        if (rank == stand->rank || pin_covers(stand, program))
                return;
        struct tier_event event = {
                .before = standing->tier, .after = program->tiers.v[rank].code, .until = standing->until};
        note(round, stand, EVENT_TIER_NOTICE, &event, round->c->now);
}

enum err tiers_give_notice(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);
        struct list due = {0};

        if (program->cycle.notice_days > 0)
                TRY(standings_to_notice(
                        c,
                        &(struct due){days_later(c->now, program->cycle.notice_days), FOUND_MAX, share->half},
                        &due));
        return round_of(c, &due, share, notice, ret_more);
}

/* ------------------------------------------------------------------ pins */

/* The pin goes or makes room for another: a fall that it hid may be seen now, so a notice is due. */
static void uncover(struct stand *stand, const struct program *program)
{
        if (pin_covers(stand, program))
                stand->standing.noticed_until = (struct instant){0};
}

static void unpin(struct round *round, struct stand *stand, struct instant at)
{
        struct standing *standing = &stand->standing;
        struct tier_event event = {.before = standing->pin_tier, .after = standing->tier};

        note(round, stand, EVENT_TIER_UNPINNED, &event, at);
        uncover(stand, round->program);
        standing->pin_tier = standing->pin_reason = NULL;
        standing->pin_until = (struct instant){0};
        stand->pin_rank = SIZE_MAX;
        stand->changed = true;
}

static void unpin_over(struct round *round, struct stand *stand)
{
        struct instant until = stand->standing.pin_until;

        if (instant_known(until) && until.us <= round->c->now.us)
                unpin(round, stand, until);
}

enum err tiers_unpin_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        struct list due;

        TRY(pins_over(c, &(struct due){c->now, FOUND_MAX, share->half}, &due));
        return round_of(c, &due, share, unpin_over, ret_more);
}

/* One customer's stand, locked. */
static enum err round_of_one(struct round *round, const char *reference)
{
        struct customer customer;

        TRY(customer_lock(round->c, reference, &customer));
        struct due_standing due = {customer.id, round->c->now};
        TRY(round_load(round, &(struct list){&due, 1}));
        return stands_catch_up(round->c, round->program, round->c->now, &round->stands, 1, &round->events);
}

static enum err round_end(struct round *round)
{
        struct stand *stand = &round->stands[0];

        TRY(stands_store(round->c, &stand, 1));
        return events_store(round->c, &round->events);
}

enum err tier_pin(struct ctx *c, const struct tier_pin *in)
{
        PROGRAM(program);
        struct round round = {.c = c, .program = program};
        int rank = program_tier(program, in->tier);

        TRY(round_of_one(&round, in->customer));
        if (rank < 0)
                fault_body(c, "#/tier", "unknown_value", "the programme has no tier %s", in->tier);
        if (in->until.us <= c->now.us)
                fault_body(c, "#/until", "too_early", "must lie ahead");
        TRY(problem_check(c));
        struct stand *stand = &round.stands[0];
        struct tier_event event = {.before = program->tiers.v[stand_rank(stand, c->now)].code,
                                   .after = in->tier,
                                   .until = in->until};
        uncover(stand, program);
        stand->standing.pin_tier = in->tier;
        stand->standing.pin_until = in->until;
        stand->standing.pin_reason = in->reason;
        stand->pin_rank = (size_t)rank;
        stand->changed = true;
        note(&round, stand, EVENT_TIER_PINNED, &event, c->now);
        return round_end(&round);
}

enum err tier_unpin(struct ctx *c, const char *customer)
{
        PROGRAM(program);
        struct round round = {.c = c, .program = program};

        TRY(round_of_one(&round, customer));
        if (round.stands[0].standing.pin_tier != NULL)
                unpin(&round, &round.stands[0], c->now);
        return round_end(&round);
}
