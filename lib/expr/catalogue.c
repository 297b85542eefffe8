#include "expr/catalogue.h"

#include <assert.h>
#include <string.h>

static const struct expr_field_info fields[FACT_COUNT_] = {
#define EXPR_FIELD(id_, name_, type_, scope_, nullable_, choice_, doc_)                                      \
        [FACT_##id_] = {.name = (name_),                                                                     \
                        .type = EXPR_##type_,                                                                \
                        .scope = EXPR_SCOPE_##scope_,                                                        \
                        .nullable = (nullable_),                                                             \
                        .choice = EXPR_CHOICE_##choice_,                                                     \
                        .doc = (doc_)},
#define EXPR_ALIAS(name_, id_)
#include "expr/fields.def"
#undef EXPR_FIELD
#undef EXPR_ALIAS
};

static const struct {
        const char *name;
        enum expr_field field;
} aliases[] = {
#define EXPR_FIELD(id_, name_, type_, scope_, nullable_, choice_, doc_)
#define EXPR_ALIAS(name_, id_) {name_, FACT_##id_},
#include "expr/fields.def"
#undef EXPR_FIELD
#undef EXPR_ALIAS
};

#define KIND(kind_) (1U << NODE_##kind_)
#define EQUALITY    (KIND(EQ) | KIND(NE) | KIND(IN) | KIND(NOT_IN))
#define ORDERING    (KIND(LT) | KIND(LE) | KIND(GT) | KIND(GE) | KIND(BETWEEN))
#define ASKABLE     (KIND(KNOWN) | KIND(UNKNOWN))

_Static_assert(NODE_KIND_COUNT_ <= 32, "kinds are bits of an unsigned");

static const struct {
        unsigned kinds;
        const char *example, *usage;
} types[] = {
        [EXPR_BOOL] = {KIND(TRUE) | ASKABLE, "nothing", "its bare name, or not and its name"},
        [EXPR_NUMBER] = {EQUALITY | ORDERING | ASKABLE, "a whole number such as 3",
                         "= != < <= > >=, between or in"},
        [EXPR_MONEY] = {EQUALITY | ORDERING | ASKABLE, "an amount such as 1500.00",
                        "= != < <= > >=, between or in"},
        [EXPR_TEXT] = {EQUALITY | KIND(CONTAINS) | KIND(STARTS_WITH) | ASKABLE,
                       "a text in single quotes such as 'bags'", "= !=, in, contains or starts_with"},
        [EXPR_INSTANT] = {KIND(EQ) | KIND(NE) | ORDERING | KIND(WITHIN) | ASKABLE,
                          "a date such as 2026-11-01 or a moment such as 180 days ago",
                          "= != < <= > >=, between or within"},
        [EXPR_TIER] = {EQUALITY | ORDERING | ASKABLE, "a tier such as gold", "= != < <= > >=, between or in"},
        [EXPR_SET] = {KIND(HAS), "a text in single quotes such as 'vip'", "has tag 'x' or in segment 'x'"},
};

const struct expr_field_info *expr_field_info(enum expr_field field)
{
        assert(field < FACT_COUNT_);
        return &fields[field];
}

bool expr_type_takes(enum expr_type type, enum node_kind kind)
{
        return (types[type].kinds & 1U << kind) != 0;
}

const char *expr_type_example(enum expr_type type)
{
        return types[type].example;
}

const char *expr_type_usage(enum expr_type type)
{
        return types[type].usage;
}

static bool spelt(const char *name, const char *word, size_t len)
{
        return strncmp(name, word, len) == 0 && name[len] == '\0';
}

bool expr_field_find(const char *name, size_t len, enum expr_field *ret)
{
        for (unsigned i = 0; i < FACT_COUNT_; i++) {
                if (spelt(fields[i].name, name, len)) {
                        *ret = (enum expr_field)i;
                        return true;
                }
        }
        for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
                if (spelt(aliases[i].name, name, len)) {
                        *ret = aliases[i].field;
                        return true;
                }
        }
        return false;
}

const char *guess_field(const char *name, size_t len)
{
        struct guess guess = {.word = name, .len = len};

        for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
                guess_try(&guess, aliases[i].name);
        for (size_t i = 0; i < FACT_COUNT_; i++)
                guess_try(&guess, fields[i].name);
        /* "quantity" for order.quantity: the part behind the point says enough. */
        for (size_t i = 0; guess.best == NULL && i < FACT_COUNT_; i++) {
                const char *point = strchr(fields[i].name, '.');
                if (point != NULL && spelt(point + 1, name, len))
                        guess.best = fields[i].name;
        }
        return guess.best;
}
