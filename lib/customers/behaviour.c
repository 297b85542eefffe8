#include "customers/behaviour.h"

#include "customers/natural.h"
#include "db/page.h"

NAMES(behaviour_names, "view", "search", "favourite", "cart", "checkout", "share", "live_room", "other");

#define VALUE_MAX    INT64_C(1000000000000)
#define NATURAL_KIND "behaviour"

#define BEHAVIOUR_FIELDS                                                                                     \
        FIELD(type, .need = true, .names = &behaviour_names), FIELD(channel, .names = &channel_names),       \
                FIELD(sku, .min = 1, .max = 200, .format = &format_printable),                               \
                FIELD(category, .min = 1, .max = 200, .format = &format_printable),                          \
                FIELD(brand, .min = 1, .max = 200, .format = &format_printable),                             \
                FIELD(query, .min = 1, .max = 500, .format = &format_printable, .pii = PII_ALL,              \
                      .doc = "What was searched for."),                                                      \
                FIELD(quantity, .min = 0, .max = VALUE_MAX), FIELD(value_minor, .min = 0, .max = VALUE_MAX)

#define BEHAVIOUR_IN_FIELDS                                                                                  \
        FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),            \
                FIELD(key, .min = 1, .max = 200,                                                             \
                      .doc = "The sender's own: the same one at the same time is stored once."),             \
                FIELD(occurred_at, .doc = "Now when left out."), BEHAVIOUR_FIELDS

#define SHAPE_T struct behaviour_in
SHAPE(behaviour_in, "Something a customer did.", BEHAVIOUR_IN_FIELDS);
SHAPE(behaviour_line, "Something a customer did.", BEHAVIOUR_IN_FIELDS,
      FIELD(id, .doc = "As exported: in the place of a key."));
#undef SHAPE_T

