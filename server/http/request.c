#include "http/internal.h"

#include <assert.h>
#include <netinet/in.h>
#include <strings.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/shape_json.h"
#include "http/builtin.h"
#include "http/fields.h"
#include "http/headers.h"
#include "http/metrics.h"
#include "http/path.h"

/* Path and query together; our longest paths and filters need a tenth of it. */
#define TARGET_MAX 4096
/* What is read and thrown away beyond the body limit, so that the client sees the answer and not a reset. */
#define DRAIN_MAX_BYTES (1 << 20)
/* Reserved for a body at first: an order is about this long, and a lying Content-Length costs no more. */
#define BODY_FIRST_BYTES 2048

struct request *request_new(struct server *server, const char *target)
{
        struct arena *arena = arena_new();
        struct request *r = ARENA_NEW(arena, struct request);

        r->server = server;
        r->ctx = (struct ctx){
                .arena = arena, .now = clock_now(), .shop = server->options.shop, .reply = &r->reply};
        r->target = strlen(target) <= TARGET_MAX ? arena_strdup(arena, target) : NULL;
        r->arrived_us = clock_monotonic_us();
        r->query = "";
        return r;
}

/* ------------------------------------------------------------------ headers */

static const struct {
        const char *name;
        size_t offset;
        bool list; /* several lines mean one list; of all others there may be one */
} head_table[] = {
        {"Accept", offsetof(struct head, accept), true},
        {"Audit-Reason", offsetof(struct head, audit_reason), false},
        {"Authorization", offsetof(struct head, authorization), false},
        {"Content-Encoding", offsetof(struct head, content_encoding), true},
        {"Content-Length", offsetof(struct head, content_length), false},
        {"Content-Type", offsetof(struct head, content_type), false},
        {"Expect", offsetof(struct head, expect), true},
        {"Idempotency-Key", offsetof(struct head, idempotency_key), false},
        {"If-Match", offsetof(struct head, if_match), true},
        {"If-None-Match", offsetof(struct head, if_none_match), true},
        {"Origin", offsetof(struct head, origin), false},
        {"Prefer", offsetof(struct head, prefer), true},
        {"Request-Id", offsetof(struct head, request_id), false},
        {"traceparent", offsetof(struct head, traceparent), false},
        {"Transfer-Encoding", offsetof(struct head, transfer_encoding), true},
};

static enum MHD_Result note_header(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_len,
                                   const char *value, size_t value_len)
{
        struct request *r = arg;

        (void)kind;
        (void)value_len;
        for (size_t i = 0; i < ARRAY_SIZE(head_table); i++) {
                if (strlen(head_table[i].name) != key_len || strcasecmp(head_table[i].name, key) != 0)
                        continue;
                const char **at = (const char **)((char *)&r->head + head_table[i].offset);
                if (*at == NULL)
                        *at = value;
                else if (head_table[i].list)
                        *at = arena_printf(r->ctx.arena, "%s, %s", *at, value);
                else
                        r->head.repeated = head_table[i].name;
                break;
        }
        return MHD_YES;
}

static void take_request_id(struct request *r)
{
        if (r->head.request_id != NULL && header_request_id_sane(r->head.request_id)) {
                r->ctx.request_id = arena_strdup(r->ctx.arena, r->head.request_id);
        } else {
                char *text = arena_alloc(r->ctx.arena, UUID_TEXT_SIZE);
                uuid_to_text(uuid_new(r->ctx.now), text);
                r->ctx.request_id = text;
        }
        if (r->head.traceparent != NULL && header_traceparent_sane(r->head.traceparent))
                r->traceparent = arena_strdup(r->ctx.arena, r->head.traceparent);
}

/* ------------------------------------------------------------------ the checks of the head, in the order
 * they answer */

static enum err check_address(struct request *r)
{
        struct ctx *c = &r->ctx;

        if (r->target == NULL) {
                problem_int(c, "limit_bytes", TARGET_MAX);
                return fail(c, ERR_ADDRESS_TOO_LONG, "Path and query may have %d bytes.", TARGET_MAX);
        }
        const char *path = r->target;
        const char *scheme = strstr(path, "://");
        if (*path != '/' && scheme != NULL) { /* the absolute form, as a proxy sends it */
                path = strchr(scheme + strlen("://"), '/');
                path = path == NULL ? "/" : path;
        }
        size_t len = strcspn(path, "?");
        r->path = arena_strndup(c->arena, path, len);
        if (path[len] == '?')
                r->query = path + len + 1;
        return ERR_OK;
}

