/* The book against a model in which every point is a thing of its own. */
#include "test.h"

#include "expiry_slow.h"
#include "points/book.h"

#define RUNS      600
#define STEPS     70
#define LOTS_MAX  STEPS
#define HOLDS_MAX STEPS
#define UNITS_MAX 4000
#define ORDERS    6
#define LIFE_DAYS 30

enum unit_state { UNIT_PENDING, UNIT_ACTIVE, UNIT_HELD, UNIT_COMING, UNIT_SPENT, UNIT_GONE };

/* One point. */
struct unit {
        int lot;
        enum unit_state state;
        int hold, turn; /* of the hold that drew it, and when */
};
struct model_lot {
        int64_t lot_no;
        int order;
        bool pending;
        struct instant active_from, expires_at;
};
struct model {
        struct expiry_settings settings;
        struct unit units[UNITS_MAX];
        int unit_count;
        struct model_lot lots[LOTS_MAX];
        int lot_count;
        int64_t debt, expired, spent;
        struct instant moved_at, now;
        struct uuid holds[HOLDS_MAX];
        bool open[HOLDS_MAX];
        int hold_count;
        int64_t earned_of[ORDERS]; /* what may still be taken back */
};

static const struct uuid nobody;
static struct model m;
static struct book book;
static struct journal journal;

static struct uuid order_id(int order)
{
        return (struct uuid){.b = {1, (uint8_t)order}};
}

static struct posting why_of(int order)
{
        return (struct posting){
                .at = m.now, .cause = "test", .order_id = order >= 0 ? order_id(order) : nobody};
}

/* ------------------------------------------------------------------ the model */

static int64_t lot_end(const struct model_lot *lot)
{
        if (instant_known(lot->expires_at))
                return lot->expires_at.us;
        return m.settings.form == EXPIRY_INACTIVITY ? slow_end(&m.settings, m.moved_at).us : INT64_MAX;
}

static void model_expire_at(struct instant at)
{
        int64_t ends[LOTS_MAX] = {0};

        for (int i = 0; i < m.lot_count; i++)
                ends[i] = lot_end(&m.lots[i]);
        for (int i = 0; i < m.unit_count; i++)
                if (m.units[i].state == UNIT_ACTIVE && ends[m.units[i].lot] <= at.us) {
                        m.units[i].state = UNIT_GONE;
                        m.expired++;
                }
}

static void model_expire(void)
{
        model_expire_at(m.now);
}

/* A point that is there again pays off debt or can be spent. */
static void unit_back(struct unit *unit)
{
        unit->state = m.debt > 0 ? UNIT_GONE : UNIT_ACTIVE;
        m.debt -= m.debt > 0;
}

static void lot_activate(int lot, struct instant from)
{
        m.lots[lot].pending = false;
        if (m.settings.form == EXPIRY_MONTHS || m.settings.form == EXPIRY_DATES)
                m.lots[lot].expires_at = slow_end(&m.settings, from);
        for (int i = 0; i < m.unit_count; i++)
                if (m.units[i].lot == lot && m.units[i].state == UNIT_PENDING)
                        unit_back(&m.units[i]);
}

static bool before(int a, int b)
{
        int64_t x = instant_known(m.lots[a].expires_at) ? m.lots[a].expires_at.us : INT64_MAX;
        int64_t y = instant_known(m.lots[b].expires_at) ? m.lots[b].expires_at.us : INT64_MAX;

        return x != y ? x < y : a < b;
}

/* The next point in a state, of an order's lots or (order < 0) of any. */
static struct unit *unit_next(enum unit_state state, int order)
{
        struct unit *best = NULL;

        for (int i = 0; i < m.unit_count; i++)
                if (m.units[i].state == state && (order < 0 || m.lots[m.units[i].lot].order == order) &&
                    (best == NULL || before(m.units[i].lot, best->lot)))
                        best = &m.units[i];
        return best;
}

