/* Random expressions, built as a model of their own: their text compiles, means what a naive reading of the
 * model means, and survives printing. */
#include "test.h"

#include <time.h>

#include "base/text.h"
#include "expr/ast.h"
#include "expr_fixture.h"

enum { ROUNDS = 20000, FACTS_EACH = 8, LEVELS = 3, CHILDREN = 3, VALUES = 3, MODEL_NODES = 100 };

struct model_value {
        char text[64];     /* as it is compared by the naive reading */
        char written[100]; /* as it stands in the expression */
        int64_t number;
        int months;   /* a moment that many months ago, when not 0 */
        bool by_date; /* text is a date */
};
struct model {
        char op[16]; /* and or not, or the question; "" is the bare field */
        enum expr_field field;
        struct model *children[CHILDREN];
        struct model_value values[VALUES];
        int count; /* of children or values */
};
static struct model pool[MODEL_NODES];
static int pool_used;

static bool chance(int percent)
{
        return test_between(1, 100) <= percent;
}

#define PICK(array_) ((array_)[test_between(0, (int64_t)ARRAY_SIZE(array_) - 1)])

/* ---- making models: few distinct values, so that equality happens */

static const char *const texts[] = {"a", "ab", "b", "", "O'Hara", "限量", "''", "A"};

static void make_instant(const char *op, struct model_value *value)
{
        static const char *const dates[] = {"2026-10-31", "2026-11-01", "2026-10-01", "2025-11-01",
                                            "2024-02-29"};
        static const struct {
                const char *word;
                int hours;
        } units[] = {{"hour", 1}, {"day", 24}, {"week", 7 * 24}};
        bool within = strcmp(op, "within") == 0, exact = strcmp(op, "=") == 0 || strcmp(op, "!=") == 0;
        int64_t now_us = fixture_facts().now.us, count = test_between(0, 40);

        if (!within && (exact || chance(50))) {
                snprintf(value->text, sizeof value->text, "%s", PICK(dates));
                value->by_date = chance(50);
                snprintf(value->written, sizeof value->written, "%s%s", value->text,
                         value->by_date ? "" : "t02:30:00.5+08:00");
                if (!value->by_date) {
                        struct instant at = {0};
                        EXPECT(instant_parse(value->written, &at));
                        value->number = at.us;
                }
        } else if (chance(50)) {
                value->months = (int)count;
                value->number = now_us; /* for 0 months */
                bool years = count % 12 == 0;
                snprintf(value->written, sizeof value->written, "%d %s%s", (int)count / (years ? 12 : 1),
                         years ? "year" : "month", chance(50) ? "s" : "");
        } else {
                size_t i = (size_t)test_between(0, (int64_t)ARRAY_SIZE(units) - 1);
                value->number = now_us - count * units[i].hours * 3600 * INSTANT_SECOND;
                snprintf(value->written, sizeof value->written, "%d %s%s", (int)count, units[i].word,
                         chance(50) ? "s" : "");
        }
        if (value->written[4] != '-' && !within)
                strcat(value->written, " ago");
}

static void make_value(const struct expr_field_info *info, const char *op, struct model_value *value)
{
        const char *text = PICK(texts);
        char *out = value->written;

        switch (info->type) {
        case EXPR_NUMBER:
                value->number = test_between(-2, 3);
                sprintf(value->written, "%d", (int)value->number);
                return;
        case EXPR_MONEY:
                value->number = test_between(0, 3) * 50;
                sprintf(value->written, value->number % 100 == 0 && chance(50) ? "%d" : "%d.%d0",
                        (int)value->number / 100, (int)value->number % 100 / 10);
                return;
        case EXPR_TIER:
                value->number = test_between(0, 3);
                sprintf(value->written, chance(50) ? "%s" : "'%s'", fixture_tiers[value->number]);
                return;
        case EXPR_INSTANT:
                make_instant(op, value);
                return;
        default:
                break;
        }
        if (info->choice == EXPR_CHOICE_CHANNEL)
                text = fixture_channel_names[test_between(1, 4)];
        if (info->choice == EXPR_CHOICE_GENDER)
                text = fixture_gender_names[test_between(1, 2)];
        snprintf(value->text, sizeof value->text, "%s", text);
        *out++ = '\'';
        for (; *text != '\0'; text++) {
                if (*text == '\'')
                        *out++ = '\'';
                *out++ = *text;
        }
        *out++ = '\'';
        *out = '\0';
}

