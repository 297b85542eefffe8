#include "points/liability.h"

#include "db/statement.h"
#include "points/share.h"
#include "program/programs.h"

#define PERMILLE 1000
#define HUNDRED  100

#define SHAPE_T struct liability_line
SHAPE(liability_line, "Points outstanding that lapse in one month.",
      FIELD(month, .doc = "YYYY-MM, of the last day on which they can be spent; null: not by a date."),
      FIELD(points), FIELD(value_minor), FIELD(breakage_points, .doc = "Expected never to be spent."),
      FIELD(breakage_minor));
#undef SHAPE_T

#define SHAPE_T struct liability
SHAPE(liability, "What the shop owes in points.", FIELD(at, .need = true),
      FIELD(value_minor_per_100, .doc = "What 100 points are worth, by the programme."),
      LIST(lines, liability_line, .doc = "Active points, earliest month first, those without a date last."),
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
};
#define SHAPE_T struct report_query
SHAPE(report_query, "The shop's zone, and since when history counts.", FIELD(zone), FIELD(since));
#undef SHAPE_T

struct sums {
        int64_t active, pending, held, debt, spent, expired;
};
#define SHAPE_T struct sums
SHAPE(sums, "Sums.", FIELD(active), FIELD(pending), FIELD(held), FIELD(debt), FIELD(spent), FIELD(expired));
#undef SHAPE_T

struct month_points {
        const char *month;
        int64_t points;
};
#define SHAPE_T struct month_points
SHAPE(month_points, "A month.", FIELD(month), FIELD(points));
#undef SHAPE_T

#define SUM(what) "(SELECT coalesce(sum(" what "), 0)::bigint FROM points_accounts) AS " what

SQL_ONE(liability_sums, report_query, sums,
        "SELECT " SUM("active") ", " SUM("pending") ", " SUM("held") ", " SUM(
                "debt") ", l.spent, l.expired FROM "
                        "(SELECT coalesce(-sum(amount) FILTER (WHERE kind IN ('spend', 'restore')), 0)::bigint AS spent, "
                        "coalesce(-sum(amount) FILTER (WHERE kind = 'expire'), 0)::bigint AS expired FROM points_ledger "
                        "WHERE created_at > :since) AS l")

/* A lot lapses at the end of its last day, which is the first moment of the next. */
SQL_MANY(liability_months, report_query, month_points,
         "SELECT to_char((expires_at - interval '1 microsecond') AT TIME ZONE :zone, 'YYYY-MM') AS month, "
         "sum(remaining)::bigint AS points FROM points_lots WHERE remaining > 0 AND NOT pending "
         "GROUP BY 1 ORDER BY 1 NULLS LAST")

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

enum err points_liability(struct ctx *c, struct liability *ret)
{
        PROGRAM(program);
        struct date today = zone_date(&c->shop->zone, c->now);
        struct report_query query = {c->shop->zone.name,
                                     zone_midnight(&c->shop->zone, date_add_months(today, -BREAKAGE_MONTHS))};
        int64_t per_100 = program->points.value_minor_per_100;
        bool all_lapse = program->points.expiry.form == EXPIRY_INACTIVITY;
        struct list months;
        struct sums sums;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(db_script(c, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        TRY(liability_sums(c, &query, &sums));
        TRY(liability_months(c, &query, &months));
        struct liability report = {
                .at = c->now,
                .value_minor_per_100 = per_100,
                .lines.v = ARENA_ARRAY(c->arena, months.n, struct liability_line),
                .lines.n = months.n,
                .active = sums.active,
                .pending = sums.pending,
                .held = sums.held,
                .debt = sums.debt,
                .outstanding = sums.active + sums.pending + sums.held,
                .spent = sums.spent,
                .expired = sums.expired,
                .breakage_permille = breakage_of(PERMILLE, &sums),
        };
        for (size_t i = 0; i < months.n; i++) {
                const struct month_points *row = &((const struct month_points *)months.v)[i];
                bool lapses = all_lapse || row->month != NULL;
                int64_t breakage = lapses ? breakage_of(row->points, &sums) : 0;
                report.lines.v[i] =
                        (struct liability_line){row->month, row->points, value_of(row->points, per_100),
                                                breakage, value_of(breakage, per_100)};
                report.breakage_points += breakage;
        }
        if (program->points.expiry.form != EXPIRY_NEVER)
                report.breakage_points += breakage_of(sums.pending + sums.held, &sums);
        report.value_minor = value_of(report.outstanding, per_100);
        report.breakage_minor = value_of(report.breakage_points, per_100);
        *ret = report;
        return tx_commit(&tx);
}
