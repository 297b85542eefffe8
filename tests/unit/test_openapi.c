/* The OpenAPI document of a small API of its own. */
#include "test.h"

#include <jansson.h>

#include "base/err.h"
#include "http/docs_page.h"
#include "http/endpoint.h"
#include "http/openapi.h"

struct item_in {
        const char *item;
        int64_t limit;
        const char *name;
};
#define SHAPE_T struct item_in
SHAPE(item_in, "What to keep.", FIELD(item, .in = IN_PATH, .need = true, .doc = "Which one."),
      FIELD(limit, .in = IN_QUERY, .min = 1, .max = 200, .dflt = "50", .doc = "How many."),
      FIELD(name, .need = true, .doc = "Its name."));
#undef SHAPE_T

struct item_ref {
        const char *item;
};
#define SHAPE_T struct item_ref
SHAPE(item_ref, "One item.", FIELD(item, .in = IN_PATH, .need = true, .doc = "Which one."));
#undef SHAPE_T

struct item {
        const char *name;
        int64_t version;
};
#define SHAPE_T struct item
SHAPE(item, "An item.", FIELD(name, .need = true), FIELD(version));
#undef SHAPE_T

ENDPOINT(item_put, PUT, "/v1/items/{item}", item_in, 201, item, .status_hit = 200, .summary = "Keep an item",
         .scope = SCOPE_ORDERS_WRITE, .errors = ERRS(ERR_IDENTITY_TAKEN), .minimal = true)
{
        (void)c, (void)in, (void)out;
        return ERR_OK;
}

ENDPOINT(item_get, GET, "/v1/items/{item}", item_ref, 200, item, .summary = "Read an item",
         .scope = SCOPE_ORDERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        (void)c, (void)in, (void)out;
        return ERR_OK;
}

ENDPOINT(item_use, POST, "/v1/items/{item}/uses", item_ref, 204, nothing, .summary = "Use an item",
         .idempotency = IDEMPOTENCY_REQUIRED, .scope = SCOPE_POINTS_WRITE)
{
        (void)c, (void)in, (void)out;
        return ERR_OK;
}

static bool never(void)
{
        return false;
}
ENDPOINT(item_hidden, GET, "/v1/hidden", nothing, 200, item, .summary = "Hidden", .enabled = never)
{
        (void)c, (void)in, (void)out;
        return ERR_OK;
}

RESOURCE(items, "items", "Things that are kept.", &item_put_endpoint, &item_get_endpoint, &item_use_endpoint,
         &item_hidden_endpoint);
const struct resource *const resources[] = {&items_resource, NULL};

static json_t *root;

/* Follow member names; an empty one ends the path. */
static const json_t *at(const char *const *path)
{
        const json_t *json = root;

        for (; **path != '\0'; path++)
                json = json_object_get(json, *path);
        return json;
}
#define AT(...) at((const char *const[]){__VA_ARGS__, ""})

/* Does the list of strings, or of references that end so, hold the word? */
static bool lists(const json_t *list, const char *word)
{
        size_t i;
        json_t *item;

        json_array_foreach((json_t *)list, i, item)
        {
                const char *text =
                        json_string_value(json_is_object(item) ? json_object_get(item, "$ref") : item);
                size_t len = text != NULL ? strlen(text) : 0;
                if (len >= strlen(word) && strcmp(text + len - strlen(word), word) == 0)
                        return true;
        }
        return false;
}

TEST(openapi_is_the_same_every_time_and_ends_with_a_line_end)
{
        size_t len, again_len;
        const char *document = openapi_document(&len), *again = openapi_document(&again_len);

        EXPECT(document == again && len == again_len && document[len - 1] == '\n' && document[len] == '\0');
        EXPECT(strncmp(document, "{\n  \"openapi\": \"3.1.0\"", 22) == 0);
        EXPECT_TEXT(json_string_value(AT("info", "version")), PATRON_VERSION);
}

