/* Holdings: the one list of the tables that hold something of a person. Erasure, the export of everything
 * held on a person and merges go by it, table by table, so that none of them can forget one: a test holds the
 * list against the schema, column by column. */
#pragma once

#include "base/shape.h"

enum erasing {
        ERASE_ROWS,    /* the person's rows go */
        ERASE_COLUMNS, /* they stay, as those of somebody without a name; what .blank sets is gone */
};

enum moving {
        MOVING_UNSAID,
        MOVE_ROWS, /* the absorbed customer's become the survivor's, each told by the one column .key */
        MOVE_WITH, /* the same, together with the row of .with whose key .key names */
        MOVE_SET,  /* the same, but the survivor's own of the same .key ("column, column") holds */
        MOVE_OWN,  /* lib/merges knows better; or a copy, which follows by itself */
};

struct holding {
        const char *table;
        const char *person; /* the column that says whose a row is; NULL: customer_id */
        enum erasing erasing;
        const char *blank; /* ERASE_COLUMNS: "column = value, ...", or NULL */
        const char
                *plain; /* ERASE_COLUMNS: further columns of text, bytes or JSON that hold nothing personal */
        enum moving moving;
        bool copy; /* of what other tables say: not exported */
        const char *key, *with;
        const char
                *keep; /* MOVE_ROWS: what an undoing needs to know of a row, as JSON; NULL: its key as "id" */
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
