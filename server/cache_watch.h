/* Caches that follow the database: one thread listens on the channel patron_cache and loads again what a
 * notification names. After a lost connection everything is loaded again, since a notification may have been
 * missed. */
#pragma once

#include "base/ctx.h"

struct cache {
        const char *name;                /* the payload that names it */
        enum err (*load)(struct ctx *c); /* replaces what was there; on an error that must stay */
};

struct cache_watch;

/* Start the thread. The caches, the url and the shop must outlive it. NULL when the system gives no thread.
 */
struct cache_watch *cache_watch_start(const struct cache *caches, size_t n, const char *database_url,
                                      const struct shop *shop);

/* End the thread and free the watch; takes at most a second (more only while the database does not answer).
 */
void cache_watch_stop(struct cache_watch *watch);
