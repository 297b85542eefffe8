/* Text to tree: recursive descent over
 *
 *         or        = and { "or" and }
 *         and       = unary { "and" unary }
 *         unary     = "not" unary | "(" or ")" | "has" "tag" text | "in" "segment" text | field [ question ]
 *         question  = ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "starts_with" ) value
 *                   | "between" value "and" value | [ "not" ] "in" "(" value { "," value } ")"
 *                   | "within" number unit | "is" ( "known" | "unknown" )
 *
 * Each function returns NULL or false after a syntax fault, which ends the search. */
#include "expr/compile.h"

#include <assert.h>
#include <string.h>

#include "base/money.h"

static struct node *parse_or(struct compiler *p);

/* Characters before a place in the text. */
static size_t characters_before(const char *text, const char *at)
{
        size_t n = 0;

        for (; text < at; text++)
                n += ((unsigned char)*text & 0xC0) != 0x80;
        return n;
}

void compile_fault(struct compiler *p, const struct token *at, const char *code, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        fault_body(p->c, p->pointer, code, "At character %zu: %s", characters_before(p->text, at->at) + 1,
                   arena_vprintf(p->c->arena, fmt, args));
        va_end(args);
        p->faults++;
}

const char *token_shown(struct compiler *p, const struct token *token)
{
        const size_t shown_max = 60; /* enough to find the place again */
        size_t len = token->len;

        if (token->kind == TOKEN_END)
                return "the end of the text";
        if (len <= shown_max)
                return arena_strndup(p->c->arena, token->at, len);
        for (len = shown_max; len > 0 && ((unsigned char)token->at[len] & 0xC0) == 0x80;)
                len--; /* not within a character */
        return arena_printf(p->c->arena, "%.*s...", (int)len, token->at);
}

void compile_expected(struct compiler *p, const char *what, const struct token *at)
{
        const char *hint = "";

        if (*at->at == '"')
                hint = " Texts stand in single quotes.";
        else if (at->kind == TOKEN_BAD && (unsigned char)*at->at >= 0x80)
                hint = " Outside quotes only plain ASCII signs have a meaning.";
        compile_fault(p, at, "expression_syntax", "%s should stand here, not %s.%s", what, token_shown(p, at),
                      hint);
}

struct token token_take(struct compiler *p)
{
        struct token taken = p->token;

        p->token = token_read(taken.at + taken.len);
        return taken;
}

static bool accept(struct compiler *p, const char *spelling)
{
        if (!token_is(&p->token, spelling))
                return false;
        token_take(p);
        return true;
}

static bool expect(struct compiler *p, const char *spelling)
{
        if (accept(p, spelling))
                return true;
        compile_expected(p, spelling, &p->token);
        return false;
}

/* One more condition, operator or value. */
static bool count_node(struct compiler *p)
{
        if (p->nodes++ < EXPR_NODES_MAX)
                return true;
        compile_fault(p, &p->token, "expression_limit",
                      "an expression has at most %d conditions, operators and values.", EXPR_NODES_MAX);
        return false;
}

static struct node *node_new(struct compiler *p, enum node_kind kind)
{
        if (!count_node(p))
                return NULL;
        struct node *node = ARENA_NEW(p->c->arena, struct node);
        node->kind = kind;
        return node;
}

static void node_values(struct compiler *p, struct node *node, const struct value *values, size_t count)
{
        struct value *copy = ARENA_ARRAY(p->c->arena, count, struct value);

        memcpy(copy, values, count * sizeof *copy);
        node->values = copy;
        node->count = count;
}

/* What is asked of a field; the longest sign is its own token, so order does not matter. */
static enum node_kind question_kind(struct compiler *p)
{
        for (unsigned kind = NODE_EQ; kind <= NODE_NOT_IN; kind++)
                if (kind != NODE_HAS && kind != NODE_NOT_IN && accept(p, node_word((enum node_kind)kind)))
                        return (enum node_kind)kind;
        return NODE_TRUE;
}

