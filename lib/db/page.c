#include "db/page.h"

#include <assert.h>
#include <string.h>

#include "db/query.h"

#define SHAPE_T struct page_count
SHAPE(page_count, "How many.", FIELD(count));
#undef SHAPE_T

/* Once for these very filters, wherever they lead: a list is counted seldom, and by nobody in a hurry. */
static enum err count(struct ctx *c, const struct sql *sql, const void *in, struct opt_int *ret)
{
        const struct query query = {sql->name, sql->text, sql->in, sql->out, .over_many = true};
        struct list rows;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(query_many(c, &query, in, &rows));
        *ret = (struct opt_int){.set = true, .v = ((const struct page_count *)rows.v)->count};
        return tx_commit(&tx);
}

enum err sql_page(struct ctx *c, const struct sql *page, const struct sql *sql_count, const void *in,
                  struct opt_int *total, struct list *ret)
{
        if (total != NULL)
                TRY(count(c, sql_count, in, total));
        return sql_many(c, page, in, ret);
}

/* ------------------------------------------------------------------ in one of several orders */

static const struct field *member(const struct page_sql *sql, const char *name)
{
        const struct field *field = shape_field(sql->out, name, strlen(name));

        assert(field != NULL && "sorted by what the rows do not hold");
        return field;
}

/* The member of a position that holds the value of a field, or the key of a row. */
static const struct field *place_of(const struct field *field, bool key)
{
        const char *name = field->wire == WIRE_INSTANT ? "at"
                           : field->wire == WIRE_UUID  ? "id"
                           : field->wire == WIRE_INT   ? "number"
                           : key                       ? "code"
                                                       : "text";
        const struct field *place = shape_field(&page_position_shape, name, strlen(name));

        assert(place->wire == field->wire);
        return place;
}

/* What a page is sorted by. */
struct order {
        const struct field *value, *key; /* value NULL: by the key alone */
        bool down;
};

static struct order order_of(const struct page_sql *sql, unsigned sort)
{
        assert(sort > 0 && sort < sql->sorts->n);
        const char *name = sql->sorts->v[sort];
        struct order order = {.key = member(sql, sql->key), .down = *name == '-'};

        name += order.down;
        if (strcmp(name, sql->key) != 0)
                order.value = member(sql, name);
        return order;
}

static void put_position(struct text *out, const struct page_sql *sql, const struct order *order)
{
        char than = order->down ? '<' : '>';
        const char *key = place_of(order->key, true)->name;

        if (order->value == NULL)
                text_printf(out, " AND %s%s %c :page.after.%s", sql->alias, order->key->name, than, key);
        else
                text_printf(out, " AND (%s%s, %s%s) %c (:page.after.%s, :page.after.%s)", sql->alias,
                            order->value->name, sql->alias, order->key->name, than,
                            place_of(order->value, false)->name, key);
}

static const char *statement(struct ctx *c, const struct page_sql *sql, const struct order *order,
                             const struct paging *paging)
{
        const char *down = order->down ? " DESC" : "";
        struct text text = {0};

        text_printf(&text, "SELECT %s FROM %s", sql->columns, sql->from);
        if (uuid_known(paging->after.id) || paging->after.code != NULL)
                put_position(&text, sql, order);
        text_puts(&text, " ORDER BY ");
        if (order->value != NULL)
                text_printf(&text, "%s%s%s, ", sql->alias, order->value->name, down);
        text_printf(&text, "%s%s%s LIMIT :page.limit + 1", sql->alias, order->key->name, down);
        const char *kept = arena_strdup(c->arena, text.data);
        text_free(&text);
        return kept;
}

static void remember(const struct field *field, bool key, const char *row, struct page_position *ret)
{
        memcpy((char *)ret + place_of(field, key)->offset, row + field->offset, field->size);
}

enum err sql_list(struct ctx *c, const struct page_sql *sql, const void *in, const struct paging *paging,
                  struct page_rows *ret)
{
        const struct order order = order_of(sql, paging->sort);
        const struct query query = {sql->count->name, statement(c, sql, &order, paging), sql->count->in,
                                    sql->out, .over_many = false};
        struct list rows;
        TX(tx);

        if (paging->total != NULL)
                TRY(count(c, sql->count, in, paging->total));
        TRY(tx_begin(c, &tx));
        TRY(query_many(c, &query, in, &rows));
        *ret = (struct page_rows){rows.v, rows.n, .more = rows.n > (size_t)paging->limit};
        if (ret->more) {
                ret->n = (size_t)paging->limit;
                const char *last = (const char *)rows.v + (ret->n - 1) * sql->out->size;
                remember(order.key, true, last, &ret->last);
                if (order.value != NULL)
                        remember(order.value, false, last, &ret->last);
        }
        return tx_commit(&tx);
}