/* Smaller first, as the language demands; moments of different kinds may stand in any order. */
static void order_range(struct model *model)
{
        struct model_value *low = &model->values[0], *high = &model->values[1], swap = *low;
        bool later = low->by_date ? strcmp(low->text, high->text) > 0 : low->number > high->number;

        if (low->by_date == high->by_date && later) {
                *low = *high;
                *high = swap;
        }
}

static void make_question(struct model *model)
{
        static const char *const ordered[] = {"=", "!=", "<", "<=", ">", ">=", "between", "in", "not in"};
        static const char *const textual[] = {"=", "!=", "in", "not in", "contains", "starts_with"};
        static const char *const timely[] = {"=", "!=", "<", "<=", ">", ">=", "between", "within"};
        const struct expr_field_info *info = expr_field_info(model->field);
        const char *op = info->type == EXPR_BOOL      ? ""
                         : info->type == EXPR_SET     ? "has"
                         : info->type == EXPR_TEXT    ? PICK(textual)
                         : info->type == EXPR_INSTANT ? PICK(timely)
                                                      : PICK(ordered);

        if (info->nullable && chance(15))
                op = chance(50) ? "is known" : "is unknown";
        strcpy(model->op, op);
        model->count = *op == '\0' || strncmp(op, "is", 2) == 0             ? 0
                       : strcmp(op, "between") == 0                         ? 2
                       : strcmp(op, "in") == 0 || strcmp(op, "not in") == 0 ? (int)test_between(1, VALUES)
                                                                            : 1;
        for (int i = 0; i < model->count; i++)
                make_value(info, op, &model->values[i]);
        if (strcmp(op, "between") == 0)
                order_range(model);
}

static struct model *make(int levels)
{
        struct model *model = &pool[pool_used++];

        *model = (struct model){0};
        if (levels == 0 || chance(25)) {
                model->field = (enum expr_field)test_between(0, FACT_COUNT_ - 1);
                make_question(model);
                return model;
        }
        strcpy(model->op, chance(25) ? "not" : chance(50) ? "and" : "or");
        model->count = strcmp(model->op, "not") == 0 ? 1 : (int)test_between(2, CHILDREN);
        for (int i = 0; i < model->count; i++)
                model->children[i] = make(levels - 1);
        return model;
}

/* ---- writing them, with the freedom that people have */

static void write_word(struct text *out, const char *word)
{
        bool shout = chance(20);

        for (; *word != '\0'; word++)
                text_putc(out, shout && *word >= 'a' && *word <= 'z' ? (char)(*word - 32) : *word);
        text_puts(out, chance(10) ? "\n\t" : " ");
}

static void write_condition(struct text *out, const struct model *model)
{
        bool list = strcmp(model->op, "in") == 0 || strcmp(model->op, "not in") == 0;

        if (strcmp(model->op, "has") == 0) {
                write_word(out, model->field == FACT_TAGS ? "has" : "in");
                write_word(out, model->field == FACT_TAGS ? "tag" : "segment");
        } else {
                const char *name = expr_field_info(model->field)->name;
                bool alias = model->field == FACT_LINE_SKU || model->field == FACT_LINE_BRAND;
                text_printf(out, "%s ", alias && chance(50) ? strchr(name, '.') + 1 : name);
                if (model->op[0] >= 'a' && model->op[0] <= 'z')
                        write_word(out, model->op);
                else
                        text_puts(out, model->op);
        }
        text_puts(out, list ? "(" : "");
        for (int i = 0; i < model->count; i++) {
                if (i > 0 && list)
                        text_putc(out, ',');
                else if (i > 0)
                        write_word(out, " and");
                text_puts(out, model->values[i].written);
        }
        text_puts(out, list ? ")" : "");
}

