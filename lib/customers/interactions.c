#include "customers/interactions.h"

#include "audit/audit.h"
#include "customers/natural.h"
#include "db/page.h"
#include "events/events.h"

NAMES(interaction_kind_names, "consultation", "complaint", "call", "chat", "visit", "email", "sms",
      "follow_up", "other");
NAMES(direction_names, "inbound", "outbound");

#define CONTENT_CHARS_MAX 10000
#define NATURAL_KIND      "interaction"

#define INTERACTION_FIELDS                                                                                   \
        FIELD(kind, .need = true, .names = &interaction_kind_names),                                         \
                FIELD(direction, .names = &direction_names, .dflt = "inbound",                               \
                      .doc = "Who began it: the customer (inbound) or the shop."),                           \
                FIELD(channel, .min = 1, .max = 100, .format = &format_printable,                            \
                      .doc = "Where: phone, wechat, shop, ..."),                                             \
                FIELD(agent, .min = 1, .max = 200, .format = &format_printable),                             \
                FIELD(content, .min = 1, .max = CONTENT_CHARS_MAX, .format = &format_printable,              \
                      .pii = PII_ALL, .doc = "What was said."),                                              \
                FIELD(outcome, .min = 1, .max = 2000, .format = &format_printable, .pii = PII_ALL),          \
                FIELD(satisfaction, .min = 1, .max = 5, .doc = "1 (bad) to 5 (good).")

#define SHAPE_T struct interaction_in
SHAPE(interaction_in, "A contact with a customer.",
      FIELD(external_id, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's own number; the same one again changes nothing."),
      INTERACTION_FIELDS, FIELD(occurred_at, .doc = "Now when left out."));
#undef SHAPE_T

#define SHAPE_T struct interaction_line
SHAPE(interaction_line, "A contact with a customer.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(external_id, .min = 1, .max = 200, .format = &format_printable,
            .doc = "The shop's own number; the same one again changes nothing. A file's line needs it, or an id."),
      INTERACTION_FIELDS, FIELD(occurred_at, .doc = "Now when left out."),
      FIELD(id, .doc = "As exported: the key of one without external_id."));
#undef SHAPE_T

#define SHAPE_T struct interaction
SHAPE(interaction, "A contact with a customer.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(id, .need = true), FIELD(external_id), INTERACTION_FIELDS, FIELD(occurred_at, .need = true),
      FIELD(created_at, .need = true));
#undef SHAPE_T

struct interaction_keys {
        struct uuids customers, ids;
};
#define SHAPE_T struct interaction_keys
SHAPE(interaction_keys, "Which ones.", FIELD(customers), FIELD(ids));
#undef SHAPE_T

#define INTERACTION_COLUMNS                                                                                  \
        "customer_id, id, external_id, kind, direction, channel, agent, content, outcome, satisfaction, "    \
        "occurred_at, created_at"

SQL_MANY(interactions_known, interaction_keys, interaction,
         "SELECT " INTERACTION_COLUMNS
         " FROM interactions WHERE customer_id = ANY(:customers) AND id = ANY(:ids)")

SQL_BATCH(
        interactions_insert, interaction,
        "INSERT INTO interactions (" INTERACTION_COLUMNS
        ") SELECT * FROM unnest(:customer_id, :id, :external_id, "
        ":kind, :direction, :channel, :agent, :content, :outcome, :satisfaction, :occurred_at, :created_at)")

SQL_PAGE(interactions_page, past_page, interaction, INTERACTION_COLUMNS,
         "interactions WHERE customer_id = :customer_id AND " PAST_KIND("kind") PAST_ONLY("occurred_at"),
         PAST_ORDER("occurred_at"))

static bool asks(const struct interaction *interaction)
{
        unsigned kind = interaction->kind;

        return interaction->direction == DIRECTION_INBOUND &&
               (kind == INTERACTION_CONSULTATION || kind == INTERACTION_CALL || kind == INTERACTION_CHAT ||
                kind == INTERACTION_VISIT);
}

