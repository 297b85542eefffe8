#include "customers/attributes.h"
#include "customers/customers.h"

NAMES(channel_names, "search", "recommend", "direct", "paid_search", "paid_display", "paid_recommend",
      "event", "live", "short_video", "offsite", "social", "referral", "community", "offline", "import",
      "other");
NAMES(gender_names, "female", "male", "other");
NAMES(deal_names, "deal", "inquiring", "no_deal");

#define IDENTITIES_MAX 20

/* What both the input and the stored source have. */
#define SOURCE_FIELDS                                                                                        \
        FIELD(channel, .names = &channel_names), FIELD(detail, .max = SOURCE_DETAIL_MAX),                    \
                FIELD(campaign, .max = SOURCE_CAMPAIGN_MAX)

#define SHAPE_T struct source
SHAPE(source_in, "Where the first contact came from.", PRESENCE(has), SOURCE_FIELDS,
      FIELD(referrer, .min = 1, .max = 300, .later = true,
            .doc = "Who referred the customer: UUID or ext:<external id> of somebody else. Without a channel it becomes referral. Somebody who was erased is not noted."));
SHAPE(source, "Where the first contact came from.", SOURCE_FIELDS,
      FIELD(referrer_id, .doc = "Who referred the customer."));
#undef SHAPE_T

#define SHAPE_T struct identity
SHAPE(identity, "A further way to recognise a customer; it belongs to one customer only.",
      FIELD(kind, .need = true, .min = 1, .max = 40, .format = &format_code,
            .doc = "email, phone, wechat_openid, wechat_unionid, taobao, douyin, qq or a name of the shop's own."),
      FIELD(value, .need = true, .min = 1, .max = 200, .pii = PII_ALL));
#undef SHAPE_T

#define SHAPE_T struct known_identity
SHAPE(known_identity, "An identity that a customer has.", FIELD(kind, .need = true),
      FIELD(value, .need = true, .pii = PII_ALL),
      FIELD(secondary, .doc = "A phone or e-mail beside that of the profile; a merge brings such."));
#undef SHAPE_T

/* What both the input and the stored customer have. */
#define PROFILE_FIELDS(source_)                                                                              \
        FIELD(name, .min = 1, .max = 200, .format = &format_printable, .pii = PII_NAME),                     \
                FIELD(gender, .names = &gender_names),                                                       \
                FIELD(birthday, .pii = PII_BIRTHDAY, .doc = "MM-DD, or YYYY-MM-DD when the year is known."), \
                FIELD(language, .min = 2, .max = 35, .doc = "BCP 47 tag, such as zh-CN."),                   \
                FIELD(country, .min = 1, .max = 100), FIELD(province, .min = 1, .max = 100),                 \
                FIELD(city, .min = 1, .max = 100), FIELD(district, .min = 1, .max = 100),                    \
                FIELD(owner, .min = 1, .max = 200, .doc = "The agent who looks after the customer."),        \
                NEST(source, source_),                                                                       \
                FIELD(attributes, .mask = attributes_mask, .doc = "Further facts, as a JSON object."),       \
                FIELD(preferences, .doc = "What the customer likes, as a JSON object.")

#define EXTERNAL_ID_DOC "The shop's own number of the customer; unique."

#define SHAPE_T struct customer_in
SHAPE(customer_in, "What a shop says of a customer.", PRESENCE(has),
      FIELD(id, .doc = "Our id of a known customer; only inside an order."),
      FIELD(external_id, .min = 1, .max = 200, .format = &format_printable, .doc = EXTERNAL_ID_DOC),
      FIELD(phone, .min = 1, .max = 40, .pii = PII_PHONE,
            .doc = "Any usual writing; kept as E.164, +86 where no country is given."),
      FIELD(email, .min = 3, .max = 254, .pii = PII_EMAIL, .doc = "Kept trimmed and in lower case."),
      LIST(identities, identity, .max = IDENTITIES_MAX,
           .doc = "Added to those that are known. A PATCH replaces them instead: what it leaves out is taken away, null and [] take all away but the phone and the email of the profile, which go by their own names; a further phone or e-mail of the same body recognises the customer beside the first."),
      LIST(addresses, named_address, .max = ADDRESSES_MAX, .later = true,
           .doc = "Each is put in place of the one of its name, or beside the others. A PATCH replaces all of them: null and [] take them away."),
      PROFILE_FIELDS(source_in));
#undef SHAPE_T

#define SHAPE_T struct customer_metrics
SHAPE(customer_metrics, "What orders and points say of a customer.", FIELD(tier, .need = true),
      FIELD(orders, .doc = "Paid and not wholly refunded."),
      FIELD(spend_minor, .doc = "Lifetime, net of refunds."), FIELD(growth), FIELD(points_active),
      FIELD(first_order_at), FIELD(last_order_at));
#undef SHAPE_T

#define SHAPE_T struct customer
SHAPE(customer, "A customer.", FIELD(id, .need = true, .subject = true),
      FIELD(external_id, .doc = EXTERNAL_ID_DOC), FIELD(phone, .pii = PII_PHONE),
      FIELD(email, .pii = PII_EMAIL),
      LIST(identities, known_identity, .doc = "What recognises the customer beside phone and email."),
      LIST(addresses, address, .doc = "The default first, then by name."), PROFILE_FIELDS(source),
      FIELD(inquired_at, .doc = "When the customer first asked or filled a cart."),
      FIELD(lifecycle, .names = &lifecycle_names, .doc = "As of this moment."),
      FIELD(deal_status, .names = &deal_names, .doc = "Ever paid an order; asked or filled a cart; neither."),
      POINTER(metrics, customer_metrics), FIELD(version, .doc = "Counts up with every change; the ETag."),
      FIELD(created_at, .need = true), FIELD(updated_at, .need = true));
#undef SHAPE_T
