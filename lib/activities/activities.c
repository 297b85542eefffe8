#include "activities/activities.h"

#include <assert.h>

#include "activities/limits.h"
#include "audit/audit.h"
#include "base/shape_json.h"
#include "customers/customers.h"
#include "db/page.h"
#include "events/events.h"
#include "points/store.h"
#include "program/programs.h"
#include "tiers/tiers.h"

NAMES(activity_state_names, "paid", "not_paid", "waiting", "taken_back");

#define SHAPE_T struct activity
SHAPE(activity, "Something that a customer did.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(id, .need = true), FIELD(key, .need = true, .doc = "The shop's own name of it."),
      FIELD(type, .need = true, .names = &activity_type_names), FIELD(code, .doc = "Of a custom one."),
      FIELD(referred_id, .doc = "Of a referral: who was referred."),
      FIELD(state, .need = true, .names = &activity_state_names),
      FIELD(why,
            .doc = "Why nothing was paid: no_rule, per_day, per_week, per_month, per_lifetime, already_customer or already_referred; why it was taken back: order_refunded."),
      FIELD(points, .doc = "Paid for it."), FIELD(growth, .doc = "Paid for it."),
      FIELD(take_back, .doc = "It is taken back when the referred customer's first order is refunded."),
      FIELD(seq, .doc = "The ledger entry that paid the points."),
      FIELD(order_id, .doc = "The referred customer's first order."), FIELD(due_at),
      FIELD(occurred_at, .need = true), FIELD(created_at, .need = true), FIELD(paid_at));
#undef SHAPE_T

#define SHAPE_T struct activity_result
SHAPE(activity_result, "An activity and what it changed.", NEST(activity, activity),
      FIELD(growth, .doc = "Over the lifetime."), FIELD(tier_before, .need = true),
      FIELD(tier_after, .need = true), NEST(balance, points_balance));
#undef SHAPE_T

#define SHAPE_T struct activity_page
SHAPE(activity_page, "A position.", FIELD(customer_id), FIELD(before_at), FIELD(before_id), FIELD(limit));
#undef SHAPE_T

struct activity_key {
        struct uuid id;
};
#define SHAPE_T struct activity_key
SHAPE(activity_key, "Which one.", FIELD(id));
#undef SHAPE_T

#define SHAPE_T struct activity_counts
SHAPE(activity_counts, "How often it was paid.", FIELD(day), FIELD(week), FIELD(month), FIELD(lifetime));
#undef SHAPE_T

struct count_query {
        struct uuid customer_id;
        unsigned type;
        const char *code;
        struct activity_spans spans;
};
#define SHAPE_T struct activity_spans
SHAPE(activity_spans, "Spans.", FIELD(day_from), FIELD(day_until), FIELD(week_from), FIELD(week_until),
      FIELD(month_from), FIELD(month_until));
#undef SHAPE_T
#define SHAPE_T struct count_query
SHAPE(count_query, "What is counted.", FIELD(customer_id), FIELD(type, .names = &activity_type_names),
      FIELD(code), NEST(spans, activity_spans));
#undef SHAPE_T

struct kept_outcome {
        struct uuid id;
        const char *outcome;
};
#define SHAPE_T struct kept_outcome
SHAPE(kept_outcome, "The answer to a call.", FIELD(id), FIELD(outcome));
#undef SHAPE_T

#define COLUMNS                                                                                              \
        "customer_id, id, key, type, code, referred_id, state, why, points, growth, take_back, seq, "        \
        "order_id, due_at, occurred_at, created_at, paid_at"
#define BETWEEN(span) "occurred_at >= :spans." span "_from AND occurred_at < :spans." span "_until"

SQL_OPT(activity_find, activity_key, activity, "SELECT " COLUMNS " FROM activities WHERE id = :id")
SQL_ONE(activities_counted, count_query, activity_counts,
        "SELECT count(*) FILTER (WHERE " BETWEEN("day") ") AS day, count(*) FILTER (WHERE " BETWEEN(
                "week") ") AS week, count(*) FILTER (WHERE " BETWEEN("month") ") AS month, "
                                                                              "count(*) AS lifetime FROM activities WHERE customer_id = :customer_id AND type = :type "
                                                                              "AND code IS NOT DISTINCT FROM :code AND paid_at IS NOT NULL")
