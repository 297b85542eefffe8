/* /v1/exports */
#include "audit/audit.h"
#include "base/shape_json.h"
#include "coupons/coupons.h"
#include "customers/customers.h"
#include "db/statement.h"
#include "http/stream.h"
#include "jobs/csv.h"
#include "jobs/pages.h"
#include "resources/bulk.h"
#include "resources/customer_filter.h"

/* Lines of one page: few enough to hold, enough that the database does not wait. */
#define PAGE_LINES 1000

/* What is gathered of rows that come one by one before it goes out. */
#define PIECE_BYTES ((size_t)64 * 1024)

struct export_query {
        unsigned type;
        const char *customer, *template;
        unsigned state;
        struct uuid job;
        struct instant since, until;
        CUSTOMER_FILTER;
};
#define SHAPE_T struct export_query
SHAPE(export_query, "What to export.",
      FIELD(type, .in = IN_PATH, .need = true, .names = &export_type_names, .doc = "What the lines are."),
      FIELD(customer, .in = IN_QUERY, .max = 300,
            .doc = "Only what is this customer's: UUID or ext:<external id>."),
      FIELD(template, .in = IN_QUERY, .max = 50, .doc = "Only coupons of this template."),
      FIELD(state, .in = IN_QUERY, .names = &coupon_state_names, .doc = "Only coupons in this state."),
      FIELD(job, .in = IN_QUERY, .doc = "Only coupons that this job issued."),
      FIELD(since, .in = IN_QUERY, .doc = "Only what happened from then on."),
      FIELD(until, .in = IN_QUERY, .doc = "Only what happened before then."), CUSTOMER_FILTER_FIELDS);
#undef SHAPE_T

struct export
{
        const struct bulk_type *type;
        bool csv, masked;
        struct text out;
};

static void line_write(struct export *export, const void *line)
{
        const struct shape *shape = bulk_out_shape(export->type);

        if (export->csv)
                csv_put_object(&export->out, shape, line, export->masked);
        else
                shape_encode_known(&export->out, shape, line, export->masked);
        text_puts(&export->out, export->csv ? "\r\n" : "\n");
}

static enum err written_send(struct ctx *c, struct export *export)
{
        enum err err = stream_write(c, export->out.data != NULL ? export->out.data : "", export->out.len);

        text_clear(&export->out);
        return err;
}

static enum err pages_stream(struct ctx *c, const struct bulk_filter *filter, struct export *export)
{
        size_t size = bulk_out_shape(export->type)->size;
        struct ctx reading = *c; /* as it is now: c goes on to write */
        struct pages *pages = pages_start(&reading, export->type, filter, PAGE_LINES);
        struct list page = {.n = PAGE_LINES};
        enum err err = pages != NULL ? ERR_OK : fail(c, ERR_INTERNAL, "There is no thread to read ahead.");

        while (err == ERR_OK && page.n == PAGE_LINES) {
                err = pages_next(c, pages, &page);
                for (size_t i = 0; err == ERR_OK && i < page.n; i++)
                        line_write(export, (const char *)page.v + i * size);
                if (err == ERR_OK)
                        err = written_send(c, export);
        }
        pages_stop(pages);
        return err;
}

static enum err row_stream(struct ctx *c, const void *row, void *arg)
{
        struct export *export = arg;

        line_write(export, row);
        return export->out.len < PIECE_BYTES ? ERR_OK : written_send(c, export);
}

/* One statement that lasts as long as the client takes, and sorts or joins a whole table. */
SQL_EXEC(export_time_unlimited, nothing, "SET LOCAL statement_timeout = 0")
SQL_EXEC(export_room, nothing, "SET LOCAL work_mem = '32MB'")

static enum err lines_stream(struct ctx *c, const struct bulk_type *type, const struct bulk_filter *filter)
{
        struct export export = {.type = type, .csv = bulk_wants_csv(c), .masked = !c->principal->pii};
        enum err err;

        if (export.csv) {
                csv_put_names(&export.out, bulk_out_shape(type));
                text_puts(&export.out, "\r\n");
        }
        if (type->each != NULL) {
                err = type->each(c, filter, row_stream, &export);
                if (err == ERR_OK)
                        err = written_send(c, &export);
        } else {
                err = pages_stream(c, filter, &export);
        }
        text_free(&export.out);
        return err;
}

/* ------------------------------------------------------------------ what goes out */

static bool is_listed(const struct export_query *in)
{
        const struct shape *shape = &export_query_shape;
        size_t from = offsetof(struct export_query, filter);

        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].offset >= from &&
                    !field_is_null(&shape->fields[i], (const char *)in + shape->fields[i].offset))
                        return true;
        return false;
}

/* A filter that the type does not know must not be ignored. */
static void refuse_unless(struct ctx *c, bool allowed, bool asked, const char *parameter)
{
        if (asked && !allowed)
                fault_parameter(c, parameter, "not_allowed", "does not filter this type");
}

static enum err filter_of(struct ctx *c, const struct export_query *in, struct bulk_filter *ret)
{
        unsigned filters = bulk_type(in->type)->filters;
        bool listed = is_listed(in);
        struct customer customer;

        refuse_unless(c, filters & BULK_OF_CUSTOMER, in->customer != NULL, "customer");
        refuse_unless(c, filters & BULK_IN_TIME, instant_known(in->since), "since");
        refuse_unless(c, filters & BULK_IN_TIME, instant_known(in->until), "until");
        refuse_unless(c, filters & BULK_LISTED, listed, "q");
        refuse_unless(c, filters & BULK_COUPONS, in->template != NULL, "template");
        refuse_unless(c, filters & BULK_COUPONS, in->state != 0, "state");
        refuse_unless(c, filters & BULK_COUPONS, uuid_known(in->job), "job");
        TRY(problem_check(c));
        TRY(customer_filter_check(c, &in->filter));
        *ret = (struct bulk_filter){.since = in->since,
                                    .until = in->until,
                                    .listed = listed ? &in->filter : NULL,
                                    .template = in->template,
                                    .state = in->state,
                                    .job_id = in->job};
        memset(&ret->last_id, UINT8_MAX, sizeof ret->last_id);
        if (in->customer == NULL)
                return ERR_OK;
        TRY(customer_get(c, in->customer, &customer));
        ret->customer_id = ret->first_id = ret->last_id = customer.id;
        return ERR_OK;
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
        .doc = "One JSON object a line, or CSV with Accept: text/csv, as an import takes them; all as it was at one moment. "
               "Types that an import does not know only go out. The filters are those of the lists: customer, since and until, and for "
               "customers all that their list has. Personal data is masked without customers:pii.")
{
        const struct bulk_type *type = bulk_type(in->type);
        struct bulk_filter filter;
        TX(tx);

        (void)out;
        TRY(bulk_allowed(c, type->scope_read));
        TRY(filter_of(c, in, &filter));
        if (type->has_pii && c->principal->pii)
                TRY(export_audit(c, type));
        if (filter.listed != NULL)
                TRY(directory_settle(c));
        TRY(tx_begin_snapshot(c, &tx));
        TRY(export_time_unlimited(c, &(struct nothing){0}));
        TRY(export_room(c, &(struct nothing){0}));
        TRY(db_flush(c)); /* from here on only the stream can fail */
        stream_begin(c, bulk_wants_csv(c) ? CSV_TYPE_SENT : NDJSON_TYPE);
        TRY(lines_stream(c, type, &filter));
        return tx_commit(&tx);
}

RESOURCE(exports, "Exports", "Many at once, out.", &export_lines_endpoint);
