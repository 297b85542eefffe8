/* What one order earns, points or growth, under a programme. Pure: it reads no clock and stores nothing.
 *
 * Candidates are the rules of the target whose validity holds the day and whose condition is true, highest
 * priority first, equal ones in the order of the document. Base and multiply rules are decided for each line;
 * an add rule counts once per order when it holds on any line, and is shared among the lines on which it
 * holds. An exclusive rule counts only when no rule of its kind was taken before it (on that line; for add
 * rules: on the order), and ends their search.
 *
 *         line = paid x sum of rates x product of factors [x tier x birthday month: points only]
 *         total = floor(sum of lines) + adds
 *
 * Caps cut off: that of a rule what its entry in the explanation would be beyond it, before the rules that
 * come after it, and that of the programme what all of them bring; the cut is an entry of its own.
 *
 * So fractions are floored once per order. The lines' fractions are exact: the rates in millionths, the
 * product of the factors to EARN_FACTOR_DIGITS decimals (rounded down beyond). Neither the sum of the rates
 * nor the product of the factors counts as more than EARN_THOUSANDFOLD: with EARN_PAID_MAX that keeps every
 * sum in 128 bits. */
#pragma once

#include "base/arena.h"
#include "expr/expr.h"
#include "points/caps.h"
#include "program/program.h"

#define EARN_FACTOR_DIGITS 12
#define EARN_THOUSANDFOLD  1000                   /* points per 100 minor units; factor */
#define EARN_PAID_MAX      INT64_C(1000000000000) /* minor units of one order */

/* One line of the order; texts may be NULL. */
struct earn_line {
        int64_t paid_minor; /* net of its share of the order's discount */
        const char *sku, *name, *category, *brand;
        int64_t quantity, unit_price_minor;
        int64_t total_minor; /* the line after its own discount */
};

struct earn_input {
        const struct program *program; /* compiled */
        enum rule_target target;
        const struct earn_line *lines; /* paid_minor >= 0, together at most EARN_PAID_MAX (asserted) */
        size_t line_count;
        const struct expr_facts *facts;  /* of order and customer; the line's are filled in here */
        struct date date;                /* the shop's date on which the order counts */
        const struct caps_used *caps;    /* what the customer earned under caps before; NULL: nothing */
        const struct benefits *benefits; /* of the tier that the customer has then */
        struct birthday birthday;        /* of the customer */
};

/* What a rule brought: the floored total with it minus the one before it; a factor below 1 takes, and so does
 * a cap. */
struct explained {
        const char *rule; /* a code of the programme, BENEFIT_TIER_POINTS or BENEFIT_BIRTHDAY_MONTH; of a cut
                             "<code>:<cap>" or CAPS_OF_PROGRAM ":<cap>" */
        int64_t points;
};
SHAPE_DECLARE(explained);

/* What counts for the caps by day and month: what a rule brought after its own cap; in all for the programme.
 */
struct capped {
        const char *rule;
        int64_t points;
};

struct earned {
        int64_t total;
        /* The rules in the order they were applied; the points sum to total. Those that brought 0 are left
         * out, unless total is 0: then it says what was tried. */
        LIST_OF(struct explained) explanation;
        LIST_OF(struct capped) counted; /* none is 0 */
        int64_t *line_points;           /* line_count shares, none negative, that sum to total */
};

/* Decide; lists are in the arena. The base part goes to the lines by largest remainder of their fractions,
 * each add by what was paid for the lines it holds on (equally when that is nothing); of equal ones the first
 * line is favoured. */
struct earned earn_decide(struct arena *arena, const struct earn_input *input);
