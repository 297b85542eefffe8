/* Any bytes as an expression: it compiles or is refused with a fault; what compiles prints to a text that
 * compiles to the same, and can be asked of facts that are all unknown and all known. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct zone_change changes[] = {{INT64_MIN, 8 * 3600}};
static const struct shop shop = {.currency = "CNY", .zone = {"Asia/Shanghai", changes, 1}};
static const char *const tiers[] = {"basic", "silver", "gold"};
static const char *const channel_names[] = {NULL, "search", "live"};
static const struct names channels = {channel_names, 3};
static const struct expr_names names = {.tiers = tiers, .tier_count = 3, .channels = &channels};

static void know_everything(struct expr_facts *facts)
{
        static const char *const set[] = {"a", "vip"};

        for (unsigned i = 0; i < FACT_COUNT_; i++) {
                enum expr_field field = (enum expr_field)i;
                switch (expr_field_info(field)->type) {
                case EXPR_BOOL:
                        expr_set_bool(facts, field, true);
                        break;
                case EXPR_TEXT:
                        expr_set_text(facts, field, "bags");
                        break;
                case EXPR_INSTANT:
                        expr_set_instant(facts, field, facts->now);
                        break;
                case EXPR_SET:
                        expr_set_texts(facts, field, set, 2);
                        break;
                default:
                        expr_set_number(facts, field, 1);
                }
        }
}

static void check(struct ctx *c, const struct expr *expr)
{
        struct expr_facts facts = {.now = {INT64_C(1793527200) * INSTANT_SECOND}, .zone = &shop.zone};
        struct text canonical = {0}, again = {0};
        const struct expr *reread = NULL;

        expr_print(expr, &canonical);
        /* Quotes and main names may make the canonical text longer than what was written. */
        if (text_chars(canonical.data) <= EXPR_CHARS_MAX) {
                enum err code = expr_compile(c, "#", canonical.data, &names, &reread);
                if (code != ERR_OK)
                        abort();
                expr_print(reread, &again);
                if (strcmp(canonical.data, again.data) != 0 ||
                    expr_true(expr, &facts) != expr_true(reread, &facts))
                        abort();
                know_everything(&facts);
                if (expr_true(expr, &facts) != expr_true(reread, &facts))
                        abort();
        }
        text_free(&canonical);
        text_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ctx c = {.arena = arena_new(), .shop = &shop};
        const char *text = arena_strndup(c.arena, (const char *)data, size);
        const struct expr *expr = NULL;

        if (expr_compile(&c, "#", text, &names, &expr) == ERR_OK)
                check(&c, expr);
        else if (c.problem.fault_count == 0)
                abort();
        problem_reset(&c);
        arena_free(c.arena);
        return 0;
}
