/* /v1/audit */
#include "audit/audit.h"
#include "customers/customers.h"
#include "resources/common.h"

struct audit_query {
        PAGE_QUERY;
        const char *customer, *key, *operation;
        unsigned kind;
        struct instant since, until;
};
#define SHAPE_T struct audit_query
SHAPE(audit_query, "Which entries.", PAGE_QUERY_FIELDS,
      FIELD(customer, .in = IN_QUERY, .max = 300, .doc = "About this customer: UUID or ext:<external id>."),
      FIELD(key, .in = IN_QUERY, .max = 40, .doc = "By this key, named by its id."),
      FIELD(operation, .in = IN_QUERY, .max = 100,
            .doc = "By this operationId; with a span of time, in a large log."),
      FIELD(kind, .in = IN_QUERY, .names = &audit_kind_names, .doc = "Writes, or looks at personal data."),
      FIELD(since, .in = IN_QUERY, .doc = "From then on."),
      FIELD(until, .in = IN_QUERY, .doc = "Before then."));
#undef SHAPE_T

struct audit_entries {
        PAGE_OF(struct audit_entry);
};
#define SHAPE_T struct audit_entries
SHAPE(audit_entries, "A page of the audit log.", PAGE_FIELDS(audit_entry));
#undef SHAPE_T

struct audit_position {
        struct uuid id;
};
#define SHAPE_T struct audit_position
SHAPE(audit_position, "The last one shown.", FIELD(id));
#undef SHAPE_T

static const char *or_any(const char *filter)
{
        return filter != NULL ? filter : "*";
}

/* Somebody who was erased still has the entry of that. */
static enum err whose(struct ctx *c, const char *reference, struct uuid *ret)
{
        struct customer customer;
        enum err err = customer_get(c, reference, &customer);

        if (err == ERR_ERASED) {
                problem_reset(c);
                return customer_reference(c, reference, ret);
        }
        TRY(err);
        *ret = customer.id;
        return ERR_OK;
}

ENDPOINT(
        audit_entry_list, GET, "/v1/audit", audit_query, 200, audit_entries, .summary = "List the audit log",
        .scope = SCOPE_AUDIT_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR),
        .doc = "Newest first: every write, and every unmasked look at personal data. The calls of an order are listed with the "
               "order.")
{
        struct audit_position at = {0};
        struct uuid customer_id = {0};
        struct list rows;
        const char *filters = arena_printf(c->arena, "audit %s %s %s %u %lld %lld", or_any(in->customer),
                                           or_any(in->key), or_any(in->operation), in->kind,
                                           (long long)in->since.us, (long long)in->until.us);

        TRY(cursor_read(c, in->cursor, filters, &audit_position_shape, &at));
        if (in->customer != NULL)
                TRY(whose(c, in->customer, &customer_id));
        TRY(audit_list(c,
                       &(struct audit_page){.before_id = at.id,
                                            .customer_id = customer_id,
                                            .key_id = in->key,
                                            .operation = in->operation,
                                            .kind = in->kind,
                                            .since = in->since,
                                            .until = in->until,
                                            .limit = in->limit + 1,
                                            .total = PAGE_TOTAL(in, out)},
                       &rows));
        const struct audit_entry *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.id = last->id;
                out->next_cursor = cursor_write(c->arena, filters, &audit_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(audit, "Audit", "Who did what, and who looked at whom.", &audit_entry_list_endpoint);
