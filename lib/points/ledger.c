/* The ledger as it is read: every entry with what it takes to explain it. */
#include "customers/customers.h"
#include "db/page.h"
#include "points/store.h"
#include "program/programs.h"

#define SHAPE_T struct ledger_page
SHAPE(ledger_page, "A position.", FIELD(customer_id), FIELD(before_seq), FIELD(limit));
#undef SHAPE_T

#define SHAPE_T struct drawn
SHAPE(drawn, "Points of one earning.", FIELD(lot_no, .doc = "The ledger entry that earned them."),
      FIELD(amount, .doc = "Taken from it; with a minus: given back to it."),
      FIELD(order_external_id, .doc = "Of the order that had earned them; null: they were no order's."),
      FIELD(earned_at), FIELD(expires_at, .doc = "When what is left of it lapses; null: not by a date."));
#undef SHAPE_T

#define SHAPE_T struct ledger_line
SHAPE(ledger_line, "One immutable line of the history of a customer's points, with what explains it.",
      FIELD(customer_id, .need = true), FIELD(seq, .doc = "Counts up per customer."),
      FIELD(kind, .need = true, .names = &entry_kind_names),
      FIELD(amount,
            .doc = "Signed. An activation moves its amount from pending to active and changes no total."),
      FIELD(active_after), FIELD(pending_after), FIELD(held_after), FIELD(debt_after),
      FIELD(cause, .need = true, .doc = "Why, in a word or two."), FIELD(order_id),
      FIELD(order_external_id,
            .doc = "The shop's own number of the order; of an activation, that of the order whose points became active."),
      FIELD(reference,
            .doc = "The shop's own name of what caused it: external_id of the order, refund or adjustment, reference of "
                   "the hold, key of the activity; of an expiry: its date."),
      FIELD(reason, .doc = "What a person said."),
      FIELD(actor, .doc = "Id of the key that asked for it; null: time, or the command line."),
      FIELD(actor_name, .doc = "What that key is called."),
      FIELD(approved_by, .doc = "Id of the second key that an adjustment needed."),
      FIELD(approved_by_name, .doc = "What that key is called."),
      FIELD(lot_no,
            .doc = "The entry that earned the points: of an activation another one, of an earning itself."),
      FIELD(lot_remaining, .doc = "What is left of them now."),
      FIELD(active_from,
            .doc = "When they became or become active; null: they wait for a state of the order."),
      FIELD(expires_at, .doc = "When what is left of them lapses; null: not by a date."),
      LIST(explanation, explained, .doc = "Of an order's earning: what each rule brought."),
      LIST(draws, drawn, .doc = "From which earnings the points were taken, in spending order."),
      FIELD(created_at, .need = true));
#undef SHAPE_T

/* Columns of the list members are filled by the statements below. */
struct ledger_row {
        struct uuid customer_id;
        int64_t seq;
        unsigned kind;
        int64_t amount, active_after, pending_after, held_after, debt_after;
        const char *cause;
        struct uuid order_id;
        const char *order_external_id, *reference, *reason, *actor, *actor_name, *approved_by,
                *approved_by_name;
        struct opt_int lot_no, lot_remaining;
        struct instant active_from, expires_at, created_at;
};
#define SHAPE_T struct ledger_row
SHAPE(ledger_row, "A line as stored.", FIELD(customer_id), FIELD(seq),
      FIELD(kind, .names = &entry_kind_names), FIELD(amount), FIELD(active_after), FIELD(pending_after),
      FIELD(held_after), FIELD(debt_after), FIELD(cause), FIELD(order_id), FIELD(order_external_id),
      FIELD(reference), FIELD(reason), FIELD(actor), FIELD(actor_name), FIELD(approved_by),
      FIELD(approved_by_name), FIELD(lot_no), FIELD(lot_remaining), FIELD(active_from), FIELD(expires_at),
      FIELD(created_at));
#undef SHAPE_T