/* The question behind a field; NODE_KIND_COUNT_ after a syntax fault. */
static enum node_kind parse_question(struct compiler *p)
{
        if (accept(p, "not"))
                return expect(p, "in") ? NODE_NOT_IN : NODE_KIND_COUNT_;
        if (!accept(p, "is"))
                return question_kind(p);
        if (accept(p, "unknown"))
                return NODE_UNKNOWN;
        return expect(p, "known") ? NODE_KNOWN : NODE_KIND_COUNT_;
}

/* Does the field take the question? Notes a fault when not. */
static bool check_question(struct compiler *p, const struct token *at, enum expr_field field,
                           enum node_kind kind)
{
        const struct expr_field_info *info = expr_field_info(field);

        if (!expr_type_takes(info->type, kind)) {
                compile_fault(p, at, "expression_type", "%s is not asked this way; it is asked with %s.",
                              info->name, expr_type_usage(info->type));
                return false;
        }
        if ((kind == NODE_KNOWN || kind == NODE_UNKNOWN) && !info->nullable) {
                compile_fault(p, at, "expression_type", "%s is always known.", info->name);
                return false;
        }
        return true;
}

static bool parse_list(struct compiler *p, const enum expr_field *field, struct node *node)
{
        struct value values[EXPR_NODES_MAX] = {0};
        size_t count = 0;

        if (!expect(p, "("))
                return false;
        do {
                if (!count_node(p) || !value_read(p, field, node->kind, &values[count]))
                        return false;
                count++;
        } while (accept(p, ","));
        node_values(p, node, values, count);
        return expect(p, ")");
}

static bool parse_range(struct compiler *p, const enum expr_field *field, struct node *node)
{
        struct value values[2] = {0};
        struct token at = p->token;
        size_t faults = p->faults;

        if (!value_read(p, field, node->kind, &values[0]) || !expect(p, "and") ||
            !value_read(p, field, node->kind, &values[1]))
                return false;
        bool same = p->faults == faults && values[0].kind == values[1].kind;
        if (same && values[0].kind != VALUE_AGO && values[0].number > values[1].number)
                compile_fault(p, &at, "expression_value", "between takes the smaller value first.");
        node_values(p, node, values, ARRAY_SIZE(values));
        return true;
}

/* The values that the question needs; field is NULL when their types cannot be checked. */
static bool parse_values(struct compiler *p, const enum expr_field *field, struct node *node)
{
        struct value value = {0};

        switch (node->kind) {
        case NODE_TRUE:
        case NODE_KNOWN:
        case NODE_UNKNOWN:
                return true;
        case NODE_BETWEEN:
                return parse_range(p, field, node);
        case NODE_IN:
        case NODE_NOT_IN:
                return parse_list(p, field, node);
        case NODE_WITHIN:
                if (!value_read_span(p, &value))
                        return false;
                break;
        default:
                if (!value_read(p, field, node->kind, &value))
                        return false;
        }
        node_values(p, node, &value, 1);
        return true;
}

_Static_assert(FACT_COUNT_ <= 64, "fields are bits of a uint64_t");

static void field_note(struct compiler *p, enum expr_field field)
{
        p->fields |= UINT64_C(1) << field;
        p->scopes |= expr_field_info(field)->scope;
}

static struct node *parse_field(struct compiler *p)
{
        struct token name = token_take(p), question = p->token;
        enum expr_field field;
        bool known = expr_field_find(name.at, name.len, &field);

        if (!known) {
                const char *best = guess_field(name.at, name.len);
                compile_fault(p, &name, "expression_unknown_field", "there is no field %s.%s%s%s",
                              token_shown(p, &name), best != NULL ? " Did you mean " : "",
                              best != NULL ? best : "", best != NULL ? "?" : "");
        }
        enum node_kind kind = parse_question(p);
        if (kind == NODE_KIND_COUNT_)
                return NULL;
        struct node *node = node_new(p, kind);
        if (node == NULL)
                return NULL;
        if (known) {
                node->field = field;
                field_note(p, field);
                known = check_question(p, kind == NODE_TRUE ? &name : &question, field, kind);
        }
        return parse_values(p, known ? &field : NULL, node) ? node : NULL;
}

