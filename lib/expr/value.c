/* The values of an expression: read, and checked against the field that they are compared with. */
#include "expr/compile.h"

#include <string.h>
#include <strings.h>

/* Whole digits of a number: a million million, beyond any shop, and safe in minor units of any currency. */
#define NUMBER_DIGITS_MAX 12

/* A moment lies at most about a hundred years back. */
static const struct {
        const char *word;
        int64_t us; /* 0: counted in months */
        int months;
        int64_t max;
} units[UNIT_COUNT_] = {
        [UNIT_HOUR] = {"hour", 3600 * INSTANT_SECOND, 0, 876600},
        [UNIT_DAY] = {"day", INSTANT_DAY, 0, 36525},
        [UNIT_WEEK] = {"week", 7 * INSTANT_DAY, 0, 5218},
        [UNIT_MONTH] = {"month", 0, 1, 1200},
        [UNIT_YEAR] = {"year", 0, 12, 100},
};

const char *unit_word(enum value_unit unit)
{
        return units[unit].word;
}

struct instant value_moment(const struct value *value, struct instant now, const struct zone *zone)
{
        if (units[value->unit].us > 0)
                return (struct instant){now.us - value->number * units[value->unit].us};
        struct date today = zone_date(zone, now);
        int64_t in_day_us = now.us - zone_midnight(zone, today).us;
        struct date day = date_add_months(today, (int)-value->number * units[value->unit].months);
        return (struct instant){zone_midnight(zone, day).us + in_day_us};
}

/* "day" or "days". */
static bool unit_find(const struct token *token, enum value_unit *ret)
{
        for (unsigned i = 0; token->kind == TOKEN_WORD && i < UNIT_COUNT_; i++) {
                size_t len = strlen(units[i].word);
                bool plural = token->len == len + 1 && (token->at[len] == 's' || token->at[len] == 'S');
                if ((plural || token->len == len) && strncasecmp(token->at, units[i].word, len) == 0) {
                        *ret = (enum value_unit)i;
                        return true;
                }
        }
        return false;
}

/* A number scaled to minor units of so many digits; notes a fault when it does not fit. */
static bool number_value(struct compiler *p, const struct token *token, unsigned digits, int64_t *ret)
{
        bool negative = *token->at == '-';
        const char *at = token->at + negative, *end = token->at + token->len;
        const char *point = memchr(at, '.', (size_t)(end - at));
        size_t decimals = point != NULL ? (size_t)(end - point - 1) : 0;
        int64_t number = 0;

        if ((size_t)((point != NULL ? point : end) - at) > NUMBER_DIGITS_MAX) {
                compile_fault(p, token, "expression_value",
                              "a number has at most %d digits before the point.", NUMBER_DIGITS_MAX);
                return false;
        }
        if (decimals > digits) {
                if (digits == 0)
                        compile_fault(p, token, "expression_type",
                                      "a whole number should stand here, not %s.", token_shown(p, token));
                else
                        compile_fault(p, token, "expression_type",
                                      "%s has at most %u digits after the point.", p->c->shop->currency,
                                      digits);
                return false;
        }
        for (; at < end; at++)
                if (at != point)
                        number = number * 10 + (*at - '0');
        for (; decimals < digits; decimals++)
                number *= 10;
        *ret = negative ? -number : number;
        return true;
}

const char *token_text(struct compiler *p, const struct token *token)
{
        char *text = arena_strndup(p->c->arena, token->at + 1, token->len - 2); /* without the quotes */
        char *out = text;

        for (const char *in = text; *in != '\0'; in++) {
                *out++ = *in;
                if (*in == '\'')
                        in++; /* the second of two */
        }
        *out = '\0';
        return text;
}

/* The name of a tier, a channel and the like: quoted or bare. */
static const char *token_name(struct compiler *p, const struct token *token)
{
        return token->kind == TOKEN_TEXT ? token_text(p, token)
                                         : arena_strndup(p->c->arena, token->at, token->len);
}

