/* SQL statements as typed C functions.
 *
 *         SQL_ONE(points_take, redeem, balance,
 *                 "UPDATE points_accounts SET active = active - :points WHERE customer_id = :id RETURNING
 * active")
 *
 * defines
 *
 *         static enum err points_take(struct ctx *c, const struct redeem *in, struct balance *ret);
 *
 * :name is a field of the input shape (:source.channel one of a nested struct), :now the context's clock.
 * Columns are matched to the output shape by name; `AS "source.channel"` reaches into a nested struct.
 * Parameters and columns travel in binary with the type that the shape gives them; sql_check_all holds every
 * statement of the program against the live schema at start.
 *
 *   SQL_ONE    exactly one row, else ERR_NOT_FOUND
 *   SQL_OPT    one row or none: *ret_found tells
 *   SQL_MANY   any number of rows, an array in the arena (struct list: .v, .n)
 *   SQL_LATER  as SQL_MANY, but queued: *ret is filled by the next round trip (db_flush)
 *   SQL_EACH   any number of rows, handed over one by one as they come, in constant memory
 *   SQL_EXEC   no rows; queued
 *   SQL_BATCH  an array of input structs: each :name becomes one array, for unnest(:a, :b, ...); no rows;
 * queued
 *
 * A queued statement binds its parameters at once: the input may change afterwards. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"
#include "db/db.h"

struct sql {
        const char *name, *text;
        const struct shape *in, *out; /* out NULL: returns no rows */
        bool batch;
        struct sql *next;      /* all statements of the program */
        struct sql_plan *plan; /* parsed text, made at registration, immutable afterwards */
        unsigned index;        /* its bit in a connection's set of prepared statements */
};

/* Called by the macros before main. */
void sql_register(struct sql *sql);

enum err sql_one(struct ctx *c, const struct sql *sql, const void *in, void *ret) MUST_CHECK;
enum err sql_opt(struct ctx *c, const struct sql *sql, const void *in, void *ret, bool *ret_found) MUST_CHECK;
enum err sql_many(struct ctx *c, const struct sql *sql, const void *in, struct list *ret) MUST_CHECK;
enum err sql_later(struct ctx *c, const struct sql *sql, const void *in, struct list *ret) MUST_CHECK;
/* What SQL_EACH calls with each row (a struct of the output shape), which is good until it returns; an error
 * ends the statement, whose other rows are dropped. It must not use c->db. */
#define SQL_VISIT(visit_) enum err (*visit_)(struct ctx * c, const void *row, void *arg)
enum err sql_each(struct ctx *c, const struct sql *sql, const void *in, SQL_VISIT(visit),
                  void *arg) MUST_CHECK;
enum err sql_exec(struct ctx *c, const struct sql *sql, const void *in) MUST_CHECK;
enum err sql_batch(struct ctx *c, const struct sql *sql, const void *rows, size_t n) MUST_CHECK;

/* Prepare and describe every statement: parameters and columns must fit the shapes. All that do not are named
 * in the problem's detail, one a line; ERR_INTERNAL then. */
enum err sql_check_all(struct ctx *c) MUST_CHECK;

/* Every constraint named in constraints.def exists in the schema; the missing ones are named. For tests. */
enum err sql_check_constraints(struct ctx *c) MUST_CHECK;

#define SQL_DEFINE_(name_, in_, out_, batch_, text_)                                                         \
        static struct sql name_##_sql = {                                                                    \
                .name = #name_, .text = (text_), .in = &in_##_shape, .out = (out_), .batch = (batch_)};      \
        __attribute__((constructor)) static void name_##_register(void)                                      \
        {                                                                                                    \
                sql_register(&name_##_sql);                                                                  \
        }

#define SQL_ONE(name_, in_, out_, text_)                                                                     \
        SQL_DEFINE_(name_, in_, &out_##_shape, false, text_)                                                 \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, struct out_ *ret)              \
        {                                                                                                    \
                return sql_one(c, &name_##_sql, in, ret);                                                    \
        }
#define SQL_OPT(name_, in_, out_, text_)                                                                     \
        SQL_DEFINE_(name_, in_, &out_##_shape, false, text_)                                                 \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, struct out_ *ret,              \
                                         bool *ret_found)                                                    \
        {                                                                                                    \
                return sql_opt(c, &name_##_sql, in, ret, ret_found);                                         \
        }
#define SQL_MANY(name_, in_, out_, text_)                                                                    \
        SQL_DEFINE_(name_, in_, &out_##_shape, false, text_)                                                 \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, struct list *ret)              \
        {                                                                                                    \
                return sql_many(c, &name_##_sql, in, ret);                                                   \
        }
#define SQL_LATER(name_, in_, out_, text_)                                                                   \
        SQL_DEFINE_(name_, in_, &out_##_shape, false, text_)                                                 \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, struct list *ret)              \
        {                                                                                                    \
                return sql_later(c, &name_##_sql, in, ret);                                                  \
        }
#define SQL_EACH(name_, in_, out_, text_)                                                                    \
        SQL_DEFINE_(name_, in_, &out_##_shape, false, text_)                                                 \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in, SQL_VISIT(visit), void *arg)   \
        {                                                                                                    \
                return sql_each(c, &name_##_sql, in, visit, arg);                                            \
        }
#define SQL_EXEC(name_, in_, text_)                                                                          \
        SQL_DEFINE_(name_, in_, NULL, false, text_)                                                          \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *in)                                \
        {                                                                                                    \
                return sql_exec(c, &name_##_sql, in);                                                        \
        }
#define SQL_BATCH(name_, in_, text_)                                                                         \
        SQL_DEFINE_(name_, in_, NULL, true, text_)                                                           \
        MUST_CHECK static enum err name_(struct ctx *c, const struct in_ *rows, size_t n)                    \
        {                                                                                                    \
                return sql_batch(c, &name_##_sql, rows, n);                                                  \
        }
