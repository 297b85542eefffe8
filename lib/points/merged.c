#include "points/merged.h"

#include "customers/customers.h"
#include "points/store.h"

struct pair {
        struct uuid from, to;
};
#define SHAPE_T struct pair
SHAPE(pair, "From one customer to another.", FIELD(from), FIELD(to));
#undef SHAPE_T

struct one {
        struct uuid id;
};
#define SHAPE_T struct one
SHAPE(one, "A customer.", FIELD(id));
#undef SHAPE_T

#define SHAPE_T struct points_merging
SHAPE(points_merging, "What a merge looks at.", FIELD(open_holds), FIELD(last_seq));
#undef SHAPE_T

SQL_ONE(merging_load, one, points_merging,
        "SELECT (SELECT count(*) FROM points_holds WHERE customer_id = :id AND state = 'open') AS open_holds, "
        "coalesce((SELECT last_seq FROM points_accounts WHERE customer_id = :id), 0) AS last_seq")

SQL_EXEC(
        account_open, pair,
        "INSERT INTO points_accounts (customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, "
        "lifetime_expired, last_seq) SELECT :to, 0, 0, 0, 0, 0, 0, 0, 0 FROM points_accounts WHERE customer_id = :from "
        "ON CONFLICT (customer_id) DO NOTHING")
#define FROM_BASE " FROM points_accounts b WHERE b.customer_id = :to AND t.customer_id = :from"
SQL_EXEC(
        ledger_append, pair,
        "UPDATE points_ledger t SET customer_id = :to, seq = t.seq + b.last_seq, active_after = active_after + b.active, "
        "pending_after = pending_after + b.pending, held_after = held_after + b.held, "
        "debt_after = debt_after + b.debt, lot_no = t.lot_no + b.last_seq" FROM_BASE)
SQL_EXEC(adjustments_append, pair, "UPDATE points_adjustments t SET seq = t.seq + b.last_seq" FROM_BASE)
SQL_EXEC(activities_append, pair, "UPDATE activities t SET seq = t.seq + b.last_seq" FROM_BASE)
SQL_EXEC(
        lives_append, pair,
        "UPDATE points_lot_lives t SET customer_id = :to, lot_no = t.lot_no + b.last_seq, seq = t.seq + b.last_seq" FROM_BASE)
SQL_EXEC(
        cap_days_add, pair,
        "INSERT INTO points_cap_days AS t (customer_id, day, rule, points) SELECT :to, day, rule, points FROM points_cap_days "
        "WHERE customer_id = :from ON CONFLICT (customer_id, day, rule) DO UPDATE SET points = t.points + excluded.points")
SQL_EXEC(cap_days_drop, pair, "DELETE FROM points_cap_days WHERE customer_id = :from")
SQL_EXEC(lots_append, pair,
         "UPDATE points_lots t SET customer_id = :to, lot_no = t.lot_no + b.last_seq" FROM_BASE)
SQL_EXEC(draws_append, pair,
         "UPDATE points_allocations t SET customer_id = :to, seq = t.seq + b.last_seq, "
         "lot_no = t.lot_no + b.last_seq" FROM_BASE)
SQL_EXEC(holds_append, pair,
         "UPDATE points_holds t SET customer_id = :to, seq = t.seq + b.last_seq, "
         "spend_seq = CASE WHEN t.spend_seq = 0 THEN 0 ELSE t.spend_seq + b.last_seq END" FROM_BASE)
SQL_EXEC(hold_draws_append, pair,
         "UPDATE points_hold_draws t SET customer_id = :to, lot_no = t.lot_no + b.last_seq" FROM_BASE)
