/* What a customer had at a past instant, told from the ledger alone: entries up to then, lots less what
 * entries up to then drew from them, dates as they were then, and the programme that was in force. */
#include "customers/customers.h"
#include "points/expiry.h"
#include "points/store.h"
#include "program/versions.h"

struct moment_query {
        struct uuid customer_id;
        struct instant at;
};
#define SHAPE_T struct moment_query
SHAPE(moment_query, "Who and when.", FIELD(customer_id), FIELD(at));
#undef SHAPE_T

#define CHANGE(of) "sum(" of "_after - " of "_before)::bigint"
#define BEFORE(of) "lag(" of "_after, 1, 0::bigint) OVER w AS " of "_before"

/* What came with a merge was somebody else's before. */
#define NOT_YET_JOINED(seq_)                                                                                     \
        "EXISTS (SELECT FROM points_joined j WHERE j.customer_id = :customer_id AND j.joined_at > :at AND " seq_ \
        " BETWEEN j.first_seq AND j.last_seq)"

/* History that is sent later has its own times: so each entry's change counts, and not its place. */
SQL_LATER(
        account_as_of, moment_query, points_account,
        "SELECT :customer_id AS customer_id, coalesce(" CHANGE("active") ", 0) AS active, coalesce(" CHANGE("pending") ", 0) AS pending, coalesce(" CHANGE("held") ", 0) AS held, coalesce(" CHANGE(
                "debt") ", 0) AS debt, "
                        "coalesce(sum(amount) FILTER (WHERE kind IN ('earn', 'reverse', 'write_off', 'adjust')), 0)::bigint AS lifetime_earned, "
                        "coalesce(-sum(amount) FILTER (WHERE kind IN ('spend', 'restore')), 0)::bigint AS lifetime_spent, "
                        "coalesce(-sum(amount) FILTER (WHERE kind = 'expire'), 0)::bigint AS lifetime_expired, "
                        "coalesce(max(seq), 0) AS last_seq, max(CASE WHEN kind IN ('earn', 'spend') OR (kind = 'adjust' AND amount > 0) THEN created_at "
                        "WHEN kind = 'activate' THEN (SELECT active_from FROM points_lots t WHERE t.customer_id = l.customer_id "
                        "AND t.lot_no = l.lot_no) END) AS moved_at FROM (SELECT *, " BEFORE("active") ", " BEFORE(
                                "pending") ", " BEFORE("held") ", " BEFORE("debt") " FROM points_ledger WHERE customer_id = :customer_id "
                                                                                   "WINDOW w AS (ORDER BY seq)) AS l WHERE created_at <= :at AND NOT " NOT_YET_JOINED(
                                                                                           "l.seq"))

/* A lot that was ever activated was active from then on, one that never was and isn't pending from the start.
 */
SQL_LATER(
        expiries_as_of, moment_query, expiring,
        "SELECT customer_id, expires_at, sum(remaining)::bigint AS points FROM (SELECT t.customer_id, "
        "CASE WHEN v.seq IS NULL THEN t.expires_at ELSE v.expires_before END AS expires_at, "
        "t.amount - coalesce(d.drawn, 0) AS remaining FROM points_lots t "
        "JOIN points_ledger e ON e.customer_id = t.customer_id AND e.seq = t.lot_no AND e.created_at <= :at "
        "LEFT JOIN LATERAL (SELECT l.created_at FROM points_ledger l WHERE l.customer_id = t.customer_id "
        "AND l.kind = 'activate' AND l.lot_no = t.lot_no) AS a ON true "
        "LEFT JOIN LATERAL (SELECT sum(x.amount) AS drawn FROM points_allocations x JOIN points_ledger l "
        "ON l.customer_id = x.customer_id AND l.seq = x.seq AND l.created_at <= :at "
        "WHERE x.customer_id = t.customer_id AND x.lot_no = t.lot_no) AS d ON true "
        "LEFT JOIN LATERAL (SELECT c.seq, c.expires_before FROM points_lot_lives c JOIN points_ledger l "
        "ON l.customer_id = c.customer_id AND l.seq = c.seq AND l.created_at > :at "
        "WHERE c.customer_id = t.customer_id AND c.lot_no = t.lot_no ORDER BY c.seq LIMIT 1) AS v ON true "
        "WHERE t.customer_id = :customer_id AND NOT " NOT_YET_JOINED(
                "t.lot_no") " AND CASE WHEN a.created_at IS NOT NULL THEN a.created_at <= :at "
                            "ELSE NOT t.pending END) AS o WHERE expires_at IS NOT NULL AND remaining > 0 "
                            "GROUP BY customer_id, expires_at ORDER BY customer_id, expires_at")

enum err balance_as_of(struct ctx *c, const char *reference, struct instant at, struct points_balance *ret)
{
        struct customer customer;
        struct list accounts = {0}, expiries = {0};
        struct program program;

        if (at.us > c->now.us) {
                fault_parameter(c, "as_of", "too_large", "must not lie in the future");
                return problem_check(c);
        }
        TRY(customer_get(c, reference, &customer));
        struct moment_query query = {customer.id, at};
        TRY(program_at(c, at, &program));
        TRY(account_as_of(c, &query, &accounts));
        TRY(expiries_as_of(c, &query, &expiries));
        TRY(db_flush(c));
        balance_fill(c, &program, accounts.v, &expiries, ret);
        return ERR_OK;
}
