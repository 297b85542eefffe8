#include "reports/simulation.h"

#include <assert.h>

#include "db/statement.h"
#include "program/versions.h"

#define SAMPLES_MAX    100
#define YEAR_MONTHS    12
#define NOT_MULTIPLIED 1000 /* permille */

#define SHAPE_T struct simulation_in
SHAPE(simulation_in, "Tiers to try.",
      LIST(tiers, tier, .need = true, .min = 1, .max = TIERS_MAX,
           .doc = "As in the programme: ascending by rank, from 0."),
      POINTER(cycle, tier_settings, .doc = "null: as in the programme in force."),
      FIELD(samples, .from_zero = true, .max = SAMPLES_MAX, .dflt = "10",
            .doc = "Name so many of those who would rise, and of those who would fall."));
#undef SHAPE_T

#define SHAPE_T struct benefit_cost
SHAPE(benefit_cost, "What benefits would have given in the last 12 months, at the prices that were paid.",
      FIELD(discount_minor, .doc = "discount_permille of the net spend of those who hold the tier."),
      FIELD(full_reduction_minor, .doc = "The best full reduction of each of their orders."),
      FIELD(extra_points,
            .doc = "Points beyond multipliers of 1000, that of the birthday month included where the birthday is known."));
#undef SHAPE_T

#define SHAPE_T struct simulated_tier
SHAPE(simulated_tier, "A tier and those who hold it.", FIELD(rank), FIELD(code, .need = true),
      FIELD(name, .need = true), FIELD(customers),
      FIELD(spend_minor, .doc = "Theirs in the last 12 months, net of refunds."),
      FIELD(growth, .doc = "Likewise."), NEST(cost, benefit_cost));
#undef SHAPE_T

#define SHAPE_T struct simulated_move
SHAPE(simulated_move, "How many go from a tier to another, or stay.",
      FIELD(from, .need = true, .doc = "Code of the tier held now."), FIELD(to, .need = true),
      FIELD(customers));
#undef SHAPE_T