/* Last: the others count from what it was. */
SQL_EXEC(
        account_add, pair,
        "UPDATE points_accounts b SET active = b.active + a.active, pending = b.pending + a.pending, held = b.held + a.held, "
        "debt = b.debt + a.debt, lifetime_earned = b.lifetime_earned + a.lifetime_earned, "
        "lifetime_spent = b.lifetime_spent + a.lifetime_spent, lifetime_expired = b.lifetime_expired + a.lifetime_expired, "
        "last_seq = b.last_seq + a.last_seq, moved_at = greatest(b.moved_at, a.moved_at), "
        "due_at = least(b.due_at, a.due_at) "
        "FROM points_accounts a WHERE b.customer_id = :to AND a.customer_id = :from")
SQL_EXEC(account_close, pair, "DELETE FROM points_accounts WHERE customer_id = :from")

#define SHAPE_T struct points_joining
SHAPE(points_joining, "A merge.", FIELD(from), FIELD(to), FIELD(merge_id));
#undef SHAPE_T
/* Since when entries are whose: also of those that had joined the absorbed customer's before. */
SQL_EXEC(
        joined_append, pair,
        "UPDATE points_joined t SET customer_id = :to, first_seq = t.first_seq + b.last_seq, last_seq = t.last_seq + b.last_seq" FROM_BASE)
SQL_EXEC(
        joined_note, points_joining,
        "INSERT INTO points_joined (customer_id, merge_id, first_seq, last_seq, joined_at) "
        "SELECT :to, :merge_id, b.last_seq + 1, b.last_seq + a.last_seq, :now FROM points_accounts a, points_accounts b "
        "WHERE a.customer_id = :from AND a.last_seq > 0 AND b.customer_id = :to")

enum err points_merging(struct ctx *c, struct uuid customer_id, struct points_merging *ret)
{
        return merging_load(c, &(struct one){customer_id}, ret);
}

enum err points_merge(struct ctx *c, const struct points_joining *joining)
{
        const struct pair pair = {joining->from, joining->to};

        TRY(account_open(c, &pair));
        TRY(ledger_append(c, &pair));
        TRY(lots_append(c, &pair));
        TRY(draws_append(c, &pair));
        TRY(holds_append(c, &pair));
        TRY(hold_draws_append(c, &pair));
        TRY(lives_append(c, &pair));
        TRY(adjustments_append(c, &pair));
        TRY(activities_append(c, &pair));
        TRY(cap_days_add(c, &pair));
        TRY(cap_days_drop(c, &pair));
        TRY(joined_append(c, &pair));
        TRY(joined_note(c, joining));
        TRY(account_add(c, &pair));
        return account_close(c, &pair);
}

/* ------------------------------------------------------------------ taking apart */

#define OF_ONE " WHERE customer_id = :id"
SQL_LATER(
        entries_of, one, ledger_entry,
        "SELECT customer_id, seq, kind, amount, active_after, pending_after, held_after, debt_after, cause, order_id, "
        "reference, lot_no, actor, reason, created_at FROM points_ledger" OF_ONE " ORDER BY seq")
SQL_LATER(lots_of, one, lot,
          "SELECT customer_id, lot_no, amount, remaining, pending, active_from, expires_at, order_id "
          "FROM points_lots" OF_ONE " ORDER BY lot_no")
SQL_LATER(draws_of, one, lot_draw, "SELECT customer_id, seq, lot_no, amount FROM points_allocations" OF_ONE)
SQL_LATER(
        holds_of, one, hold,
        "SELECT customer_id, id, state, points, captured, restored, reason, reference, order_id, seq, spend_seq, "
        "created_at, expires_at, resolved_at FROM points_holds" OF_ONE)
SQL_LATER(hold_draws_of, one, hold_draw,
          "SELECT customer_id, hold_id, draw_no, lot_no, amount, returned FROM points_hold_draws" OF_ONE
          " ORDER BY hold_id, draw_no")
SQL_LATER(
        account_of, one, points_account,
        "SELECT customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, lifetime_expired, last_seq, "
        "moved_at FROM points_accounts" OF_ONE)

