/* The catalogue: every version is kept, for redemptions refer to the one they were made under. */
#include "audit/audit.h"
#include "coupons/coupons.h"
#include "customers/customers.h"
#include "db/page.h"
#include "expr/expr.h"
#include "program/programs.h"
#include "rewards/store.h"

NAMES(reward_kind_names, "coupon", "gift", "service", "tier_trial");

#define DAYS_MAX  3650
#define LIMIT_MAX INT64_C(1000000000)

#define REWARD_RULE_FIELDS                                                                                    \
        FIELD(name, .need = true, .min = 1, .max = 200, .format = &format_printable),                         \
                FIELD(kind, .need = true, .names = &reward_kind_names),                                       \
                FIELD(points, .need = true, .min = 1, .max = POINTS_MAX, .doc = "Its price."),                \
                FIELD(stock, .from_zero = true, .max = LIMIT_MAX, .doc = "In all; null: any number."),        \
                FIELD(customer_limit, .min = 1, .max = LIMIT_MAX,                                             \
                      .doc = "Redemptions of one customer at most; cancelled and expired ones don't count."), \
                FIELD(limit_days, .min = 1, .max = DAYS_MAX, .doc = "Within so many days; null: ever."),      \
                FIELD(condition, .max = EXPR_CHARS_MAX, .doc = "On the customer; null: for everybody.",       \
                      .example = "\"tier >= silver and in segment 'loyal'\""),                                \
                FIELD(valid_from, .doc = "First day; null: any."),                                            \
                FIELD(valid_until, .doc = "Last day; null: any."),                                            \
                FIELD(redeem_days, .min = 1, .max = DAYS_MAX, .dflt = "30",                                   \
                      .doc = "What is issued and not taken by then expires: the points go back."),            \
                FIELD(coupon_template, .min = 1, .max = 50, .format = &format_code,                           \
                      .doc = "With coupon: of what."),                                                        \
                FIELD(trial_tier, .min = 1, .max = 50, .doc = "With tier_trial: code of the tier."),          \
                FIELD(trial_days, .min = 1, .max = DAYS_MAX, .doc = "With tier_trial: for how long."),        \
                FIELD(active, .dflt = "true", .doc = "false: not to be had.")

