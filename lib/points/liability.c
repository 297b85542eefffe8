#include "points/liability.h"

#include <stdlib.h>

#include "db/statement.h"
#include "points/expiry.h"
#include "points/share.h"
#include "program/programs.h"

#define PERMILLE 1000
#define HUNDRED  100

#define SHAPE_T struct liability_line
SHAPE(liability_line, "Points outstanding that lapse in one month.",
      FIELD(month,
            .doc = "YYYY-MM, of the last day on which they can be spent, by their own date or when nothing moves "
                   "until then; null: they never lapse, or it is not known yet."),
      FIELD(active),
      FIELD(held, .doc = "By when they would have lapsed; those of a past month lapse when they come back."),
      FIELD(pending, .doc = "What will become of them is known when they become active: without a month."),
      FIELD(points, .doc = "Active, held and pending."), FIELD(value_minor),
      FIELD(breakage_points, .doc = "Expected never to be spent."), FIELD(breakage_minor));
#undef SHAPE_T

#define SHAPE_T struct liability
SHAPE(liability, "What the shop owes in points.", FIELD(at, .need = true),
      FIELD(value_minor_per_100, .doc = "What 100 points are worth, by the programme."),
      LIST(lines, liability_line,
           .doc = "All that is outstanding, earliest month first, without a month last."),
      FIELD(active), FIELD(pending), FIELD(held), FIELD(debt),
      FIELD(outstanding, .doc = "Active, pending and held."), FIELD(value_minor),
      FIELD(breakage_points, .doc = "Of what is outstanding: expected never to be spent."),
      FIELD(breakage_minor), FIELD(spent, .doc = "In the last 24 months, net of what was given back."),
      FIELD(expired, .doc = "In the last 24 months."),
      FIELD(breakage_permille, .doc = "expired / (expired + spent)."));
#undef SHAPE_T

struct report_query {
        const char *zone;
        struct instant since;
        bool by_activity;
};
#define SHAPE_T struct report_query
SHAPE(report_query, "The shop's zone, since when history counts, and do undated points lapse by inactivity?",
      FIELD(zone), FIELD(since), FIELD(by_activity));
#undef SHAPE_T

struct sums {
        int64_t active, pending, held, debt, spent, expired;
};
#define SHAPE_T struct sums
SHAPE(sums, "Sums.", FIELD(active), FIELD(pending), FIELD(held), FIELD(debt), FIELD(spent), FIELD(expired));
#undef SHAPE_T

struct month_points {
        const char *month;
        struct date moved_on; /* without a month: when the accounts last moved, if that decides */
        int64_t active, held, pending;
};
#define SHAPE_T struct month_points
SHAPE(month_points, "Points of a month.", FIELD(month), FIELD(moved_on), FIELD(active), FIELD(held),
      FIELD(pending));
#undef SHAPE_T

#define SUM(what) "(SELECT coalesce(sum(" what "), 0)::bigint FROM points_accounts) AS " what

SQL_ONE(liability_sums, report_query, sums,
        "SELECT " SUM("active") ", " SUM("pending") ", " SUM("held") ", " SUM(
                "debt") ", l.spent, l.expired FROM "
                        "(SELECT coalesce(-sum(amount) FILTER (WHERE kind IN ('spend', 'restore')), 0)::bigint AS spent, "
                        "coalesce(-sum(amount) FILTER (WHERE kind = 'expire'), 0)::bigint AS expired FROM points_ledger "
                        "WHERE created_at > :since) AS l")

/* A lot lapses at the end of its last day, which is the first moment of the next. What is held has left its
 * lots, and would go back to them. */
SQL_MANY(
        liability_months, report_query, month_points,
        "WITH parts AS (SELECT customer_id, expires_at, pending AS waits, remaining AS points, 0 AS held "
        "FROM points_lots WHERE remaining > 0 UNION ALL "
        "SELECT d.customer_id, t.expires_at, false, 0, d.amount - d.returned FROM points_holds h "
        "JOIN points_hold_draws d ON d.customer_id = h.customer_id AND d.hold_id = h.id "
        "JOIN points_lots t ON t.customer_id = d.customer_id AND t.lot_no = d.lot_no "
        "WHERE h.state = 'open' AND d.amount > d.returned) "
        "SELECT CASE WHEN NOT p.waits THEN "
        "to_char((p.expires_at - interval '1 microsecond') AT TIME ZONE :zone, 'YYYY-MM') END AS month, "
        "CASE WHEN NOT p.waits AND p.expires_at IS NULL THEN (a.moved_at AT TIME ZONE :zone)::date END AS moved_on, "
        "coalesce(sum(p.points) FILTER (WHERE NOT p.waits), 0)::bigint AS active, sum(p.held)::bigint AS held, "
        "coalesce(sum(p.points) FILTER (WHERE p.waits), 0)::bigint AS pending "
        "FROM parts p LEFT JOIN points_accounts a ON :by_activity AND a.customer_id = p.customer_id "
        "GROUP BY 1, 2 ORDER BY 1, 2")

