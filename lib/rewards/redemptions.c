/* Redemptions: every change holds the customer's lock; the stock is moved last, so that its row is locked for
 * no longer than the commit takes. */
#include "audit/audit.h"
#include "coupons/coupons.h"
#include "customers/tags.h"
#include "db/page.h"
#include "orders/desk.h"
#include "program/programs.h"
#include "rewards/store.h"
#include "tiers/cycles.h"

NAMES(redemption_state_names, "issued", "redeemed", "cancelled", "expired");

#define SHAPE_T struct redemption
SHAPE(redemption, "A redemption of a reward.", FIELD(customer_id, .need = true), FIELD(id, .need = true),
      FIELD(reward, .need = true), FIELD(reward_version),
      FIELD(state, .need = true, .names = &redemption_state_names), FIELD(points, .doc = "Held, then spent."),
      FIELD(hold_id, .need = true, .doc = "Of the points."),
      FIELD(coupon, .doc = "Code of the coupon that it issued."),
      FIELD(reason, .doc = "Why it ended, as the caller said."), FIELD(created_at, .need = true),
      FIELD(expires_at, .need = true, .doc = "An issued one that nobody takes ends then."),
      FIELD(resolved_at));
#undef SHAPE_T

struct redemption_key {
        struct uuid customer_id, id;
        const char *reward;
        struct instant since;
};
#define SHAPE_T struct redemption_key
SHAPE(redemption_key, "A redemption, or those of a reward since a moment.", FIELD(customer_id), FIELD(id),
      FIELD(reward), FIELD(since));
#undef SHAPE_T

struct redemption_count {
        int64_t n;
};
#define SHAPE_T struct redemption_count
SHAPE(redemption_count, "How many.", FIELD(n));
#undef SHAPE_T

#define SHAPE_T struct redemption_page
SHAPE(redemption_page, "A position.", FIELD(customer_id), FIELD(before_id),
      FIELD(state, .names = &redemption_state_names), FIELD(limit));
#undef SHAPE_T

struct redemptions_due {
        int64_t limit;
};
#define SHAPE_T struct redemptions_due
SHAPE(redemptions_due, "How many at once.", FIELD(limit));
#undef SHAPE_T

#define COLUMNS                                                                                                     \
        "customer_id, id, reward, reward_version, state, points, hold_id, coupon, reason, created_at, expires_at, " \
        "resolved_at"
/* As state_at. */
#define STATE_SEEN "CASE WHEN state = 'issued' AND expires_at <= :now THEN 'expired' ELSE state END"

SQL_OPT(redemption_load, redemption_key, redemption,
        "SELECT " COLUMNS " FROM reward_redemptions WHERE customer_id = :customer_id AND id = :id")
SQL_ONE(redemptions_count, redemption_key, redemption_count,
        "SELECT count(*) AS n FROM reward_redemptions WHERE customer_id = :customer_id AND reward = :reward "
        "AND state IN ('issued', 'redeemed') AND created_at > coalesce(:since, '-infinity')")
SQL_EXEC(redemption_insert, redemption,
         "INSERT INTO reward_redemptions (" COLUMNS
         ") VALUES (:customer_id, :id, :reward, :reward_version, :state, :points, "
         ":hold_id, :coupon, :reason, :created_at, :expires_at, :resolved_at)")
SQL_EXEC(
        redemption_update, redemption,
        "UPDATE reward_redemptions SET state = :state, coupon = :coupon, reason = :reason, resolved_at = :resolved_at "
        "WHERE customer_id = :customer_id AND id = :id")
SQL_PAGE(redemptions_page, redemption_page, redemption,
         "customer_id, id, reward, reward_version, " STATE_SEEN
         " AS state, points, hold_id, coupon, reason, created_at, expires_at, resolved_at",
         "reward_redemptions WHERE customer_id = :customer_id AND (:state IS NULL OR " STATE_SEEN
         " = :state)",
         "AND (:before_id IS NULL OR id < :before_id) ORDER BY id DESC")
SQL_MANY(redemptions_over, redemptions_due, redemption,
         "SELECT " COLUMNS " FROM reward_redemptions WHERE state = 'issued' AND expires_at <= :now "
         "ORDER BY expires_at LIMIT :limit")

static enum redemption_state state_at(const struct redemption *redemption, struct instant at)
{
        bool over = redemption->state == REDEMPTION_ISSUED && redemption->expires_at.us <= at.us;

        return over ? REDEMPTION_EXPIRED : redemption->state;
}