static bool same_text(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Is the stored one what the call says? A time that was left out is whatever was stored. */
static bool says_the_same(const struct interaction *stored, const struct interaction_in *in)
{
        return stored->kind == in->kind && stored->direction == in->direction &&
               same_text(stored->channel, in->channel) && same_text(stored->agent, in->agent) &&
               same_text(stored->content, in->content) && same_text(stored->outcome, in->outcome) &&
               stored->satisfaction.set == in->satisfaction.set &&
               stored->satisfaction.v == in->satisfaction.v &&
               (!instant_known(in->occurred_at) || in->occurred_at.us == stored->occurred_at.us);
}

static void interaction_make(struct ctx *c, struct interaction_call *call)
{
        const struct interaction_in *in = call->in;

        call->interaction = (struct interaction){
                .customer_id = call->customer_id,
                .id = in->external_id != NULL
                              ? uuid_of_child(NATURAL_KIND, call->customer_id, in->external_id)
                      : uuid_known(call->id) ? call->id
                                             : uuid_new(c->now),
                .external_id = in->external_id,
                .kind = in->kind,
                .direction = in->direction,
                .channel = in->channel,
                .agent = in->agent,
                .content = in->content,
                .outcome = in->outcome,
                .satisfaction = in->satisfaction,
                .occurred_at = instant_known(in->occurred_at) ? in->occurred_at : c->now,
                .created_at = c->now,
        };
}

/* By its id; or by its number, when it came with a merge. */
static const struct interaction *find(const struct interaction *rows, size_t n,
                                      const struct interaction *wanted)
{
        const struct interaction *former = NULL;

        for (size_t i = 0; i < n; i++) {
                if (!uuid_equal(rows[i].customer_id, wanted->customer_id))
                        continue;
                if (uuid_equal(rows[i].id, wanted->id))
                        return &rows[i];
                if (wanted->external_id != NULL && same_text(rows[i].external_id, wanted->external_id))
                        former = &rows[i];
        }
        return former;
}

/* What may be stored already: under the sender's key, or under the id that a file gave it. */
static enum err known_load(struct ctx *c, const struct interaction_call *calls, size_t n, struct list *ret)
{
        struct natural_key *keys = ARENA_ARRAY(c->arena, n, struct natural_key);
        struct natural_ids found;

        *ret = (struct list){0};
        for (size_t i = 0; i < n; i++)
                keys[i] = (struct natural_key){calls[i].customer_id, calls[i].in->external_id};
        TRY(natural_ids_find(c, NATURAL_KIND, keys, n, &found));
        struct interaction_keys wanted = {
                .customers = {ARENA_ARRAY(c->arena, found.ids.n + n, struct uuid), found.ids.n},
                .ids = {ARENA_ARRAY(c->arena, found.ids.n + n, struct uuid), found.ids.n},
        };
        for (size_t i = 0; i < found.ids.n; i++) {
                wanted.customers.v[i] = found.customers.v[i];
                wanted.ids.v[i] = found.ids.v[i];
        }
        for (size_t i = 0; i < n; i++) {
                if (calls[i].in->external_id != NULL || !uuid_known(calls[i].id))
                        continue;
                wanted.customers.v[wanted.customers.n++] = calls[i].customer_id;
                wanted.ids.v[wanted.ids.n++] = calls[i].id;
        }
        return wanted.ids.n > 0 ? interactions_known(c, &wanted, ret) : ERR_OK;
}

enum err interactions_add(struct ctx *c, struct interaction_call *calls, size_t n)
{
        struct interaction *fresh = ARENA_ARRAY(c->arena, n, struct interaction);
        struct customer_moment *askers = ARENA_ARRAY(c->arena, n, struct customer_moment);
        struct audit_change *audits = ARENA_ARRAY(c->arena, n, struct audit_change);
        struct event_list events = {0};
        struct list known;
        size_t fresh_count = 0, asker_count = 0;

        for (size_t i = 0; i < n; i++)
                interaction_make(c, &calls[i]);
        TRY(known_load(c, calls, n, &known));
        for (size_t i = 0; i < n; i++) {
                struct interaction *made = &calls[i].interaction;
                const struct interaction *stored = find(known.v, known.n, made);
                if (stored == NULL)
                        stored = find(fresh, fresh_count, made);
                calls[i].created = stored == NULL;
                calls[i].err = stored == NULL || says_the_same(stored, calls[i].in) ? ERR_OK
                                                                                    : ERR_INTERACTION_DIFFERS;
                if (stored != NULL) {
                        *made = *stored;
                        continue;
                }
                audits[fresh_count] = (struct audit_change){
                        .customer_id = made->customer_id,
                        .subject = customer_part_by_id(c->arena, made->customer_id, "interactions", made->id),
                        .shape = &interaction_shape,
                        .after = made};
                fresh[fresh_count++] = *made;
                if (asks(made))
                        askers[asker_count++] =
                                (struct customer_moment){made->customer_id, made->occurred_at};
                event_add(c->arena, &events, EVENT_INTERACTION_RECORDED, made->customer_id, c->now,
                          &interaction_event_shape,
                          &(struct interaction_event){made->id, interaction_kind_names.v[made->kind]});
        }
        TRY(interactions_insert(c, fresh, fresh_count));
        TRY(customers_inquired(c, askers, asker_count));
        TRY(audit_write_all(c, audits, fresh_count));
        return events_store(c, &events);
}

enum err interaction_add(struct ctx *c, const char *customer, const struct interaction_in *in,
                         struct interaction *ret, bool *ret_created)
{
        struct customer locked;

        if (in->occurred_at.us > c->now.us)
                fault_body(c, "#/occurred_at", "too_late", "must not lie in the future");
        TRY(problem_check(c));
        TRY(customer_lock(c, customer, &locked));
        struct interaction_call call = {.customer_id = locked.id, .in = in};
        TRY(interactions_add(c, &call, 1));
        if (call.err != ERR_OK)
                return fail(c, call.err, "The interaction %s is known with other content.", in->external_id);
        *ret = call.interaction;
        *ret_created = call.created;
        return ERR_OK;
}

enum err interaction_get(struct ctx *c, const char *customer, struct uuid id, struct interaction *ret)
{
        struct customer owner;
        struct list rows;

        TRY(customer_get(c, customer, &owner));
        TRY(interactions_known(c, &(struct interaction_keys){{&owner.id, 1}, {&id, 1}}, &rows));
        if (rows.n == 0)
                return fail(c, ERR_NOT_FOUND, "The customer has no such interaction.");
        *ret = *(const struct interaction *)rows.v;
        return ERR_OK;
}

enum err interactions_list(struct ctx *c, const struct past_page *page, struct list *ret)
{
        return interactions_page(c, page, ret);
}
