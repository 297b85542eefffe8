/* The router: from a method and a path to an endpoint. Built once from resources[], immutable afterwards.
 * Pure.
 *
 * The rule: a path belongs to one template, the most specific one that matches it; the methods of the path
 * are those of that template. Of two templates that can match the same path, one must have a literal wherever
 * the other has one and at least one more ("/v1/points/proof" before "/v1/points/{entry}"); then the literal
 * wins. Two that cross
 * ("/v1/{a}/new" and "/v1/orders/{b}") or differ in parameter names only would be decided by accident:
 * router_new refuses them.
 *
 * Segments are percent-decoded before they are compared. An empty segment ("//", a trailing slash) matches
 * nothing. */
#pragma once

#include "base/arena.h"
#include "http/endpoint.h"

/* Beyond the deepest path of the API by half; also bounds the work on a hostile path. */
#define ROUTE_SEGMENTS_MAX 12

/* An endpoint in its place. */
struct route {
        const struct endpoint *endpoint;
        const struct field *version; /* of the answer's shape, where it has one: becomes the ETag */
        bool takes_body;             /* some field of `in` is in the body */
        bool pii;                    /* the answer may hold personal data */
        unsigned index;              /* 0 ... router_count - 1 */
};

struct router;

/* Build the table of all enabled endpoints, in the arena. NULL when it is not sound; *ret_why then says what
 * is wrong (in the arena): ambiguous templates, a method twice, path parameters and IN_PATH fields that
 * differ, a batch endpoint without a natural key. */
const struct router *router_new(struct arena *arena, const struct resource *const *all, const char **ret_why);

unsigned router_count(const struct router *router);
const struct route *router_route(const struct router *router, unsigned index);

enum route_result {
        ROUTE_FOUND,
        ROUTE_NO_PATH,     /* 404 */
        ROUTE_NO_METHOD,   /* 405, `allow` is set; OPTIONS too */
        ROUTE_BAD_ADDRESS, /* 400: percent-encoding or UTF-8 */
};

struct match {
        const struct route *route;
        const char *allow; /* "GET, HEAD, OPTIONS": what the path takes */
        struct {
                const char *name, *value; /* decoded */
        } parameters[ROUTE_SEGMENTS_MAX];
        size_t parameter_count;
};

/* Find who answers; HEAD counts as GET. `path` is still percent-encoded and has no query. The values live in
 * the arena. */
enum route_result router_find(const struct router *router, struct arena *arena, const char *method,
                              const char *path, struct match *ret);
