/* Parameters: C values to PostgreSQL's binary format, one by one or as one array per column. */
#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <string.h>

#include "db/internal.h"

/* Type numbers are fixed in PostgreSQL (src/include/catalog/pg_type.dat). */
static const struct {
        Oid element, array;
} oids[] = {
        [WIRE_BOOL] = {16, 1000},     [WIRE_INT] = {20, 1016},       [WIRE_INT32] = {23, 1007},
        [WIRE_OPT_INT] = {20, 1016},  [WIRE_TEXT] = {25, 1009},      [WIRE_ENUM] = {25, 1009},
        [WIRE_UUID] = {2950, 2951},   [WIRE_INSTANT] = {1184, 1185}, [WIRE_DATE] = {1082, 1182},
        [WIRE_BIRTHDAY] = {25, 1009}, [WIRE_JSON] = {3802, 3807},    [WIRE_BYTES] = {17, 1001},
        [WIRE_INTS] = {1016, 0},      [WIRE_TEXTS] = {1009, 0},      [WIRE_UUIDS] = {2951, 0},
        [WIRE_PRESENCE] = {0, 0},
};

Oid wire_oid(enum wire wire)
{
        assert(oids[wire].element != 0);
        return oids[wire].element;
}

Oid wire_array_oid(enum wire wire)
{
        assert(oids[wire].array != 0);
        return oids[wire].array;
}

Oid param_oid(const struct sql *sql, int i)
{
        const struct field *field = sql->plan->params[i].field;

        if (field == NULL)
                return wire_oid(WIRE_INSTANT);
        return sql->batch ? wire_array_oid(field->wire) : wire_oid(field->wire);
}

/* PostgreSQL counts from 2000-01-01. */
#define PG_EPOCH_DAYS 10957

static void put32(struct text *out, int32_t value)
{
        uint32_t be = htobe32((uint32_t)value);
        text_append(out, &be, sizeof be);
}

static void put64(struct text *out, int64_t value)
{
        uint64_t be = htobe64((uint64_t)value);
        text_append(out, &be, sizeof be);
}

/* The bytes of one value that is not null. */
static void put_value(struct text *out, const struct field *field, const void *at)
{
        char birthday[DATE_TEXT_SIZE];

        switch (field->wire) {
        case WIRE_BOOL:
                text_putc(out, *(const bool *)at ? 1 : 0);
                break;
        case WIRE_INT:
                put64(out, *(const int64_t *)at);
                break;
        case WIRE_INT32:
                put32(out, *(const int32_t *)at);
                break;
        case WIRE_OPT_INT:
                put64(out, ((const struct opt_int *)at)->v);
                break;
        case WIRE_TEXT:
                text_puts(out, *(const char *const *)at);
                break;
        case WIRE_ENUM:
                assert(*(const unsigned *)at < field->names->n);
                text_puts(out, field->names->v[*(const unsigned *)at]);
                break;
        case WIRE_UUID:
                text_append(out, at, sizeof(struct uuid));
                break;
        case WIRE_INSTANT:
                put64(out, ((const struct instant *)at)->us - PG_EPOCH_DAYS * INSTANT_DAY);
                break;
        case WIRE_DATE:
                put32(out, (int32_t)(date_days(*(const struct date *)at) - PG_EPOCH_DAYS));
                break;
        case WIRE_BIRTHDAY:
                birthday_format(*(const struct birthday *)at, birthday);
                text_puts(out, birthday);
                break;
        case WIRE_JSON:
                text_putc(out, 1); /* version of jsonb's binary format */
                text_puts(out, ((const struct json_text *)at)->text);
                break;
        case WIRE_BYTES:
                text_append(out, ((const struct bytes *)at)->v, ((const struct bytes *)at)->n);
                break;
        default:
                assert(0 && "not a value of SQL");
        }
}

static void put_array_header(struct text *out, Oid element, size_t n)
{
        put32(out, n > 0 ? 1 : 0); /* dimensions */
        put32(out, 1);             /* may hold nulls */
        put32(out, (int32_t)element);
        if (n > 0) {
                put32(out, (int32_t)n);
                put32(out, 1); /* lower bound */
        }
}

