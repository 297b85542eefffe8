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

#define CUSTOMER_FILTER_FIELDS                                                                                                                       \
        FILTER_TEXT_(                                                                                                                                \
                q,                                                                                                                                   \
                "Words that must occur in name, phone, e-mail or external id; single characters too. Without customers:pii: one of these in full."), \
                FILTER_TEXT_(tag, "Has this tag, of any kind."),                                                                                     \
                FILTER_TEXT_(group, "Is in the group of this code."),                                                                                \
                FILTER_TEXT_(tier, "Code of the tier."), FILTER_TEXT_(language, "As it is stored."),                                                 \
                FILTER_TEXT_(country, "As it is stored."), FILTER_TEXT_(province, "As it is stored."),                                               \
                FILTER_TEXT_(city, "As it is stored."), FILTER_TEXT_(owner, "The agent."),                                                           \
                FIELD(channel, .in = IN_QUERY, .names = &channel_names, .doc = "Of the first contact."),                                             \
                FIELD(deal_status, .in = IN_QUERY, .names = &deal_names,                                                                             \
                      .doc = "Ever paid an order; asked or filled a cart; neither."),                                                                \
                FIELD(lifecycle, .in = IN_QUERY, .names = &lifecycle_names,                                                                          \
                      .doc = "As of this moment: lead and inquiring never bought, new once, repeat more often, "                                     \
                             "loyal 5 times in 12 months; at_risk not for 6 months, lost not for 12."),                                              \
                FIELD(has_phone, .in = IN_QUERY, .names = &yes_no_names, .doc = "Is a phone known?"),                                                \
                FIELD(has_email, .in = IN_QUERY, .names = &yes_no_names, .doc = "Is an e-mail known?"),                                              \
                FIELD(created_from, .in = IN_QUERY, .doc = "At this time or later."),                                                                \
                FIELD(created_before, .in = IN_QUERY, .doc = "Before this time."),                                                                   \
                FIELD(last_order_from, .in = IN_QUERY, .doc = "Bought at this time or later."),                                                      \
                FIELD(last_order_before, .in = IN_QUERY, .doc = "Bought, but not since this time."),                                                 \
                FILTER_NUMBER_(spend_min, "Spent this much or more, net of refunds."),                                                               \
                FILTER_NUMBER_(spend_max, "Spent this much or less."),                                                                               \
                FILTER_NUMBER_(orders_min, "Has this many orders or more."),                                                                         \
                FILTER_NUMBER_(orders_max, "Has this many orders or fewer."),                                                                        \
                FILTER_NUMBER_(points_min, "Has this many active points or more."),                                                                  \
                FILTER_NUMBER_(points_max, "Has this many active points or fewer.")
