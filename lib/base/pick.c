#include "base/pick.h"

#include <string.h>

#include "base/guess.h"

struct reading {
        struct ctx *c;
        const char *parameter;
        const struct shape *shape; /* the outermost */
        enum pick_reach reach;
};

bool pick_opens(const struct field *field, enum pick_reach reach)
{
        return field->wire == WIRE_STRUCT ||
               (reach == PICK_DEEP && (field->wire == WIRE_POINTER || field->wire == WIRE_LIST));
}

bool pick_offers(const struct field *field, enum pick_reach reach)
{
        return field->wire != WIRE_PRESENCE && (reach == PICK_DEEP || field->in == IN_BODY);
}

static struct pick *pick_new(struct arena *arena, const struct shape *shape)
{
        struct pick *pick = ARENA_NEW(arena, struct pick);

        pick->below = ARENA_ARRAY(arena, shape->count, struct pick *);
        return pick;
}

static const struct field *member_of(const struct reading *r, const struct shape *shape, const char *name,
                                     size_t len)
{
        const struct field *field = shape_field(shape, name, len);

        return field != NULL && pick_offers(field, r->reach) ? field : NULL;
}

/* The path to a member of this name one level below the shape's own ("spend_minor" is metrics.spend_minor),
 * or NULL. */
static const char *path_below(const struct reading *r, const struct shape *shape, const char *name,
                              size_t len)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *outer = &shape->fields[i];
                if (!pick_offers(outer, r->reach) || !pick_opens(outer, r->reach))
                        continue;
                const struct field *inner = member_of(r, outer->of, name, len);
                if (inner != NULL)
                        return arena_printf(r->c->arena, "%s.%s", outer->name, inner->name);
        }
        return NULL;
}

/* No member of the shape, which the first `above` bytes of the path lead to, has the name that follows. */
static void unknown(const struct reading *r, const struct shape *shape, const char *path, size_t above,
                    size_t len)
{
        const char *name = path + above;
        struct guess guess = {.word = name, .len = len};

        for (size_t i = 0; i < shape->count; i++)
                if (pick_offers(&shape->fields[i], r->reach))
                        guess_try(&guess, shape->fields[i].name);
        const char *meant = guess.best != NULL ? guess.best : path_below(r, shape, name, len);
        if (meant != NULL)
                fault_parameter(r->c, r->parameter, "unknown_field",
                                "there is no member %s; did you mean %.*s%s%s?", path, (int)above, path,
                                meant, name + len);
        else
                fault_parameter(r->c, r->parameter, "unknown_field", "there is no member %s", path);
}

/* Take the field in whole, or as the way to what is below it. */
static bool take(const struct reading *r, struct pick *pick, size_t index, bool whole, const char *path)
{
        bool known = pick_has(pick, index);

        if (known && (whole || pick->below[index] == NULL)) {
                fault_parameter(r->c, r->parameter, "duplicate", "must name %s once", path);
                return false;
        }
        pick->bits |= UINT64_C(1) << index;
        return true;
}

static bool path_read(const struct reading *r, const char *path, struct pick *pick, struct picked *ret)
{
        const struct shape *shape = r->shape;
        size_t above = 0, offset = 0;

        for (;;) {
                size_t len = strcspn(path + above, ".");
                const struct field *field = member_of(r, shape, path + above, len);
                bool last = path[above + len] == '\0';
                if (field == NULL) {
                        unknown(r, shape, path, above, len);
                        return false;
                }
                size_t index = (size_t)(field - shape->fields);
                if (!last && !pick_opens(field, r->reach)) {
                        fault_parameter(r->c, r->parameter, "unknown_field",
                                        "there is no member %s; %.*s can only be asked for whole", path,
                                        (int)(above + len), path);
                        return false;
                }
                if (!take(r, pick, index, last, path))
                        return false;
                offset += field->offset;
                if (last) {
                        *ret = (struct picked){path, field, offset};
                        return true;
                }
                if (pick->below[index] == NULL)
                        pick->below[index] = pick_new(r->c->arena, field->of);
                pick = pick->below[index];
                shape = field->of;
                above += len + 1;
        }
}

static size_t names_count(const char *names)
{
        size_t n = 1;

        for (; *names != '\0'; names++)
                n += *names == ',';
        return n;
}

void pick_read(struct ctx *c, const char *parameter, const char *names, const struct shape *shape,
               enum pick_reach reach, struct picks *ret)
{
        const struct reading r = {c, parameter, shape, reach};

        *ret = (struct picks){.pick = pick_new(c->arena, shape)};
        if (text_chars(names) > PICK_CHARS_MAX) {
                fault_parameter(c, parameter, "too_long", "must have at most %d characters", PICK_CHARS_MAX);
                return;
        }
        ret->v = ARENA_ARRAY(c->arena, names_count(names), struct picked);
        for (bool more = true; more;) {
                size_t len = strcspn(names, ",");
                const char *path = arena_strndup(c->arena, names, len);
                more = names[len] == ',';
                names += len + more;
                if (len == 0)
                        fault_parameter(c, parameter, "too_short", "must name members, with commas between");
                else
                        ret->n += path_read(&r, path, ret->pick, &ret->v[ret->n]);
        }
}

const struct pick *pick_within(struct arena *arena, const struct shape *shape, const struct field *field,
                               struct pick *pick)
{
        struct pick *whole = pick_new(arena, shape);

        whole->bits = UINT64_MAX;
        whole->below[field - shape->fields] = pick;
        return whole;
}
