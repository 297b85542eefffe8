/* The audit log: who wrote what, and who looked at whose personal data.
 *
 * A write's entry is queued in its own transaction: there is no change without its entry, and no entry
 * without its change. Who, which request, which operation and why come from the context. The calls of orders
 * are not here: order_calls keeps who made each (docs/decisions.md). */
#pragma once

#include "base/ctx.h"
#include "base/page.h"
#include "base/shape.h"

enum audit_kind { AUDIT_KIND_NONE, AUDIT_WRITE, AUDIT_READ };
extern const struct names audit_kind_names;

/* A change as its domain knows it. */
struct audit_change {
        const struct ctx *who;     /* of a batch: whose request it is; NULL: that of the call */
        struct uuid customer_id;   /* whom it is about; none: nobody in particular */
        const char *subject;       /* what changed, as a path ("/v1/program"), or NULL */
        const struct shape *shape; /* of before and after; NULL: no more is told than that it happened */
        const void *before;        /* NULL: there was nothing */
        const void *after;         /* NULL: there is nothing any more */
};

/* Queue the entry of a change, in the transaction that makes it. Of before and after only the fields that
 * differ are kept: with personal data masked, as the shape declares it, and beside that in full. */
enum err audit_write(struct ctx *c, const struct audit_change *change) MUST_CHECK;

/* Many of one operation at once, as one statement. */
enum err audit_write_all(struct ctx *c, const struct audit_change *changes, size_t n) MUST_CHECK;

/* One entry of the log. */
struct audit_entry {
        struct uuid id, customer_id;
        unsigned kind; /* enum audit_kind */
        const char *operation, *key_id, *request_id, *reason, *subject;
        struct json_text changes, personal;
        struct instant at;
};
SHAPE_DECLARE(audit_entry);

/* Somebody was shown personal data of these people: who asked is in `who`, the context of his request. */
struct audit_look {
        const struct ctx *who;
        const struct uuid *customers;
        size_t count;
};

/* Store that, in a transaction of its own, as one statement. ERR_DATABASE_AWAY. */
enum err audit_looks(struct ctx *c, const struct audit_look *looks, size_t n) MUST_CHECK;

/* A page, newest first. */
struct audit_page {
        struct uuid before_id;   /* none: from the newest */
        struct uuid customer_id; /* filters, each none or NULL for all */
        const char *key_id, *operation;
        unsigned kind;
        struct instant since, until; /* since included, until not */
        PAGED;
        struct uuid first_id, end_id; /* left to audit_list */
};
enum err audit_list(struct ctx *c, const struct audit_page *page, struct list *ret) MUST_CHECK;

/* What a mask hides may grow while the log keeps what was open when it was written: to those who may not see
 * personal data this field is shown through its mask as it is now. To be called once, before any list. */
void audit_mask_now(const char *field, void (*mask)(struct text *out, const char *json));

/* Forget what the log says of a person, so that only remains that something was done, when and by whom. */
enum err audit_erase(struct ctx *c, struct uuid customer_id) MUST_CHECK;
