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

#define SHAPE_T struct customer_lines_page
SHAPE(customer_lines_page, "A position.", FIELD(after_at), FIELD(after_id), FIELD(limit));
#undef SHAPE_T

SQL_LATER(customer_lines_load, customer_lines_page, customer,
          "SELECT " CUSTOMER_COLUMNS
          " FROM customers WHERE (created_at, id) > (coalesce(:after_at, '-infinity'), "
          "coalesce(:after_id, '00000000-0000-0000-0000-000000000000')) ORDER BY created_at, id LIMIT :limit")

SQL_LATER(customer_lines_by_id, customer_ids, customer,
          "SELECT " CUSTOMER_COLUMNS " FROM customers WHERE id = ANY(:ids) ORDER BY created_at, id")

SQL_LATER(
        customer_lines_identities, customer_ids, identity_row,
        "SELECT kind, value, customer_id FROM customer_identities WHERE customer_id = ANY(:ids) ORDER BY kind, secondary DESC, value")

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
        if (strcmp(row->kind, "phone") == 0) {
                in->phone = row->value;
        } else if (strcmp(row->kind, "email") == 0) {
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

enum err customer_lines(struct ctx *c, const struct customer_lines_page *page, struct list *ret)
{
        struct list rows = {0};

        TRY(customer_lines_load(c, page, &rows));
        TRY(db_flush(c));
        return lines_of(c, rows, ret);
}

enum err customer_lines_of(struct ctx *c, const struct uuids *ids, struct list *ret)
{
        struct list rows = {0};

        TRY(customer_lines_by_id(c, &(struct customer_ids){*ids}, &rows));
        TRY(db_flush(c));
        return lines_of(c, rows, ret);
}
