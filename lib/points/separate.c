#include "points/separate.h"

#include <assert.h>

#include "base/idmap.h"

/* What moves between the sides. */
struct crossing {
        bool any;             /* an entry of this side drew from a lot of the other */
        int64_t in;           /* how much, less what was given back */
        struct instant until; /* the latest end among those lots */
        bool forever;         /* one of them never lapses */
};

struct cut {
        struct arena *arena;
        const struct pile *pile;
        const struct leaving *leaving;
        struct separated *out;
        unsigned char *side; /* of each entry */
        int64_t *number;     /* its new seq */
        struct idmap orders, lot_by_no;
        struct ledger_entry last[SIDE_COUNT]; /* balances so far */
        struct crossing crossing[SIDE_COUNT];
        int64_t *lot_out; /* of each lot: what the other side drew */
};

static enum side side_of_hold(const struct cut *cut, const struct hold *hold)
{
        const struct leaving *leaving = cut->leaving;
        bool moved = hold->seq >= leaving->first_seq && hold->seq <= leaving->last_seq;

        return moved || idmap_get(&cut->orders, hold->order_id) != SIZE_MAX ? SIDE_LEAVES : SIDE_STAYS;
}

static enum side side_of_seq(const struct cut *cut, int64_t seq)
{
        assert(seq >= 1 && (size_t)seq <= cut->pile->entries.n);
        return cut->side[seq - 1];
}

static struct uuid customer_of(const struct cut *cut, enum side side)
{
        return side == SIDE_LEAVES ? cut->leaving->leaves : cut->leaving->stays;
}

/* Whose each entry is. A hold's entries go with it. */
static void take_sides(struct cut *cut)
{
        const struct pile *pile = cut->pile;
        const struct leaving *leaving = cut->leaving;

        for (size_t i = 0; i < pile->entries.n; i++) {
                const struct ledger_entry *entry = &pile->entries.v[i];
                assert(entry->seq == (int64_t)i + 1);
                bool moved = entry->seq >= leaving->first_seq && entry->seq <= leaving->last_seq;
                bool about =
                        uuid_known(entry->order_id) && idmap_get(&cut->orders, entry->order_id) != SIZE_MAX;
                cut->side[i] = moved || about ? SIDE_LEAVES : SIDE_STAYS;
        }
        for (size_t i = 0; i < pile->holds.n; i++) {
                const struct hold *hold = &pile->holds.v[i];
                enum side side = side_of_hold(cut, hold);
                cut->side[hold->seq - 1] = (unsigned char)side;
                if (hold->spend_seq > 0)
                        cut->side[hold->spend_seq - 1] = (unsigned char)side;
        }
}

static size_t lot_at(const struct cut *cut, int64_t lot_no)
{
        size_t i = 0;

        while (cut->pile->lots.v[i].lot_no != lot_no) { /* a spend draws from few lots, undoing is rare */
                i++;
                assert(i < cut->pile->lots.n); /* a draw has its lot */
        }
        return i;
}

/* When an entry moved points, as an account remembers it; none: it did not. */
static struct instant moved_by(const struct cut *cut, const struct ledger_entry *entry)
{
        if (entry->kind == ENTRY_EARN || entry->kind == ENTRY_SPEND ||
            (entry->kind == ENTRY_ADJUST && entry->amount > 0))
                return entry->created_at;
        if (entry->kind == ENTRY_ACTIVATE && entry->lot_no.set)
                return cut->pile->lots.v[lot_at(cut, entry->lot_no.v)].active_from;
        return (struct instant){0};
}

static void lifetime_add(const struct cut *cut, struct points_account *account,
                         const struct ledger_entry *entry)
{
        struct instant moved = moved_by(cut, entry);

        if (entry->kind == ENTRY_EARN || entry->kind == ENTRY_REVERSE || entry->kind == ENTRY_WRITE_OFF ||
            entry->kind == ENTRY_ADJUST)
                account->lifetime_earned += entry->amount;
        if (entry->kind == ENTRY_SPEND || entry->kind == ENTRY_RESTORE)
                account->lifetime_spent -= entry->amount;
        if (entry->kind == ENTRY_EXPIRE)
                account->lifetime_expired -= entry->amount;
        if (moved.us > account->moved_at.us)
                account->moved_at = moved;
}

