#include "customers/lines.h"

#include "base/idmap.h"
#include "customers/store.h"

#define SHAPE_T struct customer_line
static const struct field more[] = {
        FIELD(created_at, .doc = "With backfill: since when somebody new is a customer."),
        FIELD(updated_at, .doc = "As exported; not read."),
        FIELD(version, .doc = "As exported; not read."),
};
#undef SHAPE_T

static const struct shape *line_shape, *out_shape;

__attribute__((constructor)) static void line_shape_make(void)
{
        line_shape = shape_extend(&customer_in_shape, "customer_line", "A customer in a file.",
                                  sizeof(struct customer_line), more, ARRAY_SIZE(more));
        out_shape = shape_without(line_shape, "customer_line_out", "addresses");
}

const struct shape *customer_line_shape(void)
{
        return line_shape;
}

const struct shape *customer_line_out_shape(void)
{
        return out_shape;
}

SQL_LATER(customer_lines_by_id, customer_ids, customer,
          "SELECT " CUSTOMER_COLUMNS " FROM customers WHERE id = ANY(:ids) ORDER BY created_at, id")

SQL_LATER(
        customer_lines_identities, customer_ids, identity_row,
        "SELECT kind, value, customer_id, secondary FROM customer_identities WHERE customer_id = ANY(:ids) ORDER BY kind, value")

static void line_of(struct arena *arena, const struct customer *customer, struct customer_line *ret)
{
        *ret = (struct customer_line){
                .in = {.id = customer->id,
                       .external_id = customer->external_id,
                       .name = customer->name,
                       .gender = customer->gender,
                       .birthday = customer->birthday,
                       .language = customer->language,
                       .country = customer->country,
                       .province = customer->province,
                       .city = customer->city,
                       .district = customer->district,
                       .owner = customer->owner,
                       .source = customer->source,
                       .attributes = customer->attributes,
                       .preferences = customer->preferences},
                .created_at = customer->created_at,
                .updated_at = customer->updated_at,
                .version = customer->version,
        };
        ret->in.source.referrer = uuid_written(arena, customer->source.referrer_id);
}

static void identity_give(struct ctx *c, const struct identity_row *row, size_t most, struct customer_in *in)
{
        if (strcmp(row->kind, "phone") == 0 && !row->secondary) {
                in->phone = row->value;
        } else if (strcmp(row->kind, "email") == 0 && !row->secondary) {
                in->email = row->value;
        } else {
                if (in->identities.v == NULL)
                        in->identities.v = ARENA_ARRAY(c->arena, most, struct identity);
                in->identities.v[in->identities.n++] = (struct identity){row->kind, row->value};
        }
}

/* Customers with their identities. */
static enum err lines_of(struct ctx *c, struct list rows, struct list *ret)
{
        struct list identities = {0};
        const struct customer *customers = rows.v;
        struct customer_line *lines = ARENA_ARRAY(c->arena, rows.n, struct customer_line);
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, rows.n, struct uuid)};
        struct idmap by_id = idmap_new(c->arena, rows.n);
        for (size_t i = 0; i < rows.n; i++) {
                line_of(c->arena, &customers[i], &lines[i]);
                ids.ids.v[ids.ids.n++] = customers[i].id;
                idmap_put(&by_id, customers[i].id, i);
        }
        TRY(customer_lines_identities(c, &ids, &identities));
        TRY(db_flush(c));
        const struct identity_row *row = identities.v;
        size_t *counts = ARENA_ARRAY(c->arena, rows.n, size_t);
        for (size_t i = 0; i < identities.n; i++)
                counts[idmap_get(&by_id, row[i].customer_id)]++;
        for (size_t i = 0; i < identities.n; i++) {
                size_t at = idmap_get(&by_id, row[i].customer_id);
                identity_give(c, &row[i], counts[at], &lines[at].in);
        }
        *ret = (struct list){lines, rows.n};
        return ERR_OK;
}

enum err customer_lines_of(struct ctx *c, const struct uuids *ids, struct list *ret)
{
        struct list rows = {0};

