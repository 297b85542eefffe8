/* /v1/coupon-templates */
#include "coupons/coupons.h"
#include "jobs/lines.h"
#include "resources/bulk.h"

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

ENDPOINT(coupon_issue_many, POST, "/v1/coupon-templates/{template}/coupons", coupon_batch_in, 201,
         coupon_batch, .status_hit = 200, .idempotency = IDEMPOTENCY_NATURAL, .summary = "Issue many coupons",
         .scope = SCOPE_REWARDS_WRITE,
         .errors = ERRS(ERR_NOT_FOUND, ERR_COUPON_SOLD_OUT, ERR_COUPON_DIFFERS, ERR_CONFLICT),
         .doc = "For whoever bears them, all or none: to print, or to send. More than a thousand are a job.")
{
        bool known;

        TRY(coupon_issue_batch(c, in, out, &known));
        c->reply->idempotency_hit = known;
        c->reply->status = known ? 200 : 201;
        if (!known)
                c->reply->location = arena_printf(c->arena, "/v1/coupons?template=%s", out->template);
        return ERR_OK;
}

/* More is a print run that a shop should look at before it begins. */
#define COUPON_JOB_MAX 1000000

struct coupon_job_in {
        const char *template, *key;
        int64_t count;
};
#define SHAPE_T struct coupon_job_in
SHAPE(coupon_job_in, "Coupons to issue by a job.",
      FIELD(template, .in = IN_PATH, .need = true, .max = 50, .doc = "Its code."),
      FIELD(count, .need = true, .min = 1, .max = COUPON_JOB_MAX, .doc = "How many."),
      FIELD(key, .need = true, .min = 1, .max = 150, .format = &format_printable,
            .doc = "The shop's own name for them, unique for the template for ever: the n-th coupon has the issue key <key>/<n> and is issued once, by whatever job."));
#undef SHAPE_T

static void coupon_line_write(struct text *out, int64_t no, const void *arg)
{
        const struct coupon_job_in *in = arg;
        struct text key = {0};

        text_printf(&key, "%s/%lld", in->key, (long long)no);
        text_puts(out, "{\"template\":");
        text_put_json(out, in->template);
        text_puts(out, ",\"key\":");
        text_put_json(out, key.data);
        text_putc(out, '}');
        text_free(&key);
}

ENDPOINT(
        coupon_job_create, POST, "/v1/coupon-templates/{template}/jobs", coupon_job_in, 201, job_view,
        .lane = LANE_BULK, .idempotency = IDEMPOTENCY_NATURAL, .summary = "Issue very many coupons by a job",
        .scope = SCOPE_REWARDS_WRITE, .errors = ERRS(ERR_NOT_FOUND, ERR_COUPON_SOLD_OUT),
        .doc = "For whoever bears them. The job is seen, watched and cancelled under /v1/jobs; the codes are had from "
               "/v1/exports/coupons?job=<id>. Where the total limit ends it, the lines beyond say coupons-sold-out. Sent again, with "
               "the same key or a larger count, a job issues only what is not there yet.")
{
        const struct made_lines lines = {in->count, coupon_line_write, in};
        struct job job = {.type = (unsigned)names_find(&bulk_type_names, "coupons"),
                          .key_id = c->principal->key_id};

        TRY(coupon_job_check(c, in->template));
        TRY(job_of_lines(c, &job, &lines, &job));
        job_show(c, &job, out);
        c->reply->location = bulk_job_path(c, &job);
        return ERR_OK;
}

struct templates_query {
        SORT_QUERY;
        PAGE_QUERY;
};
#define SHAPE_T struct templates_query
SHAPE(templates_query, "Which page.", SORT_FIELD(coupon_template_sort_names, "code"), PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct templates_page {
        PAGE_OF(struct coupon_template);
};
#define SHAPE_T struct templates_page
SHAPE(templates_page, "A page of templates.", PAGE_FIELDS(coupon_template));
#undef SHAPE_T

ENDPOINT(coupon_template_list, GET, "/v1/coupon-templates", templates_query, 200, templates_page,
         .summary = "List templates of coupons", .scope = SCOPE_REWARDS_READ, .errors = ERRS(ERR_BAD_CURSOR),
         .doc = "By code unless sort says otherwise, those that are switched off too.")
{
        struct coupon_template_page page = {PAGING(in, out)};
        struct page_rows rows;
        const char *filters = list_filters(c, &templates_query_shape, in);

        TRY(sorted_begin(c, in->cursor, filters, &page.page));
        TRY(coupon_templates(c, &page, &rows));
        SORTED_FILL(c, out, rows, filters);
        return ERR_OK;
}

RESOURCE(coupon_templates, "Coupon templates", "What coupons promise.", &coupon_template_list_endpoint,
         &coupon_template_put_one_endpoint, &coupon_template_get_one_endpoint,
         &coupon_template_delete_endpoint, &coupon_issue_many_endpoint, &coupon_job_create_endpoint);
