/* Behaviour is kept by months: the next ones are there in time, and the oldest go with all that is in them.
 */
#include "test.h"
#include "till.h"

#include "customers/behaviour.h"

#define MONTHS_KEPT 3

static struct fixture *fixture;
static struct shop keeping; /* the fixture's shop, but for how long it keeps behaviour */

static struct ctx *step(void)
{
        struct ctx *c = fixture_ctx(fixture);

        c->shop = &keeping;
        EXPECT_INT(db_ready(c), ERR_OK);
        return c;
}

static void keep(void)
{
        struct ctx *c = step();

        EXPECT_INT(behaviour_partitions_keep(c), ERR_OK);
}

static bool is_there(const char *month)
{
        return till_int(fixture,
                        "SELECT count(*) FROM pg_inherits JOIN pg_class ON oid = inhrelid "
                        "WHERE inhparent = 'behaviour_events'::regclass AND relname = 'behaviour_%s'",
                        month) == 1;
}

static int64_t carts(void)
{
        return till_int(fixture, "SELECT count(*) FROM behaviour_events");
}

/* How many were refused. */
static size_t cart(const char *at)
{
        struct ctx *c = step();
        struct behaviour_in in = {.customer = "ext:B-1", .type = names_find(&behaviour_names, "cart")};
        struct behaviour_taken taken = {0};
        TX(tx);

        EXPECT(instant_parse(at, &in.occurred_at));
        EXPECT_INT(tx_begin(c, &tx), ERR_OK);
        EXPECT_INT(behaviour_take(c, &in, 1, &taken), ERR_OK);
        EXPECT_INT(tx_commit(&tx), ERR_OK);
        return taken.refused.n;
}

static void begin(void)
{
        till_sql(fixture, "DELETE FROM behaviour_events");
        till_clock(fixture, "2026-11-21T12:00:00Z");
        keeping.behaviour_months = MONTHS_KEPT;
        EXPECT_INT(
                till_take(
                        fixture,
                        "{\"external_id\":\"B-1\",\"status\":\"placed\",\"customer\":{\"external_id\":\"B-1\"},"
                        "\"lines\":[{\"sku\":\"A\",\"total_minor\":100}],\"total_minor\":100}")
                        .err,
                ERR_OK);
}

TEST(months_are_made_ahead_over_the_turn_of_a_year)
{
        begin();
        keep();
        EXPECT(is_there("202611") && is_there("202612") && is_there("202701") && !is_there("202702"));
        keep(); /* those that are there stay */
        till_clock(fixture, "2026-12-01T00:00:00Z");
        keep();
        EXPECT(is_there("202611") && is_there("202702") && !is_there("202703"));
}

TEST(the_month_that_is_too_old_goes_with_its_events_and_what_the_customer_is_stays)
{
        begin();
        keep();
        EXPECT_INT(cart("2026-09-30T23:59:59Z"), 0);
        EXPECT_INT(cart("2026-10-01T00:00:00Z"), 0);
        EXPECT(is_there("202609") && is_there("202610"));
        const char *asked =
                till_text(fixture, "SELECT inquired_at::text FROM customers WHERE external_id = 'B-1'");
        EXPECT(asked != NULL);
        till_clock(fixture, "2026-12-31T23:59:59Z");
        keep();
        EXPECT(is_there("202609"));
        EXPECT_INT(carts(), 2);
        till_clock(fixture, "2027-01-01T00:00:00Z");
        keep();
        EXPECT(!is_there("202609") && is_there("202610"));
        EXPECT_INT(till_int(fixture, "SELECT count(*) FROM pg_class WHERE relname = 'behaviour_202609'"), 0);
        EXPECT_INT(carts(), 1);
        const char *still =
                till_text(fixture, "SELECT inquired_at::text FROM customers WHERE external_id = 'B-1'");
        EXPECT(still != NULL && asked != NULL && strcmp(still, asked) == 0);
        EXPECT_INT(cart("2026-09-15T00:00:00Z"), 1); /* and does not come back */
        EXPECT(!is_there("202609"));
}

TEST(without_an_age_nothing_is_forgotten)
{
        begin();
        keeping.behaviour_months = 0;
        keep();
        EXPECT_INT(cart("2026-11-01T00:00:00Z"), 0);
        till_clock(fixture, "2036-11-21T12:00:00Z");
        keep();
        EXPECT(is_there("202611") && is_there("203701"));
        EXPECT_INT(carts(), 1);
}

int main(void)
{
        fixture = till_open("behaviour");
        keeping = *fixture->ctx.shop;
        int status = test_run_all();
        till_close(fixture);
        return status;
}
