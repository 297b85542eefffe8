/* Errors: one table (errors.def) gives the enum, the HTTP status, the title and the page that explains it. */
#pragma once

#include <stddef.h>

enum err {
        ERR_OK = 0,
#define ERROR(name, status, slug, title, page) ERR_##name,
#include "base/errors.def"
#undef ERROR
        ERR_COUNT_
};

struct err_info {
        const char *slug;  /* stable name, the last part of the problem's type */
        int status;        /* HTTP status */
        const char *title; /* one short sentence */
        const char *page;  /* what it means and what to do, for /problems/<slug> */
};

/* The facts of an error; never NULL for a value of the enum. */
const struct err_info *err_info(enum err code);

/* Evaluate once; leave the function with the error if there is one. */
#define TRY(expr_)                                                                                           \
        do {                                                                                                 \
                enum err try_err_ = (expr_);                                                                 \
                if (try_err_ != ERR_OK)                                                                      \
                        return try_err_;                                                                     \
        } while (0)

#define MUST_CHECK         __attribute__((warn_unused_result))
#define ARRAY_SIZE(array_) (sizeof(array_) / sizeof((array_)[0]))
