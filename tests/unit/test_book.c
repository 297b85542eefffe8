/* Books: whatever is posted in whatever order, lots and balance agree, the ledger is a chain, and nothing is
 * lost. */
#include "test.h"

#include "points/book.h"

#define ROUNDS 400
#define STEPS  60
#define ORDERS 9

static struct arena *arena;
static struct journal journal;
static struct book book;
static struct instant now;

static void begin(void)
{
        arena = arena_new();
        journal = (struct journal){.arena = arena};
        book = (struct book){.account.customer_id = uuid_of_external("customer", "C"), .lots_loaded = true};
        now = (struct instant){INT64_C(1700000000000000)};
}

static void end(void)
{
        arena_free(arena);
}

static struct uuid order_id(int number)
{
        char name[16];

        snprintf(name, sizeof name, "%d", number);
        return uuid_of_external("order", name);
}

static struct posting posting(int order)
{
        return (struct posting){
                .at = now, .cause = "test", .order_id = order != 0 ? order_id(order) : (struct uuid){{0}}};
}

static void earn(int order, int64_t amount)
{
        struct posting why = posting(order);

        book_earn(&book, &journal, &why, amount, /* pending= */ false, now);
}

static void earn_pending(int order, int64_t amount, struct instant active_from)
{
        struct posting why = posting(order);

        book_earn(&book, &journal, &why, amount, /* pending= */ true, active_from);
}

static int64_t activate(int order)
{
        struct posting why = posting(order);

        return book_activate(&book, &journal, &why, why.order_id);
}

static bool spend(int64_t amount)
{
        struct posting why = posting(0);

        return book_spend(&book, &journal, &why, amount);
}

static void reverse(int order, int64_t amount, enum refund_policy policy)
{
        struct posting why = posting(order);

        book_reverse(&book, &journal, &why, amount, policy);
}

static void expect_balance(int64_t active, int64_t pending, int64_t debt)
{
        EXPECT_INT(book.account.active, active);
        EXPECT_INT(book.account.pending, pending);
        EXPECT_INT(book.account.debt, debt);
        EXPECT(book_check(&book));
}

TEST(earned_points_are_active_or_wait)
{
        begin();
        earn(1, 100);
        earn_pending(2, 50, (struct instant){now.us + 10});
        earn_pending(3, 7, (struct instant){0});
        expect_balance(100, 57, 0);
        EXPECT_INT(book.account.lifetime_earned, 157);
        EXPECT_INT(activate(0), 0);
        now.us += 10;
        EXPECT_INT(activate(0), 50);
        expect_balance(150, 7, 0);
        EXPECT_INT(activate(0), 0); /* the third waits for its order */
        EXPECT_INT(activate(3), 7);
        expect_balance(157, 0, 0);
        EXPECT_INT(activate(3), 0);
        EXPECT_INT(journal.entries.n, 5);
        EXPECT_INT(book.lots[1].active_from.us, now.us);
        end();
}

TEST(spending_is_all_or_nothing)
{
        begin();
        earn(1, 100);
        earn_pending(2, 50, (struct instant){0});
        EXPECT(!spend(101));
        EXPECT_INT(journal.entries.n, 2);
        EXPECT(spend(60) && spend(40) && !spend(1));
        expect_balance(0, 50, 0);
        EXPECT_INT(book.account.lifetime_spent, 100);
        end();
}

TEST(debt_is_paid_by_the_next_earnings_and_by_activation)
{
        begin();
        earn(1, 100);
        EXPECT(spend(100));
        reverse(1, 100, REFUND_UNLIMITED);
        expect_balance(0, 0, 100);
        EXPECT_INT(book.account.lifetime_earned, 0);
        earn(2, 30);
        expect_balance(0, 0, 70);
        EXPECT_INT(journal.draws.v[journal.draws.n - 1].amount, 30); /* of its own lot */
        earn_pending(3, 50, (struct instant){0});
        expect_balance(0, 50, 70);
        EXPECT_INT(activate(3), 50);
        expect_balance(0, 0, 20);
        earn(4, 25);
        expect_balance(5, 0, 0);
        end();
}

TEST(what_is_not_found_is_written_off_by_policy)
{
        begin();
        earn(1, 100);
        earn(2, 10);
        EXPECT(spend(95));
        reverse(1, 100, REFUND_WITHIN_BALANCE);
        expect_balance(0, 0, 0);
        EXPECT_INT(journal.entries.n, 5);
        EXPECT_INT(journal.entries.v[3].kind, ENTRY_REVERSE);
        EXPECT_INT(journal.entries.v[3].amount, -100);
        EXPECT_INT(journal.entries.v[3].debt_after, 85);
        EXPECT_INT(journal.entries.v[4].kind, ENTRY_WRITE_OFF);
        EXPECT_INT(journal.entries.v[4].amount, 85);
        end();
}

