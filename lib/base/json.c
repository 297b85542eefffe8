#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* Depth by counting brackets outside strings, before a parser recurses. */
bool json_too_deep(const char *bytes, size_t len)
{
        int depth = 0;
        bool quoted = false;

        for (size_t i = 0; i < len; i++) {
                char ch = bytes[i];
                if (quoted) {
                        if (ch == '\\')
                                i++;
                        else if (ch == '"')
                                quoted = false;
                } else if (ch == '"') {
                        quoted = true;
                } else if (ch == '{' || ch == '[') {
                        if (++depth > JSON_DEPTH_MAX)
                                return true;
                } else if (ch == '}' || ch == ']') {
                        depth--;
                }
        }
        return false;
}

/* What a parser says quotes the input, which may be no UTF-8 or cut within a character. */
static const char *quotable(struct arena *arena, const char *said)
{
        char *copy = arena_strdup(arena, said), *p = copy;

        while (*p != '\0') {
                size_t len = text_utf8_len(p);
                if (len == 0)
                        *p = '?';
                p += len > 0 ? len : 1;
        }
        return copy;
}

static enum err parse(struct ctx *c, const char *bytes, size_t len, bool is_line, json_t **ret)
{
        json_error_t error;

        if (json_too_deep(bytes, len)) {
                fault_body(c, "#", "too_deep", "nests deeper than %d levels", JSON_DEPTH_MAX);
                return problem_check(c);
        }
        json_t *json = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
        if (json == NULL) {
                const char *said = quotable(c->arena, error.text);
                if (!is_line)
                        problem_int(c, "line", error.line);
                problem_int(c, "column", error.column);
                return is_line ? fail(c, ERR_NOT_JSON, "Column %d: %s.", error.column, said)
                               : fail(c, ERR_NOT_JSON, "Line %d, column %d: %s.", error.line, error.column,
                                      said);
        }
        *ret = json;
        return ERR_OK;
}

enum err json_parse(struct ctx *c, const char *bytes, size_t len, json_t **ret)
{
        return parse(c, bytes, len, /* is_line= */ false, ret);
}

enum err json_parse_line(struct ctx *c, const char *bytes, size_t len, json_t **ret)
{
        return parse(c, bytes, len, /* is_line= */ true, ret);
}

/* Merge patch into the object target; depth is bounded by JSON_DEPTH_MAX on both sides. */
static int merge(json_t *target, json_t *patch)
{
        const char *key;
        json_t *value;
        int failed = 0;

        json_object_foreach(patch, key, value)
        {
                if (json_is_null(value)) {
                        (void)!json_object_del(target, key); /* what is not there need not go */
                        continue;
                }
                if (!json_is_object(value)) {
                        failed |= json_object_set(target, key, value);
                        continue;
                }
                json_t *inner = json_object_get(target, key);
                if (!json_is_object(inner)) {
                        inner = json_object();
                        failed |= json_object_set_new(target, key, inner);
                }
                failed |= merge(inner, value);
        }
        return failed;
}

const char *json_merge_patch(struct arena *arena, const char *target, const char *patch)
{
        json_t *into = target != NULL ? json_loads(target, 0, /* error= */ NULL) : json_object();
        json_t *from = json_loads(patch, 0, /* error= */ NULL);

        if (into == NULL || from == NULL || merge(into, from) != 0)
                abort(); /* out of memory, as everywhere */
        char *dump = json_dumps(into, JSON_COMPACT);
        if (dump == NULL)
                abort();
        const char *merged = arena_strdup(arena, dump);
        free(dump);
        json_decref(into);
        json_decref(from);
        return merged;
}

bool json_text_equal(const char *a, const char *b)
{
        if (a == NULL || b == NULL || strcmp(a, b) == 0)
                return a == b || (a != NULL && b != NULL);
        json_t *one = json_loads(a, JSON_DECODE_ANY, NULL), *other = json_loads(b, JSON_DECODE_ANY, NULL);
        bool equal = one != NULL && other != NULL && json_equal(one, other);
        json_decref(one);
        json_decref(other);
        return equal;
}
