/* What a merge leaves behind: who waits for it, and when it is forgotten. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "pairs.h"
#include "points/adjustments.h"
#include "test.h"
#include "till.h"

static struct fixture *shop;

static struct ctx *step(void)
{
        struct ctx *c = fixture_ctx(shop);

        EXPECT_INT(db_ready(c), ERR_OK);
        return c;
}

static void order(const char *number, const char *who)
{
        EXPECT_INT(
                till_take(shop,
                          "{\"external_id\":\"%s\",\"status\":\"paid\",\"customer\":{\"external_id\":\"%s\"},"
                          "\"lines\":[{\"sku\":\"A\",\"total_minor\":5000}],\"total_minor\":5000}",
                          number, who)
                        .err,
                ERR_OK);
}

/* ------------------------------------------------------------------ the journal */

static int64_t journal_rows(void)
{
        return till_int(shop, "SELECT count(*) FROM merge_rows");
}

TEST(the_journal_goes_when_the_merge_cannot_be_undone_any_more)
{
        struct pair old = {.survivor = "ext:j1", .absorbed = "ext:j2"};
        struct pair young = {.survivor = "ext:j3", .absorbed = "ext:j4"};
        static const char *const names[] = {"j1", "j2", "j3", "j4"};
        bool more = true;
        int64_t at_once = 2, runs = 0;

        till_clock(shop, "2026-11-21T12:00:00Z");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                order(names[i], names[i]);
        EXPECT_INT(db_run(step(), pair_merge, &old), ERR_OK);
        int64_t rows_of_old = journal_rows();
        EXPECT(rows_of_old > 2 * at_once);
        till_clock(shop, "2026-12-20T12:00:00Z");
        EXPECT_INT(db_run(step(), pair_merge, &young), ERR_OK);
        int64_t rows = journal_rows();
        EXPECT_INT(merges_forget_due(step(), at_once, &more), ERR_OK);
        EXPECT(!more);
        EXPECT_INT(journal_rows(), rows);

        till_clock(shop, "2026-12-23T12:00:00Z"); /* 32 days later */
        for (more = true; more; runs++) {
                int64_t before = journal_rows();
                EXPECT_INT(merges_forget_due(step(), at_once, &more), ERR_OK);
                EXPECT(before - journal_rows() <= at_once);
        }
        EXPECT(runs >= rows_of_old / at_once);
        EXPECT_INT(journal_rows(), rows - rows_of_old);
        EXPECT_INT(db_run(step(), pair_undo, &old), ERR_MERGE_TOO_OLD);
        EXPECT_INT(db_run(step(), pair_undo, &young), ERR_OK);
        EXPECT_INT(journal_rows(), 0);
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM merges WHERE journal_kept"), 0);
        EXPECT(till_sound(shop));
}

/* ------------------------------------------------------------------ waiting for a merge */

struct request {
        struct adjustment_in in;
        struct uuid approval;
};

static enum err ask_once(struct ctx *c, void *arg)
{
        struct request *request = arg;
        struct adjustment_call call = {.c = c, .in = &request->in};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(points_adjust(c, &call, 1, &request->approval));
        TRY(call.err);
        return tx_commit(&tx);
}

struct decision {
        struct approval_decision in;
        unsigned state; /* of the adjustment, as answered */
        enum err err;
};

static enum err decide_once(struct ctx *c, void *arg)
{
        struct decision *decision = arg;
        struct approval_view view;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(points_approval_decide(c, &decision->in, &view));
        decision->state = view.adjustments.v[0].state;
        return tx_commit(&tx);
}

static void *decide_elsewhere(void *arg)
{
        struct decision *decision = arg;
        struct ctx c = {.arena = arena_new(), .now = shop->ctx.now, .shop = shop->ctx.shop};

        c.db = db_new(&(struct db_options){.url = shop->url, .application = "patron-test-second"});
        decision->err = db_ready(&c);
        if (decision->err == ERR_OK)
                decision->err = db_run(&c, decide_once, decision);
        db_free(c.db);
        problem_reset(&c);
        arena_free(c.arena);
        return NULL;
}

/* Until the other connection stands before a lock. */
static bool waits(struct ctx *c)
{
        const int64_t most_us = 10 * INSTANT_SECOND, pause_us = 10000;
        struct fixture look = *shop;
        bool found = false;

        look.ctx = (struct ctx){.arena = arena_new(), .now = c->now, .shop = c->shop};
        look.ctx.db = db_new(&(struct db_options){.url = shop->url, .application = "patron-test-third"});
        for (int64_t us = 0; us < most_us && !found; us += pause_us) {
                usleep((useconds_t)pause_us);
                found = till_int(
                                &look,
                                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'patron-test-second' "
                                "AND datname = current_database() AND wait_event_type = 'Lock'") == 1;
        }
        db_free(look.ctx.db);
        problem_reset(&look.ctx);
        arena_free(look.ctx.arena);
        return found;
}

static enum err merge_while_it_is_decided(struct ctx *c, struct pair *pair, struct decision *decision)
{
        struct customer_merge merge;
        pthread_t other;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(merge_do(c, pair->survivor, pair->absorbed, &merge));
        TRY(db_flush(c));
        EXPECT_INT(pthread_create(&other, NULL, decide_elsewhere, decision), 0);
        EXPECT(waits(c));
        enum err err = tx_commit(&tx);
        EXPECT_INT(pthread_join(other, NULL), 0);
        return err;
}

TEST(an_approval_that_waits_for_a_merge_is_the_survivors)
{
        static const char *const names[][2] = {{"w1", "w2"}, {"w3", "w4"}};
        char id[UUID_TEXT_SIZE], survivor[20], absorbed[20];

        for (size_t approve = 0; approve < ARRAY_SIZE(names); approve++) {
                order(names[approve][0], names[approve][0]);
                order(names[approve][1], names[approve][1]);
                snprintf(survivor, sizeof survivor, "ext:%s", names[approve][0]);
                snprintf(absorbed, sizeof absorbed, "ext:%s", names[approve][1]);
                struct pair pair = {.survivor = survivor, .absorbed = absorbed};
                struct request request = {.in = {.customer = absorbed,
                                                 .points = 50000,
                                                 .reason = "a test",
                                                 .expiry = GRANT_EXPIRY_PROGRAM}};
                EXPECT_INT(db_run(step(), ask_once, &request), ERR_OK);
                EXPECT(uuid_known(request.approval));
                uuid_to_text(request.approval, id);
                struct decision decision = {.in = {.approval = id, .approve = approve == 1}};
                EXPECT_INT(merge_while_it_is_decided(step(), &pair, &decision), ERR_OK);
                EXPECT_INT(decision.err, ERR_OK);
                EXPECT_INT(decision.state, approve == 1 ? ADJUSTMENT_APPLIED : ADJUSTMENT_DECLINED);
                EXPECT_INT(
                        till_int(
                                shop,
                                "SELECT active FROM points_accounts a JOIN customers c ON c.id = a.customer_id "
                                "WHERE external_id = '%s'",
                                names[approve][0]),
                        approve == 1 ? 50100 : 100);
                EXPECT_INT(
                        till_int(
                                shop,
                                "SELECT count(*) FROM points_adjustments a JOIN customers c ON c.id = a.customer_id "
                                "WHERE c.external_id = '%s' AND a.approval_id = '%s'",
                                names[approve][0], id),
                        1);
                EXPECT(till_sound(shop));
        }
        EXPECT_INT(till_int(shop, "SELECT count(*) FROM points_adjustments"), 2);
}

int main(void)
{
        shop = till_open("merged");
        int status = test_run_all();
        till_close(shop);
        return status;
}
