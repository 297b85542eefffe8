/* Points that are reserved, and those that come back. Pure. */
#include <assert.h>

#include "points/expiry.h"
#include "points/posting.h"

NAMES(hold_state_names, "open", "captured", "released", "expired");

struct hold *book_hold_find(const struct book *book, struct uuid id)
{
        for (size_t i = 0; i < book->hold_count; i++)
                if (uuid_equal(book->holds[i].id, id))
                        return &book->holds[i];
        return NULL;
}

bool hold_is_open(const struct hold *hold, struct instant at)
{
        return hold->state == HOLD_OPEN && (!instant_known(hold->expires_at) || at.us < hold->expires_at.us);
}

enum err hold_resolvable(struct ctx *c, const struct hold *hold)
{
        if (hold_is_open(hold, c->now))
                return ERR_OK;
        unsigned state = hold->state == HOLD_OPEN ? HOLD_EXPIRED : hold->state;
        problem_string(c, "state", hold_state_names.v[state]);
        problem_int(c, "captured", hold->captured);
        return fail(c, ERR_HOLD_RESOLVED, "The hold is %s.", hold_state_names.v[state]);
}

enum err hold_unbound(struct ctx *c, const struct hold *hold, struct uuid order_id)
{
        char id[UUID_TEXT_SIZE];

        if (uuid_known(hold->redemption_id)) {
                uuid_to_text(hold->redemption_id, id);
                problem_string(c, "redemption_id", id);
                return fail(c, ERR_HOLD_BOUND, "The hold belongs to the redemption %s.", id);
        }
        if (!uuid_known(hold->order_id) || uuid_equal(hold->order_id, order_id))
                return ERR_OK;
        uuid_to_text(hold->order_id, id);
        problem_string(c, "order_id", id);
        return fail(c, ERR_HOLD_BOUND, "The hold waits for the order %s.", id);
}

struct uuid hold_named(struct uuid customer_id, const char *reference)
{
        return uuid_of_child("hold", customer_id, reference);
}

static const char ext[] = "ext:";

bool hold_reference(struct uuid customer_id, const char *text, struct uuid *ret)
{
        if (strncmp(text, ext, strlen(ext)) != 0)
                return uuid_from_text(text, ret);
        if (text[strlen(ext)] == '\0')
                return false;
        *ret = hold_named(customer_id, text + strlen(ext));
        return true;
}

bool hold_is_named(const struct hold *hold, const char *text)
{
        return hold->reference != NULL && strncmp(text, ext, strlen(ext)) == 0 &&
               strcmp(hold->reference, text + strlen(ext)) == 0;
}

struct hold *book_hold(struct book *book, struct journal *journal, const struct posting *why,
                       const struct hold *hold)
{
        struct allocations taken;

        assert(hold->points > 0 && book->lots_loaded);
        (void)book_expire(book, journal, why);
        if (!allocate_spend(journal->arena, book->lots, book->lot_count, hold->points, why->at, &taken))
                return NULL;
        book->account.active -= hold->points;
        book->account.held += hold->points;
        write_entry(book, journal, why, ENTRY_HOLD, -hold->points);
        write_draws(book, journal, &taken);
        book->holds =
                grown(journal->arena, book->holds, book->hold_count, &book->hold_room, sizeof *book->holds);
        struct hold *added = &book->holds[book->hold_count++];
        *added = *hold;
        added->customer_id = book->account.customer_id;
        added->state = HOLD_OPEN;
        added->seq = book->account.last_seq;
        added->created_at = why->at;
        added->draws.n = taken.n;
        added->draws.v = ARENA_ARRAY(journal->arena, taken.n, struct hold_draw);
        added->changed = true;
        for (size_t i = 0; i < taken.n; i++)
                added->draws.v[i] = (struct hold_draw){.customer_id = added->customer_id,
                                                       .hold_id = added->id,
                                                       .draw_no = (int64_t)i + 1,
                                                       .lot_no = book->lots[taken.v[i].lot].lot_no,
                                                       .amount = taken.v[i].amount};
        return added;
}

static size_t lot_find(const struct book *book, int64_t lot_no)
{
        size_t i = 0;

        while (book->lots[i].lot_no != lot_no) {
                i++;
                assert(i < book->lot_count); /* lots_loaded: what a hold drew from is here */
        }
        return i;
}

/* The draws of a hold as allocate_restore knows them. */
static struct spent *spent_of(const struct book *book, struct arena *arena, const struct hold *hold)
{
        struct spent *spent = ARENA_ARRAY(arena, hold->draws.n, struct spent);

        for (size_t i = 0; i < hold->draws.n; i++)
                spent[i] = (struct spent){.lot = lot_find(book, hold->draws.v[i].lot_no),
                                          .amount = hold->draws.v[i].amount,
                                          .restored = hold->draws.v[i].returned};
        return spent;
}