/* New numbers meet old ones on the way, so they go through the negative ones. */
struct entry_change {
        struct uuid was;
        int64_t seq;
        struct ledger_entry became;
};
#define SHAPE_T struct entry_change
SHAPE(entry_change, "An entry's new place.", FIELD(was), FIELD(seq), NEST(became, ledger_entry));
#undef SHAPE_T
SQL_BATCH(
        entries_move, entry_change,
        "UPDATE points_ledger t SET customer_id = n.c, seq = -n.s, active_after = n.a, pending_after = n.p, "
        "held_after = n.h, debt_after = n.d, lot_no = n.l FROM unnest(:was, :seq, :became.customer_id, :became.seq, :became.active_after, "
        ":became.pending_after, :became.held_after, :became.debt_after, :became.lot_no) AS n (w, q, c, s, a, p, h, d, l) "
        "WHERE t.customer_id = n.w AND t.seq = n.q")
SQL_EXEC(entries_settle, one, "UPDATE points_ledger SET seq = -seq" OF_ONE " AND seq < 0")

struct lot_change {
        struct uuid was;
        int64_t lot_no;
        struct uuid became;
        int64_t became_no;
};
#define SHAPE_T struct lot_change
SHAPE(lot_change, "A lot's new place.", FIELD(was), FIELD(lot_no), FIELD(became), FIELD(became_no));
#undef SHAPE_T
SQL_BATCH(
        lots_move, lot_change,
        "UPDATE points_lots t SET customer_id = n.c, lot_no = -n.s FROM unnest(:was, :lot_no, :became, :became_no) "
        "AS n (w, q, c, s) WHERE t.customer_id = n.w AND t.lot_no = n.q")
SQL_EXEC(lots_settle, one, "UPDATE points_lots SET lot_no = -lot_no" OF_ONE " AND lot_no < 0")

struct hold_change {
        struct uuid was, id, became;
        int64_t seq, spend_seq;
};
#define SHAPE_T struct hold_change
SHAPE(hold_change, "A hold's new place.", FIELD(was), FIELD(id), FIELD(became), FIELD(seq), FIELD(spend_seq));
#undef SHAPE_T
SQL_BATCH(
        holds_move, hold_change,
        "UPDATE points_holds t SET customer_id = n.c, seq = n.s, spend_seq = n.p FROM unnest(:was, :id, :became, :seq, "
        ":spend_seq) AS n (w, i, c, s, p) WHERE t.customer_id = n.w AND t.id = n.i")

SQL_EXEC(draws_drop, one, "DELETE FROM points_allocations" OF_ONE)
SQL_BATCH(draws_put, lot_draw,
          "INSERT INTO points_allocations (customer_id, seq, lot_no, amount) "
          "SELECT * FROM unnest(:customer_id, :seq, :lot_no, :amount)")
SQL_EXEC(hold_draws_drop, one, "DELETE FROM points_hold_draws" OF_ONE)
SQL_BATCH(hold_draws_put, hold_draw,
          "INSERT INTO points_hold_draws (customer_id, hold_id, draw_no, lot_no, amount, returned) "
          "SELECT * FROM unnest(:customer_id, :hold_id, :draw_no, :lot_no, :amount, :returned)")
SQL_BATCH(
        entries_put, ledger_entry,
        "INSERT INTO points_ledger (customer_id, seq, kind, amount, active_after, pending_after, held_after, debt_after, "
        "cause, created_at) SELECT * FROM unnest(:customer_id, :seq, :kind, :amount, :active_after, :pending_after, "
        ":held_after, :debt_after, :cause, :created_at)")
SQL_BATCH(
        lots_put, lot,
        "INSERT INTO points_lots (customer_id, lot_no, amount, remaining, pending, active_from, expires_at) "
        "SELECT * FROM unnest(:customer_id, :lot_no, :amount, :remaining, :pending, :active_from, :expires_at)")
