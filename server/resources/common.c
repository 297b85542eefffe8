#include "resources/common.h"

#include <string.h>

#include "base/shape_json.h"

#include "customers/customers.h"

#define SHAPE_T struct past_query
SHAPE(past_query, "Which page.", PAST_QUERY_FIELDS);
#undef SHAPE_T

struct past_position {
        struct instant at;
        struct uuid id;
};
#define SHAPE_T struct past_position
SHAPE(past_position, "The last one shown.", FIELD(at, .need = true), FIELD(id, .need = true));
#undef SHAPE_T

#define SHAPE_T struct customer_path
SHAPE(customer_path, "A customer.", CUSTOMER_PATH);
#undef SHAPE_T

const char *list_filters(struct ctx *c, const struct shape *shape, const void *query)
{
        static const char *const of_the_page[] = {"limit", "cursor", "include_total"};
        char *copy = arena_alloc(c->arena, shape->size);
        struct text text = {0};

        memcpy(copy, query, shape->size);
        for (size_t i = 0; i < shape->count; i++)
                for (size_t k = 0; k < ARRAY_SIZE(of_the_page); k++)
                        if (strcmp(shape->fields[i].name, of_the_page[k]) == 0)
                                memset(copy + shape->fields[i].offset, 0, shape->fields[i].size);
        text_printf(&text, "%s ", shape->name);
        shape_encode(&text, shape, copy, /* masked= */ false);
        const char *filters = arena_strdup(c->arena, text.data);
        text_free(&text);
        return filters;
}

enum err sorted_begin(struct ctx *c, const char *cursor, const char *filters, struct paging *paging)
{
        return cursor_read(c, cursor, filters, &page_position_shape, &paging->after);
}

const char *sorted_next(struct ctx *c, const struct page_rows *rows, const char *filters)
{
        return rows->more ? cursor_write(c->arena, filters, &page_position_shape, &rows->last) : NULL;
}

enum err past_begin(struct ctx *c, const struct shape *shape, const void *query, const char *kind,
                    struct opt_int *total, struct past *ret)
{
        const struct past_query *asked = query;
        struct past_position at = {0};
        struct customer customer;
        char id[UUID_TEXT_SIZE];

        TRY(customer_get(c, asked->customer, &customer));
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "%s %s", list_filters(c, shape, query), id);
        TRY(cursor_read(c, asked->cursor, filters, &past_position_shape, &at));
        *ret = (struct past){
                filters,
                {customer.id, asked->since, asked->until, kind, at.at, at.id, asked->limit + 1, total}};
        return ERR_OK;
}

const char *past_next(struct ctx *c, const struct past *past, struct instant at, struct uuid id)
{
        return cursor_write(c->arena, past->filters, &past_position_shape, &(struct past_position){at, id});
}
