/* What differs between two objects of one shape, as JSON: {"name":{"before":"x","after":"y"}}. Pure. */
#pragma once

#include "base/arena.h"
#include "base/shape.h"
#include "base/text.h"

struct audit_diff {
        const char *changes;  /* all fields that differ, personal data masked; NULL: none */
        const char *personal; /* those among them that the mask changes, in full; NULL: none */
};

/* before or after may be NULL: all fields of the other differ from null then. */
struct audit_diff audit_diff(struct arena *arena, const struct shape *shape, const void *before,
                             const void *after);

/* A field of the objects, and what masks its values now. */
struct audit_remask {
        const char *field; /* NULL: none */
        void (*mask)(struct text *out, const char *json);
};

/* Append changes as audit_diff made them, with that field's values masked once more. */
void audit_remask(struct text *out, const char *json, const struct audit_remask *remask);
