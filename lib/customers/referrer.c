/* Who referred a customer. */
#include "customers/store.h"

void referrer_read(struct ctx *c, const char *pointer, const char *text, struct referrer *ret)
{
        struct ctx own = {.arena = c->arena};

        *ret = (struct referrer){.text = text, .pointer = pointer};
        if (text != NULL && customer_reference(&own, text, &ret->named) != ERR_OK)
                fault_body(c, pointer, "bad_reference", "must be a customer's UUID or ext:<external id>");
        problem_reset(&own);
}

enum err referrers_find(struct ctx *c, struct referrer *const *referrers, size_t n)
{
        struct texts names = {.v = ARENA_ARRAY(c->arena, n, const char *)};
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);
        size_t found = 0;

        for (size_t i = 0; i < n; i++)
                if (uuid_known(referrers[i]->named))
                        names.v[names.n++] = referrers[i]->text;
        if (names.n == 0)
                return ERR_OK;
        TRY(customers_resolve(c, &names, ids));
        for (size_t i = 0; i < n; i++)
                if (uuid_known(referrers[i]->named))
                        referrers[i]->found = ids[found++];
        return ERR_OK;
}

enum err referrer_settle(struct ctx *c, struct ctx *who, const struct referrer *referrer, struct uuid named,
                         struct uuid self, struct uuid *ret)
{
        struct uuid found = referrer->found;

        if (referrer->text != NULL && !uuid_known(found) && !uuid_equal(referrer->named, named)) {
                struct ctx own = *c;
                own.problem = (struct problem){0};
                enum err err = customer_missing(c, &own, referrer->named, referrer->text);
                problem_reset(&own);
                if (err == ERR_NOT_FOUND)
                        fault_body(who, referrer->pointer, "unknown_customer", "there is no customer %s",
                                   referrer->text);
                else if (err != ERR_ERASED)
                        return err;
        }
        if (referrer->text != NULL && uuid_equal(referrer->named, named))
                fault_body(who, referrer->pointer, "not_allowed", "nobody refers himself");
        TRY(problem_check(who));
        *ret = uuid_equal(found, self) ? (struct uuid){0} : found;
        return ERR_OK;
}

enum err customer_referrer(struct ctx *c, const char *pointer, const char *reference, struct uuid customer_id,
                           struct uuid *ret)
{
        struct referrer referrer;

        referrer_read(c, pointer, reference, &referrer);
        TRY(problem_check(c));
        TRY(referrers_find(c, (struct referrer *[]){&referrer}, 1));
        return referrer_settle(c, c, &referrer, customer_id, customer_id, ret);
}

bool referrer_take(struct source *source, struct uuid referrer_id)
{
        bool changed = !uuid_equal(source->referrer_id, referrer_id);

        source->referrer_id = referrer_id;
        if (uuid_known(referrer_id) && source->channel == 0) {
                source->channel = CHANNEL_REFERRAL;
                changed = true;
        }
        return changed;
}
