#include "events/events.h"

#include "base/shape_json.h"
#include "db/statement.h"

static const char *const event_names_v[] = {
        NULL,
#define EVENT(name, type, doc) type,
#include "events/events.def"
#undef EVENT
};
const struct names event_names = {event_names_v, ARRAY_SIZE(event_names_v)};

#define SHAPE_T struct order_event
SHAPE(order_event, "An order's event.", FIELD(order_id, .need = true), FIELD(external_id, .need = true),
      FIELD(refund_external_id), FIELD(total_minor), FIELD(refunded_minor), FIELD(points), FIELD(growth));
#undef SHAPE_T

#define SHAPE_T struct tier_event
SHAPE(tier_event, "A change of tier.", FIELD(before, .need = true), FIELD(after, .need = true),
      FIELD(order_id), FIELD(until));
#undef SHAPE_T

#define SHAPE_T struct activity_event
SHAPE(activity_event, "Something that a customer did.", FIELD(type), FIELD(key), FIELD(state), FIELD(points),
      FIELD(growth));
#undef SHAPE_T

#define SHAPE_T struct customer_event
SHAPE(customer_event, "A customer's event.", FIELD(external_id), FIELD(version));
#undef SHAPE_T

#define SHAPE_T struct tag_event
SHAPE(tag_event, "A tag's event.", FIELD(kind, .need = true), FIELD(tag, .need = true), FIELD(expires_at));
#undef SHAPE_T

#define SHAPE_T struct note_event
SHAPE(note_event, "A note's event.", FIELD(note_id, .need = true));
#undef SHAPE_T

#define SHAPE_T struct address_event
SHAPE(address_event, "An address's event.", FIELD(address, .need = true, .doc = "Its name."));
#undef SHAPE_T

#define SHAPE_T struct group_event
SHAPE(group_event, "A member's event.", FIELD(group, .need = true));
#undef SHAPE_T

#define SHAPE_T struct interaction_event
SHAPE(interaction_event, "A contact's event.", FIELD(interaction_id, .need = true),
      FIELD(kind, .need = true));
#undef SHAPE_T

#define SHAPE_T struct consent_event
SHAPE(consent_event, "A change of consent.", FIELD(channel, .need = true),
      FIELD(before, .doc = "null: never asked."), FIELD(after, .need = true));
#undef SHAPE_T

#define SHAPE_T struct suppression_event
SHAPE(suppression_event, "A suppression's event.", FIELD(channel, .need = true), FIELD(reason, .need = true));
#undef SHAPE_T

#define SHAPE_T struct merge_event
SHAPE(merge_event, "A merge's event.", FIELD(merge_id, .need = true), FIELD(absorbed_id, .need = true));
#undef SHAPE_T

#define SHAPE_T struct points_event
SHAPE(points_event, "Points that lapse, or are given or taken.", FIELD(points), FIELD(expires_at));
#undef SHAPE_T

#define SHAPE_T struct birthday_event
SHAPE(birthday_event, "What a birthday brought.", FIELD(rule, .need = true), FIELD(year), FIELD(points),
      FIELD(coupon, .doc = "Its code; null: none."));
#undef SHAPE_T

#define SHAPE_T struct coupon_event
SHAPE(coupon_event, "A coupon's event.", FIELD(code, .need = true), FIELD(template_code, .need = true),
      FIELD(order_id), FIELD(off_minor), FIELD(expires_at));
#undef SHAPE_T

#define SHAPE_T struct reward_event
SHAPE(reward_event, "A redemption's event.", FIELD(redemption_id, .need = true), FIELD(reward, .need = true),
      FIELD(coupon), FIELD(points));
#undef SHAPE_T

#define SHAPE_T struct event
SHAPE(event, "An event.", FIELD(customer_id), FIELD(id), FIELD(type, .names = &event_names), FIELD(payload),
      FIELD(occurred_at));
#undef SHAPE_T

SQL_BATCH(events_insert, event,
          "INSERT INTO events (customer_id, id, type, payload, occurred_at) "
          "SELECT * FROM unnest(:customer_id, :id, :type, :payload, :occurred_at)")

void event_add(struct arena *arena, struct event_list *list, enum event_type type, struct uuid customer_id,
               struct instant at, const struct shape *shape, const void *payload)
{
        struct text json = {0};

        if (list->n == list->room) {
                list->room = list->room == 0 ? 16 : list->room * 2;
                struct event *larger = ARENA_ARRAY(arena, list->room, struct event);
                for (size_t i = 0; i < list->n; i++)
                        larger[i] = list->v[i];
                list->v = larger;
        }
        shape_encode(&json, shape, payload, /* masked= */ true);
        list->v[list->n++] = (struct event){.customer_id = customer_id,
                                            .id = uuid_new(at),
                                            .type = type,
                                            .payload.text = arena_strndup(arena, json.data, json.len),
                                            .occurred_at = at};
        text_free(&json);
}

enum err events_store(struct ctx *c, const struct event_list *list)
{
        return events_insert(c, list->v, list->n);
}
