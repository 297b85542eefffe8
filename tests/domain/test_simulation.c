/* Other tiers over a shop's history: what the simulation counts is what judging and adding up each customer
 * singly gives. */
#include "test.h"
#include "till.h"

#include "base/shape_json.h"
#include "program/programs.h"
#include "reports/simulation.h"
#include "tiers/cycles.h"
#include "tiers/tiers.h"

#define CUSTOMERS 40
#define ORDERS    160
#define PROPOSALS 10
#define NOW       "2029-03-10T04:00:00Z"
#define YEAR_AGO  "2028-03-10"

static struct fixture *shop;
static const char *const codes[] = {"basic", "silver", "gold", "jade"};

/* ---- a shop with a past */

#define TIER(rank_, code_, at_least_, benefits_)                                                             \
        "{\"rank\":" rank_ ",\"code\":\"" code_                                                              \
        "\",\"name\":\"N\",\"qualify\":{\"any_of\":[{\"metric\":\"spend\","                                  \
        "\"window_months\":12,\"at_least\":" at_least_ "}]},\"keep\":{\"all_of\":[{\"metric\":\"orders\","   \
        "\"window_months\":12,\"at_least\":2}]},\"benefits\":{" benefits_ "}}"

static const char program_now[] =
        "{\"earning\":[{\"code\":\"base\",\"kind\":\"base\",\"rate_millionths\":1000000},"
        "{\"code\":\"growth\",\"target\":\"growth\",\"kind\":\"base\",\"rate_millionths\":1000000}],"
        "\"tiers\":[{\"rank\":0,\"code\":\"basic\",\"name\":\"N\",\"benefits\":{\"discount_permille\":7}}," TIER(
                "1", "silver", "40000",
                "\"discount_permille\":33,\"points_multiplier_permille\":1250,\"birthday_month_multiplier_permille\":3000,\"full_reduction\":[{\"threshold_minor\":9000,"
                "\"off_minor\":500},{\"threshold_minor\":30000,\"off_minor\":2500}]") "," TIER("2", "gold",
                                                                                               "120000",
                                                                                               "\"points_multiplier_permille\":0") "]}";

static const char *const birthdays[] = {"", ",\"birthday\":\"1988-02-29\"", ",\"birthday\":\"06-01\"",
                                        ",\"birthday\":\"11-30\""};

static void order_random(int number)
{
        char paid_at[INSTANT_TEXT_SIZE], name[16];
        struct instant now = shop->ctx.now, at = {now.us - test_between(0, 1000) * INSTANT_DAY};
        int64_t goods = test_between(1, 60000), shipping = test_between(0, 1) * 1200;

        instant_format(at, paid_at);
        snprintf(name, sizeof name, "o%d", number);
        int customer = number <= CUSTOMERS ? number : (int)test_between(1, CUSTOMERS);
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"backfill\":\"true\",\"external_id\":\"%s\",\"status\":\"%s\",\"customer\":{\"external_id\":\"c%d\"%s},"
                        "\"lines\":[{\"sku\":\"A\",\"total_minor\":%" PRId64 "}],\"shipping_minor\":%" PRId64
                        ",\"total_minor\":%" PRId64 ",\"placed_at\":\"%s\"%s%s%s}",
                        name, number % 20 == 0 ? "placed" : "paid", customer, birthdays[customer % 4], goods,
                        shipping, goods + shipping, paid_at, number % 20 == 0 ? "" : ",\"paid_at\":\"",
                        number % 20 == 0 ? "" : paid_at, number % 20 == 0 ? "" : "\"")
                        .err,
                ERR_OK);
        if (number % 20 == 0 || test_between(0, 3) != 0)
                return;
        bool whole = test_between(0, 2) == 0;
        char order[24];
        snprintf(order, sizeof order, "ext:%s", name);
        EXPECT_INT(till_refund(shop, order,
                               "{\"external_id\":\"r\",\"lines\":[{\"line_no\":1,\"amount_minor\":%" PRId64
                               "}],\"shipping_minor\":%" PRId64 "}",
                               whole ? goods : test_between(1, goods), whole ? shipping : INT64_C(0))
                           .err,
                   ERR_OK);
}