/* has tag 'x', in segment 'x': the first word was taken. */
static struct node *parse_member(struct compiler *p, const char *what, enum expr_field field)
{
        struct value value = {0};

        if (!expect(p, what))
                return NULL;
        struct node *node = node_new(p, NODE_HAS);
        if (node == NULL || !value_read(p, &field, NODE_HAS, &value))
                return NULL;
        node->field = field;
        field_note(p, field);
        node_values(p, node, &value, 1);
        return node;
}

/* Words that can't begin a condition: naming them beats calling them unknown fields. */
static bool reserved(const struct token *token)
{
        static const char *const words[] = {"and",         "or", "between", "contains",
                                            "starts_with", "is", "within",  "ago"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (token_is(token, words[i]))
                        return true;
        return false;
}

/* One level deeper: behind a "(" or a "not". */
static bool enter(struct compiler *p, const struct token *at)
{
        if (p->depth++ < EXPR_DEPTH_MAX)
                return true;
        compile_fault(p, at, "expression_limit", "parentheses and nots nest at most %d deep.",
                      EXPR_DEPTH_MAX);
        return false;
}

static struct node *parse_unary(struct compiler *p)
{
        struct token at = p->token;
        struct node *node, *child;

        if (accept(p, "not")) {
                node = enter(p, &at) ? node_new(p, NODE_NOT) : NULL;
                child = node != NULL ? parse_unary(p) : NULL;
                p->depth--;
                if (child == NULL)
                        return NULL;
                node->first = child;
                return node;
        }
        if (accept(p, "(")) {
                node = enter(p, &at) ? parse_or(p) : NULL;
                p->depth--;
                return node != NULL && expect(p, ")") ? node : NULL;
        }
        if (accept(p, "has"))
                return parse_member(p, "tag", FACT_TAGS);
        if (accept(p, "in"))
                return parse_member(p, "segment", FACT_SEGMENTS);
        if (at.kind == TOKEN_WORD && !reserved(&at))
                return parse_field(p);
        compile_expected(p, "a condition", &at);
        return NULL;
}

/* One part, or several joined by a word. */
static struct node *parse_chain(struct compiler *p, const char *word, enum node_kind kind,
                                struct node *(*part)(struct compiler *p))
{
        struct node *first = part(p);

        if (first == NULL || !token_is(&p->token, word))
                return first;
        struct node *chain = node_new(p, kind);
        if (chain == NULL)
                return NULL;
        chain->first = first;
        for (struct node *last = first; accept(p, word); last = last->next)
                if ((last->next = part(p)) == NULL)
                        return NULL;
        return chain;
}

static struct node *parse_and(struct compiler *p)
{
        return parse_chain(p, "and", NODE_AND, parse_unary);
}

static struct node *parse_or(struct compiler *p)
{
        return parse_chain(p, "or", NODE_OR, parse_and);
}

enum err expr_compile(struct ctx *c, const char *pointer, const char *text, const struct expr_names *names,
                      const struct expr **ret)
{
        struct compiler p = {.c = c, .pointer = pointer, .text = text, .names = names};

        assert(c->shop != NULL && names != NULL);
        p.money_digits = money_digits(c->shop->currency);
        p.token = token_read(text);
        if (text_chars(text) > EXPR_CHARS_MAX) {
                compile_fault(&p, &p.token, "expression_limit", "an expression has at most %d characters.",
                              EXPR_CHARS_MAX);
                return problem_check(c);
        }
        const struct node *root = parse_or(&p);
        if (root != NULL && p.token.kind != TOKEN_END)
                compile_expected(&p, "and, or or the end", &p.token);
        if (p.faults > 0)
                return problem_check(c);
        struct expr *expr = ARENA_NEW(c->arena, struct expr);
        *expr = (struct expr){
                .root = root, .fields = p.fields, .scopes = p.scopes, .money_digits = p.money_digits};
        *ret = expr;
        return ERR_OK;
}
