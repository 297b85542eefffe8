#include "jobs/strands.h"

#include "base/idmap.h"

/* The first line of a strand; the lines on the way are led there directly. */
static size_t first_of(size_t *leads_to, size_t line)
{
        while (leads_to[line] != line)
                line = leads_to[line] = leads_to[leads_to[line]];
        return line;
}

static void join(size_t *leads_to, size_t one, size_t other)
{
        one = first_of(leads_to, one);
        other = first_of(leads_to, other);
        leads_to[one > other ? one : other] = one > other ? other : one;
}

void strands_of(struct arena *arena, const struct strand_names *names, size_t n, size_t parts, size_t *ret)
{
        size_t *leads_to = ARENA_ARRAY(arena, n, size_t), count = 0;

        for (size_t i = 0; i < n; i++) {
                leads_to[i] = i;
                count += names[i].n;
        }
        struct idmap line_of = idmap_new(arena, count);
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < names[i].n; k++) {
                        size_t other = idmap_get(&line_of, names[i].v[k]);
                        if (other == SIZE_MAX)
                                idmap_put(&line_of, names[i].v[k], i);
                        else
                                join(leads_to, i, other);
                }
        }
        for (size_t i = 0; i < n; i++) {
                const struct strand_names *first = &names[first_of(leads_to, i)];
                uint64_t hash = first->n > 0 ? uuid_hash(first->v[0]) : 0;
                ret[i] = (size_t)(hash >> 32 ^ hash) % parts;
        }
}
