/* Catching up: copies of what lists are searched, filtered and sorted by. */
#include "directory/directory.h"

#include "base/idmap.h"
#include "customers/attributes.h"
#include "db/statement.h"
#include "directory/alike.h"
#include "directory/filter.h"
#include "directory/pieces.h"
#include "points/points.h"
#include "program/programs.h"
#include "tiers/tiers.h"

struct directory_row {
        struct uuid customer_id;
        struct instant created_at, updated_at;
        int64_t version;
        const char *name, *language, *country, *province, *city, *district, *owner, *campaign;
        unsigned gender, channel;
        struct opt_int birth_day; /* month * 100 + day */
        bool has_phone, has_email, inquired;
        const char *tier;
        int64_t orders, spend_minor, growth, points_active;
        bool paid;
        struct instant last_order_at;
};
#define SHAPE_T struct directory_row
SHAPE(directory_row, "What a customer is filtered and sorted by.", FIELD(customer_id), FIELD(created_at),
      FIELD(updated_at), FIELD(version), FIELD(name), FIELD(language), FIELD(country), FIELD(province),
      FIELD(city), FIELD(district), FIELD(owner), FIELD(campaign), FIELD(gender, .names = &gender_names),
      FIELD(channel, .names = &channel_names), FIELD(birth_day), FIELD(has_phone), FIELD(has_email),
      FIELD(inquired), FIELD(tier), FIELD(orders), FIELD(spend_minor), FIELD(growth), FIELD(points_active),
      FIELD(paid), FIELD(last_order_at));
#undef SHAPE_T

struct search_row {
        struct uuid customer_id;
        const char *content, *pieces;
};
#define SHAPE_T struct search_row
SHAPE(search_row, "What a customer is found by.", FIELD(customer_id), FIELD(content), FIELD(pieces));
#undef SHAPE_T

struct gone_row {
        struct uuid customer_id;
};
#define SHAPE_T struct gone_row
SHAPE(gone_row, "Somebody who is gone.", FIELD(customer_id));
#undef SHAPE_T

#define SHAPE_T struct known_row
struct known_row {
        struct uuid customer_id;
        int64_t version;
};
SHAPE(known_row, "What the directory has of a profile.", FIELD(customer_id), FIELD(version));
#undef SHAPE_T
#define SHAPE_T struct whom
struct whom {
        struct uuids ids;
};
SHAPE(whom, "Customers.", FIELD(ids));
#undef SHAPE_T

SQL_MANY(profiles_known, whom, known_row,
         "SELECT customer_id, version FROM customer_directory WHERE customer_id = ANY(:ids)")

/* What orders change is written apart from the profile: the other indexes are known to say the same then. */
SQL_BATCH(profile_store, directory_row,
          "INSERT INTO customer_directory (customer_id, created_at, updated_at, version, name, language, "
          "country, province, city, district, owner, campaign, gender, channel, birth_day, has_phone, "
          "has_email, inquired, tier, orders, spend_minor, growth, points_active, paid, last_order_at) "
          "SELECT customer_id, created_at, updated_at, version, coalesce(name, ''), language, country, "
          "province, city, district, owner, campaign, gender, channel, birth_day, has_phone, has_email, "
          "inquired, tier, orders, spend_minor, growth, points_active, paid, coalesce(last_order_at, "
          "'-infinity') FROM unnest(:customer_id, :created_at, :updated_at, :version, :name, :language, "
          ":country, :province, :city, :district, :owner, :campaign, :gender, :channel, :birth_day, "
          ":has_phone, :has_email, :inquired, :tier, :orders, :spend_minor, :growth, :points_active, "
          ":paid, :last_order_at) AS n (customer_id, created_at, updated_at, version, name, language, "
          "country, province, city, district, owner, campaign, gender, channel, birth_day, has_phone, "
          "has_email, inquired, tier, orders, spend_minor, growth, points_active, paid, last_order_at) ON "
          "CONFLICT (customer_id) DO UPDATE SET updated_at = excluded.updated_at, version = "
          "excluded.version, name = excluded.name, language = excluded.language, country = "
          "excluded.country, province = excluded.province, city = excluded.city, district = "
          "excluded.district, owner = excluded.owner, campaign = excluded.campaign, gender = "
          "excluded.gender, channel = excluded.channel, birth_day = excluded.birth_day, has_phone = "
          "excluded.has_phone, has_email = excluded.has_email")

