#include "directory/filter.h"

#include <string.h>

#include "customers/groups.h"
#include "directory/pieces.h"
#include "program/programs.h"

NAMES(yes_no_names, "true", "false");

#define SHAPE_T struct birth_span
SHAPE(birth_span, "Days of birth.", FIELD(from), FIELD(to));
#undef SHAPE_T

#define SHAPE_T struct lifecycle_bounds
SHAPE(lifecycle_bounds, "As of now.", FIELD(at_risk), FIELD(lost), FIELD(window), FIELD(repeat_orders),
      FIELD(loyal_orders));
#undef SHAPE_T

#define SHAPE_T struct customer_filter
SHAPE(listing_filter, "What must hold.", FIELD(tag), FIELD(tier), FIELD(language), FIELD(country),
      FIELD(province), FIELD(city), FIELD(district), FIELD(owner), FIELD(campaign),
      FIELD(gender, .names = &gender_names), FIELD(channel, .names = &channel_names), FIELD(created_from),
      FIELD(created_before), FIELD(updated_from), FIELD(updated_before), FIELD(last_order_from),
      FIELD(last_order_before), FIELD(spend_min), FIELD(spend_max), FIELD(orders_min), FIELD(orders_max),
      FIELD(growth_min), FIELD(growth_max), FIELD(points_min), FIELD(points_max));
#undef SHAPE_T
#define SHAPE_T struct listing
SHAPE(listing, "A list.", NEST(filter, listing_filter), NEST(bounds, lifecycle_bounds),
      NEST(month, birth_span), NEST(span, birth_span), NEST(coming, birth_span), FIELD(group_id),
      FIELD(referrer_id), FIELD(tsquery), FIELD(patterns), FIELD(whole), NEST(after, customer_position),
      FIELD(limit), FIELD(walk));
#undef SHAPE_T

static void must(struct conditions *to, bool wanted, const char *condition)
{
        if (wanted)
                query_must(&to->where, condition);
}

/* A condition that the index of a column leads past: it bounds the way when the list is in that column's
 * order. */
static void must_lie(struct conditions *to, bool wanted, const char *column, const char *condition)
{
        if (wanted && strcmp(to->column, column) == 0)
                query_must(&to->along, condition);
        else
                must(to, wanted, condition);
}

static void filter_metrics(struct conditions *to, const struct customer_filter *f)
{
        must_lie(to, f->tier != NULL, "spend_minor", "d.tier = :filter.tier");
        must(to, f->deal_status == DEAL_DEAL, "d.paid");
        must(to, f->deal_status != DEAL_NONE && f->deal_status != DEAL_DEAL, "NOT d.paid");
        must_lie(to, instant_known(f->last_order_from), "last_order_at",
                 "d.last_order_at >= :filter.last_order_from");
        must_lie(to, instant_known(f->last_order_before), "last_order_at",
                 "d.last_order_at < :filter.last_order_before AND d.last_order_at > '-infinity'");
        must_lie(to, f->spend_min.set, "spend_minor", "d.spend_minor >= :filter.spend_min");
        must_lie(to, f->spend_max.set, "spend_minor", "d.spend_minor <= :filter.spend_max");
        must_lie(to, f->orders_min.set, "orders", "d.orders >= :filter.orders_min");
        must_lie(to, f->orders_max.set, "orders", "d.orders <= :filter.orders_max");
        must_lie(to, f->growth_min.set, "growth", "d.growth >= :filter.growth_min");
        must_lie(to, f->growth_max.set, "growth", "d.growth <= :filter.growth_max");
        must_lie(to, f->points_min.set, "points_active", "d.points_active >= :filter.points_min");
        must_lie(to, f->points_max.set, "points_active", "d.points_active <= :filter.points_max");
}

static void filter_profile(struct conditions *to, const struct customer_filter *f)
{
        must(to, f->language != NULL, "d.language = :filter.language");
        must(to, f->country != NULL, "d.country = :filter.country");
        must(to, f->province != NULL, "d.province = :filter.province");
        must(to, f->city != NULL, "d.city = :filter.city");
        must(to, f->district != NULL, "d.district = :filter.district");
        must(to, f->owner != NULL, "d.owner = :filter.owner");
        must(to, f->campaign != NULL, "d.campaign = :filter.campaign");
        must(to, f->gender != 0, "d.gender = :filter.gender");
        must(to, f->channel != 0, "d.channel = :filter.channel");
        must(to, f->has_phone == 1, "d.has_phone");
        must(to, f->has_phone == 2, "NOT d.has_phone");
        must(to, f->has_email == 1, "d.has_email");
        must(to, f->has_email == 2, "NOT d.has_email");
        must(to, f->deal_status == DEAL_INQUIRING, "d.inquired");
        must(to, f->deal_status == DEAL_NO_DEAL, "NOT d.inquired");
        must_lie(to, instant_known(f->created_from), "created_at", "d.created_at >= :filter.created_from");
        must_lie(to, instant_known(f->created_before), "created_at", "d.created_at < :filter.created_before");
        must_lie(to, instant_known(f->updated_from), "updated_at", "d.updated_at >= :filter.updated_from");
        must_lie(to, instant_known(f->updated_before), "updated_at", "d.updated_at < :filter.updated_before");
}

