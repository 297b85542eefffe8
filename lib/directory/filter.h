/* What a list of customers asks for, as conditions of SQL and their parameters. Only the directory includes
 * this.
 */
#pragma once

#include "base/text.h"
#include "db/query.h"
#include "directory/directory.h"

/* A day of the year as one number: 520 is 20 May; 0 when the birthday is not known. */
int64_t birthday_number(struct birthday birthday);

/* Days of birth, both included; from > to: over New Year. */
struct birth_span {
        int64_t from, to;
};

/* What lifecycle_decide compares with, as of now. */
struct lifecycle_bounds {
        struct instant at_risk, lost; /* who bought last before then is at risk, or lost */
        struct date window;           /* orders after this day are counted for the loyal */
        int64_t repeat_orders, loyal_orders;
};

/* A filter as parameters. */
struct listing {
        struct customer_filter filter;
        struct lifecycle_bounds bounds;
        struct birth_span month, span, coming;
        struct uuid group_id, referrer_id;
        const char *tsquery;
        struct texts patterns;
        const char *whole;
        struct customer_position after;
        int64_t limit, walk;
};
SHAPE_DECLARE(listing);

/* Conditions over `d` (customer_directory) and, where words are searched, `s` (customer_search), told apart
 * by what they are good for in a list that is in the order of one column. */
struct conditions {
        const char *column; /* of the order */
        struct text along;  /* what an index leads past without looking: they bound the way along the order */
        struct text where;  /* all others: whoever walks along the order has to try them */
        bool words;         /* searched words, see conditions_put */
};

/* Read a filter for a list in the order of a column. The texts of *ret are to be freed, also after an error.
 */
enum err conditions_read(struct ctx *c, const struct customer_filter *filter, const char *column,
                         struct conditions *ret, struct listing *ret_listing) MUST_CHECK;
void conditions_free(struct conditions *conditions);

/* Words are looked up by their pieces (an index), which finds them and some more, and held against the text.
 * Who estimates needs the pieces alone, for both say the same; who has the rows already needs the text alone.
 */
enum words { WORDS_BOTH, WORDS_PIECES, WORDS_TEXT };

/* The join that they need beside customer_directory d. */
const char *conditions_join(const struct conditions *conditions);

/* Append " WHERE ..." with all of them, or only with `where`; nothing when there are none. */
void conditions_put(struct text *out, const struct conditions *conditions, enum words words, bool along);
