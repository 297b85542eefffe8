/* Partitions of behaviour_events: one a month of UTC, made ahead and dropped by age. */
#include <stdio.h>

#include "customers/behaviour.h"
#include "db/statement.h"

/* Months made ahead: a server that is away for that long loses nothing. */
#define MONTHS_AHEAD 2

/* A month as a number: year times 12 and the month from 0. */
struct months {
        struct ints wanted;
        int64_t before;
};
#define SHAPE_T struct months
SHAPE(months, "Months.", FIELD(wanted), FIELD(before));
#undef SHAPE_T

struct month_row {
        int64_t month;
};
#define SHAPE_T struct month_row
SHAPE(month_row, "A month.", FIELD(month));
#undef SHAPE_T

/* What each partition's name says. */
#define PARTITION_MONTHS                                                                                     \
        "SELECT substr(relname, 11, 4)::bigint * 12 + substr(relname, 15, 2)::bigint - 1 AS month "          \
        "FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'behaviour_events'::regclass"

SQL_MANY(months_missing, months, month_row,
         "SELECT month FROM unnest(:wanted) AS month EXCEPT SELECT month FROM (" PARTITION_MONTHS
         ") AS there ORDER BY month")
SQL_MANY(months_old, months, month_row,
         "SELECT month FROM (" PARTITION_MONTHS ") AS there WHERE month < :before ORDER BY month")
/* Any number that no other lock of this program has. */
SQL_MANY(partitions_lock, nothing, month_row,
         "SELECT 0::bigint AS month FROM (SELECT pg_advisory_xact_lock(7265174412)) AS held")

static int64_t month_number(struct instant at)
{
        int64_t days = at.us / INSTANT_DAY - (at.us % INSTANT_DAY < 0);
        struct date date = date_from_days(days);

        return (int64_t)date.year * 12 + date.month - 1;
}

static void month_first(int64_t month, char ret[DATE_TEXT_SIZE])
{
        struct date first = {.year = (int16_t)(month / 12), .month = (uint8_t)(month % 12 + 1), .day = 1};

        date_format(first, ret);
}

/* Made beside the table and then attached: writers to other months do not wait. */
static enum err partition_make(struct ctx *c, int64_t month)
{
        char first[DATE_TEXT_SIZE], next[DATE_TEXT_SIZE], name[32];

        month_first(month, first);
        month_first(month + 1, next);
        snprintf(name, sizeof name, "behaviour_%04d%02d", (int)(month / 12), (int)(month % 12 + 1));
        return db_script(
                c, arena_printf(c->arena,
                                "CREATE TABLE IF NOT EXISTS %s (LIKE behaviour_events INCLUDING DEFAULTS);"
                                "ALTER TABLE behaviour_events ATTACH PARTITION %s FOR VALUES "
                                "FROM ('%s 00:00:00+00') TO ('%s 00:00:00+00')",
                                name, name, first, next));
}

static enum err months_make(struct ctx *c, const struct months *wanted)
{
        struct list missing, held;

        TRY(months_missing(c, wanted, &missing));
        if (missing.n == 0)
                return ERR_OK;
        TRY(partitions_lock(c, &(struct nothing){0}, &held));
        TRY(months_missing(c, wanted, &missing));
        for (size_t i = 0; i < missing.n; i++)
                TRY(partition_make(c, ((const struct month_row *)missing.v)[i].month));
        return ERR_OK;
}

enum err behaviour_partitions_for(struct ctx *c, const struct behaviour_event *events, size_t n)
{
        struct months months = {.wanted.v = ARENA_ARRAY(c->arena, n, int64_t)};

        for (size_t i = 0; i < n; i++) {
                int64_t month = month_number(events[i].occurred_at);
                bool seen = false;
                for (size_t k = 0; k < months.wanted.n && !seen; k++)
                        seen = months.wanted.v[k] == month;
                if (!seen)
                        months.wanted.v[months.wanted.n++] = month;
        }
        return n == 0 ? ERR_OK : months_make(c, &months);
}

static enum err keep(struct ctx *c, void *arg)
{
        int64_t now = month_number(c->now), wanted[MONTHS_AHEAD + 1];
        struct months months = {{wanted, ARRAY_SIZE(wanted)}, now - c->shop->behaviour_months};
        struct list old = {0};
        char name[32];
        TX(tx);

        (void)arg;
        for (int i = 0; i <= MONTHS_AHEAD; i++)
                wanted[i] = now + i;
        TRY(tx_begin(c, &tx));
        TRY(months_make(c, &months));
        if (c->shop->behaviour_months > 0)
                TRY(months_old(c, &months, &old));
        for (size_t i = 0; i < old.n; i++) {
                int64_t month = ((const struct month_row *)old.v)[i].month;
                snprintf(name, sizeof name, "behaviour_%04d%02d", (int)(month / 12), (int)(month % 12 + 1));
                TRY(db_script(c, arena_printf(c->arena, "DROP TABLE IF EXISTS %s", name)));
        }
        return tx_commit(&tx);
}

enum err behaviour_partitions_keep(struct ctx *c)
{
        return db_run(c, keep, NULL);
}
