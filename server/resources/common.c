#include "resources/common.h"

#include "customers/customers.h"

#define SHAPE_T struct past_query
SHAPE(past_query, "Which page.", CUSTOMER_PATH, PAGE_QUERY_FIELDS);
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

enum err past_begin(struct ctx *c, const char *list, const struct past_query *query, struct past *ret)
{
        struct past_position at = {0};
        struct customer customer;
        char id[UUID_TEXT_SIZE];

        TRY(customer_get(c, query->customer, &customer));
        uuid_to_text(customer.id, id);
        const char *filters = arena_printf(c->arena, "%s %s", list, id);
        TRY(cursor_read(c, query->cursor, filters, &past_position_shape, &at));
        *ret = (struct past){filters, {customer.id, at.at, at.id, query->limit + 1}};
        return ERR_OK;
}

const char *past_next(struct ctx *c, const struct past *past, struct instant at, struct uuid id)
{
        return cursor_write(c->arena, past->filters, &past_position_shape, &(struct past_position){at, id});
}
