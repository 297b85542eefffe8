/* What was earned under caps by day and month: loading and storing. */
#include "db/statement.h"
#include "points/points.h"

struct caps_probe {
        struct uuids ids;
        struct date from;
};
#define SHAPE_T struct caps_probe
SHAPE(caps_probe, "Customers and a first day.", FIELD(ids), FIELD(from));
#undef SHAPE_T

SQL_LATER(
        cap_days_load, caps_probe, cap_day,
        "SELECT customer_id, day, rule, points FROM points_cap_days WHERE customer_id = ANY(:ids) AND day >= :from")
SQL_BATCH(cap_days_store, cap_day,
          "INSERT INTO points_cap_days (customer_id, day, rule, points) "
          "SELECT * FROM unnest(:customer_id, :day, :rule, :points) "
          "ON CONFLICT (customer_id, day, rule) DO UPDATE SET points = excluded.points")

enum err points_caps_later(struct ctx *c, const struct uuids *customers, struct date day, struct list *ret)
{
        return cap_days_load(c, &(struct caps_probe){*customers, {day.year, day.month, 1}}, ret);
}

struct caps_used points_caps_of(struct arena *arena, const struct list *rows, struct uuid customer_id)
{
        const struct cap_day *days = rows->v;
        struct caps_used used = {0};

        for (size_t i = 0; i < rows->n; i++)
                used.room += uuid_equal(days[i].customer_id, customer_id);
        used.v = ARENA_ARRAY(arena, used.room, struct cap_day);
        for (size_t i = 0; i < rows->n; i++)
                if (uuid_equal(days[i].customer_id, customer_id))
                        used.v[used.n++] = days[i];
        return used;
}

enum err points_caps_store(struct ctx *c, const struct caps_used *const *used, size_t n)
{
        size_t room = 0, changed = 0;

        for (size_t i = 0; i < n; i++)
                room += used[i]->n;
        struct cap_day *days = ARENA_ARRAY(c->arena, room, struct cap_day);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < used[i]->n; k++)
                        if (used[i]->v[k].changed)
                                days[changed++] = used[i]->v[k];
        return cap_days_store(c, days, changed);
}
