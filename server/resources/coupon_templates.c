/* /v1/coupon-templates */
#include "coupons/coupons.h"
#include "resources/common.h"

struct template_path {
        const char *template;
};
#define SHAPE_T struct template_path
SHAPE(template_path, "A template.",
      FIELD(template, .in = IN_PATH, .need = true, .max = 50, .doc = "Its code."));
#undef SHAPE_T

ENDPOINT(
        coupon_template_put_one, PUT, "/v1/coupon-templates/{template}", coupon_template_in, 200,
        coupon_template, .status_hit = 201, .summary = "Create or replace a template of coupons",
        .scope = SCOPE_REWARDS_WRITE, .minimal = true, .errors = ERRS(ERR_STALE, ERR_CONFLICT),
        .doc = "What is left out has its default. If-Match is honoured. Coupons that are out keep what they were issued with.")
{
        bool created;

        TRY(coupon_template_put(c, in, c->reply->if_match, out, &created));
        c->reply->status = created ? 201 : 200;
        if (created)
                c->reply->location = arena_printf(c->arena, "/v1/coupon-templates/%s", out->code);
        return ERR_OK;
}

ENDPOINT(coupon_template_get_one, GET, "/v1/coupon-templates/{template}", template_path, 200, coupon_template,
         .summary = "Get a template of coupons", .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_NOT_FOUND),
         .doc = "Its newest version.")
{
        return coupon_template_get(c, in->template, out);
}

ENDPOINT(coupon_template_delete, DELETE, "/v1/coupon-templates/{template}", template_path, 200,
         coupon_template, .summary = "Issue no more coupons of a template", .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND, ERR_STALE, ERR_CONFLICT),
         .doc = "Switches it off. It stays to be read, and coupons that are out stay good.")
{
        return coupon_template_close(c, in->template, c->reply->if_match, out);
}

ENDPOINT(
        coupon_issue_many, POST, "/v1/coupon-templates/{template}/coupons", coupon_batch_in, 201,
        coupon_batch, .status_hit = 200, .idempotency = IDEMPOTENCY_NATURAL, .summary = "Issue many coupons",
        .scope = SCOPE_REWARDS_WRITE,
        .errors = ERRS(ERR_NOT_FOUND, ERR_COUPON_SOLD_OUT, ERR_COUPON_DIFFERS, ERR_CONFLICT),
        .doc = "For whoever bears them, all or none: to print, or to send. More than a thousand are several calls.")
{
        bool known;

        TRY(coupon_issue_batch(c, in, out, &known));
        c->reply->idempotency_hit = known;
        c->reply->status = known ? 200 : 201;
        if (!known)
                c->reply->location = arena_printf(c->arena, "/v1/coupons?template=%s", out->template);
        return ERR_OK;
}

struct templates_query {
        PAGE_QUERY;
};
#define SHAPE_T struct templates_query
SHAPE(templates_query, "Which page.", PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct templates_page {
        PAGE_OF(struct coupon_template);
};
#define SHAPE_T struct templates_page
SHAPE(templates_page, "A page of templates.", PAGE_FIELDS(coupon_template));
#undef SHAPE_T

struct templates_position {
        const char *code;
};
#define SHAPE_T struct templates_position
SHAPE(templates_position, "The last one shown.", FIELD(code));
#undef SHAPE_T

ENDPOINT(coupon_template_list, GET, "/v1/coupon-templates", templates_query, 200, templates_page,
         .summary = "List templates of coupons", .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_BAD_CURSOR),
         .doc = "By code, those that are switched off too.")
{
        struct templates_position at = {0};
        struct list rows;

        TRY(cursor_read(c, in->cursor, "coupon templates", &templates_position_shape, &at));
        TRY(coupon_templates(c, &(struct coupon_template_page){at.code, in->limit + 1}, &rows));
        const struct coupon_template *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.code = last->code;
                out->next_cursor = cursor_write(c->arena, "coupon templates", &templates_position_shape, &at);
        }
        return ERR_OK;
}

RESOURCE(coupon_templates, "Coupon templates", "What coupons promise.", &coupon_template_list_endpoint,
         &coupon_template_put_one_endpoint, &coupon_template_get_one_endpoint,
         &coupon_template_delete_endpoint, &coupon_issue_many_endpoint);
