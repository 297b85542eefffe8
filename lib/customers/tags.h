/* Tags: words that staff (manual), segments (rule) and marketplaces (official) put on a customer. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

enum tag_kind { TAG_NONE, TAG_MANUAL, TAG_RULE, TAG_OFFICIAL };
extern const struct names tag_kind_names;

/* Tags of one kind that a customer may have: enough for any scheme, and a list that still fits a screen. */
#define TAGS_MAX      250
#define TAG_CHARS_MAX 100

struct tag {
        struct uuid customer_id;
        unsigned kind; /* enum tag_kind */
        const char *tag;
        struct instant expires_at, created_at;
};
SHAPE_DECLARE(tag);

/* A tag in a file. */
struct tag_line {
        const char *customer; /* reference */
        unsigned kind;
        const char *tag;
        struct instant expires_at, created_at;
        bool remove;
};
SHAPE_DECLARE(tag_line);

/* One tag that is put on or taken off. */
struct tag_change {
        struct tag tag; /* created_at: since when somebody new to it has it, none: now; out: that of the
                           stored */
        bool remove;
        enum err err; /* out: ERR_OK, ERR_TAGS_TOO_MANY */
        bool changed; /* out: it was not so before */
};

/* Change tags of customers whose locks the transaction holds; n is at most 1,000. A change's own failure goes
 * into its err; the result is the batch's. Emits customer.tagged and customer.untagged. */
enum err tags_change(struct ctx *c, struct tag_change *changes, size_t n) MUST_CHECK;

/* May somebody put on a tag of this kind? Those of rules are kept by segments; only history brings them.
 * ERR_INVALID. */
enum err tag_kind_check(struct ctx *c, unsigned kind) MUST_CHECK;

/* One tag of one customer, in a transaction. *ret_added tells whether it is new. ERR_NOT_FOUND,
 * ERR_TAGS_TOO_MANY. */
enum err tag_put(struct ctx *c, const char *customer, const struct tag *tag, struct tag *ret,
                 bool *ret_added) MUST_CHECK;

/* ERR_NOT_FOUND also when the customer has no such tag. */
enum err tag_remove(struct ctx *c, const char *customer, const struct tag *tag) MUST_CHECK;

/* All tags of a customer that have not expired, by kind and name. */
enum err tags_list(struct ctx *c, struct uuid customer_id, struct list *ret) MUST_CHECK;

/* Queue: the tags that some customers have at a moment, expired ones left out; *ret is struct tag. */
enum err tags_later(struct ctx *c, const struct uuids *ids, struct instant at, struct list *ret) MUST_CHECK;
/* Those of one customer among them; the texts are the list's. */
struct texts tags_of(struct arena *arena, const struct list *tags, struct uuid customer_id);

/* Take off tags that have expired, at most limit; *ret_more when there may be more. */
enum err tags_expire(struct ctx *c, int64_t limit, bool *ret_more) MUST_CHECK;
