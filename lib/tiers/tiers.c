#include "tiers/tiers.h"

#include "base/idmap.h"
#include "customers/customers.h"
#include "db/page.h"
#include "program/programs.h"

struct stand_key {
        struct uuids ids;
        struct date from;
};
#define SHAPE_T struct stand_key
SHAPE(stand_key, "Customers, and a day.", FIELD(ids), FIELD(from));
#undef SHAPE_T

struct day_row {
        struct uuid customer_id;
        struct date day;
        int64_t orders, spend_minor, growth;
};
#define SHAPE_T struct day_row
SHAPE(day_row, "A customer's day.", FIELD(customer_id), FIELD(day), FIELD(orders), FIELD(spend_minor),
      FIELD(growth));
#undef SHAPE_T

#define SHAPE_T struct tier_change
SHAPE(tier_change, "A change of tier.", FIELD(customer_id, .need = true),
      FIELD(change_no, .doc = "Counts up per customer."), FIELD(tier_before, .need = true),
      FIELD(tier_after, .need = true), FIELD(cause, .need = true, .doc = "Why, in a word."),
      FIELD(order_id, .doc = "The order that caused it."), FIELD(created_at, .need = true));
#undef SHAPE_T

SQL_LATER(
        standings_load, stand_key, standing,
        "SELECT customer_id, tier, since, until, orders, spend_minor, growth, first_order_at, last_order_at, changes, "
        "noticed_until, pin_tier, pin_until, pin_reason FROM tier_standings WHERE customer_id = ANY(:ids)")

SQL_LATER(days_load, stand_key, day_row,
          "SELECT customer_id, day, orders, spend_minor, growth FROM metric_days "
          "WHERE customer_id = ANY(:ids) AND day >= coalesce(:from, '-infinity')")

SQL_BATCH(
        standings_store, standing,
        "INSERT INTO tier_standings (customer_id, tier, since, until, orders, spend_minor, growth, first_order_at, "
        "last_order_at, changes, noticed_until, pin_tier, pin_until, pin_reason) SELECT * FROM unnest(:customer_id, :tier, :since, :until, :orders, :spend_minor, :growth, "
        ":first_order_at, :last_order_at, :changes, :noticed_until, :pin_tier, :pin_until, :pin_reason) ON CONFLICT (customer_id) DO UPDATE SET tier = excluded.tier, "
        "since = excluded.since, until = excluded.until, orders = excluded.orders, spend_minor = excluded.spend_minor, "
        "growth = excluded.growth, first_order_at = excluded.first_order_at, last_order_at = excluded.last_order_at, "
        "changes = excluded.changes, noticed_until = excluded.noticed_until, pin_tier = excluded.pin_tier, "
        "pin_until = excluded.pin_until, pin_reason = excluded.pin_reason")

/* Sums are added to, so that a day outside the loaded window is right too. */
SQL_BATCH(
        days_add, day_row,
        "INSERT INTO metric_days (customer_id, day, orders, spend_minor, growth) "
        "SELECT * FROM unnest(:customer_id, :day, :orders, :spend_minor, :growth) "
        "ON CONFLICT (customer_id, day) DO UPDATE SET orders = metric_days.orders + excluded.orders, "
        "spend_minor = metric_days.spend_minor + excluded.spend_minor, growth = metric_days.growth + excluded.growth")

SQL_BATCH(
        history_insert, tier_change,
        "INSERT INTO tier_history (customer_id, change_no, tier_before, tier_after, cause, order_id, created_at) "
        "SELECT * FROM unnest(:customer_id, :change_no, :tier_before, :tier_after, :cause, :order_id, :created_at)")

enum err stands_later(struct ctx *c, const struct uuids *customers, struct date from, struct stand_rows *ret)
{
        struct stand_key key = {*customers, from};

        TRY(standings_load(c, &key, &ret->standings));
        return days_load(c, &key, &ret->days);
}

/* A stand without days, with room for as many. */
static struct stand stand_new(struct arena *arena, const struct program *program, const struct newcomer *who,
                              size_t days)
{
        struct stand stand = {.standing = {.customer_id = who->customer_id,
                                           .tier = program->tiers.v[0].code,
                                           .since = who->joined_at},
                              .joined_at = who->joined_at,
                              .day_room = days + 2}; /* those that an order and its refund may add */

        stand.days = ARENA_ARRAY(arena, stand.day_room, struct metric_day);
        stand.deltas = ARENA_ARRAY(arena, stand.day_room, struct metric_day);
        return stand;
}