static int64_t units_in(enum unit_state state)
{
        int64_t n = 0;

        for (int i = 0; i < m.unit_count; i++)
                n += m.units[i].state == state;
        return n;
}

/* The points of a hold that it drew last; NULL: none in this state. */
static struct unit *unit_of_hold(int hold, enum unit_state state, bool last)
{
        struct unit *best = NULL;

        for (int i = 0; i < m.unit_count; i++)
                if (m.units[i].state == state && m.units[i].hold == hold &&
                    (best == NULL || (m.units[i].turn > best->turn) == last))
                        best = &m.units[i];
        return best;
}

/* The points of a hold that it drew last come back; those among them that it drew first pay off debt. */
static void units_come(int hold, enum unit_state state, int64_t points)
{
        for (int64_t i = 0; i < points; i++)
                unit_of_hold(hold, state, /* last= */ true)->state = UNIT_COMING;
}

static void units_arrive(int hold)
{
        struct unit *unit;

        while ((unit = unit_of_hold(hold, UNIT_COMING, /* last= */ false)) != NULL)
                unit_back(unit);
}

/* ------------------------------------------------------------------ both at once */

static void do_earn(void)
{
        int64_t amount = test_between(1, 40);
        int order = (int)test_between(0, ORDERS - 1), lot = m.lot_count++;
        bool pending = test_between(0, 2) == 0, dated = test_between(0, 1);
        struct instant due = {dated ? m.now.us + test_between(1, 30) * INSTANT_DAY : 0};
        struct posting why = why_of(order);

        model_expire();
        m.lots[lot] = (struct model_lot){.lot_no = 0, .order = order, .pending = true, .active_from = due};
        for (int64_t i = 0; i < amount; i++)
                m.units[m.unit_count++] = (struct unit){.lot = lot, .state = UNIT_PENDING, .hold = -1};
        m.earned_of[order] += amount;
        m.moved_at = m.now;
        if (!pending)
                lot_activate(lot, m.now);
        book_earn(&book, &journal, &why, amount, pending, due);
        m.lots[lot].lot_no = book.lots[book.lot_count - 1].lot_no;
}

/* When a pending lot becomes active, or became without being booked; INT64_MAX: not yet. */
static int64_t activation(int at, int order)
{
        const struct model_lot *lot = &m.lots[at];
        bool left = false;

        for (int i = 0; i < m.unit_count; i++)
                left |= m.units[i].lot == at && m.units[i].state == UNIT_PENDING;
        if (!left || (order >= 0 && lot->order != order))
                return INT64_MAX;
        if (!instant_known(lot->active_from))
                return order >= 0 ? m.now.us : INT64_MAX;
        return lot->active_from.us <= m.now.us ? lot->active_from.us : INT64_MAX;
}

static void do_activate(void)
{
        int order = test_between(0, 1) ? -1 : (int)test_between(0, ORDERS - 1);
        struct posting why = why_of(-1);

        for (;;) {
                int first = 0;
                for (int i = 1; i < m.lot_count; i++)
                        if (activation(i, order) < activation(first, order))
                                first = i;
                int64_t at = activation(first, order);
                if (m.lot_count == 0 || at == INT64_MAX)
                        break;
                if (at > m.moved_at.us) {
                        model_expire_at((struct instant){at});
                        m.moved_at.us = at;
                }
                lot_activate(first, (struct instant){at});
        }
        (void)book_activate(&book, &journal, &why, order < 0 ? nobody : order_id(order));
}

static void do_spend(void)
{
        int64_t amount = test_between(1, 60);
        struct posting why = why_of(-1);

        model_expire();
        bool enough = units_in(UNIT_ACTIVE) >= amount;
        for (int64_t i = 0; enough && i < amount; i++)
                unit_next(UNIT_ACTIVE, -1)->state = UNIT_GONE;
        m.spent += enough ? amount : 0;
        EXPECT(book_spend(&book, &journal, &why, amount) == enough);
        if (enough)
                m.moved_at = m.now;
}

