#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

/* Most requests fit in one block; under ASan every allocation gets a block of its own, so overruns are seen.
 */
#ifdef ARENA_ASAN
#define BLOCK_BYTES 0
#else
#define BLOCK_BYTES 8192
#endif
#define ALIGNMENT _Alignof(max_align_t)

struct block {
        struct block *next;
        size_t used, size;
        _Alignas(max_align_t) unsigned char data[];
};

struct arena {
        struct block *head;
};

static void *must(void *memory)
{
        if (memory == NULL) {
                fputs("patron: out of memory\n", stderr);
                abort();
        }
        return memory;
}

struct arena *arena_new(void)
{
        return must(calloc(1, sizeof(struct arena)));
}

void arena_free(struct arena *arena)
{
        if (arena == NULL)
                return;
        for (struct block *block = arena->head; block != NULL;) {
                struct block *next = block->next;
                free(block);
                block = next;
        }
        free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
        size_t rounded = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
        struct block *block = arena->head;

        if (rounded < size)
                must(NULL);
        if (block == NULL || block->size - block->used < rounded) {
                size_t bytes = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
                block = must(malloc(sizeof *block + bytes));
                *block = (struct block){.next = arena->head, .used = 0, .size = bytes};
                arena->head = block;
        }
        void *memory = block->data + block->used;
        block->used += rounded;
        return memset(memory, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes))
                must(NULL);
        return arena_alloc(arena, bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
        char *copy = arena_alloc(arena, len + 1);

        memcpy(copy, text, len);
        return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
        return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
        va_list again;

        va_copy(again, args);
        int len = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (len < 0)
                must(NULL);
        char *text = arena_alloc(arena, (size_t)len + 1);
        vsnprintf(text, (size_t)len + 1, fmt, args);
        return text;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        char *text = arena_vprintf(arena, fmt, args);
        va_end(args);
        return text;
}
