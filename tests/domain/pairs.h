/* Merges and their undoing, each in a transaction, for db_run. */
#pragma once

#include "merges/merges.h"

struct pair {
        const char *survivor, *absorbed;
        struct uuid id; /* of the merge, once it is done */
};
enum err pair_merge(struct ctx *c, void *pair);
enum err pair_undo(struct ctx *c, void *pair);