SQL_BATCH(
        accounts_put, points_account,
        "INSERT INTO points_accounts (customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent, "
        "lifetime_expired, last_seq, moved_at) SELECT * FROM unnest(:customer_id, :active, :pending, :held, :debt, "
        ":lifetime_earned, :lifetime_spent, :lifetime_expired, :last_seq, :moved_at) ON CONFLICT (customer_id) DO UPDATE "
        "SET active = excluded.active, pending = excluded.pending, held = excluded.held, debt = excluded.debt, "
        "lifetime_earned = excluded.lifetime_earned, lifetime_spent = excluded.lifetime_spent, "
        "lifetime_expired = excluded.lifetime_expired, last_seq = excluded.last_seq, moved_at = excluded.moved_at")

SQL_EXEC(
        account_due, one,
        "UPDATE points_accounts SET due_at = (SELECT min(at) FROM (SELECT CASE WHEN pending THEN active_from "
        "ELSE expires_at END AS at FROM points_lots" OF_ONE " AND remaining > 0) AS t)" OF_ONE)

/* What else names entries follows them; rows of both customers still have the numbers from before. */
#define FOLLOW(table)                                                                                        \
        "UPDATE " table                                                                                      \
        " t SET seq = n.s FROM unnest(:seq, :became.customer_id, :became.seq) AS n (q, c, s) "               \
        "WHERE t.customer_id = n.c AND t.seq = n.q"
SQL_BATCH(adjustments_follow, entry_change, FOLLOW("points_adjustments"))
SQL_BATCH(activities_follow, entry_change, FOLLOW("activities"))
/* A life that an entry of the other side gave is no longer told. */
SQL_BATCH(
        lives_move, entry_change,
        "WITH n AS (SELECT * FROM unnest(:was, :seq, :became.customer_id, :became.seq) AS n (w, q, c, s)), "
        "gone AS (DELETE FROM points_lot_lives t USING n WHERE t.customer_id = n.w AND t.seq = n.q RETURNING t.*, n.c, n.s) "
        "INSERT INTO points_lot_lives (customer_id, lot_no, seq, expires_before) SELECT gone.c, -l.s, -gone.s, expires_before "
        "FROM gone JOIN n AS l ON l.q = gone.lot_no AND l.c = gone.c")
SQL_EXEC(lives_settle, one, "UPDATE points_lot_lives SET lot_no = -lot_no, seq = -seq" OF_ONE " AND seq < 0")

struct joined_stretch {
        struct uuid stays, leaves, merge_id;
        int64_t first_seq, last_seq;
};
#define SHAPE_T struct joined_stretch
SHAPE(joined_stretch, "Entries that leave.", FIELD(stays), FIELD(leaves), FIELD(merge_id), FIELD(first_seq),
      FIELD(last_seq));
#undef SHAPE_T
SQL_EXEC(joined_forget, joined_stretch,
         "DELETE FROM points_joined WHERE customer_id = :stays AND merge_id = :merge_id")
/* What had joined the leaver's before stands in it where it stood. */
SQL_EXEC(
        joined_return, joined_stretch,
        "UPDATE points_joined SET customer_id = :leaves, first_seq = first_seq - :first_seq + 1, "
        "last_seq = last_seq - :first_seq + 1 WHERE customer_id = :stays AND first_seq >= :first_seq AND last_seq <= :last_seq")

/* Who never had points has no account. */
SQL_EXEC(account_unused, one, "DELETE FROM points_accounts" OF_ONE " AND last_seq = 0")

static enum err pile_load(struct ctx *c, const struct one *one, struct pile *ret, bool *ret_found)
{
        struct list account = {0}, entries = {0}, lots = {0}, draws = {0}, holds = {0}, hold_draws = {0};
        struct pile pile = {0};

