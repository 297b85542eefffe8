/* Whose personal data an object holds. */
#include <string.h>

#include "base/json.h"
#include "base/pick.h"
#include "base/text.h"

/* Shapes nest no deeper, so a shape that nests in itself is noticed and not followed for ever. */
#define DEPTH_MAX 16

static bool holds_struct(const struct field *field)
{
        return field->wire == WIRE_STRUCT || field->wire == WIRE_POINTER || field->wire == WIRE_LIST;
}

static bool has_pii(const struct shape *shape, const struct pick *pick, unsigned depth)
{
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                if (!pick_has(pick, i))
                        continue;
                if (field->pii != PII_NONE || field->mask != NULL)
                        return true;
                if (holds_struct(field) && depth < DEPTH_MAX &&
                    has_pii(field->of, pick_below(pick, i), depth + 1))
                        return true;
        }
        return false;
}

bool shape_has_pii(const struct shape *shape, const struct pick *pick)
{
        return has_pii(shape, pick, 0);
}

static const struct field *subject_of(const struct shape *shape)
{
        for (size_t i = 0; i < shape->count; i++)
                if (shape->fields[i].subject)
                        return &shape->fields[i];
        return NULL;
}

struct uuid shape_subject(const struct shape *shape, const void *object)
{
        const struct field *subject = subject_of(shape);
        struct uuid id = {{0}};

        if (subject != NULL)
                memcpy(&id, (const char *)object + subject->offset, sizeof id);
        return id;
}

/* By an id of its own, or by that of a struct in it. */
static bool names_somebody(const struct shape *shape, unsigned depth)
{
        if (subject_of(shape) != NULL)
                return true;
        for (size_t i = 0; i < shape->count && depth < DEPTH_MAX; i++)
                if (shape->fields[i].wire == WIRE_STRUCT && names_somebody(shape->fields[i].of, depth + 1))
                        return true;
        return false;
}

static const struct field *of_nobody(const struct shape *shape, unsigned depth)
{
        if (names_somebody(shape, depth))
                return NULL;
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i], *below = NULL;
                if (field->pii != PII_NONE)
                        return field;
                if (holds_struct(field) && depth < DEPTH_MAX)
                        below = of_nobody(field->of, depth + 1);
                if (below != NULL)
                        return below;
        }
        return NULL;
}

const struct field *shape_pii_of_nobody(const struct shape *shape)
{
        return of_nobody(shape, 0);
}

static void person_add(struct arena *arena, struct uuids *people, struct uuid id)
{
        const size_t first_room = 8;

        for (size_t i = 0; i < people->n; i++)
                if (uuid_equal(people->v[i], id))
                        return;
        /* The room is the next power of two, and so needs no member of its own. */
        if (people->n == 0 || (people->n >= first_room && (people->n & (people->n - 1)) == 0)) {
                struct uuid *larger =
                        ARENA_ARRAY(arena, people->n < first_room ? first_room : people->n * 2, struct uuid);
                if (people->n > 0)
                        memcpy(larger, people->v, people->n * sizeof *larger);
                people->v = larger;
        }
        people->v[people->n++] = id;
}

/* Whom an object names by itself, or by the first struct in it that does; nil: nobody. */
static struct uuid person_of(const struct shape *shape, const char *object, unsigned depth)
{
        const struct field *subject = subject_of(shape);
        struct uuid person = {{0}};

        if (subject != NULL && !field_is_null(subject, object + subject->offset))
                memcpy(&person, object + subject->offset, sizeof person);
        for (size_t i = 0; i < shape->count && depth < DEPTH_MAX && !uuid_known(person); i++) {
                const struct field *field = &shape->fields[i];
                if (field->wire == WIRE_STRUCT)
                        person = person_of(field->of, object + field->offset, depth + 1);
        }
        return person;
}

/* Would something of the value, which is not null, be masked? */
static bool is_personal(const struct field *field, const void *at)
{
        if (field->pii != PII_NONE || field->mask == NULL)
                return field->pii != PII_NONE;
        const char *json = ((const struct json_text *)at)->text;
        struct text masked = {0};
        field->mask(&masked, json);
        bool personal = !json_text_equal(masked.data, json);
        text_free(&masked);
        return personal;
}

static void collect(struct arena *arena, const struct shape *shape, const struct pick *pick,
                    const char *object, struct uuid person, struct uuids *people)
{
        struct uuid named = person_of(shape, object, 0);

        if (uuid_known(named))
                person = named;
        for (size_t i = 0; i < shape->count; i++) {
                const struct field *field = &shape->fields[i];
                const char *at = object + field->offset;
                const struct pick *below = pick_below(pick, i);
                if (!pick_has(pick, i) || field_is_null(field, at))
                        continue;
                if (uuid_known(person) && is_personal(field, at)) {
                        person_add(arena, people, person);
                } else if (field->wire == WIRE_STRUCT) {
                        collect(arena, field->of, below, at, person, people);
                } else if (field->wire == WIRE_POINTER) {
                        collect(arena, field->of, below, *(const char *const *)at, person, people);
                } else if (field->wire == WIRE_LIST) {
                        const struct list *list = (const struct list *)at;
                        for (size_t k = 0; k < list->n; k++)
                                collect(arena, field->of, below, (const char *)list->v + k * field->of->size,
                                        person, people);
                }
        }
}

void shape_subjects(struct arena *arena, const struct shape *shape, const struct pick *pick,
                    const void *object, struct uuids *people)
{
        collect(arena, shape, pick, object, (struct uuid){{0}}, people);
}
