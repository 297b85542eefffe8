#include "program/diff.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape_json.h"

NAMES(change_kind_names, "added", "removed", "changed", "reordered");

#define SHAPE_T struct program_change
SHAPE(program_change, "One difference between two programmes.",
      FIELD(path, .need = true,
            .doc = "Where: names of fields; items of lists by their code, activities without one by their type, as /tiers/gold/benefits/discount_permille."),
      FIELD(change, .need = true, .names = &change_kind_names,
            .doc = "reordered: the same items, in another order; before and after are what paths call them."),
      FIELD(before, .any = true, .doc = "The value; null: there was none."),
      FIELD(after, .any = true, .doc = "The value; null: there is none."));
#undef SHAPE_T

struct differ {
        struct arena *arena;
        struct program_changes changes;
        size_t room;
};

/* Two values at one place; NULL: not there. */
struct pair {
        json_t *before, *after;
};

static void compare(struct differ *d, const char *path, struct pair pair);

static const char *text_of(struct arena *arena, const json_t *value)
{
        if (value == NULL || json_is_null(value))
                return NULL;
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text == NULL)
                abort(); /* out of memory */
        const char *kept = arena_strdup(arena, text);
        free(text);
        return kept;
}

static void tell(struct differ *d, const char *path, enum change_kind kind, struct pair pair)
{
        if (d->changes.n == d->room) {
                size_t room = 2 * d->room + 8;
                struct program_change *larger = ARENA_ARRAY(d->arena, room, struct program_change);
                if (d->changes.n > 0)
                        memcpy(larger, d->changes.v, d->changes.n * sizeof *larger);
                d->changes.v = larger;
                d->room = room;
        }
        d->changes.v[d->changes.n++] = (struct program_change){
                .path = path,
                .change = kind,
                .before.text = text_of(d->arena, pair.before),
                .after.text = text_of(d->arena, pair.after),
        };
}

/* What tells an item of a list from its neighbours, and what paths call it: its code, or, of an activity that
 * has none, its type. NULL: neither. */
static const char *name_of(const json_t *item)
{
        const char *code = json_string_value(json_object_get(item, "code"));

        return code != NULL ? code : json_string_value(json_object_get(item, "type"));
}

/* A list all of whose items have a name. */
static bool is_named(const json_t *list)
{
        size_t i;
        json_t *item;

        json_array_foreach(list, i, item) if (name_of(item) == NULL) return false;
        return json_is_array(list);
}

/* An activity of the shop's own may be called as a type of ours is: both members decide. */
static bool is_same(const json_t *a, const json_t *b)
{
        const json_t *type = json_object_get(a, "type"), *other = json_object_get(b, "type");

        return strcmp(name_of(a), name_of(b)) == 0 && (type == other || json_equal(type, other));
}

static json_t *find(const json_t *list, const json_t *wanted)
{
        size_t i;
        json_t *item;

        json_array_foreach(list, i, item) if (is_same(item, wanted)) return item;
        return NULL;
}

/* Names of the items of `list` that `other` has too, in their order; the caller's. */
static json_t *common_names(const json_t *list, const json_t *other)
{
        json_t *names = json_array(), *item;
        size_t i;

        json_array_foreach(list, i, item) if (find(other, item) != NULL &&
                                              json_array_append_new(names, json_string(name_of(item))) != 0)
                abort(); /* out of memory */
        return names;
}

static void compare_order(struct differ *d, const char *path, struct pair lists)
{
        struct pair names = {common_names(lists.before, lists.after),
                             common_names(lists.after, lists.before)};

        if (!json_equal(names.before, names.after))
                tell(d, path, CHANGE_REORDERED, names);
        json_decref(names.before);
        json_decref(names.after);
}

static void compare_items(struct differ *d, const char *path, struct pair lists)
{
        size_t i;
        json_t *item;

        compare_order(d, path, lists);
        json_array_foreach(lists.before, i, item)
                compare(d, arena_printf(d->arena, "%s/%s", path, name_of(item)),
                        (struct pair){item, find(lists.after, item)});
        json_array_foreach(lists.after, i, item) if (find(lists.before, item) == NULL)
                compare(d, arena_printf(d->arena, "%s/%s", path, name_of(item)), (struct pair){NULL, item});
}

/* Both are encoded by one shape: the same members in the same order. */
static void compare_members(struct differ *d, const char *path, struct pair objects)
{
        const char *name;
        json_t *before;

        json_object_foreach(objects.before, name, before)
                compare(d, arena_printf(d->arena, "%s/%s", path, name),
                        (struct pair){before, json_object_get(objects.after, name)});
}

static void compare(struct differ *d, const char *path, struct pair pair)
{
        if (pair.before == NULL || pair.after == NULL)
                tell(d, path, pair.before == NULL ? CHANGE_ADDED : CHANGE_REMOVED, pair);
        else if (json_equal(pair.before, pair.after))
                return;
        else if (json_is_object(pair.before) && json_is_object(pair.after))
                compare_members(d, path, pair);
        else if (is_named(pair.before) && is_named(pair.after))
                compare_items(d, path, pair);
        else
                tell(d, path, CHANGE_CHANGED, pair);
}

/* Our own encoder wrote it, so it parses. */
static json_t *tree(const struct program *program)
{
        struct text text = {0};

        shape_encode(&text, &program_shape, program, /* masked= */ false);
        json_t *json = json_loadb(text.data, text.len, /* flags= */ 0, /* error= */ NULL);
        text_free(&text);
        if (json == NULL)
                abort(); /* out of memory */
        json_object_del(json, "version");
        return json;
}

struct program_changes program_diff(struct arena *arena, const struct program *before,
                                    const struct program *after)
{
        struct differ d = {.arena = arena};
        struct pair programs = {tree(before), tree(after)};

        compare(&d, "", programs);
        json_decref(programs.before);
        json_decref(programs.after);
        return d.changes;
}