SQL_PAGE(
        ledger_load, ledger_page, ledger_row,
        "l.customer_id, l.seq, l.kind, l.amount, l.active_after, l.pending_after, l.held_after, l.debt_after, "
        "l.cause, o.id AS order_id, o.external_id AS order_external_id, l.reference, l.reason, l.actor, "
        "k.name AS actor_name, p.decided_by AS approved_by, q.name AS approved_by_name, t.lot_no, t.remaining AS lot_remaining, t.active_from, t.expires_at, l.created_at",
        "points_ledger l "
        "LEFT JOIN points_lots t ON t.customer_id = l.customer_id AND t.lot_no = coalesce(l.lot_no, l.seq) "
        "LEFT JOIN orders o ON o.customer_id = l.customer_id AND o.id = coalesce(l.order_id, t.order_id) "
        "LEFT JOIN access_keys k ON k.id = l.actor "
        "LEFT JOIN points_adjustments a ON a.customer_id = l.customer_id AND a.seq = l.seq AND l.kind = 'adjust' "
        "LEFT JOIN points_approvals p ON p.id = a.approval_id LEFT JOIN access_keys q ON q.id = p.decided_by WHERE l.customer_id = :customer_id",
        "AND (:before_seq = 0 OR l.seq < :before_seq) ORDER BY l.seq DESC")

struct page_span {
        struct uuid customer_id;
        int64_t first_seq, last_seq;
        struct uuids orders;
};
#define SHAPE_T struct page_span
SHAPE(page_span, "What the lines are about.", FIELD(customer_id), FIELD(first_seq), FIELD(last_seq),
      FIELD(orders));
#undef SHAPE_T

struct draw_row {
        int64_t seq, lot_no, amount;
        const char *order_external_id;
        struct instant earned_at, expires_at;
};
#define SHAPE_T struct draw_row
SHAPE(draw_row, "A draw.", FIELD(seq), FIELD(lot_no), FIELD(amount), FIELD(order_external_id),
      FIELD(earned_at), FIELD(expires_at));
#undef SHAPE_T

struct explained_row {
        struct uuid order_id;
        const char *rule;
        int64_t points;
};
#define SHAPE_T struct explained_row
SHAPE(explained_row, "What a rule brought.", FIELD(order_id), FIELD(rule), FIELD(points));
#undef SHAPE_T

SQL_LATER(
        page_draws, page_span, draw_row,
        "SELECT a.seq, a.lot_no, a.amount, o.external_id AS order_external_id, e.created_at AS earned_at, t.expires_at "
        "FROM points_allocations a JOIN points_lots t ON t.customer_id = a.customer_id AND t.lot_no = a.lot_no "
        "JOIN points_ledger e ON e.customer_id = a.customer_id AND e.seq = a.lot_no "
        "LEFT JOIN orders o ON o.customer_id = t.customer_id AND o.id = t.order_id WHERE a.customer_id = :customer_id "
        "AND a.seq BETWEEN :first_seq AND :last_seq ORDER BY a.seq, t.expires_at, a.lot_no")

/* The call that made an order count was answered with what each rule brought. */
SQL_LATER(page_explanations, page_span, explained_row,
          "SELECT k.order_id, e.one ->> 'rule' AS rule, (e.one ->> 'points')::bigint AS points "
          "FROM (SELECT order_id, call_no, outcome::jsonb -> 'points' AS points FROM order_calls "
          "WHERE customer_id = :customer_id AND order_id = ANY(:orders)) AS k, "
          "jsonb_array_elements(k.points -> 'explanation') WITH ORDINALITY AS e(one, n) "
          "WHERE (k.points ->> 'earned')::bigint > 0 ORDER BY k.order_id, k.call_no, e.n")

static struct ledger_line line_of(const struct ledger_row *row)
{
        return (struct ledger_line){
                .customer_id = row->customer_id,
                .seq = row->seq,
                .kind = row->kind,
                .amount = row->amount,
                .active_after = row->active_after,
                .pending_after = row->pending_after,
                .held_after = row->held_after,
                .debt_after = row->debt_after,
                .cause = row->cause,
                .order_id = row->order_id,
                .order_external_id = row->order_external_id,
                .reference = row->reference,
                .reason = row->reason,
                .actor = row->actor,
                .actor_name = row->actor_name,
                .approved_by = row->approved_by,
                .approved_by_name = row->approved_by_name,
                .lot_no = row->lot_no,
                .lot_remaining = row->lot_remaining,
                .active_from = row->active_from,
                .expires_at = row->expires_at,
                .created_at = row->created_at,
        };
}

