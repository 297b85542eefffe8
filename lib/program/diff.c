#include "program/diff.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape_json.h"

NAMES(change_kind_names, "added", "removed", "changed", "reordered");

#define SHAPE_T struct program_change
SHAPE(program_change, "One difference between two programmes.",
      FIELD(path, .need = true,
            .doc = "Where: names of fields; items of earning, coupons and tiers by their code, as /tiers/gold/benefits/discount_permille."),
      FIELD(change, .need = true, .names = &change_kind_names,
            .doc = "reordered: the same items, in another order; before and after are their codes."),
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

static const char *code_of(const json_t *item)
{
        return json_string_value(json_object_get(item, "code"));
}

static bool by_code(const json_t *list)
{
        return json_array_size(list) > 0 && code_of(json_array_get(list, 0)) != NULL;
}

static json_t *find(const json_t *list, const char *code)
{
        size_t i;
        json_t *item;

        json_array_foreach(list, i, item) if (strcmp(code_of(item), code) == 0) return item;
        return NULL;
}

/* Codes of the items of `list` that `other` has too, in their order; the caller's. */
static json_t *common_codes(const json_t *list, const json_t *other)
{
        json_t *codes = json_array(), *item;
        size_t i;

        json_array_foreach(list, i, item) if (find(other, code_of(item)) != NULL &&
                                              json_array_append(codes, json_object_get(item, "code")) != 0)
                abort(); /* out of memory */
        return codes;
}

static void compare_order(struct differ *d, const char *path, struct pair lists)
{
        struct pair codes = {common_codes(lists.before, lists.after),
                             common_codes(lists.after, lists.before)};

        if (!json_equal(codes.before, codes.after))
                tell(d, path, CHANGE_REORDERED, codes);
        json_decref(codes.before);
        json_decref(codes.after);
}

static void compare_items(struct differ *d, const char *path, struct pair lists)
{
        size_t i;
        json_t *item;

        compare_order(d, path, lists);
        json_array_foreach(lists.before, i, item)
                compare(d, arena_printf(d->arena, "%s/%s", path, code_of(item)),
                        (struct pair){item, find(lists.after, code_of(item))});
        json_array_foreach(lists.after, i, item) if (find(lists.before, code_of(item)) == NULL)
                compare(d, arena_printf(d->arena, "%s/%s", path, code_of(item)), (struct pair){NULL, item});
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
        else if (by_code(pair.before) || by_code(pair.after))
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
