/* The OpenAPI document: the endpoints are one table, and this is another way to print it. */
#include "http/openapi.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/shape_schema.h"
#include "embedded.h"
#include "http/endpoint.h"
#include "http/fields.h"

static const char *const method_keys[METHOD_COUNT_] = {
        [METHOD_GET] = "get",     [METHOD_POST] = "post",     [METHOD_PUT] = "put",
        [METHOD_PATCH] = "patch", [METHOD_DELETE] = "delete",
};

/* ------------------------------------------------------------------ what the server adds to an endpoint */

/* A body that is sent is read, whether or not a field is in it. */
static bool reads_body(const struct endpoint *e)
{
        return e->method != METHOD_GET && e->method != METHOD_DELETE;
}

static bool has_body(const struct endpoint *e)
{
        return reads_body(e) && shape_body(e->in) != NULL;
}

static bool has_version(const struct endpoint *e)
{
        const struct field *version = shape_field(e->out, "version", strlen("version"));

        return e->etag || (version != NULL && version->wire == WIRE_INT);
}

static bool takes_key(const struct endpoint *e)
{
        return e->idempotency == IDEMPOTENCY_REQUIRED ||
               (e->method == METHOD_POST && e->idempotency == IDEMPOTENCY_DEFAULT);
}

static bool takes_if_match(const struct endpoint *e)
{
        return has_version(e) &&
               (e->method == METHOD_PUT || e->method == METHOD_PATCH || e->method == METHOD_DELETE);
}

static bool takes_if_none_match(const struct endpoint *e)
{
        return has_version(e) && e->method == METHOD_GET;
}

static bool may_repeat(const struct endpoint *e)
{
        return takes_key(e) || (e->method == METHOD_POST && e->status_hit != 0);
}

/* Has a call an entry in the audit log? */
static bool is_audited(const struct endpoint *e)
{
        return e->method == METHOD_GET ? shape_has_pii(e->out, /* pick= */ NULL)
                                       : e->run != NULL && !e->only_asks;
}

/* Every error that the endpoint may answer with: its own and the server's. */
static void errors_of(const struct endpoint *e, bool ret[ERR_COUNT_])
{
        static const enum err always[] = {ERR_BAD_ADDRESS,    ERR_ADDRESS_TOO_LONG, ERR_BAD_HEADER,
                                          ERR_NOT_ACCEPTABLE, ERR_INVALID,          ERR_INTERNAL,
                                          ERR_BUSY,           ERR_DRAINING,         ERR_DATABASE_AWAY,
                                          ERR_DEADLINE};
        static const enum err with_body[] = {ERR_NOT_JSON, ERR_TOO_LARGE, ERR_MEDIA_TYPE};
        static const enum err with_scope[] = {ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_NETWORK,
                                              ERR_RATE_LIMITED};
        static const enum err with_key[] = {ERR_KEY_REUSED, ERR_IN_PROGRESS};

        for (size_t i = 0; i < ERR_COUNT_; i++)
                ret[i] = false;
        for (const enum err *err = e->errors; err != NULL && *err != ERR_OK; err++)
                ret[*err] = true;
        for (size_t i = 0; i < ARRAY_SIZE(always); i++)
                ret[always[i]] = true;
        for (size_t i = 0; reads_body(e) && e->consumes == NULL && i < ARRAY_SIZE(with_body); i++)
                ret[with_body[i]] = true;
        if (e->consumes != NULL)
                ret[ERR_MEDIA_TYPE] = true;
        for (size_t i = 0; e->scope != 0 && i < ARRAY_SIZE(with_scope); i++)
                ret[with_scope[i]] = true;
        for (size_t i = 0; takes_key(e) && i < ARRAY_SIZE(with_key); i++)
                ret[with_key[i]] = true;
        if (e->idempotency == IDEMPOTENCY_REQUIRED)
                ret[ERR_KEY_REQUIRED] = true;
        if (e->method != METHOD_GET)
                ret[ERR_CONFLICT] = true;
        if (takes_if_match(e))
                ret[ERR_STALE] = true;
        if (strstr(e->path, "{customer}") != NULL)
                ret[ERR_ERASED] = true; /* whoever is named may be */
}