static void draws_give(struct arena *arena, struct ledger_line *line, const struct list *rows)
{
        const struct draw_row *draws = rows->v;
        size_t n = 0;

        for (size_t i = 0; i < rows->n; i++)
                n += draws[i].seq == line->seq;
        line->draws.v = ARENA_ARRAY(arena, n, struct drawn);
        for (size_t i = 0; i < rows->n; i++)
                if (draws[i].seq == line->seq)
                        line->draws.v[line->draws.n++] =
                                (struct drawn){draws[i].lot_no, draws[i].amount, draws[i].order_external_id,
                                               draws[i].earned_at, draws[i].expires_at};
}

static void explanation_give(struct arena *arena, struct ledger_line *line, const struct list *rows)
{
        const struct explained_row *explained = rows->v;
        size_t n = 0;

        if (line->kind != ENTRY_EARN || !uuid_known(line->order_id))
                return;
        for (size_t i = 0; i < rows->n; i++)
                n += uuid_equal(explained[i].order_id, line->order_id);
        line->explanation.v = ARENA_ARRAY(arena, n, struct explained);
        for (size_t i = 0; i < rows->n; i++)
                if (uuid_equal(explained[i].order_id, line->order_id))
                        line->explanation.v[line->explanation.n++] =
                                (struct explained){explained[i].rule, explained[i].points};
}

/* A balance is told as of now, though the housekeeper has not come by; so the ledger that explains it gets
 * the lines that he would write, before it is told. */
static enum err settle(struct ctx *c, struct uuid customer_id)
{
        const struct uuid no_hold = {0};
        struct list locked;
        struct book book;
        PROGRAM(program);
        struct journal journal = journal_of(c, program);
        TX(tx);

        TRY(book_load(c, customer_id, no_hold, &book));
        if (!book_is_due(&book, &journal, c->now))
                return ERR_OK;
        TRY(tx_begin(c, &tx));
        TRY(customers_lock(c, &(struct uuids){&customer_id, 1}, &locked));
        TRY(book_load(c, customer_id, no_hold, &book));
        TRY(points_catch_up(c, (struct book *[]){&book}, 1, &journal, c->now));
        TRY(book_store(c, &book, &journal));
        return tx_commit(&tx);
}

enum err points_ledger(struct ctx *c, const struct ledger_page *page, struct list *ret)
{
        struct list rows, draws = {0}, explanations = {0};
        struct page_span span = {.customer_id = page->customer_id};

        if (page->before_seq == 0)
                TRY(settle(c, page->customer_id));
        TRY(ledger_load(c, page, &rows));
        const struct ledger_row *entries = rows.v;
        struct ledger_line *lines = ARENA_ARRAY(c->arena, rows.n, struct ledger_line);
        span.orders.v = ARENA_ARRAY(c->arena, rows.n, struct uuid);
        for (size_t i = 0; i < rows.n; i++) {
                lines[i] = line_of(&entries[i]);
                if (lines[i].kind == ENTRY_EARN && uuid_known(lines[i].order_id))
                        span.orders.v[span.orders.n++] = lines[i].order_id;
        }
        if (rows.n > 0) {
                span.last_seq = entries[0].seq;
                span.first_seq = entries[rows.n - 1].seq;
                TRY(page_draws(c, &span, &draws));
                TRY(page_explanations(c, &span, &explanations));
                TRY(db_flush(c));
        }
        for (size_t i = 0; i < rows.n; i++) {
                draws_give(c->arena, &lines[i], &draws);
                explanation_give(c->arena, &lines[i], &explanations);
        }
        *ret = (struct list){lines, rows.n};
        return ERR_OK;
}