static void do_hold(void)
{
        int64_t amount = test_between(1, 60);
        int hold = m.hold_count;
        struct posting why = why_of(-1);
        struct hold wanted = {.points = amount};

        wanted.id = (struct uuid){{2, (uint8_t)hold}};

        model_expire();
        bool enough = units_in(UNIT_ACTIVE) >= amount;
        for (int64_t i = 0; enough && i < amount; i++) {
                struct unit *unit = unit_next(UNIT_ACTIVE, -1);
                *unit = (struct unit){.lot = unit->lot, .state = UNIT_HELD, .hold = hold, .turn = (int)i};
        }
        EXPECT((book_hold(&book, &journal, &why, &wanted) != NULL) == enough);
        if (!enough)
                return;
        m.holds[hold] = wanted.id;
        m.open[hold] = true;
        m.hold_count++;
}

static int some_hold(bool open)
{
        int at = m.hold_count > 0 ? (int)test_between(0, m.hold_count - 1) : 0;

        for (int i = 0; i < m.hold_count; i++, at = (at + 1) % m.hold_count)
                if (m.open[at] == open)
                        return at;
        return -1;
}

static void do_resolve(void)
{
        int at = some_hold(true);
        struct posting why = why_of(-1);

        if (at < 0)
                return;
        struct hold *hold = book_hold_find(&book, m.holds[at]);
        int64_t points = test_between(0, 2) ? test_between(1, hold->points) : 0;
        m.open[at] = false;
        units_come(at, UNIT_HELD, hold->points - points);
        units_arrive(at);
        for (int64_t i = 0; i < points; i++)
                unit_of_hold(at, UNIT_HELD, true)->state = UNIT_SPENT;
        m.spent += points;
        if (points > 0)
                m.moved_at = m.now;
        if (points < hold->points)
                model_expire();
        if (points > 0)
                book_capture(&book, &journal, &why, hold, points);
        else
                book_release(&book, &journal, &why, hold, HOLD_RELEASED);
}

static void do_restore(void)
{
        int at = some_hold(false);
        struct posting why = why_of(-1);
        int64_t lapsed[LOTS_MAX];

        if (at < 0)
                return;
        struct hold *hold = book_hold_find(&book, m.holds[at]);
        int64_t left = hold->captured - hold->restored;
        if (left == 0)
                return;
        int64_t points = test_between(1, left);
        model_expire();
        for (int i = 0; i < m.lot_count; i++)
                lapsed[i] = lot_end(&m.lots[i]) <= m.now.us;
        units_come(at, UNIT_SPENT, points);
        for (int i = 0; i < m.unit_count; i++)
                if (m.units[i].state == UNIT_COMING && lapsed[m.units[i].lot])
                        m.lots[m.units[i].lot].expires_at.us = m.now.us + LIFE_DAYS * INSTANT_DAY;
        units_arrive(at);
        m.spent -= points;
        book_restore(&book, &journal, &why, hold, points, LIFE_DAYS);
}

static void do_reverse(void)
{
        int order = (int)test_between(0, ORDERS - 1);
        struct posting why = why_of(order);

        if (m.earned_of[order] == 0)
                return;
        int64_t points = test_between(1, m.earned_of[order]);
        m.earned_of[order] -= points;
        model_expire();
        for (int64_t i = 0; i < points; i++) {
                struct unit *unit = unit_next(UNIT_PENDING, order);
                if (unit == NULL)
                        unit = unit_next(UNIT_ACTIVE, order);
                if (unit == NULL)
                        unit = unit_next(UNIT_ACTIVE, -1);
                if (unit == NULL)
                        unit = unit_next(UNIT_PENDING, -1);
                if (unit == NULL)
                        m.debt++;
                else
                        unit->state = UNIT_GONE;
        }
        book_reverse(&book, &journal, &why, points, REFUND_UNLIMITED);
}

