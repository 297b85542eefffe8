/* Catching up: copies of what lists are searched, filtered and sorted by. */
#include "directory/directory.h"

#include "base/idmap.h"
#include "customers/attributes.h"
#include "db/statement.h"
#include "directory/pieces.h"
#include "points/points.h"
#include "program/programs.h"
#include "tiers/tiers.h"

struct search_row {
        struct uuid customer_id;
        struct instant created_at, updated_at;
        const char *name, *language, *country, *province, *city, *owner;
        unsigned channel;
        bool has_phone, has_email, inquired;
        const char *content, *pieces;
};
#define SHAPE_T struct search_row
SHAPE(search_row, "What a customer is searched and filtered by.", FIELD(customer_id), FIELD(created_at),
      FIELD(updated_at), FIELD(name), FIELD(language), FIELD(country), FIELD(province), FIELD(city),
      FIELD(owner), FIELD(channel, .names = &channel_names), FIELD(has_phone), FIELD(has_email),
      FIELD(inquired), FIELD(content), FIELD(pieces));
#undef SHAPE_T

struct metrics_row {
        struct uuid customer_id;
        const char *tier;
        int64_t orders, spend_minor, growth, points_active;
        bool paid;
        struct instant last_order_at;
};
#define SHAPE_T struct metrics_row
SHAPE(metrics_row, "What a customer is sorted by.", FIELD(customer_id), FIELD(tier), FIELD(orders),
      FIELD(spend_minor), FIELD(growth), FIELD(points_active), FIELD(paid), FIELD(last_order_at));
#undef SHAPE_T

struct gone_row {
        struct uuid customer_id;
};
#define SHAPE_T struct gone_row
SHAPE(gone_row, "Somebody who is gone.", FIELD(customer_id));
#undef SHAPE_T

/* A row that says the same stays as it is: the index of the pieces is the dearest of all. */
SQL_BATCH(
        search_store, search_row,
        "INSERT INTO customer_search AS s (customer_id, created_at, updated_at, name, language, country, province, city, "
        "owner, channel, has_phone, has_email, inquired, content, pieces) SELECT customer_id, created_at, updated_at, "
        "coalesce(name, ''), language, country, province, city, owner, channel, has_phone, has_email, inquired, content, "
        "coalesce(array_to_tsvector(string_to_array(nullif(pieces, ''), E'\\x1f')), '') FROM unnest(:customer_id, "
        ":created_at, :updated_at, :name, :language, :country, :province, :city, :owner, :channel, :has_phone, :has_email, "
        ":inquired, :content, :pieces) AS n (customer_id, created_at, updated_at, name, language, country, province, city, "
        "owner, channel, has_phone, has_email, inquired, content, pieces) ON CONFLICT (customer_id) DO UPDATE SET "
        "updated_at = excluded.updated_at, name = excluded.name, language = excluded.language, "
        "country = excluded.country, province = excluded.province, city = excluded.city, owner = excluded.owner, "
        "channel = excluded.channel, has_phone = excluded.has_phone, has_email = excluded.has_email, "
        "inquired = excluded.inquired, content = excluded.content, pieces = excluded.pieces "
        "WHERE (s.updated_at, s.content, s.inquired) IS DISTINCT FROM (excluded.updated_at, excluded.content, excluded.inquired)")

SQL_BATCH(
        metrics_store, metrics_row,
        "INSERT INTO customer_metrics AS m (customer_id, tier, orders, spend_minor, growth, points_active, paid, "
        "last_order_at) SELECT customer_id, tier, orders, spend_minor, growth, points_active, paid, "
        "coalesce(last_order_at, '-infinity') FROM unnest(:customer_id, :tier, :orders, :spend_minor, :growth, "
        ":points_active, :paid, :last_order_at) AS n (customer_id, tier, orders, spend_minor, growth, points_active, paid, "
        "last_order_at) ON CONFLICT (customer_id) DO UPDATE SET tier = excluded.tier, orders = excluded.orders, "
        "spend_minor = excluded.spend_minor, growth = excluded.growth, points_active = excluded.points_active, "
        "paid = excluded.paid, last_order_at = excluded.last_order_at WHERE (m.tier, m.orders, m.spend_minor, m.growth, "
        "m.points_active, m.paid, m.last_order_at) IS DISTINCT FROM (excluded.tier, excluded.orders, "
        "excluded.spend_minor, excluded.growth, excluded.points_active, excluded.paid, excluded.last_order_at)")

