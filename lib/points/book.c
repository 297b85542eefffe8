#include "points/book.h"

#include <assert.h>

#include "points/expiry.h"
#include "points/posting.h"

NAMES(entry_kind_names, "earn", "activate", "spend", "reverse", "write_off", "hold", "release", "restore",
      "expire", "adjust", "transfer_in", "transfer_out", "transfer_debt");
NAMES(grant_expiry_names, "program", "never", "at");

void *grown(struct arena *arena, void *v, size_t count, size_t *room, size_t size)
{
        if (count < *room)
                return v;
        *room = *room == 0 ? 8 : *room * 2;
        void *larger = arena_array(arena, *room, size);
        if (count > 0)
                memcpy(larger, v, count * size);
        return larger;
}

void write_entry(struct book *book, struct journal *journal, const struct posting *why, enum entry_kind kind,
                 int64_t amount)
{
        struct points_account *account = &book->account;
        bool moves = kind == ENTRY_EARN || kind == ENTRY_SPEND || (kind == ENTRY_ADJUST && amount > 0);

        if (moves && why->at.us > account->moved_at.us)
                account->moved_at = why->at;
        assert(account->active >= 0 && account->pending >= 0 && account->held >= 0 && account->debt >= 0);
        journal->entries.v = grown(journal->arena, journal->entries.v, journal->entries.n,
                                   &journal->entry_room, sizeof *journal->entries.v);
        journal->entries.v[journal->entries.n++] = (struct ledger_entry){
                .customer_id = account->customer_id,
                .seq = ++account->last_seq,
                .kind = kind,
                .amount = amount,
                .active_after = account->active,
                .pending_after = account->pending,
                .held_after = account->held,
                .debt_after = account->debt,
                .cause = why->cause,
                .order_id = why->order_id,
                .reference = why->reference,
                .actor = journal->actor,
                .reason = why->reason,
                .created_at = why->at,
        };
        book->changed = true;
}

void write_draw(struct book *book, struct journal *journal, size_t lot, int64_t amount)
{
        if (book->lot_states[lot] == LOT_STORED)
                book->lot_states[lot] = LOT_CHANGED;
        if (amount == 0)
                return;
        journal->draws.v = grown(journal->arena, journal->draws.v, journal->draws.n, &journal->draw_room,
                                 sizeof *journal->draws.v);
        journal->draws.v[journal->draws.n++] = (struct lot_draw){
                .customer_id = book->account.customer_id,
                .seq = book->account.last_seq,
                .lot_no = book->lots[lot].lot_no,
                .amount = amount,
        };
}

void write_draws(struct book *book, struct journal *journal, const struct allocations *taken)
{
        for (size_t i = 0; i < taken->n; i++)
                write_draw(book, journal, taken->v[i].lot, taken->v[i].amount);
}

static size_t lot_add(struct book *book, struct arena *arena, struct lot lot, enum lot_state state)
{
        size_t room = book->lot_room;

        book->lots = grown(arena, book->lots, book->lot_count, &book->lot_room, sizeof *book->lots);
        book->lot_states = grown(arena, book->lot_states, book->lot_count, &room, sizeof *book->lot_states);
        book->lot_states[book->lot_count] = (unsigned char)state;
        book->lots[book->lot_count] = lot;
        return book->lot_count++;
}

void book_lots_add(struct book *book, struct arena *arena, const struct list *rows)
{
        const struct lot *lots = rows->v;

        for (size_t i = 0; i < rows->n; i++)
                if (uuid_equal(lots[i].customer_id, book->account.customer_id))
                        (void)lot_add(book, arena, lots[i], LOT_STORED);
}

/* Make points active; debt is paid off first. Returns what paid debt, which is no longer in the lot. */
static int64_t activate(struct points_account *account, const struct journal *journal, struct lot *lot)
{
        int64_t paid = account->debt < lot->remaining ? account->debt : lot->remaining;

        lot->pending = false;
        lot->expires_at = expiry_of(journal->expiry, journal->zone, lot->active_from);
        lot->remaining -= paid;
        account->debt -= paid;
        account->active += lot->remaining;
        return paid;
}

struct journal journal_of(const struct ctx *c, const struct program *program)
{
        return (struct journal){.arena = c->arena,
                                .expiry = &program->points.expiry,
                                .zone = &c->shop->zone,
                                .actor = c->principal != NULL ? c->principal->key_id : NULL};
}

