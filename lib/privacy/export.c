#include "privacy/privacy.h"

#include "customers/customers.h"
#include "db/db.h"
#include "db/query.h"
#include "privacy/holdings.h"

#define SHAPE_T struct subject_export
SHAPE(subject_export, "Everything held on one person.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(exported_at, .need = true),
      FIELD(data, .need = true, .pii = PII_ALL,
            .doc = "The person's rows as they are stored, under the name of each table."));
#undef SHAPE_T

struct whose {
        struct uuid id;
};
#define SHAPE_T struct whose
SHAPE(whose, "Whose rows.", FIELD(id));
#undef SHAPE_T

struct held {
        struct json_text rows;
};
#define SHAPE_T struct held
SHAPE(held, "The rows of one table.", FIELD(rows, .any = true));
#undef SHAPE_T

/* Fingerprints and transaction numbers are of use to the program alone. */
#define TECHNICAL "'{fingerprint,xid}'::text[]"

static enum err table_put(struct ctx *c, const struct holding *holding, const struct whose *whose,
                          struct text *out)
{
        struct list rows;
        struct query query = {
                .name = "subject export",
                .text = arena_printf(c->arena,
                                     "SELECT coalesce(jsonb_agg(to_jsonb(t) - " TECHNICAL
                                     " ORDER BY to_jsonb(t)), '[]') AS rows FROM %s t WHERE %s = :id",
                                     holding->table, holding_person(holding)),
                .in = &whose_shape,
                .out = &held_shape,
        };

        TRY(query_many(c, &query, whose, &rows));
        text_printf(out, "%s\"%s\":%s", out->len > 1 ? "," : "", holding->table,
                    ((const struct held *)rows.v)[0].rows.text);
        return ERR_OK;
}

static enum err tables_put(struct ctx *c, const struct whose *whose, struct text *out)
{
        text_putc(out, '{');
        for (size_t i = 0; i < holding_count; i++)
                if (!holdings[i].copy)
                        TRY(table_put(c, &holdings[i], whose, out));
        text_putc(out, '}');
        return ERR_OK;
}

enum err privacy_export(struct ctx *c, const char *reference, struct subject_export *ret)
{
        struct customer customer;
        struct text json = {0};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(db_script(c, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        TRY(customer_get(c, reference, &customer));
        enum err err = tables_put(c, &(struct whose){customer.id}, &json);
        if (err == ERR_OK)
                *ret = (struct subject_export){
                        customer.id, c->now, {arena_strndup(c->arena, json.data, json.len)}};
        text_free(&json);
        TRY(err);
        return tx_commit(&tx);
}
