/* What can go in and out in bulk: one descriptor a type. A further type is a line's struct and shape, how an
 * array of lines is applied (by the same domain code as single calls), and how a page of them is read. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

/* How the lines of one file are meant. */
struct bulk_options {
        bool backfill;      /* history: everything keeps its own time */
        struct uuid job_id; /* nil: the lines are no job's */
};

/* One line on its way through the domain. */
struct bulk_line {
        struct ctx c;            /* its own problem */
        int64_t line;            /* from 1 */
        void *object;            /* of the type's shape; NULL: it could not be read, err says why */
        enum err err;            /* out */
        int status;              /* out: 200 or 201 */
        struct uuid id;          /* out */
        const char *external_id; /* out, or NULL; the line's arena */
};

/* A position in an export: what the last page ended with. */
struct bulk_position {
        struct instant at;
        struct uuid id, parent;
};
struct bulk_filter {
        struct uuid customer_id; /* nil: of everybody */
        /* Of coupons: */
        const char *template; /* NULL: all */
        unsigned state;       /* enum coupon_state; 0: all */
        struct uuid job_id;   /* nil: all */
};

struct bulk_type {
        const char *name, *doc;
        uint64_t scope_read, scope_write;
        const struct shape *(*shape)(void); /* of a line: what is imported is what is exported */
        const struct shape *(*out)(void);   /* of an exported line, when it is another; or NULL */
        bool has_pii;                       /* an export shows personal data */
        size_t batch_max;                   /* lines that `apply` takes at once */

        /* Lines of one key are applied in their order; others may be applied at the same time. */
        uint64_t (*key)(const void *object);
        /* Apply lines that were read; each one's outcome goes into it. An error is that of all of them: then
         * nothing may have been done, and they are tried in smaller numbers. In a transaction. */
        enum err (*apply)(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                          size_t n);
        /* The next page, at most n lines, an array of the shape's structs; moves the position. In a snapshot.
         */
        enum err (*page)(struct ctx *c, const struct bulk_filter *filter, struct bulk_position *position,
                         int64_t n, struct list *ret);
};

/* All types; index 0 is none, as in an enum. Those that come in files are the first of them. */
extern const struct names bulk_type_names, bulk_file_type_names;
const struct bulk_type *bulk_type(unsigned index);
static inline const struct shape *bulk_out_shape(const struct bulk_type *type)
{
        return type->out != NULL ? type->out() : type->shape();
}
