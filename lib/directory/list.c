/* Lists of customers: filters, orders and positions put together as one statement. */
#include <assert.h>

#include "base/idmap.h"
#include "db/page.h"
#include "db/query.h"
#include "directory/filter.h"
#include "program/programs.h"

NAMES(customer_sort_names, "created_at", "-created_at", "updated_at", "-updated_at", "name", "-name",
      "last_order_at", "-last_order_at", "orders", "-orders", "spend_minor", "-spend_minor", "growth",
      "-growth", "points_active", "-points_active");

#define SHAPE_T struct customer_position
SHAPE(customer_position, "The last one shown.", FIELD(at), FIELD(number), FIELD(id, .need = true));
#undef SHAPE_T

struct order {
        const char *column, *before, *key; /* key: how the position is read; before: how it is given back */
};
static const struct order orders[] = {
        {"created_at", ":after.at", ", created_at AS at"},
        {"updated_at", ":after.at", ", updated_at AS at"},
        /* a cursor holds no name: it would be readable to those who may not see it */
        {"name", "(SELECT name FROM customer_directory WHERE customer_id = :after.id)", ""},
        {"last_order_at", "coalesce(:after.at, '-infinity')", ", nullif(last_order_at, '-infinity') AS at"},
        {"orders", ":after.number", ", orders AS number"},
        {"spend_minor", ":after.number", ", spend_minor AS number"},
        {"growth", ":after.number", ", growth AS number"},
        {"points_active", ":after.number", ", points_active AS number"},
};

static const struct order *order_of(unsigned sort)
{
        return &orders[(sort - 1) / 2];
}

/* What a page is put together of. */
struct page {
        struct conditions conditions;
        struct listing listing;
        const struct order *order;
        bool down;
};

/* The columns of `d`, whatever that is, of the first :<limit> in the order. */
static void put_columns(struct text *out, const struct page *page)
{
        text_printf(out, "SELECT d.customer_id AS id%s", page->order->key);
}

static void put_order(struct text *out, const struct page *page, const char *limit)
{
        const char *down = page->down ? " DESC" : "";

        text_printf(out, " ORDER BY d.%s%s, d.customer_id%s LIMIT %s", page->order->column, down, down,
                    limit);
}

/* Along the index of the order, trying whoever comes until the page is full, or enough were tried. */
static void put_walk(struct text *out, const struct page *page)
{
        const struct conditions *conditions = &page->conditions;

        put_columns(out, page);
        text_puts(out, " FROM (SELECT * FROM customer_directory d");
        if (conditions->along.len > 0)
                text_printf(out, " WHERE %s", conditions->along.data);
        put_order(out, page, ":walk");
        text_printf(out, ") AS d%s", conditions_join(conditions));
        conditions_put(out, conditions, WORDS_TEXT, /* along= */ false);
        put_order(out, page, ":limit");
}

/* Everybody who passes, by whatever indexes find them, and the first of them in the order. The OFFSET keeps
 * the planner from walking along the order after all. */
static void put_found(struct text *out, const struct page *page)
{
        put_columns(out, page);
        text_printf(out, " FROM (SELECT d.customer_id, d.%s FROM customer_directory d%s", page->order->column,
                    conditions_join(&page->conditions));
        conditions_put(out, &page->conditions, WORDS_BOTH, /* along= */ true);
        text_puts(out, " OFFSET 0) AS d");
        put_order(out, page, ":limit");
}

/* Whoever the index of the order leads to. */
static void put_plain(struct text *out, const struct page *page)
{
        put_columns(out, page);
        text_puts(out, " FROM customer_directory d");
        conditions_put(out, &page->conditions, WORDS_BOTH, /* along= */ true);
        put_order(out, page, ":limit");
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
        TRY(customers_fill_in(c, ordered, n));
        TRY(directory_complete(c, ordered, n));
        ret->customers.v = ordered;
        ret->customers.n = n;
        return ERR_OK;
}

/* How many steps a walk along an order may take for each customer that is wanted, and how many customers may
 * be found and sorted instead. At a million customers both cost the same, some 15 ms, where one in 140
 * passes. */
