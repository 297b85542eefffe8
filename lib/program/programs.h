/* The programme in force: the newest stored version (program/versions.h), kept compiled in memory, shared
 * read-only by every thread. */
#pragma once

#include "program/program.h"

/* Load the newest version into memory; the first time, record the one that a new installation starts with.
 * What was in memory stays when this fails. */
enum err program_load(struct ctx *c) MUST_CHECK;

/* Forget what is in memory, at the end of the process. */
void program_unload(void);

/* The programme in force, valid until released; never NULL after program_load. */
const struct program *program_acquire(void);
void program_release(const struct program *program);

static inline void program_releasep(const struct program **program)
{
        program_release(*program);
}
/* Hold the programme for the rest of the scope. */
#define PROGRAM(name_)                                                                                       \
        __attribute__((cleanup(program_releasep))) const struct program *name_ = program_acquire()
