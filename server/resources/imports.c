/* /v1/imports and the :batch operations: many at once, in. */
#include <stdlib.h>

#include "base/clock.h"
#include "http/headers.h"
#include "http/pace.h"
#include "http/stream.h"
#include "base/json.h"
#include "customers/address.h"
#include "customers/consent.h"
#include "customers/groups.h"
#include "customers/interactions.h"
#include "customers/tags.h"
#include "jobs/apply.h"
#include "jobs/read.h"
#include "jobs/stage.h"
#include "orders/orders.h"
#include "resources/bulk.h"

/* What is taken of the upload at once. */
#define READ_BYTES ((size_t)64 * 1024)

struct import_query {
        unsigned type, mode;
        bool dry_run, backfill, wait;
};
#define SHAPE_T struct import_query
SHAPE(import_query, "What the file holds and how it is meant.",
      FIELD(type, .in = IN_PATH, .need = true, .names = &bulk_file_type_names, .doc = "What the lines are."),
      FIELD(mode, .in = IN_QUERY, .names = &job_mode_names, .dflt = "independent",
            .doc = "independent: good lines are kept; atomic: all lines or none."),
      FIELD(dry_run, .in = IN_QUERY, .dflt = "false", .doc = "Try everything, keep nothing."),
      FIELD(backfill, .in = IN_QUERY, .dflt = "false", .doc = "History: everything keeps its own time."),
      FIELD(wait, .in = IN_QUERY, .dflt = "false",
            .doc = "Stay, and answer one result a line while the file is worked on."));
#undef SHAPE_T

static enum err upload(struct ctx *c, struct stage *stage)
{
        char *buffer = malloc(READ_BYTES);
        size_t len = 1;
        enum err err = buffer != NULL ? ERR_OK : fail(c, ERR_INTERNAL, "No memory.");

        while (err == ERR_OK && len > 0) {
                err = body_read(c, buffer, READ_BYTES, &len);
                if (err != ERR_OK || len == 0)
                        break;
                int64_t began_us = clock_monotonic_us();
                err = stage_take(stage, buffer, len);
                pace_rest(PACE_UPLOAD, clock_monotonic_us() - began_us);
        }
        free(buffer);
        return err;
}

static enum err import_begin(struct ctx *c, const struct import_query *in, struct job *ret)
{
        char charset[32];
        const struct reply *reply = c->reply;
        bool has_charset = header_parameter(reply->content_type, "charset", charset, sizeof charset);
        struct stage *stage;
        struct stage_options options = {
                .job = {.type = in->type,
                        .mode = in->mode,
                        .format = header_is_type(reply->content_type, CSV_TYPE) ? FILE_CSV : FILE_NDJSON,
                        .dry_run = in->dry_run,
                        .backfill = in->backfill,
                        .key_id = c->principal->key_id,
                        .created_at = c->now},
                .content_encoding = reply->content_encoding,
                .charset = has_charset ? charset : NULL,
        };

        TRY(bulk_allowed(c, bulk_type(in->type)->scope_write));
        TRY(stage_begin(c, &options, &stage));
        enum err err = upload(c, stage);
        if (err == ERR_OK)
                err = stage_end(stage, ret);
        stage_free(stage);
        return err;
}

static const char *const import_consumes[] = {CSV_TYPE, NDJSON_TYPE, "application/ndjson", NULL};
static const char *const import_produces[] = {"application/json", NDJSON_TYPE, CSV_TYPE, NULL};

ENDPOINT(
        import_file, POST, "/v1/imports/{type}", import_query, 201, job_view, .lane = LANE_BULK,
        .streams = true, .consumes = import_consumes, .produces = import_produces, .line = &bulk_result_shape,
        .idempotency = IDEMPOTENCY_NATURAL, .summary = "Import a file", .scope = SCOPE_IMPORTS_WRITE,
        .errors = ERRS(ERR_BAD_FILE),
        .doc = "CSV with a header whose columns are dotted paths into the lines' fields, or one JSON object a line; gzip or zstd as "
               "Content-Encoding; charset=gb18030 for CSV of Chinese spreadsheets. The file may have any length. The job begins when "
               "the file is in. Lines have the natural keys of single calls: the same file again changes nothing.")
{
        struct job job;

        TRY(import_begin(c, in, &job));
        if (in->wait) {
                if (strcmp(c->reply->form, "application/json") == 0)
                        c->reply->form = NDJSON_TYPE;
                return bulk_results_stream(c, &job, /* errors_only= */ false);
        }
        job_show(c, &job, out);
        c->reply->location = bulk_job_path(c, &job);
        return ERR_OK;
}

/* ------------------------------------------------------------------ small batches */

#define BATCH_ITEMS_MAX 500

struct batch_item {
        int64_t index, status;
        struct uuid id;
        const char *external_id;
        struct json_text error;
};
#define SHAPE_T struct batch_item
SHAPE(batch_item, "What became of one item.", FIELD(index, .doc = "Its place in the request, from 0."),
      FIELD(status,
            .doc = "201 created, 200 known or changed, 202 waits for approval, else that of the error."),
      FIELD(id), FIELD(external_id), FIELD(error, .doc = "A problem, as a single call would have got it."));
#undef SHAPE_T

struct batch_results {
        LIST_OF(struct batch_item) results;
};
#define SHAPE_T struct batch_results
SHAPE(batch_results, "A result for each item, in their order.", LIST(results, batch_item));
#undef SHAPE_T