/* One element of an array: its length (known afterwards) and its bytes, or -1. */
static void put_element(struct text *out, const struct field *field, const void *at)
{
        size_t length_at = out->len;

        put32(out, -1);
        if (field_is_null(field, at))
                return;
        put_value(out, field, at);
        uint32_t be = htobe32((uint32_t)(out->len - length_at - sizeof be));
        memcpy(out->data + length_at, &be, sizeof be);
}

static void put_list(struct text *out, const struct field *field, const void *at)
{
        static const struct field elements[] = {[WIRE_INTS] = {.wire = WIRE_INT},
                                                [WIRE_TEXTS] = {.wire = WIRE_TEXT},
                                                [WIRE_UUIDS] = {.wire = WIRE_UUID}};
        static const size_t sizes[] = {[WIRE_INTS] = sizeof(int64_t),
                                       [WIRE_TEXTS] = sizeof(char *),
                                       [WIRE_UUIDS] = sizeof(struct uuid)};
        const struct list *list = at;
        const struct field *element = &elements[field->wire];

        put_array_header(out, wire_oid(element->wire), list->n);
        for (size_t i = 0; i < list->n; i++)
                put_element(out, element, (const char *)list->v + i * sizes[field->wire]);
}

static bool is_list(enum wire wire)
{
        return wire == WIRE_INTS || wire == WIRE_TEXTS || wire == WIRE_UUIDS;
}

static const struct field now_field = {.name = "now", .wire = WIRE_INSTANT};

/* What libpq takes; the values are in the connection's scratch. */
struct bound {
        const char *values[SQL_PARAMS_MAX];
        int lengths[SQL_PARAMS_MAX], formats[SQL_PARAMS_MAX];
};

static enum err bind(struct ctx *c, const struct sql *sql, const void *rows, size_t n, struct bound *ret)
{
        const struct sql_plan *plan = sql->plan;
        struct text *out = &c->db->scratch;
        size_t starts[SQL_PARAMS_MAX + 1];
        bool null[SQL_PARAMS_MAX] = {false};

        text_clear(out);
        for (int i = 0; i < plan->count; i++) {
                const struct sql_param *param = &plan->params[i];
                const char *at = (const char *)rows + param->offset;
                starts[i] = out->len;
                if (param->field == NULL) {
                        put_value(out, &now_field, &c->now);
                } else if (sql->batch) {
                        put_array_header(out, wire_oid(param->field->wire), n);
                        for (size_t row = 0; row < n; row++)
                                put_element(out, param->field, at + row * sql->in->size);
                } else if (is_list(param->field->wire)) {
                        put_list(out, param->field, at);
                } else {
                        null[i] = field_is_null(param->field, at);
                        if (!null[i])
                                put_value(out, param->field, at);
                }
        }
        starts[plan->count] = out->len;
        if (out->len > INT_MAX)
                return fail(c, ERR_INTERNAL, "The statement %s is too large to send.", sql->name);
        for (int i = 0; i < plan->count; i++) {
                ret->values[i] = null[i] ? NULL : (out->data != NULL ? out->data + starts[i] : "");
                ret->lengths[i] = (int)(starts[i + 1] - starts[i]);
                ret->formats[i] = 1;
        }
        return ERR_OK;
}

enum err bind_send(struct ctx *c, const struct sql *sql, const void *rows, size_t n)
{
        struct bound bound;

        TRY(bind(c, sql, rows, n, &bound));
        if (!PQsendQueryPrepared(c->db->conn, sql->name, sql->plan->count, bound.values, bound.lengths,
                                 bound.formats, /* binary= */ 1))
                return connection_lost(c);
        return ERR_OK;
}

enum err bind_send_once(struct ctx *c, const struct sql *sql, const void *row)
{
        struct bound bound;
        Oid types[SQL_PARAMS_MAX];

        TRY(bind(c, sql, row, 1, &bound));
        for (int i = 0; i < sql->plan->count; i++)
                types[i] = param_oid(sql, i);
        if (!PQsendQueryParams(c->db->conn, sql->plan->text, sql->plan->count, types, bound.values,
                               bound.lengths, bound.formats, /* binary= */ 1))
                return connection_lost(c);
        return ERR_OK;
}
