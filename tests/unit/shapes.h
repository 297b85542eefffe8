/* A dozen shapes as different as can be, for the tests and fuzz targets of the shape mechanism. */
#pragma once

#include "base/shape.h"

extern const struct names shapes_colours;

struct s_flags {
        bool a, b, c;
};
struct s_numbers {
        int64_t any, small, from_zero, negative;
        int32_t narrow;
        struct opt_int maybe, maybe_small;
};
struct s_texts {
        const char *any, *one, *code, *currency, *printable;
};
struct s_moments {
        struct instant at;
        struct date on;
        struct birthday born;
        struct uuid id;
};
struct s_enums {
        unsigned need, maybe, with_default;
};
struct s_json {
        struct json_text any, small;
};
struct s_lists {
        struct texts words;
        LIST_OF(struct s_enums) enums;
        LIST_OF(struct s_flags) few;
};
struct s_defaults {
        int64_t number;
        bool yes;
        const char *text;
        struct date on;
        struct opt_int maybe;
};
struct s_outer {
        struct s_defaults inner;
        struct s_numbers *numbers;
        struct s_texts texts;
        struct s_defaults needed;
};
struct s_tree {
        int64_t value;
        LIST_OF(struct s_outer) branches;
        struct s_lists *lists;
};
struct s_patch_inner {
        struct presence has;
        const char *a, *b;
};
struct s_patch {
        struct presence has;
        const char *name;
        struct opt_int count;
        unsigned colour;
        struct instant at;
        struct json_text extra;
        struct s_patch_inner inner;
};
struct s_secret {
        const char *name, *phone, *email, *all;
        struct birthday born;
        struct texts words;
        struct json_text notes;
        struct s_texts open;
};
struct s_order {
        const char *customer; /* path */
        int64_t limit;        /* query */
        bool backfill;        /* query */
        unsigned colour;      /* query */
        struct date day;      /* query */
        struct s_defaults body;
};

SHAPE_DECLARE(s_flags);
SHAPE_DECLARE(s_numbers);
SHAPE_DECLARE(s_texts);
SHAPE_DECLARE(s_moments);
SHAPE_DECLARE(s_enums);
SHAPE_DECLARE(s_json);
SHAPE_DECLARE(s_lists);
SHAPE_DECLARE(s_defaults);
SHAPE_DECLARE(s_outer);
SHAPE_DECLARE(s_tree);
SHAPE_DECLARE(s_patch_inner);
SHAPE_DECLARE(s_patch);
SHAPE_DECLARE(s_secret);
SHAPE_DECLARE(s_order);