SQL_BATCH(metrics_store, directory_row,
          "UPDATE customer_directory d SET inquired = n.inquired, tier = n.tier, orders = n.orders, "
          "spend_minor = n.spend_minor, growth = n.growth, points_active = n.points_active, paid = n.paid, "
          "last_order_at = coalesce(n.last_order_at, '-infinity') FROM unnest(:customer_id, :inquired, "
          ":tier, :orders, :spend_minor, :growth, :points_active, :paid, :last_order_at) AS n "
          "(customer_id, inquired, tier, orders, spend_minor, growth, points_active, paid, last_order_at) "
          "WHERE d.customer_id = n.customer_id AND (d.inquired, d.tier, d.orders, d.spend_minor, d.growth, "
          "d.points_active, d.paid, d.last_order_at) IS DISTINCT FROM (n.inquired, n.tier, n.orders, "
          "n.spend_minor, n.growth, n.points_active, n.paid, coalesce(n.last_order_at, '-infinity'))")

/* A row that says the same stays as it is: the index of the pieces is the dearest of all. */
SQL_BATCH(search_store, search_row,
          "INSERT INTO customer_search AS s (customer_id, content, pieces) SELECT customer_id, content, "
          "coalesce(array_to_tsvector(string_to_array(nullif(pieces, ''), E'\\x1f')), '') FROM "
          "unnest(:customer_id, :content, :pieces) AS n (customer_id, content, pieces) ON CONFLICT "
          "(customer_id) DO UPDATE SET content = excluded.content, pieces = excluded.pieces WHERE "
          "s.content <> excluded.content")

SQL_BATCH(
        directory_forget, gone_row,
        "DELETE FROM customer_directory d USING unnest(:customer_id) AS gone (id) WHERE d.customer_id = gone.id")
SQL_BATCH(
        search_forget, gone_row,
        "DELETE FROM customer_search s USING unnest(:customer_id) AS gone (id) WHERE s.customer_id = gone.id")

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

/* Of many customers; what time has caused and nobody has booked is reckoned or left out. */
static enum err complete_all(struct ctx *c, struct customer *customers, size_t n, bool reckoned)
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
        if (reckoned) {
                TRY(stands_catch_up(c, program, c->now, looked_at, n, /* events= */ NULL));
                TRY(accounts_catch_up(c, program, &accounts));
        }
        for (size_t i = 0; i < n; i++) {
                size_t at = idmap_get(&account_of, customers[i].id);
                complete(c, &program->lifecycle, &customers[i], &standing[i],
                         at != SIZE_MAX ? &account[at] : NULL);
        }
        return ERR_OK;
}

enum err directory_complete(struct ctx *c, struct customer *customers, size_t n)
{
        return complete_all(c, customers, n, /* reckoned= */ true);
}

/* ------------------------------------------------------------------ taking in */

static struct directory_row directory_row_of(const struct customer *customer)
{
        const struct customer_metrics *metrics = customer->metrics;

        return (struct directory_row){
                .customer_id = customer->id,
                .created_at = customer->created_at,
                .updated_at = customer->updated_at,
                .version = customer->version,
                .name = customer->name,
                .language = customer->language,
                .country = customer->country,
                .province = customer->province,
                .city = customer->city,
                .district = customer->district,
                .owner = customer->owner,
                .campaign = customer->source.campaign,
                .gender = customer->gender,
                .channel = customer->source.channel,
                .birth_day = {.set = customer->birthday.month != 0, .v = birthday_number(customer->birthday)},
                .has_phone = customer->phone != NULL,
                .has_email = customer->email != NULL,
                .inquired = instant_known(customer->inquired_at),
                .tier = metrics->tier,
                .orders = metrics->orders,
                .spend_minor = metrics->spend_minor,
                .growth = metrics->growth,
                .points_active = metrics->points_active,
                .paid = customer->deal_status == DEAL_DEAL,
                .last_order_at = metrics->last_order_at,
        };
}