#define SHAPE_T struct reward_in
SHAPE(reward_in, "A reward.",
      FIELD(reward, .in = IN_PATH, .need = true, .min = 1, .max = 50, .format = &format_code,
            .doc = "Its code."),
      REWARD_RULE_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct reward
SHAPE(reward, "A reward of the catalogue.", FIELD(code, .need = true), FIELD(version), REWARD_RULE_FIELDS,
      FIELD(taken, .doc = "Of the stock: issued and redeemed."), FIELD(created_at, .need = true),
      FIELD(updated_at, .need = true));
#undef SHAPE_T

struct reward_key {
        const char *code;
        int64_t version;
};
#define SHAPE_T struct reward_key
SHAPE(reward_key, "A version of a reward.", FIELD(code), FIELD(version));
#undef SHAPE_T

NAMES(reward_sort_names, "code", "-code", "created_at", "-created_at");

#define SHAPE_T struct reward_page
SHAPE(reward_page, "A position.", NEST(page, paging));
#undef SHAPE_T

struct reward_take {
        const char *reward;
        int64_t count;
};
#define SHAPE_T struct reward_take
SHAPE(reward_take, "Some of a stock.", FIELD(reward), FIELD(count));
#undef SHAPE_T

struct reward_stock {
        int64_t taken;
};
#define SHAPE_T struct reward_stock
SHAPE(reward_stock, "What is taken.", FIELD(taken));
#undef SHAPE_T

#define RULE(t)                                                                                              \
        t "code, " t "version, " t "name, " t "kind, " t "points, " t "stock, " t "customer_limit, " t       \
          "limit_days, " t "condition, " t "valid_from, " t "valid_until, " t "redeem_days, " t              \
          "coupon_template, " t "trial_tier, " t "trial_days, " t "active"
/* The newest version, with the day of the first one and what is taken. */
#define NEWEST RULE("t.") ", s.taken, s.created_at, t.created_at AS updated_at"
#define CATALOGUE                                                                                            \
        "(SELECT reward AS code, taken, created_at FROM reward_stocks) AS s, "                               \
        "LATERAL (SELECT * FROM rewards WHERE code = s.code ORDER BY version DESC LIMIT 1) AS t "

SQL_OPT(reward_newest, reward_key, reward, "SELECT " NEWEST " FROM " CATALOGUE "WHERE s.code = :code")
SQL_LIST(rewards_sorted, reward_page, reward, NEWEST, CATALOGUE "WHERE true", "s.", "code", reward_sort_names)
SQL_OPT(reward_at, reward_key, reward,
        "SELECT " RULE("") ", 0::bigint AS taken, created_at, created_at AS updated_at FROM rewards "
                           "WHERE code = :code AND version = :version")
SQL_EXEC(
        reward_insert, reward,
        "INSERT INTO rewards (" RULE(
                "") ", created_at) VALUES (:code, :version, :name, :kind, :points, :stock, "
                    ":customer_limit, :limit_days, :condition, :valid_from, :valid_until, :redeem_days, :coupon_template, :trial_tier, "
                    ":trial_days, :active, :updated_at)")
SQL_EXEC(reward_stock_insert, reward_key,
         "INSERT INTO reward_stocks (reward, taken, created_at) VALUES (:code, 0, :now)")
/* The stock is the newest version's, whatever was read before; giving back is always right. */
SQL_OPT(stock_move, reward_take, reward_stock,
        "UPDATE reward_stocks SET taken = taken + :count WHERE reward = :reward AND (:count < 0 OR taken + :count <= "
        "coalesce((SELECT stock FROM rewards WHERE code = :reward ORDER BY version DESC LIMIT 1), 9223372036854775807)) "
        "RETURNING taken")

enum err reward_stock_take(struct ctx *c, const char *code, int64_t count, bool *ret_done)
{
        struct reward_stock stock;

        return stock_move(c, &(struct reward_take){code, count}, &stock, ret_done);
}

enum err reward_version(struct ctx *c, const char *code, int64_t version, struct reward *ret)
{
        bool found;

        TRY(reward_at(c, &(struct reward_key){code, version}, ret, &found));
        return found ? ERR_OK
                     : fail(c, ERR_NOT_FOUND, "There is no version %lld of the reward %s.",
                            (long long)version, code);
}

enum err reward_get(struct ctx *c, const char *code, struct reward *ret)
{
        bool found;

        TRY(reward_newest(c, &(struct reward_key){.code = code}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no reward %s.", code);
}

enum err rewards_list(struct ctx *c, const struct reward_page *page, struct page_rows *ret)
{
        return rewards_sorted(c, page, ret);
}

/* ------------------------------------------------------------------ writing */

enum err reward_condition(struct ctx *c, const struct program *program, const struct reward *reward,
                          const struct expr **ret)
{
        const char **tiers = ARENA_ARRAY(c->arena, program->tiers.n, const char *);
        struct expr_names names = {.tiers = tiers,
                                   .tier_count = program->tiers.n,
                                   .channels = &channel_names,
                                   .genders = &gender_names,
                                   .segments = &lifecycle_names};

        *ret = NULL;
        if (reward->condition == NULL)
                return ERR_OK;
        for (size_t i = 0; i < program->tiers.n; i++)
                tiers[i] = program->tiers.v[i].code;
        TRY(expr_compile(c, "#/condition", reward->condition, &names, ret));
        if (expr_uses(*ret, EXPR_SCOPE_ORDER) || expr_uses(*ret, EXPR_SCOPE_LINE))
                fault_body(c, "#/condition", "expression_scope",
                           "may speak of the customer only, as tier >= gold");
        return problem_check(c);
}

/* A field that belongs to one kind: needed there, meaningless elsewhere. */
static void kind_field_check(struct ctx *c, const char *pointer, bool given, bool its_kind)
{
        if (its_kind && !given)
                fault_body(c, pointer, "required", "a reward of this kind needs it");
        else if (!its_kind && given)
                fault_body(c, pointer, "not_for_kind", "a reward of this kind has none");
}

static enum err reward_check(struct ctx *c, const struct reward *reward)
{
        PROGRAM(program);
        const struct expr *condition;
        struct coupon_template template;
        bool trial = reward->kind == REWARD_TIER_TRIAL;

        kind_field_check(c, "#/coupon_template", reward->coupon_template != NULL,
                         reward->kind == REWARD_COUPON);
        kind_field_check(c, "#/trial_tier", reward->trial_tier != NULL, trial);
        kind_field_check(c, "#/trial_days", reward->trial_days.set, trial);
        if (trial && reward->trial_tier != NULL && program_tier(program, reward->trial_tier) < 0)
                fault_body(c, "#/trial_tier", "unknown_value", "the programme has no tier %s",
                           reward->trial_tier);
        if (reward->limit_days.set && !reward->customer_limit.set)
                fault_body(c, "#/limit_days", "not_allowed", "there is no customer_limit");
        if (date_known(reward->valid_from) && date_known(reward->valid_until) &&
            date_compare(reward->valid_from, reward->valid_until) > 0)
                fault_body(c, "#/valid_until", "too_small", "the last day lies before the first");
        (void)!reward_condition(c, program, reward, &condition); /* its faults are among the others */
        TRY(problem_check(c));
        if (reward->kind == REWARD_COUPON &&
            coupon_template_get(c, reward->coupon_template, &template) == ERR_NOT_FOUND) {
                fault_body(c, "#/coupon_template", "unknown_value", "there is no coupon template %s",
                           reward->coupon_template);
                return problem_check(c);
        }
        return ERR_OK;
}

static enum err expect(struct ctx *c, const char *code, int64_t known, int64_t expected)
{
        if (expected == 0 || expected == known)
                return ERR_OK;
        problem_int(c, "version", known);
        return fail(c, ERR_STALE, "The reward %s is at version %lld, not %lld.", code, (long long)known,
                    (long long)expected);
}

/* The next version, whoever wants it: two at once meet in the key, and one of them is run again. */
static enum err store_version(struct ctx *c, const struct reward *before, struct reward *next)
{
        next->version = before != NULL ? before->version + 1 : 1;
        next->updated_at = c->now;
        next->created_at = before != NULL ? before->created_at : c->now;
        next->taken = before != NULL ? before->taken : 0;
        TRY(reward_insert(c, next));
        if (before == NULL)
                TRY(reward_stock_insert(c, &(struct reward_key){.code = next->code}));
        return audit_write(
                c, &(struct audit_change){.subject = arena_printf(c->arena, "/v1/rewards/%s", next->code),
                                          .shape = &reward_shape,
                                          .before = before,
                                          .after = next});
}

#define TAKE(field) .field = in->field

enum err reward_put(struct ctx *c, const struct reward_in *in, int64_t expected_version, struct reward *ret,
                    bool *ret_created)
{
        bool found;
        struct reward before;
        struct reward next = {.code = in->reward,
                              TAKE(name),
                              TAKE(kind),
                              TAKE(points),
                              TAKE(stock),
                              TAKE(customer_limit),
                              TAKE(limit_days),
                              TAKE(condition),
                              TAKE(valid_from),
                              TAKE(valid_until),
                              TAKE(redeem_days),
                              TAKE(coupon_template),
                              TAKE(trial_tier),
                              TAKE(trial_days),
                              TAKE(active)};

        TRY(reward_check(c, &next));
        TRY(reward_newest(c, &(struct reward_key){.code = in->reward}, &before, &found));
        TRY(expect(c, in->reward, found ? before.version : 0, expected_version));
        TRY(store_version(c, found ? &before : NULL, &next));
        *ret = next;
        *ret_created = !found;
        return ERR_OK;
}

enum err reward_close(struct ctx *c, const char *code, int64_t expected_version, struct reward *ret)
{
        struct reward before;

        TRY(reward_get(c, code, &before));
        TRY(expect(c, code, before.version, expected_version));
        *ret = before;
        ret->active = false;
        return before.active ? store_version(c, &before, ret) : ERR_OK;
}