static int64_t value_of(int64_t points, int64_t per_100)
{
        return (int64_t)(uint128_of(points) * uint128_of(per_100) / HUNDRED);
}

static int64_t breakage_of(int64_t points, const struct sums *sums)
{
        int64_t went = sums->expired + sums->spent;

        return went > 0 && sums->expired > 0 && sums->spent >= 0 ? proportion(points, sums->expired, went)
                                                                 : 0;
}

/* The month of those that lapse when nothing moves from that day on. */
static const char *month_by_activity(struct ctx *c, const struct program *program, struct date moved_on)
{
        const struct zone *zone = &c->shop->zone;

        if (!date_known(moved_on))
                return NULL;
        struct instant end =
                expiry_by_inactivity(&program->points.expiry, zone, zone_midnight(zone, moved_on));
        struct date last = zone_date(zone, (struct instant){end.us - 1});
        return arena_printf(c->arena, "%04d-%02d", last.year, last.month);
}

static int month_order(const void *a, const void *b)
{
        const struct liability_line *x = a, *y = b;

        if (x->month == NULL || y->month == NULL)
                return (x->month == NULL) - (y->month == NULL);
        return strcmp(x->month, y->month);
}

static struct liability_line *line_of(struct liability *report, const char *month)
{
        size_t i = 0;

        for (; i < report->lines.n; i++) {
                const char *other = report->lines.v[i].month;
                if (month == other || (month != NULL && other != NULL && strcmp(month, other) == 0))
                        return &report->lines.v[i];
        }
        report->lines.v[report->lines.n++] = (struct liability_line){.month = month};
        return &report->lines.v[i];
}

static void lines_fill(struct ctx *c, const struct program *program, const struct list *months,
                       struct liability *report)
{
        const struct month_points *rows = months->v;

        report->lines.v = ARENA_ARRAY(c->arena, months->n, struct liability_line);
        for (size_t i = 0; i < months->n; i++) {
                const char *month = rows[i].month != NULL ? rows[i].month
                                                          : month_by_activity(c, program, rows[i].moved_on);
                struct liability_line *line = line_of(report, month);
                line->active += rows[i].active;
                line->held += rows[i].held;
                line->pending += rows[i].pending;
        }
        if (report->lines.n > 1)
                qsort(report->lines.v, report->lines.n, sizeof *report->lines.v, month_order);
}

/* What of a line can lapse: all with a month, and of the rest what waits for one. */
static int64_t can_lapse(const struct program *program, const struct liability_line *line)
{
        bool dated = line->month != NULL || program->points.expiry.form == EXPIRY_INACTIVITY;
        int64_t pending = program->points.expiry.form != EXPIRY_NEVER ? line->pending : 0;

        return pending + (dated ? line->active + line->held : 0);
}

static void lines_value(const struct program *program, const struct sums *sums, struct liability *report)
{
        int64_t per_100 = program->points.value_minor_per_100;

        for (size_t i = 0; i < report->lines.n; i++) {
                struct liability_line *line = &report->lines.v[i];
                line->points = line->active + line->held + line->pending;
                line->value_minor = value_of(line->points, per_100);
                line->breakage_points = breakage_of(can_lapse(program, line), sums);
                line->breakage_minor = value_of(line->breakage_points, per_100);
                report->breakage_points += line->breakage_points;
        }
        report->value_minor = value_of(report->outstanding, per_100);
        report->breakage_minor = value_of(report->breakage_points, per_100);
}

enum err points_liability(struct ctx *c, struct liability *ret)
{
        PROGRAM(program);
        struct date today = zone_date(&c->shop->zone, c->now);
        struct report_query query = {c->shop->zone.name,
                                     zone_midnight(&c->shop->zone, date_add_months(today, -BREAKAGE_MONTHS)),
                                     program->points.expiry.form == EXPIRY_INACTIVITY};
        struct list months;
        struct sums sums;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(db_script(c, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        TRY(liability_sums(c, &query, &sums));
        TRY(liability_months(c, &query, &months));
        struct liability report = {
                .at = c->now,
                .value_minor_per_100 = program->points.value_minor_per_100,
                .active = sums.active,
                .pending = sums.pending,
                .held = sums.held,
                .debt = sums.debt,
                .outstanding = sums.active + sums.pending + sums.held,
                .spent = sums.spent,
                .expired = sums.expired,
                .breakage_permille = breakage_of(PERMILLE, &sums),
        };
        lines_fill(c, program, &months, &report);
        lines_value(program, &sums, &report);
        *ret = report;
        return tx_commit(&tx);
}
