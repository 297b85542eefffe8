/* Lists of customers: filters, orders and positions put together as one statement. */
#include <assert.h>

#include "base/idmap.h"
#include "db/query.h"
#include "db/statement.h"
#include "directory/directory.h"
#include "directory/pieces.h"
#include "program/programs.h"

NAMES(customer_sort_names, "created_at", "-created_at", "updated_at", "-updated_at", "name", "-name",
      "last_order_at", "-last_order_at", "orders", "-orders", "spend_minor", "-spend_minor", "growth",
      "-growth", "points_active", "-points_active");
NAMES(yes_no_names, "true", "false");

#define SHAPE_T struct customer_position
SHAPE(customer_position, "The last one shown.", FIELD(at), FIELD(number), FIELD(id, .need = true));
#undef SHAPE_T

/* What lifecycle_decide compares with, as of now. */
struct lifecycle_bounds {
        struct instant at_risk, lost; /* who bought last before then is at risk, or lost */
        struct date window;           /* orders after this day are counted for the loyal */
        int64_t repeat_orders, loyal_orders;
};
#define SHAPE_T struct lifecycle_bounds
SHAPE(lifecycle_bounds, "As of now.", FIELD(at_risk), FIELD(lost), FIELD(window), FIELD(repeat_orders),
      FIELD(loyal_orders));
#undef SHAPE_T

/* A filter as parameters. */
struct listing {
        struct customer_filter filter;
        struct lifecycle_bounds bounds;
        const char *tsquery;
        struct texts patterns;
        const char *whole;
        struct customer_position after;
        int64_t limit;
};
#define SHAPE_T struct customer_filter
SHAPE(listing_filter, "What must hold.", FIELD(tag), FIELD(group), FIELD(tier), FIELD(language),
      FIELD(country), FIELD(province), FIELD(city), FIELD(owner), FIELD(channel, .names = &channel_names),
      FIELD(created_from), FIELD(created_before), FIELD(last_order_from), FIELD(last_order_before),
      FIELD(spend_min), FIELD(spend_max), FIELD(orders_min), FIELD(orders_max), FIELD(points_min),
      FIELD(points_max));
#undef SHAPE_T
#define SHAPE_T struct listing
SHAPE(listing, "A list.", NEST(filter, listing_filter), NEST(bounds, lifecycle_bounds), FIELD(tsquery),
      FIELD(patterns), FIELD(whole), NEST(after, customer_position), FIELD(limit));
#undef SHAPE_T

/* What each order reads: `s` is customer_search, `m` customer_metrics. */
struct order {
        char table;
        const char *column, *before, *key; /* key: how the position is read; before: how it is given back */
};
static const struct order orders[] = {
        {'s', "created_at", ":after.at", "s.created_at AS at"},
        {'s', "updated_at", ":after.at", "s.updated_at AS at"},
        /* a cursor holds no name: it would be readable to those who may not see it */
        {'s', "name", "(SELECT name FROM customer_search WHERE customer_id = :after.id)", NULL},
        {'m', "last_order_at", "coalesce(:after.at, '-infinity')",
         "nullif(m.last_order_at, '-infinity') AS at"},
        {'m', "orders", ":after.number", "m.orders AS number"},
        {'m', "spend_minor", ":after.number", "m.spend_minor AS number"},
        {'m', "growth", ":after.number", "m.growth AS number"},
        {'m', "points_active", ":after.number", "m.points_active AS number"},
};

/* The statement while it is put together. */
struct building {
        struct text where;
        bool s, m; /* which tables it needs */
};

static void must(struct building *b, bool wanted, char table, const char *condition)
{
        if (!wanted)
                return;
        text_puts(&b->where, b->where.len > 0 ? " AND " : " WHERE ");
        text_puts(&b->where, condition);
        b->s |= table == 's';
        b->m |= table == 'm';
}

