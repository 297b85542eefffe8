#include "cache_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"

#define CHANNEL      "patron_cache"
#define WAIT_MS      250  /* how soon a stop is noticed */
#define RECONNECT_MS 500  /* between attempts while the database is away */
#define LOAD_MS      5000 /* for one statement of a load */

struct cache_watch {
        pthread_t thread;
        atomic_bool stop;
        const struct cache *caches;
        size_t count;
        const struct shop *shop;
        struct db_options db_options;
        struct db *db;
};

/* A fresh context for one load or one wait: nothing piles up in a thread that lives for months. */
static struct ctx context_new(const struct cache_watch *watch)
{
        return (struct ctx){.arena = arena_new(), .now = clock_now(), .shop = watch->shop, .db = watch->db};
}

static void context_free(struct ctx *c)
{
        problem_reset(c);
        arena_free(c->arena);
}

static void complain(const struct ctx *c, const char *what)
{
        LOG(LOG_LEVEL_WARNING, "cache_watch", LOG_S("cache", what),
            LOG_S("problem", err_info(c->problem.code)->slug), LOG_S("detail", c->problem.detail),
            LOG_S("cause", c->problem.cause));
}

/* False when the connection is lost; any other failure leaves the cache as it was. */
static bool load(const struct cache_watch *watch, const struct cache *cache)
{
        struct ctx c = context_new(watch);
        enum err err = cache->load(&c);

        if (err != ERR_OK)
                complain(&c, cache->name);
        else
                LOG(LOG_LEVEL_DEBUG, "cache_loaded", LOG_S("cache", cache->name));
        context_free(&c);
        return err != ERR_DATABASE_AWAY;
}

/* Load what the payload names; an unknown name is a newer server's. */
static bool load_named(const struct cache_watch *watch, const char *payload)
{
        for (size_t i = 0; i < watch->count; i++)
                if (strcmp(watch->caches[i].name, payload) == 0)
                        return load(watch, &watch->caches[i]);
        return true;
}

/* First listen, then load: what changes in between is loaded twice, never missed. */
static bool open_and_load_all(const struct cache_watch *watch)
{
        struct ctx c = context_new(watch);
        bool ok = db_ready(&c) == ERR_OK && db_listen(&c, CHANNEL) == ERR_OK;

        if (!ok)
                complain(&c, /* what= */ NULL);
        context_free(&c);
        for (size_t i = 0; ok && i < watch->count; i++)
                ok = load(watch, &watch->caches[i]);
        return ok;
}

static bool wait_and_load(const struct cache_watch *watch)
{
        struct ctx c = context_new(watch);
        const char *payload;
        bool ok = db_wait(&c, WAIT_MS, &payload) == ERR_OK;

        if (!ok)
                complain(&c, /* what= */ NULL);
        else if (payload != NULL)
                ok = load_named(watch, payload);
        context_free(&c);
        return ok;
}

static void *watch_main(void *arg)
{
        struct cache_watch *watch = arg;
        const struct timespec pause = {.tv_nsec = RECONNECT_MS * 1000000L};

        while (!atomic_load(&watch->stop)) {
                bool open = open_and_load_all(watch);
                while (open && !atomic_load(&watch->stop))
                        open = wait_and_load(watch);
                if (!open)
                        nanosleep(&pause, NULL);
        }
        return NULL;
}

struct cache_watch *cache_watch_start(const struct cache *caches, size_t n, const char *database_url,
                                      const struct shop *shop)
{
        struct cache_watch *watch = calloc(1, sizeof *watch);

        if (watch == NULL)
                return NULL;
        watch->caches = caches;
        watch->count = n;
        watch->shop = shop;
        watch->db_options = (struct db_options){
                .url = database_url, .application = "patron caches", .statement_timeout_ms = LOAD_MS};
        watch->db = db_new(&watch->db_options);
        if (pthread_create(&watch->thread, NULL, watch_main, watch) != 0) {
                db_free(watch->db);
                free(watch);
                return NULL;
        }
        return watch;
}

void cache_watch_stop(struct cache_watch *watch)
{
        if (watch == NULL)
                return;
        atomic_store(&watch->stop, true);
        pthread_join(watch->thread, NULL);
        db_free(watch->db);
        free(watch);
}
