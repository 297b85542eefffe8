#include "jobs/people.h"

#include <string.h>

#include "customers/customers.h"

#define EXTERNAL "ext:"

static const char *reference_of(const void *object)
{
        return *(const char *const *)object;
}

size_t reference_name(const char *reference, struct uuid *ret)
{
        if (strncmp(reference, EXTERNAL, strlen(EXTERNAL)) != 0)
                return uuid_from_text(reference, ret);
        *ret = uuid_of_external("customer", reference + strlen(EXTERNAL));
        return 1;
}

size_t people_names(const void *object, struct uuid ret[STRAND_NAMES_MAX])
{
        return reference_name(reference_of(object), ret);
}

enum err people_lock(struct ctx *c, struct bulk_line **lines, size_t n, struct uuid **ret_ids)
{
        struct texts references = {ARENA_ARRAY(c->arena, n, const char *), n};
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);

        for (size_t i = 0; i < n; i++)
                references.v[i] = reference_of(lines[i]->object);
        TRY(customers_lock_many(c, &references, ids));
        for (size_t i = 0; i < n; i++)
                if (!uuid_known(ids[i]))
                        lines[i]->err = fail(&lines[i]->c, ERR_NOT_FOUND, "There is no customer %s.",
                                             references.v[i]);
        *ret_ids = ids;
        return ERR_OK;
}

enum err people_read(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines, size_t n,
                     size_t size,
                     enum err (*read)(struct bulk_line *line, const struct bulk_options *options,
                                      struct uuid customer_id, void *ret),
                     struct people_calls *ret)
{
        struct people_calls calls = {.v = arena_alloc(c->arena, n * size),
                                     .lines = ARENA_ARRAY(c->arena, n, struct bulk_line *)};
        struct uuid *ids;

        TRY(people_lock(c, lines, n, &ids));
        for (size_t i = 0; i < n; i++) {
                if (lines[i]->err == ERR_OK)
                        lines[i]->err = read(lines[i], options, ids[i], (char *)calls.v + calls.n * size);
                if (lines[i]->err == ERR_OK)
                        calls.lines[calls.n++] = lines[i];
        }
        *ret = calls;
        return ERR_OK;
}