static void no_such(struct compiler *p, const struct token *token, const char *what,
                    const struct guess *guess)
{
        compile_fault(p, token, "expression_value", "there is no %s %s.%s%s%s", what, guess->word,
                      guess->best != NULL ? " Did you mean " : "", guess->best != NULL ? guess->best : "",
                      guess->best != NULL ? "?" : "");
}

static void tier_value(struct compiler *p, const struct token *token, struct value *ret)
{
        const char *code = token_name(p, token);
        struct guess guess = {.word = code, .len = strlen(code)};

        for (size_t i = 0; i < p->names->tier_count; i++) {
                if (strcmp(p->names->tiers[i], code) == 0) {
                        *ret = (struct value){.kind = VALUE_TIER, .number = (int64_t)i, .text = code};
                        return;
                }
                guess_try(&guess, p->names->tiers[i]);
        }
        no_such(p, token, "tier", &guess);
}

static void text_value(struct compiler *p, const struct token *token, const char *what,
                       const struct names *names, struct value *ret)
{
        const char *text = token_name(p, token);
        struct guess guess = {.word = text, .len = strlen(text)};

        if (names != NULL && names_find(names, text) == 0) {
                for (unsigned i = 1; i < names->n; i++)
                        guess_try(&guess, names->v[i]);
                no_such(p, token, what, &guess);
                return;
        }
        *ret = (struct value){.kind = VALUE_TEXT, .text = text};
}

/* Segments are few and the shop's words for them differ, so that a guess says less than all of them. */
static void segment_value(struct compiler *p, const struct token *token, struct value *ret)
{
        const struct names *segments = p->names->segments;
        const char *text = token_text(p, token), *all = "";

        if (segments == NULL || names_find(segments, text) != 0) {
                *ret = (struct value){.kind = VALUE_TEXT, .text = text};
                return;
        }
        for (unsigned i = 1; i < segments->n; i++)
                all = arena_printf(p->c->arena, "%s%s%s", all, i > 1 ? ", " : "", segments->v[i]);
        compile_fault(p, token, "expression_value", "there is no segment %s; there are %s.", text, all);
}

/* A date or an instant that the calendar has. */
static void time_value(struct compiler *p, const struct token *token, struct value *ret)
{
        const char *text = arena_strndup(p->c->arena, token->at, token->len);
        struct date date;
        struct instant at;

        if (token->kind == TOKEN_DATE && date_parse(text, &date))
                *ret = (struct value){.kind = VALUE_DATE, .number = date_days(date)};
        else if (token->kind == TOKEN_INSTANT && instant_parse(text, &at))
                *ret = (struct value){.kind = VALUE_INSTANT, .number = at.us};
        else
                compile_fault(
                        p, token, "expression_value",
                        "%s is no time; write a date as 2026-11-01, an instant as 2026-11-01T10:00:00Z.",
                        token_shown(p, token));
}

/* The number was taken, the unit comes next. */
static void span_value(struct compiler *p, const struct token *number, enum value_unit unit,
                       struct value *ret)
{
        int64_t count;

        if (!number_value(p, number, /* digits= */ 0, &count))
                return;
        if (count < 0 || count > units[unit].max)
                compile_fault(p, number, "expression_value", "from 0 to %lld %ss can be counted.",
                              (long long)units[unit].max, units[unit].word);
        else
                *ret = (struct value){.kind = VALUE_AGO, .unit = unit, .number = count};
}

bool value_read_span(struct compiler *p, struct value *ret)
{
        struct token number = token_take(p);
        enum value_unit unit;

        if (number.kind != TOKEN_NUMBER || !unit_find(&p->token, &unit)) {
                compile_expected(p, "a span of time such as 30 days", &number);
                return false;
        }
        token_take(p);
        span_value(p, &number, unit, ret);
        return true;
}