        TRY(customer_lines_by_id(c, &(struct customer_ids){*ids}, &rows));
        TRY(db_flush(c));
        return lines_of(c, rows, ret);
}

/* ------------------------------------------------------------------ everybody */

/* Somebody with all identities, as one row. */
struct customer_export_row {
        struct customer customer;
        struct texts kinds, values; /* of the identities beside phone and e-mail */
};
#define SHAPE_T struct customer_export_row
SHAPE(customer_export_row, "A customer with identities.", NEST(customer, customer), FIELD(kinds),
      FIELD(values));
#undef SHAPE_T

#define OF_CUSTOMER(name) "c." name " AS \"customer." name "\", "
#define CONTACT_JOIN(kind)                                                                                   \
        "LEFT JOIN customer_identities " kind " ON " kind ".customer_id = c.id AND " kind ".kind = '" kind   \
        "' AND NOT " kind ".secondary "
/* In the order in which they came: who brought somebody comes before him. */
SQL_EACH(
        customers_out, nothing, customer_export_row,
        "SELECT " OF_CUSTOMER("id") OF_CUSTOMER("external_id") OF_CUSTOMER("name") OF_CUSTOMER(
                "gender") OF_CUSTOMER("birthday") OF_CUSTOMER("language") OF_CUSTOMER("country")
                OF_CUSTOMER("province") OF_CUSTOMER("city") OF_CUSTOMER("district") OF_CUSTOMER(
                        "owner") OF_CUSTOMER("attributes") OF_CUSTOMER("preferences") OF_CUSTOMER("version")
                        OF_CUSTOMER("created_at") OF_CUSTOMER(
                                "updated_at") "c.source_channel AS \"customer.source.channel\", c.source_detail AS \"customer.source.detail\", "
                                              "c.source_campaign AS \"customer.source.campaign\", c.referrer_id AS \"customer.source.referrer_id\", "
                                              "phone.value AS \"customer.phone\", email.value AS \"customer.email\", other.kinds, other.values "
                                              "FROM customers c " CONTACT_JOIN("phone") CONTACT_JOIN(
                                                      "email") "LEFT JOIN (SELECT customer_id, array_agg(kind ORDER BY kind, value) AS kinds, "
                                                               "array_agg(value ORDER BY kind, value) AS values FROM customer_identities "
                                                               "WHERE secondary OR kind NOT IN ('phone', 'email') GROUP BY customer_id) other ON other.customer_id = c.id "
                                                               "ORDER BY c.created_at, c.id")

/* Two tables as large as the customers, and a third that may be empty or may have grown since anybody
 * counted: a loop over it for each customer would not end. */
SQL_EXEC(customers_out_hashed, nothing, "SET LOCAL enable_nestloop = off")

/* Customers whose memory is freed together. */
#define CUSTOMERS_TOGETHER 500

struct writing {
        SQL_VISIT(visit);
        void *arg;
        struct arena *arena; /* of the last lines */
        size_t count;
};

static enum err row_write(struct ctx *c, const void *arg_row, void *arg)
{
        const struct customer_export_row *row = arg_row;
        struct writing *w = arg;
        struct customer_line line;

        if (w->count++ % CUSTOMERS_TOGETHER == 0) {
                arena_free(w->arena);
                w->arena = arena_new();
        }
        line_of(w->arena, &row->customer, &line);
        line.in.phone = row->customer.phone;
        line.in.email = row->customer.email;
        line.in.identities.n = row->kinds.n;
        line.in.identities.v = ARENA_ARRAY(w->arena, row->kinds.n, struct identity);
        for (size_t i = 0; i < row->kinds.n; i++)
                line.in.identities.v[i] = (struct identity){row->kinds.v[i], row->values.v[i]};
        return w->visit(c, &line, w->arg);
}

enum err customer_lines(struct ctx *c, SQL_VISIT(visit), void *arg)
{
        struct writing writing = {.visit = visit, .arg = arg};

        TRY(customers_out_hashed(c, &(struct nothing){0}));
        enum err err = customers_out(c, &(struct nothing){0}, row_write, &writing);
        arena_free(writing.arena);
        return err;
}
