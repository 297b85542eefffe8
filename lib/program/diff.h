/* What differs between two programmes, told by the names of things. Pure. */
#pragma once

#include "program/program.h"

enum change_kind { CHANGE_NONE, CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED, CHANGE_REORDERED };

struct program_change {
        const char *path; /* "/tiers/gold/benefits/discount_permille": items of lists by code, or type */
        unsigned change;  /* enum change_kind */
        struct json_text before, after; /* NULL: not there */
};
SHAPE_DECLARE(program_change);

struct program_changes {
        struct program_change *v;
        size_t n;
};

/* What leads from one programme to the other, in the order of the document; `version` does not count. A list
 * whose items all have a code (an activity's type does where it has none) is compared item by item, any other
 * list as a whole; another order of the items that both have is told with these names. Lives in the arena. */
struct program_changes program_diff(struct arena *arena, const struct program *before,
                                    const struct program *after);