/* Book points that have come back to lots: debt is paid off with them first, with what was drawn first and so
 * lapses first. The entry is written with `kind`; the account's held or spent side is the caller's. */
static void write_back(struct book *book, struct journal *journal, const struct posting *why,
                       enum entry_kind kind, const struct restorations *back)
{
        struct points_account *account = &book->account;
        int64_t *net = ARENA_ARRAY(journal->arena, back->n, int64_t), total = 0;

        for (size_t i = back->n; i-- > 0;) {
                int64_t part = back->v[i].amount;
                int64_t paid = account->debt < part ? account->debt : part;
                account->debt -= paid;
                book->lots[back->v[i].lot].remaining -= paid;
                net[i] = part - paid;
                account->active += net[i];
                total += part;
        }
        write_entry(book, journal, why, kind, total);
        for (size_t i = 0; i < back->n; i++)
                write_draw(book, journal, back->v[i].lot, -net[i]);
}

static void draws_return(struct hold *hold, const struct spent *spent)
{
        for (size_t i = 0; i < hold->draws.n; i++)
                hold->draws.v[i].returned = spent[i].restored;
        hold->changed = true;
}

/* Give points of an open hold back to their lots as they are: reserving never lengthens a life. */
static void give_back(struct book *book, struct journal *journal, const struct posting *why,
                      struct hold *hold, int64_t points)
{
        struct spent *spent = spent_of(book, journal->arena, hold);
        struct restorations back = {.v = ARENA_ARRAY(journal->arena, hold->draws.n, struct restoration)};
        int64_t left = points;

        assert(book->lots_loaded);
        for (size_t i = hold->draws.n; i-- > 0 && left > 0;) {
                int64_t open = spent[i].amount - spent[i].restored;
                int64_t part = open < left ? open : left;
                spent[i].restored += part;
                left -= part;
                book->lots[spent[i].lot].remaining += part;
                back.v[back.n++] = (struct restoration){.lot = spent[i].lot, .amount = part};
        }
        assert(left == 0);
        draws_return(hold, spent);
        book->account.held -= points;
        write_back(book, journal, why, ENTRY_RELEASE, &back);
        (void)book_expire(book, journal, why);
}

static void resolve(struct hold *hold, enum hold_state state, const struct posting *why)
{
        assert(hold->state == HOLD_OPEN);
        hold->state = state;
        hold->resolved_at = why->at;
        hold->changed = true;
}

void book_capture(struct book *book, struct journal *journal, const struct posting *why, struct hold *hold,
                  int64_t points)
{
        assert(points > 0 && points <= hold->points);
        resolve(hold, HOLD_CAPTURED, why);
        hold->captured = points;
        book->account.held -= points;
        book->account.lifetime_spent += points;
        write_entry(book, journal, why, ENTRY_SPEND, -points);
        hold->spend_seq = book->account.last_seq;
        if (points < hold->points)
                give_back(book, journal, why, hold, hold->points - points);
}

void book_release(struct book *book, struct journal *journal, const struct posting *why, struct hold *hold,
                  enum hold_state state)
{
        resolve(hold, state, why);
        give_back(book, journal, why, hold, hold->points);
}

/* The hold whose time was over first; NULL: none is over. */
static struct hold *hold_over(struct book *book, struct instant now)
{
        struct hold *first = NULL;

        for (size_t i = 0; i < book->hold_count; i++) {
                struct hold *hold = &book->holds[i];
                if (hold->state == HOLD_OPEN && !hold_is_open(hold, now) &&
                    (first == NULL || hold->expires_at.us < first->expires_at.us))
                        first = hold;
        }
        return first;
}

void book_catch_up(struct book *book, struct journal *journal, struct instant at)
{
        const char *actor = journal->actor;
        struct hold *hold;

        journal->actor = NULL;
        while ((hold = hold_over(book, at)) != NULL) {
                struct posting why = {.at = at, .cause = "hold expired", .reference = hold->reference};
                book_release(book, journal, &why, hold, HOLD_EXPIRED);
        }
        struct posting why = {.at = at, .cause = "pending time over"};
        (void)book_activate(book, journal, &why, /* order_id= */ (struct uuid){0});
        (void)book_expire(book, journal, &(struct posting){.at = at});
        journal->actor = actor;
}

/* What lapsed by inactivity has no date of its own; it gets one, or it would lapse again as soon as it is
 * looked at. */
