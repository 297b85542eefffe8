/* What time does to coupons. Those that are due are found without a lock and looked at again behind it, so
 * that two servers, or one after days of outage, do the same once. */
#include "coupons/store.h"

struct coupons_due_limit {
        int64_t limit;
};
#define SHAPE_T struct coupons_due_limit
SHAPE(coupons_due_limit, "How many at once.", FIELD(limit));
#undef SHAPE_T

struct due_coupon {
        const char *code;
};
#define SHAPE_T struct due_coupon
SHAPE(due_coupon, "A coupon that is due.", FIELD(code));
#undef SHAPE_T

SQL_MANY(
        locks_over, coupons_due_limit, due_coupon,
        "SELECT code FROM coupons WHERE state = 'locked' AND locked_until <= :now ORDER BY locked_until LIMIT :limit")
SQL_MANY(
        coupons_lapsed, coupons_due_limit, due_coupon,
        "SELECT code FROM coupons WHERE state = 'available' AND expires_at <= :now ORDER BY expires_at LIMIT :limit")

struct piece {
        struct texts codes;
        void (*decide)(struct coupon_book *book, struct coupon_card *card, struct instant now);
};

static void end_lock(struct coupon_book *book, struct coupon_card *card, struct instant now)
{
        struct coupon *coupon = &card->coupon;

        if (coupon->state == COUPON_LOCKED && coupon->locked_until.us <= now.us)
                coupon_release(
                        book, card,
                        &(struct coupon_use){.reference = coupon->session, .at = coupon->locked_until});
}

static void end_validity(struct coupon_book *book, struct coupon_card *card, struct instant now)
{
        if (card->coupon.state == COUPON_AVAILABLE && coupon_state_at(&card->coupon, now) == COUPON_EXPIRED)
                coupon_expire(book, card, card->coupon.expires_at);
}

static enum err piece_do(struct ctx *c, void *arg)
{
        const struct piece *piece = arg;
        struct event_list events = {0};
        struct coupon_book book = {.arena = c->arena, .events = &events};
        struct coupon_rows rows = {0};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(coupons_later(c, &piece->codes, &rows));
        TRY(db_flush(c));
        TRY(coupons_give(c, &rows, &book));
        for (size_t i = 0; i < book.cards.n; i++)
                piece->decide(&book, &book.cards.v[i], c->now);
        TRY(coupons_store(c, &book));
        TRY(events_store(c, &events));
        return tx_commit(&tx);
}

static enum err due_do(struct ctx *c, const struct list *due, int64_t limit, struct piece *piece,
                       bool *ret_more)
{
        piece->codes = (struct texts){ARENA_ARRAY(c->arena, due->n, const char *), due->n};
        for (size_t i = 0; i < due->n; i++)
                piece->codes.v[i] = ((const struct due_coupon *)due->v)[i].code;
        if (due->n > 0)
                TRY(db_run(c, piece_do, piece));
        *ret_more = due->n == (size_t)limit;
        return ERR_OK;
}

enum err coupons_unlock_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct list due;
        struct piece piece = {.decide = end_lock};

        TRY(locks_over(c, &(struct coupons_due_limit){limit}, &due));
        return due_do(c, &due, limit, &piece, ret_more);
}

enum err coupons_expire_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct list due;
        struct piece piece = {.decide = end_validity};

        TRY(coupons_lapsed(c, &(struct coupons_due_limit){limit}, &due));
        return due_do(c, &due, limit, &piece, ret_more);
}
