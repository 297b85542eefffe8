#include "db/zone.h"

#include <ctype.h>
#include <string.h>

#include "base/shape.h"
#include "db/statement.h"

#define DAY_SECONDS   86400
#define ZONE_NAME_MAX 64 /* twice the longest one there is */

struct zone_search {
        const char *name;
        int64_t first_s, last_s; /* midnights in UTC, seconds since 1970 */
};
#define SHAPE_T struct zone_search
SHAPE(zone_search, "A zone and the time over which it is read.", FIELD(name), FIELD(first_s), FIELD(last_s));
#undef SHAPE_T

struct zone_row {
        int64_t from_s, offset_s;
};
#define SHAPE_T struct zone_row
SHAPE(zone_row, "An offset and the second from which it holds.", FIELD(from_s), FIELD(offset_s));
#undef SHAPE_T

/* Days first; then every day in which the offset changes is halved down to the second, since not all changes
 * were made at round times (St John's at 00:01, Monrovia at 00:44:30). No zone changed twice between two UTC
 * midnights. */
SQL_MANY(
        zone_offsets, zone_search, zone_row,
        "WITH RECURSIVE days AS ("
        "  SELECT s, (extract(epoch FROM to_timestamp(s) AT TIME ZONE :name))::bigint - s AS offset_s"
        "  FROM generate_series(:first_s, :last_s, 86400) AS s"
        "), pairs AS ("
        "  SELECT lag(s) OVER w AS low, s AS high, lag(offset_s) OVER w AS before, offset_s AS after"
        "  FROM days WINDOW w AS (ORDER BY s)"
        "), search AS ("
        "  SELECT low, high, before, after FROM pairs WHERE before <> after"
        "  UNION ALL"
        "  SELECT CASE WHEN early THEN low ELSE middle END, CASE WHEN early THEN middle ELSE high END, before, after"
        "  FROM search, LATERAL (SELECT (low + high) / 2 AS middle) AS m,"
        "  LATERAL (SELECT (extract(epoch FROM to_timestamp(middle) AT TIME ZONE :name))::bigint - middle <> before"
        "           AS early) AS e"
        "  WHERE high - low > 1"
        ") SELECT s AS from_s, offset_s FROM days WHERE s = :first_s"
        " UNION ALL SELECT high, after FROM search WHERE high - low = 1"
        " ORDER BY from_s")

/* PostgreSQL also takes POSIX rules such as "CST" or "Shop/Here5", which are no places with a history. */
static bool looks_like_zone(const char *name)
{
        static const char etc[] = "Etc/"; /* the only IANA names with digits: Etc/GMT+8 */
        bool digits = strncmp(name, etc, strlen(etc)) == 0;
        size_t len = strlen(name);

        if (len == 0 || len > ZONE_NAME_MAX || (strchr(name, '/') == NULL && strcmp(name, "UTC") != 0))
                return false;
        for (size_t i = 0; i < len; i++)
                if (!isalpha((unsigned char)name[i]) && strchr("/_+-", name[i]) == NULL &&
                    !(digits && isdigit((unsigned char)name[i])))
                        return false;
        return true;
}

static enum err unknown_zone(struct ctx *c, const char *name)
{
        return fail(c, ERR_INVALID,
                    "There is no time zone %s. Give an IANA name such as Asia/Shanghai or UTC.", name);
}

enum err zone_load(struct ctx *c, const char *name, struct zone *ret)
{
        struct zone_search search = {
                .name = name,
                .first_s = date_days((struct date){ZONE_YEAR_FIRST, 1, 1}) * DAY_SECONDS,
                .last_s = date_days((struct date){ZONE_YEAR_LAST, 12, 31}) * DAY_SECONDS,
        };
        struct list rows;

        if (!looks_like_zone(name))
                return unknown_zone(c, name);
        enum err err = zone_offsets(c, &search, &rows);
        if (err == ERR_INTERNAL) /* invalid_parameter_value: the statement itself was checked at start */
                return unknown_zone(c, name);
        TRY(err);
        struct zone_change *changes = ARENA_ARRAY(c->arena, rows.n, struct zone_change);
        for (size_t i = 0; i < rows.n; i++) {
                const struct zone_row *row = (const struct zone_row *)rows.v + i;
                changes[i] = (struct zone_change){
                        .from_us = i == 0 ? INT64_MIN : row->from_s * INSTANT_SECOND,
                        .offset_seconds = (int32_t)row->offset_s,
                };
        }
        *ret = (struct zone){.name = arena_strdup(c->arena, name), .changes = changes, .count = rows.n};
        return ERR_OK;
}
