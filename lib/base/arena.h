/* Arena: everything one request allocates, freed at once. Not thread-safe: one owner at a time. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new, empty arena; never NULL (the process ends when memory does). */
struct arena *arena_new(void);

/* Free the arena and everything in it; NULL is fine. */
void arena_free(struct arena *arena);

/* Zeroed memory, aligned for any type, valid until the arena is freed; never NULL. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));

/* An array of count zeroed elements; ends the process when count * size does not fit in memory. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/* A NUL-terminated copy of the first len bytes. */
char *arena_strndup(struct arena *arena, const char *text, size_t len) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *fmt, ...)
        __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
        __attribute__((format(printf, 2, 0), returns_nonnull));

#define ARENA_NEW(arena_, type_)           ((type_ *)arena_alloc((arena_), sizeof(type_)))
#define ARENA_ARRAY(arena_, count_, type_) ((type_ *)arena_array((arena_), (count_), sizeof(type_)))

static inline void arena_freep(struct arena **arena)
{
        arena_free(*arena);
}
#define _cleanup_(fn_) __attribute__((cleanup(fn_)))
