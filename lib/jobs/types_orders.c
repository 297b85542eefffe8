/* Types: customers, orders and their refunds. */
#include "access/scopes.h"
#include "customers/lines.h"
#include "directory/directory.h"
#include "jobs/people.h"
#include "orders/lines.h"

/* Beyond it a batch gains little, and a refused one costs more to take apart. */
#define BATCH_MAX 1000
/* Refunds are applied one by one, so a batch saves commits only; and as long as it lasts, their customers'
 * orders wait. */
#define REFUNDS_MAX 20

/* ------------------------------------------------------------------ customers */

/* All that names the customer, and his referrer: whoever stands further up in a file can be named by it. */
static size_t names_of(const struct customer_in *in, struct uuid ret[STRAND_NAMES_MAX])
{
        size_t n = 0;

        if (in->external_id != NULL)
                ret[n++] = uuid_of_external("customer", in->external_id);
        if (uuid_known(in->id))
                ret[n++] = in->id;
        if (in->phone != NULL)
                ret[n++] = uuid_of_external("phone", in->phone);
        if (in->email != NULL)
                ret[n++] = uuid_of_external("email", in->email);
        if (in->identities.n > 0)
                ret[n++] = uuid_of_external(in->identities.v[0].kind, in->identities.v[0].value);
        if (in->source.referrer != NULL)
                n += reference_name(in->source.referrer, &ret[n]);
        return n;
}

static size_t customer_names(const void *object, struct uuid ret[STRAND_NAMES_MAX])
{
        return names_of(&((const struct customer_line *)object)->in, ret);
}

static enum err customers_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                                size_t n)
{
        struct customer_claim *claims = ARENA_ARRAY(c->arena, n, struct customer_claim);
        struct customer_in *inputs = ARENA_ARRAY(c->arena, n, struct customer_in);

        for (size_t i = 0; i < n; i++) {
                const struct customer_line *line = lines[i]->object;
                inputs[i] = line->in;
                if (inputs[i].external_id != NULL)
                        inputs[i].id = (struct uuid){0}; /* the shop's number decides, here as everywhere */
                claims[i] = (struct customer_claim){
                        .c = &lines[i]->c, .pointer = "#", .in = &inputs[i], .adopts_id = true};
                if (options->backfill)
                        claims[i].created_at = line->created_at;
        }
        TRY(customers_claim(c, claims, n));
        for (size_t i = 0; i < n; i++) {
                lines[i]->err = claims[i].err;
                if (claims[i].err != ERR_OK)
                        continue;
                lines[i]->status = claims[i].created ? 201 : 200;
                lines[i]->id = claims[i].customer->id;
                lines[i]->external_id = inputs[i].external_id;
        }
        return ERR_OK;
}

/* A page of those that pass the filters of the list. */
static enum err customers_page(struct ctx *c, const struct bulk_filter *filter,
                               struct bulk_position *position, int64_t n, struct list *ret)
{
        struct customer_query query = {.filter = *filter->listed,
                                       .sort = SORT_CREATED,
                                       .after = {.at = position->at, .id = position->id},
                                       .limit = n};
        struct list rows;

        TRY(directory_positions(c, &query, &rows));
        const struct customer_position *positions = rows.v;
        struct uuids ids = {ARENA_ARRAY(c->arena, rows.n, struct uuid), rows.n};
        for (size_t i = 0; i < rows.n; i++)
                ids.v[i] = positions[i].id;
        TRY(customer_lines_of(c, &ids, ret));
        if (ret->n > 0) {
                const struct customer_line *last = &((const struct customer_line *)ret->v)[ret->n - 1];
                *position = (struct bulk_position){.at = last->created_at, .id = last->in.id};
        }
        return ERR_OK;
}

static enum err customers_each(struct ctx *c, const struct bulk_filter *filter, SQL_VISIT(visit), void *arg)
{
        (void)filter; /* those of the list are for pages */
        return customer_lines(c, visit, arg);
}

/* ------------------------------------------------------------------ orders */

static size_t order_names(const void *object, struct uuid ret[STRAND_NAMES_MAX])
{
        const struct order_in *in = &((const struct bulk_order *)object)->in;
        size_t n = names_of(&in->customer, ret);

        return in->referrer != NULL ? n + reference_name(in->referrer, &ret[n]) : n;
}

static enum err orders_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                             size_t n)
{
        struct order_call *calls = ARENA_ARRAY(c->arena, n, struct order_call);