SQL_OPT(referral_of, activity, activity,
        "SELECT " COLUMNS
        " FROM activities WHERE referred_id = :referred_id AND state IN ('waiting', 'paid') AND id <> :id LIMIT 1")
SQL_EXEC(
        activity_store, activity,
        "INSERT INTO activities (" COLUMNS
        ") VALUES (:customer_id, :id, :key, :type, :code, :referred_id, :state, :why, :points, :growth, :take_back, "
        ":seq, :order_id, :due_at, :occurred_at, :created_at, :paid_at) ON CONFLICT (customer_id, id) DO UPDATE SET "
        "state = excluded.state, why = excluded.why, points = excluded.points, growth = excluded.growth, "
        "take_back = excluded.take_back, seq = excluded.seq, order_id = excluded.order_id, due_at = excluded.due_at, "
        "paid_at = excluded.paid_at")
SQL_EXEC(outcome_store, kept_outcome, "UPDATE activities SET outcome = :outcome WHERE id = :id")
SQL_ONE(outcome_load, activity_key, kept_outcome, "SELECT id, outcome FROM activities WHERE id = :id")
SQL_PAGE(activities_page, activity_page, activity, COLUMNS, "activities WHERE customer_id = :customer_id",
         "AND (:before_at IS NULL OR (created_at, id) < (:before_at, :before_id)) "
         "ORDER BY created_at DESC, id DESC")

/* Somebody with what he has, behind his lock. */
struct person {
        struct customer customer;
        struct book book;
        struct stand stand;
};

/* One activity while it is worked on. */
struct work {
        struct ctx *c;
        const struct program *program;
        struct activity activity;
        struct person person;
        struct journal journal;
        struct event_list events;
};

static enum err person_load(struct ctx *c, const struct program *program, struct person *person)
{
        struct uuids id = {&person->customer.id, 1};
        struct stand_rows stands = {0};

        TRY(stands_later(c, &id, /* from= */ (struct date){0}, &stands));
        TRY(book_load(c, person->customer.id, /* hold_id= */ (struct uuid){0}, &person->book));
        person->stand =
                stand_of(c->arena, program, &stands, person->customer.id, person->customer.created_at);
        return ERR_OK;
}

/* Whose activity it is, as he is by now. */
static enum err owner_load(struct work *w)
{
        struct person *person = &w->person;

        TRY(person_load(w->c, w->program, person));
        TRY(stands_catch_up(w->c, w->program, w->c->now, (struct stand *[]){&person->stand}, 1, &w->events));
        return points_catch_up(w->c, (struct book *[]){&person->book}, 1, &w->journal, w->c->now);
}

static struct posting posting_of(const struct work *w, const char *cause)
{
        return (struct posting){.at = w->c->now, .cause = cause, .reference = w->activity.key};
}

static const char *name_of(const struct activity *activity)
{
        return activity->code != NULL ? activity->code : activity_type_names.v[activity->type];
}

/* Growth of the day of an instant; it lifts the tier as of today. */
static void growth_count(struct work *w, int64_t growth, struct instant at)
{
        struct ctx *c = w->c;
        struct stand *stand = &w->person.stand;
        struct date today = zone_date(&c->shop->zone, c->now);

        if (growth == 0)
                return;
        stand_count(stand, c->arena,
                    &(struct metric_day){.day = zone_date(&c->shop->zone, at), .growth = growth});
        struct metrics metrics = stand_metrics(stand);
        size_t rank = judge_upgrade(w->program, stand->rank, &metrics, today);
        if (rank == stand->rank)
                return;
        struct tier_event event = {.before = stand->standing.tier};
        stand_move(stand, c->arena, w->program, &c->shop->zone,
                   &(struct stand_move){.rank = rank, .cause = "activity", .at = c->now});
        event.after = stand->standing.tier;
        event_add(c->arena, &w->events, EVENT_TIER_CHANGED, w->person.customer.id, c->now, &tier_event_shape,
                  &event);
}

static void not_paid(struct activity *activity, const char *why)
{
        activity->state = ACTIVITY_NOT_PAID;
        activity->why = why;
}

