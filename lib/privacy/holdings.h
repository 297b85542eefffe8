/* Holdings: the one list of the tables that hold something of a person. Erasure, the export of everything
 * held on a person and merges go by it, table by table, so that none of them can forget one: a test holds the
 * list against the schema, column by column. */
#pragma once

#include "base/shape.h"

enum erasing {
        ERASE_ROWS,    /* the person's rows go */
        ERASE_COLUMNS, /* they stay, as those of somebody without a name; what .blank sets is gone */
};

struct holding {
        const char *table;
        const char *person; /* the column that says whose a row is; NULL: customer_id */
        enum erasing erasing;
        const char *blank; /* ERASE_COLUMNS: "column = value, ...", or NULL */
        const char
                *plain; /* ERASE_COLUMNS: further columns of text, bytes or JSON that hold nothing personal */
        bool copy;      /* of what other tables say: not exported */
};
extern const struct holding holdings[];
extern const size_t holding_count;

/* Tables with columns of text, bytes or JSON that hold nothing of a person, and why. */
struct impersonal {
        const char *table, *why;
};
extern const struct impersonal impersonals[];
extern const size_t impersonal_count;

/* The column of a holding that says whose a row is. */
const char *holding_person(const struct holding *holding);