bool book_earn_needs_lots(const struct book *book, const struct journal *journal, struct instant at)
{
        struct instant end = expiry_by_inactivity(journal->expiry, journal->zone, book->account.moved_at);

        return instant_known(end) && end.us <= at.us;
}

/* The earlier of two moments; none is later than any. */
static struct instant sooner(struct instant a, struct instant b)
{
        if (!instant_known(a) || !instant_known(b))
                return instant_known(a) ? a : b;
        return a.us < b.us ? a : b;
}

bool book_is_due(const struct book *book, const struct journal *journal, struct instant at)
{
        struct instant due = book->account.due_at;

        return (instant_known(due) && due.us <= at.us) || book_earn_needs_lots(book, journal, at);
}

void book_due_note(struct book *book)
{
        struct instant due = {0};
        int64_t held = 0;

        for (size_t i = 0; i < book->lot_count; i++) {
                const struct lot *lot = &book->lots[i];
                if (lot->remaining > 0)
                        due = sooner(due, lot->pending ? lot->active_from : lot->expires_at);
        }
        for (size_t i = 0; i < book->hold_count; i++) {
                const struct hold *hold = &book->holds[i];
                if (hold->state != HOLD_OPEN)
                        continue;
                held += hold->points;
                due = sooner(due, hold->expires_at);
        }
        bool complete = book->lots_loaded && held == book->account.held;
        book->account.due_at = complete ? due : sooner(due, book->account.due_at);
}

/* A new lot; `how` (NULL: the programme) says when it lapses. */
static void gain(struct book *book, struct journal *journal, const struct posting *why, enum entry_kind kind,
                 struct lot lot, const struct adjust_how *how)
{
        struct points_account *account = &book->account;
        int64_t paid = 0;

        assert(lot.amount > 0 && !(book_earn_needs_lots(book, journal, why->at) && !book->lots_loaded));
        if (book->lots_loaded)
                (void)book_expire(book, journal, why);
        lot.customer_id = account->customer_id;
        lot.lot_no = account->last_seq + 1;
        lot.remaining = lot.amount;
        lot.order_id = why->order_id;
        size_t at = lot_add(book, journal->arena, lot, LOT_NEW);
        if (lot.pending)
                account->pending += lot.amount;
        else
                paid = activate(account, journal, &book->lots[at]);
        if (how != NULL && how->expiry != GRANT_EXPIRY_PROGRAM)
                book->lots[at].expires_at = how->expires_at;
        account->lifetime_earned += lot.amount;
        write_entry(book, journal, why, kind, lot.amount);
        write_draw(book, journal, at, paid);
}

void book_earn(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
               bool pending, struct instant active_from)
{
        gain(book, journal, why, ENTRY_EARN,
             (struct lot){
                     .amount = amount, .pending = pending, .active_from = pending ? active_from : why->at},
             /* how= */ NULL);
}

static bool take(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
                 bool allow_debt)
{
        struct points_account *account = &book->account;
        struct allocations taken;

        (void)book_expire(book, journal, why);
        int64_t part = amount < account->active ? amount : account->active;
        if (part < amount && !allow_debt)
                return false;
        if (!allocate_spend(journal->arena, book->lots, book->lot_count, part, why->at, &taken))
                return false;
        account->active -= part;
        account->debt += amount - part;
        account->lifetime_earned -= amount;
        write_entry(book, journal, why, ENTRY_ADJUST, -amount);
        write_draws(book, journal, &taken);
        return true;
}

bool book_adjust(struct book *book, struct journal *journal, const struct posting *why, int64_t points,
                 const struct adjust_how *how)
{
        assert(points != 0 && book->lots_loaded);
        if (points < 0)
                return take(book, journal, why, -points, how->allow_debt);
        gain(book, journal, why, ENTRY_ADJUST, (struct lot){.amount = points, .active_from = why->at}, how);
        return true;
}

/* Points that become active are a movement. What had lapsed by then stays lapsed, even when it is booked
 * late. */
static void move_with(struct book *book, struct journal *journal, const struct posting *why,
                      const struct lot *lot)
{
        struct posting then = *why;

        if (lot->active_from.us <= book->account.moved_at.us)
                return;
        then.at = lot->active_from;
        (void)book_expire(book, journal, &then);
        book->account.moved_at = lot->active_from;
}

/* The lot whose pending time was over first, or SIZE_MAX; one that waits for a state (no date) waits until
 * the order is named. */