struct stand *stands_of(struct arena *arena, const struct program *program, const struct stand_rows *rows,
                        const struct newcomer *who, size_t n)
{
        struct stand *stands = ARENA_ARRAY(arena, n, struct stand);
        size_t *counts = ARENA_ARRAY(arena, n, size_t);
        struct idmap by_id = idmap_new(arena, n);
        const struct standing *standings = rows->standings.v;
        const struct day_row *days = rows->days.v;

        for (size_t i = 0; i < n; i++)
                idmap_put(&by_id, who[i].customer_id, i);
        for (size_t i = 0; i < rows->days.n; i++) {
                size_t at = idmap_get(&by_id, days[i].customer_id);
                if (at != SIZE_MAX)
                        counts[at]++;
        }
        for (size_t i = 0; i < n; i++)
                stands[i] = stand_new(arena, program, &who[i], counts[i]);
        for (size_t i = 0; i < rows->standings.n; i++) {
                size_t at = idmap_get(&by_id, standings[i].customer_id);
                if (at != SIZE_MAX)
                        stands[at].standing = standings[i];
        }
        for (size_t i = 0; i < rows->days.n; i++) {
                size_t at = idmap_get(&by_id, days[i].customer_id);
                if (at == SIZE_MAX)
                        continue;
                struct stand *stand = &stands[at];
                stand->deltas[stand->day_count].day = days[i].day;
                stand->days[stand->day_count++] = (struct metric_day){.day = days[i].day,
                                                                      .spend_minor = days[i].spend_minor,
                                                                      .orders = days[i].orders,
                                                                      .growth = days[i].growth};
        }
        for (size_t i = 0; i < n; i++) {
                int rank = program_tier(program, stands[i].standing.tier);
                stands[i].rank = rank > 0 ? (size_t)rank : 0;
                const char *pinned = stands[i].standing.pin_tier;
                int pin = pinned != NULL ? program_tier(program, pinned) : -1;
                stands[i].pin_rank = pin >= 0 ? (size_t)pin : SIZE_MAX;
        }
        return stands;
}

struct stand stand_of(struct arena *arena, const struct program *program, const struct stand_rows *rows,
                      struct uuid customer_id, struct instant joined_at)
{
        return stands_of(arena, program, rows, &(struct newcomer){customer_id, joined_at}, 1)[0];
}

static bool moved(const struct metric_day *delta)
{
        return delta->orders != 0 || delta->spend_minor != 0 || delta->growth != 0;
}

enum err stands_store(struct ctx *c, struct stand *const *stands, size_t n)
{
        struct uuid *touched = ARENA_ARRAY(c->arena, n, struct uuid);
        size_t day_count = 0, change_count = 0, standing_count = 0;

        for (size_t i = 0; i < n; i++) {
                day_count += stands[i]->day_count;
                change_count += stands[i]->history.n;
        }
        struct standing *standings = ARENA_ARRAY(c->arena, n, struct standing);
        struct day_row *days = ARENA_ARRAY(c->arena, day_count, struct day_row);
        struct tier_change *changes = ARENA_ARRAY(c->arena, change_count, struct tier_change);
        day_count = change_count = 0;
        for (size_t i = 0; i < n; i++) {
                const struct stand *stand = stands[i];
                if (!stand->changed)
                        continue;
                touched[standing_count] = stand->standing.customer_id;
                standings[standing_count++] = stand->standing;
                for (size_t k = 0; k < stand->history.n; k++)
                        changes[change_count++] = stand->history.v[k];
                for (size_t k = 0; k < stand->day_count; k++) {
                        const struct metric_day *delta = &stand->deltas[k];
                        if (moved(delta))
                                days[day_count++] =
                                        (struct day_row){stand->standing.customer_id, delta->day,
                                                         delta->orders, delta->spend_minor, delta->growth};
                }
        }
        TRY(standings_store(c, standings, standing_count));
        TRY(days_add(c, days, day_count));
        customers_touched(c, touched, standing_count);
        return history_insert(c, changes, change_count);
}

/* ------------------------------------------------------------------ the API */

#define SHAPE_T struct condition
SHAPE(condition, "A requirement and how far it is met.", FIELD(metric, .need = true, .names = &metric_names),
      FIELD(window_months, .doc = "null: lifetime."), FIELD(at_least), FIELD(value, .doc = "As of today."),
      FIELD(met), FIELD(any, .doc = "One of those with any is enough; those without are all needed."));
#undef SHAPE_T