static void filter_metrics(struct building *b, const struct customer_filter *f)
{
        must(b, f->tier != NULL, 'm', "m.tier = :filter.tier");
        must(b, f->deal_status == DEAL_DEAL, 'm', "m.paid");
        must(b, f->deal_status != DEAL_NONE && f->deal_status != DEAL_DEAL, 'm', "NOT m.paid");
        must(b, instant_known(f->last_order_from), 'm', "m.last_order_at >= :filter.last_order_from");
        must(b, instant_known(f->last_order_before), 'm',
             "m.last_order_at < :filter.last_order_before AND m.last_order_at > '-infinity'");
        must(b, f->spend_min.set, 'm', "m.spend_minor >= :filter.spend_min");
        must(b, f->spend_max.set, 'm', "m.spend_minor <= :filter.spend_max");
        must(b, f->orders_min.set, 'm', "m.orders >= :filter.orders_min");
        must(b, f->orders_max.set, 'm', "m.orders <= :filter.orders_max");
        must(b, f->points_min.set, 'm', "m.points_active >= :filter.points_min");
        must(b, f->points_max.set, 'm', "m.points_active <= :filter.points_max");
}

static void filter_search(struct building *b, const struct customer_filter *f, bool words)
{
        must(b, words, 's', "s.pieces @@ :tsquery::tsquery AND s.content LIKE ALL (:patterns)");
        must(b, f->language != NULL, 's', "s.language = :filter.language");
        must(b, f->country != NULL, 's', "s.country = :filter.country");
        must(b, f->province != NULL, 's', "s.province = :filter.province");
        must(b, f->city != NULL, 's', "s.city = :filter.city");
        must(b, f->owner != NULL, 's', "s.owner = :filter.owner");
        must(b, f->channel != 0, 's', "s.channel = :filter.channel");
        must(b, f->has_phone == 1, 's', "s.has_phone");
        must(b, f->has_phone == 2, 's', "NOT s.has_phone");
        must(b, f->has_email == 1, 's', "s.has_email");
        must(b, f->has_email == 2, 's', "NOT s.has_email");
        must(b, f->deal_status == DEAL_INQUIRING, 's', "s.inquired");
        must(b, f->deal_status == DEAL_NO_DEAL, 's', "NOT s.inquired");
        must(b, instant_known(f->created_from), 's', "s.created_at >= :filter.created_from");
        must(b, instant_known(f->created_before), 's', "s.created_at < :filter.created_before");
}

/* lifecycle_decide, of all customers at once. Orders in the window are those that the standing of the tier
 * keeps by the day; nobody has more of them than in his lifetime. */
static void filter_lifecycle(struct building *b, enum lifecycle wanted)
{
        static const char loyal[] =
                "m.orders >= :bounds.loyal_orders AND (SELECT sum(d.orders) FROM metric_days d "
                "WHERE d.customer_id = m.customer_id AND d.day > :bounds.window) >= "
                ":bounds.loyal_orders";
        bool lively = wanted == LIFECYCLE_NEW || wanted == LIFECYCLE_REPEAT || wanted == LIFECYCLE_LOYAL;

        if (wanted == LIFECYCLE_NONE)
                return;
        bool bought = wanted != LIFECYCLE_LEAD && wanted != LIFECYCLE_INQUIRING;
        must(b, true, 'm', bought ? "m.orders > 0" : "m.orders <= 0");
        must(b, wanted == LIFECYCLE_LEAD, 's', "NOT s.inquired");
        must(b, wanted == LIFECYCLE_INQUIRING, 's', "s.inquired");
        must(b, wanted == LIFECYCLE_LOST, 'm', "m.last_order_at < :bounds.lost");
        must(b, wanted == LIFECYCLE_AT_RISK, 'm',
             "m.last_order_at >= :bounds.lost AND m.last_order_at < :bounds.at_risk");
        must(b, lively, 'm', "m.last_order_at >= :bounds.at_risk");
        must(b, wanted == LIFECYCLE_LOYAL, 'm', loyal);
        must(b, wanted == LIFECYCLE_NEW, 'm', "m.orders < :bounds.repeat_orders");
        must(b, wanted == LIFECYCLE_REPEAT, 'm', "m.orders >= :bounds.repeat_orders");
        if (wanted == LIFECYCLE_NEW || wanted == LIFECYCLE_REPEAT)
                text_printf(&b->where, " AND (%s) IS NOT TRUE", loyal);
}