/* ------------------------------------------------------------------ one operation */

static void put_string(struct text *out, const char *name, const char *value)
{
        text_printf(out, ",\"%s\":", name);
        text_put_json(out, value);
}

static void put_parameter(struct text *out, const struct field *field)
{
        text_printf(out, "{\"name\":\"%s\",\"in\":\"%s\"", field->name,
                    field->in == IN_PATH ? "path" : "query");
        if (field->in == IN_PATH || field->need)
                text_puts(out, ",\"required\":true");
        if (field->doc != NULL)
                put_string(out, "description", field->doc);
        text_puts(out, ",\"schema\":");
        shape_schema_field(out, field, SCHEMA_INPUT);
        text_putc(out, '}');
}

static void put_parameters(struct text *out, const struct endpoint *e)
{
        const char *separator = ",\"parameters\":[";

        for (size_t i = 0; i < e->in->count; i++) {
                if (e->in->fields[i].in != IN_PATH && e->in->fields[i].in != IN_QUERY)
                        continue;
                text_puts(out, separator);
                put_parameter(out, &e->in->fields[i]);
                separator = ",";
        }
        if (fields_of(e) != NULL) {
                text_puts(out, separator);
                fields_parameter(out, e);
                separator = ",";
        }
        const char *headers[] = {
                takes_key(e) ? e->idempotency == IDEMPOTENCY_REQUIRED ? "idempotency_key_required"
                                                                      : "idempotency_key"
                             : NULL,
                takes_if_match(e) ? "if_match" : NULL,
                takes_if_none_match(e) ? "if_none_match" : NULL,
                e->minimal ? "prefer" : NULL,
                is_audited(e) ? "audit_reason" : NULL,
        };
        for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
                if (headers[i] == NULL)
                        continue;
                text_printf(out, "%s{\"$ref\":\"#/components/parameters/%s\"}", separator, headers[i]);
                separator = ",";
        }
        if (separator[1] == '\0')
                text_putc(out, ']');
}

/* A file is a text; what its lines are the description says. */
static void put_upload(struct text *out, const struct endpoint *e)
{
        text_puts(out, ",\"requestBody\":{\"required\":true,\"content\":{");
        for (const char *const *type = e->consumes; *type != NULL; type++)
                text_printf(out, "%s\"%s\":{\"schema\":{\"type\":\"string\"}}",
                            type == e->consumes ? "" : ",", *type);
        text_puts(out, "}}");
}

static void put_request_body(struct text *out, const struct endpoint *e)
{
        if (e->consumes != NULL)
                put_upload(out, e);
        if (!has_body(e))
                return;
        text_puts(out, ",\"requestBody\":{\"required\":true,\"content\":{");
        text_puts(out, "\"application/json\":{\"schema\":");
        shape_schema_ref(out, shape_body(e->in), SCHEMA_INPUT);
        text_putc(out, '}');
        if (e->method == METHOD_PATCH) {
                text_puts(out, ",\"application/merge-patch+json\":{\"schema\":");
                shape_schema_ref(out, shape_body(e->in), SCHEMA_INPUT);
                text_putc(out, '}');
        }
        text_puts(out, "}}");
}

static void put_header(struct text *out, const char *name, const char *component)
{
        text_printf(out, ",\"%s\":{\"$ref\":\"#/components/headers/%s\"}", name, component);
}