/* Pay it as the programme says, or note why not. */
static enum err pay(struct work *w)
{
        struct activity *activity = &w->activity;
        const struct activity_rule *rule = activity_rule_of(w->program, activity->type, activity->code);
        struct count_query query = {.customer_id = activity->customer_id,
                                    .type = activity->type,
                                    .code = activity->code,
                                    .spans = activity_spans_of(&w->c->shop->zone, activity->occurred_at)};
        struct activity_counts counts;

        if (rule == NULL) {
                not_paid(activity, "no_rule");
                return ERR_OK;
        }
        TRY(activities_counted(w->c, &query, &counts));
        const char *limit = activity_limit_reached(rule, &counts);
        if (limit != NULL) {
                not_paid(activity, limit);
                return ERR_OK;
        }
        struct posting why = posting_of(w, name_of(activity));
        activity->state = ACTIVITY_PAID;
        activity->points = rule->points;
        activity->growth = rule->growth;
        activity->take_back = rule->take_back;
        activity->paid_at = w->c->now;
        if (rule->points > 0) {
                book_earn(&w->person.book, &w->journal, &why, rule->points, /* pending= */ false,
                          (struct instant){0});
                activity->seq = (struct opt_int){true, w->person.book.account.last_seq};
        }
        growth_count(w, rule->growth, activity->paid_at);
        return ERR_OK;
}

/* Growth goes too, from the day on which it came; the tier is judged at the end of its cycle. */
static void take_back(struct work *w)
{
        struct activity *activity = &w->activity;
        struct posting why = posting_of(w, "referral taken back");

        if (activity->points > 0)
                book_take_back(&w->person.book, &w->journal, &why, activity->seq.v, activity->points,
                               w->program->points.refund_policy);
        growth_count(w, -activity->growth, activity->paid_at);
        activity->state = ACTIVITY_TAKEN_BACK;
        activity->why = "order_refunded";
}

static enum err store(struct work *w)
{
        struct ctx *c = w->c;
        struct stand *stand = &w->person.stand;
        char id[UUID_TEXT_SIZE];
        struct activity_event event = {.type = activity_type_names.v[w->activity.type],
                                       .key = w->activity.key,
                                       .state = activity_state_names.v[w->activity.state],
                                       .points = w->activity.points,
                                       .growth = w->activity.growth};

        uuid_to_text(w->activity.customer_id, id);
        event_add(c->arena, &w->events, EVENT_ACTIVITY_RECORDED, w->activity.customer_id, c->now,
                  &activity_event_shape, &event);
        TRY(activity_store(c, &w->activity));
        TRY(book_store(c, &w->person.book, &w->journal));
        TRY(stands_store(c, &stand, 1));
        TRY(audit_write(c, &(struct audit_change){
                                   .customer_id = w->activity.customer_id,
                                   .subject = arena_printf(c->arena, "/v1/customers/%s/activities", id)}));
        return events_store(c, &w->events);
}

/* ------------------------------------------------------------------ recording */

static enum err input_check(struct ctx *c, const struct activity_in *in)
{
        if ((in->type == ACTIVITY_CUSTOM) != (in->code != NULL))
                fault_body(c, "#/code", in->code == NULL ? "required" : "not_allowed",
                           "is the name of a custom activity, and of no other");
        if ((in->type == ACTIVITY_REFERRAL) != (in->referred != NULL))
                fault_body(c, "#/referred", in->referred == NULL ? "required" : "not_allowed",
                           "is who was referred, and only a referral has it");
        if (in->occurred_at.us > c->now.us)
                fault_body(c, "#/occurred_at", "too_large", "must not lie in the future");
        return problem_check(c);
}

/* Lock him, and whom he refers, in one order. *ret_gone: one of them was merged meanwhile. */
static enum err people_lock_once(struct work *w, const struct activity_in *in, struct person *referred,
                                 bool *ret_gone)
{
        struct ctx *c = w->c;
        struct uuids ids = {ARENA_ARRAY(c->arena, 2, struct uuid), 1};
        struct list locked;

        TRY(customer_get(c, in->customer, &w->person.customer));
        ids.v[0] = w->person.customer.id;
        if (in->referred != NULL) {
                enum err err = customer_get(c, in->referred, &referred->customer);
                if (err == ERR_NOT_FOUND || err == ERR_ERASED ||
                    uuid_equal(referred->customer.id, w->person.customer.id))
                        fault_body(c, "#/referred", "unknown_customer", "must be another customer");
                else
                        TRY(err);
                TRY(problem_check(c));
                ids.v[ids.n++] = referred->customer.id;
        }
        TRY(customers_lock(c, &ids, &locked));
        *ret_gone = locked.n < ids.n;
        return ERR_OK;
}

