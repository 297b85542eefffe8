#include "customers/attributes.h"

#include <pthread.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/shape_json.h"
#include "customers/customers.h"
#include "customers/store.h"
#include "db/statement.h"

NAMES(attribute_type_names, "text", "integer", "number", "boolean", "date", "instant", "choice", "texts");
NAMES(visibility_names, "everyone", "personal");

#define BOUND_MAX INT64_C(1000000000000000)

#define ATTRIBUTE_FIELDS                                                                                     \
        FIELD(type, .need = true, .names = &attribute_type_names,                                            \
              .doc = "texts is a list of texts, choice one of a list, date YYYY-MM-DD, instant RFC 3339."),  \
                FIELD(label, .min = 1, .max = 200, .format = &format_printable),                             \
                FIELD(min, .min = -BOUND_MAX, .max = BOUND_MAX,                                              \
                      .doc = "Of a number; of a text's characters; of a list's items."),                     \
                FIELD(max, .min = -BOUND_MAX, .max = BOUND_MAX),                                             \
                FIELD(choices, .min = 1, .max = 200, .doc = "Of choice, and what texts may hold."),          \
                FIELD(visibility, .names = &visibility_names, .dflt = "everyone",                            \
                      .doc = "personal: only with the scope customers:pii.")

#define SHAPE_T struct attribute_in
SHAPE(attribute_in, "What an attribute may hold.", ATTRIBUTE_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct attribute
SHAPE(attribute, "A shop's own attribute of customers.", FIELD(name, .need = true), ATTRIBUTE_FIELDS,
      FIELD(version, .doc = "Counts up with every change; the ETag."), FIELD(created_at, .need = true),
      FIELD(updated_at, .need = true));
#undef SHAPE_T

#define ATTRIBUTE_COLUMNS "name, type, label, min, max, choices, visibility, version, created_at, updated_at"

SQL_MANY(attributes_all, nothing, attribute,
         "SELECT " ATTRIBUTE_COLUMNS " FROM attribute_definitions ORDER BY name")
SQL_EXEC(
        attribute_store, attribute,
        "INSERT INTO attribute_definitions (" ATTRIBUTE_COLUMNS
        ") VALUES (:name, :type, :label, :min, :max, :choices, "
        ":visibility, :version, :created_at, :updated_at) ON CONFLICT (name) DO UPDATE SET type = excluded.type, "
        "label = excluded.label, min = excluded.min, max = excluded.max, choices = excluded.choices, "
        "visibility = excluded.visibility, version = excluded.version, updated_at = excluded.updated_at")
SQL_MANY(attribute_delete, attribute, attribute,
         "DELETE FROM attribute_definitions WHERE name = :name RETURNING " ATTRIBUTE_COLUMNS)
SQL_EXEC(attributes_changed, nothing, "NOTIFY patron_cache, 'attributes'")
/* Definitions are written one after the other: their number has a limit. */
SQL_EXEC(attributes_lock, nothing, "LOCK TABLE attribute_definitions IN SHARE ROW EXCLUSIVE MODE")

/* ------------------------------------------------------------------ in memory */

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct arena *held;
static struct attribute *definitions;
static size_t definition_count;

static void replace(struct arena *arena, struct attribute *v, size_t n)
{
        pthread_rwlock_wrlock(&lock);
        struct arena *before = held;
        held = arena;
        definitions = v;
        definition_count = n;
        pthread_rwlock_unlock(&lock);
        arena_free(before);
}

enum err attributes_load(struct ctx *c)
{
        struct list rows;

        TRY(attributes_all(c, &(struct nothing){0}, &rows));
        struct arena *arena = arena_new();
        struct attribute *v = ARENA_ARRAY(arena, rows.n, struct attribute);
        for (size_t i = 0; i < rows.n; i++)
                shape_copy(arena, &attribute_shape, &((const struct attribute *)rows.v)[i], &v[i]);
        replace(arena, v, rows.n);
        return ERR_OK;
}

void attributes_unload(void)
{
        replace(NULL, NULL, 0);
}

/* ------------------------------------------------------------------ checking */

static const struct attribute *definition(const char *name)
{
        for (size_t i = 0; i < definition_count; i++)
                if (strcmp(definitions[i].name, name) == 0)
                        return &definitions[i];
        return NULL;
}

static void check_bounds(struct ctx *c, const char *pointer, const struct attribute *attribute, double value,
                         const char *what)
{
        if (attribute->min.set && value < (double)attribute->min.v)
                fault_body(c, pointer, "too_small", "must %s at least %lld", what,
                           (long long)attribute->min.v);
        if (attribute->max.set && value > (double)attribute->max.v)
                fault_body(c, pointer, "too_large", "must %s at most %lld", what,
                           (long long)attribute->max.v);
}

static void check_choice(struct ctx *c, const char *pointer, const struct attribute *attribute,
                         const char *value)
{
        bool known = attribute->choices.n == 0;

        for (size_t i = 0; i < attribute->choices.n && !known; i++)
                known = strcmp(attribute->choices.v[i], value) == 0;
        if (!known)
                fault_body(c, pointer, "unknown_value", "must be one of the choices of %s", attribute->name);
}

static void check_texts(struct ctx *c, const char *pointer, const struct attribute *attribute,
                        const json_t *value)
{
        size_t i;
        json_t *item;

        check_bounds(c, pointer, attribute, (double)json_array_size(value), "hold");
        json_array_foreach((json_t *)value, i, item)
        {
                const char *at = arena_printf(c->arena, "%s/%zu", pointer, i);
                if (!json_is_string(item))
                        fault_body(c, at, "wrong_type", "must be a string");
                else
                        check_choice(c, at, attribute, json_string_value(item));
        }
}

/* Has the value the type? Its JSON type, and the form of dates and instants. */
static bool typed(unsigned type, const json_t *value)
{
        const char *text = json_string_value(value);
        struct date date;
        struct instant instant;

        switch (type) {
        case ATTRIBUTE_INTEGER:
                return json_is_integer(value);
        case ATTRIBUTE_NUMBER:
                return json_is_number(value);
        case ATTRIBUTE_BOOLEAN:
                return json_is_boolean(value);
        case ATTRIBUTE_TEXTS:
                return json_is_array(value);
        case ATTRIBUTE_DATE:
                return text != NULL && date_parse(text, &date);
        case ATTRIBUTE_INSTANT:
                return text != NULL && instant_parse(text, &instant);
        default:
                return text != NULL;
        }
}

static void check_value(struct ctx *c, const char *pointer, const struct attribute *attribute,
                        const json_t *value)
{
        if (json_is_null(value))
                return;
        if (!typed(attribute->type, value))
                fault_body(c, pointer, "wrong_type", "must be of the type %s",
                           attribute_type_names.v[attribute->type]);
        else if (attribute->type == ATTRIBUTE_INTEGER || attribute->type == ATTRIBUTE_NUMBER)
                check_bounds(c, pointer, attribute, json_number_value(value), "be");
        else if (attribute->type == ATTRIBUTE_TEXT)
                check_bounds(c, pointer, attribute, (double)text_chars(json_string_value(value)), "have");
        else if (attribute->type == ATTRIBUTE_CHOICE)
                check_choice(c, pointer, attribute, json_string_value(value));
        else if (attribute->type == ATTRIBUTE_TEXTS)
                check_texts(c, pointer, attribute, value);
}

void attributes_check(struct ctx *c, const char *pointer, const char *json)
{
        const char *key;
        json_t *value;

        pthread_rwlock_rdlock(&lock);
        json_t *object = definition_count > 0 && json != NULL ? json_loads(json, 0, NULL) : NULL;
        json_object_foreach(object, key, value)
        {
                const struct attribute *attribute = definition(key);
                if (attribute != NULL)
                        check_value(c, arena_printf(c->arena, "%s/%s", pointer, key), attribute, value);
        }
        json_decref(object);
        pthread_rwlock_unlock(&lock);
}

void attributes_mask(struct text *out, const char *json)
{
        bool hidden = false;
        const char *key;
        json_t *value;

        pthread_rwlock_rdlock(&lock);
        json_t *object = definition_count > 0 ? json_loads(json, 0, NULL) : NULL;
        json_object_foreach(object, key, value)
        {
                const struct attribute *attribute = definition(key);
                if (attribute == NULL || attribute->visibility != VISIBILITY_PERSONAL)
                        continue;
                json_object_set_new(object, key, json_string("***"));
                hidden = true;
        }
        pthread_rwlock_unlock(&lock);
        char *masked = hidden ? json_dumps(object, JSON_COMPACT) : NULL;
        if (hidden && masked == NULL)
                abort(); /* out of memory: never show what is hidden instead */
        text_puts(out, hidden ? masked : json);
        free(masked);
        json_decref(object);
}

/* ------------------------------------------------------------------ changing */

static void attribute_check(struct ctx *c, const struct attribute_in *in)
{
        if (in->min.set && in->max.set && in->min.v > in->max.v)
                fault_body(c, "#/max", "too_small", "must not be below min");
        if (in->type == ATTRIBUTE_CHOICE && in->choices.n == 0)
                fault_body(c, "#/choices", "required", "is required for a choice");
        if (in->type != ATTRIBUTE_CHOICE && in->type != ATTRIBUTE_TEXTS && in->choices.n > 0)
                fault_body(c, "#/choices", "unknown_field", "only choice and texts have choices");
}

static enum err attribute_audit(struct ctx *c, const struct attribute *before, const struct attribute *after)
{
        const char *name = after != NULL ? after->name : before->name;

        return audit_write(
                c, &(struct audit_change){.subject = arena_printf(c->arena, "/v1/attributes/%s", name),
                                          .shape = &attribute_shape,
                                          .before = before,
                                          .after = after});
}

/* The one of this name; nothing stays as it is. */
static bool pick(const struct list *rows, const char *name, struct attribute *ret)
{
        const struct attribute *attributes = rows->v;

        for (size_t i = 0; i < rows->n; i++) {
                if (strcmp(attributes[i].name, name) != 0)
                        continue;
                *ret = attributes[i];
                return true;
        }
        return false;
}

static enum err no_attribute(struct ctx *c, const char *name)
{
        return fail(c, ERR_NOT_FOUND, "There is no attribute %s.", name);
}

enum err attribute_get(struct ctx *c, const char *name, struct attribute *ret)
{
        struct list rows;

        TRY(attributes_all(c, &(struct nothing){0}, &rows));
        return pick(&rows, name, ret) ? ERR_OK : no_attribute(c, name);
}

enum err attribute_put(struct ctx *c, const char *name, const struct attribute_in *in,
                       int64_t expected_version, struct attribute *ret, bool *ret_created)
{
        struct list rows;
        struct attribute attribute = {.name = name, .created_at = c->now};

        attribute_check(c, in);
        TRY(problem_check(c));
        TRY(attributes_lock(c, &(struct nothing){0}));
        TRY(attributes_all(c, &(struct nothing){0}, &rows));
        bool known = pick(&rows, name, &attribute);
        TRY(version_expect(c, "attribute", attribute.version, expected_version));
        if (!known && rows.n >= ATTRIBUTES_MAX)
                return fail(c, ERR_ATTRIBUTES_TOO_MANY, "There are %d attributes already.", ATTRIBUTES_MAX);
        struct attribute before = attribute;
        attribute.type = in->type;
        attribute.label = in->label;
        attribute.min = in->min;
        attribute.max = in->max;
        attribute.choices = in->choices;
        attribute.visibility = in->visibility;
        attribute.version++;
        attribute.updated_at = c->now;
        TRY(attribute_store(c, &attribute));
        TRY(attribute_audit(c, known ? &before : NULL, &attribute));
        TRY(attributes_changed(c, &(struct nothing){0}));
        *ret = attribute;
        *ret_created = !known;
        return ERR_OK;
}

enum err attribute_remove(struct ctx *c, const char *name)
{
        struct list gone;

        TRY(attribute_delete(c, &(struct attribute){.name = name}, &gone));
        if (gone.n == 0)
                return no_attribute(c, name);
        TRY(attribute_audit(c, gone.v, /* after= */ NULL));
        return attributes_changed(c, &(struct nothing){0});
}

enum err attributes_list(struct ctx *c, struct list *ret)
{
        return attributes_all(c, &(struct nothing){0}, ret);
}
