/* What the resources share: references in paths, and pages of lists. */
#pragma once

#include "base/cursor.h"
#include "base/page.h"
#include "customers/past.h"
#include "http/endpoint.h"

/* Location of what was created: /v1/<collection>/<id>. */
static inline void reply_created(struct ctx *c, const char *collection, struct uuid id)
{
        char text[UUID_TEXT_SIZE];

        uuid_to_text(id, text);
        c->reply->location = arena_printf(c->arena, "/v1/%s/%s", collection, text);
}

/* The member `customer` (const char *) of an input: who is meant. */
#define CUSTOMER_PATH                                                                                        \
        FIELD(customer, .in = IN_PATH, .need = true, .max = 300, .doc = "UUID or ext:<external id>.")

/* Members and fields of the query of a list; of one that is counted when asked. */
#define UNCOUNTED_PAGE_QUERY                                                                                 \
        int64_t limit;                                                                                       \
        const char *cursor
#define UNCOUNTED_PAGE_QUERY_FIELDS                                                                          \
        FIELD(limit, .in = IN_QUERY, .min = 1, .max = LIST_LIMIT_MAX, .dflt = "50",                          \
              .doc = "Items on a page."),                                                                    \
                FIELD(cursor, .in = IN_QUERY, .max = 1000, .doc = "next_cursor of the page before.")
#define PAGE_QUERY                                                                                           \
        UNCOUNTED_PAGE_QUERY;                                                                                \
        bool include_total
#define PAGE_QUERY_FIELDS                                                                                    \
        UNCOUNTED_PAGE_QUERY_FIELDS, FIELD(include_total, .in = IN_QUERY, .dflt = "false",                   \
                                           .doc = "Count all that pass the filters, which takes its time.")
#define LIST_LIMIT_MAX 200

/* The span of time that a list is limited to: since <= time < until. */
#define SPAN_FIELDS                                                                                          \
        FIELD(since, .in = IN_QUERY, .doc = "Only what happened from then on."),                             \
                FIELD(until, .in = IN_QUERY, .doc = "Only what happened before then.")

/* What a cursor is bound to: the list, and all of its query but the page. */
const char *list_filters(struct ctx *c, const struct shape *shape, const void *query);

/* The order of a list: a member and its field, of the names that its domain gives. */
#define SORT_QUERY unsigned sort
#define SORT_FIELD(names_, dflt_)                                                                            \
        FIELD(sort, .in = IN_QUERY, .names = &(names_), .dflt = (dflt_),                                     \
              .doc = "A minus turns the order around. Equal ones are in the order of their ids or codes.")

/* Members and fields of a page of a list. */
#define UNCOUNTED_PAGE_OF(type_)                                                                             \
        LIST_OF(type_) data;                                                                                 \
        bool has_more;                                                                                       \
        const char *next_cursor
#define UNCOUNTED_PAGE_FIELDS(shape_)                                                                        \
        LIST(data, shape_), FIELD(has_more, .doc = "There is another page."),                                \
                FIELD(next_cursor, .doc = "Ask with it for the next page; null on the last.")
#define PAGE_OF(type_)                                                                                       \
        UNCOUNTED_PAGE_OF(type_);                                                                            \
        struct opt_int total
#define PAGE_FIELDS(shape_)                                                                                  \
        UNCOUNTED_PAGE_FIELDS(shape_),                                                                       \
                FIELD(total, .doc = "On all pages together; null unless include_total asked for it.")

/* The last members of a page struct (PAGED): one row more than the page tells whether there is another. */
#define PAGE_LIMITS(in_, out_) (in_)->limit + 1, PAGE_TOTAL(in_, out_)
#define PAGE_TOTAL(in_, out_)  ((in_)->include_total ? &(out_)->total : NULL)

/* Put the rows on the page: limit of them, when one more was asked for. The last one on the page when there
 * are more, for the cursor, else NULL. */
#define PAGE_FILL(page_, rows_, limit_)                                                                      \
        ((page_)->has_more = (rows_).n > (size_t)(limit_), (page_)->data.v = (rows_).v,                      \
         (page_)->data.n = (page_)->has_more ? (size_t)(limit_) : (rows_).n,                                 \
         (page_)->has_more ? &(page_)->data.v[(page_)->data.n - 1] : NULL)

/* The same for a list that can be sorted (SORT_QUERY): how its page is asked for, from where on, and what was
 * found there. ERR_BAD_CURSOR. */
#define PAGING(in_, out_)                                                                                    \
        {                                                                                                    \
                .sort = (in_)->sort, .limit = (in_)->limit, .total = PAGE_TOTAL(in_, out_)                   \
        }
enum err sorted_begin(struct ctx *c, const char *cursor, const char *filters,
                      struct paging *paging) MUST_CHECK;
#define SORTED_FILL(c_, page_, rows_, filters_)                                                              \
        ((page_)->has_more = (rows_).more, (page_)->data.v = (rows_).v, (page_)->data.n = (rows_).n,         \
         (page_)->next_cursor = sorted_next(c_, &(rows_), filters_))
const char *sorted_next(struct ctx *c, const struct page_rows *rows, const char *filters);

/* A customer in the path, and nothing else. */
struct customer_path {
        const char *customer;
};
SHAPE_DECLARE(customer_path);

/* ---- pages of what happened to one customer, newest first */

#define PAST_QUERY                                                                                           \
        const char *customer;                                                                                \
        struct instant since, until;                                                                         \
        PAGE_QUERY
#define PAST_QUERY_FIELDS CUSTOMER_PATH, SPAN_FIELDS, PAGE_QUERY_FIELDS

struct past_query {
        PAST_QUERY;
};
SHAPE_DECLARE(past_query);

struct past {
        const char *filters;
        struct past_page page;
};
/* Whose past from where on; shape is the query's, which begins as a struct past_query does; kind: only these,
 * or NULL; total: PAGE_TOTAL. ERR_NOT_FOUND, ERR_BAD_CURSOR. */
enum err past_begin(struct ctx *c, const struct shape *shape, const void *query, const char *kind,
                    struct opt_int *total, struct past *ret) MUST_CHECK;

/* The cursor after the last one shown. */
const char *past_next(struct ctx *c, const struct past *past, struct instant at, struct uuid id);

/* The word in a path that names something of the shop's own: a group, an attribute. */
#define CODE_PATH(member_, doc_)                                                                             \
        FIELD(member_, .in = IN_PATH, .need = true, .min = 1, .max = 60, .format = &format_code,             \
              .doc = (doc_))