static struct lifecycle_bounds bounds_now(const struct ctx *c)
{
        PROGRAM(program);
        const struct lifecycle_limits *limits = &program->lifecycle;
        const struct zone *zone = &c->shop->zone;
        struct date today = zone_date(zone, c->now);

        return (struct lifecycle_bounds){
                .at_risk = zone_midnight(zone, date_add_months(today, (int)-limits->at_risk_months)),
                .lost = zone_midnight(zone, date_add_months(today, (int)-limits->lost_months)),
                .window = date_add_months(today, (int)-limits->loyal_window_months),
                .repeat_orders = limits->repeat_orders,
                .loyal_orders = limits->loyal_orders,
        };
}

/* Tags and groups are read where they are: their tables are the customers' own. `t` is the table of the
 * order. */
static void filter_members(struct building *b, const struct customer_filter *f, char t)
{
        const char *tag = t == 's' ? "s.customer_id" : "m.customer_id";

        if (f->tag != NULL) {
                must(b, true, t,
                     "EXISTS (SELECT 1 FROM customer_tags t WHERE t.tag = :filter.tag AND t.customer_id = ");
                text_puts(&b->where, tag);
                text_puts(&b->where, " AND (t.expires_at IS NULL OR t.expires_at > :now))");
        }
        if (f->group != NULL) {
                must(b, true, t,
                     "EXISTS (SELECT 1 FROM group_members g WHERE g.group_id = (SELECT id FROM groups "
                     "WHERE code = :filter.group) AND g.left_at IS NULL AND g.customer_id = ");
                text_puts(&b->where, tag);
                text_putc(&b->where, ')');
        }
}

static void put_from(struct text *out, const struct building *b)
{
        if (b->s && b->m)
                text_puts(out,
                          " FROM customer_search s JOIN customer_metrics m ON m.customer_id = s.customer_id");
        else
                text_puts(out, b->m ? " FROM customer_metrics m" : " FROM customer_search s");
        if (b->where.len > 0)
                text_append(out, b->where.data, b->where.len);
}

static void put_page(struct text *out, struct building *b, unsigned sort, bool from_start)
{
        const struct order *order = &orders[(sort - 1) / 2];
        bool down = sort % 2 == 0;
        char t = order->table;

        b->s |= t == 's';
        b->m |= t == 'm';
        if (!from_start) {
                text_puts(&b->where, b->where.len > 0 ? " AND " : " WHERE ");
                text_printf(&b->where, "(%c.%s, %c.customer_id) %c (%s, :after.id)", t, order->column, t,
                            down ? '<' : '>', order->before);
        }
        text_printf(out, "SELECT %c.customer_id AS id%s%s", t, order->key != NULL ? ", " : "",
                    order->key != NULL ? order->key : "");
        put_from(out, b);
        text_printf(out, " ORDER BY %c.%s%s, %c.customer_id%s LIMIT :limit", t, order->column,
                    down ? " DESC" : "", t, down ? " DESC" : "");
}

/* Whoever may not see a phone must not find it out digit by digit: he finds whom he can name in full. */
static bool sees_personal_data(const struct ctx *c)
{
        return c->principal == NULL || c->principal->pii;
}

/* Parameters and conditions of a filter; `t` is the table that is there anyway. */
static struct listing filter_read(struct ctx *c, struct building *b, const struct customer_filter *filter,
                                  char t)
{
        struct search search = search_of(c->arena, filter->q != NULL ? filter->q : "");

        filter_metrics(b, filter);
        filter_search(b, filter, search.tsquery != NULL);
        must(b, search.tsquery != NULL && !sees_personal_data(c), 's',
             "E'\\n' || s.content || E'\\n' LIKE :whole");
        filter_members(b, filter, t);
        filter_lifecycle(b, (enum lifecycle)filter->lifecycle);
        return (struct listing){.filter = *filter,
                                .bounds = bounds_now(c),
                                .tsquery = search.tsquery,
                                .patterns = search.patterns,
                                .whole = search.whole};
}