/* What became of it: an event and an entry in the audit log. */
static enum err note(struct ctx *c, const struct redemption *before, const struct redemption *after)
{
        static const enum event_type types[] = {
                [REDEMPTION_ISSUED] = EVENT_REWARD_ISSUED,
                [REDEMPTION_REDEEMED] = EVENT_REWARD_REDEEMED,
                [REDEMPTION_CANCELLED] = EVENT_REWARD_CANCELLED,
                [REDEMPTION_EXPIRED] = EVENT_REWARD_EXPIRED,
        };
        struct event_list events = {0};
        struct reward_event event = {after->id, after->reward, after->coupon, after->points};
        char customer[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];

        uuid_to_text(after->customer_id, customer);
        uuid_to_text(after->id, id);
        event_add(c->arena, &events, types[after->state], after->customer_id, c->now, &reward_event_shape,
                  &event);
        TRY(events_store(c, &events));
        return audit_write(
                c, &(struct audit_change){.customer_id = after->customer_id,
                                          .subject = arena_printf(c->arena,
                                                                  "/v1/customers/%s/rewards/redemptions/%s",
                                                                  customer, id),
                                          .shape = &redemption_shape,
                                          .before = before,
                                          .after = after});
}

/* ------------------------------------------------------------------ may he have it? */

static enum err sold_out(struct ctx *c, const struct reward *reward, const char *why)
{
        problem_string(c, "reward", reward->code);
        return fail(c, ERR_REWARD_SOLD_OUT, "The reward %s %s.", reward->code, why);
}

static enum err season_check(struct ctx *c, const struct reward *reward)
{
        struct date today = zone_date(&c->shop->zone, c->now);

        if (!reward->active)
                return sold_out(c, reward, "is switched off");
        if (date_known(reward->valid_from) && date_compare(today, reward->valid_from) < 0)
                return sold_out(c, reward, "is not to be had yet");
        if (date_known(reward->valid_until) && date_compare(reward->valid_until, today) < 0)
                return sold_out(c, reward, "is not to be had any more");
        return ERR_OK;
}

static enum err limit_check(struct ctx *c, const struct reward *reward, struct uuid customer_id)
{
        struct redemption_key key = {.customer_id = customer_id, .reward = reward->code};
        struct redemption_count had;

        if (!reward->customer_limit.set)
                return ERR_OK;
        if (reward->limit_days.set)
                key.since.us = c->now.us - reward->limit_days.v * INSTANT_DAY;
        TRY(redemptions_count(c, &key, &had));
        if (had.n < reward->customer_limit.v)
                return ERR_OK;
        problem_int(c, "limit", reward->customer_limit.v);
        return fail(c, ERR_REWARD_LIMIT, "The customer has had %lld of the reward %s.", (long long)had.n,
                    reward->code);
}

/* The customer's desk, as the condition (NULL: none) sees it. */
static enum err desk_load(struct ctx *c, const struct program *program, const struct expr *condition,
                          struct customer *customer, struct desk *ret)
{
        struct uuids id = {&customer->id, 1};
        struct list accounts = {0}, tags = {0};
        struct stand_rows stands = {0};

        TRY(points_accounts_later(c, &id, &accounts));
        TRY(stands_later(c, &id, /* from= */ (struct date){0}, &stands));
        if (expr_asks(condition, FACT_TAGS))
                TRY(tags_later(c, &id, c->now, &tags));
        TRY(db_flush(c));
        *ret = (struct desk){.customer = customer,
                             .book.account.customer_id = customer->id,
                             .tags = tags_of(c->arena, &tags, customer->id)};
        if (accounts.n == 1)
                ret->book.account = *(const struct points_account *)accounts.v;
        ret->stand = stand_of(c->arena, program, &stands, customer->id, customer->created_at);
        struct journal journal = journal_of(c, program); /* what is due is only looked at here */
        TRY(points_catch_up(c, (struct book *[]){&ret->book}, 1, &journal, c->now));
        return stands_catch_up(c, program, c->now, (struct stand *[]){&ret->stand}, 1, /* events= */ NULL);
}

static enum err not_for(struct ctx *c, const struct reward *reward, const char *why)
{
        problem_string(c, "reward", reward->code);
        return fail(c, ERR_REWARD_NOT_FOR, "%s", why);
}

/* Is the tier on trial above the one he has, and no other pin in its way? */
static enum err trial_check(struct ctx *c, const struct program *program, const struct reward *reward,
                            const struct desk *desk)
{
        if (reward->kind != REWARD_TIER_TRIAL)
                return ERR_OK;
        int rank = program_tier(program, reward->trial_tier);
        if (rank < 0)
                return not_for(c, reward, "The programme has no such tier any more.");
        if (desk->stand.standing.pin_until.us > c->now.us)
                return not_for(c, reward,
                               "The customer has a tier that was set by hand, or another one on trial.");
        return (size_t)rank > stand_rank(&desk->stand, c->now)
                       ? ERR_OK
                       : not_for(c, reward, "The customer has this tier, or a higher one.");
}

