/* Whose birthday a rule of the programme is about on a day. Pure. */
#pragma once

#include "program/program.h"

/* Birthdays of some days of the year, and the day that they are given for. */
struct occasion {
        char first[6], last[6]; /* "MM-DD", both included */
        struct date day;        /* the birthday in its year, or the first of its month */
};
struct occasions {
        struct occasion *v;
        size_t n;
};

/* Days that are made up for when nobody looked, at most: a gift that comes later is none. */
#define OCCASION_MISSED_DAYS 31

/* Those to look at on `today`, when the day before on which everybody was looked at is `last` (none: never).
 * That day is looked at again: somebody may have become known after it was. In the order of the days. */
struct occasions occasions_of(struct arena *arena, const struct birthday_rule *rule, struct date last,
                              struct date today);

/* Is the rule in force on a day? */
bool occasion_rule_runs(const struct birthday_rule *rule, struct date today);

/* Is this birthday one of them? */
bool occasion_is_of(const struct occasion *occasion, struct birthday birthday);

/* The latest day for which somebody may have been given the same before and be given it again for this one: a
 * year has passed, even when his birthday is another one by now. */
struct date occasion_last_before(const struct occasion *occasion);