/* An answer that comes as a stream: of NDJSON the schema is that of one line. */
static void put_stream(struct text *out, const struct endpoint *e)
{
        bool also_json = e->status == 200 && e->out != &nothing_shape;
        const char *separator = "";

        text_puts(
                out,
                "\"200\":{\"description\":\"A stream, cut short when something goes wrong on the way.\","
                "\"headers\":{\"Request-Id\":{\"$ref\":\"#/components/headers/request_id\"}},\"content\":{");
        if (also_json) {
                text_puts(out, "\"application/json\":{\"schema\":");
                shape_schema_ref(out, e->out, SCHEMA_OUTPUT);
                text_putc(out, '}');
                separator = ",";
        }
        for (const char *const *type = e->produces; *type != NULL; type++) {
                if (strcmp(*type, "application/json") == 0)
                        continue;
                text_printf(out, "%s\"%s\":{\"schema\":", separator, *type);
                if (e->line != NULL && strcmp(*type, "text/csv") != 0)
                        shape_schema_ref(out, e->line, SCHEMA_INPUT);
                else
                        text_puts(out, strcmp(*type, "text/csv") == 0 ? "{\"type\":\"string\"}"
                                                                      : "{\"type\":\"object\"}");
                text_putc(out, '}');
                separator = ",";
        }
        text_puts(out, "}}");
}

static void put_success(struct text *out, const struct endpoint *e, int status)
{
        bool repeats = may_repeat(e) && (takes_key(e) || status == e->status_hit);

        text_printf(out, "\"%d\":{\"description\":", status);
        text_put_json(out, e->out == &nothing_shape ? "Done; there is no body."
                           : status != e->status_hit
                                   ? e->out->doc
                                   : "What there is already, or the original result of a repeated call.");
        text_puts(out, ",\"headers\":{\"Request-Id\":{\"$ref\":\"#/components/headers/request_id\"}");
        if (has_version(e))
                put_header(out, "ETag", "etag");
        if (status == 201 || status == 202)
                put_header(out, "Location", "location");
        if (repeats)
                put_header(out, "Idempotency-Hit", "idempotency_hit");
        text_putc(out, '}');
        if (e->out != &nothing_shape) {
                text_puts(out, ",\"content\":{\"application/json\":{\"schema\":");
                shape_schema_ref(out, e->out, SCHEMA_OUTPUT);
                text_puts(out, "}}");
        }
        text_putc(out, '}');
}

/* All errors of one status are one response; x-problems names them. */
static void put_problems(struct text *out, const bool errors[ERR_COUNT_], int status)
{
        struct text slugs = {0}, types = {0}, titles = {0};

        for (size_t i = 1; i < ERR_COUNT_; i++) {
                const struct err_info *info = err_info((enum err)i);
                if (!errors[i] || info->status != status)
                        continue;
                text_printf(&slugs, "%s\"%s\"", slugs.len > 0 ? "," : "", info->slug);
                text_printf(&types, "%s\"/problems/%s\"", types.len > 0 ? "," : "", info->slug);
                text_printf(&titles, "%s%s.", titles.len > 0 ? " " : "", info->title);
        }
        if (slugs.len > 0) {
                text_printf(out, ",\"%d\":{\"description\":", status);
                text_put_json(out, titles.data);
                text_puts(out, ",\"headers\":{\"Request-Id\":{\"$ref\":\"#/components/headers/request_id\"}");
                if (status == 429 || status == 503)
                        put_header(out, "Retry-After", "retry_after");
                if (status == 429) {
                        put_header(out, "RateLimit", "rate_limit");
                        put_header(out, "RateLimit-Policy", "rate_limit_policy");
                }
                text_printf(
                        out,
                        "},\"content\":{\"application/problem+json\":{\"schema\":{\"allOf\":["
                        "{\"$ref\":\"#/components/schemas/problem\"},"
                        "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\",\"enum\":[%s]}}}]}}},"
                        "\"x-problems\":[%s]}",
                        types.data, slugs.data);
        }
        text_free(&slugs);
        text_free(&types);
        text_free(&titles);
}

