#include "http/builtin.h"

#include <sodium.h>
#include <stdlib.h>

#include "http/docs_page.h"
#include "http/keeper.h"
#include "http/lanes.h"
#include "http/metrics.h"
#include "http/openapi.h"

struct builtin {
        const char *path;
        bool prefix; /* everything below it too */
        enum err (*answer)(struct request *r);
};

/* Pages that may change with the next version only: asked for again, but sent once. */
#define CACHE_REVALIDATE "no-cache"
#define ETAG_BYTES       12

static const char *etag_of(struct arena *arena, const char *bytes, size_t len)
{
        unsigned char hash[crypto_generichash_BYTES];
        char hex[2 * ETAG_BYTES + 1];

        crypto_generichash(hash, sizeof hash, (const unsigned char *)bytes, len, /* key= */ NULL, 0);
        sodium_bin2hex(hex, sizeof hex, hash, ETAG_BYTES);
        return arena_printf(arena, "\"%s\"", hex);
}

static enum err answer_fixed(struct request *r, const char *type, const char *body, size_t len)
{
        r->answer.status = MHD_HTTP_OK;
        r->answer.type = type;
        r->answer.fixed_body = body;
        r->answer.fixed_len = len;
        r->answer.etag = etag_of(r->ctx.arena, body, len);
        r->answer.cache = CACHE_REVALIDATE;
        return ERR_OK;
}

static enum err answer_health(struct request *r)
{
        r->answer.status = MHD_HTTP_OK;
        text_puts(&r->answer.body, "{\"status\":\"ok\"}");
        return ERR_OK;
}

static enum err answer_ready(struct request *r)
{
        const char *database = keeper_database_fault(r->server->keeper);
        bool draining = atomic_load(&r->server->draining), full = lanes_full(r->server->lanes);
        bool ready = database == NULL && !draining && !full;

        r->answer.status = ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
        text_printf(&r->answer.body, "{\"ready\":%s,\"database\":\"%s\",\"lanes\":\"%s\",\"draining\":%s}",
                    ready ? "true" : "false", database == NULL ? "ok" : database, full ? "full" : "ok",
                    draining ? "true" : "false");
        return ERR_OK;
}

static enum err answer_metrics(struct request *r)
{
        unsigned depth[LANE_COUNT_];

        lanes_depth(r->server->lanes, depth);
        metrics_write(r->server->metrics, depth, &r->answer.body);
        r->answer.status = MHD_HTTP_OK;
        r->answer.type = "text/plain; version=0.0.4; charset=utf-8";
        return ERR_OK;
}

static enum err answer_openapi(struct request *r)
{
        size_t len;
        const char *document = openapi_document(&len);

        return answer_fixed(r, "application/json", document, len);
}

static enum err answer_docs(struct request *r)
{
        size_t len;
        const char *page = docs_page(&len);

        r->answer.policy = DOCS_PAGE_POLICY;
        return answer_fixed(r, "text/html; charset=utf-8", page, len);
}

static enum err answer_problem_page(struct request *r)
{
        const char *slug = r->path + strlen("/problems/");
        size_t len;
        char *page = problem_page(slug, &len);

        if (page == NULL)
                return fail(&r->ctx, ERR_NO_ROUTE, "No problem has this name.");
        r->answer.status = MHD_HTTP_OK;
        r->answer.type = "text/html; charset=utf-8";
        r->answer.policy = DOCS_PAGE_POLICY;
        r->answer.etag = etag_of(r->ctx.arena, page, len);
        r->answer.cache = CACHE_REVALIDATE;
        r->answer.body = (struct text){.data = page, .len = len, .size = len};
        return ERR_OK;
}

static const struct builtin builtins[] = {
        {"/healthz", false, answer_health},  {"/readyz", false, answer_ready},
        {"/metrics", false, answer_metrics}, {"/openapi.json", false, answer_openapi},
        {"/docs", false, answer_docs},       {"/problems/", true, answer_problem_page},
};

const struct builtin *builtin_find(const char *path)
{
        for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
                if (builtins[i].prefix ? strncmp(path, builtins[i].path, strlen(builtins[i].path)) == 0
                                       : strcmp(path, builtins[i].path) == 0)
                        return &builtins[i];
        return NULL;
}

void builtin_answer(struct request *r)
{
        r->err = r->builtin->answer(r);
}
