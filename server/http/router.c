#include "http/router.h"

#include <string.h>

#include "base/text.h"
#include "http/path.h"

const char *const method_names[METHOD_COUNT_] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

struct segment {
        const char *text; /* a literal, or a parameter's name */
        bool parameter;
};

struct template
{
        const char *path;
        struct segment segments[ROUTE_SEGMENTS_MAX];
        size_t segment_count, literal_count;
        struct route routes[METHOD_COUNT_]; /* endpoint NULL: none */
        const char *allow;
};

struct router {
        struct template *templates; /* more literals first, so the first match is the most specific */
        size_t template_count;
        const struct route **routes; /* by index */
        unsigned route_count;
};

/* ------------------------------------------------------------------ building */

static bool template_parse(struct arena *arena, const char *path, struct template *ret)
{
        char *rest = arena_strdup(arena, path);

        *ret = (struct template){.path = path};
        if (strncmp(path, "/v1/", strlen("/v1/")) != 0)
                return false; /* everything else belongs to the server itself */
        while (rest != NULL && *rest == '/') {
                char *text = rest + 1;
                size_t len = strcspn(text, "/");
                rest = text[len] == '/' ? text + len : NULL;
                if (len == 0 || ret->segment_count == ROUTE_SEGMENTS_MAX)
                        return false;
                bool parameter = text[0] == '{' && text[len - 1] == '}';
                struct segment *segment = &ret->segments[ret->segment_count++];
                *segment = (struct segment){.text = parameter ? arena_strndup(arena, text + 1, len - 2)
                                                              : arena_strndup(arena, text, len),
                                            .parameter = parameter};
                if (segment->text[0] == '\0' || strpbrk(segment->text, "{}%?") != NULL)
                        return false;
                ret->literal_count += !parameter;
        }
        return true;
}

/* Can some path match both? */
static bool templates_overlap(const struct template *a, const struct template *b)
{
        if (a->segment_count != b->segment_count)
                return false;
        for (size_t i = 0; i < a->segment_count; i++) {
                const struct segment *x = &a->segments[i], *y = &b->segments[i];
                if (!x->parameter && !y->parameter && strcmp(x->text, y->text) != 0)
                        return false;
        }
        return true;
}

/* Of two that overlap: has a a literal wherever b has one, and more? */
static bool template_more_specific(const struct template *a, const struct template *b)
{
        for (size_t i = 0; i < a->segment_count; i++)
                if (a->segments[i].parameter && !b->segments[i].parameter)
                        return false;
        return a->literal_count > b->literal_count;
}

/* Does every IN_PATH field stand in the template once, and nothing else? */
static bool parameters_agree(const struct template *template, const struct shape *in)
{
        size_t parameters = template->segment_count - template->literal_count;

        for (size_t i = 0; i < in->count; i++) {
                size_t found = 0;
                if (in->fields[i].in != IN_PATH)
                        continue;
                for (size_t j = 0; j < template->segment_count; j++)
                        found += template->segments[j].parameter &&
                                 strcmp(template->segments[j].text, in->fields[i].name) == 0;
                if (found != 1 || parameters-- == 0)
                        return false;
        }
        return parameters == 0;
}

/* What is wrong with an endpoint by itself, or NULL. */
static const char *endpoint_fault(const struct endpoint *endpoint, const struct template *template)
{
        if (!parameters_agree(template, endpoint->in))
                return "its path parameters are not the IN_PATH fields of its input";
        if ((endpoint->run == NULL) == (endpoint->run_batch == NULL))
                return "it needs either run or run_batch";
        if (endpoint->run_batch != NULL && endpoint->method != METHOD_GET &&
            endpoint->idempotency != IDEMPOTENCY_NATURAL)
                return "a batch endpoint that writes needs a natural key";
        if (endpoint->method == METHOD_GET && shape_pii_of_nobody(endpoint->out) != NULL)
                return "personal data in its answer has no subject beside or around it, so no look at it could be audited";
        return NULL;
}

/* The template of a path, new or known; NULL when it clashes with another. */
static struct template *template_of(struct router *router, const struct template *wanted,
                                    const char **ret_clash)
{
        for (size_t i = 0; i < router->template_count; i++) {
                struct template *known = &router->templates[i];
                if (strcmp(known->path, wanted->path) == 0)
                        return known;
                if (templates_overlap(known, wanted) && !template_more_specific(known, wanted) &&
                    !template_more_specific(wanted, known)) {
                        *ret_clash = known->path;
                        return NULL;
                }
        }
        struct template *template = &router->templates[router->template_count++];
        *template = *wanted;
        return template;
}

static const char *router_add(struct arena *arena, struct router *router, const struct endpoint *endpoint)
{
        struct template wanted;
        const char *clash = NULL, *fault;

        if (!template_parse(arena, endpoint->path, &wanted))
                return arena_printf(arena, "%s: \"%s\" is not a path template.", endpoint->name,
                                    endpoint->path);
        fault = endpoint_fault(endpoint, &wanted);
        if (fault != NULL)
                return arena_printf(arena, "%s: %s.", endpoint->name, fault);
        struct template *template = template_of(router, &wanted, &clash);
        if (template == NULL)
                return arena_printf(arena, "%s: \"%s\" and \"%s\" can match the same path.", endpoint->name,
                                    endpoint->path, clash);
        struct route *route = &template->routes[endpoint->method];
        if (route->endpoint != NULL)
                return arena_printf(arena, "%s and %s both answer %s \"%s\".", route->endpoint->name,
                                    endpoint->name, method_names[endpoint->method], endpoint->path);
        const struct field *version = shape_field(endpoint->out, "version", strlen("version"));
        *route = (struct route){.endpoint = endpoint};
        if (version != NULL && version->wire == WIRE_INT)
                route->version = version;
        route->takes_body = shape_body(endpoint->in) != NULL;
        route->pii = shape_has_pii(endpoint->out, /* pick= */ NULL);
        return NULL;
}

