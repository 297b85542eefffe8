/* An endpoint: one macro-headed function, declared with everything that the outside may know about it.
 *
 *         ENDPOINT(points_redeem, POST, "/v1/customers/{customer}/points/redemptions", redeem,
 *                  201, redemption, .summary = "Spend points", .scope = SCOPE_POINTS_WRITE,
 *                  .idempotency = IDEMPOTENCY_REQUIRED,
 *                  .errors = ERRS(ERR_NOT_FOUND, ERR_POINTS_TOO_FEW))
 *         {
 *                 return points_spend(c, in, out);
 *         }
 *
 * The function runs on a lane worker in straight-line blocking code, with c->db connected and, for methods
 * that write, inside a transaction that commits when it returns ERR_OK. It frees nothing. `in` is decoded and
 * checked, `out` is zeroed. */
#pragma once

#include "access/scopes.h"
#include "base/ctx.h"
#include "base/shape.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_COUNT_ };
extern const char *const method_names[METHOD_COUNT_];

/* Lanes separate what must not wait for each other. */
enum lane {
        LANE_API,     /* ordinary reads and writes, several workers */
        LANE_READS,   /* hot reads of single rows, batched: one worker, so that what arrives meanwhile is one
                         batch */
        LANE_ORDERS,  /* by customer, batched */
        LANE_REPORTS, /* slow analytics */
        LANE_BULK,    /* uploads, exports, watchers: as long as they last */
        LANE_COUNT_
};

enum idempotency {
        IDEMPOTENCY_DEFAULT,  /* POST: an Idempotency-Key is honoured when sent; other methods: none needed */
        IDEMPOTENCY_REQUIRED, /* moves points, coupons or money: 400 without the key */
        IDEMPOTENCY_NATURAL,  /* the domain has a natural key; the header is not looked at */
};

/* What an endpoint may say about its answer beside the body; zeroed before the call, but for if_match and
 * keyed. */
struct reply {
        int64_t if_match;     /* the version that the caller demands, 0: none; a mismatch is ERR_STALE */
        bool keyed;           /* an Idempotency-Key came with the call; set before it */
        int status;           /* 0: the endpoint's own */
        const char *location; /* Location, a path from "/" on with its parts percent-encoded; or NULL */
        int64_t version;      /* ETag, 0 for none; out's own `version` field is used when there is one */
        bool idempotency_hit; /* Idempotency-Hit: true */
        const char *json;     /* the body, already encoded, instead of out; lives in the arena */
        size_t json_len;
        /* Of the request, for endpoints with .produces and .consumes: the form the caller likes best, and
         * what the body is. */
        const char *form;
        const char *content_type, *content_encoding;
};

/* One of several calls that a batch endpoint decides together. */
struct call {
        struct ctx *c; /* its own arena, problem, reply and principal; shares db with its batch */
        const void *in;
        void *out;
        enum err err; /* the outcome of this call alone */
};

/* Most calls in one batch: beyond it the gain per order is small and the wait of the first one grows. */
#define BATCH_CALLS_MAX 64

struct endpoint {
        const char *name; /* operationId */
        enum method method;
        const char *path; /* "/v1/orders/{order}"; {x} is the IN_PATH field x of in */
        const struct shape *in, *out;
        int status;     /* of success */
        int status_hit; /* a second status that success may have (200 for a replay or an update), or 0 */
        enum lane lane;
        uint64_t scope; /* one bit of access/scopes.def; 0: open to everyone */
        enum idempotency idempotency;
        const char *summary, *doc;
        const enum err *errors; /* ERRS(...): the domain's; the server adds its own (401, 422, 503 ...) */
        bool streams;           /* reads its body or writes its answer as a stream, see http/stream.h */
        /* Media types, NULL-terminated. consumes: those of a body that run reads with body_read. produces:
         * those that the answer may have; the one that fits is in reply.form. NULL: application/json. */
        const char *const *consumes, *const *produces;
        const struct shape *line; /* of an answer as application/x-ndjson, for the documentation */
        bool minimal;             /* Prefer: return=minimal is honoured: 204 */
        bool only_asks;           /* a POST that writes nothing: it has no entry in the audit log */
        bool etag;                /* it sets reply.version, as out has no integer `version` of its own */

        /* Exactly one of these: */
        enum err (*run)(struct ctx *c, const void *in, void *out);
        /* Decide several calls in one transaction of its own. An error says that the batch as a whole failed
         * and nothing was done: the server then runs its calls one by one. A call's own failure goes into its
         * err. */
        enum err (*run_batch)(struct ctx *c, struct call *calls, size_t n);
        /* LANE_ORDERS: calls of one key go to the same worker, in order. NULL: any worker. */
        uint64_t (*lane_key)(const void *in);
        bool (*enabled)(void); /* NULL, or asked once at start: false leaves the endpoint out */
};

/* The endpoints of one resource, in a file of its own under server/resources/. */
struct resource {
        const char *name, *doc;
        const struct endpoint *const *endpoints; /* NULL-terminated */
};
#define RESOURCE(variable_, name_, doc_, ...)                                                                \
        static const struct endpoint *const variable_##_endpoints[] = {__VA_ARGS__, NULL};                   \
        const struct resource variable_##_resource = {(name_), (doc_), variable_##_endpoints}

/* The map of the API: server/resources.c. */
extern const struct resource *const resources[]; /* NULL-terminated */

#define ERRS(...) ((const enum err[]){__VA_ARGS__, ERR_OK})

#define ENDPOINT(name_, method_, path_, in_, status_, out_, ...)                                             \
        static enum err name_(struct ctx *c, const struct in_ *in, struct out_ *out);                        \
        static enum err name_##_run(struct ctx *c, const void *in, void *out)                                \
        {                                                                                                    \
                return name_(c, in, out);                                                                    \
        }                                                                                                    \
        static const struct endpoint name_##_endpoint = {.name = #name_,                                     \
                                                         .method = METHOD_##method_,                         \
                                                         .path = (path_),                                    \
                                                         .in = &in_##_shape,                                 \
                                                         .out = &out_##_shape,                               \
                                                         .status = (status_),                                \
                                                         .run = name_##_run,                                 \
                                                         ##__VA_ARGS__};                                     \
        static enum err name_(struct ctx *c, const struct in_ *in, struct out_ *out)

#define ENDPOINT_BATCH(name_, method_, path_, in_, status_, out_, ...)                                       \
        static enum err name_(struct ctx *c, struct call *calls, size_t n);                                  \
        static const struct endpoint name_##_endpoint = {.name = #name_,                                     \
                                                         .method = METHOD_##method_,                         \
                                                         .path = (path_),                                    \
                                                         .in = &in_##_shape,                                 \
                                                         .out = &out_##_shape,                               \
                                                         .status = (status_),                                \
                                                         .run_batch = name_,                                 \
                                                         ##__VA_ARGS__};                                     \
        static enum err name_(struct ctx *c, struct call *calls, size_t n)
