/* Type: coupons, issued by a job. */
#include "access/scopes.h"
#include "coupons/coupons.h"
#include "jobs/types.h"

#define BATCH_MAX 1000

static size_t coupon_names(const void *object, struct uuid ret[STRAND_NAMES_MAX])
{
        ret[0] = uuid_of_external("coupon", ((const struct coupon_wanted *)object)->key);
        return 1;
}

static enum err coupons_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                              size_t n)
{
        struct coupon_call *calls = ARENA_ARRAY(c->arena, n, struct coupon_call);

        for (size_t i = 0; i < n; i++)
                calls[i] = (struct coupon_call){.c = &lines[i]->c, .in = lines[i]->object};
        TRY(coupon_issue_lines(c, options->job_id, calls, n));
        for (size_t i = 0; i < n; i++) {
                lines[i]->err = calls[i].err;
                if (calls[i].err != ERR_OK)
                        continue;
                lines[i]->status = calls[i].known ? 200 : 201;
                lines[i]->id = calls[i].coupon.id;
                lines[i]->external_id = arena_strdup(lines[i]->c.arena, calls[i].coupon.code);
        }
        return ERR_OK;
}

static enum err coupons_page(struct ctx *c, const struct bulk_filter *filter, struct bulk_position *position,
                             int64_t n, struct list *ret)
{
        struct coupon_page page = {
                .before_id = position->id,
                .customer_id = filter->customer_id,
                .origin_id = filter->job_id,
                .template = filter->template,
                .state = filter->kind != NULL ? names_find(&coupon_state_names, filter->kind) : 0,
                .limit = n};

        TRY(coupons_list(c, &page, ret));
        if (ret->n > 0)
                position->id = ((const struct coupon *)ret->v)[ret->n - 1].id;
        return ERR_OK;
}

const struct bulk_type bulk_type_coupons = {
        .name = "coupons",
        .doc = "Coupons: issued by a job, exported as they stand.",
        .scope_read = SCOPE_REWARDS_READ,
        .scope_write = SCOPE_REWARDS_WRITE,
        .line_shape = &coupon_wanted_shape,
        .out_shape = &coupon_shape,
        .filters = BULK_OF_CUSTOMER | BULK_COUPONS,
        .kind = "state",
        .kinds = &coupon_state_names,
        .batch_max = BATCH_MAX,
        .names = coupon_names,
        .apply = coupons_apply,
        .page = coupons_page,
};
