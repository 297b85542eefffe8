/* One compilation: the parser (compile.c) and the reading of values (value.c). For the parts of lib/expr
 * only. */
#pragma once

#include "expr/catalogue.h"
#include "expr/lex.h"

struct compiler {
        struct ctx *c;
        const char *pointer, *text;
        const struct expr_names *names;
        struct token token; /* the one to be read next */
        size_t nodes;
        uint64_t fields;
        unsigned depth, scopes, money_digits;
        size_t faults;
};

/* Note a fault at a token: "At character 5: " and the sentence. */
void compile_fault(struct compiler *p, const struct token *at, const char *code, const char *fmt, ...)
        __attribute__((format(printf, 4, 5), cold));

/* Note a syntax fault: this token is not what should stand here. */
void compile_expected(struct compiler *p, const char *what, const struct token *at) __attribute__((cold));

/* A token as it may be quoted in a sentence. */
const char *token_shown(struct compiler *p, const struct token *token);

/* Read the value that the next tokens hold and check it against the field that is asked with kind; NULL for a
 * field that was not found, whose value is skipped. False after a syntax fault; other faults are noted and
 * leave *ret as it was. */
bool value_read(struct compiler *p, const enum expr_field *field, enum node_kind kind, struct value *ret);

/* Read "30 days". False after a syntax fault. */
bool value_read_span(struct compiler *p, struct value *ret);

/* The content of a TOKEN_TEXT. */
const char *token_text(struct compiler *p, const struct token *token);

/* The token to be read next is taken; it is returned. */
struct token token_take(struct compiler *p);