#define WALK_STEPS  400
#define FOUND_STEPS 100

/* Run one form of the page. */
static enum err page_run(struct ctx *c, const struct page *page,
                         void (*put)(struct text *out, const struct page *page), bool over_many,
                         struct list *ret)
{
        struct text text = {0};

        put(&text, page);
        const struct query query = {"directory_page", arena_strdup(c->arena, text.data), &listing_shape,
                                    &customer_position_shape, .over_many = over_many};
        text_free(&text);
        return query_many(c, &query, &page->listing, ret);
}

/* About how many customers pass the filter, as the planner sees it. */
static enum err page_estimate(struct ctx *c, const struct page *page, int64_t *ret)
{
        struct text text = {0};

        text_printf(&text, "SELECT 1 FROM customer_directory d%s", conditions_join(&page->conditions));
        conditions_put(&text, &page->conditions, WORDS_TEXT, /* along= */ true);
        const struct query query = {"directory_estimate", arena_strdup(c->arena, text.data), &listing_shape,
                                    &customer_position_shape, .over_many = true};
        text_free(&text);
        return query_estimate(c, &query, &page->listing, ret);
}

/* A page without filters is read off an index. With them there are two ways, and each is endless where the
 * other is short: along the order trying everybody, or finding all who pass and sorting them. Few are found;
 * for many the walk is short. The planner would choose the same, but knows nothing of what belongs together
 * (no one with the lowest tier is among those who spent most): so a walk is limited, and who has not filled
 * his page by then goes the other way, which costs a million customers some tenths of a second. */
static enum err page_read(struct ctx *c, const struct page *page, struct list *ret)
{
        int64_t passing;

        if (page->conditions.where.len == 0 && !page->conditions.words)
                return page_run(c, page, put_plain, /* over_many= */ false, ret);
        TRY(page_estimate(c, page, &passing));
        if (passing > page->listing.limit * FOUND_STEPS) {
                TRY(page_run(c, page, put_walk, /* over_many= */ false, ret));
                if (ret->n == (size_t)page->listing.limit)
                        return ERR_OK;
        }
        return page_run(c, page, put_found, /* over_many= */ true, ret);
}

enum err directory_positions(struct ctx *c, const struct customer_query *query, struct list *ret)
{
        const struct order *order = order_of(query->sort);
        struct page page = {.order = order, .down = query->sort % 2 == 0};
        TX(tx);

        assert(query->sort != SORT_NONE && query->sort < customer_sort_names.n);
        TRY(tx_begin(c, &tx));
        enum err err = conditions_read(c, &query->filter, order->column, &page.conditions, &page.listing);
        page.listing.after = query->after;
        page.listing.limit = query->limit;
        page.listing.walk = query->limit * WALK_STEPS;
        if (uuid_known(query->after.id)) {
                const char *where = arena_printf(c->arena, "(d.%s, d.customer_id) %c (%s, :after.id)",
                                                 order->column, page.down ? '<' : '>', order->before);
                query_must(&page.conditions.along, where);
        }
        if (err == ERR_OK)
                err = page_read(c, &page, ret);
        conditions_free(&page.conditions);
        TRY(err);
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

enum err directory_count(struct ctx *c, const struct customer_filter *filter, int64_t *ret)
{
        struct conditions conditions;
        struct listing listing;
        struct text text = {0};
        struct list rows;
        TX(tx);

        TRY(tx_begin(c, &tx));
        enum err err = conditions_read(c, filter, /* column= */ "", &conditions, &listing);
        text_printf(&text, "SELECT count(*) AS count FROM customer_directory d%s",
                    conditions_join(&conditions));
        conditions_put(&text, &conditions, WORDS_BOTH, /* along= */ true);
        struct query query = {"directory_count", arena_strdup(c->arena, text.data), &listing_shape,
                              &page_count_shape, .over_many = true};
        text_free(&text);
        conditions_free(&conditions);
        TRY(err);
        TRY(query_many(c, &query, &listing, &rows));
        *ret = ((const struct page_count *)rows.v)->count;
        return tx_commit(&tx);
}