static void pin(const char *customer, const char *tier, const char *until)
{
        struct ctx *c = fixture_ctx(shop);
        struct tier_pin in = {.customer = customer, .tier = tier, .reason = "a test"};
        TX(tx);

        EXPECT(instant_parse(until, &in.until));
        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(tier_pin(c, &in), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
}

static void shop_fill(void)
{
        till_program(shop, program_now);
        till_clock(shop, NOW);
        for (int i = 1; i <= ORDERS; i++)
                order_random(i);
        EXPECT_INT(
                till_take(
                        shop,
                        "{\"external_id\":\"never\",\"status\":\"placed\",\"customer\":{\"external_id\":\"never\"},"
                        "\"lines\":[{\"sku\":\"A\",\"total_minor\":5}],\"total_minor\":5}")
                        .err,
                ERR_OK);
        till_clock(shop, "2029-03-01T00:00:00Z");
        pin("ext:c1", "gold", "2029-04-01T00:00:00Z");
        pin("ext:c2", "silver", "2029-04-01T00:00:00Z");
        pin("ext:c3", "gold", "2029-03-09T00:00:00Z"); /* over, though nobody ended it yet */
        till_clock(shop, NOW);
}

/* ---- a proposal */

static void requirements_random(struct text *out, const char *name)
{
        static const char *const metrics[] = {"spend", "orders", "growth"};
        static const int64_t most[] = {150000, 5, 1500};
        int64_t n = test_between(1, 2), which = test_between(0, 2);

        text_printf(out, "\"%s\":{\"%s\":[", name, test_between(0, 1) ? "any_of" : "all_of");
        for (int64_t i = 0; i < n; i++) {
                text_printf(out, "%s{\"metric\":\"%s\",\"at_least\":%" PRId64, i > 0 ? "," : "",
                            metrics[which], test_between(1, most[which]));
                if (test_between(0, 2) > 0)
                        text_printf(out, ",\"window_months\":%" PRId64, test_between(1, 30));
                text_puts(out, "}");
                which = (which + 1) % 3;
        }
        text_puts(out, "]}");
}

static void tier_random(struct text *out, size_t rank, const char *code)
{
        text_printf(out, "%s{\"rank\":%zu,\"code\":\"%s\",\"name\":\"N\",", rank > 0 ? "," : "", rank, code);
        if (rank > 0) {
                requirements_random(out, "qualify");
                text_puts(out, ",");
        }
        if (test_between(0, 3) > 0) {
                requirements_random(out, "keep");
                text_puts(out, ",");
        }
        int64_t threshold = test_between(1, 30000);
        text_printf(out,
                    "\"floor\":%s,\"benefits\":{\"discount_permille\":%" PRId64
                    ",\"points_multiplier_permille\":%" PRId64
                    ",\"birthday_month_multiplier_permille\":%" PRId64
                    ",\"full_reduction\":[{\"threshold_minor\":%" PRId64 ",\"off_minor\":%" PRId64 "}]}}",
                    test_between(0, 4) ? "false" : "true", test_between(0, 200), test_between(0, 3000),
                    test_between(0, 1) ? 1000 : test_between(0, 4000), threshold, test_between(1, threshold));
}

static const char *proposal_random(struct arena *arena)
{
        static const char *const ways[] = {"one_step", "reassess", "none"};
        size_t n = (size_t)test_between(1, 4), skip = (size_t)test_between(1, 6), rank = 0;
        struct text out = {0};

        text_printf(&out, "{\"samples\":3,\"cycle\":{\"downgrade\":\"%s\"},\"tiers\":[",
                    ways[test_between(0, 2)]);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || i != skip)
                        tier_random(&out, rank++, codes[i]);
        text_puts(&out, "]}");
        const char *json = arena_strdup(arena, out.data);
        text_free(&out);
        return json;
}

static struct simulation_in *proposal(struct ctx *c, const char *json)
{
        struct simulation_in *in = ARENA_NEW(c->arena, struct simulation_in);
        json_t *value;

        EXPECT_INT(json_parse(c, json, strlen(json), &value), ERR_OK);
        shape_decode(c, &simulation_in_shape, value, in);
        json_decref(value);
        EXPECT_INT(problem_check(c), ERR_OK);
        return in;
}

struct asked {
        const struct simulation_in *in;
        struct simulation out;
};

static enum err simulate_once(struct ctx *c, void *arg)
{
        struct asked *asked = arg;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(simulation_run(c, asked->in, &asked->out));
        return tx_commit(&tx);
}

static enum err simulate(struct ctx *c, const struct simulation_in *in, struct simulation *ret)
{
        struct asked asked = {.in = in};

        EXPECT_INT(db_ready(c), ERR_OK);
        enum err err = db_run(c, simulate_once, &asked);
        *ret = asked.out;
        return err;
}

/* ---- one by one */

struct slow {
        int64_t moves[4][4], risen, fallen, pinned;
        struct simulated_tier now[4], proposed[4];
};

static int64_t sum_of(const char *customer, const char *what)
{
        return till_int(
                shop,
                "SELECT coalesce(sum(%s), 0)::bigint FROM orders o JOIN customers c ON c.id = o.customer_id "
                "WHERE c.external_id = '%s' AND counted_on > '" YEAR_AGO "'",
                what, customer);
}

