/* Pure: some members of a shape, as ?fields= names them: "id,metrics.spend_minor". */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

struct pick {
        uint64_t bits;       /* one for each field of the shape, in order */
        struct pick **below; /* of each field: which of its members; NULL: all of them */
};

/* A name as it was asked for. */
struct picked {
        const char *path;
        const struct field *field;
        size_t offset; /* from the outer object; with PICK_COLUMNS only */
};
struct picks {
        struct pick *pick;
        struct picked *v; /* in the order asked for */
        size_t n;
};

/* How far a path leads: into whatever has members; or, as a column of a file does, through structs by value
 * and to what a body may hold. */
enum pick_reach { PICK_DEEP, PICK_COLUMNS };

/* Characters of all names together: a hundred and more of them, and the rest of an address may still be long.
 */
#define PICK_CHARS_MAX 3000

/* Read the names that a parameter gives. Each one that is unknown, empty or asked for twice is a fault, with
 * the member that was probably meant; ask problem_check afterwards. All memory is the arena's. */
void pick_read(struct ctx *c, const char *parameter, const char *names, const struct shape *shape,
               enum pick_reach reach, struct picks *ret);

/* All members of the shape, but of this one only what the pick says. */
const struct pick *pick_within(struct arena *arena, const struct shape *shape, const struct field *field,
                               struct pick *pick);

/* Is the field of this index wanted? A pick that is NULL wants all. */
static inline bool pick_has(const struct pick *pick, size_t index)
{
        return pick == NULL || (pick->bits >> index & 1) != 0;
}

/* What is wanted of its members. */
static inline const struct pick *pick_below(const struct pick *pick, size_t index)
{
        return pick == NULL ? NULL : pick->below[index];
}

/* May a path lead into the field? */
bool pick_opens(const struct field *field, enum pick_reach reach);
/* May a path lead to it? */
bool pick_offers(const struct field *field, enum pick_reach reach);
