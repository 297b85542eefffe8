/* Expressions: conditions that shop staff write, as in
 *
 *         tier >= gold and (category = 'bags' or order.total >= 500.00) and not has tag 'staff'
 *
 * Compiled once against the catalogue of fields (fields.def), then asked of facts without any allocation. The
 * language is described in docs/expressions.md.
 *
 * Logic has two values. A comparison with an unknown value is false, whatever the operator, != and `not in`
 * included; so `not (x = 1)` is true and `x != 1` is false when x is unknown. Only `is known` and `is
 * unknown` ask for it. A date stands for the whole day in the shop's zone: `order.placed_at <= 2026-11-11`
 * holds until that midnight. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

/* A typed and checked expression. Immutable: any number of threads may use it. */
struct expr;

enum expr_type {
        EXPR_BOOL,
        EXPR_NUMBER,  /* a whole number */
        EXPR_MONEY,   /* minor units; written in major ones */
        EXPR_TEXT,    /* compared byte by byte, case counts */
        EXPR_INSTANT, /* compared with a date, an instant or a moment like `180 days ago` */
        EXPR_TIER,    /* compared by rank */
        EXPR_SET,     /* texts, asked for membership */
};

/* Whose field it is; bits, because an expression mentions several. */
enum expr_scope { EXPR_SCOPE_ORDER = 1, EXPR_SCOPE_LINE = 2, EXPR_SCOPE_CUSTOMER = 4 };

enum expr_field {
#define EXPR_FIELD(id, name, type, scope, nullable, choice, doc) FACT_##id,
#define EXPR_ALIAS(name, id)
#include "expr/fields.def"
#undef EXPR_FIELD
#undef EXPR_ALIAS
        FACT_COUNT_
};

/* Where the allowed values of a text come from. */
enum expr_choice { EXPR_CHOICE_ANY, EXPR_CHOICE_CHANNEL, EXPR_CHOICE_GENDER, EXPR_CHOICE_SEGMENT };

struct expr_field_info {
        const char *name;
        enum expr_type type;
        enum expr_scope scope;
        bool nullable; /* may be unknown */
        enum expr_choice choice;
        const char *doc; /* a sentence for a person */
};

/* The catalogue's entry of a field. */
const struct expr_field_info *expr_field_info(enum expr_field field);

/* ---- compiling */

/* Limits of one expression: more is not a condition that a person can read. */
#define EXPR_CHARS_MAX 2000
#define EXPR_NODES_MAX 250 /* conditions, operators and list values */
#define EXPR_DEPTH_MAX 32  /* nested parentheses and nots */

/* The names that the shop itself gives: checked, with a suggestion when one is misspelt. */
struct expr_names {
        const char *const *tiers; /* codes, ascending by rank from 0 */
        size_t tier_count;
        const struct names *channels, *genders, *segments; /* NULL: any text will do */
};

/* Compile text. The expression lives in c's arena and keeps nothing else. Money is read in the shop's
 * currency.
 *
 * ERR_INVALID: one fault or more was noted under pointer (a JSON pointer such as "#/earning/0/when"), each
 * naming the character (from 1) where it is. Codes: expression_syntax, expression_unknown_field,
 * expression_type (the value or operator does not fit the field), expression_value (no such tier, channel or
 * segment, a number out of range) and expression_limit. A syntax fault ends the search, the others do not. */
enum err expr_compile(struct ctx *c, const char *pointer, const char *text, const struct expr_names *names,
                      const struct expr **ret) MUST_CHECK;

/* Does it mention a field of this scope? What does not mention a line can be asked once for the whole order.
 */
bool expr_uses(const struct expr *expr, enum expr_scope scope);

/* Does it ask this field? What nobody asks need not be loaded. No expression (NULL) asks anything. */
bool expr_asks(const struct expr *expr, enum expr_field field);

/* Append the canonical text, which compiles to the same expression. */
void expr_print(const struct expr *expr, struct text *out);

/* ---- evaluating */

/* One value; all zero is unknown, and the empty set. Borrowed: the caller keeps what it points to. */
struct expr_fact {
        bool known;
        union {
                int64_t number; /* bool, number, money, instant (us), tier (rank) */
                const char *text;
                struct {
                        const char *const *v;
                        size_t n;
                } set;
        };
};

/* All facts that an expression may ask for; zeroed, then filled through the setters below. For the lines of
 * an order set customer and order once and replace the line's values for each line. */
struct expr_facts {
        struct instant now;      /* what `180 days ago` counts from */
        const struct zone *zone; /* the shop's */
        struct expr_fact v[FACT_COUNT_];
};

/* Does it hold? Needs no memory and no lock. */
bool expr_true(const struct expr *expr, const struct expr_facts *facts);

void expr_set_bool(struct expr_facts *facts, enum expr_field field, bool value);
void expr_set_number(struct expr_facts *facts, enum expr_field field,
                     int64_t value); /* number, money, tier rank */
void expr_set_text(struct expr_facts *facts, enum expr_field field, const char *value); /* NULL: unknown */
void expr_set_instant(struct expr_facts *facts, enum expr_field field, struct instant value); /* 0: unknown */
void expr_set_texts(struct expr_facts *facts, enum expr_field field, const char *const *v, size_t n);
void expr_set_unknown(struct expr_facts *facts, enum expr_field field);

/* The goods of one line; texts may be NULL. */
struct expr_line {
        const char *sku, *name, *category, *brand;
        int64_t quantity, unit_price_minor;
        int64_t total_minor; /* after its own discounts */
};
void expr_set_line(struct expr_facts *facts, const struct expr_line *line);

/* order.placed_at with order.weekday and order.hour; facts->zone must be set. */
void expr_set_placed_at(struct expr_facts *facts, struct instant at);
