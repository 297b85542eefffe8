#include "twins.h"

#include <stdio.h>
#include <string.h>

/* A table and the column that says whose row it is. A day on which nothing is left is as good as no day. */
static const struct {
        const char *table, *customer, *only;
} tables[] = {
        {"customers", "id", "true"},
        {"customer_identities", "customer_id", "true"},
        {"customer_aliases", "customer_id", "true"},
        {"points_accounts", "customer_id", "true"},
        {"points_ledger", "customer_id", "true"},
        {"points_lots", "customer_id", "true"},
        {"points_allocations", "customer_id", "true"},
        {"tier_standings", "customer_id", "true"},
        {"metric_days", "customer_id", "(t.orders, t.spend_minor, t.growth) <> (0, 0, 0)"},
        {"tier_history", "customer_id", "true"},
        {"orders", "customer_id", "true"},
        {"order_lines", "customer_id", "true"},
        {"order_calls", "customer_id", "true"},
        {"refunds", "customer_id", "true"},
        {"refund_lines", "customer_id", "true"},
        {"events", "customer_id", "true"},
};

#define VERSION_7 "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"

/* Every row as a line: its customer by a name that does not depend on time, then its columns. */
static const char *dump(struct fixture *fixture, size_t table)
{
        return till_text(
                fixture,
                "SELECT string_agg(line, E'\\n' ORDER BY line COLLATE \"C\") FROM (SELECT regexp_replace("
                "coalesce(c.external_id, (SELECT min(kind || ':' || value) FROM customer_identities i WHERE i.customer_id = c.id)) "
                "|| ' ' || (to_jsonb(t) - 'xid')::text, '" VERSION_7 "', 'by-time', 'g') AS line "
                "FROM %s t JOIN customers c ON c.id = t.%s WHERE %s) AS x",
                tables[table].table, tables[table].customer, tables[table].only);
}

static void print_difference(const char *table, const char *one, const char *other)
{
        size_t at = 0, line = 0;

        for (; one[at] == other[at] && one[at] != '\0'; at++)
                if (one[at] == '\n')
                        line = at + 1;
        printf("  %s differs:\n    %.*s\n    %.*s\n", table, (int)strcspn(one + line, "\n"), one + line,
               (int)strcspn(other + line, "\n"), other + line);
}

bool twins_equal(struct fixture *one, struct fixture *other)
{
        bool equal = true;

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
                const char *a = dump(one, i), *b = dump(other, i);
                a = a != NULL ? a : "";
                b = b != NULL ? b : "";
                if (strcmp(a, b) == 0)
                        continue;
                print_difference(tables[i].table, a, b);
                equal = false;
        }
        return equal;
}
