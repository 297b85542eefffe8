/* The tree of a checked expression. For the parts of lib/expr and their tests only. */
#pragma once

#include "expr/expr.h"

/* One walk serves every kind: operators have children (first, next), conditions have a field and values. */
enum node_kind {
        NODE_AND,  /* two children or more */
        NODE_OR,   /* two children or more */
        NODE_NOT,  /* one child */
        NODE_TRUE, /* a bare boolean field */
        NODE_EQ,   /* from here one value ... */
        NODE_NE,
        NODE_LT,
        NODE_LE,
        NODE_GT,
        NODE_GE,
        NODE_CONTAINS,
        NODE_STARTS_WITH,
        NODE_HAS,     /* the set of the field holds the text */
        NODE_WITHIN,  /* not before the moment, and not after now */
        NODE_BETWEEN, /* two values, both included */
        NODE_IN,      /* one value or more */
        NODE_NOT_IN,
        NODE_KNOWN, /* from here none */
        NODE_UNKNOWN,
        NODE_KIND_COUNT_
};

enum value_kind {
        VALUE_NUMBER, /* number, or minor units */
        VALUE_TIER,   /* number is the rank, text the code */
        VALUE_TEXT,
        VALUE_INSTANT, /* number is us */
        VALUE_DATE,    /* number is days since 1970-01-01 */
        VALUE_AGO,     /* number of units before now */
};

enum value_unit { UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR, UNIT_COUNT_ };

struct value {
        enum value_kind kind;
        enum value_unit unit; /* VALUE_AGO */
        int64_t number;
        const char *text; /* VALUE_TEXT, VALUE_TIER */
};

struct node {
        enum node_kind kind;
        enum expr_field field;
        struct node *first, *next; /* first child, next sibling */
        const struct value *values;
        size_t count; /* of values */
};

struct expr {
        const struct node *root;
        uint64_t fields;       /* a bit for each enum expr_field that it asks */
        unsigned scopes;       /* enum expr_scope bits */
        unsigned money_digits; /* for printing */
};

/* How a kind of condition is written, for example "starts_with". */
const char *node_word(enum node_kind kind);
/* "day" and the like. */
const char *unit_word(enum value_unit unit);

/* The instant that lies a VALUE_AGO before now. Hours, days and weeks are exact; months and years keep the
 * day of the month (or its last one) and the time of day in the zone. */
struct instant value_moment(const struct value *value, struct instant now, const struct zone *zone);
