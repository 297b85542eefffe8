#include "audit/diff.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape_json.h"

/* The object as a JSON value of its own; an empty one for none. Our own encoder wrote it, so it parses. */
static json_t *tree(const struct shape *shape, const void *object, bool masked)
{
        struct text text = {0};

        if (object == NULL)
                return json_object();
        shape_encode(&text, shape, object, masked);
        json_t *json = json_loadb(text.data, text.len, JSON_DECODE_ANY, /* error= */ NULL);
        text_free(&text);
        if (json == NULL)
                abort(); /* out of memory */
        return json;
}

struct side {
        json_t *plain, *masked;
};

static struct side side_of(const struct shape *shape, const void *object)
{
        return (struct side){tree(shape, object, /* masked= */ false),
                             tree(shape, object, /* masked= */ true)};
}

static void side_free(struct side side)
{
        json_decref(side.plain);
        json_decref(side.masked);
}

static json_t *member(json_t *object, const char *name)
{
        json_t *value = json_object_get(object, name);

        return value != NULL ? value : json_null();
}

/* In both trees of a side alike: the mask leaves this value as it is. */
static bool open_to_all(const struct side *side, const char *name)
{
        return json_equal(member(side->plain, name), member(side->masked, name));
}

static void put(json_t *changes, const char *name, json_t *before, json_t *after)
{
        json_t *change = json_object();

        if (json_object_set(change, "before", before) != 0 || json_object_set(change, "after", after) != 0 ||
            json_object_set_new(changes, name, change) != 0)
                abort(); /* out of memory */
}

/* Takes the object. */
static const char *text_of(struct arena *arena, json_t *object)
{
        const char *kept = NULL;

        if (json_object_size(object) > 0) {
                char *text = json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY);
                if (text == NULL)
                        abort(); /* out of memory */
                kept = arena_strdup(arena, text);
                free(text);
        }
        json_decref(object);
        return kept;
}

struct audit_diff audit_diff(struct arena *arena, const struct shape *shape, const void *before,
                             const void *after)
{
        struct side was = side_of(shape, before), is = side_of(shape, after);
        json_t *changes = json_object(), *personal = json_object();
        struct audit_diff diff;

        for (size_t i = 0; i < shape->count; i++) {
                const char *name = shape->fields[i].name;
                json_t *old = member(was.plain, name), *new = member(is.plain, name);
                if (json_equal(old, new))
                        continue;
                put(changes, name, member(was.masked, name), member(is.masked, name));
                if (!open_to_all(&was, name) || !open_to_all(&is, name))
                        put(personal, name, old, new);
        }
        side_free(was);
        side_free(is);
        diff.changes = text_of(arena, changes);
        diff.personal = text_of(arena, personal);
        return diff;
}

static void mask_side(json_t *change, const char *side, const struct audit_remask *remask)
{
        json_t *value = json_object_get(change, side);

        if (!json_is_object(value))
                return;
        struct text masked = {0};
        char *plain = json_dumps(value, JSON_COMPACT);
        if (plain == NULL)
                abort(); /* out of memory */
        remask->mask(&masked, plain);
        free(plain);
        json_t *hidden = json_loadb(masked.data, masked.len, 0, /* error= */ NULL);
        text_free(&masked);
        if (hidden == NULL || json_object_set_new(change, side, hidden) != 0)
                abort(); /* out of memory: never show what is hidden instead */
}

void audit_remask(struct text *out, const char *json, const struct audit_remask *remask)
{
        json_t *changes = remask->field != NULL && strstr(json, remask->field) != NULL
                                  ? json_loads(json, 0, /* error= */ NULL)
                                  : NULL;
        json_t *change = json_object_get(changes, remask->field);

        if (change == NULL) {
                text_puts(out, json);
        } else {
                mask_side(change, "before", remask);
                mask_side(change, "after", remask);
                char *masked = json_dumps(changes, JSON_COMPACT);
                if (masked == NULL)
                        abort(); /* out of memory */
                text_puts(out, masked);
                free(masked);
        }
        json_decref(changes);
}
