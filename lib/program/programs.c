#include "program/programs.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "program/versions.h"

/* A programme in memory with the arena that it lives in, freed by its last holder. */
struct held {
        struct program program; /* first: a pointer to it is one to its holder */
        struct arena *arena;
        unsigned holders;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct held *current;

/* Take one holder away; call with the lock held. Returns what is to be freed, or NULL. */
static struct held *let_go(struct held *held)
{
        return held != NULL && --held->holders == 0 ? held : NULL;
}

static void held_free(struct held *held)
{
        if (held == NULL)
                return;
        arena_free(held->arena);
        free(held);
}

const struct program *program_acquire(void)
{
        pthread_mutex_lock(&lock);
        assert(current != NULL);
        current->holders++;
        struct held *held = current;
        pthread_mutex_unlock(&lock);
        return &held->program;
}

void program_release(const struct program *program)
{
        pthread_mutex_lock(&lock);
        struct held *gone = let_go((struct held *)program);
        pthread_mutex_unlock(&lock);
        held_free(gone);
}

static void replace(struct held *held)
{
        pthread_mutex_lock(&lock);
        struct held *gone = let_go(current);
        current = held;
        pthread_mutex_unlock(&lock);
        held_free(gone);
}

void program_unload(void)
{
        replace(NULL);
}

enum err program_load(struct ctx *c)
{
        struct held *held = calloc(1, sizeof *held);

        if (held == NULL)
                abort();
        *held = (struct held){.arena = arena_new(), .holders = 1};
        struct ctx own = {.arena = held->arena, .db = c->db, .now = c->now, .shop = c->shop};
        enum err err = program_newest(&own, &held->program);
        if (err != ERR_OK)
                fail(c, err, "The stored programme can't be used: %s",
                     own.problem.fault_count > 0 ? own.problem.faults[0].detail : own.problem.detail);
        problem_reset(&own);
        if (err != ERR_OK) {
                held_free(held);
                return err;
        }
        replace(held);
        return ERR_OK;
}