static int64_t reductions_of(const char *customer, const struct benefits *benefits)
{
        struct text values = {0};

        text_puts(&values, "(SELECT coalesce(max(off), 0) FROM (VALUES (9e18, 0)");
        for (size_t i = 0; i < benefits->full_reduction.n; i++)
                text_printf(&values, ", (%" PRId64 ", %" PRId64 ")",
                            benefits->full_reduction.v[i].threshold_minor,
                            benefits->full_reduction.v[i].off_minor);
        text_puts(&values,
                  ") AS v (threshold, off) WHERE refunded_minor < total_minor AND threshold <= total_minor - "
                  "refunded_minor - shipping_minor + refunded_shipping_minor)");
        int64_t sum = sum_of(customer, values.data);
        text_free(&values);
        return sum;
}

static int64_t extra_of(int64_t points, int64_t divided_by, int64_t times)
{
        int64_t plain = divided_by != 0 ? points * 1000000 / divided_by : points;

        return plain * times / 1000000 - plain;
}

static void slow_add(struct simulated_tier *tier, const char *customer, const struct benefits *benefits,
                     const struct benefits *held)
{
        int64_t spend = sum_of(customer, "total_minor - refunded_minor");
        int64_t points = sum_of(customer, "points_earned - points_reversed");
        int64_t in_month = sum_of(
                customer,
                "CASE WHEN extract(month FROM counted_on)::int = substr(birthday, length(birthday) - 4, 2)::int "
                "THEN points_earned - points_reversed ELSE 0 END");

        tier->customers++;
        tier->spend_minor += spend;
        tier->growth += sum_of(customer, "growth_earned - growth_reversed");
        tier->cost.discount_minor += (spend * benefits->discount_permille + 500) / 1000;
        tier->cost.full_reduction_minor += reductions_of(customer, benefits);
        tier->cost.extra_points +=
                extra_of(points - in_month, held->points_multiplier_permille * 1000,
                         benefits->points_multiplier_permille * 1000) +
                extra_of(in_month,
                         held->points_multiplier_permille * held->birthday_month_multiplier_permille,
                         benefits->points_multiplier_permille * benefits->birthday_month_multiplier_permille);
}

static void slow_one(struct slow *slow, const char *customer, const struct program *now,
                     const struct program *proposed)
{
        struct ctx *c = &shop->ctx;
        struct stand_rows rows = {0};
        struct uuid id;
        struct date today = zone_date(&c->shop->zone, c->now);

        EXPECT(uuid_from_text(
                till_text(shop, "SELECT id::text FROM customers WHERE external_id = '%s'", customer), &id));
        EXPECT_INT(db_ready(c), ERR_OK);
        EXPECT_INT(stands_later(c, &(struct uuids){&id, 1}, (struct date){0}, &rows), ERR_OK);
        EXPECT_INT(db_flush(c), ERR_OK);
        struct arena *arena = arena_new(); /* what follows asks the database, which needs the fixture's */
        struct stand stand = stand_of(arena, now, &rows, id, c->now);
        struct metrics metrics = stand_metrics(&stand);
        bool pinned = stand.pin_rank != SIZE_MAX && c->now.us < stand.standing.pin_until.us;
        size_t from = stand_rank(&stand, c->now);
        int held = program_tier(proposed, now->tiers.v[stand.rank].code);
        size_t current = held > 0 ? (size_t)held : 0, to = judge_qualified(proposed, &metrics, today);
        if (to <= current)
                to = judge_cycle_end(proposed, current, &metrics, today);
        if (pinned && program_tier(proposed, now->tiers.v[from].code) >= 0)
                to = (size_t)program_tier(proposed, now->tiers.v[from].code);
        int then = program_tier(proposed, now->tiers.v[from].code);
        size_t before = then >= 0 ? (size_t)then : from;
        slow->moves[from][to]++;
        slow->risen += to > before;
        slow->fallen += to < before;
        slow->pinned += pinned;
        const struct benefits *held_benefits = &now->tiers.v[from].benefits;
        slow_add(&slow->now[from], customer, held_benefits, held_benefits);
        slow_add(&slow->proposed[to], customer, &proposed->tiers.v[to].benefits, held_benefits);
        arena_free(arena);
}

static void same_tiers(const struct simulated_tier *fast, size_t n, const struct simulated_tier *slow)
{
        for (size_t i = 0; i < n; i++) {
                EXPECT_INT(fast[i].rank, i);
                EXPECT_INT(fast[i].customers, slow[i].customers);
                EXPECT_INT(fast[i].spend_minor, slow[i].spend_minor);
                EXPECT_INT(fast[i].growth, slow[i].growth);
                EXPECT_INT(fast[i].cost.discount_minor, slow[i].cost.discount_minor);
                EXPECT_INT(fast[i].cost.full_reduction_minor, slow[i].cost.full_reduction_minor);
                EXPECT_INT(fast[i].cost.extra_points, slow[i].cost.extra_points);
        }
}

