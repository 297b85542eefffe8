/* Events: every change appends what happened, in its own transaction. Nobody is called from here; readers
 * read the log. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

enum event_type {
        EVENT_NONE,
#define EVENT(name, type, doc) EVENT_##name,
#include "events/events.def"
#undef EVENT
};
extern const struct names event_names;

struct event {
        struct uuid customer_id, id;
        unsigned type; /* enum event_type */
        struct json_text payload;
        struct instant occurred_at;
};

SHAPE_DECLARE(event);

/* Payloads. */
struct order_event {
        struct uuid order_id;
        const char *external_id, *refund_external_id;
        int64_t total_minor, refunded_minor, points, growth;
};
struct tier_event {
        const char *before, *after;
        struct uuid order_id;
        struct instant until; /* when it falls, or the pin ends */
};
struct customer_event {
        const char *external_id;
        int64_t version;
};
struct tag_event {
        const char *kind, *tag;
        struct instant expires_at; /* none: it stays */
};
struct note_event {
        struct uuid note_id;
};
struct address_event {
        const char *address; /* its name */
};
struct group_event {
        const char *group; /* code */
};
struct interaction_event {
        struct uuid interaction_id;
        const char *kind;
};
struct consent_event {
        const char *channel, *before, *after;
};
struct suppression_event {
        const char *channel, *reason;
};
struct merge_event {
        struct uuid merge_id, absorbed_id;
};
struct points_event {
        int64_t points;
        struct instant expires_at;
};
SHAPE_DECLARE(merge_event);
struct birthday_event {
        const char *rule;
        int64_t year, points;
        const char *coupon;
};
SHAPE_DECLARE(birthday_event);
struct coupon_event {
        const char *code, *template_code;
        struct uuid order_id;
        int64_t off_minor;
        struct instant expires_at;
};
SHAPE_DECLARE(coupon_event);
struct reward_event {
        struct uuid redemption_id;
        const char *reward, *coupon;
        int64_t points;
};
SHAPE_DECLARE(reward_event);
struct activity_event {
        const char *type, *key, *state;
        int64_t points, growth;
};
SHAPE_DECLARE(activity_event);
SHAPE_DECLARE(points_event);
SHAPE_DECLARE(order_event);
SHAPE_DECLARE(tier_event);
SHAPE_DECLARE(customer_event);
SHAPE_DECLARE(tag_event);
SHAPE_DECLARE(note_event);
SHAPE_DECLARE(address_event);
SHAPE_DECLARE(group_event);
SHAPE_DECLARE(interaction_event);
SHAPE_DECLARE(consent_event);
SHAPE_DECLARE(suppression_event);

/* Append an event to a list in the arena: its id is by the time it happened. */
struct event_list {
        struct event *v;
        size_t n, room;
};
void event_add(struct arena *arena, struct event_list *list, enum event_type type, struct uuid customer_id,
               struct instant at, const struct shape *shape, const void *payload);

/* Queue the events of a transaction. */
enum err events_store(struct ctx *c, const struct event_list *list) MUST_CHECK;