#define SHAPE_T struct simulated_customer
SHAPE(simulated_customer, "One of them.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(external_id), FIELD(from, .need = true), FIELD(to, .need = true));
#undef SHAPE_T

#define SHAPE_T struct simulated_group
SHAPE(simulated_group, "Those who rise, or who fall.", FIELD(customers), LIST(samples, simulated_customer));
#undef SHAPE_T

#define SHAPE_T struct simulation
SHAPE(simulation, "Where everybody would stand.", FIELD(as_of, .need = true),
      FIELD(customers, .doc = "All of them."),
      FIELD(pinned, .doc = "Of them, those whose tier was set by hand."),
      FIELD(unchanged, .doc = "Neither rise nor fall."),
      LIST(now, simulated_tier, .doc = "The programme in force: what everybody holds."),
      LIST(proposed, simulated_tier, .doc = "The proposal, were everybody's cycle to end today."),
      NEST(cost_now, benefit_cost), NEST(cost_proposed, benefit_cost),
      LIST(moves, simulated_move,
           .doc = "By the rank now, then the rank then; only those that somebody makes."),
      NEST(rising, simulated_group), NEST(falling, simulated_group));
#undef SHAPE_T

/* ------------------------------------------------------------------ everybody, one row each */

struct history_key {
        struct date window;   /* days after it are in the longest window that any requirement has */
        struct date year;     /* those after it are in the last 12 months */
        int64_t basket_minor; /* smaller ones reach no full reduction */
        bool birthdays;       /* some tier multiplies in their months */
};
#define SHAPE_T struct history_key
SHAPE(history_key, "How far back.", FIELD(window), FIELD(year), FIELD(basket_minor), FIELD(birthdays));
#undef SHAPE_T

struct history_row {
        struct uuid customer_id;
        const char *tier, *pin_tier;
        struct instant pin_until;
        int64_t orders, spend_minor, growth;                   /* lifetime */
        struct ints days, day_orders, day_spends, day_growths; /* days since 1970-01-01 */
        struct opt_int year_spend_minor, year_points, birthday_points;
        struct ints baskets_minor;
};
#define SHAPE_T struct history_row
SHAPE(history_row, "A customer's history.", FIELD(customer_id), FIELD(tier), FIELD(pin_tier),
      FIELD(pin_until), FIELD(orders), FIELD(spend_minor), FIELD(growth), FIELD(days), FIELD(day_orders),
      FIELD(day_spends), FIELD(day_growths), FIELD(year_spend_minor), FIELD(year_points),
      FIELD(birthday_points), FIELD(baskets_minor));
#undef SHAPE_T

/* Each table is read once, whole, and the rows of a customer are put together by the database. */
SQL_EACH(
        histories, history_key, history_row,
        "SELECT s.customer_id, s.tier, s.pin_tier, s.pin_until, s.orders, s.spend_minor, s.growth, d.days, d.day_orders, "
        "d.day_spends, d.day_growths, o.year_spend_minor, o.year_points, o.birthday_points, o.baskets_minor FROM tier_standings s "
        "LEFT JOIN (SELECT customer_id, array_agg((day - DATE '1970-01-01')::bigint) AS days, array_agg(orders) AS day_orders, "
        "array_agg(spend_minor) AS day_spends, array_agg(growth) AS day_growths FROM metric_days WHERE day > :window "
        "GROUP BY customer_id) AS d USING (customer_id) "
        "LEFT JOIN (SELECT customer_id, sum(total_minor - refunded_minor)::bigint AS year_spend_minor, "
        "sum(points_earned - points_reversed)::bigint AS year_points, sum(points_earned - points_reversed) FILTER (WHERE "
        "date_part('month', counted_on) = born_in)::bigint AS birthday_points, "
        "array_agg(total_minor - refunded_minor - shipping_minor + refunded_shipping_minor) FILTER (WHERE "
        "refunded_minor < total_minor AND total_minor - refunded_minor - shipping_minor + refunded_shipping_minor "
        ">= :basket_minor) AS baskets_minor FROM orders LEFT JOIN (SELECT id AS customer_id, left(right(birthday, 5), 2)::double precision AS born_in "
        "FROM customers WHERE :birthdays AND birthday IS NOT NULL) AS b USING (customer_id) "
        "WHERE counted_on > :year GROUP BY customer_id) AS o USING (customer_id)")

struct everybody {
        int64_t customers;
};
#define SHAPE_T struct everybody
SHAPE(everybody, "How many there are.", FIELD(customers));
#undef SHAPE_T

SQL_ONE(customers_count, nothing, everybody, "SELECT count(*) AS customers FROM customers")

SQL_EXEC(see_one_moment, nothing, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

/* Left to itself the planner follows the indexes by customer, for the order they give, through tables that
 * lie in the order of time, or keeps hash tables of everybody on its disk. Reading the tables as they lie and
 * sorting is faster by a third at a million customers: what is sorted is merged, so the first are judged
 * while the database sorts the last. One further process sorts beside the first, for the sake of the orders
 * no more. */
SQL_EXEC(read_as_it_lies, nothing, "SET LOCAL enable_indexscan = off")
SQL_EXEC(merge_what_is_sorted, nothing, "SET LOCAL enable_hashjoin = off")
SQL_EXEC(sort_in_memory, nothing, "SET LOCAL work_mem = '16MB'")
SQL_EXEC(sort_in_two, nothing, "SET LOCAL max_parallel_workers_per_gather = 1")
SQL_EXEC(gather_cheaply, nothing, "SET LOCAL parallel_tuple_cost = 0.01")

static enum err reading_plan(struct ctx *c)
{
        const struct nothing nothing = {0};

        TRY(read_as_it_lies(c, &nothing));
        TRY(merge_what_is_sorted(c, &nothing));
        TRY(sort_in_memory(c, &nothing));
        TRY(sort_in_two(c, &nothing));
        return gather_cheaply(c, &nothing);
}

struct sample_ids {
        struct uuids ids;
};
#define SHAPE_T struct sample_ids
SHAPE(sample_ids, "Some customers.", FIELD(ids));
#undef SHAPE_T

struct sample_name {
        struct uuid id;
        const char *external_id;
};
#define SHAPE_T struct sample_name
SHAPE(sample_name, "How the shop names one.", FIELD(id), FIELD(external_id));
#undef SHAPE_T

SQL_MANY(sample_names, sample_ids, sample_name, "SELECT id, external_id FROM customers WHERE id = ANY(:ids)")

/* ------------------------------------------------------------------ counting */

struct count {
        const struct program *now, *proposed;
        struct date today;
        size_t held[TIERS_MAX]; /* proposed rank of each present tier; SIZE_MAX: none */
        int64_t moves[TIERS_MAX][TIERS_MAX];
        struct simulated_tier tiers_now[TIERS_MAX], tiers_proposed[TIERS_MAX];
        int64_t seen, pinned;
        struct simulated_group rising, falling;
        size_t samples;
        struct metric_day *days; /* of the customer being judged */
        size_t day_room;
};

static struct metrics metrics_of(struct arena *arena, struct count *count, const struct history_row *row)
{
        if (row->days.n > count->day_room) {
                count->day_room = row->days.n * 2;
                count->days = ARENA_ARRAY(arena, count->day_room, struct metric_day);
        }
        for (size_t i = 0; i < row->days.n; i++)
                count->days[i] = (struct metric_day){.day = date_from_days(row->days.v[i]),
                                                     .orders = row->day_orders.v[i],
                                                     .spend_minor = row->day_spends.v[i],
                                                     .growth = row->day_growths.v[i]};
        return (struct metrics){.days = count->days,
                                .day_count = row->days.n,
                                .spend_minor = row->spend_minor,
                                .orders = row->orders,
                                .growth = row->growth};
}

static size_t rank_named(const struct program *program, const char *code)
{
        int rank = code != NULL ? program_tier(program, code) : -1;

        return rank >= 0 ? (size_t)rank : SIZE_MAX;
}

static void hold(struct simulated_tier *tier, const struct benefits *benefits, const struct benefits *held,
                 const struct custom *custom, int64_t growth)
{
        tier->customers++;
        tier->spend_minor += custom->spend_minor;
        tier->growth += growth;
        forecast_cost(benefits, held, custom, &tier->cost);
}

static void note_move(struct count *count, struct uuid customer_id, size_t from, size_t to)
{
        size_t before = count->held[from] != SIZE_MAX ? count->held[from] : from;
        struct simulated_group *group = to > before ? &count->rising : &count->falling;

        count->moves[from][to]++;
        if (to == before)
                return;
        if ((size_t)group->customers++ < count->samples)
                group->samples.v[group->samples.n++] =
                        (struct simulated_customer){.customer_id = customer_id,
                                                    .from = count->now->tiers.v[from].code,
                                                    .to = count->proposed->tiers.v[to].code};
}

static enum err count_one(struct ctx *c, const void *visited, void *arg)
{
        const struct history_row *row = visited;
        struct count *count = arg;
        struct metrics metrics = metrics_of(c->arena, count, row);
        size_t earned = rank_named(count->now, row->tier), pin = rank_named(count->now, row->pin_tier);
        bool pinned = pin != SIZE_MAX && c->now.us < row->pin_until.us;
        size_t from = pinned ? pin : (earned != SIZE_MAX ? earned : 0);
        size_t to = pinned ? count->held[pin] : SIZE_MAX;
        size_t held = earned != SIZE_MAX ? count->held[earned] : SIZE_MAX;
        struct custom custom = {row->year_spend_minor.v, row->year_points.v, row->birthday_points.v,
                                row->baskets_minor};
        struct opt_int year = {true, YEAR_MONTHS};

        if (to == SIZE_MAX)
                to = judge_projected(count->proposed, held != SIZE_MAX ? held : 0, &metrics, count->today);
        const struct benefits *now = &count->now->tiers.v[from].benefits;
        int64_t growth = metric_value(&metrics, METRIC_GROWTH, year, count->today);
        hold(&count->tiers_now[from], now, now, &custom, growth);
        hold(&count->tiers_proposed[to], &count->proposed->tiers.v[to].benefits, now, &custom, growth);
        note_move(count, row->customer_id, from, to);
        count->seen++;
        count->pinned += pinned;
        return ERR_OK;
}

/* Whoever never ordered has the lowest tier, whatever the programme. */
static void count_the_rest(struct count *count, int64_t customers)
{
        int64_t rest = customers - count->seen;

        count->tiers_now[0].customers += rest;
        count->tiers_proposed[0].customers += rest;
        count->moves[0][0] += rest;
}

/* ------------------------------------------------------------------ the answer */

static void cost_add(struct benefit_cost *sum, const struct benefit_cost *cost)
{
        sum->discount_minor += cost->discount_minor;
        sum->full_reduction_minor += cost->full_reduction_minor;
        sum->extra_points += cost->extra_points;
}

static struct simulated_tier *tiers_shown(struct arena *arena, const struct program *program,
                                          const struct simulated_tier *counted, struct benefit_cost *sum)
{
        struct simulated_tier *shown = ARENA_ARRAY(arena, program->tiers.n, struct simulated_tier);

        for (size_t i = 0; i < program->tiers.n; i++) {
                shown[i] = counted[i];
                shown[i].rank = program->tiers.v[i].rank;
                shown[i].code = program->tiers.v[i].code;
                shown[i].name = program->tiers.v[i].name;
                cost_add(sum, &counted[i].cost);
        }
        return shown;
}

static void moves_show(struct arena *arena, const struct count *count, struct simulation *ret)
{
        size_t most = count->now->tiers.n * count->proposed->tiers.n;

        ret->moves.v = ARENA_ARRAY(arena, most, struct simulated_move);
        for (size_t from = 0; from < count->now->tiers.n; from++)
                for (size_t to = 0; to < count->proposed->tiers.n; to++)
                        if (count->moves[from][to] > 0)
                                ret->moves.v[ret->moves.n++] = (struct simulated_move){
                                        count->now->tiers.v[from].code, count->proposed->tiers.v[to].code,
                                        count->moves[from][to]};
}

static enum err samples_name(struct ctx *c, struct simulated_group *group)
{
        struct sample_ids ids = {.ids.v = ARENA_ARRAY(c->arena, group->samples.n, struct uuid)};
        struct list names;

        for (size_t i = 0; i < group->samples.n; i++)
                ids.ids.v[ids.ids.n++] = group->samples.v[i].customer_id;
        TRY(sample_names(c, &ids, &names));
        for (size_t i = 0; i < group->samples.n; i++)
                for (size_t k = 0; k < names.n; k++) {
                        const struct sample_name *name = &((const struct sample_name *)names.v)[k];
                        if (uuid_equal(name->id, group->samples.v[i].customer_id))
                                group->samples.v[i].external_id = name->external_id;
                }
        return ERR_OK;
}

static enum err answer(struct ctx *c, struct count *count, struct simulation *ret)
{
        struct simulation shown = {.as_of = c->now,
                                   .pinned = count->pinned,
                                   .now.n = count->now->tiers.n,
                                   .proposed.n = count->proposed->tiers.n};
        struct everybody all;

        TRY(customers_count(c, &(struct nothing){0}, &all));
        count_the_rest(count, all.customers);
        TRY(samples_name(c, &count->rising));
        TRY(samples_name(c, &count->falling));
        shown.customers = all.customers;
        shown.unchanged = all.customers - count->rising.customers - count->falling.customers;
        shown.now.v = tiers_shown(c->arena, count->now, count->tiers_now, &shown.cost_now);
        shown.proposed.v =
                tiers_shown(c->arena, count->proposed, count->tiers_proposed, &shown.cost_proposed);
        moves_show(c->arena, count, &shown);
        shown.rising = count->rising;
        shown.falling = count->falling;
        *ret = shown;
        return ERR_OK;
}

/* ------------------------------------------------------------------ the whole */

/* The least basket that any full reduction is for; none: no basket is of interest. */
static int64_t least_basket(const struct program *program, int64_t least)
{
        for (size_t i = 0; i < program->tiers.n; i++) {
                const struct benefits *benefits = &program->tiers.v[i].benefits;
                for (size_t k = 0; k < benefits->full_reduction.n; k++)
                        if (benefits->full_reduction.v[k].threshold_minor < least)
                                least = benefits->full_reduction.v[k].threshold_minor;
        }
        return least;
}

static bool asks_birthdays(const struct program *program)
{
        for (size_t i = 0; i < program->tiers.n; i++)
                if (program->tiers.v[i].benefits.birthday_month_multiplier_permille != NOT_MULTIPLIED)
                        return true;
        return false;
}

static enum err programs_load(struct ctx *c, const struct simulation_in *in, struct program *now,
                              struct program *proposed)
{
        TRY(program_newest(c, now));
        TRY(program_newest(c, proposed)); /* a copy of its own: compiling writes into it */
        proposed->tiers.v = in->tiers.v;
        proposed->tiers.n = in->tiers.n;
        if (in->cycle != NULL)
                proposed->cycle = *in->cycle;
        return program_compile_stored(c, proposed);
}

enum err simulation_run(struct ctx *c, const struct simulation_in *in, struct simulation *ret)
{
        struct program now, proposed;
        struct count *count = ARENA_NEW(c->arena, struct count);
        struct date today = zone_date(&c->shop->zone, c->now);

        TRY(see_one_moment(c, &(struct nothing){0}));
        TRY(reading_plan(c));
        TRY(programs_load(c, in, &now, &proposed));
        int window = program_window_months(&proposed);
        if (window < YEAR_MONTHS)
                window = YEAR_MONTHS; /* growth is shown for a year */
        struct history_key key = {.window = date_add_months(today, -window),
                                  .year = date_add_months(today, -YEAR_MONTHS),
                                  .basket_minor = least_basket(&now, least_basket(&proposed, INT64_MAX)),
                                  .birthdays = asks_birthdays(&now) || asks_birthdays(&proposed)};
        *count = (struct count){
                .now = &now, .proposed = &proposed, .today = today, .samples = (size_t)in->samples};
        count->rising.samples.v = ARENA_ARRAY(c->arena, count->samples, struct simulated_customer);
        count->falling.samples.v = ARENA_ARRAY(c->arena, count->samples, struct simulated_customer);
        for (size_t i = 0; i < now.tiers.n; i++)
                count->held[i] = rank_named(&proposed, now.tiers.v[i].code);
        TRY(histories(c, &key, count_one, count));
        return answer(c, count, ret);
}