/* The reward's condition, as the programme now has it; NULL: there is none. */
static enum err condition_read(struct ctx *c, const struct program *program, const struct reward *reward,
                               const struct expr **ret)
{
        if (reward_condition(c, program, reward, ret) == ERR_OK)
                return ERR_OK;
        problem_reset(c);
        return not_for(c, reward, "The reward's condition does not fit the programme any more.");
}

static enum err condition_check(struct ctx *c, const struct program *program, const struct reward *reward,
                                const struct expr *condition, const struct desk *desk)
{
        struct moment moment = moment_of(c->shop, c->now);
        struct expr_facts *facts = ARENA_NEW(c->arena, struct expr_facts);
        struct session session = {.program = program, .shop = c->shop};

        if (condition == NULL)
                return ERR_OK;
        facts->now = c->now;
        facts->zone = &c->shop->zone;
        desk_facts(&session, desk, &moment, facts);
        return expr_true(condition, facts) ? ERR_OK
                                           : not_for(c, reward, "The reward's condition does not hold.");
}

/* ------------------------------------------------------------------ what it brings */

static enum err bring(struct ctx *c, const struct program *program, const struct reward *reward,
                      struct customer *customer, struct redemption *redemption)
{
        char id[UUID_TEXT_SIZE], who[UUID_TEXT_SIZE];
        struct coupon coupon;
        struct desk desk;

        uuid_to_text(redemption->id, id);
        uuid_to_text(customer->id, who);
        if (reward->kind == REWARD_COUPON) {
                TRY(coupon_issue_to(c, reward->coupon_template, customer->id, COUPON_SOURCE_REWARD,
                                    arena_strdup(c->arena, id), &coupon));
                redemption->coupon = coupon.code;
        }
        if (reward->kind != REWARD_TIER_TRIAL)
                return ERR_OK;
        TRY(desk_load(c, program, /* condition= */ NULL, customer, &desk));
        TRY(trial_check(c, program, reward, &desk));
        return tier_pin(c, &(struct tier_pin){.customer = who,
                                              .tier = reward->trial_tier,
                                              .until.us = c->now.us + reward->trial_days.v * INSTANT_DAY,
                                              .reason = arena_printf(c->arena, "reward %s", reward->code)});
}

/* An issued one to its end, under the customer's lock. */
static enum err resolve(struct ctx *c, struct redemption *redemption, enum redemption_state state,
                        const char *reason)
{
        static const enum reserve_end ends[] = {[REDEMPTION_REDEEMED] = RESERVE_SPENT,
                                                [REDEMPTION_CANCELLED] = RESERVE_RELEASED,
                                                [REDEMPTION_EXPIRED] = RESERVE_EXPIRED};

        redemption->state = state;
        redemption->reason = reason;
        redemption->resolved_at = c->now;
        return points_reserve_end(c, &(struct points_reserved){.customer_id = redemption->customer_id,
                                                               .hold_id = redemption->hold_id,
                                                               .end = ends[state],
                                                               .reference = redemption->reward});
}

/* ------------------------------------------------------------------ the API */

enum err redemption_issue(struct ctx *c, const struct redemption_in *in, struct redemption *ret)
{
        PROGRAM(program);
        struct customer customer;
        struct reward reward;
        const struct expr *condition;
        struct desk desk;
        bool taken;

        TRY(customer_lock(c, in->customer, &customer));
        TRY(reward_get(c, in->reward, &reward));
        TRY(season_check(c, &reward));
        TRY(limit_check(c, &reward, customer.id));
        TRY(condition_read(c, program, &reward, &condition));
        TRY(desk_load(c, program, condition, &customer, &desk));
        TRY(condition_check(c, program, &reward, condition, &desk));
        TRY(trial_check(c, program, &reward, &desk));
        struct redemption redemption = {.customer_id = customer.id,
                                        .id = uuid_new(c->now),
                                        .reward = reward.code,
                                        .reward_version = reward.version,
                                        .state = REDEMPTION_ISSUED,
                                        .points = reward.points,
                                        .created_at = c->now,
                                        .expires_at.us = c->now.us + reward.redeem_days * INSTANT_DAY};
        TRY(points_reserve(c,
                           &(struct points_reserve){customer.id, redemption.id, reward.points, reward.code},
                           &redemption.hold_id));
        if (in->redeem) {
                TRY(resolve(c, &redemption, REDEMPTION_REDEEMED, /* reason= */ NULL));
                TRY(bring(c, program, &reward, &customer, &redemption));
        }
        TRY(redemption_insert(c, &redemption));
        TRY(note(c, /* before= */ NULL, &redemption));
        TRY(reward_stock_take(c, reward.code, 1, &taken));
        if (!taken)
                return sold_out(c, &reward, "has no stock left");
        *ret = redemption;
        return ERR_OK;
}