/* What few writes left behind is taken in; a burst's is left to the housekeeper. */
enum err directory_settle(struct ctx *c)
{
        int64_t waiting;
        bool more;

        TRY(customers_touched_count(c, DIRECTORY_AT_ONCE + 1, &waiting));
        return waiting > 0 && waiting <= DIRECTORY_AT_ONCE ? directory_catch_up(c, DIRECTORY_AT_ONCE, &more)
                                                           : ERR_OK;
}

/* The customers of a page in its order; one who went meanwhile is left out. */
static enum err customers_load(struct ctx *c, const struct list *positions, struct customer_list *ret)
{
        const struct customer_position *position = positions->v;
        struct uuids ids = {ARENA_ARRAY(c->arena, positions->n, struct uuid), positions->n};
        struct customer *ordered = ARENA_ARRAY(c->arena, positions->n, struct customer);
        struct idmap at = idmap_new(c->arena, positions->n);
        struct list rows;
        size_t n = 0;

        for (size_t i = 0; i < ids.n; i++)
                ids.v[i] = position[i].id;
        TRY(customers_of(c, &ids, &rows));
        for (size_t i = 0; i < rows.n; i++)
                idmap_put(&at, ((const struct customer *)rows.v)[i].id, i);
        for (size_t i = 0; i < ids.n; i++) {
                size_t row = idmap_get(&at, ids.v[i]);
                if (row != SIZE_MAX)
                        ordered[n++] = ((const struct customer *)rows.v)[row];
        }
        TRY(directory_complete(c, ordered, n));
        ret->customers.v = ordered;
        ret->customers.n = n;
        return ERR_OK;
}

enum err directory_positions(struct ctx *c, const struct customer_query *query, struct list *ret)
{
        struct building building = {0};
        struct text text = {0};
        TX(tx);

        assert(query->sort != SORT_NONE && query->sort < customer_sort_names.n);
        struct listing listing =
                filter_read(c, &building, &query->filter, orders[(query->sort - 1) / 2].table);
        listing.after = query->after;
        listing.limit = query->limit;
        put_page(&text, &building, query->sort, !uuid_known(query->after.id));
        struct query page = {"directory_page", arena_strdup(c->arena, text.data), &listing_shape,
                             &customer_position_shape};
        text_free(&text);
        text_free(&building.where);
        TRY(tx_begin(c, &tx));
        TRY(query_many(c, &page, &listing, ret));
        return tx_commit(&tx);
}

enum err directory_list(struct ctx *c, const struct customer_query *query, struct customer_list *ret)
{
        struct customer_query wanted = *query;
        struct list positions;

        wanted.limit++; /* one more tells whether there is another page */
        TRY(directory_settle(c));
        TRY(directory_positions(c, &wanted, &positions));
        *ret = (struct customer_list){.more = positions.n > (size_t)query->limit};
        if (ret->more) {
                positions.n = (size_t)query->limit;
                ret->last = ((const struct customer_position *)positions.v)[positions.n - 1];
        }
        return customers_load(c, &positions, ret);
}

struct counted {
        int64_t count;
};
#define SHAPE_T struct counted
SHAPE(directory_counted, "How many.", FIELD(count));
#undef SHAPE_T

enum err directory_count(struct ctx *c, const struct customer_filter *filter, int64_t *ret)
{
        struct building building = {0};
        struct text text = {0};
        struct list rows;
        TX(tx);

        struct listing listing = filter_read(c, &building, filter, 's');
        text_puts(&text, "SELECT count(*) AS count");
        put_from(&text, &building);
        struct query query = {"directory_count", arena_strdup(c->arena, text.data), &listing_shape,
                              &directory_counted_shape};
        text_free(&text);
        text_free(&building.where);
        TRY(tx_begin(c, &tx));
        TRY(query_many(c, &query, &listing, &rows));
        *ret = ((const struct counted *)rows.v)->count;
        return tx_commit(&tx);
}
