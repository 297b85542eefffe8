/* The directory: customers as they are listed, searched and shown with what orders and points say of them.
 *
 * Lists read copies (customer_directory, customer_search) that catch up with customers_touched. A list first
 * takes in what waits, so it is exact; only behind a burst of writes, when more than DIRECTORY_AT_ONCE
 * customers wait, may the order of a list be some seconds old. What a customer is shown with is always exact.
 */
#pragma once

#include "customers/customers.h"

/* Customers that a list takes in before it reads: some 30 ms. */
#define DIRECTORY_AT_ONCE 500
/* Customers that the housekeeper takes in each second while orders come, which bounds what following a burst
 * costs it. A million, of a file or of a night, he takes in within minutes. */
#define DIRECTORY_EACH_SECOND 3000
/* The same while a file is worked on: most of what he would write then is outdated by the next lines. */
#define DIRECTORY_BESIDE_IMPORT 500

/* Take in what waits, at most limit customers; *ret_more when others remain. A transaction of its own. */
enum err directory_catch_up(struct ctx *c, int64_t limit, bool *ret_more) MUST_CHECK;

/* Take in these customers now, in the caller's transaction: after erasing somebody. */
enum err directory_refresh(struct ctx *c, const struct uuids *ids) MUST_CHECK;

/* Fill in lifecycle, deal status and metrics as of now. */
enum err directory_complete(struct ctx *c, struct customer *customers, size_t n) MUST_CHECK;

enum customer_sort {
        SORT_NONE,
        SORT_CREATED,
        SORT_CREATED_DOWN,
        SORT_UPDATED,
        SORT_UPDATED_DOWN,
        SORT_NAME,
        SORT_NAME_DOWN,
        SORT_LAST_ORDER,
        SORT_LAST_ORDER_DOWN,
        SORT_ORDERS,
        SORT_ORDERS_DOWN,
        SORT_SPEND,
        SORT_SPEND_DOWN,
        SORT_GROWTH,
        SORT_GROWTH_DOWN,
        SORT_POINTS,
        SORT_POINTS_DOWN,
};
extern const struct names customer_sort_names;
extern const struct names yes_no_names; /* 1: yes */

/* Days of birth that lie within so many days from today on count at most: a year has no more. */
#define BIRTHDAY_DAYS_MAX 366

/* A list: what is given must hold. */
#define CUSTOMER_FILTER_MEMBERS                                                                              \
        const char *q; /* words in name, phone, e-mail or external id; without the right to see them, one in \
                          full */                                                                            \
        const char *tag, *group, *tier, *language, *country, *province, *city, *district, *owner, *campaign; \
        const char *referrer; /* a reference */                                                              \
        unsigned gender, channel, deal_status, lifecycle;                                                    \
        unsigned has_phone, has_email;              /* yes_no_names */                                       \
        struct opt_int birthday_month;              /* 1 to 12 */                                            \
        struct birthday birthday_from, birthday_to; /* both or none; over New Year when they say so */       \
        struct opt_int birthday_within_days;        /* from today on; 0: today */                            \
        struct instant created_from, created_before, updated_from, updated_before;                           \
        struct instant last_order_from, last_order_before;                                                   \
        struct opt_int spend_min, spend_max, orders_min, orders_max, growth_min, growth_max;                 \
        struct opt_int points_min, points_max
struct customer_filter {
        CUSTOMER_FILTER_MEMBERS;
};

/* Whether the filter asks for days of birth, which only those may who see them: or they could be found out
 * one by one. */
bool customer_filter_personal(const struct customer_filter *filter);

/* The last customer of the page before: the value that the list is sorted by, and who. Without a value
 * (name, or no order yet) who alone tells. */
struct customer_position {
        struct instant at;
        struct opt_int number;
        struct uuid id;
};
SHAPE_DECLARE(customer_position);

struct customer_query {
        struct customer_filter filter;
        unsigned sort;                  /* enum customer_sort */
        struct customer_position after; /* id nil: from the beginning */
        int64_t limit;
};

/* A page of complete customers. */
struct customer_list {
        LIST_OF(struct customer) customers;
        bool more;
        struct customer_position last; /* where the next page begins, when there is one */
};
enum err directory_list(struct ctx *c, const struct customer_query *query,
                        struct customer_list *ret) MUST_CHECK;

/* The two halves of it, for whoever reads page after page in one snapshot. Take in what few writes left
 * behind; not in a snapshot. */
enum err directory_settle(struct ctx *c) MUST_CHECK;
/* At most limit positions (struct customer_position) in the order of the list. */
enum err directory_positions(struct ctx *c, const struct customer_query *query, struct list *ret) MUST_CHECK;

/* How many customers pass the filter. */
enum err directory_count(struct ctx *c, const struct customer_filter *filter, int64_t *ret) MUST_CHECK;