SQL_BATCH(
        search_forget, gone_row,
        "DELETE FROM customer_search s USING unnest(:customer_id) AS gone (id) WHERE s.customer_id = gone.id")
SQL_BATCH(
        metrics_forget, gone_row,
        "DELETE FROM customer_metrics m USING unnest(:customer_id) AS gone (id) WHERE m.customer_id = gone.id")

static struct search_row search_row_of(struct arena *arena, const struct customer *customer)
{
        const char *texts[] = {customer->name, customer->phone, customer->email, customer->external_id};
        const char *content = pieces_content(arena, texts, ARRAY_SIZE(texts));

        return (struct search_row){
                .customer_id = customer->id,
                .created_at = customer->created_at,
                .updated_at = customer->updated_at,
                .name = customer->name,
                .language = customer->language,
                .country = customer->country,
                .province = customer->province,
                .city = customer->city,
                .owner = customer->owner,
                .channel = customer->source.channel,
                .has_phone = customer->phone != NULL,
                .has_email = customer->email != NULL,
                .inquired = instant_known(customer->inquired_at),
                .content = content,
                .pieces = pieces_of(arena, content),
        };
}

static struct metrics_row metrics_row_of(const struct customer *customer)
{
        const struct customer_metrics *metrics = customer->metrics;

        return (struct metrics_row){
                .customer_id = customer->id,
                .tier = metrics->tier,
                .orders = metrics->orders,
                .spend_minor = metrics->spend_minor,
                .growth = metrics->growth,
                .points_active = metrics->points_active,
                .paid = customer->deal_status == DEAL_DEAL,
                .last_order_at = metrics->last_order_at,
        };
}

enum err directory_refresh(struct ctx *c, const struct uuids *ids)
{
        struct list rows;
        struct idmap present = idmap_new(c->arena, ids->n);
        struct gone_row *gone = ARENA_ARRAY(c->arena, ids->n, struct gone_row);
        size_t gone_count = 0;

        TRY(customers_of(c, ids, &rows));
        struct customer *customers = rows.v;
        TRY(directory_complete(c, customers, rows.n));
        struct search_row *searches = ARENA_ARRAY(c->arena, rows.n, struct search_row);
        struct metrics_row *metrics = ARENA_ARRAY(c->arena, rows.n, struct metrics_row);
        for (size_t i = 0; i < rows.n; i++) {
                idmap_put(&present, customers[i].id, i);
                searches[i] = search_row_of(c->arena, &customers[i]);
                metrics[i] = metrics_row_of(&customers[i]);
        }
        for (size_t i = 0; i < ids->n; i++)
                if (idmap_get(&present, ids->v[i]) == SIZE_MAX)
                        gone[gone_count++].customer_id = ids->v[i];
        TRY(search_store(c, searches, rows.n));
        TRY(metrics_store(c, metrics, rows.n));
        TRY(search_forget(c, gone, gone_count));
        return metrics_forget(c, gone, gone_count);
}

struct catching_up {
        int64_t limit;
        bool more;
};

static enum err catch_up(struct ctx *c, void *arg)
{
        struct catching_up *catching_up = arg;
        struct touched touched;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customers_take_touched(c, catching_up->limit, &touched));
        struct uuids ids = {ARENA_ARRAY(c->arena, touched.customers.n, struct uuid), touched.customers.n};
        for (size_t i = 0; i < ids.n; i++)
                ids.v[i] = touched.customers.v[i].customer_id;
        if (ids.n > 0)
                TRY(directory_refresh(c, &ids));
        catching_up->more = touched.more;
        return tx_commit(&tx);
}

enum err directory_catch_up(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct catching_up catching_up = {.limit = limit};

        TRY(db_run(c, catch_up, &catching_up));
        *ret_more = catching_up.more;
        return ERR_OK;
}