static void put_responses(struct text *out, const struct endpoint *e)
{
        bool errors[ERR_COUNT_];
        const int first_error = 400, last_error = 599;

        text_puts(out, ",\"responses\":{");
        if (e->produces != NULL)
                put_stream(out, e);
        if (e->produces == NULL || e->status != 200) {
                text_puts(out, e->produces != NULL ? "," : "");
                put_success(out, e, e->status);
        }
        if (e->status_hit != 0) {
                text_putc(out, ',');
                put_success(out, e, e->status_hit);
        }
        if (e->minimal && e->status != 204)
                text_printf(out, ",\"204\":{\"$ref\":\"#/components/responses/%s\"}",
                            e->status == 201 || e->status_hit == 201 ? "minimal_created" : "minimal");
        if (takes_if_none_match(e))
                text_puts(out, ",\"304\":{\"$ref\":\"#/components/responses/not_modified\"}");
        errors_of(e, errors);
        for (int status = first_error; status <= last_error; status++)
                put_problems(out, errors, status);
        text_putc(out, '}');
}

static void put_security(struct text *out, const struct endpoint *e)
{
        if (e->scope == 0) {
                text_puts(out, ",\"security\":[]");
                return;
        }
        for (unsigned i = 0; i < SCOPE_COUNT_; i++)
                if (e->scope == UINT64_C(1) << i)
                        text_printf(out, ",\"security\":[{\"key\":[]}],\"x-scope\":\"%s\"",
                                    scope_infos[i].name);
}

static void put_operation(struct text *out, const struct endpoint *e, const char *tag)
{
        text_printf(out, "\"%s\":{\"operationId\":\"%s\",\"tags\":[\"%s\"]", method_keys[e->method], e->name,
                    tag);
        put_string(out, "summary", e->summary);
        put_string(out, "description",
                   e->doc != NULL            ? e->doc
                   : e->in != &nothing_shape ? e->in->doc
                                             : e->out->doc);
        if (e->streams)
                text_puts(out, ",\"x-streams\":true");
        put_security(out, e);
        put_parameters(out, e);
        put_request_body(out, e);
        put_responses(out, e);
        text_putc(out, '}');
}

/* ------------------------------------------------------------------ the whole */

/* The enabled endpoints in the order of the map, each with the resource it belongs to. */
#define OPERATIONS_MAX 512 /* of the whole API; asserted */
struct operation {
        const struct endpoint *endpoint;
        const char *tag;
};
struct operations {
        struct operation v[OPERATIONS_MAX];
        size_t n;
};

static void operations_collect(struct operations *ret)
{
        ret->n = 0;
        for (const struct resource *const *r = resources; *r != NULL; r++)
                for (const struct endpoint *const *e = (*r)->endpoints; *e != NULL; e++) {
                        if ((*e)->enabled != NULL && !(*e)->enabled())
                                continue;
                        assert(ret->n < OPERATIONS_MAX);
                        ret->v[ret->n++] = (struct operation){*e, (*r)->name};
                }
}

/* All methods of the path of operation i, unless an earlier operation had the path. */
static void put_path(struct text *out, const struct operations *all, size_t i)
{
        const char *path = all->v[i].endpoint->path;

        for (size_t k = 0; k < i; k++)
                if (strcmp(all->v[k].endpoint->path, path) == 0)
                        return;
        text_printf(out, "%s\"%s\":{", i == 0 ? "" : ",", path);
        put_operation(out, all->v[i].endpoint, all->v[i].tag);
        for (size_t k = i + 1; k < all->n; k++) {
                if (strcmp(all->v[k].endpoint->path, path) != 0)
                        continue;
                text_putc(out, ',');
                put_operation(out, all->v[k].endpoint, all->v[k].tag);
        }
        text_putc(out, '}');
}

static void put_paths(struct text *out, const struct operations *all)
{
        text_putc(out, '{');
        for (size_t i = 0; i < all->n; i++)
                put_path(out, all, i);
        text_putc(out, '}');
}

