/* The catalogue of fields, looked up while compiling. For the parts of lib/expr only. */
#pragma once

#include "base/guess.h"
#include "expr/ast.h"

/* Find a field or an alias by its name of len bytes. */
bool expr_field_find(const char *name, size_t len, enum expr_field *ret);

/* May a field of this type be asked with this kind of condition? */
bool expr_type_takes(enum expr_type type, enum node_kind kind);
/* What such a field is compared with, as in "order.total is compared with ...". */
const char *expr_type_example(enum expr_type type);
/* How such a field is asked, as in "tags is asked with ...". */
const char *expr_type_usage(enum expr_type type);

/* The closest field. */
const char *guess_field(const char *name, size_t len);
