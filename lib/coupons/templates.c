/* Templates: every version is kept, for coupons refer to the one they were issued under. */
#include "audit/audit.h"
#include "coupons/store.h"
#include "db/page.h"

struct template_key {
        const char *code;
};
#define SHAPE_T struct template_key
SHAPE(template_key, "A template.", FIELD(code));
#undef SHAPE_T

NAMES(coupon_template_sort_names, "code", "-code", "created_at", "-created_at");

#define SHAPE_T struct coupon_template_page
SHAPE(coupon_template_page, "A position.", NEST(page, paging));
#undef SHAPE_T

SQL_OPT(template_newest, template_key, coupon_template,
        "SELECT " COUPON_TEMPLATE_COLUMNS " FROM " COUPON_TEMPLATE_ROWS "WHERE s.code = :code")
SQL_LIST(templates_sorted, coupon_template_page, coupon_template, COUPON_TEMPLATE_COLUMNS,
         COUPON_TEMPLATE_ROWS "WHERE true", "s.", "code", coupon_template_sort_names)
SQL_EXEC(
        template_insert, coupon_template,
        "INSERT INTO coupon_templates (code, version, name, kind, off_minor, off_permille, max_off_minor, threshold_minor, "
        "goods, valid_from, valid_until, valid_days, per_customer_limit, total_limit, with_tier_discount, "
        "with_full_reduction, with_points, with_coupons, returns_on_refund, returned_days, active, created_at) VALUES (:code, "
        ":version, :name, :kind, :off_minor, :off_permille, :max_off_minor, :threshold_minor, :goods, :valid_from, "
        ":valid_until, :valid_days, :per_customer_limit, :total_limit, :with_tier_discount, :with_full_reduction, "
        ":with_points, :with_coupons, :returns_on_refund, :returned_days, :active, :updated_at)")
SQL_EXEC(stock_insert, template_key,
         "INSERT INTO coupon_stocks (template, issued, created_at) VALUES (:code, 0, :now)")

enum err coupon_template_newest(struct ctx *c, const char *code, struct coupon_template *ret, bool *ret_found)
{
        TRY(template_newest(c, &(struct template_key){code}, ret, ret_found));
        return *ret_found ? coupon_template_compile(c, ret) : ERR_OK;
}

enum err coupon_template_get(struct ctx *c, const char *code, struct coupon_template *ret)
{
        bool found;

        TRY(template_newest(c, &(struct template_key){code}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no coupon template %s.", code);
}

enum err coupon_templates(struct ctx *c, const struct coupon_template_page *page, struct page_rows *ret)
{
        return templates_sorted(c, page, ret);
}

/* The next version, whoever wants it: two at once meet in the key, and one of them is run again. */
static enum err store_version(struct ctx *c, const struct coupon_template *before,
                              struct coupon_template *next)
{
        next->version = before != NULL ? before->version + 1 : 1;
        next->updated_at = c->now;
        next->created_at = before != NULL ? before->created_at : c->now;
        next->issued = before != NULL ? before->issued : 0;
        TRY(template_insert(c, next));
        if (before == NULL)
                TRY(stock_insert(c, &(struct template_key){next->code}));
        return audit_write(c, &(struct audit_change){.subject = arena_printf(
                                                             c->arena, "/v1/coupon-templates/%s", next->code),
                                                     .shape = &coupon_template_shape,
                                                     .before = before,
                                                     .after = next});
}

static enum err expect(struct ctx *c, const char *code, int64_t known, int64_t expected)
{
        if (expected == 0 || expected == known)
                return ERR_OK;
        problem_int(c, "version", known);
        return fail(c, ERR_STALE, "The template %s is at version %lld, not %lld.", code, (long long)known,
                    (long long)expected);
}

#define TAKE(field) .field = in->field

enum err coupon_template_put(struct ctx *c, const struct coupon_template_in *in, int64_t expected_version,
                             struct coupon_template *ret, bool *ret_created)
{
        bool found;
        struct coupon_template before;
        struct coupon_template next = {
                .code = in->template,
                TAKE(name),
                TAKE(kind),
                TAKE(off_minor),
                TAKE(off_permille),
                TAKE(max_off_minor),
                TAKE(threshold_minor),
                TAKE(goods),
                TAKE(valid_from),
                TAKE(valid_until),
                TAKE(valid_days),
                TAKE(per_customer_limit),
                TAKE(total_limit),
                TAKE(with_tier_discount),
                TAKE(with_full_reduction),
                TAKE(with_points),
                TAKE(with_coupons),
                TAKE(returns_on_refund),
                TAKE(returned_days),
                TAKE(active),
        };

        TRY(coupon_template_compile(c, &next));
        TRY(template_newest(c, &(struct template_key){in->template}, &before, &found));
        TRY(expect(c, in->template, found ? before.version : 0, expected_version));
        TRY(store_version(c, found ? &before : NULL, &next));
        *ret = next;
        *ret_created = !found;
        return ERR_OK;
}

enum err coupon_template_close(struct ctx *c, const char *code, int64_t expected_version,
                               struct coupon_template *ret)
{
        struct coupon_template before;

        TRY(coupon_template_get(c, code, &before));
        TRY(expect(c, code, before.version, expected_version));
        *ret = before;
        ret->active = false;
        return before.active ? store_version(c, &before, ret) : ERR_OK;
}
