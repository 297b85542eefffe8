/* The router: templates, precedence, ambiguity, decoding. */
#include "test.h"

#include "http/path.h"
#include "http/router.h"

struct one {
        const char *a;
};
#define SHAPE_T struct one
SHAPE(one, "One parameter.", FIELD(a, .in = IN_PATH));
#undef SHAPE_T

struct two {
        const char *a, *b;
        int64_t amount;
};
#define SHAPE_T struct two
SHAPE(two, "Two parameters and a body.", FIELD(a, .in = IN_PATH), FIELD(b, .in = IN_PATH), FIELD(amount));
#undef SHAPE_T

static enum err run(struct ctx *c, const void *in, void *out)
{
        (void)c;
        (void)in;
        (void)out;
        return ERR_OK;
}

static enum err run_batch(struct ctx *c, struct call *calls, size_t n)
{
        (void)c;
        (void)calls;
        (void)n;
        return ERR_OK;
}

static bool never(void)
{
        return false;
}

#define AT(method_, path_, in_, ...)                                                                         \
        (&(const struct endpoint){.name = #method_ " " path_,                                                \
                                  .method = METHOD_##method_,                                                \
                                  .path = (path_),                                                           \
                                  .in = &in_##_shape,                                                        \
                                  .out = &nothing_shape,                                                     \
                                  .run = run,                                                                \
                                  ##__VA_ARGS__})
#define BUILD(...) build((const struct endpoint *const[]){__VA_ARGS__, NULL})

static struct arena *arena;
static const char *why;

static const struct router *build(const struct endpoint *const *endpoints)
{
        const struct resource resource = {"test", "Test.", endpoints};

        if (arena == NULL)
                arena = arena_new();
        why = NULL;
        return router_new(arena, (const struct resource *const[]){&resource, NULL}, &why);
}

/* The name of who answers, or a word for why nobody does. */
static struct match match;
static const char *find(const struct router *router, const char *method, const char *path)
{
        switch (router_find(router, arena, method, path, &match)) {
        case ROUTE_FOUND:
                return match.route->endpoint->name;
        case ROUTE_NO_PATH:
                return "no path";
        case ROUTE_NO_METHOD:
                return match.allow;
        default:
                return "bad address";
        }
}

TEST(path_finds_its_endpoint_and_parameters)
{
        const struct router *router = BUILD(AT(GET, "/v1/orders/{a}", one), AT(POST, "/v1/orders", nothing),
                                            AT(POST, "/v1/orders/{a}/lines/{b}", two));

        EXPECT_TEXT(find(router, "GET", "/v1/orders/x"), "GET /v1/orders/{a}");
        EXPECT_INT(match.parameter_count, 1);
        EXPECT_TEXT(match.parameters[0].name, "a");
        EXPECT_TEXT(match.parameters[0].value, "x");
        EXPECT_TEXT(find(router, "HEAD", "/v1/orders/x"), "GET /v1/orders/{a}");
        EXPECT_TEXT(find(router, "POST", "/v1/orders/1/lines/2"), "POST /v1/orders/{a}/lines/{b}");
        EXPECT_TEXT(match.parameters[1].value, "2");
        EXPECT(match.route->takes_body);
        EXPECT_TEXT(find(router, "POST", "/v1/orders"), "POST /v1/orders");
        EXPECT(!match.route->takes_body);
}

TEST(unknown_path_or_method_is_told_apart)
{
        const struct router *router = BUILD(AT(GET, "/v1/orders/{a}", one), AT(PATCH, "/v1/orders/{a}", one));

        EXPECT_TEXT(find(router, "GET", "/v1/order/x"), "no path");
        EXPECT_TEXT(find(router, "GET", "/v1/orders/"), "no path");
        EXPECT_TEXT(find(router, "GET", "/v1//orders/x"), "no path");
        EXPECT_TEXT(find(router, "GET", "/v1/orders/x/"), "no path");
        EXPECT_TEXT(find(router, "GET", "v1/orders/x"), "no path");
        EXPECT_TEXT(find(router, "GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14"), "no path");
        EXPECT_TEXT(find(router, "GET", ""), "no path");
        EXPECT_TEXT(find(router, "POST", "/v1/orders/x"), "GET, HEAD, PATCH, OPTIONS");
        EXPECT_TEXT(find(router, "OPTIONS", "/v1/orders/x"), "GET, HEAD, PATCH, OPTIONS");
        EXPECT_TEXT(find(router, "get", "/v1/orders/x"), "GET, HEAD, PATCH, OPTIONS");
}

TEST(segment_is_decoded_after_the_split)
{
        const struct router *router = BUILD(AT(GET, "/v1/orders/{a}", one));

        EXPECT_TEXT(find(router, "GET", "/v1/%6Frders/ext:A%2F1%20%25"), "GET /v1/orders/{a}");
        EXPECT_TEXT(match.parameters[0].value, "ext:A/1 %");
        EXPECT_TEXT(find(router, "GET", "/v1/orders/a+b"), "GET /v1/orders/{a}");
        EXPECT_TEXT(match.parameters[0].value, "a+b");
        static const char *const bad[] = {"%",      "%1",        "%g1",          "%1g",    "%00", "%80",
                                          "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%E7%8E", "\xFF"};
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                char path[64];
                snprintf(path, sizeof path, "/v1/orders/%s", bad[i]);
                EXPECT_TEXT(find(router, "GET", path), "bad address");
        }
}

TEST(literal_wins_where_it_is_the_more_specific)
{
        const struct router *router =
                BUILD(AT(GET, "/v1/{a}/{b}", two), AT(GET, "/v1/points/{a}", one),
                      AT(GET, "/v1/points/proof", nothing), AT(POST, "/v1/points/{a}", one));

        EXPECT_TEXT(find(router, "GET", "/v1/points/proof"), "GET /v1/points/proof");
        EXPECT_TEXT(find(router, "GET", "/v1/points/x"), "GET /v1/points/{a}");
        EXPECT_TEXT(find(router, "GET", "/v1/x/proof"), "GET /v1/{a}/{b}");
        EXPECT_TEXT(find(router, "POST", "/v1/points/proof"),
                    "GET, HEAD, OPTIONS"); /* one path, one template */
}

TEST(ambiguous_tables_are_refused)
{
        EXPECT(BUILD(AT(GET, "/v1/{a}/new", one), AT(GET, "/v1/orders/{a}", one)) == NULL);
        EXPECT(why != NULL && strstr(why, "/v1/{a}/new") != NULL);
        EXPECT(BUILD(AT(GET, "/v1/{a}/new", one), AT(POST, "/v1/orders/{a}", one)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x/{a}", one), AT(GET, "/v1/x/{a}", one)) == NULL);
        EXPECT(why != NULL && strstr(why, "both answer") != NULL);
        EXPECT(BUILD(AT(GET, "/v1/{a}/{b}", two), AT(POST, "/v1/{b}/{a}", two)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x/{a}", one), AT(GET, "/v1/x/{a}/y", one)) != NULL);
}

TEST(unsound_endpoints_are_refused)
{
        EXPECT(BUILD(AT(GET, "/v1/x/{a}", nothing)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x", one)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x/{a}/{a}", two)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x/a{a}", one)) == NULL);
        EXPECT(BUILD(AT(GET, "/v2/x/{a}", one)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x//{a}", one)) == NULL);
        EXPECT(BUILD(AT(GET, "/v1/x", nothing, .run_batch = run_batch)) == NULL); /* both */
}

TEST(disabled_endpoint_is_left_out)
{
        const struct router *router =
                BUILD(AT(GET, "/v1/x", nothing, .enabled = never), AT(GET, "/v1/y", nothing));

        EXPECT_INT(router_count(router), 1);
        EXPECT_TEXT(find(router, "GET", "/v1/x"), "no path");
        EXPECT_TEXT(router_route(router, 0)->endpoint->path, "/v1/y");
}

TEST(what_may_not_stand_in_an_address_is_encoded)
{
        EXPECT_TEXT(percent_encode_uri(arena, "/v1/a%2Fb/ext:1?x=y"), "/v1/a%2Fb/ext:1?x=y");
        EXPECT_TEXT(percent_encode_uri(arena, "a b\r\n\"\xE7"), "a%20b%0D%0A%22%E7");
}

TEST(query_is_split_before_it_is_decoded)
{
        const char *rest = "&a=1%26b&c=%3D+x&d&&=e", *name, *value;

        EXPECT_INT(query_next(arena, &rest, &name, &value), QUERY_PAIR);
        EXPECT_TEXT(name, "a");
        EXPECT_TEXT(value, "1&b");
        EXPECT_INT(query_next(arena, &rest, &name, &value), QUERY_PAIR);
        EXPECT_TEXT(value, "= x");
        EXPECT_INT(query_next(arena, &rest, &name, &value), QUERY_PAIR);
        EXPECT_TEXT(name, "d");
        EXPECT_TEXT(value, "");
        EXPECT_INT(query_next(arena, &rest, &name, &value), QUERY_PAIR);
        EXPECT_TEXT(name, "");
        EXPECT_TEXT(value, "e");
        EXPECT_INT(query_next(arena, &rest, &name, &value), QUERY_END);
        rest = "a=%f";
        EXPECT_INT(query_next(arena, &rest, &name, &value), QUERY_MALFORMED);
        arena_free(arena); /* the last test */
}

TEST_MAIN
