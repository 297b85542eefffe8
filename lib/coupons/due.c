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

SQL_MANY(coupons_due, coupons_due_limit, due_coupon,
         "SELECT code FROM coupons WHERE due_at <= :now ORDER BY due_at LIMIT :limit")

struct due_codes {
        struct texts codes;
};
#define SHAPE_T struct due_codes
SHAPE(due_codes, "Codes.", FIELD(codes));
#undef SHAPE_T

/* Those that were used or withdrawn before their time. */
SQL_EXEC(
        coupons_forget, due_codes,
        "UPDATE coupons SET due_at = NULL WHERE code = ANY(:codes) AND due_at <= :now AND state IN ('redeemed', 'revoked')")

static void decide(struct coupon_book *book, struct coupon_card *card, struct instant now)
{
        struct coupon *coupon = &card->coupon;

        if (coupon->state == COUPON_LOCKED && coupon->locked_until.us <= now.us)
                coupon_release(
                        book, card,
                        &(struct coupon_use){.reference = coupon->session, .at = coupon->locked_until});
        if (coupon->state == COUPON_AVAILABLE && coupon_state_at(coupon, now) == COUPON_EXPIRED)
                coupon_expire(book, card, coupon->expires_at);
}

static enum err piece_do(struct ctx *c, void *arg)
{
        const struct due_codes *due = arg;
        struct event_list events = {0};
        struct coupon_book book = {.arena = c->arena, .events = &events};
        struct coupon_rows rows = {0};
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(coupons_later(c, &due->codes, &rows));
        TRY(db_flush(c));
        TRY(coupons_give(c, &rows, &book));
        for (size_t i = 0; i < book.cards.n; i++)
                decide(&book, &book.cards.v[i], c->now);
        TRY(coupons_store(c, &book));
        TRY(coupons_forget(c, due));
        TRY(events_store(c, &events));
        return tx_commit(&tx);
}

enum err coupons_settle_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct list rows;

        TRY(coupons_due(c, &(struct coupons_due_limit){limit}, &rows));
        struct due_codes due = {{ARENA_ARRAY(c->arena, rows.n, const char *), rows.n}};
        for (size_t i = 0; i < rows.n; i++)
                due.codes.v[i] = ((const struct due_coupon *)rows.v)[i].code;
        if (rows.n > 0)
                TRY(db_run(c, piece_do, &due));
        *ret_more = rows.n == (size_t)limit;
        return ERR_OK;
}
