#include "birthdays/occasion.h"

#include <stdio.h>

/* What a birthday that was changed can't bring: the same again before ten months have passed. */
#define AGAIN_MONTHS 10

static void key_write(char ret[6], unsigned month, unsigned day)
{
        snprintf(ret, 6, "%02u-%02u", month % 100, day % 100);
}

bool occasion_rule_runs(const struct birthday_rule *rule, struct date today)
{
        return (!date_known(rule->valid_from) || date_compare(rule->valid_from, today) <= 0) &&
               (!date_known(rule->valid_until) || date_compare(today, rule->valid_until) <= 0);
}

static struct date month_of(struct date day)
{
        day.day = 1;
        return day;
}

static void day_add(struct occasions *to, struct date day)
{
        struct occasion *occasion = &to->v[to->n++];
        struct date next = date_add_days(day, 1);
        bool leapless = day.month == 2 && day.day == 28 && next.month == 3;

        *occasion = (struct occasion){.day = day};
        key_write(occasion->first, day.month, day.day);
        key_write(occasion->last, day.month, leapless ? 29 : day.day);
}

static void month_add(struct occasions *to, struct date month)
{
        struct occasion *occasion = &to->v[to->n++];

        *occasion = (struct occasion){.day = month};
        key_write(occasion->first, month.month, 1);
        key_write(occasion->last, month.month, 31);
}

struct occasions occasions_of(struct arena *arena, const struct birthday_rule *rule, struct date last,
                              struct date today)
{
        struct date from = date_add_days(today, -OCCASION_MISSED_DAYS);
        struct date to = date_add_days(today, rule->days_before);
        struct occasions occasions = {.n = 0};

        if (!date_known(last) || date_compare(last, today) > 0)
                last = today;
        if (date_compare(last, from) > 0)
                from = last;
        occasions.v =
                ARENA_ARRAY(arena, (size_t)(OCCASION_MISSED_DAYS + rule->days_before + 1), struct occasion);
        if (rule->on == BIRTHDAY_ON_MONTH)
                for (struct date month = month_of(from); date_compare(month, to) <= 0;
                     month = date_add_months(month, 1))
                        month_add(&occasions, month);
        else
                for (struct date day = from; date_compare(day, to) <= 0; day = date_add_days(day, 1))
                        day_add(&occasions, day);
        return occasions;
}

bool occasion_is_of(const struct occasion *occasion, struct birthday birthday)
{
        char key[6];

        key_write(key, birthday.month, birthday.day);
        return birthday.month != 0 && strcmp(occasion->first, key) <= 0 && strcmp(key, occasion->last) <= 0;
}

struct date occasion_last_before(const struct occasion *occasion)
{
        struct date months = date_add_months(occasion->day, -AGAIN_MONTHS);
        struct date year = {.year = (int16_t)(occasion->day.year - 1), .month = 12, .day = 31};

        return date_compare(months, year) < 0 ? months : year;
}