/* ------------------------------------------------------------------ complete customers */

static void complete(struct ctx *c, const struct lifecycle_limits *limits, struct customer *customer,
                     const struct stand *stand, const struct points_account *account)
{
        struct date today = zone_date(&c->shop->zone, c->now);
        const struct standing *standing = &stand->standing;
        struct customer_metrics *metrics = ARENA_NEW(c->arena, struct customer_metrics);
        struct metrics days = stand_metrics(stand);
        struct lifecycle_facts facts = {.orders = standing->orders,
                                        .inquired = instant_known(customer->inquired_at)};
        struct opt_int window = {.set = true, .v = limits->loyal_window_months};

        *metrics = (struct customer_metrics){
                .tier = arena_strdup(c->arena, standing->tier),
                .orders = standing->orders,
                .spend_minor = standing->spend_minor,
                .growth = standing->growth,
                .points_active = account != NULL ? account->active : 0,
                .first_order_at = standing->first_order_at,
                .last_order_at = standing->last_order_at,
        };
        facts.orders_in_window = metric_value(&days, METRIC_ORDERS, window, today);
        if (instant_known(standing->last_order_at))
                facts.last_order = zone_date(&c->shop->zone, standing->last_order_at);
        customer->metrics = metrics;
        customer->lifecycle = lifecycle_decide(&facts, limits, today);
        if (instant_known(standing->first_order_at))
                customer->deal_status = DEAL_DEAL;
        else
                customer->deal_status = facts.inquired ? DEAL_INQUIRING : DEAL_NO_DEAL;
}

/* Balances as they are now, though the housekeeper has not come by. */
static enum err accounts_catch_up(struct ctx *c, const struct program *program, struct list *accounts)
{
        struct points_account *account = accounts->v;
        struct journal journal = journal_of(c, program);
        struct book *books = ARENA_ARRAY(c->arena, accounts->n, struct book);
        struct book **looked_at = ARENA_ARRAY(c->arena, accounts->n, struct book *);

        for (size_t i = 0; i < accounts->n; i++) {
                books[i].account = account[i];
                looked_at[i] = &books[i];
        }
        TRY(points_catch_up(c, looked_at, accounts->n, &journal, c->now));
        for (size_t i = 0; i < accounts->n; i++)
                account[i] = books[i].account;
        return ERR_OK;
}

enum err directory_complete(struct ctx *c, struct customer *customers, size_t n)
{
        PROGRAM(program);
        struct uuids ids = {ARENA_ARRAY(c->arena, n, struct uuid), n};
        struct stand_rows stands = {0};
        struct list accounts = {0};
        struct idmap account_of = idmap_new(c->arena, n);
        struct date today = zone_date(&c->shop->zone, c->now);
        struct newcomer *who = ARENA_ARRAY(c->arena, n, struct newcomer);

        for (size_t i = 0; i < n; i++) {
                ids.v[i] = customers[i].id;
                who[i] = (struct newcomer){customers[i].id, customers[i].created_at};
        }
        TRY(stands_later(c, &ids, date_add_months(today, (int)-program->lifecycle.loyal_window_months),
                         &stands));
        TRY(points_accounts_later(c, &ids, &accounts));
        TRY(db_flush(c));
        const struct points_account *account = accounts.v;
        for (size_t i = 0; i < accounts.n; i++)
                idmap_put(&account_of, account[i].customer_id, i);
        struct stand *standing = stands_of(c->arena, program, &stands, who, n);
        struct stand **looked_at = ARENA_ARRAY(c->arena, n, struct stand *);
        for (size_t i = 0; i < n; i++)
                looked_at[i] = &standing[i];
        TRY(stands_catch_up(c, program, c->now, looked_at, n, /* events= */ NULL));
        TRY(accounts_catch_up(c, program, &accounts));
        for (size_t i = 0; i < n; i++) {
                size_t at = idmap_get(&account_of, customers[i].id);
                complete(c, &program->lifecycle, &customers[i], &standing[i],
                         at != SIZE_MAX ? &account[at] : NULL);
        }
        return ERR_OK;
}
