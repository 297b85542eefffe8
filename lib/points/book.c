#include "points/book.h"

#include <assert.h>

#include "points/expiry.h"
#include "points/posting.h"

NAMES(entry_kind_names, "earn", "activate", "spend", "reverse", "write_off", "hold", "release", "restore",
      "expire", "transfer_in", "transfer_out", "transfer_debt");

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

        if ((kind == ENTRY_EARN || kind == ENTRY_SPEND) && why->at.us > account->moved_at.us)
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
        return (struct journal){.arena = c->arena, .expiry = &program->points.expiry, .zone = &c->shop->zone};
}

bool book_earn_needs_lots(const struct book *book, const struct journal *journal, struct instant at)
{
        struct instant end = expiry_by_inactivity(journal->expiry, journal->zone, book->account.moved_at);

        return instant_known(end) && end.us <= at.us;
}

void book_earn(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
               bool pending, struct instant active_from)
{
        struct points_account *account = &book->account;

        assert(amount > 0 && !(book_earn_needs_lots(book, journal, why->at) && !book->lots_loaded));
        if (book->lots_loaded)
                (void)book_expire(book, journal, why);
        size_t at = lot_add(book, journal->arena,
                            (struct lot){.customer_id = account->customer_id,
                                         .lot_no = account->last_seq + 1,
                                         .amount = amount,
                                         .remaining = amount,
                                         .pending = pending,
                                         .active_from = pending ? active_from : why->at,
                                         .order_id = why->order_id},
                            LOT_NEW);
        int64_t paid = 0;
        if (pending)
                account->pending += amount;
        else
                paid = activate(account, journal, &book->lots[at]);
        account->lifetime_earned += amount;
        write_entry(book, journal, why, ENTRY_EARN, amount);
        write_draw(book, journal, at, paid);
}

int64_t book_activate(struct book *book, struct journal *journal, const struct posting *why,
                      struct uuid order_id)
{
        int64_t total = 0;

        assert(book->lots_loaded);
        for (size_t i = 0; i < book->lot_count; i++) {
                struct lot *lot = &book->lots[i];
                bool named = uuid_known(order_id) && uuid_equal(lot->order_id, order_id);
                bool due = instant_known(lot->active_from) && lot->active_from.us <= why->at.us;
                if (!lot->pending || lot->remaining == 0 || !(named || (!uuid_known(order_id) && due)))
                        continue;
                int64_t points = lot->remaining;
                book->account.pending -= points;
                if (named)
                        lot->active_from = why->at;
                int64_t paid = activate(&book->account, journal, lot);
                write_entry(book, journal, why, ENTRY_ACTIVATE, points);
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

void book_reverse(struct book *book, struct journal *journal, const struct posting *why, int64_t amount,
                  enum refund_policy policy)
{
        struct points_account *account = &book->account;
        struct reversal reversal;

        assert(amount > 0 && book->lots_loaded);
        (void)book_expire(book, journal, why);
        allocate_reverse(journal->arena, book->lots, book->lot_count, why->order_id, amount, policy, why->at,
                         &reversal);
        account->pending -= reversal.taken_pending;
        account->active -= reversal.taken_active;
        account->debt += reversal.debt + reversal.write_off;
        account->lifetime_earned -= amount;
        write_entry(book, journal, why, ENTRY_REVERSE, -amount);
        write_draws(book, journal, &reversal.taken);
        if (reversal.write_off == 0)
                return;
        account->debt -= reversal.write_off;
        write_entry(book, journal, why, ENTRY_WRITE_OFF, reversal.write_off);
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
