/* The filters of lists of customers, as query parameters. */
#pragma once

#include "directory/directory.h"

#define FILTER_TEXT_(member_, doc_) FIELD(member_, .in = IN_QUERY, .min = 1, .max = 200, .doc = (doc_))
#define FILTER_NUMBER_MAX           INT64_C(1000000000000000)
#define FILTER_NUMBER_(member_, doc_)                                                                        \
        FIELD(member_, .in = IN_QUERY, .from_zero = true, .max = FILTER_NUMBER_MAX, .doc = (doc_))

/* Members of the input: the filter as one struct, and its members by their names. */
#define CUSTOMER_FILTER                                                                                      \
        union {                                                                                              \
                struct customer_filter filter;                                                               \
                struct {                                                                                     \
                        CUSTOMER_FILTER_MEMBERS;                                                             \
                };                                                                                           \
        }

#define CUSTOMER_FILTER_FIELDS                                                                               \
        FIELD(channel, .in = IN_QUERY, .names = &channel_names, .doc = "Of the first contact."),             \
                CUSTOMER_FILTER_FIELDS_FURTHER

#define CUSTOMER_FILTER_FIELDS_FURTHER                                                                                                                                               \
        FILTER_TEXT_(                                                                                                                                                                \
                q,                                                                                                                                                                   \
                "Words that must occur in name, phone, e-mail or external id; single characters too. Without customers:pii: one of these in full."),                                 \
                FILTER_TEXT_(tag, "Has this tag, of any kind."),                                                                                                                     \
                FILTER_TEXT_(group, "Is in the group of this code."),                                                                                                                \
                FILTER_TEXT_(tier, "Code of the tier."), FILTER_TEXT_(language, "As it is stored."),                                                                                 \
                FILTER_TEXT_(country, "As it is stored."), FILTER_TEXT_(province, "As it is stored."),                                                                               \
                FILTER_TEXT_(city, "As it is stored."), FILTER_TEXT_(district, "As it is stored."),                                                                                  \
                FILTER_TEXT_(owner, "The agent."), FILTER_TEXT_(campaign, "Of the first contact."),                                                                                  \
                FIELD(referrer, .in = IN_QUERY, .min = 1, .max = 300,                                                                                                                \
                      .doc = "Was referred by this customer: UUID or ext:<external id>."),                                                                                           \
                FIELD(gender, .in = IN_QUERY, .names = &gender_names, .doc = "As it is stored."),                                                                                    \
                FIELD(deal_status, .in = IN_QUERY, .names = &deal_names,                                                                                                             \
                      .doc = "Ever paid an order; asked or filled a cart; neither."),                                                                                                \
                FIELD(lifecycle, .in = IN_QUERY, .names = &lifecycle_names,                                                                                                          \
                      .doc = "As of this moment: lead and inquiring never bought, new once, repeat more often, "                                                                     \
                             "loyal 5 times in 12 months; at_risk not for 6 months, lost not for 12."),                                                                              \
                FIELD(has_phone, .in = IN_QUERY, .names = &yes_no_names, .doc = "Is a phone known?"),                                                                                \
                FIELD(has_email, .in = IN_QUERY, .names = &yes_no_names, .doc = "Is an e-mail known?"),                                                                              \
                FIELD(birthday_month, .in = IN_QUERY, .min = 1, .max = 12,                                                                                                           \
                      .doc = "Born in this month, of any year. Filters of birthdays need customers:pii."),                                                                           \
                FIELD(birthday_from, .in = IN_QUERY,                                                                                                                                 \
                      .doc = "Has his birthday on this day (MM-DD) or later, together with birthday_to."),                                                                           \
                FIELD(birthday_to, .in = IN_QUERY,                                                                                                                                   \
                      .doc = "Has his birthday on this day (MM-DD) or earlier. A day before birthday_from lies in the next year."),                                                  \
                FIELD(birthday_within_days, .in = IN_QUERY, .from_zero = true, .max = BIRTHDAY_DAYS_MAX,                                                                             \
                      .doc = "Has his birthday today (0) or within so many days, in the shop's zone. Where the year has no 29 February, those born on it have theirs on the 28th."), \
                FIELD(created_from, .in = IN_QUERY, .doc = "At this time or later."),                                                                                                \
                FIELD(created_before, .in = IN_QUERY, .doc = "Before this time."),                                                                                                   \
                FIELD(updated_from, .in = IN_QUERY, .doc = "Profile changed at this time or later."),                                                                                \
                FIELD(updated_before, .in = IN_QUERY, .doc = "Profile last changed before this time."),                                                                              \
                FIELD(last_order_from, .in = IN_QUERY, .doc = "Bought at this time or later."),                                                                                      \
                FIELD(last_order_before, .in = IN_QUERY, .doc = "Bought, but not since this time."),                                                                                 \
                FILTER_NUMBER_(spend_min, "Spent this much or more, net of refunds."),                                                                                               \
                FILTER_NUMBER_(spend_max, "Spent this much or less."),                                                                                                               \
                FILTER_NUMBER_(orders_min, "Has this many orders or more."),                                                                                                         \
                FILTER_NUMBER_(orders_max, "Has this many orders or fewer."),                                                                                                        \
                FILTER_NUMBER_(growth_min, "Has this much growth or more."),                                                                                                         \
                FILTER_NUMBER_(growth_max, "Has this much growth or less."),                                                                                                         \
                FILTER_NUMBER_(points_min, "Has this many active points or more."),                                                                                                  \
                FILTER_NUMBER_(points_max, "Has this many active points or fewer.")

/* Whether this key may ask for that, and whether it makes sense: days of birth are for those who may see
 * them. ERR_FORBIDDEN, ERR_INVALID. */
enum err customer_filter_check(struct ctx *c, const struct customer_filter *filter) MUST_CHECK;
