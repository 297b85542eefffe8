/* What can go in and out in bulk: one descriptor a type. A further type is a line in types.def and a
 * descriptor: a line's struct and shape, how an array of lines is applied (by the same domain code as single
 * calls), and how all of them are read. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "db/statement.h"
#include "jobs/strands.h"

/* How the lines of one request are meant. */
struct bulk_options {
        bool backfill;      /* history: everything keeps its own time */
        struct uuid job_id; /* nil: the lines are no job's */
        bool from_file;     /* it may come again: each line needs a key */
        bool heavy;         /* see bulk_type.heavy */
        bool again;         /* a lost race is an error of all: the whole transaction will be tried again */
};

/* One line on its way through the domain. */
struct bulk_line {
        struct ctx c;            /* its own problem */
        int64_t line;            /* from 1 */
        void *object;            /* of the type's shape; NULL: it could not be read, err says why */
        enum err err;            /* out */
        int status;              /* out: 200, 201, or 202: it waits for somebody's approval */
        struct uuid id;          /* out */
        const char *external_id; /* out, or NULL; the line's arena */
};

/* A position in an export: what the last page ended with. */
struct bulk_position {
        struct instant at;
        struct uuid id, parent;
};

/* What of a type goes out. */
enum bulk_filters {
        BULK_OF_CUSTOMER = 1, /* of one customer */
        BULK_IN_TIME = 2,     /* since, until */
        BULK_LISTED = 4,      /* the filters of the list of customers */
        BULK_COUPONS = 8,     /* template, job */
        BULK_AUDITED = 16,    /* key, operation */
        BULK_OF_GROUP = 32,   /* group */
        BULK_CHANNEL = 64,    /* channel, of channel_names */
        BULK_TOTALS = 128,    /* total_min, total_max */
        BULK_SOURCE = 256,    /* campaign, referrer */
};
struct customer_filter;
struct bulk_filter {
        struct uuid customer_id;              /* nil: of everybody */
        struct uuid first_id, last_id;        /* the same as a range of customers */
        struct instant since, until;          /* since included, until not; none: ever */
        const struct customer_filter *listed; /* NULL: all */
        const char *kind;                     /* of the type's kinds; NULL: all */
        const char *key_id, *operation;       /* of audit entries; NULL: all */
        const char *group;                    /* code; NULL: all */
        unsigned channel;                     /* of channel_names; 0: all */
        struct opt_int total_min, total_max;  /* of orders */
        const char *campaign;                 /* of orders; NULL: all */
        struct uuid referrer_id;              /* of orders; nil: all */
        /* Of coupons: */
        const char *template; /* NULL: all */
        struct uuid job_id;   /* nil: all */
};
SHAPE_DECLARE(bulk_filter);

struct bulk_type {
        const char *name, *doc;
        uint64_t scope_read, scope_write;
        const struct shape *(*shape)(void); /* of a line: what is imported is what is exported */
        const struct shape *line_shape;     /* the same where it is made at compile time */
        const struct shape *(*out)(void);   /* of an exported line, when it is another; or NULL */
        const struct shape *out_shape;      /* the same, likewise */
        bool has_pii;                       /* an export shows personal data */
        unsigned filters;                   /* enum bulk_filters */
        const char *kind;                   /* the parameter that filters by kinds, as in the list; or NULL */
        const struct names *kinds;          /* its values */
        size_t batch_max;                   /* lines that `apply` takes at once, and that are kept at once */

        /* Whom the line is about, by every name that it gives: how many. Lines that share one, directly or
         * through others, are applied in their order; others may be applied at the same time. */
        size_t (*names)(const void *object, struct uuid ret[STRAND_NAMES_MAX]);
        /* Or NULL: find out what `names` goes by and the line does not say, of n lines that were read. */
        enum err (*meet)(struct ctx *c, struct bulk_line **lines, size_t n);
        /* Apply lines that were read; each one's outcome goes into it. An error is that of all of them: then
         * nothing may have been done, and they are tried in smaller numbers. In a transaction. */
        enum err (*apply)(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                          size_t n);
        /* Both or none. What a line weighs, and whether so much in one file makes it heavy: `apply` is told.
         */
        int64_t (*weight)(const void *object);
        bool (*heavy)(int64_t sum);

        /* One of these, or both: then pages are of those that pass filters of the list of customers, and each
         * is of everybody. The next page, at most n lines, an array of the shape's structs; moves the
         * position. */
        enum err (*page)(struct ctx *c, const struct bulk_filter *filter, struct bulk_position *position,
                         int64_t n, struct list *ret);
        /* Or all lines, one by one (SQL_EACH). Both in a snapshot. */
        enum err (*each)(struct ctx *c, const struct bulk_filter *filter, SQL_VISIT(visit), void *arg);
};

#define BULK_TYPE(name_)   extern const struct bulk_type bulk_type_##name_;
#define JOB_TYPE(name_)    extern const struct bulk_type bulk_type_##name_;
#define EXPORT_TYPE(name_) extern const struct bulk_type bulk_type_##name_;
#include "jobs/types.def"
#undef BULK_TYPE
#undef JOB_TYPE
#undef EXPORT_TYPE

/* Names of the types that come in files, of those that jobs have, and of all that go out: the same index in
 * each. */
extern const struct names bulk_file_type_names, bulk_type_names, export_type_names;
const struct bulk_type *bulk_type(unsigned index);

/* The shape of its lines, and of those that go out. */
const struct shape *bulk_type_shape(const struct bulk_type *type);
const struct shape *bulk_out_shape(const struct bulk_type *type);