static void inactive_lots_live(struct book *book, const struct journal *journal,
                               const struct restorations *back, struct instant now, int64_t life_days)
{
        struct instant inactive =
                expiry_by_inactivity(journal->expiry, journal->zone, book->account.moved_at);

        if (!instant_known(inactive) || inactive.us > now.us)
                return;
        for (size_t i = 0; i < back->n; i++) {
                struct lot *lot = &book->lots[back->v[i].lot];
                if (!instant_known(lot->expires_at))
                        lot->expires_at.us = now.us + life_days * INSTANT_DAY;
        }
}

static struct instant *expiries_kept(const struct book *book, struct arena *arena)
{
        struct instant *kept = ARENA_ARRAY(arena, book->lot_count, struct instant);

        for (size_t i = 0; i < book->lot_count; i++)
                kept[i] = book->lots[i].expires_at;
        return kept;
}

/* The entry just written gave some lots another life. */
static void write_lives(const struct book *book, struct journal *journal, const struct instant *before)
{
        for (size_t i = 0; i < book->lot_count; i++) {
                if (book->lots[i].expires_at.us == before[i].us)
                        continue;
                journal->lives.v = grown(journal->arena, journal->lives.v, journal->lives.n,
                                         &journal->life_room, sizeof *journal->lives.v);
                journal->lives.v[journal->lives.n++] =
                        (struct lot_life){.customer_id = book->account.customer_id,
                                          .lot_no = book->lots[i].lot_no,
                                          .seq = book->account.last_seq,
                                          .expires_before = before[i]};
        }
}

void book_restore(struct book *book, struct journal *journal, const struct posting *why, struct hold *hold,
                  int64_t points, int64_t min_life_days)
{
        struct spent *spent = spent_of(book, journal->arena, hold);
        struct restorations back;

        assert(points > 0 && points <= hold->captured - hold->restored && book->lots_loaded);
        (void)book_expire(book, journal, why); /* or what is left in a lapsed lot would live again too */
        const struct instant *before = expiries_kept(book, journal->arena);
        allocate_restore(journal->arena, book->lots, spent, hold->draws.n, points, why->at, min_life_days,
                         &back);
        inactive_lots_live(book, journal, &back, why->at, min_life_days);
        draws_return(hold, spent);
        hold->restored += points;
        book->account.lifetime_spent -= points;
        write_back(book, journal, why, ENTRY_RESTORE, &back);
        write_lives(book, journal, before);
}

/* ------------------------------------------------------------------ expiry */

/* When a lot lapses: on its own date or, without one, by inactivity. */
static struct instant lapse_of(const struct lot *lot, struct instant inactive)
{
        return instant_known(lot->expires_at) ? lot->expires_at : inactive;
}

static bool holds_something(const struct lot *lot)
{
        return !lot->pending && lot->remaining > 0;
}

/* The earliest date on which something lapsed that has not been booked; none: nothing has. */
static struct instant first_lapsed(const struct book *book, struct instant inactive, struct instant now)
{
        struct instant first = {0};

        for (size_t i = 0; i < book->lot_count; i++) {
                struct instant at = lapse_of(&book->lots[i], inactive);
                if (holds_something(&book->lots[i]) && instant_known(at) && at.us <= now.us &&
                    (!instant_known(first) || at.us < first.us))
                        first = at;
        }
        return first;
}

/* Empty the lots that lapse on a date. */
static void date_expire(struct book *book, struct journal *journal, struct instant at, struct instant date,
                        struct instant inactive)
{
        struct allocations taken = {.v = ARENA_ARRAY(journal->arena, book->lot_count, struct allocation)};
        char *text = arena_alloc(journal->arena, INSTANT_TEXT_SIZE);
        int64_t points = 0;
        bool dated = false;

        for (size_t i = 0; i < book->lot_count; i++) {
                struct lot *lot = &book->lots[i];
                if (!holds_something(lot) || lapse_of(lot, inactive).us != date.us)
                        continue;
                dated = dated || instant_known(lot->expires_at);
                taken.v[taken.n++] = (struct allocation){.lot = i, .amount = lot->remaining};
                points += lot->remaining;
                lot->remaining = 0;
        }
        instant_format(date, text);
        book->account.active -= points;
        book->account.lifetime_expired += points;
        struct posting why = {.at = at, .cause = dated ? "expiry" : "inactivity", .reference = text};
        write_entry(book, journal, &why, ENTRY_EXPIRE, -points);
        write_draws(book, journal, &taken);
}

int64_t book_expire(struct book *book, struct journal *journal, const struct posting *why)
{
        struct instant inactive =
                expiry_by_inactivity(journal->expiry, journal->zone, book->account.moved_at);
        int64_t before = book->account.lifetime_expired;

        assert(book->lots_loaded);
        for (struct instant date = first_lapsed(book, inactive, why->at); instant_known(date);
             date = first_lapsed(book, inactive, why->at))
                date_expire(book, journal, why->at, date, inactive);
        return book->account.lifetime_expired - before;
}