static void put_tags(struct text *out)
{
        text_putc(out, '[');
        for (const struct resource *const *r = resources; *r != NULL; r++) {
                text_puts(out, r == resources ? "{\"name\":" : ",{\"name\":");
                text_put_json(out, (*r)->name);
                put_string(out, "description", (*r)->doc);
                text_putc(out, '}');
        }
        text_putc(out, ']');
}

/* What the answer of operation i can be slimmed to, unless an earlier one is chosen from alike. */
static void put_members(struct text *out, const struct operations *all, size_t i)
{
        const struct shape *shape = fields_of(all->v[i].endpoint);

        for (size_t k = 0; k < i; k++)
                if (fields_of(all->v[k].endpoint) == shape)
                        return;
        text_putc(out, ',');
        fields_schema(out, shape);
}

static void put_schemas(struct text *out, const struct operations *all)
{
        struct schema_set set = {.count = 0};

        for (size_t i = 0; i < all->n; i++) {
                const struct endpoint *e = all->v[i].endpoint;
                if (has_body(e))
                        schema_set_add(&set, shape_body(e->in), SCHEMA_INPUT);
                if (e->out != &nothing_shape)
                        schema_set_add(&set, e->out, SCHEMA_OUTPUT);
                if (e->line != NULL) /* members that are null are left out */
                        schema_set_add(&set, e->line, SCHEMA_INPUT);
        }
        text_putc(out, '{');
        schema_set_write(out, &set);
        for (size_t i = 0; i < all->n; i++)
                if (fields_of(all->v[i].endpoint) != NULL)
                        put_members(out, all, i);
        text_putc(out, '}');
}

/* Parse a part; a path twice, or an example that is not JSON, is a fault of the program. */
static json_t *part(const char *bytes, size_t len)
{
        json_error_t error;
        json_t *json = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);

        if (json == NULL) {
                fprintf(stderr, "patron: the OpenAPI document is not sound: %s\n", error.text);
                abort();
        }
        return json;
}

static json_t *part_take(struct text *text)
{
        json_t *json = part(text->data, text->len);

        text_free(text);
        return json;
}

/* openapi_base.json holds what no endpoint declares; what the endpoints do comes before it. */
static json_t *document_build(void)
{
        struct operations all;
        struct text tags = {0}, paths = {0}, schemas = {0};
        json_t *base = part(openapi_base_json, openapi_base_json_len);
        json_t *components = json_object_get(base, "components");
        int failed = 0;

        operations_collect(&all);
        put_tags(&tags);
        put_paths(&paths, &all);
        put_schemas(&schemas, &all);
        json_t *all_tags = part_take(&tags);
        json_t *all_paths = part_take(&paths);
        json_t *all_schemas = part_take(&schemas);
        failed |= json_array_extend(all_tags, json_object_get(base, "tags"));
        failed |= json_object_update_missing(all_paths, json_object_get(base, "paths"));
        failed |= json_object_update_missing(all_schemas, json_object_get(components, "schemas"));
        failed |= json_object_set_new(base, "tags", all_tags);
        failed |= json_object_set_new(base, "paths", all_paths);
        failed |= json_object_set_new(components, "schemas", all_schemas);
        failed |= json_object_set_new(json_object_get(base, "info"), "version", json_string(PATRON_VERSION));
        if (failed)
                abort(); /* out of memory, or the base lacks a member */
        return base;
}

static struct text document;

static void document_make(void)
{
        json_t *json = document_build();
        char *pretty = json_dumps(json, JSON_INDENT(2));

        if (pretty == NULL)
                abort(); /* out of memory */
        text_puts(&document, pretty);
        text_putc(&document, '\n');
        free(pretty);
        json_decref(json);
}

const char *openapi_document(size_t *ret_len)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, document_make);
        *ret_len = document.len;
        return document.data;
}