TEST(only_pending_leaves_active_points_alone)
{
        begin();
        earn_pending(1, 40, (struct instant){0});
        earn(2, 100);
        reverse(1, 60, REFUND_ONLY_PENDING);
        expect_balance(100, 0, 0);
        EXPECT_INT(journal.entries.v[3].amount, 20);
        reverse(2, 30, REFUND_ONLY_PENDING);
        expect_balance(100, 0, 0);
        end();
}

/* ------------------------------------------------------------------ at random */

static int64_t effect(const struct ledger_entry *entry)
{
        return entry->kind == ENTRY_ACTIVATE ? 0 : entry->amount;
}

/* Every entry follows from the one before, and the draws are what it took from lots. */
static void expect_chain(void)
{
        int64_t total = 0, debt = 0;
        size_t draw = 0;

        for (size_t i = 0; i < journal.entries.n; i++) {
                const struct ledger_entry *entry = &journal.entries.v[i];
                int64_t drawn = 0, due = debt - entry->debt_after;
                for (; draw < journal.draws.n && journal.draws.v[draw].seq == entry->seq; draw++)
                        drawn += journal.draws.v[draw].amount;
                if (entry->kind == ENTRY_SPEND || entry->kind == ENTRY_REVERSE)
                        due -= entry->amount;
                EXPECT_INT(drawn, entry->kind == ENTRY_WRITE_OFF ? 0 : due);
                total += effect(entry);
                debt = entry->debt_after;
                EXPECT_INT(entry->seq, i + 1);
                EXPECT_INT(entry->active_after + entry->pending_after + entry->held_after - entry->debt_after,
                           total);
        }
        EXPECT_INT(draw, journal.draws.n);
        EXPECT_INT(book.account.active + book.account.pending - book.account.debt, total);
        EXPECT_INT(book.account.last_seq, journal.entries.n);
}

/* Every lot is its earning less what was drawn from it, never less than nothing. */
static void expect_lots(void)
{
        for (size_t i = 0; i < book.lot_count; i++) {
                const struct lot *lot = &book.lots[i];
                int64_t drawn = 0;
                for (size_t k = 0; k < journal.draws.n; k++)
                        drawn += journal.draws.v[k].lot_no == lot->lot_no ? journal.draws.v[k].amount : 0;
                EXPECT_INT(lot->remaining, lot->amount - drawn);
                EXPECT(lot->remaining >= 0);
        }
}

static void random_step(enum refund_policy policy, int64_t open[ORDERS + 1])
{
        int order = (int)test_between(1, ORDERS);
        int64_t amount = test_between(1, 300), before = book.account.active;

        switch (test_between(0, 5)) {
        case 0:
                earn(order, amount);
                open[order] += amount;
                break;
        case 1:
                earn_pending(order, amount,
                             (struct instant){test_between(0, 1) * (now.us + test_between(0, 20))});
                open[order] += amount;
                break;
        case 2:
                (void)activate(test_between(0, 1) == 0 ? 0 : order);
                break;
        case 3:
                EXPECT_INT(spend(amount), amount <= before);
                break;
        default: /* at most what the order earned can come back */
                if (open[order] == 0)
                        break;
                amount = test_between(1, open[order]);
                reverse(order, amount, policy);
                open[order] -= amount;
        }
        now.us += test_between(0, 5);
}

TEST(random_postings_keep_the_books_right)
{
        bool saw_debt = false, saw_write_off = false, paid = false;

        for (int round = 0; round < ROUNDS && test_faults == 0; round++) {
                enum refund_policy policy = (enum refund_policy)(round % 3 + 1);
                int64_t open[ORDERS + 1] = {0};
                begin();
                for (int step = 0; step < STEPS; step++) {
                        int64_t debt = book.account.debt;
                        random_step(policy, open);
                        EXPECT(book_check(&book));
                        EXPECT(policy == REFUND_UNLIMITED || book.account.debt == 0);
                        saw_debt |= book.account.debt > debt;
                        paid |= book.account.debt < debt;
                }
                for (size_t i = 0; i < journal.entries.n; i++)
                        saw_write_off |= journal.entries.v[i].kind == ENTRY_WRITE_OFF;
                expect_chain();
                expect_lots();
                end();
        }
        EXPECT(saw_debt && saw_write_off && paid);
}

TEST(a_check_notices_a_lot_that_lost_points)
{
        begin();
        earn(1, 10);
        book.lots[0].remaining--;
        EXPECT(!book_check(&book));
        end();
}

TEST_MAIN
