/* /v1/exports */
#include "audit/audit.h"
#include "base/shape_json.h"
#include "customers/customers.h"
#include "customers/groups.h"
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
        const char *fields;
        const char *customer, *template, *key, *operation;
        const char *kind, *of_type, *platform, *state, *status, *of_channel; /* of values by the type */
        struct uuid job;
        struct instant since, until;
        struct opt_int total_min, total_max;
        CUSTOMER_FILTER;
};
#define SHAPE_T struct export_query
/* A parameter by another name than the member's. */
#define NAMED(name_, member_, doc_)                                                                          \
        {                                                                                                    \
                .name = (name_), .wire = WIRE_TEXT, .offset = offsetof(SHAPE_T, member_),                    \
                .size = sizeof(const char *), .in = IN_QUERY, .max = 50, .doc = (doc_)                       \
        }
SHAPE(export_query, "What to export.",
      FIELD(type, .in = IN_PATH, .need = true, .names = &export_type_names, .doc = "What the lines are."),
      FIELD(fields, .in = IN_QUERY, .max = PICK_CHARS_MAX,
            .doc = "Only these columns, names with commas between; CSV has them in this order."),
      FIELD(customer, .in = IN_QUERY, .max = 300,
            .doc = "Only what is this customer's: UUID or ext:<external id>."),
      FIELD(template, .in = IN_QUERY, .max = 50, .doc = "Only coupons of this template."),
      FIELD(key, .in = IN_QUERY, .max = 40, .doc = "Only audit entries of this key, named by its id."),
      FIELD(operation, .in = IN_QUERY, .max = 100, .doc = "Only audit entries of this operationId."),
      FIELD(kind, .in = IN_QUERY, .max = 50, .doc = "Only audit entries or interactions of this kind."),
      NAMED("type", of_type, "Only behaviour events of this type."),
      FIELD(platform, .in = IN_QUERY, .max = 50, .doc = "Only communities there."),
      FIELD(state, .in = IN_QUERY, .max = 50,
            .doc = "Only coupons, holds, redemptions or approvals in this state."),
      FIELD(status, .in = IN_QUERY, .max = 50, .doc = "Only orders in this state."),
      NAMED("channel", of_channel,
            "Only orders that came this way, customers who first came so, or consents of this channel."),
      FIELD(total_min, .in = IN_QUERY, .from_zero = true, .max = FILTER_NUMBER_MAX,
            .doc = "Only orders of this total or more."),
      FIELD(total_max, .in = IN_QUERY, .from_zero = true, .max = FILTER_NUMBER_MAX,
            .doc = "Only orders of this total or less."),
      FIELD(job, .in = IN_QUERY, .doc = "Only coupons that this job issued."),
      FIELD(since, .in = IN_QUERY, .doc = "Only what happened from then on."),
      FIELD(until, .in = IN_QUERY, .doc = "Only what happened before then."), CUSTOMER_FILTER_FIELDS_FURTHER);
#undef SHAPE_T

struct export
{
        const struct bulk_type *type;
        bool csv, masked;
        const struct picks *picks; /* NULL: all columns */
        struct text out;
};

static void line_write(struct export *export, const void *line)
{
        const struct shape *shape = bulk_out_shape(export->type);

        if (export->csv)
                csv_put_object(&export->out, shape, export->picks, line, export->masked);
        else
                shape_encode_as(
                        &export->out, shape, line,
                        &(struct encoding){.masked = export->masked,
                                           .without = WITHOUT_NULLS,
                                           .pick = export->picks != NULL ? export->picks->pick : NULL});
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

/* One statement that lasts as long as the client takes, and sorts or joins a whole table: how, depends on the
 * filters that are there. */
SQL_EXEC(export_time_unlimited, nothing, "SET LOCAL statement_timeout = 0")
SQL_EXEC(export_room, nothing, "SET LOCAL work_mem = '32MB'")
SQL_EXEC(export_planned, nothing, "SET LOCAL plan_cache_mode = force_custom_plan")
/* With two, three processes and this one that writes the lines share what may be two processors. */
SQL_EXEC(export_helped, nothing, "SET LOCAL max_parallel_workers_per_gather = 1")

static enum err each_stream(struct ctx *c, const struct bulk_filter *filter, struct export *export)
{
        TRY(export_planned(c, &(struct nothing){0}));
        TRY(export_helped(c, &(struct nothing){0}));
        TRY(export->type->each(c, filter, row_stream, export));
        return written_send(c, export);
}

static enum err lines_stream(struct ctx *c, const struct bulk_type *type, const struct bulk_filter *filter,
                             const struct picks *picks)
{
        struct export export = {
                .type = type, .csv = bulk_wants_csv(c), .masked = !c->principal->pii, .picks = picks};
        enum err err;

        if (export.csv) {
                csv_put_names(&export.out, bulk_out_shape(type), picks);
                text_puts(&export.out, "\r\n");
        }
        bool in_pages = type->each == NULL || (type->page != NULL && filter->listed != NULL);
        err = in_pages ? pages_stream(c, filter, &export) : each_stream(c, filter, &export);
        text_free(&export.out);
        return err;
}

/* ------------------------------------------------------------------ what goes out */

/* A filter that the type does not know must not be ignored. */
static void refuse_unless(struct ctx *c, bool allowed, bool asked, const char *parameter)
{
        if (asked && !allowed)
                fault_parameter(c, parameter, "not_allowed", "does not filter this type");
}

/* Does the type filter by it as well, though it is no list of customers? */
static bool is_own(const struct bulk_type *type, const struct field *field)
{
        if (field->offset == offsetof(struct export_query, group))
                return type->filters & BULK_OF_GROUP;
        return (type->filters & BULK_SOURCE) && (field->offset == offsetof(struct export_query, campaign) ||
                                                 field->offset == offsetof(struct export_query, referrer));
}

static void listed_take(struct ctx *c, const struct bulk_type *type, const struct export_query *in,
                        bool *ret_listed)
{
        const struct shape *shape = &export_query_shape;
        size_t from = offsetof(struct export_query, filter);

        *ret_listed = false;
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                bool set = field->offset >= from && !field_is_null(field, (const char *)in + field->offset);
                if (set && is_own(type, field))
                        continue;
                refuse_unless(c, type->filters & BULK_LISTED, set, field->name);
                *ret_listed = *ret_listed || set;
        }
}