#define SHAPE_T struct behaviour_event
SHAPE(behaviour_event, "Something a customer did.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(id, .need = true), FIELD(occurred_at, .need = true), BEHAVIOUR_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct behaviour_refused
SHAPE(behaviour_refused, "An event that was not taken.",
      FIELD(index, .doc = "Its place in the call, from 0."),
      FIELD(code, .need = true, .doc = "not_found, too_late or too_old."), FIELD(detail, .need = true));
#undef SHAPE_T

#define SHAPE_T struct behaviour_taken
SHAPE(behaviour_taken, "What became of the events.", FIELD(accepted), LIST(refused, behaviour_refused));
#undef SHAPE_T

#define BEHAVIOUR_COLUMNS                                                                                    \
        "customer_id, occurred_at, id, type, channel, sku, category, brand, query, quantity, value_minor"

SQL_BATCH(behaviour_insert, behaviour_event,
          "INSERT INTO behaviour_events (" BEHAVIOUR_COLUMNS
          ") SELECT * FROM unnest(:customer_id, :occurred_at, :id, "
          ":type, :channel, :sku, :category, :brand, :query, :quantity, :value_minor) ON CONFLICT DO NOTHING")
struct behaviour_probe {
        struct uuids customers, ids;
        struct instant first, last;
};
#define SHAPE_T struct behaviour_probe
SHAPE(behaviour_probe, "Events in a span.", FIELD(customers), FIELD(ids), FIELD(first), FIELD(last));
#undef SHAPE_T
struct behaviour_known {
        struct uuid id;
        struct instant occurred_at;
};
#define SHAPE_T struct behaviour_known
SHAPE(behaviour_known, "An event that is stored.", FIELD(id), FIELD(occurred_at));
#undef SHAPE_T
SQL_MANY(
        behaviour_find, behaviour_probe, behaviour_known,
        "SELECT id, occurred_at FROM behaviour_events WHERE customer_id = ANY(:customers) AND id = ANY(:ids) "
        "AND occurred_at BETWEEN :first AND :last")
SQL_PAGE(behaviour_page, past_page, behaviour_event, BEHAVIOUR_COLUMNS,
         "behaviour_events WHERE customer_id = :customer_id AND " PAST_KIND("type") PAST_ONLY("occurred_at"),
         PAST_ORDER("occurred_at"))

/* A storefront's clock may be ahead of ours by this much. */
#define AHEAD_MAX (5 * 60 * INSTANT_SECOND)

static void refuse(struct behaviour_taken *taken, size_t index, const char *code, const char *detail)
{
        taken->refused.v[taken->refused.n++] = (struct behaviour_refused){(int64_t)index, code, detail};
}

/* The first instant that is kept: partitions are months of UTC. */
static struct instant kept_from(const struct ctx *c)
{
        struct date month = date_from_days(c->now.us / INSTANT_DAY);
        int64_t months = c->shop->behaviour_months;

        month.day = 1;
        month = date_add_months(month, -(int)(months != 0 ? months : BEHAVIOUR_MONTHS_MAX));
        return (struct instant){date_days(month) * INSTANT_DAY};
}

static struct behaviour_event event_of(struct ctx *c, const struct behaviour_in *in, struct uuid customer_id)
{
        return (struct behaviour_event){
                .customer_id = customer_id,
                .occurred_at = instant_known(in->occurred_at) ? in->occurred_at : c->now,
                .id = in->key != NULL      ? uuid_of_child(NATURAL_KIND, customer_id, in->key)
                      : uuid_known(in->id) ? in->id
                                           : uuid_new(c->now),
                .type = in->type,
                .channel = in->channel,
                .sku = in->sku,
                .category = in->category,
                .brand = in->brand,
                .query = in->query,
                .quantity = in->quantity,
                .value_minor = in->value_minor,
        };
}

/* Events that came with a merge have ids that their keys would not have here: those are left out of rows. */
static enum err former_drop(struct ctx *c, struct behaviour_event *rows, const struct natural_key *keys,
                            size_t *count)
{
        struct natural_ids ids;
        struct behaviour_probe probe = {0};
        struct list stored;
        size_t kept = 0;

        TRY(natural_ids_find(c, NATURAL_KIND, keys, *count, &ids));
        if (ids.former == 0)
                return ERR_OK;
        probe.customers = ids.customers;
        probe.ids = ids.ids;
        probe.first = probe.last = rows[0].occurred_at;
        for (size_t i = 1; i < *count; i++) {
                struct instant at = rows[i].occurred_at;
                probe.first = at.us < probe.first.us ? at : probe.first;
                probe.last = at.us > probe.last.us ? at : probe.last;
        }
        TRY(behaviour_find(c, &probe, &stored));
        const struct behaviour_known *known = stored.v;
        bool *drop = ARENA_ARRAY(c->arena, *count, bool);
        for (size_t i = 0; i < stored.n; i++) /* few: merges are rare */
                for (size_t k = 0; k < ids.ids.n; k++)
                        drop[ids.keys[k]] |= uuid_equal(ids.ids.v[k], known[i].id) &&
                                             known[i].occurred_at.us == rows[ids.keys[k]].occurred_at.us;
        for (size_t i = 0; i < *count; i++)
                if (!drop[i])
                        rows[kept++] = rows[i];
        *count = kept;
        return ERR_OK;
}

enum err behaviour_take(struct ctx *c, const struct behaviour_in *events, size_t n,
                        struct behaviour_taken *ret)
{
        struct texts references = {ARENA_ARRAY(c->arena, n, const char *), n};
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);
        struct behaviour_event *rows = ARENA_ARRAY(c->arena, n, struct behaviour_event);
        struct customer_moment *askers = ARENA_ARRAY(c->arena, n, struct customer_moment);
        struct behaviour_taken taken = {.refused.v = ARENA_ARRAY(c->arena, n, struct behaviour_refused)};
        struct instant first = kept_from(c);
        struct natural_key *keys = ARENA_ARRAY(c->arena, n, struct natural_key);
        size_t count = 0, asker_count = 0;

        for (size_t i = 0; i < n; i++)
                references.v[i] = events[i].customer;
        TRY(customers_resolve(c, &references, ids));
        for (size_t i = 0; i < n; i++) {
                struct behaviour_event row = event_of(c, &events[i], ids[i]);
                if (!uuid_known(ids[i])) {
                        refuse(&taken, i, "not_found", "There is no such customer.");
                } else if (row.occurred_at.us > c->now.us + AHEAD_MAX) {
                        refuse(&taken, i, "too_late", "It lies in the future.");
                } else if (row.occurred_at.us < first.us) {
                        refuse(&taken, i, "too_old", "It is older than what this shop keeps.");
                } else {
                        keys[count] = (struct natural_key){row.customer_id, events[i].key};
                        rows[count++] = row;
                        if (row.type == BEHAVIOUR_CART || row.type == BEHAVIOUR_CHECKOUT)
                                askers[asker_count++] = (struct customer_moment){ids[i], row.occurred_at};
                }
        }
        taken.accepted = (int64_t)count;
        TRY(former_drop(c, rows, keys, &count));
        TRY(behaviour_partitions_for(c, rows, count));
        TRY(customers_inquired(c, askers, asker_count));
        TRY(behaviour_insert(c, rows, count));
        *ret = taken;
        return ERR_OK;
}

enum err behaviour_list(struct ctx *c, const struct past_page *page, struct list *ret)
{
        return behaviour_page(c, page, ret);
}