static const char *allow_text(struct arena *arena, const struct template *template)
{
        struct text out = {0};

        for (unsigned i = 0; i < METHOD_COUNT_; i++)
                if (template->routes[i].endpoint != NULL)
                        text_printf(&out, "%s, ", i == METHOD_GET ? "GET, HEAD" : method_names[i]);
        text_puts(&out, "OPTIONS");
        const char *allow = arena_strdup(arena, out.data);
        text_free(&out);
        return allow;
}

/* Sort, then number: routes must not move afterwards. */
static void router_finish(struct arena *arena, struct router *router, size_t endpoint_count)
{
        router->routes = ARENA_ARRAY(arena, endpoint_count, const struct route *);
        for (size_t i = 1; i < router->template_count; i++)
                for (size_t j = i; j > 0; j--) {
                        struct template *a = &router->templates[j - 1], *b = &router->templates[j], swap;
                        if (a->literal_count >= b->literal_count)
                                break;
                        swap = *a;
                        *a = *b;
                        *b = swap;
                }
        for (size_t i = 0; i < router->template_count; i++) {
                struct template *template = &router->templates[i];
                template->allow = allow_text(arena, template);
                for (unsigned method = 0; method < METHOD_COUNT_; method++) {
                        struct route *route = &template->routes[method];
                        if (route->endpoint == NULL)
                                continue;
                        route->index = router->route_count;
                        router->routes[router->route_count++] = route;
                }
        }
}

const struct router *router_new(struct arena *arena, const struct resource *const *all, const char **ret_why)
{
        struct router *router = ARENA_NEW(arena, struct router);
        size_t count = 0;

        for (size_t i = 0; all[i] != NULL; i++)
                for (size_t j = 0; all[i]->endpoints[j] != NULL; j++)
                        count++;
        router->templates = ARENA_ARRAY(arena, count, struct template);
        for (size_t i = 0; all[i] != NULL; i++)
                for (size_t j = 0; all[i]->endpoints[j] != NULL; j++) {
                        const struct endpoint *endpoint = all[i]->endpoints[j];
                        if (endpoint->enabled != NULL && !endpoint->enabled())
                                continue;
                        const char *why = router_add(arena, router, endpoint);
                        if (why != NULL) {
                                *ret_why = why;
                                return NULL;
                        }
                }
        router_finish(arena, router, count);
        return router;
}

unsigned router_count(const struct router *router)
{
        return router->route_count;
}

const struct route *router_route(const struct router *router, unsigned index)
{
        return router->routes[index];
}

/* ------------------------------------------------------------------ finding */

/* Split the path into decoded segments; false when it is malformed. More than the maximum gives a count
 * beyond it. */
static bool path_split(struct arena *arena, const char *path, const char *segments[ROUTE_SEGMENTS_MAX],
                       size_t *ret_count)
{
        char *rest = arena_strdup(arena, path);
        size_t count = 0;
        bool sound = true;

        if (*rest != '/') {
                *ret_count = 0;
                return utf8_valid(path);
        }
        while (rest != NULL) {
                char *segment = rest + 1;
                rest = strchr(segment, '/');
                if (rest != NULL)
                        *rest = '\0';
                sound = percent_decode(segment, /* query= */ false) && sound;
                if (count < ROUTE_SEGMENTS_MAX)
                        segments[count] = segment;
                count++;
        }
        *ret_count = count;
        return sound;
}

static bool template_matches(const struct template *template, const char *const *segments, size_t count)
{
        if (template->segment_count != count)
                return false;
        for (size_t i = 0; i < count; i++) {
                const struct segment *segment = &template->segments[i];
                if (segment->parameter ? segments[i][0] == '\0' : strcmp(segment->text, segments[i]) != 0)
                        return false;
        }
        return true;
}

static const struct route *route_of(const struct template *template, const char *method)
{
        if (strcmp(method, "HEAD") == 0)
                method = method_names[METHOD_GET];
        for (unsigned i = 0; i < METHOD_COUNT_; i++)
                if (strcmp(method_names[i], method) == 0)
                        return template->routes[i].endpoint != NULL ? &template->routes[i] : NULL;
        return NULL;
}

enum route_result router_find(const struct router *router, struct arena *arena, const char *method,
                              const char *path, struct match *ret)
{
        const char *segments[ROUTE_SEGMENTS_MAX];
        const struct template *template = NULL;
        size_t count;

        if (!path_split(arena, path, segments, &count))
                return ROUTE_BAD_ADDRESS;
        if (count == 0 || count > ROUTE_SEGMENTS_MAX)
                return ROUTE_NO_PATH;
        for (size_t i = 0; i < router->template_count && template == NULL; i++)
                if (template_matches(&router->templates[i], segments, count))
                        template = &router->templates[i];
        if (template == NULL)
                return ROUTE_NO_PATH;
        *ret = (struct match){.route = route_of(template, method), .allow = template->allow};
        if (ret->route == NULL)
                return ROUTE_NO_METHOD;
        for (size_t i = 0; i < count; i++)
                if (template->segments[i].parameter) {
                        size_t n = ret->parameter_count++;
                        ret->parameters[n].name = template->segments[i].text;
                        ret->parameters[n].value = segments[i];
                }
        return ROUTE_FOUND;
}
