#include "expr/ast.h"

#include <assert.h>
#include <string.h>

static int compare_int(int64_t a, int64_t b)
{
        return (a > b) - (a < b);
}

/* A known fact against a value: negative, zero or positive as with strcmp. */
static int compare(const struct expr_facts *facts, const struct expr_fact *fact, const struct value *value)
{
        switch (value->kind) {
        case VALUE_TEXT:
                return strcmp(fact->text, value->text);
        case VALUE_DATE:
                return compare_int(date_days(zone_date(facts->zone, (struct instant){fact->number})),
                                   value->number);
        case VALUE_AGO:
                return compare_int(fact->number, value_moment(value, facts->now, facts->zone).us);
        case VALUE_NUMBER:
        case VALUE_TIER:
        case VALUE_INSTANT:
                break;
        }
        return compare_int(fact->number, value->number);
}

static bool among(const struct expr_facts *facts, const struct expr_fact *fact, const struct node *node)
{
        for (size_t i = 0; i < node->count; i++)
                if (compare(facts, fact, &node->values[i]) == 0)
                        return true;
        return false;
}

static bool holds_text(const struct expr_fact *set, const char *text)
{
        for (size_t i = 0; i < set->set.n; i++)
                if (strcmp(set->set.v[i], text) == 0)
                        return true;
        return false;
}

/* A condition on a known value. */
static bool condition_true(const struct node *node, const struct expr_facts *facts,
                           const struct expr_fact *fact)
{
        const struct value *value = node->values;

        switch (node->kind) {
        case NODE_TRUE:
                return fact->number != 0;
        case NODE_EQ:
                return compare(facts, fact, value) == 0;
        case NODE_NE:
                return compare(facts, fact, value) != 0;
        case NODE_LT:
                return compare(facts, fact, value) < 0;
        case NODE_LE:
                return compare(facts, fact, value) <= 0;
        case NODE_GT:
                return compare(facts, fact, value) > 0;
        case NODE_GE:
                return compare(facts, fact, value) >= 0;
        case NODE_CONTAINS:
                return strstr(fact->text, value->text) != NULL;
        case NODE_STARTS_WITH:
                return strncmp(fact->text, value->text, strlen(value->text)) == 0;
        case NODE_HAS:
                return holds_text(fact, value->text);
        case NODE_WITHIN:
                return compare(facts, fact, value) >= 0 && fact->number <= facts->now.us;
        case NODE_BETWEEN:
                return compare(facts, fact, &value[0]) >= 0 && compare(facts, fact, &value[1]) <= 0;
        case NODE_IN:
                return among(facts, fact, node);
        default:
                assert(node->kind == NODE_NOT_IN); /* operators and is known never come here */
                return !among(facts, fact, node);
        }
}

/* Recursion is bounded by EXPR_DEPTH_MAX: a level of nesting is at most an or, an and and a not. */
static bool node_true(const struct node *node, const struct expr_facts *facts)
{
        switch (node->kind) {
        case NODE_AND:
                for (const struct node *child = node->first; child != NULL; child = child->next)
                        if (!node_true(child, facts))
                                return false;
                return true;
        case NODE_OR:
                for (const struct node *child = node->first; child != NULL; child = child->next)
                        if (node_true(child, facts))
                                return true;
                return false;
        case NODE_NOT:
                return !node_true(node->first, facts);
        case NODE_KNOWN:
                return facts->v[node->field].known;
        case NODE_UNKNOWN:
                return !facts->v[node->field].known;
        default:
                return facts->v[node->field].known && condition_true(node, facts, &facts->v[node->field]);
        }
}

bool expr_true(const struct expr *expr, const struct expr_facts *facts)
{
        return node_true(expr->root, facts);
}

bool expr_uses(const struct expr *expr, enum expr_scope scope)
{
        return (expr->scopes & scope) != 0;
}

bool expr_asks(const struct expr *expr, enum expr_field field)
{
        return expr != NULL && (expr->fields & UINT64_C(1) << field) != 0;
}

/* ---- filling the facts */

void expr_set_unknown(struct expr_facts *facts, enum expr_field field)
{
        assert(field < FACT_COUNT_);
        facts->v[field] = (struct expr_fact){0};
}

void expr_set_bool(struct expr_facts *facts, enum expr_field field, bool value)
{
        assert(expr_field_info(field)->type == EXPR_BOOL);
        facts->v[field] = (struct expr_fact){.known = true, .number = value};
}

void expr_set_number(struct expr_facts *facts, enum expr_field field, int64_t value)
{
        assert(expr_field_info(field)->type == EXPR_NUMBER || expr_field_info(field)->type == EXPR_MONEY ||
               expr_field_info(field)->type == EXPR_TIER);
        facts->v[field] = (struct expr_fact){.known = true, .number = value};
}

void expr_set_text(struct expr_facts *facts, enum expr_field field, const char *value)
{
        assert(expr_field_info(field)->type == EXPR_TEXT);
        facts->v[field] = (struct expr_fact){.known = value != NULL, .text = value};
}

void expr_set_instant(struct expr_facts *facts, enum expr_field field, struct instant value)
{
        assert(expr_field_info(field)->type == EXPR_INSTANT);
        facts->v[field] = (struct expr_fact){.known = instant_known(value), .number = value.us};
}

void expr_set_texts(struct expr_facts *facts, enum expr_field field, const char *const *v, size_t n)
{
        assert(expr_field_info(field)->type == EXPR_SET);
        facts->v[field] = (struct expr_fact){.known = true, .set = {.v = v, .n = n}};
}

void expr_set_line(struct expr_facts *facts, const struct expr_line *line)
{
        expr_set_text(facts, FACT_LINE_SKU, line->sku);
        expr_set_text(facts, FACT_LINE_NAME, line->name);
        expr_set_text(facts, FACT_LINE_CATEGORY, line->category);
        expr_set_text(facts, FACT_LINE_BRAND, line->brand);
        expr_set_number(facts, FACT_LINE_QUANTITY, line->quantity);
        expr_set_number(facts, FACT_LINE_UNIT_PRICE, line->unit_price_minor);
        expr_set_number(facts, FACT_LINE_TOTAL, line->total_minor);
}

void expr_set_placed_at(struct expr_facts *facts, struct instant at)
{
        const int64_t hour_us = 3600 * INSTANT_SECOND;
        int64_t days = date_days(zone_date(facts->zone, at));
        int64_t in_day_us = zone_local_us(facts->zone, at) - days * INSTANT_DAY;

        expr_set_instant(facts, FACT_ORDER_PLACED_AT, at);
        /* Day 0, 1970-01-01, was a Thursday, the fourth day; the 7 keeps earlier days positive. */
        expr_set_number(facts, FACT_ORDER_WEEKDAY, ((days + 3) % 7 + 7) % 7 + 1);
        expr_set_number(facts, FACT_ORDER_HOUR, in_day_us / hour_us);
}
