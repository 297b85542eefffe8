#include "coupons/store.h"

#include "audit/audit.h"
#include "coupons/offers.h"

struct codes_key {
        struct texts codes;
};
#define SHAPE_T struct codes_key
SHAPE(codes_key, "Codes.", FIELD(codes));
#undef SHAPE_T

SQL_LATER(coupons_lock, codes_key, coupon,
          "SELECT " COUPON_COLUMNS " FROM coupons WHERE code = ANY(:codes) ORDER BY code FOR NO KEY UPDATE")
SQL_LATER(coupons_look, codes_key, coupon, "SELECT " COUPON_COLUMNS " FROM coupons WHERE code = ANY(:codes)")

/* What was promised never changes: no lock. OFFSET 0 keeps the look-up by key. */
#define COUPON_TEMPLATES_OF "t.* FROM (SELECT DISTINCT template AS t, template_version AS v FROM "
#define COUPON_TEMPLATES_AS                                                                                              \
        ") AS k, LATERAL (SELECT code, version, name, kind, off_minor, off_permille, "                                   \
        "max_off_minor, threshold_minor, goods, valid_from, valid_until, valid_days, per_customer_limit, total_limit, "  \
        "with_tier_discount, with_full_reduction, with_points, with_coupons, returns_on_refund, returned_days, active, " \
        "0::bigint AS issued, created_at, created_at AS updated_at FROM coupon_templates "                               \
        "WHERE code = k.t AND version = k.v OFFSET 0) AS t"
SQL_LATER(templates_of, codes_key, coupon_template,
          "SELECT " COUPON_TEMPLATES_OF "coupons WHERE code = ANY(:codes)" COUPON_TEMPLATES_AS)

/* Coupons exist, and change only what can change; new ones come with their first change. due_at, when the
 * housekeeper looks next, stays where one is used or withdrawn: of what changes then nothing else is indexed,
 * so the row can be updated within its page. */
SQL_BATCH(
        coupons_upsert, coupon,
        "INSERT INTO coupons (" COUPON_COLUMNS ", due_at) SELECT *, "
        "CASE state WHEN 'locked' THEN locked_until WHEN 'available' THEN expires_at END "
        "FROM unnest(:code, :id, :template, :template_version, "
        ":customer_id, :state, :source, :issue_key, :valid_from, :expires_at, :session, :locked_at, :locked_until, "
        ":used_by, :order_id, :redemption, :off_minor, :redeemed_at, :changes, :created_at, :origin_id) "
        "AS n (" COUPON_COLUMNS ") "
        "ON CONFLICT (code) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, "
        "session = excluded.session, locked_at = excluded.locked_at, locked_until = excluded.locked_until, "
        "used_by = excluded.used_by, order_id = excluded.order_id, redemption = excluded.redemption, "
        "off_minor = excluded.off_minor, redeemed_at = excluded.redeemed_at, changes = excluded.changes, "
        "due_at = CASE WHEN excluded.state IN ('redeemed', 'revoked') THEN coupons.due_at ELSE excluded.due_at END "
        "WHERE coupons.id = excluded.id")
SQL_BATCH(
        coupon_history_insert, coupon_change,
        "INSERT INTO coupon_history (code, change_no, action, state, customer_id, order_id, reference, created_at) "
        "SELECT * FROM unnest(:code, :change_no, :action, :state, :customer_id, :order_id, :reference, :created_at)")

struct origins_key {
        struct uuids orders;
};
#define SHAPE_T struct origins_key
SHAPE(origins_key, "Orders.", FIELD(orders));
#undef SHAPE_T

SQL_LATER(coupons_lock_from, origins_key, coupon,
          "SELECT " COUPON_COLUMNS
          " FROM coupons WHERE origin_id = ANY(:orders) AND source = 'order' ORDER BY code FOR NO KEY UPDATE")
SQL_LATER(templates_from, origins_key, coupon_template,
          "SELECT " COUPON_TEMPLATES_OF
          "coupons WHERE origin_id = ANY(:orders) AND source = 'order'" COUPON_TEMPLATES_AS)

enum err coupons_from_later(struct ctx *c, const struct uuids *orders, struct coupon_rows *ret)
{
        const struct origins_key key = {*orders};

        TRY(coupons_lock_from(c, &key, &ret->coupons));
        return templates_from(c, &key, &ret->templates);
}

enum err coupons_later(struct ctx *c, const struct texts *codes, struct coupon_rows *ret)
{
        struct codes_key key = {*codes};

        TRY(coupons_lock(c, &key, &ret->coupons));
        return templates_of(c, &key, &ret->templates);
}