/* The index of a value among names; 0 when it is not there, or none was given. */
static unsigned value_take(struct ctx *c, const struct names *names, const char *parameter, const char *value)
{
        unsigned found = value != NULL ? names_find(names, value) : 0;

        if (value != NULL && found == 0)
                fault_parameter(c, parameter, "unknown_value", "must be one of: %s", names_listed(c, names));
        return found;
}

/* What the lists call by these names are kinds of what they hold; each type has its own. */
static const char *kind_take(struct ctx *c, const struct bulk_type *type, const struct export_query *in)
{
        const struct {
                const char *parameter, *value;
        } given[] = {{"kind", in->kind},   {"type", in->of_type},  {"platform", in->platform},
                     {"state", in->state}, {"status", in->status}, {"channel", in->of_channel}};
        const char *kind = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
                if (given[i].value == NULL)
                        continue;
                if (type->kind != NULL && strcmp(type->kind, given[i].parameter) == 0)
                        kind = type->kinds->v[value_take(c, type->kinds, given[i].parameter, given[i].value)];
                else if (given[i].value != in->of_channel || !(type->filters & BULK_CHANNEL))
                        refuse_unless(c, false, true, given[i].parameter);
        }
        return kind;
}

static enum err filter_of(struct ctx *c, const struct export_query *in, struct bulk_filter *ret)
{
        const struct bulk_type *type = bulk_type(in->type);
        unsigned filters = type->filters;
        struct customer_filter *listed = ARENA_NEW(c->arena, struct customer_filter);
        struct customer customer;
        struct group group;
        bool is_listed;

        refuse_unless(c, filters & BULK_OF_CUSTOMER, in->customer != NULL, "customer");
        refuse_unless(c, filters & BULK_IN_TIME, instant_known(in->since), "since");
        refuse_unless(c, filters & BULK_IN_TIME, instant_known(in->until), "until");
        refuse_unless(c, filters & BULK_COUPONS, in->template != NULL, "template");
        refuse_unless(c, filters & BULK_COUPONS, uuid_known(in->job), "job");
        refuse_unless(c, filters & BULK_AUDITED, in->key != NULL, "key");
        refuse_unless(c, filters & BULK_AUDITED, in->operation != NULL, "operation");
        refuse_unless(c, filters & BULK_TOTALS, in->total_min.set, "total_min");
        refuse_unless(c, filters & BULK_TOTALS, in->total_max.set, "total_max");
        listed_take(c, type, in, &is_listed);
        *ret = (struct bulk_filter){.since = in->since,
                                    .until = in->until,
                                    .kind = kind_take(c, type, in),
                                    .key_id = in->key,
                                    .operation = in->operation,
                                    .group = filters & BULK_OF_GROUP ? in->group : NULL,
                                    .total_min = in->total_min,
                                    .total_max = in->total_max,
                                    .template = in->template,
                                    .job_id = in->job};
        if (filters & BULK_CHANNEL)
                ret->channel = value_take(c, &channel_names, "channel", in->of_channel);
        TRY(problem_check(c));
        *listed = in->filter;
        if (filters & BULK_LISTED)
                listed->channel = ret->channel;
        TRY(customer_filter_check(c, listed));
        if (is_listed || listed->channel != 0)
                ret->listed = listed;
        if (filters & BULK_SOURCE) {
                ret->campaign = in->campaign;
                if (in->referrer != NULL) {
                        TRY(customer_get(c, in->referrer, &customer));
                        ret->referrer_id = customer.id;
                }
        }
        if (ret->group != NULL)
                TRY(group_get(c, ret->group, &group));
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
               "Types that an import does not know only go out. The filters are those of the type's list, beside customer, since and until "
               "where it is somebody's and has a time; one that the type does not have is a fault. fields leaves out what is not wanted. Personal data is masked without customers:pii.")
{
        const struct bulk_type *type = bulk_type(in->type);
        struct bulk_filter filter;
        struct picks picks = {0};
        TX(tx);

        (void)out;
        TRY(bulk_allowed(c, type->scope_read));
        if (in->fields != NULL)
                pick_read(c, "fields", in->fields, bulk_out_shape(type), PICK_COLUMNS, &picks);
        TRY(filter_of(c, in, &filter));
        bool personal =
                type->has_pii && (picks.pick == NULL || shape_has_pii(bulk_out_shape(type), picks.pick));
        if (personal && c->principal->pii)
                TRY(export_audit(c, type));
        if (filter.listed != NULL)
                TRY(directory_settle(c));
        TRY(tx_begin_snapshot(c, &tx));
        TRY(export_time_unlimited(c, &(struct nothing){0}));
        TRY(export_room(c, &(struct nothing){0}));
        TRY(db_flush(c)); /* from here on only the stream can fail */
        stream_begin(c, bulk_wants_csv(c) ? CSV_TYPE_SENT : NDJSON_TYPE);
        TRY(lines_stream(c, type, &filter, in->fields != NULL ? &picks : NULL));
        return tx_commit(&tx);
}

RESOURCE(exports, "Exports", "Many at once, out.", &export_lines_endpoint);
