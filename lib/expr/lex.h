/* Tokens of an expression's text. For the parts of lib/expr only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
        TOKEN_END,
        TOKEN_WORD,    /* a field, a keyword or the name of a value */
        TOKEN_NUMBER,  /* -12 or 1500.00 */
        TOKEN_DATE,    /* 2026-11-01, not yet looked up in the calendar */
        TOKEN_INSTANT, /* 2026-11-01T10:00:00Z likewise */
        TOKEN_TEXT,    /* with its quotes */
        TOKEN_SIGN,    /* = != < <= > >= ( ) , */
        TOKEN_OPEN,    /* a text whose last quote is missing */
        TOKEN_BAD,     /* one character that starts nothing, or a number that ends in letters */
};

struct token {
        enum token_kind kind;
        const char *at; /* into the text */
        size_t len;     /* bytes */
};

/* The first token of the text, behind any blanks. */
struct token token_read(const char *text);

/* Is it this keyword (in any case) or this sign? */
bool token_is(const struct token *token, const char *spelling);