/* lifecycle_decide, of all customers at once. Orders in the window are those that the standing of the tier
 * keeps by the day; nobody has more of them than in his lifetime. */
static void filter_lifecycle(struct conditions *to, enum lifecycle wanted)
{
        static const char loyal[] =
                "(d.orders >= :bounds.loyal_orders AND (SELECT sum(y.orders) FROM metric_days y "
                "WHERE y.customer_id = d.customer_id AND y.day > :bounds.window) >= "
                ":bounds.loyal_orders) IS ";
        bool lively = wanted == LIFECYCLE_NEW || wanted == LIFECYCLE_REPEAT || wanted == LIFECYCLE_LOYAL;

        if (wanted == LIFECYCLE_NONE)
                return;
        bool bought = wanted != LIFECYCLE_LEAD && wanted != LIFECYCLE_INQUIRING;
        must_lie(to, true, "orders", bought ? "d.orders > 0" : "d.orders <= 0");
        must(to, wanted == LIFECYCLE_LEAD, "NOT d.inquired");
        must(to, wanted == LIFECYCLE_INQUIRING, "d.inquired");
        must_lie(to, wanted == LIFECYCLE_LOST, "last_order_at", "d.last_order_at < :bounds.lost");
        must_lie(to, wanted == LIFECYCLE_AT_RISK, "last_order_at",
                 "d.last_order_at >= :bounds.lost AND d.last_order_at < :bounds.at_risk");
        must_lie(to, lively, "last_order_at", "d.last_order_at >= :bounds.at_risk");
        must_lie(to, wanted == LIFECYCLE_NEW, "orders", "d.orders < :bounds.repeat_orders");
        must_lie(to, wanted == LIFECYCLE_REPEAT, "orders", "d.orders >= :bounds.repeat_orders");
        must_lie(to, wanted == LIFECYCLE_LOYAL, "orders", "d.orders >= :bounds.loyal_orders");
        if (lively) {
                must(to, true, loyal);
                text_puts(&to->where, wanted == LIFECYCLE_LOYAL ? "TRUE" : "NOT TRUE");
        }
}

static struct lifecycle_bounds bounds_now(const struct ctx *c)
{
        PROGRAM(program);
        const struct lifecycle_limits *limits = &program->lifecycle;
        const struct zone *zone = &c->shop->zone;
        struct date today = zone_date(zone, c->now);

        return (struct lifecycle_bounds){
                .at_risk = zone_midnight(zone, date_add_months(today, (int)-limits->at_risk_months)),
                .lost = zone_midnight(zone, date_add_months(today, (int)-limits->lost_months)),
                .window = date_add_months(today, (int)-limits->loyal_window_months),
                .repeat_orders = limits->repeat_orders,
                .loyal_orders = limits->loyal_orders,
        };
}

/* Tags, groups and referrers are read where they are: their tables are the customers' own. */
static enum err filter_members(struct ctx *c, struct conditions *to, struct listing *listing)
{
        const struct customer_filter *f = &listing->filter;

        must(to, f->tag != NULL,
             "EXISTS (SELECT 1 FROM customer_tags t WHERE t.tag = :filter.tag AND t.customer_id = d.customer_id "
             "AND (t.expires_at IS NULL OR t.expires_at > :now))");
        if (f->referrer != NULL) {
                TRY(customer_reference(c, f->referrer, &listing->referrer_id));
                must(to, true,
                     "EXISTS (SELECT 1 FROM customers r WHERE r.referrer_id = coalesce((SELECT customer_id FROM "
                     "customer_aliases WHERE alias_id = :referrer_id), :referrer_id) AND r.id = d.customer_id)");
        }
        if (f->group == NULL)
                return ERR_OK;
        must(to, true,
             "EXISTS (SELECT 1 FROM group_members g WHERE g.group_id = :group_id AND g.left_at IS NULL "
             "AND g.customer_id = d.customer_id)");
        return group_find(c, f->group, &listing->group_id);
}