        TRY(account_of(c, one, &account));
        TRY(entries_of(c, one, &entries));
        TRY(lots_of(c, one, &lots));
        TRY(draws_of(c, one, &draws));
        TRY(holds_of(c, one, &holds));
        TRY(hold_draws_of(c, one, &hold_draws));
        TRY(db_flush(c));
        pile.entries.v = entries.v;
        pile.entries.n = entries.n;
        pile.lots.v = lots.v;
        pile.lots.n = lots.n;
        pile.draws.v = draws.v;
        pile.draws.n = draws.n;
        pile.holds.v = holds.v;
        pile.holds.n = holds.n;
        pile.hold_draws.v = hold_draws.v;
        pile.hold_draws.n = hold_draws.n;
        *ret_found = account.n == 1;
        if (account.n == 1)
                pile.debt = ((const struct points_account *)account.v)[0].debt;
        *ret = pile;
        return ERR_OK;
}

static enum err entries_store(struct ctx *c, struct uuid was, const struct pile *pile,
                              const struct separated *now)
{
        struct entry_change *entries = ARENA_ARRAY(c->arena, pile->entries.n, struct entry_change);
        struct lot_change *lots = ARENA_ARRAY(c->arena, pile->lots.n, struct lot_change);
        struct hold_change *holds = ARENA_ARRAY(c->arena, pile->holds.n, struct hold_change);

        for (size_t i = 0; i < pile->entries.n; i++)
                entries[i] = (struct entry_change){was, pile->entries.v[i].seq, now->entries.v[i]};
        for (size_t i = 0; i < pile->lots.n; i++) {
                const struct renumbered *lot = &now->lots.v[i];
                lots[i] = (struct lot_change){was, lot->from, lot->customer_id, lot->to};
        }
        for (size_t i = 0; i < pile->holds.n; i++) {
                const struct hold *hold = &now->holds.v[i];
                holds[i] = (struct hold_change){was, hold->id, hold->customer_id, hold->seq, hold->spend_seq};
        }
        TRY(lives_move(c, entries, pile->entries.n));
        TRY(adjustments_follow(c, entries, pile->entries.n));
        TRY(activities_follow(c, entries, pile->entries.n));
        TRY(entries_move(c, entries, pile->entries.n));
        TRY(lots_move(c, lots, pile->lots.n));
        return holds_move(c, holds, pile->holds.n);
}

enum err points_separate(struct ctx *c, const struct leaving *leaving)
{
        const struct one stays = {leaving->stays}, leaves = {leaving->leaves};
        struct pile pile;
        struct separated now;
        bool found;

        TRY(pile_load(c, &stays, &pile, &found));
        if (!found)
                return ERR_OK;
        if (!pile_separate(c->arena, &pile, leaving, &now))
                return fail(c, ERR_MERGE_BLOCKED, "A hold of points lies across both customers.");
        const struct joined_stretch stretch = {leaving->stays, leaving->leaves, leaving->merge_id,
                                               leaving->first_seq, leaving->last_seq};
        TRY(joined_forget(c, &stretch));
        TRY(joined_return(c, &stretch));
        TRY(entries_store(c, leaving->stays, &pile, &now));
        TRY(entries_settle(c, &stays));
        TRY(entries_settle(c, &leaves));
        TRY(lives_settle(c, &stays));
        TRY(lives_settle(c, &leaves));
        TRY(lots_settle(c, &stays));
        TRY(lots_settle(c, &leaves));
        TRY(draws_drop(c, &stays));
        TRY(draws_put(c, now.draws.v, now.draws.n));
        TRY(hold_draws_drop(c, &stays));
        TRY(hold_draws_put(c, now.hold_draws.v, now.hold_draws.n));
        TRY(entries_put(c, now.new_entries.v, now.new_entries.n));
        TRY(lots_put(c, now.new_lots.v, now.new_lots.n));
        TRY(accounts_put(c, now.accounts, SIDE_COUNT));
        TRY(account_due(c, &stays)); /* no hold is open */
        TRY(account_due(c, &leaves));
        TRY(account_unused(c, &stays));
        return account_unused(c, &leaves);
}