/* Each entry goes on to do to its own side what it did to both. */
static void entries_cut(struct cut *cut)
{
        const struct pile *pile = cut->pile;
        struct separated *out = cut->out;
        struct ledger_entry before = {0};

        out->entries.v = ARENA_ARRAY(cut->arena, pile->entries.n, struct ledger_entry);
        for (size_t i = 0; i < pile->entries.n; i++) {
                const struct ledger_entry *was = &pile->entries.v[i];
                enum side side = cut->side[i];
                struct ledger_entry *last = &cut->last[side];
                struct ledger_entry entry = *was;
                entry.customer_id = customer_of(cut, side);
                entry.seq = last->seq + 1;
                entry.active_after = last->active_after + was->active_after - before.active_after;
                entry.pending_after = last->pending_after + was->pending_after - before.pending_after;
                entry.held_after = last->held_after + was->held_after - before.held_after;
                entry.debt_after = last->debt_after + was->debt_after - before.debt_after;
                cut->number[i] = entry.seq;
                if (was->lot_no.set) { /* it was earned before, so its number is known */
                        entry.lot_no.set = cut->side[was->lot_no.v - 1] == side;
                        entry.lot_no.v = cut->number[was->lot_no.v - 1];
                }
                lifetime_add(cut, &out->accounts[side], was);
                before = *was;
                *last = entry;
                out->entries.v[out->entries.n++] = entry;
        }
}

static void lots_cut(struct cut *cut)
{
        const struct pile *pile = cut->pile;
        struct separated *out = cut->out;

        out->lots.v = ARENA_ARRAY(cut->arena, pile->lots.n, struct renumbered);
        for (size_t i = 0; i < pile->lots.n; i++) {
                int64_t no = pile->lots.v[i].lot_no;
                out->lots.v[out->lots.n++] =
                        (struct renumbered){customer_of(cut, side_of_seq(cut, no)), no, cut->number[no - 1]};
        }
}

/* The number of the lot in which a side gets what it drew from the other. */
static int64_t lot_of_crossing(const struct cut *cut, enum side side)
{
        return cut->last[side].seq + 1;
}

static void crossing_note(struct cut *cut, enum side side, size_t lot, int64_t amount)
{
        struct crossing *crossing = &cut->crossing[side];
        struct instant end = cut->pile->lots.v[lot].expires_at;

        crossing->any = true;
        crossing->in += amount;
        crossing->forever |= !instant_known(end);
        if (end.us > crossing->until.us)
                crossing->until = end;
        cut->lot_out[lot] += amount;
}

/* Draws of one entry from several lots of the other side become one from the lot of the crossing. */
static void draw_cross(struct separated *out, const struct lot_draw *draw)
{
        for (size_t i = 0; i < out->draws.n; i++) {
                struct lot_draw *known = &out->draws.v[i];
                if (known->seq == draw->seq && known->lot_no == draw->lot_no &&
                    uuid_equal(known->customer_id, draw->customer_id)) {
                        known->amount += draw->amount;
                        return;
                }
        }
        out->draws.v[out->draws.n++] = *draw;
}

static void draws_cut(struct cut *cut)
{
        const struct pile *pile = cut->pile;
        struct separated *out = cut->out;

        out->draws.v = ARENA_ARRAY(cut->arena, pile->draws.n + pile->lots.n, struct lot_draw);
        for (size_t i = 0; i < pile->draws.n; i++) {
                const struct lot_draw *was = &pile->draws.v[i];
                enum side side = side_of_seq(cut, was->seq);
                struct lot_draw draw = {customer_of(cut, side), cut->number[was->seq - 1],
                                        cut->number[was->lot_no - 1], was->amount};
                if (side_of_seq(cut, was->lot_no) == side) {
                        out->draws.v[out->draws.n++] = draw;
                        continue;
                }
                draw.lot_no = lot_of_crossing(cut, side);
                crossing_note(cut, side, lot_at(cut, was->lot_no), was->amount);
                draw_cross(out, &draw);
        }
}