static struct search_row search_row_of(struct arena *arena, const struct customer *customer)
{
        const char *texts[] = {customer->name, customer->phone, customer->email, customer->external_id};
        const char *content = pieces_content(arena, texts, ARRAY_SIZE(texts));

        return (struct search_row){customer->id, content, pieces_of(arena, content)};
}

/* Of customers, those whose profile the directory does not have as it is. */
static enum err changed_of(struct ctx *c, const struct uuids *ids, const struct list *customers,
                           struct list *ret)
{
        const struct customer *customer = customers->v;
        struct customer *changed = ARENA_ARRAY(c->arena, customers->n, struct customer);
        struct idmap known_at = idmap_new(c->arena, ids->n);
        struct list rows;

        TRY(profiles_known(c, &(struct whom){*ids}, &rows));
        const struct known_row *known = rows.v;
        for (size_t i = 0; i < rows.n; i++)
                idmap_put(&known_at, known[i].customer_id, i);
        *ret = (struct list){changed, 0};
        for (size_t i = 0; i < customers->n; i++) {
                size_t at = idmap_get(&known_at, customer[i].id);
                if (at == SIZE_MAX || known[at].version != customer[i].version)
                        changed[ret->n++] = customer[i];
        }
        return ERR_OK;
}

/* Profile, words and likeness; and those that are gone. */
static enum err profiles_refresh(struct ctx *c, const struct list *customers, const struct gone_row *gone,
                                 size_t gone_count)
{
        const struct customer *customer = customers->v;
        struct directory_row *listed = ARENA_ARRAY(c->arena, customers->n, struct directory_row);
        struct search_row *searches = ARENA_ARRAY(c->arena, customers->n, struct search_row);
        struct uuids ids = {ARENA_ARRAY(c->arena, customers->n + gone_count, struct uuid), 0};

        if (customers->n + gone_count == 0)
                return ERR_OK;
        for (size_t i = 0; i < customers->n; i++) {
                listed[i] = directory_row_of(&customer[i]);
                searches[i] = search_row_of(c->arena, &customer[i]);
                ids.v[ids.n++] = customer[i].id;
        }
        for (size_t i = 0; i < gone_count; i++)
                ids.v[ids.n++] = gone[i].customer_id;
        TRY(profile_store(c, listed, customers->n));
        TRY(search_store(c, searches, customers->n));
        TRY(alike_refresh(c, &ids));
        TRY(directory_forget(c, gone, gone_count));
        return search_forget(c, gone, gone_count);
}

enum err directory_refresh(struct ctx *c, const struct uuids *ids)
{
        struct list rows, changed;
        struct idmap present = idmap_new(c->arena, ids->n);
        struct gone_row *gone = ARENA_ARRAY(c->arena, ids->n, struct gone_row);
        size_t gone_count = 0;

        TRY(customers_of(c, ids, &rows));
        struct customer *customers = rows.v;
        /* as it is booked: the booking of what is due notes the customer again */
        TRY(complete_all(c, customers, rows.n, /* reckoned= */ false));
        struct directory_row *listed = ARENA_ARRAY(c->arena, rows.n, struct directory_row);
        for (size_t i = 0; i < rows.n; i++) {
                idmap_put(&present, customers[i].id, i);
                listed[i] = directory_row_of(&customers[i]);
        }
        for (size_t i = 0; i < ids->n; i++)
                if (idmap_get(&present, ids->v[i]) == SIZE_MAX)
                        gone[gone_count++].customer_id = ids->v[i];
        TRY(changed_of(c, ids, &rows, &changed));
        TRY(profiles_refresh(c, &changed, gone, gone_count));
        return metrics_store(c, listed, rows.n);
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
