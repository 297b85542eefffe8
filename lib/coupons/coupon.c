#include "coupons/coupon.h"

#include <assert.h>
#include <string.h>

struct coupon_card *coupon_book_find(const struct coupon_book *book, const char *code)
{
        for (size_t i = 0; i < book->cards.n; i++)
                if (strcmp(book->cards.v[i].coupon.code, code) == 0)
                        return &book->cards.v[i];
        return NULL;
}

static bool lapsed(const struct coupon *coupon, struct instant at)
{
        return instant_known(coupon->expires_at) && coupon->expires_at.us <= at.us;
}

enum coupon_state coupon_state_at(const struct coupon *coupon, struct instant at)
{
        bool lock_over = coupon->state == COUPON_LOCKED && coupon->locked_until.us <= at.us;

        if ((coupon->state == COUPON_AVAILABLE || lock_over) && lapsed(coupon, at))
                return COUPON_EXPIRED;
        return lock_over ? COUPON_AVAILABLE : coupon->state;
}

const char *coupon_why_not_usable(const struct coupon *coupon, const struct coupon_use *use,
                                  const char **ret_state)
{
        enum coupon_state state = coupon_state_at(coupon, use->at);
        bool own_lock =
                state == COUPON_LOCKED && use->session != NULL && strcmp(use->session, coupon->session) == 0;

        *ret_state = coupon_state_names.v[state];
        switch (state) {
        case COUPON_LOCKED:
                return own_lock ? NULL : "Another checkout has locked the coupon.";
        case COUPON_REDEEMED:
                return "The coupon has been used.";
        case COUPON_EXPIRED:
                return "The coupon has expired.";
        case COUPON_REVOKED:
                return "The coupon was withdrawn.";
        default:
                break;
        }
        if (use->at.us >= coupon->valid_from.us)
                return NULL;
        *ret_state = "not_yet_valid";
        return "The coupon is not valid yet.";
}

enum err coupon_usable(struct ctx *c, const struct coupon *coupon, const struct coupon_use *use)
{
        const char *state, *why_not = coupon_why_not_usable(coupon, use, &state);

        if (why_not == NULL)
                return ERR_OK;
        problem_string(c, "code", coupon->code);
        problem_string(c, "state", state);
        return fail(c, ERR_COUPON_STATE, "%s", why_not);
}

/* ------------------------------------------------------------------ changes */

static void history_add(struct coupon_book *book, const struct coupon_change *change)
{
        if (book->history.n == book->history_room) {
                book->history_room = book->history_room == 0 ? 8 : book->history_room * 2;
                struct coupon_change *larger =
                        ARENA_ARRAY(book->arena, book->history_room, struct coupon_change);
                for (size_t i = 0; i < book->history.n; i++)
                        larger[i] = book->history.v[i];
                book->history.v = larger;
        }
        book->history.v[book->history.n++] = *change;
}

/* To a state, by an action: a line of the history and, where it is somebody's, an event. */
static void move(struct coupon_book *book, struct coupon_card *card, enum coupon_action action,
                 enum coupon_state state, const struct coupon_use *use)
{
        static const enum event_type types[] = {
                [COUPON_ACTION_ISSUED] = EVENT_COUPON_ISSUED,
                [COUPON_ACTION_LOCKED] = EVENT_COUPON_LOCKED,
                [COUPON_ACTION_RELEASED] = EVENT_COUPON_RELEASED,
                [COUPON_ACTION_REDEEMED] = EVENT_COUPON_REDEEMED,
                [COUPON_ACTION_RETURNED] = EVENT_COUPON_RELEASED,
                [COUPON_ACTION_EXPIRED] = EVENT_COUPON_EXPIRED,
                [COUPON_ACTION_REVOKED] = EVENT_COUPON_REVOKED,
        };
        struct coupon *coupon = &card->coupon;
        struct uuid who = uuid_known(coupon->customer_id) ? coupon->customer_id : use->customer_id;
        struct coupon_event event = {.code = coupon->code,
                                     .template_code = coupon->template,
                                     .order_id = use->order_id,
                                     .off_minor = coupon->off_minor,
                                     .expires_at = coupon->expires_at};

        coupon->state = state;
        coupon->changes++;
        card->changed = true;
        history_add(book, &(struct coupon_change){.code = coupon->code,
                                                  .change_no = coupon->changes,
                                                  .action = action,
                                                  .state = state,
                                                  .customer_id = who,
                                                  .order_id = use->order_id,
                                                  .reference = use->reference,
                                                  .created_at = use->at});
        if (uuid_known(who))
                event_add(book->arena, book->events, types[action], who, use->at, &coupon_event_shape,
                          &event);
}

static void unlock(struct coupon *coupon)
{
        coupon->session = NULL;
        coupon->locked_at = coupon->locked_until = (struct instant){0};
}

void coupon_issue(struct coupon_book *book, struct coupon_card *card, struct instant at)
{
        move(book, card, COUPON_ACTION_ISSUED, COUPON_AVAILABLE,
             &(struct coupon_use){.at = at, .reference = card->coupon.issue_key});
}

void coupon_lock(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use,
                 struct instant until)
{
        card->coupon.session = use->session;
        card->coupon.locked_at = use->at;
        card->coupon.locked_until = until;
        move(book, card, COUPON_ACTION_LOCKED, COUPON_LOCKED, use);
}

void coupon_release(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use)
{
        assert(card->coupon.state == COUPON_LOCKED);
        unlock(&card->coupon);
        move(book, card, COUPON_ACTION_RELEASED, COUPON_AVAILABLE, use);
}

void coupon_redeem(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use,
                   int64_t off_minor)
{
        struct coupon *coupon = &card->coupon;

        assert(coupon->state == COUPON_AVAILABLE || coupon->state == COUPON_LOCKED);
        unlock(coupon);
        coupon->used_by = use->customer_id;
        coupon->order_id = use->order_id;
        coupon->redemption = uuid_known(use->order_id) ? NULL : use->reference;
        coupon->off_minor = off_minor;
        coupon->redeemed_at = use->at;
        move(book, card, COUPON_ACTION_REDEEMED, COUPON_REDEEMED, use);
}

void coupon_return(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use,
                   int64_t min_days)
{
        struct coupon *coupon = &card->coupon;
        struct instant least = {use->at.us + min_days * INSTANT_DAY};

        assert(coupon->state == COUPON_REDEEMED);
        if (instant_known(coupon->expires_at) && min_days > 0 && coupon->expires_at.us < least.us)
                coupon->expires_at = least;
        coupon->order_id = (struct uuid){0};
        coupon->redemption = NULL;
        coupon->off_minor = 0;
        coupon->redeemed_at = (struct instant){0};
        move(book, card, COUPON_ACTION_RETURNED, COUPON_AVAILABLE, use);
        coupon->used_by = (struct uuid){0};
}

void coupon_expire(struct coupon_book *book, struct coupon_card *card, struct instant at)
{
        assert(card->coupon.state == COUPON_AVAILABLE);
        move(book, card, COUPON_ACTION_EXPIRED, COUPON_EXPIRED, &(struct coupon_use){.at = at});
}

void coupon_revoke(struct coupon_book *book, struct coupon_card *card, const struct coupon_use *use)
{
        unlock(&card->coupon);
        move(book, card, COUPON_ACTION_REVOKED, COUPON_REVOKED, use);
}