/* "days ago" behind a number. */
static bool ago_read(struct compiler *p, const struct token *number, enum value_unit unit, bool fits,
                     const struct expr_field_info *info, struct value *ret)
{
        token_take(p);
        if (!token_is(&p->token, "ago")) {
                compile_expected(p, "ago", &p->token);
                return false;
        }
        token_take(p);
        if (info == NULL)
                return true;
        if (info->type != EXPR_INSTANT)
                compile_fault(p, number, "expression_type", "%s is compared with %s, not with a moment.",
                              info->name, expr_type_example(info->type));
        else if (!fits)
                compile_fault(p, number, "expression_type",
                              "a moment is never met exactly; compare it with < <= > >= or between.");
        else
                span_value(p, number, unit, ret);
        return true;
}

static bool fits_type(const struct expr_field_info *info, enum token_kind kind)
{
        switch (info->type) {
        case EXPR_NUMBER:
        case EXPR_MONEY:
                return kind == TOKEN_NUMBER;
        case EXPR_INSTANT:
                return kind == TOKEN_DATE || kind == TOKEN_INSTANT;
        case EXPR_TIER:
                return kind == TOKEN_TEXT || kind == TOKEN_WORD;
        case EXPR_TEXT:
                return kind == TOKEN_TEXT || (kind == TOKEN_WORD && info->choice != EXPR_CHOICE_ANY);
        case EXPR_SET:
                return kind == TOKEN_TEXT;
        case EXPR_BOOL:
                break;
        }
        return false;
}

static void typed_value(struct compiler *p, const struct expr_field_info *info, enum node_kind kind,
                        const struct token *token, struct value *ret)
{
        bool part = kind == NODE_CONTAINS || kind == NODE_STARTS_WITH; /* of a name need not be one */
        int64_t number;

        switch (info->type) {
        case EXPR_NUMBER:
        case EXPR_MONEY:
                if (number_value(p, token, info->type == EXPR_MONEY ? p->money_digits : 0, &number))
                        *ret = (struct value){.kind = VALUE_NUMBER, .number = number};
                break;
        case EXPR_INSTANT:
                time_value(p, token, ret);
                break;
        case EXPR_TIER:
                tier_value(p, token, ret);
                break;
        default:
                if (!part && info->choice == EXPR_CHOICE_CHANNEL)
                        text_value(p, token, "channel", p->names->channels, ret);
                else if (!part && info->choice == EXPR_CHOICE_GENDER)
                        text_value(p, token, "gender", p->names->genders, ret);
                else if (info->choice == EXPR_CHOICE_SEGMENT)
                        segment_value(p, token, ret);
                else
                        text_value(p, token, /* what= */ NULL, /* names= */ NULL, ret);
        }
}

bool value_read(struct compiler *p, const enum expr_field *field, enum node_kind kind, struct value *ret)
{
        const struct expr_field_info *info = field != NULL ? expr_field_info(*field) : NULL;
        struct token token = p->token;
        enum value_unit unit;

        if (token.kind == TOKEN_OPEN) {
                compile_fault(p, &token, "expression_syntax",
                              "the text that begins here has no closing quote.");
                return false;
        }
        if (token.kind == TOKEN_END || token.kind == TOKEN_SIGN || token.kind == TOKEN_BAD) {
                compile_expected(p, "a value", &token);
                return false;
        }
        token_take(p);
        if (token.kind == TOKEN_NUMBER && unit_find(&p->token, &unit))
                return ago_read(p, &token, unit, /* fits= */ kind != NODE_EQ && kind != NODE_NE, info, ret);
        if (info == NULL)
                return true;
        if (fits_type(info, token.kind))
                typed_value(p, info, kind, &token, ret);
        else if (info->type == EXPR_TEXT && token.kind == TOKEN_WORD)
                compile_fault(p, &token, "expression_type", "a text is written in single quotes: '%s'.",
                              token_shown(p, &token));
        else
                compile_fault(p, &token, "expression_type", "%s is compared with %s, not with %s.",
                              info->name, expr_type_example(info->type), token_shown(p, &token));
        return true;
}
