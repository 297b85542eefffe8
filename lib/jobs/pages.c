#include "jobs/pages.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_BYTES ((size_t)512 * 1024)

/* A page with its memory. */
struct page {
        struct arena *arena; /* NULL: none */
        struct list lines;
        enum err err;
        const char *detail; /* of err; in the arena */
};

struct pages {
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        const struct ctx *c;
        const struct bulk_type *type;
        const struct bulk_filter *filter;
        int64_t size;
        struct page ready; /* loaded and not taken yet */
        bool stopping, ended;
        struct page taken; /* the caller's */
};

static void page_free(struct page *page)
{
        arena_free(page->arena);
        *page = (struct page){0};
}

static void page_load(const struct pages *pages, struct bulk_position *position, struct page *ret)
{
        struct ctx own = *pages->c;

        *ret = (struct page){.arena = arena_new()};
        own.arena = ret->arena;
        own.problem = (struct problem){0};
        ret->err = pages->type->page(&own, pages->filter, position, pages->size, &ret->lines);
        if (ret->err != ERR_OK && own.problem.detail != NULL)
                ret->detail = arena_strdup(ret->arena, own.problem.detail);
        problem_reset(&own);
}

static void *pages_main(void *arg)
{
        struct pages *pages = arg;
        struct bulk_position position = {0};
        bool more = true;

        while (more) {
                struct page page;
                page_load(pages, &position, &page);
                more = page.err == ERR_OK && page.lines.n == (size_t)pages->size;
                pthread_mutex_lock(&pages->lock);
                while (pages->ready.arena != NULL && !pages->stopping)
                        pthread_cond_wait(&pages->changed, &pages->lock);
                page_free(&pages->ready);
                pages->ready = page;
                pages->ended = !more;
                more = more && !pages->stopping;
                pthread_cond_signal(&pages->changed);
                pthread_mutex_unlock(&pages->lock);
        }
        return NULL;
}

struct pages *pages_start(const struct ctx *c, const struct bulk_type *type, const struct bulk_filter *filter,
                          int64_t lines)
{
        struct pages *pages = calloc(1, sizeof *pages);
        pthread_attr_t attr;

        if (pages == NULL)
                abort();
        *pages = (struct pages){.c = c, .type = type, .filter = filter, .size = lines};
        pthread_mutex_init(&pages->lock, NULL);
        pthread_cond_init(&pages->changed, NULL);
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, STACK_BYTES);
        int error = pthread_create(&pages->thread, &attr, pages_main, pages);
        pthread_attr_destroy(&attr);
        if (error == 0)
                return pages;
        pthread_cond_destroy(&pages->changed);
        pthread_mutex_destroy(&pages->lock);
        free(pages);
        return NULL;
}

enum err pages_next(struct ctx *c, struct pages *pages, struct list *ret)
{
        page_free(&pages->taken);
        pthread_mutex_lock(&pages->lock);
        while (pages->ready.arena == NULL && !pages->ended)
                pthread_cond_wait(&pages->changed, &pages->lock);
        pages->taken = pages->ready;
        pages->ready = (struct page){0};
        pthread_cond_signal(&pages->changed);
        pthread_mutex_unlock(&pages->lock);
        if (pages->taken.err != ERR_OK)
                return fail(c, pages->taken.err, "%s",
                            pages->taken.detail != NULL ? pages->taken.detail : "A page can't be read.");
        *ret = pages->taken.lines;
        return ERR_OK;
}

void pages_stop(struct pages *pages)
{
        if (pages == NULL)
                return;
        pthread_mutex_lock(&pages->lock);
        pages->stopping = true;
        pthread_cond_signal(&pages->changed);
        pthread_mutex_unlock(&pages->lock);
        pthread_join(pages->thread, NULL);
        page_free(&pages->ready);
        page_free(&pages->taken);
        pthread_cond_destroy(&pages->changed);
        pthread_mutex_destroy(&pages->lock);
        free(pages);
}