static const struct coupon_template *template_of(const struct list *templates, const struct coupon *coupon)
{
        const struct coupon_template *rows = templates->v;

        for (size_t i = 0; i < templates->n; i++)
                if (rows[i].version == coupon->template_version &&
                    strcmp(rows[i].code, coupon->template) == 0)
                        return &rows[i];
        return NULL;
}

enum err coupons_give(struct ctx *c, const struct coupon_rows *rows, struct coupon_book *book)
{
        struct coupon_template *templates = rows->templates.v;
        const struct coupon *coupons = rows->coupons.v;
        struct coupon_card *cards =
                ARENA_ARRAY(c->arena, book->cards.n + rows->coupons.n, struct coupon_card);

        for (size_t i = 0; i < rows->templates.n; i++)
                TRY(coupon_template_compile(c, &templates[i]));
        for (size_t i = 0; i < book->cards.n; i++)
                cards[i] = book->cards.v[i];
        book->cards.v = cards;
        for (size_t i = 0; i < rows->coupons.n; i++) {
                if (coupon_book_find(book, coupons[i].code) != NULL)
                        continue;
                const struct coupon_template *template = template_of(&rows->templates, &coupons[i]);
                if (template == NULL)
                        return fail(c, ERR_INTERNAL, "The coupon %s has no template.", coupons[i].code);
                book->cards.v[book->cards.n++] =
                        (struct coupon_card){.coupon = coupons[i], .template = template};
        }
        return ERR_OK;
}

enum err coupons_store(struct ctx *c, const struct coupon_book *book)
{
        struct coupon *coupons;
        size_t n = 0;

        if (book->history.n == 0)
                return ERR_OK;
        coupons = ARENA_ARRAY(c->arena, book->cards.n, struct coupon);
        for (size_t i = 0; i < book->cards.n; i++)
                if (book->cards.v[i].changed)
                        coupons[n++] = book->cards.v[i].coupon;
        TRY(coupons_upsert(c, coupons, n));
        return coupon_history_insert(c, book->history.v, book->history.n);
}

enum err coupons_read(struct ctx *c, const struct texts *codes, struct coupon_book *book)
{
        struct codes_key key = {*codes};
        struct coupon_rows rows = {0};

        TRY(coupons_look(c, &key, &rows.coupons));
        TRY(templates_of(c, &key, &rows.templates));
        TRY(db_flush(c));
        return coupons_give(c, &rows, book);
}

/* ------------------------------------------------------------------ one coupon */

enum err coupon_code_of(struct ctx *c, const char *typed, const char **ret)
{
        char code[COUPON_CODE_SIZE];

        if (coupon_code_read(typed, code) != COUPON_CODE_OK)
                return fail(c, ERR_COUPON_MISTYPED,
                            "\"%s\" is no coupon's code: a character is wrong or missing.", typed);
        *ret = arena_strdup(c->arena, code);
        return ERR_OK;
}

enum err coupon_open(struct ctx *c, const char *typed, struct coupon_one *ret)
{
        const char *code;
        struct coupon_rows rows = {0};

        TRY(coupon_code_of(c, typed, &code));
        *ret = (struct coupon_one){.book.arena = c->arena};
        ret->book.events = &ret->events;
        TRY(coupons_later(c, &(struct texts){&code, 1}, &rows));
        TRY(db_flush(c));
        TRY(coupons_give(c, &rows, &ret->book));
        ret->card = coupon_book_find(&ret->book, code);
        return ret->card != NULL ? ERR_OK : fail(c, ERR_NOT_FOUND, "There is no coupon %s.", code);
}

enum err coupon_close(struct ctx *c, const struct coupon_one *one, const struct coupon *before)
{
        const struct coupon *after = &one->card->coupon;

        TRY(coupons_store(c, &one->book));
        TRY(events_store(c, &one->events));
        return audit_write(
                c, &(struct audit_change){.customer_id = after->customer_id,
                                          .subject = arena_printf(c->arena, "/v1/coupons/%s", after->code),
                                          .shape = &coupon_shape,
                                          .before = before,
                                          .after = after});
}

enum err coupon_get(struct ctx *c, const char *typed, struct coupon *ret)
{
        const char *code;
        struct list rows = {0};

        TRY(coupon_code_of(c, typed, &code));
        TRY(coupons_look(c, &(struct codes_key){{&code, 1}}, &rows));
        TRY(db_flush(c));
        if (rows.n == 0)
                return fail(c, ERR_NOT_FOUND, "There is no coupon %s.", code);
        *ret = *(const struct coupon *)rows.v;
        ret->state = coupon_state_at(ret, c->now);
        return ERR_OK;
}
