/* Attributes: what a shop's own facts about customers may hold. What is defined is checked wherever
 * attributes come in; what is not defined stays free. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

enum attribute_type {
        ATTRIBUTE_NONE,
        ATTRIBUTE_TEXT,
        ATTRIBUTE_INTEGER,
        ATTRIBUTE_NUMBER,
        ATTRIBUTE_BOOLEAN,
        ATTRIBUTE_DATE,
        ATTRIBUTE_INSTANT,
        ATTRIBUTE_CHOICE,
        ATTRIBUTE_TEXTS,
};
extern const struct names attribute_type_names;

enum visibility { VISIBILITY_NONE, VISIBILITY_EVERYONE, VISIBILITY_PERSONAL };
extern const struct names visibility_names;

/* Definitions of one shop: they are all looked at for every customer that comes in. */
#define ATTRIBUTES_MAX 200

struct attribute {
        const char *name;
        unsigned type;
        const char *label;
        struct opt_int min, max; /* of a number; of a text's characters; of a list's items */
        struct texts choices;
        unsigned visibility;
        int64_t version;
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(attribute);

struct attribute_in {
        unsigned type;
        const char *label;
        struct opt_int min, max;
        struct texts choices;
        unsigned visibility;
};
SHAPE_DECLARE(attribute_in);

/* Create or replace a definition, in a transaction; what is stored already is not looked at;
 * expected_version 0 takes any. Every server uses it within a second. ERR_INVALID, ERR_STALE,
 * ERR_ATTRIBUTES_TOO_MANY. */
enum err attribute_put(struct ctx *c, const char *name, const struct attribute_in *in,
                       int64_t expected_version, struct attribute *ret, bool *ret_created) MUST_CHECK;
/* ERR_NOT_FOUND. */
enum err attribute_get(struct ctx *c, const char *name, struct attribute *ret) MUST_CHECK;
enum err attribute_remove(struct ctx *c, const char *name) MUST_CHECK;
/* All of them, by name. */
enum err attributes_list(struct ctx *c, struct list *ret) MUST_CHECK;

/* Load all definitions into memory; what was there stays when this fails. Before it there are none. */
enum err attributes_load(struct ctx *c) MUST_CHECK;
void attributes_unload(void);

/* Note a fault for everything in a JSON object of attributes that is not as it is defined; null is, always.
 * pointer is where the object stands ("#/attributes"). */
void attributes_check(struct ctx *c, const char *pointer, const char *json);

/* Append a JSON object of attributes without what only those may see who may see personal data. */
void attributes_mask(struct text *out, const char *json);
