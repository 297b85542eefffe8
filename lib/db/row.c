/* Rows: PostgreSQL's binary format to C structs in the arena. */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "db/internal.h"

#define PG_EPOCH_DAYS 10957 /* 2000-01-01 */

static int32_t get32(const char *data)
{
        uint32_t be;
        memcpy(&be, data, sizeof be);
        return (int32_t)be32toh(be);
}

static int64_t get64(const char *data)
{
        uint64_t be;
        memcpy(&be, data, sizeof be);
        return (int64_t)be64toh(be);
}

/* How many items an array of one dimension has; *data is where the first one begins then. */
static size_t array_items(const char **data)
{
        const char *p = *data + 12; /* dimensions, flags, element type */

        if (get32(*data) == 0)
                return 0;
        *data = p + 8; /* length, lower bound */
        return (size_t)get32(p);
}

/* The next item and its bytes. */
static enum err array_next(struct ctx *c, const char **data, const char **ret, size_t *ret_len)
{
        int32_t len = get32(*data);

        if (len < 0)
                return fail(c, ERR_INTERNAL, "An array holds a null.");
        *ret = *data + 4;
        *ret_len = (size_t)len;
        *data += 4 + len;
        return ERR_OK;
}

static enum err get_texts(struct ctx *c, const char *data, struct texts *ret)
{
        size_t n = array_items(&data), len = 0;
        const char *item = NULL;

        *ret = (struct texts){ARENA_ARRAY(c->arena, n, const char *), n};
        for (size_t i = 0; i < n; i++) {
                TRY(array_next(c, &data, &item, &len));
                ret->v[i] = arena_strndup(c->arena, item, len);
        }
        return ERR_OK;
}

static enum err get_ints(struct ctx *c, const char *data, struct ints *ret)
{
        size_t n = array_items(&data), len = 0;
        const char *item = NULL;

        *ret = (struct ints){ARENA_ARRAY(c->arena, n, int64_t), n};
        for (size_t i = 0; i < n; i++) {
                TRY(array_next(c, &data, &item, &len));
                ret->v[i] = get64(item);
        }
        return ERR_OK;
}

static enum err get_uuids(struct ctx *c, const char *data, struct uuids *ret)
{
        size_t n = array_items(&data), len = 0;
        const char *item = NULL;

        *ret = (struct uuids){ARENA_ARRAY(c->arena, n, struct uuid), n};
        for (size_t i = 0; i < n; i++) {
                TRY(array_next(c, &data, &item, &len));
                memcpy(&ret->v[i], item, sizeof(struct uuid));
        }
        return ERR_OK;
}

static enum err get_value(struct ctx *c, const struct field *field, const char *data, size_t len, void *at)
{
        switch (field->wire) {
        case WIRE_BOOL:
                *(bool *)at = data[0] != 0;
                break;
        case WIRE_INT:
                *(int64_t *)at = get64(data);
                break;
        case WIRE_INT32:
                *(int32_t *)at = get32(data);
                break;
        case WIRE_OPT_INT:
                *(struct opt_int *)at = (struct opt_int){.set = true, .v = get64(data)};
                break;
        case WIRE_TEXT:
                *(const char **)at = arena_strndup(c->arena, data, len);
                break;
        case WIRE_ENUM:
                *(unsigned *)at = names_find(field->names, data); /* libpq ends every value with a NUL */
                if (*(unsigned *)at == 0)
                        return fail(c, ERR_INTERNAL, "The column %s holds an unknown value.", field->name);
                break;
        case WIRE_UUID:
                memcpy(at, data, sizeof(struct uuid));
                break;
        case WIRE_INSTANT:
                ((struct instant *)at)->us = get64(data) + PG_EPOCH_DAYS * INSTANT_DAY;
                break;
        case WIRE_DATE:
                *(struct date *)at = date_from_days(get32(data) + PG_EPOCH_DAYS);
                break;
        case WIRE_BIRTHDAY:
                if (!birthday_parse(data, at))
                        return fail(c, ERR_INTERNAL, "The column %s holds no birthday.", field->name);
                break;
        case WIRE_JSON:
                ((struct json_text *)at)->text = arena_strndup(c->arena, data + 1, len - 1);
                break;
        case WIRE_BYTES: {
                uint8_t *copy = arena_alloc(c->arena, len);
                memcpy(copy, data, len);
                *(struct bytes *)at = (struct bytes){.v = copy, .n = len};
                break;
        }
        case WIRE_INTS:
                return get_ints(c, data, at);
        case WIRE_TEXTS:
                return get_texts(c, data, at);
        case WIRE_UUIDS:
                return get_uuids(c, data, at);
        default:
                assert(0 && "no column has this type");
        }
        return ERR_OK;
}

static bool may_be_null(const struct field *field)
{
        return field->wire != WIRE_BOOL && field->wire != WIRE_INT && field->wire != WIRE_INT32;
}

void columns_find(const struct sql *sql, const PGresult *result, struct columns *ret)
{
        ret->count = PQnfields(result);
        assert(ret->count <= COLUMNS_MAX);
        for (int column = 0; column < ret->count; column++) {
                const char *name = PQfname(result, column);
                ret->fields[column] = shape_path(sql->out, name, strlen(name), &ret->offsets[column]);
                assert(ret->fields[column] != NULL); /* sql_check_all saw to it */
        }
}

enum err row_read(struct ctx *c, const struct sql *sql, const struct columns *columns, const PGresult *result,
                  int row, void *ret)
{
        for (int column = 0; column < columns->count; column++) {
                const struct field *field = columns->fields[column];
                if (!PQgetisnull(result, row, column)) {
                        TRY(get_value(c, field, PQgetvalue(result, row, column),
                                      (size_t)PQgetlength(result, row, column),
                                      (char *)ret + columns->offsets[column]));
                } else if (!may_be_null(field)) {
                        return fail(c, ERR_INTERNAL, "%s: the column %s is null.", sql->name, field->name);
                }
        }
        return ERR_OK;
}

enum err rows_read(struct ctx *c, const struct sql *sql, const PGresult *result, struct list *ret)
{
        struct columns columns;
        int rows = PQntuples(result);

        columns_find(sql, result, &columns);
        char *objects = arena_array(c->arena, (size_t)rows, sql->out->size);
        for (int row = 0; row < rows; row++)
                TRY(row_read(c, sql, &columns, result, row, objects + (size_t)row * sql->out->size));
        *ret = (struct list){.v = objects, .n = (size_t)rows};
        return ERR_OK;
}