static enum err check_route(struct request *r)
{
        struct ctx *c = &r->ctx;
        enum route_result result;

        r->builtin = builtin_find(r->path);
        if (r->builtin != NULL) {
                r->match.allow = "GET, HEAD, OPTIONS";
                bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
                result = get ? ROUTE_FOUND : ROUTE_NO_METHOD;
        } else {
                result = router_find(r->server->router, c->arena, r->method, r->path, &r->match);
        }
        if (result == ROUTE_FOUND)
                return ERR_OK;
        metric_add(r->server->metrics, METRIC_UNMATCHED, 1);
        if (result == ROUTE_BAD_ADDRESS)
                return fail(c, ERR_BAD_ADDRESS, "The path is not percent-encoded UTF-8.");
        if (result == ROUTE_NO_PATH)
                return fail(c, ERR_NO_ROUTE, "No operation has this path.");
        r->answer.allow = r->match.allow;
        if (strcmp(r->method, "OPTIONS") == 0) {
                r->answer.status = MHD_HTTP_NO_CONTENT;
                return ERR_OK;
        }
        return fail(c, ERR_METHOD, "This address takes %s.", r->match.allow);
}

static const char *scope_name(uint64_t scope)
{
        assert(scope != 0);
        return scope_infos[__builtin_ctzll(scope)].name;
}

/* Where the connection comes from; an address of no known kind is in no network. */
static struct network_address client_address(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        const struct sockaddr *from = info != NULL ? info->client_addr : NULL;
        struct network_address address = {{0}};

        if (from != NULL && from->sa_family == AF_INET) {
                uint8_t bytes[4];
                memcpy(bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, sizeof bytes);
                address = network_address_v4(bytes);
        } else if (from != NULL && from->sa_family == AF_INET6) {
                memcpy(address.b, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
                       sizeof address.b);
        }
        return address;
}

static enum err elsewhere(struct ctx *c, const struct network_address *from)
{
        char text[NETWORK_TEXT_SIZE];

        network_address_format(from, text);
        problem_string(c, "address", text);
        return fail(c, ERR_NETWORK, "The key may not be used from %s.", text);
}

static enum err check_access(struct request *r)
{
        struct ctx *c = &r->ctx;
        uint64_t scope = r->match.route->endpoint->scope;
        const struct access_request request = {.authorization = r->head.authorization,
                                               .from = client_address(r->connection),
                                               .now = c->now,
                                               .monotonic_us = r->arrived_us};

        enum access_result result = access_check(&request, c->arena, &r->grant);
        c->principal = r->grant.principal;
        if (scope ==
            0) { /* open to everyone, so also to who comes with a key that is not good here and now */
                if (result != ACCESS_GRANTED)
                        c->principal = NULL;
                return ERR_OK;
        }
        if (result == ACCESS_UNKNOWN)
                return fail(c, ERR_UNAUTHENTICATED, "The request names no key that is good now.");
        if (result == ACCESS_ELSEWHERE)
                return elsewhere(c, &request.from);
        if (result == ACCESS_TOO_OFTEN) {
                metric_add(r->server->metrics, METRIC_RATE_LIMITED, 1);
                return fail(c, ERR_RATE_LIMITED, "The key may call %lld times a second.",
                            (long long)r->grant.limit.per_second);
        }
        if ((c->principal->scopes & (scope | SCOPE_ADMIN)) != 0)
                return ERR_OK;
        problem_string(c, "scope", scope_name(scope));
        return fail(c, ERR_FORBIDDEN, "The key lacks the scope %s.", scope_name(scope));
}

static enum err check_idempotency(struct request *r)
{
        struct ctx *c = &r->ctx;
        const struct endpoint *endpoint = r->match.route->endpoint;
        char key[IDEMPOTENCY_KEY_MAX + 1];

        bool natural = endpoint->idempotency == IDEMPOTENCY_NATURAL ||
                       (endpoint->idempotency == IDEMPOTENCY_DEFAULT && endpoint->method != METHOD_POST);
        if (natural || c->principal == NULL) /* without a principal one caller could fetch another's answer */
                return ERR_OK;
        if (r->head.idempotency_key == NULL) {
                if (endpoint->idempotency == IDEMPOTENCY_REQUIRED)
                        return fail(c, ERR_KEY_REQUIRED, "Send an Idempotency-Key header.");
                return ERR_OK;
        }
        if (!header_idempotency_key(r->head.idempotency_key, key))
                return fail(c, ERR_BAD_HEADER,
                            "Idempotency-Key must be 1 to %d printable ASCII characters, quoted or bare.",
                            IDEMPOTENCY_KEY_MAX);
        r->idempotent.key = arena_strdup(c->arena, key);
        r->idempotent.key_id = c->principal->key_id;
        return ERR_OK;
}