static enum err people_lock(struct work *w, const struct activity_in *in, struct person *referred)
{
        const unsigned looks = 4; /* merges that may follow on each other meanwhile */
        bool gone = true;

        for (unsigned look = 0; gone && look < looks; look++)
                TRY(people_lock_once(w, in, referred, &gone));
        return gone ? fail(w->c, ERR_CONFLICT, "Customers were merged meanwhile.") : ERR_OK;
}

static bool texts_equal(const char *a, const char *b)
{
        return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* Is it the one that is known? */
static enum err replay(struct work *w, const struct activity *known)
{
        const struct activity *sent = &w->activity;
        bool same = uuid_equal(known->customer_id, sent->customer_id) && known->type == sent->type &&
                    texts_equal(known->code, sent->code) &&
                    uuid_equal(known->referred_id, sent->referred_id) &&
                    (known->occurred_at.us == sent->occurred_at.us || sent->occurred_at.us == w->c->now.us);

        return same ? ERR_OK
                    : fail(w->c, ERR_ACTIVITY_DIFFERS, "The activity %s is known with other values.",
                           sent->key);
}

/* A referral of somebody new waits; others bring nothing. Paid or not, whoever has not bought yet was
 * referred. */
static enum err refer(struct work *w, struct person *referred)
{
        struct activity *activity = &w->activity, other;
        bool found;

        TRY(person_load(w->c, w->program, referred));
        bool bought = instant_known(referred->stand.standing.first_order_at);
        if (!bought)
                TRY(customer_referred(w->c, referred->customer.id, activity->customer_id));
        if (activity_rule_of(w->program, activity->type, activity->code) == NULL) {
                not_paid(activity, "no_rule");
                return ERR_OK;
        }
        TRY(referral_of(w->c, activity, &other, &found));
        activity->state = ACTIVITY_WAITING;
        if (bought)
                not_paid(activity, "already_customer");
        else if (found)
                not_paid(activity, "already_referred");
        return ERR_OK;
}

/* The tier that holds now: the pinned one while it lasts. */
static const char *tier_now(const struct work *w)
{
        return w->program->tiers.v[stand_rank(&w->person.stand, w->c->now)].code;
}

/* Tell what it changed, and keep that for the same call again. */
static enum err answer(struct work *w, const char *tier_before, struct activity_answer *ret)
{
        struct activity_result result = {.activity = w->activity,
                                         .growth = w->person.stand.standing.growth,
                                         .tier_before = tier_before,
                                         .tier_after = tier_now(w)};
        struct text json = {0};

        TRY(balance_after(w->c, w->program, &w->person.book, &result.balance));
        shape_encode(&json, &activity_result_shape, &result, /* masked= */ true);
        ret->outcome_len = json.len;
        ret->outcome = arena_strndup(w->c->arena, json.data, json.len);
        text_free(&json);
        return outcome_store(w->c, &(struct kept_outcome){w->activity.id, ret->outcome});
}

static enum err record(struct work *w, const struct activity_in *in, struct person *referred,
                       struct activity_answer *ret)
{
        TRY(owner_load(w));
        const char *tier_before = tier_now(w);
        if (in->referred != NULL)
                TRY(refer(w, referred));
        else
                TRY(pay(w));
        TRY(store(w));
        return answer(w, tier_before, ret);
}

static enum err answer_again(struct ctx *c, struct uuid id, struct activity_answer *ret)
{
        struct kept_outcome kept;

        TRY(outcome_load(c, &(struct activity_key){id}, &kept));
        ret->outcome = kept.outcome;
        ret->outcome_len = strlen(kept.outcome);
        ret->replayed = true;
        return ERR_OK;
}

enum err activity_record(struct ctx *c, const struct activity_in *in, struct activity_answer *ret)
{
        PROGRAM(program);
        struct work w = {.c = c, .program = program, .journal = journal_of(c, program)};
        struct activity_key key = {uuid_of_external("activity", in->key)};
        struct activity_answer given = {0};
        struct person referred = {0};
        struct activity known;
        bool found;

        TRY(input_check(c, in));
        TRY(people_lock(&w, in, &referred));
        w.activity = (struct activity){
                .customer_id = w.person.customer.id,
                .id = key.id,
                .key = in->key,
                .type = in->type,
                .code = in->code,
                .referred_id = referred.customer.id,
                .occurred_at = instant_known(in->occurred_at) ? in->occurred_at : c->now,
                .created_at = c->now,
        };
        TRY(activity_find(c, &key, &known, &found));
        if (found)
                TRY(replay(&w, &known));
        TRY(found ? answer_again(c, key.id, &given) : record(&w, in, &referred, &given));
        given.customer_id = w.person.customer.id;
        *ret = given;
        return ERR_OK;
}

enum err activities_list(struct ctx *c, const struct activity_page *page, struct list *ret)
{
        return activities_page(c, page, ret);
}

/* ------------------------------------------------------------------ referrals */

#define SHAPE_T struct order_turn
SHAPE(order_turn, "An order of a referred customer.", FIELD(customer_id), FIELD(order_id));
#undef SHAPE_T

#define OF_TURNS "FROM unnest(:customer_id, :order_id) AS n(c, o) WHERE a.referred_id = n.c AND "

SQL_BATCH(referrals_pay, order_turn,
          "UPDATE activities a SET order_id = n.o, due_at = :now " OF_TURNS
          "a.state = 'waiting' AND a.due_at IS NULL")
/* One that is not paid yet goes on waiting. */
SQL_BATCH(referrals_take_back, order_turn,
          "UPDATE activities a SET due_at = CASE WHEN a.state = 'paid' THEN :now END, "
          "order_id = CASE WHEN a.state = 'paid' THEN a.order_id END " OF_TURNS
          "a.order_id = n.o AND (a.state = 'waiting' OR (a.state = 'paid' AND a.take_back))")

enum err activities_first_orders(struct ctx *c, const struct order_turn *turns, size_t n)
{
        return referrals_pay(c, turns, n);
}

enum err activities_lost_orders(struct ctx *c, const struct order_turn *turns, size_t n)
{
        return referrals_take_back(c, turns, n);
}

struct referral_limit {
        int64_t limit;
};
#define SHAPE_T struct referral_limit
SHAPE(referral_limit, "How many at once.", FIELD(limit));
#undef SHAPE_T

SQL_MANY(activities_due, referral_limit, activity_key,
         "SELECT id FROM activities WHERE due_at <= :now ORDER BY due_at LIMIT :limit")

static enum err settle_once(struct ctx *c, void *arg)
{
        const struct activity_key *key = arg;
        PROGRAM(program);
        struct work w = {.c = c, .program = program, .journal = journal_of(c, program)};
        bool found;
        TX(tx);

        TRY(tx_begin(c, &tx));
        TRY(activity_find(c, key, &w.activity, &found));
        assert(found);
        TRY(customer_lock_id(c, w.activity.customer_id, &w.person.customer));
        TRY(activity_find(c, key, &w.activity, &found)); /* again, behind the lock */
        if (!found || !instant_known(w.activity.due_at))
                return tx_commit(&tx);
        TRY(owner_load(&w));
        w.activity.due_at = (struct instant){0};
        if (w.activity.state == ACTIVITY_WAITING)
                TRY(pay(&w));
        else if (w.activity.state == ACTIVITY_PAID)
                take_back(&w);
        TRY(store(&w));
        return tx_commit(&tx);
}

enum err activities_settle_due(struct ctx *c, int64_t limit, bool *ret_more)
{
        struct list due;

        TRY(activities_due(c, &(struct referral_limit){limit}, &due));
        for (size_t i = 0; i < due.n; i++)
                TRY(db_run(c, settle_once, &((struct activity_key *)due.v)[i]));
        *ret_more = due.n == (size_t)limit;
        return ERR_OK;
}