static void same_moves(const struct simulation *fast, const struct slow *slow, const struct program *now,
                       const struct program *proposed)
{
        size_t used = 0;

        for (size_t from = 0; from < now->tiers.n; from++)
                for (size_t to = 0; to < proposed->tiers.n; to++) {
                        if (slow->moves[from][to] == 0)
                                continue;
                        EXPECT(used < fast->moves.n);
                        const struct simulated_move *move = &fast->moves.v[used++];
                        EXPECT_TEXT(move->from, now->tiers.v[from].code);
                        EXPECT_TEXT(move->to, proposed->tiers.v[to].code);
                        EXPECT_INT(move->customers, slow->moves[from][to]);
                }
        EXPECT_INT(fast->moves.n, used);
        EXPECT_INT(fast->rising.customers, slow->risen);
        EXPECT_INT(fast->falling.customers, slow->fallen);
        EXPECT_INT(fast->unchanged, fast->customers - slow->risen - slow->fallen);
        EXPECT_INT(fast->rising.samples.n, slow->risen < 3 ? slow->risen : 3);
        EXPECT_INT(fast->falling.samples.n, slow->fallen < 3 ? slow->fallen : 3);
}

TEST(a_simulation_is_what_judging_everybody_singly_gives)
{
        PROGRAM(now);
        int64_t risen = 0, fallen = 0;

        for (int round = 0; round < PROPOSALS; round++) {
                struct ctx c = {.arena = arena_new(),
                                .now = shop->ctx.now,
                                .shop = shop->ctx.shop,
                                .db = shop->ctx.db};
                const char *json = proposal_random(c.arena);
                const struct simulation_in *in = proposal(&c, json);
                struct simulation fast;
                struct slow slow = {0};
                struct program proposed = *now;
                EXPECT_INT(simulate(&c, in, &fast), ERR_OK);
                proposed.tiers.v = in->tiers.v;
                proposed.tiers.n = in->tiers.n;
                proposed.cycle = *in->cycle;
                for (int i = 0; i <= CUSTOMERS; i++)
                        slow_one(&slow, i == 0 ? "never" : arena_printf(c.arena, "c%d", i), now, &proposed);
                EXPECT_INT(fast.customers, CUSTOMERS + 1);
                EXPECT_INT(fast.pinned, 2);
                EXPECT_INT(slow.pinned, 2);
                EXPECT_INT(fast.now.n, now->tiers.n);
                EXPECT_INT(fast.proposed.n, proposed.tiers.n);
                same_tiers(fast.now.v, fast.now.n, slow.now);
                same_tiers(fast.proposed.v, fast.proposed.n, slow.proposed);
                same_moves(&fast, &slow, now, &proposed);
                risen += slow.risen;
                fallen += slow.fallen;
                problem_reset(&c);
                arena_free(c.arena);
        }
        EXPECT(risen > CUSTOMERS / 2 && fallen > CUSTOMERS / 2); /* the proposals did move people */
}

TEST(the_programme_in_force_moves_only_those_whose_cycle_would_end)
{
        struct ctx *c = fixture_ctx(shop);
        struct simulation out;

        const char *tiers = strstr(program_now, "\"tiers\"");
        struct simulation_in *in = proposal(c, arena_printf(c->arena, "{%s", tiers));
        EXPECT(in->cycle == NULL); /* that of the programme */
        struct tier_settings cycle = {.cycle_months = 12, .downgrade = DOWNGRADE_NONE};
        in->cycle = &cycle;
        EXPECT_INT(simulate(c, in, &out), ERR_OK);
        EXPECT_INT(out.falling.customers, 0);
        EXPECT_INT(out.cost_now.full_reduction_minor > 0, 1);
        EXPECT(out.cost_now.discount_minor > 0 && out.cost_now.extra_points != 0);
}

TEST(a_proposal_that_the_programme_can_not_take_is_refused)
{
        struct ctx *c = fixture_ctx(shop);
        struct simulation out;

        struct simulation_in *in = proposal(c, "{\"tiers\":[{\"rank\":0,\"code\":\"a\",\"name\":\"A\"},"
                                               "{\"rank\":1,\"code\":\"a\",\"name\":\"A\"}]}");
        EXPECT_INT(simulate(c, in, &out), ERR_INVALID);
        EXPECT_INT(c->problem.fault_count, 2); /* the code twice, and a tier that everybody would have */
}

int main(void)
{
        shop = till_open("simulation");
        shop_fill();
        int status = test_run_all();
        till_close(shop);
        return status;
}