/* ------------------------------------------------------------------ birthdays */

#define MONTH_DAYS 100 /* days of birth are numbers: 20 May is 520 */
#define LEAP_DAY   229
#define MONTH_LAST 31

int64_t birthday_number(struct birthday birthday)
{
        return birthday.month * MONTH_DAYS + birthday.day;
}

static int64_t date_number(struct date date)
{
        return date.month * MONTH_DAYS + date.day;
}

/* From today on. A year without 29 February has those who were born on it on the 28th. */
static struct birth_span span_from_today(const struct ctx *c, int64_t days)
{
        struct date today = zone_date(&c->shop->zone, c->now), last = date_add_days(today, days);
        struct birth_span span = {date_number(today), date_number(last)};

        if (days >= BIRTHDAY_DAYS_MAX - 1)
                return (struct birth_span){0, MONTH_DAYS * MONTH_DAYS};
        if (span.to == LEAP_DAY - 1 && date_add_days(last, 1).day == 1)
                span.to = LEAP_DAY;
        return span;
}

static void must_be_born(struct conditions *to, const char *name, struct birth_span span)
{
        bool around = span.from > span.to;

        must(to, true, around ? "(d.birth_day >= " : "(d.birth_day BETWEEN ");
        text_printf(&to->where, ":%s.from %s :%s.to)", name, around ? "OR d.birth_day <=" : "AND", name);
}

static void filter_birthdays(const struct ctx *c, struct conditions *to, struct listing *listing)
{
        const struct customer_filter *f = &listing->filter;

        if (f->birthday_month.set) {
                int64_t month = f->birthday_month.v * MONTH_DAYS;
                listing->month = (struct birth_span){month, month + MONTH_LAST};
                must_be_born(to, "month", listing->month);
        }
        if (f->birthday_from.month != 0) {
                listing->span = (struct birth_span){birthday_number(f->birthday_from),
                                                    birthday_number(f->birthday_to)};
                must_be_born(to, "span", listing->span);
        }
        if (f->birthday_within_days.set) {
                listing->coming = span_from_today(c, f->birthday_within_days.v);
                must_be_born(to, "coming", listing->coming);
        }
}

bool customer_filter_personal(const struct customer_filter *filter)
{
        return filter->birthday_month.set || filter->birthday_from.month != 0 ||
               filter->birthday_to.month != 0 || filter->birthday_within_days.set;
}

/* ------------------------------------------------------------------ all of them */

/* Whoever may not see a phone must not find it out digit by digit: he finds whom he can name in full. */
static bool sees_personal_data(const struct ctx *c)
{
        return c->principal == NULL || c->principal->pii;
}

enum err conditions_read(struct ctx *c, const struct customer_filter *filter, const char *column,
                         struct conditions *ret, struct listing *ret_listing)
{
        struct search search = search_of(c->arena, filter->q != NULL ? filter->q : "");
        struct conditions *to = ret;

        *to = (struct conditions){.column = column, .words = search.tsquery != NULL};
        *ret_listing = (struct listing){.filter = *filter,
                                        .bounds = bounds_now(c),
                                        .tsquery = search.tsquery,
                                        .patterns = search.patterns,
                                        .whole = search.whole};
        must(to, to->words && !sees_personal_data(c), "E'\\n' || s.content || E'\\n' LIKE :whole");
        filter_metrics(to, filter);
        filter_profile(to, filter);
        filter_lifecycle(to, (enum lifecycle)filter->lifecycle);
        filter_birthdays(c, to, ret_listing);
        return filter_members(c, to, ret_listing);
}

void conditions_free(struct conditions *conditions)
{
        text_free(&conditions->along);
        text_free(&conditions->where);
}

const char *conditions_join(const struct conditions *conditions)
{
        return conditions->words ? " JOIN customer_search s ON s.customer_id = d.customer_id" : "";
}

void conditions_put(struct text *out, const struct conditions *conditions, enum words words, bool along)
{
        struct text all = {0};

        if (conditions->words && words == WORDS_BOTH)
                query_must(&all, "s.pieces @@ :tsquery::tsquery");
        if (conditions->words)
                query_must(&all, "s.content LIKE ALL (:patterns)");
        if (conditions->where.len > 0)
                query_must(&all, conditions->where.data);
        if (along && conditions->along.len > 0)
                query_must(&all, conditions->along.data);
        if (all.len > 0)
                text_printf(out, " WHERE %s", all.data);
        text_free(&all);
}