/* Which of the forms that the operation answers in the caller likes best; the first one where it is all the
 * same. */
static enum err check_accept(struct request *r)
{
        static const char *const json_only[] = {"application/json", NULL};
        const struct endpoint *endpoint = r->match.route->endpoint;
        const char *const *forms = endpoint->produces != NULL ? endpoint->produces : json_only;
        int best = 0;

        for (; *forms != NULL; forms++) {
                int liking = header_accepts(r->head.accept, *forms);
                if (liking <= best)
                        continue;
                best = liking;
                r->reply.form = *forms;
        }
        if (best > 0)
                return ERR_OK;
        return endpoint->produces == NULL
                       ? fail(&r->ctx, ERR_NOT_ACCEPTABLE, "This operation answers in application/json only.")
                       : fail(&r->ctx, ERR_NOT_ACCEPTABLE, "This operation answers in none of these forms.");
}

/* The form of a body that the endpoint reads by itself. */
static enum err check_upload(struct request *r)
{
        struct ctx *c = &r->ctx;
        const char *const *type = r->match.route->endpoint->consumes;

        r->reply.content_type = r->head.content_type;
        r->reply.content_encoding = r->head.content_encoding;
        for (; r->head.content_type != NULL && *type != NULL; type++)
                if (header_is_type(r->head.content_type, *type))
                        return ERR_OK;
        struct text types = {0};
        for (type = r->match.route->endpoint->consumes; *type != NULL; type++)
                text_printf(&types, "%s%s", types.len > 0 ? " or " : "", *type);
        enum err err = fail(c, ERR_MEDIA_TYPE, "Send the body as Content-Type: %s.", types.data);
        text_free(&types);
        return err;
}

static enum err check_form(struct request *r)
{
        struct ctx *c = &r->ctx;
        const struct endpoint *endpoint = r->match.route->endpoint;

        if (r->head.repeated != NULL)
                return fail(c, ERR_BAD_HEADER, "%s must be sent once.", r->head.repeated);
        TRY(check_accept(r));
        if (r->head.audit_reason != NULL) {
                if (!header_reason_sane(r->head.audit_reason))
                        return fail(c, ERR_BAD_HEADER,
                                    "Audit-Reason must be 1 to %d bytes of plain text in UTF-8.",
                                    AUDIT_REASON_MAX);
                c->reason = arena_strdup(c->arena, r->head.audit_reason);
        }
        if (r->head.if_match != NULL && !header_if_match(r->head.if_match, &r->reply.if_match))
                return fail(c, ERR_BAD_HEADER, "If-Match must be * or one ETag in quotes.");
        r->prefers_minimal =
                r->head.prefer != NULL && endpoint->minimal && header_prefers_minimal(r->head.prefer);
        if (endpoint->consumes != NULL)
                return check_upload(r);
        TRY(check_idempotency(r));
        r->keep_body = endpoint->method != METHOD_GET && endpoint->method != METHOD_DELETE;
        if (!r->has_body || !r->keep_body)
                return ERR_OK;
        if (r->head.content_encoding != NULL && strcasecmp(r->head.content_encoding, "identity") != 0)
                return fail(c, ERR_MEDIA_TYPE, "Send the body without Content-Encoding.");
        if (r->head.content_type == NULL ||
            !header_is_json(r->head.content_type, endpoint->method == METHOD_PATCH))
                return fail(c, ERR_MEDIA_TYPE, "Send the body as Content-Type: application/json in UTF-8.");
        return ERR_OK;
}

static enum err too_large(struct request *r)
{
        size_t limit = r->server->options.body_max_bytes;

        problem_int(&r->ctx, "limit_bytes", (int64_t)limit);
        return fail(&r->ctx, ERR_TOO_LARGE, "A body may have %zu bytes.", limit);
}

static enum err check_head(struct request *r)
{
        uint64_t length = 0;

