/* Tree to canonical text: main names of fields, lower-case words, no parenthesis that is not needed. */
#include "expr/ast.h"

#include <assert.h>
#include <inttypes.h>

const char *node_word(enum node_kind kind)
{
        static const char *const words[NODE_KIND_COUNT_] = {
                [NODE_AND] = "and",
                [NODE_OR] = "or",
                [NODE_NOT] = "not",
                [NODE_EQ] = "=",
                [NODE_NE] = "!=",
                [NODE_LT] = "<",
                [NODE_LE] = "<=",
                [NODE_GT] = ">",
                [NODE_GE] = ">=",
                [NODE_CONTAINS] = "contains",
                [NODE_STARTS_WITH] = "starts_with",
                [NODE_WITHIN] = "within",
                [NODE_BETWEEN] = "between",
                [NODE_IN] = "in",
                [NODE_NOT_IN] = "not in",
                [NODE_KNOWN] = "is known",
                [NODE_UNKNOWN] = "is unknown",
        };

        assert(words[kind] != NULL); /* has and the bare field have no word behind the field */
        return words[kind];
}

static void print_text(const char *value, struct text *out)
{
        text_putc(out, '\'');
        for (; *value != '\0'; value++) {
                if (*value == '\'')
                        text_putc(out, '\'');
                text_putc(out, *value);
        }
        text_putc(out, '\'');
}

static void print_money(int64_t minor, unsigned digits, struct text *out)
{
        int64_t unit = 1, amount = minor < 0 ? -minor : minor;

        for (unsigned i = 0; i < digits; i++)
                unit *= 10;
        text_printf(out, "%s%" PRId64, minor < 0 ? "-" : "", amount / unit);
        if (digits > 0)
                text_printf(out, ".%0*" PRId64, (int)digits, amount % unit);
}

static void print_span(const struct value *value, struct text *out)
{
        text_printf(out, "%" PRId64 " %s%s", value->number, unit_word(value->unit),
                    value->number == 1 ? "" : "s");
}

static void print_value(const struct expr *expr, const struct node *node, const struct value *value,
                        struct text *out)
{
        char time[INSTANT_TEXT_SIZE], date[DATE_TEXT_SIZE];

        switch (value->kind) {
        case VALUE_NUMBER:
                if (expr_field_info(node->field)->type == EXPR_MONEY)
                        print_money(value->number, expr->money_digits, out);
                else
                        text_put_int(out, value->number);
                break;
        case VALUE_TIER: /* quoted like a text: a code may spell a keyword */
        case VALUE_TEXT:
                print_text(value->text, out);
                break;
        case VALUE_INSTANT:
                instant_format((struct instant){value->number}, time);
                text_puts(out, time);
                break;
        case VALUE_DATE:
                date_format(date_from_days(value->number), date);
                text_puts(out, date);
                break;
        case VALUE_AGO:
                print_span(value, out);
                if (node->kind != NODE_WITHIN)
                        text_puts(out, " ago");
                break;
        }
}

static void print_condition(const struct expr *expr, const struct node *node, struct text *out)
{
        bool list = node->kind == NODE_IN || node->kind == NODE_NOT_IN;

        if (node->kind == NODE_HAS) {
                text_puts(out, node->field == FACT_TAGS ? "has tag " : "in segment ");
        } else {
                text_puts(out, expr_field_info(node->field)->name);
                if (node->kind != NODE_TRUE)
                        text_printf(out, " %s", node_word(node->kind));
                if (node->count > 0)
                        text_puts(out, list ? " (" : " ");
        }
        for (size_t i = 0; i < node->count; i++) {
                if (i > 0)
                        text_puts(out, list ? ", " : " and ");
                print_value(expr, node, &node->values[i], out);
        }
        if (list)
                text_putc(out, ')');
}

/* A chain within a tighter operator, or within its own kind, needs parentheses. */
static void print_node(const struct expr *expr, const struct node *node, struct text *out)
{
        if (node->first == NULL) {
                print_condition(expr, node, out);
                return;
        }
        for (const struct node *child = node->first; child != NULL; child = child->next) {
                bool enclosed = child->kind == NODE_OR || (child->kind == NODE_AND && node->kind != NODE_OR);
                if (node->kind == NODE_NOT)
                        text_puts(out, "not ");
                else if (child != node->first)
                        text_printf(out, " %s ", node_word(node->kind));
                text_puts(out, enclosed ? "(" : "");
                print_node(expr, child, out);
                text_puts(out, enclosed ? ")" : "");
        }
}

void expr_print(const struct expr *expr, struct text *out)
{
        print_node(expr, expr->root, out);
}
