#include "birthdays/birthdays.h"

#include "birthdays/occasion.h"
#include "coupons/offers.h"
#include "customers/tags.h"
#include "db/statement.h"
#include "orders/desk.h"
#include "points/points.h"
#include "program/programs.h"
#include "tiers/tiers.h"

struct pass {
        const char *rule;
        struct date done_on;
};
#define SHAPE_T struct pass
SHAPE(pass, "When everybody was looked at for a rule.", FIELD(rule), FIELD(done_on));
#undef SHAPE_T

SQL_OPT(pass_load, pass, pass, "SELECT rule, done_on FROM birthday_passes WHERE rule = :rule")
SQL_EXEC(pass_store, pass,
         "INSERT INTO birthday_passes AS p (rule, done_on) VALUES (:rule, :done_on) ON CONFLICT (rule) "
         "DO UPDATE SET done_on = greatest(p.done_on, excluded.done_on)")

/* Who has a birthday, by id, and was not given this rule's after a day. */
struct celebrating {
        const char *first, *last, *rule;
        struct date given_after;
        struct uuid after;
        struct uuids ids;
        int64_t limit;
};
#define SHAPE_T struct celebrating
SHAPE(celebrating, "Birthdays of a rule.", FIELD(first), FIELD(last), FIELD(rule), FIELD(given_after),
      FIELD(after), FIELD(ids), FIELD(limit));
#undef SHAPE_T

struct celebrant {
        struct uuid id;
};
#define SHAPE_T struct celebrant
SHAPE(celebrant, "Somebody with a birthday.", FIELD(id));
#undef SHAPE_T

SQL_MANY(
        celebrants_find, celebrating, celebrant,
        "SELECT id FROM customers c WHERE birthday IS NOT NULL AND right(birthday, 5) BETWEEN :first AND :last "
        "AND (:after IS NULL OR id > :after) AND NOT EXISTS (SELECT FROM birthday_gifts g WHERE g.customer_id = c.id "
        "AND g.rule = :rule AND g.occasion > :given_after) ORDER BY id LIMIT :limit")
SQL_LATER(
        celebrants_given, celebrating, celebrant,
        "SELECT DISTINCT customer_id AS id FROM birthday_gifts WHERE customer_id = ANY(:ids) AND rule = :rule "
        "AND occasion > :given_after")

struct gift {
        struct uuid customer_id;
        const char *rule;
        struct date occasion;
        int64_t points;
        struct instant given_at;
};
#define SHAPE_T struct gift
SHAPE(gift, "What a birthday brought.", FIELD(customer_id), FIELD(rule), FIELD(occasion), FIELD(points),
      FIELD(given_at));
#undef SHAPE_T

SQL_BATCH(gifts_insert, gift,
          "INSERT INTO birthday_gifts (customer_id, rule, occasion, points, given_at) "
          "SELECT * FROM unnest(:customer_id, :rule, :occasion, :points, :given_at)")

/* ------------------------------------------------------------------ some customers */

struct task {
        const struct program *program;
        const struct birthday_rule *rule;
        const struct occasion *occasion;
        const struct uuid *ids;
};

/* Some customers in one transaction. */
struct party {
        struct ctx *c;
        const struct task *task;
        struct session session;
        struct desk *desks;
        size_t count;
        struct gift *gifts;
        size_t gift_count;
};

static struct celebrating celebrating_of(const struct task *task)
{
        return (struct celebrating){.first = task->occasion->first,
                                    .last = task->occasion->last,
                                    .rule = task->rule->code,
                                    .given_after = occasion_last_before(task->occasion)};
}

static bool among(struct uuid id, const struct list *celebrants)
{
        for (size_t i = 0; i < celebrants->n; i++)
                if (uuid_equal(((const struct celebrant *)celebrants->v)[i].id, id))
                        return true;
        return false;
}

/* Behind their locks: those whose birthday it still is, and who have not got it from another server. */
static void desks_fill(struct party *party, const struct list *customers, const struct list *given)
{
        struct customer *all = customers->v;

        party->desks = ARENA_ARRAY(party->c->arena, customers->n, struct desk);
        for (size_t i = 0; i < customers->n; i++)
                if (occasion_is_of(party->task->occasion, all[i].birthday) && !among(all[i].id, given))
                        party->desks[party->count++] =
                                (struct desk){.customer = &all[i], .book.account.customer_id = all[i].id};
}

