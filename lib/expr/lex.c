#include "expr/lex.h"

#include <string.h>
#include <strings.h>

static bool digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t digits(const char *at)
{
        size_t n = 0;

        while (digit(at[n]))
                n++;
        return n;
}

/* Bytes of a word; a point joins its parts. */
static size_t word(const char *at)
{
        size_t n = 0;

        while (letter(at[n]) || digit(at[n]) || at[n] == '.')
                n++;
        return n;
}

static bool date_shaped(const char *at)
{
        const char shape[] = "dddd-dd-dd";

        for (size_t i = 0; shape[i] != '\0'; i++)
                if (shape[i] == 'd' ? !digit(at[i]) : at[i] != shape[i])
                        return false;
        return true;
}

static struct token number(const char *at)
{
        const size_t date_len = strlen("2026-11-01");
        struct token token = {.kind = TOKEN_NUMBER, .at = at, .len = *at == '-'};

        if (date_shaped(at)) {
                token.kind = TOKEN_DATE;
                token.len = date_len;
                if (at[token.len] == 'T' || at[token.len] == 't') {
                        token.kind = TOKEN_INSTANT;
                        token.len += 1 + strspn(at + token.len + 1, "0123456789:.+-Zz");
                }
        } else {
                token.len += digits(at + token.len);
                if (at[token.len] == '.' && digit(at[token.len + 1]))
                        token.len += 1 + digits(at + token.len + 1);
        }
        size_t tail = word(at + token.len);
        if (tail > 0) {
                token.kind = TOKEN_BAD;
                token.len += tail;
        }
        return token;
}

/* 'bags', where two quotes in a row stand for one. */
static struct token quoted(const char *at)
{
        size_t n = 1;

        for (;; n++) {
                if (at[n] == '\0')
                        return (struct token){TOKEN_OPEN, at, n};
                if (at[n] != '\'')
                        continue;
                if (at[n + 1] != '\'')
                        return (struct token){TOKEN_TEXT, at, n + 1};
                n++;
        }
}

/* Bytes of one character of UTF-8; never beyond the NUL. */
static size_t character(const char *at)
{
        size_t n = 1;

        while (((unsigned char)at[n] & 0xC0) == 0x80)
                n++;
        return n;
}

struct token token_read(const char *text)
{
        static const char *const signs[] = {"!=", "<=", ">=", "=", "<", ">", "(", ")", ","};
        const char *at = text + strspn(text, " \t\r\n");

        if (*at == '\0')
                return (struct token){TOKEN_END, at, 0};
        if (letter(*at))
                return (struct token){TOKEN_WORD, at, word(at)};
        if (digit(*at) || (*at == '-' && digit(at[1])))
                return number(at);
        if (*at == '\'')
                return quoted(at);
        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
                if (strncmp(at, signs[i], strlen(signs[i])) == 0)
                        return (struct token){TOKEN_SIGN, at, strlen(signs[i])};
        return (struct token){TOKEN_BAD, at, character(at)};
}

bool token_is(const struct token *token, const char *spelling)
{
        return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) && strlen(spelling) == token->len &&
               strncasecmp(token->at, spelling, token->len) == 0;
}