TEST(openapi_groups_methods_by_path_and_leaves_out_what_is_not_enabled)
{
        EXPECT_INT(json_object_size(AT("paths", "/v1/items/{item}")), 2);
        EXPECT_TEXT(json_string_value(AT("paths", "/v1/items/{item}", "get", "operationId")), "item_get");
        EXPECT(AT("paths", "/v1/hidden") == NULL);
        EXPECT(AT("paths", "/healthz", "get") != NULL && AT("components", "schemas", "problem") != NULL);
}

TEST(openapi_names_scope_parameters_and_body)
{
        const json_t *parameters = AT("paths", "/v1/items/{item}", "put", "parameters");

        EXPECT_TEXT(json_string_value(AT("paths", "/v1/items/{item}", "put", "x-scope")), "orders:write");
        EXPECT_TEXT(json_string_value(json_object_get(json_array_get(parameters, 0), "in")), "path");
        EXPECT_TEXT(json_string_value(json_object_get(json_array_get(parameters, 1), "in")), "query");
        EXPECT(json_object_get(json_array_get(parameters, 1), "required") == NULL);
        EXPECT(lists(parameters, "/if_match") && lists(parameters, "/prefer") &&
               !lists(parameters, "/idempotency_key"));
        EXPECT(lists(AT("paths", "/v1/items/{item}", "get", "parameters"), "/if_none_match"));
        EXPECT(lists(AT("paths", "/v1/items/{item}/uses", "post", "parameters"),
                     "/idempotency_key_required"));
        EXPECT(AT("paths", "/v1/items/{item}", "put", "requestBody") != NULL);
        EXPECT(AT("paths", "/v1/items/{item}/uses", "post", "requestBody") == NULL);
        EXPECT_INT(json_object_size(AT("components", "schemas", "item_in_input", "properties")), 1);
}

TEST(openapi_answers_are_the_endpoints_and_the_servers)
{
        const json_t *put = AT("paths", "/v1/items/{item}", "put", "responses");
        const json_t *use = AT("paths", "/v1/items/{item}/uses", "post", "responses");

        EXPECT(json_object_get(put, "201") != NULL && json_object_get(put, "200") != NULL);
        EXPECT(json_object_get(put, "204") != NULL && json_object_get(put, "404") == NULL);
        EXPECT(lists(AT("paths", "/v1/items/{item}", "put", "responses", "409", "x-problems"),
                     "identity-taken"));
        EXPECT(lists(AT("paths", "/v1/items/{item}", "put", "responses", "412", "x-problems"),
                     "stale-version"));
        EXPECT(lists(AT("paths", "/v1/items/{item}", "put", "responses", "503", "x-problems"), "busy"));
        EXPECT(json_object_get(AT("paths", "/v1/items/{item}", "get", "responses"), "304") != NULL);
        EXPECT(json_object_get(AT("paths", "/v1/items/{item}", "get", "responses"), "413") == NULL);
        EXPECT(json_object_get(json_object_get(use, "204"), "content") == NULL);
        EXPECT(lists(AT("paths", "/v1/items/{item}/uses", "post", "responses", "400", "x-problems"),
                     "idempotency-key-required"));
        EXPECT_TEXT(json_string_value(AT("paths", "/v1/items/{item}", "get", "responses", "200", "content",
                                         "application/json", "schema", "$ref")),
                    "#/components/schemas/item");
}

TEST(problem_pages_exist_for_every_error_and_no_other)
{
        size_t len;

        for (int i = ERR_OK + 1; i < ERR_COUNT_; i++) {
                char *page = problem_page(err_info((enum err)i)->slug, &len);
                EXPECT(page != NULL && len == strlen(page) && strstr(page, "<h1>") != NULL);
                free(page);
        }
        EXPECT(problem_page("ok", &len) == NULL);
        EXPECT(problem_page("", &len) == NULL);
        EXPECT(problem_page("<script>", &len) == NULL);
        const char *docs = docs_page(&len);
        EXPECT(len > 10000 && strncmp(docs, "<!doctype html>", 15) == 0);
}

int main(void)
{
        size_t len;
        const char *document = openapi_document(&len);

        root = json_loadb(document, len, JSON_REJECT_DUPLICATES, /* error= */ NULL);
        int status = root != NULL ? test_run_all() : EXIT_FAILURE;
        json_decref(root);
        return status;
}