static void hold_draw_add(struct separated *out, const struct hold_draw *draw)
{
        for (size_t i = 0; i < out->hold_draws.n; i++) {
                struct hold_draw *known = &out->hold_draws.v[i];
                if (known->lot_no == draw->lot_no && uuid_equal(known->hold_id, draw->hold_id) &&
                    uuid_equal(known->customer_id, draw->customer_id)) {
                        known->amount += draw->amount;
                        known->returned += draw->returned;
                        return;
                }
        }
        out->hold_draws.v[out->hold_draws.n++] = *draw;
}

static void holds_cut(struct cut *cut)
{
        const struct pile *pile = cut->pile;
        struct separated *out = cut->out;

        out->holds.v = ARENA_ARRAY(cut->arena, pile->holds.n, struct hold);
        out->hold_draws.v = ARENA_ARRAY(cut->arena, pile->hold_draws.n, struct hold_draw);
        for (size_t i = 0; i < pile->holds.n; i++) {
                struct hold hold = pile->holds.v[i];
                enum side side = side_of_seq(cut, hold.seq);
                hold.customer_id = customer_of(cut, side);
                for (size_t k = 0; k < pile->hold_draws.n; k++) {
                        struct hold_draw draw = pile->hold_draws.v[k];
                        if (!uuid_equal(draw.hold_id, hold.id))
                                continue;
                        draw.customer_id = hold.customer_id;
                        draw.lot_no = side_of_seq(cut, draw.lot_no) == side ? cut->number[draw.lot_no - 1]
                                                                            : lot_of_crossing(cut, side);
                        hold_draw_add(out, &draw);
                }
                hold.seq = cut->number[hold.seq - 1];
                hold.spend_seq = hold.spend_seq > 0 ? cut->number[hold.spend_seq - 1] : 0;
                out->holds.v[out->holds.n++] = hold;
        }
}

/* ------------------------------------------------------------------ what changes hands */

static struct ledger_entry *entry_new(struct cut *cut, enum side side, enum entry_kind kind, int64_t amount)
{
        struct ledger_entry *last = &cut->last[side];

        last->customer_id = customer_of(cut, side);
        last->seq++;
        last->kind = kind;
        last->amount = amount;
        last->cause = "merge undone";
        last->order_id = (struct uuid){0};
        last->reference = last->reason = last->actor = NULL;
        last->lot_no = (struct opt_int){0};
        last->created_at = cut->leaving->at;
        cut->out->new_entries.v[cut->out->new_entries.n] = *last;
        return &cut->out->new_entries.v[cut->out->new_entries.n++];
}

static void transfer_in(struct cut *cut, enum side side)
{
        const struct crossing *crossing = &cut->crossing[side];

        cut->last[side].active_after += crossing->in;
        struct ledger_entry *entry = entry_new(cut, side, ENTRY_TRANSFER_IN, crossing->in);
        cut->out->new_lots.v[cut->out->new_lots.n++] =
                (struct lot){.customer_id = entry->customer_id,
                             .lot_no = entry->seq,
                             .amount = crossing->in,
                             .active_from = cut->leaving->at,
                             .expires_at = crossing->forever ? (struct instant){0} : crossing->until};
}

static void transfer_out(struct cut *cut, enum side side, int64_t amount)
{
        cut->last[side].active_after -= amount;
        const struct ledger_entry *entry = entry_new(cut, side, ENTRY_TRANSFER_OUT, -amount);
        for (size_t i = 0; i < cut->pile->lots.n; i++) {
                int64_t no = cut->pile->lots.v[i].lot_no;
                if (cut->lot_out[i] != 0 && side_of_seq(cut, no) == side)
                        cut->out->draws.v[cut->out->draws.n++] = (struct lot_draw){
                                entry->customer_id, entry->seq, cut->number[no - 1], cut->lot_out[i]};
        }
}