#define SHAPE_T struct tier_view
SHAPE(tier_view, "A customer's tier: what it is, what keeps it, what is missing to the next.",
      FIELD(customer_id, .need = true, .subject = true), FIELD(code, .need = true), FIELD(name, .need = true),
      FIELD(rank), FIELD(since, .need = true),
      FIELD(until, .doc = "End of the cycle of the earned tier; null: held for good."),
      FIELD(earned, .need = true, .doc = "The tier that was earned: it holds again when a pin ends."),
      FIELD(pin_until, .doc = "Set by hand until then; null: not pinned."), FIELD(pin_reason),
      LIST(keep, condition, .doc = "What keeps the earned tier at the end of the cycle."),
      FIELD(kept_by_qualify, .doc = "It is qualified for anew, which keeps it whatever `keep` says."),
      FIELD(next, .doc = "null in the highest."),
      LIST(missing, missing,
           .doc = "To the next tier: all of those without `any`, and one of those with it."),
      FIELD(projected, .need = true,
            .doc = "The earned tier were the cycle to end today: what is reached or kept, else what the programme's way "
                   "down and floors leave."),
      FIELD(orders), FIELD(spend_minor, .doc = "Lifetime, net of refunds."), FIELD(growth),
      NEST(benefits, benefits));
#undef SHAPE_T

enum err stand_read(struct ctx *c, const struct program *program, const char *reference, struct stand *ret)
{
        struct customer customer;
        struct stand_rows rows = {0};

        TRY(customer_get(c, reference, &customer));
        int window = program_window_months(program);
        struct date from = date_add_months(zone_date(&c->shop->zone, c->now), -window);
        TRY(stands_later(c, &(struct uuids){&customer.id, 1}, from, &rows));
        TRY(db_flush(c));
        *ret = stand_of(c->arena, program, &rows, customer.id, customer.created_at);
        return stands_catch_up(c, program, c->now, &ret, 1, /* events= */ NULL);
}

static void conditions_add(struct arena *arena, const struct requirements *from,
                           const struct metrics *metrics, struct date today, struct tier_view *ret)
{
        const struct requirement *lists[] = {from->any_of.v, from->all_of.v};
        size_t counts[] = {from->any_of.n, from->all_of.n};

        ret->keep.v = ARENA_ARRAY(arena, counts[0] + counts[1], struct condition);
        for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
                for (size_t i = 0; i < counts[list]; i++) {
                        const struct requirement *need = &lists[list][i];
                        int64_t value = metric_value(metrics, need->metric, need->window_months, today);
                        ret->keep.v[ret->keep.n++] = (struct condition){
                                need->metric, need->window_months,     need->at_least,
                                value,        value >= need->at_least, /* any= */ list == 0};
                }
        }
}

enum err tier_get(struct ctx *c, const char *customer, struct tier_view *ret)
{
        PROGRAM(program);
        struct stand stand;
        struct date today = zone_date(&c->shop->zone, c->now);

        TRY(stand_read(c, program, customer, &stand));
        size_t rank = stand_rank(&stand, c->now);
        bool pinned = stand.pin_rank != SIZE_MAX && rank == stand.pin_rank &&
                      c->now.us < stand.standing.pin_until.us;
        struct metrics metrics = stand_metrics(&stand);
        struct progress progress = progress_missing(c->arena, program, rank, &metrics, today);
        size_t projected = judge_projected(program, stand.rank, &metrics, today);
        const struct tier *tier = &program->tiers.v[rank];
        *ret = (struct tier_view){
                .customer_id = stand.standing.customer_id,
                .code = arena_strdup(c->arena, tier->code),
                .name = arena_strdup(c->arena, tier->name),
                .rank = tier->rank,
                .since = stand.standing.since,
                .until = stand.standing.until,
                .earned = arena_strdup(c->arena, program->tiers.v[stand.rank].code),
                .pin_until = pinned ? stand.standing.pin_until : (struct instant){0},
                .pin_reason = pinned ? stand.standing.pin_reason : NULL,
                .kept_by_qualify = judge_qualified(program, &metrics, today) >= stand.rank,
                .next = progress.next != NULL ? arena_strdup(c->arena, progress.next->code) : NULL,
                .missing = {progress.missing.v, progress.missing.n},
                .projected = arena_strdup(c->arena, program->tiers.v[projected].code),
                .orders = stand.standing.orders,
                .spend_minor = stand.standing.spend_minor,
                .growth = stand.standing.growth,
        };
        conditions_add(c->arena, &program->tiers.v[stand.rank].keep, &metrics, today, ret);
        shape_copy(c->arena, &benefits_shape, &tier->benefits, &ret->benefits); /* the programme may go */
        return ERR_OK;
}

#define SHAPE_T struct tier_history_page
SHAPE(tier_history_page, "A position.", FIELD(customer_id), FIELD(before_no), FIELD(limit));
#undef SHAPE_T

SQL_PAGE(history_load, tier_history_page, tier_change,
         "customer_id, change_no, tier_before, tier_after, cause, order_id, created_at",
         "tier_history WHERE customer_id = :customer_id",
         "AND (:before_no = 0 OR change_no < :before_no) ORDER BY change_no DESC")

enum err tier_history(struct ctx *c, const struct tier_history_page *page, struct list *ret)
{
        return history_load(c, page, ret);
}