        for (size_t i = 0; i < n; i++) {
                struct bulk_order *line = lines[i]->object;
                line->in.backfill = options->backfill;
                line->in.award = line->awarded;
                calls[i] = (struct order_call){.c = &lines[i]->c, .in = &line->in};
        }
        TRY(orders_take(c, calls, n));
        for (size_t i = 0; i < n; i++) {
                lines[i]->err = calls[i].err;
                lines[i]->status = calls[i].created ? 201 : 200;
                lines[i]->id = calls[i].order_id;
                lines[i]->external_id = calls[i].in->external_id;
        }
        return ERR_OK;
}

static enum err orders_each(struct ctx *c, const struct bulk_filter *filter, SQL_VISIT(visit), void *arg)
{
        const struct order_page page = {
                .customer_id = filter->customer_id,
                .status = filter->kind != NULL ? names_find(&order_status_names, filter->kind) : 0,
                .channel = filter->channel,
                .campaign = filter->campaign,
                .referrer_id = filter->referrer_id,
                .since = filter->since,
                .until = filter->until,
                .total_min = filter->total_min,
                .total_max = filter->total_max,
        };

        return bulk_orders(c, &page, visit, arg);
}

/* ------------------------------------------------------------------ refunds */

/* Refunds of one customer draw from the same lots, and wait for the same lock. */
static size_t refund_names(const void *object, struct uuid ret[STRAND_NAMES_MAX])
{
        const struct bulk_refund *refund = object;

        ret[0] = uuid_known(refund->customer_id) ? refund->customer_id
                                                 : uuid_of_external("order", refund->order_reference);
        return 1;
}

static enum err refunds_meet(struct ctx *c, struct bulk_line **lines, size_t n)
{
        struct bulk_refund **refunds = ARENA_ARRAY(c->arena, n, struct bulk_refund *);

        for (size_t i = 0; i < n; i++)
                refunds[i] = lines[i]->object;
        return bulk_refunds_meet(c, refunds, n);
}

static enum err refunds_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                              size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct bulk_line *line = lines[i];
                struct bulk_refund *refund = line->object;
                struct refund_answer answer;
                struct ctx own = line->c;

                refund->in.order = refund->order_reference;
                refund->in.backfill = options->backfill;
                own.db = c->db;
                line->err = order_refund(&own, &refund->in, &answer);
                line->c.problem = own.problem;
                if (line->err != ERR_OK)
                        return n == 1 ? ERR_OK : line->err;
                line->status = answer.replayed ? 200 : 201;
                line->id = answer.id;
                line->external_id = refund->in.external_id;
        }
        return ERR_OK;
}

static enum err refunds_page(struct ctx *c, const struct bulk_filter *filter, struct bulk_position *position,
                             int64_t n, struct list *ret)
{
        struct bulk_order_page page = {.customer_id = filter->customer_id,
                                       .since = filter->since,
                                       .until = filter->until,
                                       .after_at = position->at,
                                       .after_id = position->id,
                                       .after_parent = position->parent,
                                       .limit = n};

        TRY(bulk_refunds(c, &page, ret));
        *position = (struct bulk_position){page.after_at, page.after_id, page.after_parent};
        return ERR_OK;
}

const struct bulk_type bulk_type_customers = {
        .name = "customers",
        .doc = "Customers: created, or filled in where they are known.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .shape = customer_line_shape,
        .out = customer_line_out_shape,
        .has_pii = true,
        .batch_max = BATCH_MAX,
        .names = customer_names,
        .apply = customers_apply,
        .page = customers_page,
        .each = customers_each,
        .filters = BULK_LISTED | BULK_CHANNEL,
};

const struct bulk_type bulk_type_orders = {
        .name = "orders",
        .doc = "Orders, each in the state it is in.",
        .scope_read = SCOPE_ORDERS_READ,
        .scope_write = SCOPE_ORDERS_WRITE,
        .shape = bulk_order_shape,
        .batch_max = BATCH_MAX,
        .names = order_names,
        .apply = orders_apply,
        .each = orders_each,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME | BULK_CHANNEL | BULK_TOTALS | BULK_SOURCE,
        .kind = "status",
        .kinds = &order_status_names,
};

const struct bulk_type bulk_type_refunds = {
        .name = "refunds",
        .doc = "Refunds of known orders.",
        .scope_read = SCOPE_ORDERS_READ,
        .scope_write = SCOPE_ORDERS_WRITE,
        .shape = bulk_refund_shape,
        .has_pii = true,
        .batch_max = REFUNDS_MAX,
        .names = refund_names,
        .meet = refunds_meet,
        .apply = refunds_apply,
        .page = refunds_page,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
};