static void write_model(struct text *out, const struct model *model)
{
        if (model->children[0] == NULL) {
                write_condition(out, model);
                return;
        }
        for (int i = 0; i < model->count; i++) {
                const struct model *child = model->children[i];
                bool looser = child->children[0] != NULL && strcmp(child->op, "not") != 0 &&
                              !(strcmp(child->op, "and") == 0 && strcmp(model->op, "or") == 0);
                bool enclosed = looser || chance(10);
                if (strcmp(model->op, "not") == 0 || i > 0) {
                        text_putc(out, ' ');
                        write_word(out, model->op);
                }
                text_puts(out, enclosed ? "( " : "");
                write_model(out, child);
                text_puts(out, enclosed ? ")" : "");
        }
}

/* ---- random facts */

static const char *const member[] = {"a", "b", "限量"};

static void make_facts(struct expr_facts *facts)
{
        *facts = fixture_facts();
        for (unsigned i = 0; i < FACT_COUNT_; i++) {
                enum expr_field field = (enum expr_field)i;
                const struct expr_field_info *info = expr_field_info(field);
                const char *text = PICK(texts);
                if (info->nullable && chance(25))
                        continue;
                if (info->choice == EXPR_CHOICE_CHANNEL)
                        text = fixture_channel_names[test_between(1, 4)];
                if (info->choice == EXPR_CHOICE_GENDER)
                        text = fixture_gender_names[test_between(1, 2)];
                if (info->type == EXPR_BOOL)
                        expr_set_bool(facts, field, chance(50));
                else if (info->type == EXPR_TEXT)
                        expr_set_text(facts, field, text);
                else if (info->type == EXPR_SET)
                        expr_set_texts(facts, field, member, (size_t)test_between(0, 3));
                else if (info->type == EXPR_INSTANT)
                        expr_set_instant(facts, field,
                                         (struct instant){facts->now.us - test_between(-1, 30) * 6 *
                                                                                  test_between(0, 40) * 3600 *
                                                                                  INSTANT_SECOND});
                else
                        expr_set_number(facts, field,
                                        test_between(-2, 3) * (info->type == EXPR_MONEY ? 50 : 1));
        }
}

/* ---- reading the model naively */

/* Months before now on the calendar of libc, eight hours east. */
static int64_t months_ago(int64_t now_us, int months)
{
        const time_t east = 8 * 3600;
        time_t local = (time_t)(now_us / INSTANT_SECOND) + east;
        struct tm tm;

        gmtime_r(&local, &tm);
        int day = tm.tm_mday;
        tm.tm_mon -= months;
        for (struct tm try = tm;; try = tm, try.tm_mday = --day) {
                time_t moved = timegm(&try);
                if (try.tm_mday == day) /* else the month has no such day, and libc went on to the next */
                        return (int64_t)(moved - east) * INSTANT_SECOND;
        }
}

static int naive_compare(const struct model *model, const struct model_value *value,
                         const struct expr_facts *facts)
{
        const struct expr_fact *fact = &facts->v[model->field];
        char shown[INSTANT_TEXT_SIZE];
        int64_t other = value->months > 0 ? months_ago(facts->now.us, value->months) : value->number;

        if (expr_field_info(model->field)->type == EXPR_TEXT)
                return strcmp(fact->text, value->text);
        if (value->by_date) {
                instant_format((struct instant){fact->number + 8 * 3600 * INSTANT_SECOND}, shown);
                return strncmp(shown, value->text, strlen("2026-11-01"));
        }
        return fact->number < other ? -1 : fact->number > other;
}

