/* Issuing many at once, for whoever bears them. */
#include <stdlib.h>

#include "audit/audit.h"
#include "coupons/store.h"

static enum err template_may(struct ctx *c, const char *code, struct coupon_template *ret)
{
        bool found;

        TRY(coupon_template_newest(c, code, ret, &found));
        if (!found)
                return fail(c, ERR_NOT_FOUND, "There is no coupon template %s.", code);
        return coupon_limits_check(c, ret, /* customer_id= */ (struct uuid){0});
}

struct issue_keys {
        const char *template;
        struct texts keys;
};
#define SHAPE_T struct issue_keys
SHAPE(issue_keys, "Issues of a template.", FIELD(template), FIELD(keys));
#undef SHAPE_T

SQL_MANY(issued_under, issue_keys, coupon,
         "SELECT " COUPON_COLUMNS
         " FROM coupons WHERE template = :template AND issue_key = ANY(:keys) ORDER BY id")

static void batch_show(struct ctx *c, const struct coupon *coupons, size_t n, struct coupon_batch *ret)
{
        *ret = (struct coupon_batch){.template = coupons->template,
                                     .template_version = coupons->template_version,
                                     .valid_from = coupons->valid_from,
                                     .expires_at = coupons->expires_at,
                                     .codes = {ARENA_ARRAY(c->arena, n, const char *), n}};
        for (size_t i = 0; i < n; i++)
                ret->codes.v[i] = coupons[i].code;
}

/* The coupons that this key names already, in the order of their keys: n of them, or none. */
static enum err batch_find(struct ctx *c, const struct issue_keys *keys, const char *key, struct coupon *ret,
                           bool *ret_found)
{
        struct list rows;

        TRY(issued_under(c, keys, &rows));
        const struct coupon *known = rows.v;
        *ret_found = rows.n > 0;
        /* one beyond those that are asked for tells a smaller number from the same one */
        if (rows.n > 0 && rows.n != keys->keys.n - 1)
                return fail(c, ERR_COUPON_DIFFERS, "Another number of coupons was issued under the key %s.",
                            key);
        for (size_t i = 0; i < rows.n; i++) {
                size_t at = (size_t)strtoull(strrchr(known[i].issue_key, '/') + 1, NULL, /* base= */ 10) - 1;
                ret[at] = known[i];
        }
        return ERR_OK;
}

/* Issue n for these keys, and count them; coupons[i] is that of keys[i]. */
static enum err store(struct ctx *c, const struct coupon_template *template, const char *const *keys,
                      size_t n, enum coupon_source source, struct uuid origin_id, struct coupon *coupons)
{
        struct event_list events = {0};
        struct coupon_card *cards = ARENA_ARRAY(c->arena, n, struct coupon_card);
        struct coupon_book book = {.arena = c->arena, .cards = {cards, n}, .events = &events};

        for (size_t i = 0; i < n; i++) {
                cards[i] = (struct coupon_card){
                        .coupon = coupon_new(c->arena, c->shop, c->now, template, source, keys[i]),
                        .template = template};
                cards[i].coupon.origin_id = origin_id;
                coupon_issue(&book, &cards[i], c->now);
                coupons[i] = cards[i].coupon;
        }
        TRY(coupons_store(c, &book));
        return coupon_count(c, template, (int64_t)n, "has fewer left");
}

static enum err batch_audit(struct ctx *c, const char *template)
{
        return audit_write(
                c, &(struct audit_change){
                           .subject = arena_printf(c->arena, "/v1/coupon-templates/%s/coupons", template)});
}

enum err coupon_issue_batch(struct ctx *c, const struct coupon_batch_in *in, struct coupon_batch *ret,
                            bool *ret_known)
{
        struct coupon_template template;
        size_t n = (size_t)in->count;
        struct issue_keys keys = {in->template, {ARENA_ARRAY(c->arena, n + 1, const char *), n + 1}};
        struct coupon *coupons = ARENA_ARRAY(c->arena, n + 1, struct coupon);

        for (size_t i = 0; i <= n; i++)
                keys.keys.v[i] = arena_printf(c->arena, "%s/%zu", in->key, i + 1);
        TRY(batch_find(c, &keys, in->key, coupons, ret_known));
        if (!*ret_known) {
                TRY(template_may(c, in->template, &template));
                TRY(store(c, &template, keys.keys.v, n, COUPON_SOURCE_API, /* origin_id= */ (struct uuid){0},
                          coupons));
                TRY(batch_audit(c, in->template));
        }
        batch_show(c, coupons, n, ret);
        return ERR_OK;
}

/* ------------------------------------------------------------------ by a job */

#define SHAPE_T struct coupon_wanted
SHAPE(coupon_wanted, "One of many coupons.", FIELD(template, .need = true, .max = 50),
      FIELD(key, .need = true, .min = 1, .max = 200, .format = &format_printable));
#undef SHAPE_T

static int by_key(const void *a, const void *b)
{
        return strcmp(((const struct coupon *)a)->issue_key, ((const struct coupon *)b)->issue_key);
}

/* Those that were issued before, found; the keys of the others. */
static enum err lines_known(struct ctx *c, const char *template, struct coupon_call *calls, size_t n,
                            struct texts *ret_new)
{
        struct issue_keys keys = {template, {ARENA_ARRAY(c->arena, n, const char *), n}};
        struct list rows;

        for (size_t i = 0; i < n; i++)
                keys.keys.v[i] = calls[i].in->key;
        TRY(issued_under(c, &keys, &rows));
        if (rows.n > 0)
                qsort(rows.v, rows.n, sizeof(struct coupon), by_key);
        ret_new->v = keys.keys.v;
        ret_new->n = 0;
        for (size_t i = 0; i < n; i++) {
                const struct coupon wanted = {.issue_key = calls[i].in->key};
                const struct coupon *found =
                        rows.n > 0 ? bsearch(&wanted, rows.v, rows.n, sizeof wanted, by_key) : NULL;
                calls[i].known = found != NULL;
                if (found != NULL)
                        calls[i].coupon = *found;
                else
                        ret_new->v[ret_new->n++] = calls[i].in->key;
        }
        return ERR_OK;
}

/* How many of so many the total limit leaves, as it is seen without a lock: coupon_count judges. */
static size_t left_of(const struct coupon_template *template, size_t wanted)
{
        int64_t left = template->total_limit.set ? template->total_limit.v - template->issued : INT64_MAX;

        if (left <= 0)
                return 0;
        return (uint64_t)left < wanted ? (size_t)left : wanted;
}

enum err coupon_job_check(struct ctx *c, const char *template)
{
        struct coupon_template found;

        return template_may(c, template, &found);
}

enum err coupon_issue_lines(struct ctx *c, struct uuid job_id, struct coupon_call *calls, size_t n)
{
        const char *code = calls[0].in->template;
        struct coupon_template template;
        struct texts keys;
        size_t at = 0;

        TRY(lines_known(c, code, calls, n, &keys));
        if (keys.n == 0)
                return ERR_OK;
        TRY(template_may(c, code, &template));
        size_t granted = left_of(&template, keys.n);
        struct coupon *coupons = ARENA_ARRAY(c->arena, granted, struct coupon);
        if (granted > 0)
                TRY(store(c, &template, keys.v, granted, COUPON_SOURCE_JOB, job_id, coupons));
        for (size_t i = 0; i < n; i++) {
                if (calls[i].known)
                        continue;
                if (at < granted)
                        calls[i].coupon = coupons[at++];
                else
                        calls[i].err = coupon_sold_out(calls[i].c, &template, "has reached its total limit");
        }
        return ERR_OK;
}