        if (r->head.content_length != NULL && !header_length(r->head.content_length, &length))
                return fail(&r->ctx, ERR_BAD_HEADER, "Content-Length must be a number.");
        r->body_announced = length;
        r->has_body = length > 0 || r->head.transfer_encoding != NULL;
        TRY(check_route(r));
        if (r->match.route != NULL) {
                if (atomic_load(&r->server->draining))
                        return fail(&r->ctx, ERR_DRAINING, "The server is stopping.");
                r->ctx.operation = r->match.route->endpoint->name;
                TRY(check_access(r));
                TRY(check_form(r));
                if (r->match.route->endpoint->consumes != NULL)
                        return ERR_OK; /* of any length */
        }
        return length > r->server->options.body_max_bytes ? too_large(r) : ERR_OK;
}

void request_begin(struct request *r)
{
        MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, note_header, r);
        take_request_id(r);
        r->err = check_address(r);
        if (r->err == ERR_OK)
                r->err = check_head(r);
}

bool request_refused_early(const struct request *r)
{
        bool waits = r->head.expect != NULL && strcasecmp(r->head.expect, "100-continue") == 0;

        return r->err != ERR_OK && r->has_body &&
               (waits || r->body_announced > r->server->options.body_max_bytes + DRAIN_MAX_BYTES);
}

/* ------------------------------------------------------------------ the body */

bool request_body(struct request *r, const char *data, size_t len)
{
        size_t limit = r->server->options.body_max_bytes;

        r->body_bytes += len;
        if (r->err == ERR_OK && r->body_bytes > limit)
                r->err = too_large(r);
        if (r->err == ERR_OK && r->keep_body) {
                if (r->body.len == 0)
                        text_reserve(&r->body, len > BODY_FIRST_BYTES ? len : BODY_FIRST_BYTES);
                text_append(&r->body, data, len);
        } else {
                text_free(&r->body);
        }
        return r->body_bytes <= limit + DRAIN_MAX_BYTES;
}

static enum err decode_body(struct request *r)
{
        struct ctx *c = &r->ctx;
        const struct route *route = r->match.route;
        json_t *json;

        if (r->body_bytes > 0 && !r->keep_body)
                fault_body(c, "#", "unexpected_body", "%s takes no body",
                           method_names[route->endpoint->method]);
        if (!r->keep_body)
                return ERR_OK;
        if (r->body.len == 0)
                return route->takes_body ? fail(c, ERR_NOT_JSON, "The body is empty; send a JSON object.")
                                         : ERR_OK;
        TRY(json_parse(c, r->body.data, r->body.len, &json));
        shape_decode(c, route->endpoint->in, json, r->in);
        json_decref(json);
        return ERR_OK;
}

/* One parameter of the query: the endpoint's, or what the server itself does with every answer. */
static void decode_query(struct request *r, const char *name, const char *value, uint64_t *seen)
{
        struct ctx *c = &r->ctx;
        const struct endpoint *endpoint = r->match.route->endpoint;

        if (strcmp(name, FIELDS_PARAMETER) != 0 || fields_of(endpoint) == NULL) {
                shape_decode_parameter(c, endpoint->in, IN_QUERY, name, value, seen, r->in);
                return;
        }
        if (r->pick != NULL)
                fault_parameter(c, name, "duplicate", "must be given once");
        r->pick = fields_read(c, endpoint, value);
}

static enum err decode_address(struct request *r)
{
        struct ctx *c = &r->ctx;
        const struct shape *in = r->match.route->endpoint->in;
        const char *rest = r->query, *name, *value;
        enum query_step step;
        uint64_t seen = 0;

        r->in = arena_alloc(c->arena, in->size);
        r->out = arena_alloc(c->arena, r->match.route->endpoint->out->size);
        for (size_t i = 0; i < r->match.parameter_count; i++)
                shape_decode_parameter(c, in, IN_PATH, r->match.parameters[i].name,
                                       r->match.parameters[i].value, &seen, r->in);
        while ((step = query_next(c->arena, &rest, &name, &value)) == QUERY_PAIR)
                decode_query(r, name, value, &seen);
        if (step == QUERY_MALFORMED)
                return fail(c, ERR_BAD_ADDRESS, "The query is not percent-encoded UTF-8.");
        shape_decode_parameters_end(c, in, seen, r->in);
        return ERR_OK;
}

enum err request_decode_head(struct request *r)
{
        TRY(decode_address(r));
        return problem_check(&r->ctx);
}

enum err request_decode(struct request *r)
{
        struct ctx *c = &r->ctx;

        TRY(decode_address(r));
        TRY(decode_body(r));
        if (r->idempotent.key != NULL)
                idempotency_fingerprint(r->method, r->target, r->body.data != NULL ? r->body.data : "",
                                        r->body.len, r->idempotent.fingerprint);
        text_free(&r->body);
        return problem_check(c);
}