static size_t due_first(const struct book *book, struct instant at, struct uuid order_id)
{
        size_t first = SIZE_MAX;

        for (size_t i = 0; i < book->lot_count; i++) {
                const struct lot *lot = &book->lots[i];
                bool named = uuid_known(order_id) && uuid_equal(lot->order_id, order_id);
                bool dated = instant_known(lot->active_from);
                bool due = dated ? lot->active_from.us <= at.us : named;
                if (!lot->pending || lot->remaining == 0 || !due || (uuid_known(order_id) && !named))
                        continue;
                struct instant best = first == SIZE_MAX ? (struct instant){0} : book->lots[first].active_from;
                if (first == SIZE_MAX || (dated && (!instant_known(best) || lot->active_from.us < best.us)))
                        first = i;
        }
        return first;
}

int64_t book_activate(struct book *book, struct journal *journal, const struct posting *why,
                      struct uuid order_id)
{
        int64_t total = 0;

        assert(book->lots_loaded);
        for (size_t i; (i = due_first(book, why->at, order_id)) != SIZE_MAX;) {
                struct lot *lot = &book->lots[i];
                int64_t points = lot->remaining;
                if (!instant_known(lot->active_from))
                        lot->active_from = why->at;
                move_with(book, journal, why, lot);
                book->account.pending -= points;
                int64_t paid = activate(&book->account, journal, lot);
                write_entry(book, journal, why, ENTRY_ACTIVATE, points);
                journal->entries.v[journal->entries.n - 1].lot_no = (struct opt_int){true, lot->lot_no};
                write_draw(book, journal, i, paid);
                total += points;
        }
        return total;
}

bool book_spend(struct book *book, struct journal *journal, const struct posting *why, int64_t amount)
{
        struct allocations taken;

        assert(amount > 0 && book->lots_loaded);
        (void)book_expire(book, journal, why);
        if (!allocate_spend(journal->arena, book->lots, book->lot_count, amount, why->at, &taken))
                return false;
        book->account.active -= amount;
        book->account.lifetime_spent += amount;
        write_entry(book, journal, why, ENTRY_SPEND, -amount);
        write_draws(book, journal, &taken);
        return true;
}

/* Take from the lots of an origin first. */
static void reverse(struct book *book, struct journal *journal, const struct posting *why, struct uuid origin,
                    int64_t amount, enum refund_policy policy)
{
        struct points_account *account = &book->account;
        struct reversal reversal;

        assert(amount > 0 && book->lots_loaded);
        (void)book_expire(book, journal, why);
        allocate_reverse(journal->arena, book->lots, book->lot_count, origin, amount, policy, why->at,
                         &reversal);
        account->pending -= reversal.taken_pending;
        account->active -= reversal.taken_active;
        account->debt += reversal.debt + reversal.write_off;
        account->lifetime_earned -= amount - reversal.write_off;
        write_entry(book, journal, why, ENTRY_REVERSE, -amount);
        write_draws(book, journal, &reversal.taken);
        if (reversal.write_off == 0)
                return;
        account->debt -= reversal.write_off;
        write_entry(book, journal, why, ENTRY_WRITE_OFF, reversal.write_off);
}

void book_reverse(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
                  enum refund_policy policy)
{
        reverse(book, journal, why, why->order_id, amount, policy);
}

void book_take_back(struct book *book, struct journal *journal, const struct posting *why, int64_t lot_no,
                    int64_t amount, enum refund_policy policy)
{
        const struct uuid this_lot = {
                .b = {1}}; /* no order has this id; for the length of this call the lot does */
        struct lot *lot = NULL;
        struct uuid was = {0};

        for (size_t i = 0; i < book->lot_count; i++)
                if (book->lots[i].lot_no == lot_no)
                        lot = &book->lots[i];
        if (lot != NULL) {
                was = lot->order_id;
                lot->order_id = this_lot;
        }
        reverse(book, journal, why, this_lot, amount, policy);
        if (lot != NULL)
                lot->order_id = was;
}

bool book_check(const struct book *book)
{
        int64_t remaining = 0, held = 0;

        for (size_t i = 0; i < book->hold_count; i++)
                held += book->holds[i].state == HOLD_OPEN ? book->holds[i].points : 0;
        if (held > book->account.held)
                return false; /* not all holds need be here */
        if (!book->lots_loaded)
                return true;
        for (size_t i = 0; i < book->lot_count; i++)
                remaining += book->lots[i].remaining;
        return remaining == book->account.active + book->account.pending;
}