static enum err accounts_give(struct party *party, const struct list *accounts, const struct list *lots,
                              const struct stand_rows *stands)
{
        struct ctx *c = party->c;
        struct session *s = &party->session;
        struct book **books = ARENA_ARRAY(c->arena, party->count, struct book *);
        struct stand **standings = ARENA_ARRAY(c->arena, party->count, struct stand *);

        for (size_t i = 0; i < party->count; i++) {
                struct desk *desk = &party->desks[i];
                for (size_t k = 0; k < accounts->n; k++) {
                        const struct points_account *account =
                                &((const struct points_account *)accounts->v)[k];
                        if (uuid_equal(account->customer_id, desk->customer->id))
                                desk->book.account = *account;
                }
                points_lots_give(c->arena, &desk->book, lots);
                desk->stand = stand_of(c->arena, s->program, stands, desk->customer->id,
                                       desk->customer->created_at);
                books[i] = &desk->book;
                standings[i] = &desk->stand;
        }
        TRY(stands_catch_up(c, s->program, c->now, standings, party->count, &s->events));
        return points_catch_up(c, books, party->count, &s->journal, c->now);
}

static enum err party_load(struct party *party, const struct uuids *ids)
{
        struct ctx *c = party->c;
        struct session *s = &party->session;
        struct celebrating known = celebrating_of(party->task);
        struct list locked = {0}, customers, given = {0}, accounts = {0}, lots = {0}, tags = {0};
        struct stand_rows stands = {0};
        struct coupon_offer_rows offers = {0};
        const char *templates[] = {party->task->rule->template};

        TRY(customers_lock_later(c, ids, &locked));
        TRY(customers_of(c, ids, &customers));
        known.ids = *ids;
        TRY(celebrants_given(c, &known, &given));
        TRY(points_accounts_later(c, ids, &accounts));
        TRY(points_lots_later(c, ids, &lots));
        TRY(stands_later(c, ids, /* from= */ (struct date){0}, &stands));
        if (templates[0] != NULL)
                TRY(coupon_offers_later(c, &(struct texts){templates, 1}, ids, &offers));
        if (expr_asks(party->task->rule->condition, FACT_TAGS))
                TRY(tags_later(c, ids, c->now, &tags));
        TRY(db_flush(c));
        TRY(coupon_offers_give(c, &offers, &s->offers));
        desks_fill(party, &customers, &given);
        for (size_t i = 0; i < party->count; i++)
                party->desks[i].tags = tags_of(c->arena, &tags, party->desks[i].customer->id);
        return accounts_give(party, &accounts, &lots, &stands);
}

static bool condition_holds(const struct party *party, const struct desk *desk, const struct moment *moment)
{
        const struct session *s = &party->session;
        struct expr_facts *facts = ARENA_NEW(s->arena, struct expr_facts);

        if (party->task->rule->condition == NULL)
                return true;
        facts->now = moment->at;
        facts->zone = &s->shop->zone;
        desk_facts(s, desk, moment, facts);
        return expr_true(party->task->rule->condition, facts);
}

/* The code of the coupon that the rule issues; NULL: it issues none, or its limits are reached. */
static const char *coupon_give(struct party *party, const struct desk *desk, const struct moment *moment)
{
        struct session *s = &party->session;
        const struct birthday_rule *rule = party->task->rule;
        struct coupon_card *card = NULL;
        char id[UUID_TEXT_SIZE];

        if (rule->template == NULL)
                return NULL;
        uuid_to_text(desk->customer->id, id);
        const struct coupon_wish wish = {
                .template = rule->template,
                .key = arena_printf(s->arena, "%s/%s/%d", rule->code, id, party->task->occasion->day.year),
                .customer_id = desk->customer->id,
                .source = COUPON_SOURCE_BIRTHDAY,
                .at = moment->at};
        return coupon_offer_take(&s->offers, session_coupons(s), s->shop, &wish, &card) == COUPON_ISSUED
                       ? card->coupon.code
                       : NULL;
}

static void give(struct party *party, struct desk *desk, const struct moment *moment)
{
        struct session *s = &party->session;
        const struct birthday_rule *rule = party->task->rule;
        int year = party->task->occasion->day.year;
        struct posting why = {.at = moment->at,
                              .cause = "birthday gift",
                              .reference = arena_printf(s->arena, "%s/%d", rule->code, year)};
        struct birthday_event event = {.rule = rule->code, .year = year, .points = rule->points};

        if (!condition_holds(party, desk, moment))
                return;
        event.coupon = coupon_give(party, desk, moment);
        if (event.coupon == NULL && rule->points == 0)
                return; /* while the template's limits last there is nothing to remember */
        if (rule->points > 0)
                book_earn(&desk->book, &s->journal, &why, rule->points, /* pending= */ false,
                          (struct instant){0});
        party->gifts[party->gift_count++] = (struct gift){
                desk->customer->id, rule->code, party->task->occasion->day, rule->points, moment->at};
        event_add(s->arena, &s->events, EVENT_BIRTHDAY_GIVEN, desk->customer->id, moment->at,
                  &birthday_event_shape, &event);
}

