/* Whatever a client sends as its address, finding the route and taking the query apart must stay in bounds,
 * and what they hand on must be UTF-8. Input: the target as sent. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/path.h"
#include "http/router.h"

struct fuzz_reference {
        const char *customer, *order;
};
#define SHAPE_T struct fuzz_reference
SHAPE(fuzz_reference, "Two references.", FIELD(customer, .in = IN_PATH), FIELD(order, .in = IN_PATH));
#undef SHAPE_T

static enum err run(struct ctx *c, const void *in, void *out)
{
        (void)c;
        (void)in;
        (void)out;
        return ERR_OK;
}

static const struct endpoint endpoint = {.name = "fuzz",
                                         .path = "/v1/customers/{customer}/orders/{order}",
                                         .in = &fuzz_reference_shape,
                                         .out = &nothing_shape,
                                         .run = run};
static const struct endpoint *const endpoints[] = {&endpoint, NULL};
static const struct resource resource = {"fuzz", "Fuzz.", endpoints};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct router *router;
        static struct arena *kept; /* the router's */
        const char *why, *name, *value;
        struct match match;

        if (router == NULL) {
                kept = arena_new();
                router = router_new(kept, (const struct resource *const[]){&resource, NULL}, &why);
        }
        struct arena *arena = arena_new();
        char *target = arena_strndup(arena, (const char *)data, size);
        size_t path_len = strcspn(target, "?");
        const char *rest = target[path_len] == '?' ? target + path_len + 1 : "";
        const char *path = arena_strndup(arena, target, path_len);
        if (router_find(router, arena, "GET", path, &match) == ROUTE_FOUND)
                for (size_t i = 0; i < match.parameter_count; i++) {
                        assert(utf8_valid(match.parameters[i].value) && match.parameters[i].value[0] != '\0');
                        assert(strlen(match.parameters[i].value) <= path_len);
                }
        while (query_next(arena, &rest, &name, &value) == QUERY_PAIR)
                assert(utf8_valid(name) && utf8_valid(value));
        arena_free(arena);
        return 0;
}