static void do_expire(void)
{
        struct posting why = why_of(-1);
        int64_t before_it = m.expired;

        model_expire();
        EXPECT_INT(book_expire(&book, &journal, &why), m.expired - before_it);
}

/* ------------------------------------------------------------------ they agree */

static void expect_same(void)
{
        const struct points_account *account = &book.account;

        EXPECT_INT(account->active, units_in(UNIT_ACTIVE));
        EXPECT_INT(account->pending, units_in(UNIT_PENDING));
        EXPECT_INT(account->held, units_in(UNIT_HELD));
        EXPECT_INT(account->debt, m.debt);
        EXPECT_INT(account->lifetime_expired, m.expired);
        EXPECT_INT(account->lifetime_spent, m.spent);
        EXPECT_INT(book.lot_count, m.lot_count);
        for (int i = 0; i < m.lot_count; i++) {
                int64_t remaining = 0;
                for (int k = 0; k < m.unit_count; k++)
                        remaining += m.units[k].lot == i &&
                                     (m.units[k].state == UNIT_ACTIVE || m.units[k].state == UNIT_PENDING);
                EXPECT_INT(book.lots[i].remaining, remaining);
                EXPECT_INT(book.lots[i].lot_no, m.lots[i].lot_no);
        }
        EXPECT(book_check(&book));
}

/* Every entry follows from the one before, and the lots are what the draws left of them. */
static void expect_ledger(void)
{
        int64_t total = 0;

        for (size_t i = 0; i < journal.entries.n; i++) {
                const struct ledger_entry *entry = &journal.entries.v[i];
                bool moves = entry->kind == ENTRY_ACTIVATE || entry->kind == ENTRY_HOLD ||
                             entry->kind == ENTRY_RELEASE;
                total += moves ? 0 : entry->amount;
                EXPECT_INT(entry->seq, i + 1);
                EXPECT_INT(entry->active_after + entry->pending_after + entry->held_after - entry->debt_after,
                           total);
        }
        for (size_t i = 0; i < book.lot_count; i++) {
                int64_t drawn = 0;
                for (size_t k = 0; k < journal.draws.n; k++)
                        drawn += journal.draws.v[k].lot_no == book.lots[i].lot_no ? journal.draws.v[k].amount
                                                                                  : 0;
                EXPECT_INT(book.lots[i].amount - drawn, book.lots[i].remaining);
        }
        for (size_t i = 0; i < book.hold_count; i++) {
                const struct hold *hold = &book.holds[i];
                int64_t out = 0;
                for (size_t k = 0; k < hold->draws.n; k++)
                        out += hold->draws.v[k].amount - hold->draws.v[k].returned;
                EXPECT_INT(out, hold->state == HOLD_OPEN ? hold->points : hold->captured - hold->restored);
        }
}

TEST(book_is_what_a_model_of_single_points_is_over_years_of_random_days)
{
        static void (*const steps[])(void) = {do_earn, do_earn,    do_earn,    do_activate, do_spend, do_hold,
                                              do_hold, do_resolve, do_restore, do_reverse,  do_expire};
        int faults = test_faults;

        for (int run = 0; run < RUNS && test_faults == faults; run++) {
                struct arena *arena = arena_new();
                m = (struct model){.settings = slow_settings(), .now.us = SLOW_EPOCH_DAYS * INSTANT_DAY};
                book = (struct book){.lots_loaded = true};
                book.account.customer_id = order_id(ORDERS);
                journal = (struct journal){.arena = arena, .expiry = &m.settings, .zone = &slow_zone};
                for (int step = 0; step < STEPS && test_faults == faults; step++) {
                        m.now.us += test_between(0, 25 * 24) * 3600 * INSTANT_SECOND;
                        steps[test_between(0, (int64_t)ARRAY_SIZE(steps) - 1)]();
                        expect_same();
                }
                expect_ledger();
                if (test_faults != faults)
                        printf("  run %d, form %u\n", run, m.settings.form);
                arena_free(arena);
        }
}

TEST_MAIN
