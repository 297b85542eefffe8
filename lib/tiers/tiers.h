/* Tiers: loading and storing where customers stand; what the API asks. */
#pragma once

#include "base/page.h"
#include "program/program.h"
#include "tiers/standing.h"

struct event_list;

/* ---- for whoever decides in a transaction that holds the customers' locks */

struct stand_rows {
        struct list standings, days;
};
/* Queue: standings of these customers and their day sums from a date on (none: all). */
enum err stands_later(struct ctx *c, const struct uuids *customers, struct date from,
                      struct stand_rows *ret) MUST_CHECK;

/* The stand of one customer out of the rows; somebody without any starts at rank 0, since joined_at. A tier
 * that the programme no longer has counts as rank 0. */
struct stand stand_of(struct arena *arena, const struct program *program, const struct stand_rows *rows,
                      struct uuid customer_id, struct instant joined_at);

/* The stands of many customers, in step with who; nobody comes twice. */
struct newcomer {
        struct uuid customer_id;
        struct instant joined_at;
};
struct stand *stands_of(struct arena *arena, const struct program *program, const struct stand_rows *rows,
                        const struct newcomer *who, size_t n);

/* Judge those of the stands whose cycles are over at a moment and not judged yet, as the housekeeper would
 * have: what is decided by a tier is decided by the one that holds. Before anything is counted. Reads more
 * only when there is such a stand, and does nothing while history comes in. The events are added (NULL:
 * somebody only looks). */
enum err stands_catch_up(struct ctx *c, const struct program *program, struct instant at,
                         struct stand *const *stands, size_t n, struct event_list *events) MUST_CHECK;

/* Add the events of a stand's moves from a place in its history on, which time caused. */
void stand_judged_note(struct arena *arena, const struct stand *stand, size_t first,
                       struct event_list *events);

/* Queue the writes of what changed. */
enum err stands_store(struct ctx *c, struct stand *const *stands, size_t n) MUST_CHECK;

/* ---- the API */

/* One requirement with how far it is met. */
struct condition {
        unsigned metric; /* enum metric */
        struct opt_int window_months;
        int64_t at_least, value;
        bool met;
        bool any; /* of any_of: one of these is enough */
};
struct tier_view {
        struct uuid customer_id;
        const char *code, *name;
        int64_t rank;
        struct instant since, until;
        const char *earned; /* code; the same unless pinned */
        struct instant pin_until;
        const char *pin_reason;
        LIST_OF(struct condition) keep; /* what keeps the earned tier at the end of the cycle */
        bool kept_by_qualify;           /* it is qualified for, which keeps it whatever keep says */
        const char *next;               /* code, NULL in the highest */
        LIST_OF(struct missing) missing;
        const char *projected; /* code of the earned tier were the cycle to end today */
        int64_t orders, spend_minor, growth;
        struct benefits benefits;
};
SHAPE_DECLARE(tier_view);

/* ERR_NOT_FOUND. */
enum err tier_get(struct ctx *c, const char *customer, struct tier_view *ret) MUST_CHECK;

/* Changes of tier, newest first, before a number (0: from the newest). */
struct tier_history_page {
        struct uuid customer_id;
        int64_t before_no;
        PAGED;
};
enum err tier_history(struct ctx *c, const struct tier_history_page *page, struct list *ret) MUST_CHECK;

/* The stand of one customer, read without a lock. ERR_NOT_FOUND when there is no such customer. */
enum err stand_read(struct ctx *c, const struct program *program, const char *customer,
                    struct stand *ret) MUST_CHECK;