static enum err party_store(struct party *party)
{
        struct ctx *c = party->c;
        struct session *s = &party->session;
        struct book **books = ARENA_ARRAY(c->arena, party->count, struct book *);
        struct stand **stands = ARENA_ARRAY(c->arena, party->count, struct stand *);

        for (size_t i = 0; i < party->count; i++) {
                books[i] = &party->desks[i].book;
                stands[i] = &party->desks[i].stand;
        }
        TRY(gifts_insert(c, party->gifts, party->gift_count));
        TRY(points_store(c, books, party->count, &s->journal));
        TRY(stands_store(c, stands, party->count));
        TRY(coupons_store(c, &s->coupons));
        TRY(coupon_offers_store(c, &s->offers));
        return events_store(c, &s->events);
}

static enum err party_run(struct ctx *c, const struct piece_of_work *piece)
{
        const struct task *task = piece->arg;
        TX(tx);
        struct party party = {
                .c = c,
                .task = task,
                .session = {.arena = c->arena,
                            .program = task->program,
                            .shop = c->shop,
                            .journal = journal_of(c, task->program)},
                .gifts = ARENA_ARRAY(c->arena, piece->n, struct gift),
        };
        struct uuids ids = {ARENA_ARRAY(c->arena, piece->n, struct uuid), piece->n};
        struct moment moment = moment_of(c->shop, c->now);

        for (size_t i = 0; i < piece->n; i++)
                ids.v[i] = task->ids[piece->from + i];
        TRY(tx_begin(c, &tx));
        TRY(party_load(&party, &ids));
        for (size_t i = 0; i < party.count; i++)
                give(&party, &party.desks[i], &moment);
        TRY(party_store(&party));
        return tx_commit(&tx);
}

/* ------------------------------------------------------------------ everybody */

static enum err occasion_celebrate(struct ctx *c, struct task *task, const struct share *share,
                                   bool *ret_done)
{
        const struct pieces pieces = {(size_t)share->most, share->may_go_on, party_run, task};
        struct celebrating query = celebrating_of(task);
        struct list found;

        query.limit = FOUND_MAX;
        do {
                TRY(celebrants_find(c, &query, &found));
                struct uuid *ids = ARENA_ARRAY(c->arena, found.n, struct uuid);
                for (size_t i = 0; i < found.n; i++)
                        ids[i] = ((const struct celebrant *)found.v)[i].id;
                task->ids = ids;
                TRY(db_run_pieces(c, found.n, &pieces, ret_done));
                if (found.n > 0)
                        query.after = ids[found.n - 1];
        } while (*ret_done && found.n == FOUND_MAX);
        return ERR_OK;
}

static enum err pass_note(struct ctx *c, void *arg)
{
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(pass_store(c, arg));
        return tx_commit(&tx);
}

/* Everybody whom a rule is about today, once a day. */
static enum err rule_celebrate(struct ctx *c, const struct program *program, const struct birthday_rule *rule,
                               const struct share *share)
{
        struct pass pass = {.rule = rule->code}, before = {0};
        struct date today = zone_date(&c->shop->zone, c->now);
        bool found, done = true;

        TRY(pass_load(c, &pass, &before, &found));
        if (!occasion_rule_runs(rule, today) || (found && date_compare(before.done_on, today) >= 0))
                return ERR_OK;
        struct occasions occasions = occasions_of(c->arena, rule, before.done_on, today);
        for (size_t i = 0; i < occasions.n && done; i++) {
                struct task task = {.program = program, .rule = rule, .occasion = &occasions.v[i]};
                TRY(occasion_celebrate(c, &task, share, &done));
        }
        if (!done)
                return ERR_OK; /* the rest another time */
        pass.done_on = today;
        return db_run(c, pass_note, &pass);
}

enum err birthdays_give_due(struct ctx *c, const struct share *share, bool *ret_more)
{
        PROGRAM(program);

        *ret_more = false;
        for (size_t i = 0; i < program->birthdays.n; i++)
                TRY(rule_celebrate(c, program, &program->birthdays.v[i], share));
        return ERR_OK;
}