static enum err batch_run(struct ctx *c, const struct bulk_type *type, const char *items,
                          struct batch_results *out)
{
        const struct bulk_options options = {.backfill = false};
        json_t *json;

        TRY(json_parse(c, items, strlen(items), &json));
        size_t n = json_array_size(json), readable_count = 0;
        struct bulk_line *lines = ARENA_ARRAY(c->arena, n, struct bulk_line);
        struct bulk_line **readable = ARENA_ARRAY(c->arena, n, struct bulk_line *);
        for (size_t i = 0; i < n; i++) {
                line_decode(c, type, json_array_get(json, i), &lines[i]);
                if (lines[i].object != NULL)
                        readable[readable_count++] = &lines[i];
        }
        json_decref(json);
        enum err err = lines_apply(c, type, &options, readable, readable_count);
        out->results.v = ARENA_ARRAY(c->arena, n, struct batch_item);
        out->results.n = n;
        for (size_t i = 0; i < n; i++) {
                struct line_result result;
                line_outcome(c, &lines[i], &result);
                out->results.v[i] = (struct batch_item){.index = (int64_t)i,
                                                        .status = result.status,
                                                        .id = result.id,
                                                        .external_id = result.external_id,
                                                        .error = {result.error}};
                problem_reset(&lines[i].c);
        }
        return err;
}

#define BATCH_ITEMS(shape_)                                                                                  \
        FIELD(items, .need = true, .min = 1, .max = BATCH_ITEMS_MAX, .of = &shape_##_shape,                  \
              .doc = "Each as a single call takes it, and with a result of its own.")

struct customers_batch_in {
        struct json_text items;
};
#define SHAPE_T struct customers_batch_in
SHAPE(customers_batch_in, "Customers.", BATCH_ITEMS(customer_in));
#undef SHAPE_T

struct orders_batch_in {
        struct json_text items;
};
#define SHAPE_T struct orders_batch_in
SHAPE(orders_batch_in, "Orders.", BATCH_ITEMS(order_in));
#undef SHAPE_T

struct tags_batch_in {
        struct json_text items;
};
#define SHAPE_T struct tags_batch_in
SHAPE(tags_batch_in, "Tags.", BATCH_ITEMS(tag_line));
#undef SHAPE_T

struct group_members_batch_in {
        struct json_text items;
};
#define SHAPE_T struct group_members_batch_in
SHAPE(group_members_batch_in, "Members of groups.", BATCH_ITEMS(group_member_line));
#undef SHAPE_T

struct addresses_batch_in {
        struct json_text items;
};
#define SHAPE_T struct addresses_batch_in
SHAPE(addresses_batch_in, "Addresses.", BATCH_ITEMS(address_line));
#undef SHAPE_T

struct interactions_batch_in {
        struct json_text items;
};
#define SHAPE_T struct interactions_batch_in
SHAPE(interactions_batch_in, "Contacts.", BATCH_ITEMS(interaction_line));
#undef SHAPE_T

struct consents_batch_in {
        struct json_text items;
};
#define SHAPE_T struct consents_batch_in
SHAPE(consents_batch_in, "Statements about being written to.", BATCH_ITEMS(consent_line));
#undef SHAPE_T

#define BATCH_DOC "Always 207: one that is refused does not stop the others."

ENDPOINT(customer_batch, POST, "/v1/customers:batch", customers_batch_in, 207, batch_results,
         .summary = "Create or fill in up to 500 customers", .scope = SCOPE_CUSTOMERS_WRITE, .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_customers, in->items.text, out);
}

ENDPOINT(order_batch, POST, "/v1/orders:batch", orders_batch_in, 207, batch_results,
         .summary = "Send up to 500 orders", .scope = SCOPE_ORDERS_WRITE, .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_orders, in->items.text, out);
}

ENDPOINT(tag_batch, POST, "/v1/tags:batch", tags_batch_in, 207, batch_results,
         .summary = "Put on or take off up to 500 tags", .scope = SCOPE_CUSTOMERS_WRITE, .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_tags, in->items.text, out);
}

ENDPOINT(group_member_batch, POST, "/v1/group-members:batch", group_members_batch_in, 207, batch_results,
         .summary = "Let up to 500 customers join or leave groups", .scope = SCOPE_CUSTOMERS_WRITE,
         .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_group_members, in->items.text, out);
}

ENDPOINT(address_batch, POST, "/v1/addresses:batch", addresses_batch_in, 207, batch_results,
         .summary = "Put or take away up to 500 addresses", .scope = SCOPE_CUSTOMERS_WRITE, .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_addresses, in->items.text, out);
}

ENDPOINT(interaction_batch, POST, "/v1/interactions:batch", interactions_batch_in, 207, batch_results,
         .summary = "Record up to 500 contacts", .scope = SCOPE_CUSTOMERS_WRITE, .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_interactions, in->items.text, out);
}

ENDPOINT(consent_batch, POST, "/v1/consents:batch", consents_batch_in, 207, batch_results,
         .summary = "Record up to 500 consents", .scope = SCOPE_CUSTOMERS_WRITE, .doc = BATCH_DOC)
{
        return batch_run(c, &bulk_type_consents, in->items.text, out);
}

RESOURCE(imports, "Imports", "Many at once: files of any length, and small batches.", &import_file_endpoint,
         &customer_batch_endpoint, &order_batch_endpoint, &tag_batch_endpoint, &group_member_batch_endpoint,
         &address_batch_endpoint, &interaction_batch_endpoint, &consent_batch_endpoint);