/* The redemption that is meant, of a customer whose lock is held (or who is only read). */
static enum err find(struct ctx *c, const struct redemption_ref *in, struct uuid customer_id,
                     struct redemption *ret)
{
        struct redemption_key key = {.customer_id = customer_id};
        struct redemption redemption = {0};
        bool found = false;

        if (uuid_from_text(in->redemption, &key.id))
                TRY(redemption_load(c, &key, &redemption, &found));
        if (!found)
                return fail(c, ERR_NOT_FOUND, "The customer has no redemption %s.", in->redemption);
        *ret = redemption;
        return ERR_OK;
}

/* An issued one, behind the customer's lock. */
static enum err open_issued(struct ctx *c, const struct redemption_ref *in, struct customer *ret_customer,
                            struct redemption *ret)
{
        TRY(customer_lock(c, in->customer, ret_customer));
        TRY(find(c, in, ret_customer->id, ret));
        enum redemption_state state = state_at(ret, c->now);
        if (state == REDEMPTION_ISSUED)
                return ERR_OK;
        problem_string(c, "state", redemption_state_names.v[state]);
        return fail(c, ERR_REDEMPTION_RESOLVED, "The redemption is %s.", redemption_state_names.v[state]);
}

enum err redemption_redeem(struct ctx *c, const struct redemption_ref *in, struct redemption *ret)
{
        PROGRAM(program);
        struct customer customer;
        struct redemption before = {0}, after;
        struct reward reward;

        TRY(open_issued(c, in, &customer, &before));
        TRY(reward_version(c, before.reward, before.reward_version, &reward));
        after = before;
        TRY(resolve(c, &after, REDEMPTION_REDEEMED, in->reason));
        TRY(redemption_update(c, &after));
        TRY(bring(c, program, &reward, &customer, &after));
        if (after.coupon != NULL)
                TRY(redemption_update(c, &after));
        *ret = after;
        return note(c, &before, &after);
}

/* Without anything for it: the points and the stock go back. */
static enum err give_up(struct ctx *c, const struct redemption *before, enum redemption_state state,
                        const char *reason, struct redemption *ret)
{
        bool given;

        *ret = *before;
        TRY(resolve(c, ret, state, reason));
        TRY(redemption_update(c, ret));
        TRY(note(c, before, ret));
        return reward_stock_take(c, ret->reward, -1, &given);
}

enum err redemption_cancel(struct ctx *c, const struct redemption_ref *in, struct redemption *ret)
{
        struct customer customer;
        struct redemption before = {0};

        TRY(open_issued(c, in, &customer, &before));
        return give_up(c, &before, REDEMPTION_CANCELLED, in->reason, ret);
}

enum err redemption_get(struct ctx *c, const struct redemption_ref *in, struct redemption *ret)
{
        struct customer customer;

        TRY(customer_get(c, in->customer, &customer));
        TRY(find(c, in, customer.id, ret));
        ret->state = state_at(ret, c->now);
        return ERR_OK;
}

enum err redemptions_list(struct ctx *c, const struct redemption_page *page, struct list *ret)
{
        return redemptions_page(c, page, ret);
}

/* ------------------------------------------------------------------ what time causes */

static enum err expire_one(struct ctx *c, void *arg)
{
        const struct redemption *due = arg;
        struct redemption_key key = {.customer_id = due->customer_id, .id = due->id};
        struct redemption now = {0}, after;
        struct customer customer;
        bool found;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(customer_lock_id(c, due->customer_id, &customer));
        TRY(redemption_load(c, &key, &now, &found)); /* again, behind the lock */
        if (found && now.state == REDEMPTION_ISSUED)
                TRY(give_up(c, &now, REDEMPTION_EXPIRED, /* reason= */ NULL, &after));
        return tx_commit(&tx);
}

enum err redemptions_expire_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct list due;

        TRY(redemptions_over(c, &(struct redemptions_due){limit}, &due));
        for (size_t i = 0; i < due.n; i++)
                TRY(db_run(c, expire_one, &((struct redemption *)due.v)[i]));
        *ret_more = due.n == (size_t)limit;
        return ERR_OK;
}