/* What the lots and the debt of a side say it has. */
static struct points_account truth(const struct cut *cut, enum side side, int64_t debt)
{
        struct points_account has = cut->out->accounts[side];

        has.customer_id = customer_of(cut, side);
        has.debt = debt;
        for (size_t i = 0; i < cut->pile->lots.n; i++) {
                const struct lot *lot = &cut->pile->lots.v[i];
                if (side_of_seq(cut, lot->lot_no) == side)
                        *(lot->pending ? &has.pending : &has.active) += lot->remaining;
        }
        return has;
}

/* Bring the ledger of a side to what it has. Points that became active under the other side's name make an
 * entry of nothing. */
static bool settle(struct cut *cut, enum side side, int64_t debt)
{
        struct ledger_entry *last = &cut->last[side];
        int64_t out = cut->crossing[side == SIDE_STAYS ? SIDE_LEAVES : SIDE_STAYS].in;
        struct points_account has = truth(cut, side, debt);

        if (cut->crossing[side].any)
                transfer_in(cut, side);
        if (out > 0)
                transfer_out(cut, side, out);
        if (last->debt_after != debt) {
                int64_t less = last->debt_after - debt;
                last->debt_after = debt;
                (void)entry_new(cut, side, ENTRY_TRANSFER_DEBT, less);
        }
        if (last->active_after + last->pending_after != has.active + has.pending || last->held_after != 0)
                return false;
        if (last->active_after != has.active) {
                last->active_after = has.active;
                last->pending_after = has.pending;
                (void)entry_new(cut, side, ENTRY_ACTIVATE, 0);
        }
        has.last_seq = last->seq;
        cut->out->accounts[side] = has;
        return true;
}

static int64_t clamp(int64_t value, int64_t most)
{
        if (value < 0)
                return 0;
        return value < most ? value : most;
}

bool pile_separate(struct arena *arena, const struct pile *pile, const struct leaving *leaving,
                   struct separated *ret)
{
        struct separated out = {0};
        struct cut cut = {.arena = arena,
                          .pile = pile,
                          .leaving = leaving,
                          .out = &out,
                          .side = ARENA_ARRAY(arena, pile->entries.n, unsigned char),
                          .number = ARENA_ARRAY(arena, pile->entries.n, int64_t),
                          .lot_out = ARENA_ARRAY(arena, pile->lots.n, int64_t),
                          .orders = idmap_new(arena, leaving->order_count)};
        const size_t settling = 4 * (size_t)SIDE_COUNT; /* entries that `settle` writes at most */

        for (size_t i = 0; i < leaving->order_count; i++)
                idmap_put(&cut.orders, leaving->orders[i], i);
        out.new_entries.v = ARENA_ARRAY(arena, settling, struct ledger_entry);
        out.new_lots.v = ARENA_ARRAY(arena, SIDE_COUNT, struct lot);
        take_sides(&cut);
        entries_cut(&cut);
        lots_cut(&cut);
        draws_cut(&cut);
        holds_cut(&cut);
        if (cut.crossing[SIDE_STAYS].in < 0 || cut.crossing[SIDE_LEAVES].in < 0)
                return false;
        int64_t debt = clamp(cut.last[SIDE_LEAVES].debt_after, pile->debt);
        if (!settle(&cut, SIDE_LEAVES, debt) || !settle(&cut, SIDE_STAYS, pile->debt - debt))
                return false;
        size_t kept = 0;
        for (size_t i = 0; i < out.draws.n; i++)
                if (out.draws.v[i].amount != 0) /* drawn and given back */
                        out.draws.v[kept++] = out.draws.v[i];
        out.draws.n = kept;
        *ret = out;
        return true;
}
