/* Points that a redemption of a reward reserves, spends or gives back. */
#include <assert.h>

#include "points/store.h"
#include "program/programs.h"

enum err points_reserve(struct ctx *c, const struct points_reserve *in, struct uuid *ret_hold_id)
{
        struct book book;
        PROGRAM(program);
        struct journal journal = journal_of(c, program);
        struct posting why = {.at = c->now, .cause = "reward", .reference = in->reference};

        TRY(book_load(c, in->customer_id, /* hold_id= */ (struct uuid){0}, &book));
        TRY(points_catch_up(c, (struct book *[]){&book}, 1, &journal, c->now));
        const struct hold *hold = book_hold(&book, &journal, &why,
                                            &(struct hold){.id = uuid_new(c->now),
                                                           .points = in->points,
                                                           .redemption_id = in->redemption_id});
        if (hold == NULL)
                return points_too_few(c, &book, in->points, "reward");
        *ret_hold_id = hold->id;
        return book_store(c, &book, &journal);
}

enum err points_reserve_end(struct ctx *c, const struct points_reserved *in)
{
        struct book book;
        PROGRAM(program);
        struct journal journal = journal_of(c, program);
        struct posting why = {.at = c->now, .cause = "reward", .reference = in->reference};

        TRY(book_load(c, in->customer_id, in->hold_id, &book));
        TRY(points_catch_up(c, (struct book *[]){&book}, 1, &journal, c->now));
        struct hold *hold = book_hold_find(&book, in->hold_id);
        assert(hold != NULL && uuid_known(hold->redemption_id)); /* whose redemption asks */
        TRY(hold_resolvable(c, hold));
        if (in->end == RESERVE_SPENT)
                book_capture(&book, &journal, &why, hold, hold->points);
        else
                book_release(&book, &journal, &why, hold,
                             in->end == RESERVE_EXPIRED ? HOLD_EXPIRED : HOLD_RELEASED);
        return book_store(c, &book, &journal);
}
