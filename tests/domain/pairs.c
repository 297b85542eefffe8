#include "pairs.h"

#include "db/db.h"

enum err pair_merge(struct ctx *c, void *arg)
{
        struct pair *pair = arg;
        struct customer_merge merge;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(merge_do(c, pair->survivor, pair->absorbed, &merge));
        pair->id = merge.id;
        return tx_commit(&tx);
}

enum err pair_undo(struct ctx *c, void *arg)
{
        struct pair *pair = arg;
        struct customer_merge merge;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(merge_undo(c, pair->id, "a test", &merge));
        return tx_commit(&tx);
}