static bool naive_condition(const struct model *model, const struct expr_facts *facts)
{
        const struct expr_fact *fact = &facts->v[model->field];
        const char *op = model->op;
        bool found = false;

        if (strncmp(op, "is", 2) == 0)
                return fact->known == (strcmp(op, "is known") == 0);
        if (!fact->known)
                return false;
        if (*op == '\0')
                return fact->number == 1;
        if (strcmp(op, "has") == 0) {
                for (size_t i = 0; i < fact->set.n; i++)
                        found = found || strcmp(member[i], model->values[0].text) == 0;
                return found;
        }
        if (strcmp(op, "contains") == 0)
                return strstr(fact->text, model->values[0].text) != NULL;
        if (strcmp(op, "starts_with") == 0)
                return strstr(fact->text, model->values[0].text) == fact->text;
        int first = naive_compare(model, &model->values[0], facts);
        for (int i = 0; i < model->count; i++)
                found = found || naive_compare(model, &model->values[i], facts) == 0;
        if (strcmp(op, "in") == 0 || strcmp(op, "=") == 0)
                return found;
        if (strcmp(op, "not in") == 0 || strcmp(op, "!=") == 0)
                return !found;
        if (strcmp(op, "between") == 0)
                return first >= 0 && naive_compare(model, &model->values[1], facts) <= 0;
        if (strcmp(op, "within") == 0)
                return first >= 0 && fact->number <= facts->now.us;
        return op[0] == '<' ? first < 0 || (op[1] == '=' && first == 0)
                            : first > 0 || (op[1] == '=' && first == 0);
}

static bool naive(const struct model *model, const struct expr_facts *facts)
{
        bool all = true, any = false;

        if (model->children[0] == NULL)
                return naive_condition(model, facts);
        for (int i = 0; i < model->count; i++) {
                bool holds = naive(model->children[i], facts);
                all = all && holds;
                any = any || holds;
        }
        return strcmp(model->op, "and") == 0 ? all : strcmp(model->op, "or") == 0 ? any : !any;
}

/* ---- the properties */

static bool same_values(const struct node *a, const struct node *b)
{
        for (size_t i = 0; i < a->count; i++) {
                const struct value *x = &a->values[i], *y = &b->values[i];
                if (x->kind != y->kind || x->number != y->number || x->unit != y->unit ||
                    (x->text == NULL) != (y->text == NULL) ||
                    (x->text != NULL && strcmp(x->text, y->text) != 0))
                        return false;
        }
        return true;
}

static bool same(const struct node *a, const struct node *b)
{
        if (a == NULL || b == NULL)
                return a == b;
        return a->kind == b->kind && a->field == b->field && a->count == b->count && same_values(a, b) &&
               same(a->first, b->first) && same(a->next, b->next);
}

static const struct expr *compiled(struct ctx *c, const char *text)
{
        const struct expr *expr = NULL;

        if (expr_compile(c, "#", text, &fixture_names, &expr) == ERR_OK)
                return expr;
        printf("  %s\n    %s\n", text, c->problem.faults[0].detail);
        test_faults++;
        return NULL;
}

/* One random expression; how often it held is added up, to see that the test is worth something. */
static void try_one(int *held, int *asked)
{
        struct fixture f = fixture_new();
        struct text written = {0}, canonical = {0}, again = {0};

        pool_used = 0;
        const struct model *model = make(LEVELS);
        write_model(&written, model);
        if (written.len <= EXPR_CHARS_MAX) {
                const struct expr *expr = compiled(&f.c, written.data), *reread = NULL;
                if (expr != NULL) {
                        expr_print(expr, &canonical);
                        reread = compiled(&f.c, canonical.data);
                }
                if (reread != NULL) {
                        expr_print(reread, &again);
                        EXPECT_TEXT(again.data, canonical.data);
                        EXPECT(same(expr->root, reread->root) && expr->scopes == reread->scopes);
                }
                for (int i = 0; reread != NULL && i < FACTS_EACH; i++) {
                        struct expr_facts facts;
                        make_facts(&facts);
                        bool expected = naive(model, &facts);
                        if (expr_true(expr, &facts) != expected || expr_true(reread, &facts) != expected) {
                                printf("  should be %s: %s\n", expected ? "true" : "false", canonical.data);
                                test_faults++;
                        }
                        *held += expected;
                        *asked += 1;
                }
        }
        text_free(&written);
        text_free(&canonical);
        text_free(&again);
        fixture_free(&f);
}

TEST(expr_random_expressions_mean_what_they_say)
{
        int held = 0, asked = 0;

        for (int i = 0; i < ROUNDS && test_faults == 0; i++)
                try_one(&held, &asked);
        printf("  %d of %d held\n", held, asked);
        EXPECT(asked > ROUNDS * FACTS_EACH * 9 / 10);
        EXPECT(held > asked / 5 && held < asked * 4 / 5);
}

TEST_MAIN
