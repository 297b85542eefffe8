/* /v1/exports */
#include "audit/audit.h"
#include "base/shape_json.h"
#include "coupons/coupons.h"
#include "customers/customers.h"
#include "db/db.h"
#include "http/stream.h"
#include "jobs/csv.h"
#include "resources/bulk.h"

/* Lines of one page: few enough to hold, enough that the database does not wait. */
#define PAGE_LINES 500

struct export_query {
        unsigned type;
        const char *customer, *template;
        unsigned state;
        struct uuid job;
};
#define SHAPE_T struct export_query
SHAPE(export_query, "What to export.",
      FIELD(type, .in = IN_PATH, .need = true, .names = &bulk_type_names, .doc = "What the lines are."),
      FIELD(customer, .in = IN_QUERY, .max = 300,
            .doc = "Only orders, refunds or coupons of this customer: UUID or ext:<external id>."),
      FIELD(template, .in = IN_QUERY, .max = 50, .doc = "Only coupons of this template."),
      FIELD(state, .in = IN_QUERY, .names = &coupon_state_names, .doc = "Only coupons in this state."),
      FIELD(job, .in = IN_QUERY, .doc = "Only coupons that this job issued."));
#undef SHAPE_T

static void page_write(const struct bulk_type *type, const struct list *page, bool csv, bool masked,
                       struct text *out)
{
        const struct shape *shape = bulk_out_shape(type);

        for (size_t i = 0; i < page->n; i++) {
                const char *line = (const char *)page->v + i * shape->size;
                if (csv)
                        csv_put_object(out, shape, line, masked);
                else
                        shape_encode_known(out, shape, line, masked);
                text_puts(out, csv ? "\r\n" : "\n");
        }
}

static enum err pages_stream(struct ctx *c, const struct bulk_type *type, const struct bulk_filter *filter)
{
        bool csv = bulk_wants_csv(c), masked = !c->principal->pii, more = true;
        struct bulk_position position = {0};
        struct text out = {0};
        enum err err = ERR_OK;

        if (csv) {
                csv_put_names(&out, bulk_out_shape(type));
                text_puts(&out, "\r\n");
        }
        while (err == ERR_OK && more) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct ctx own = *c;
                struct list page = {0};
                own.arena = arena;
                own.problem = (struct problem){0};
                err = type->page(&own, filter, &position, PAGE_LINES, &page);
                problem_reset(&own);
                more = page.n == PAGE_LINES;
                if (err != ERR_OK)
                        break;
                page_write(type, &page, csv, masked, &out);
                err = stream_write(c, out.data != NULL ? out.data : "", out.len);
                text_clear(&out);
        }
        text_free(&out);
        return err;
}

/* Personal data of everybody goes out: one entry says so, for a million would say no more. */
static enum err export_audit(struct ctx *c, const struct bulk_type *type)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(audit_write(
                c, &(struct audit_change){.subject = arena_printf(c->arena, "/v1/exports/%s", type->name)}));
        return tx_commit(&tx);
}

static const char *const export_produces[] = {NDJSON_TYPE, CSV_TYPE, NULL};

ENDPOINT(
        export_lines, GET, "/v1/exports/{type}", export_query, 200, nothing, .lane = LANE_BULK,
        .streams = true, .produces = export_produces, .summary = "Export everything of a type",
        .scope = SCOPE_IMPORTS_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED),
        .doc = "One JSON object a line, or CSV with Accept: text/csv, as an import takes them (coupons only go out, newest first); all as it was at one moment. "
               "Personal data is masked without customers:pii.")
{
        const struct bulk_type *type = bulk_type(in->type);
        struct bulk_filter filter = {.template = in->template, .state = in->state, .job_id = in->job};
        struct customer customer;
        TX(tx);

        (void)out;
        TRY(bulk_allowed(c, type->scope_read));
        if (in->customer != NULL) {
                TRY(customer_get(c, in->customer, &customer));
                filter.customer_id = customer.id;
        }
        if (type->has_pii && c->principal->pii)
                TRY(export_audit(c, type));
        TRY(tx_begin_snapshot(c, &tx));
        TRY(db_flush(c)); /* from here on only the stream can fail */
        stream_begin(c, bulk_wants_csv(c) ? CSV_TYPE_SENT : NDJSON_TYPE);
        TRY(pages_stream(c, type, &filter));
        return tx_commit(&tx);
}

RESOURCE(exports, "Exports", "Many at once, out.", &export_lines_endpoint);
