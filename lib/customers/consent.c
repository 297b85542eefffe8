#include "customers/consent.h"

#include "audit/audit.h"
#include "customers/customers.h"
#include "customers/store.h"
#include "db/page.h"
#include "events/events.h"

NAMES(contact_channel_names, "sms", "email", "push", "wechat", "phone");
NAMES(consent_state_names, "granted", "denied", "withdrawn");
NAMES(suppression_reason_names, "bounce", "complaint", "manual");

#define SOURCE_FIELDS                                                                                        \
        FIELD(source, .min = 1, .max = 200, .format = &format_printable,                                     \
              .doc = "Where it was said: a form, a call, ..."),                                              \
                FIELD(evidence, .min = 1, .max = 2000, .format = &format_printable, .pii = PII_ALL,          \
                      .doc = "What proves it: a text, an address of a record, ...")

#define SHAPE_T struct consent_in
SHAPE(consent_in, "What the customer said.", FIELD(state, .need = true, .names = &consent_state_names),
      SOURCE_FIELDS, FIELD(occurred_at, .doc = "When it was said; now when left out."));
#undef SHAPE_T

#define SHAPE_T struct consent_line
SHAPE(consent_line, "What a customer said.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(channel, .need = true, .names = &contact_channel_names),
      FIELD(state, .need = true, .names = &consent_state_names), SOURCE_FIELDS,
      FIELD(occurred_at, .doc = "When it was said; now when left out. A file's line needs it."),
      FIELD(created_at, .doc = "As exported; not read."));
#undef SHAPE_T

#define SHAPE_T struct consent_change
SHAPE(consent_change, "One statement about a channel.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(id, .need = true), FIELD(channel, .need = true, .names = &contact_channel_names),
      FIELD(change_no, .doc = "Counts up per customer and channel."),
      FIELD(state, .need = true, .names = &consent_state_names), SOURCE_FIELDS,
      FIELD(occurred_at, .need = true), FIELD(created_at, .need = true, .doc = "When it was recorded."));
#undef SHAPE_T

#define SHAPE_T struct suppression
SHAPE(suppression, "A channel that must not be used.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(channel, .need = true, .names = &contact_channel_names),
      FIELD(reason, .need = true, .names = &suppression_reason_names),
      FIELD(detail, .max = 500, .pii = PII_ALL), FIELD(created_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct suppression_line
SHAPE(suppression_line, "A channel that must not be used.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(channel, .need = true, .names = &contact_channel_names),
      FIELD(reason, .need = true, .names = &suppression_reason_names),
      FIELD(detail, .max = 500, .pii = PII_ALL), FIELD(created_at, .doc = "Of history; else it is now."));
#undef SHAPE_T

#define SHAPE_T struct contact_state
SHAPE(contact_state, "One channel as it is now.",
      FIELD(channel, .need = true, .names = &contact_channel_names),
      FIELD(consent, .names = &consent_state_names, .doc = "null: never asked."), SOURCE_FIELDS,
      FIELD(since, .doc = "When the consent was said."),
      FIELD(suppression, .names = &suppression_reason_names, .doc = "null: not suppressed."),
      FIELD(suppressed_at), FIELD(contactable, .doc = "Granted and not suppressed."));
#undef SHAPE_T

#define SHAPE_T struct contact_states
SHAPE(contact_states, "Who may be written to, and how.", FIELD(customer_id, .need = true, .subject = true),
      LIST(channels, contact_state));
#undef SHAPE_T

/* What holds for one customer and channel. */
struct consent {
        struct uuid customer_id;
        unsigned channel, state;
        const char *source, *evidence;
        struct instant occurred_at;
        int64_t changes;
};
#define SHAPE_T struct consent
SHAPE(consent, "What holds.", FIELD(customer_id), FIELD(channel, .names = &contact_channel_names),
      FIELD(state, .names = &consent_state_names), FIELD(source), FIELD(evidence), FIELD(occurred_at),
      FIELD(changes));
#undef SHAPE_T

#define CONSENT_COLUMNS     "customer_id, channel, state, source, evidence, occurred_at, changes"
#define CHANGE_COLUMNS      "customer_id, channel, change_no, id, state, source, evidence, occurred_at, created_at"
#define SUPPRESSION_COLUMNS "customer_id, channel, reason, detail, created_at"

SQL_LATER(consents_load, customer_ids, consent,
          "SELECT " CONSENT_COLUMNS " FROM consents WHERE customer_id = ANY(:ids)")
SQL_LATER(suppressions_load, customer_ids, suppression,
          "SELECT " SUPPRESSION_COLUMNS " FROM suppressions WHERE customer_id = ANY(:ids)")
SQL_BATCH(
        consents_store, consent,
        "INSERT INTO consents (" CONSENT_COLUMNS
        ") SELECT * FROM unnest(:customer_id, :channel, :state, :source, "
        ":evidence, :occurred_at, :changes) ON CONFLICT (customer_id, channel) DO UPDATE SET state = excluded.state, "
        "source = excluded.source, evidence = excluded.evidence, occurred_at = excluded.occurred_at, "
        "changes = excluded.changes")
SQL_BATCH(changes_insert, consent_change,
          "INSERT INTO consent_changes (" CHANGE_COLUMNS
          ") SELECT * FROM unnest(:customer_id, :channel, :change_no, :id, "
          ":state, :source, :evidence, :occurred_at, :created_at)")
SQL_BATCH(suppression_store, suppression,
          "INSERT INTO suppressions (" SUPPRESSION_COLUMNS
          ") SELECT * FROM unnest(:customer_id, :channel, :reason, "
          ":detail, :created_at) ON CONFLICT (customer_id, channel) DO UPDATE SET reason = excluded.reason, "
          "detail = excluded.detail, created_at = excluded.created_at")
SQL_MANY(
        suppression_delete, suppression, suppression,
        "DELETE FROM suppressions WHERE customer_id = :customer_id AND channel = :channel RETURNING " SUPPRESSION_COLUMNS)
SQL_LATER(changes_load, customer_ids, consent_change,
          "SELECT " CHANGE_COLUMNS " FROM consent_changes WHERE customer_id = ANY(:ids)")
SQL_PAGE(changes_page, past_page, consent_change, CHANGE_COLUMNS,
         "consent_changes WHERE customer_id = :customer_id AND " PAST_KIND("channel")
                 PAST_ONLY("occurred_at"),
         PAST_ORDER("occurred_at"))

/* What holds for the customer and channel of a call, stored or from an earlier call of the batch. */
static struct consent *holding(struct consent *consents, size_t *count, const struct consent_call *call)
{
        for (size_t i = 0; i < *count; i++)
                if (consents[i].channel == call->channel &&
                    uuid_equal(consents[i].customer_id, call->customer_id))
                        return &consents[i];
        consents[*count] = (struct consent){.customer_id = call->customer_id, .channel = call->channel};
        return &consents[(*count)++];
}

static bool was_said(const struct consent_change *changes, size_t n, const struct consent_call *call,
                     struct instant at)
{
        for (size_t i = 0; i < n; i++)
                if (changes[i].channel == call->channel && changes[i].state == call->in->state &&
                    changes[i].occurred_at.us == at.us &&
                    uuid_equal(changes[i].customer_id, call->customer_id))
                        return true;
        return false;
}

/* Take a statement in that was not known. */
static void state(struct ctx *c, const struct consent_call *call, struct instant at, struct consent *consent,
                  struct consent_change *ret)
{
        const struct consent_in *in = call->in;

        *ret = (struct consent_change){.customer_id = call->customer_id,
                                       .id = uuid_new(c->now),
                                       .channel = call->channel,
                                       .state = in->state,
                                       .change_no = ++consent->changes,
                                       .source = in->source,
                                       .evidence = in->evidence,
                                       .occurred_at = at,
                                       .created_at = c->now};
        if (at.us >= consent->occurred_at.us) {
                consent->state = in->state;
                consent->source = in->source;
                consent->evidence = in->evidence;
                consent->occurred_at = at;
        }
}

enum err consents_record(struct ctx *c, struct consent_call *calls, size_t n)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct consent_change *changes = ARENA_ARRAY(c->arena, n, struct consent_change);
        struct audit_change *audits = ARENA_ARRAY(c->arena, n, struct audit_change);
        struct event_list events = {0};
        struct list stored = {0}, said = {0};
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                ids.ids.v[ids.ids.n++] = calls[i].customer_id;
        TRY(consents_load(c, &ids, &stored));
        TRY(changes_load(c, &ids, &said));
        TRY(db_flush(c));
        size_t consent_count = stored.n;
        struct consent *consents = ARENA_ARRAY(c->arena, stored.n + n, struct consent);
        for (size_t i = 0; i < stored.n; i++)
                consents[i] = ((const struct consent *)stored.v)[i];
        for (size_t i = 0; i < n; i++) {
                struct instant at =
                        instant_known(calls[i].in->occurred_at) ? calls[i].in->occurred_at : c->now;
                calls[i].recorded =
                        !was_said(said.v, said.n, &calls[i], at) && !was_said(changes, count, &calls[i], at);
                if (!calls[i].recorded)
                        continue;
                struct consent *consent = holding(consents, &consent_count, &calls[i]);
                unsigned before = consent->state;
                state(c, &calls[i], at, consent, &changes[count++]);
                if (consent->state != before)
                        event_add(c->arena, &events, EVENT_CONSENT_CHANGED, consent->customer_id, c->now,
                                  &consent_event_shape,
                                  &(struct consent_event){contact_channel_names.v[consent->channel],
                                                          consent_state_names.v[before],
                                                          consent_state_names.v[consent->state]});
        }
        if (count == 0)
                return ERR_OK;
        TRY(consents_store(c, consents, consent_count));
        TRY(changes_insert(c, changes, count));
        for (size_t i = 0; i < count; i++)
                audits[i] = (struct audit_change){
                        .customer_id = changes[i].customer_id,
                        .subject = customer_part(c->arena, changes[i].customer_id, "consents",
                                                 contact_channel_names.v[changes[i].channel]),
                        .shape = &consent_change_shape,
                        .after = &changes[i]};
        TRY(audit_write_all(c, audits, count));
        return events_store(c, &events);
}

enum err consent_put(struct ctx *c, const char *customer, unsigned channel, const struct consent_in *in,
                     struct contact_states *ret)
{
        struct customer locked;

        if (in->occurred_at.us > c->now.us)
                fault_body(c, "#/occurred_at", "too_late", "must not lie in the future");
        TRY(problem_check(c));
        TRY(customer_lock(c, customer, &locked));
        TRY(consents_record(c, &(struct consent_call){.customer_id = locked.id, .channel = channel, .in = in},
                            1));
        return contacts_get(c, locked.id, ret);
}

static enum err suppression_told(struct ctx *c, enum event_type type, const struct suppression *suppression)
{
        struct event_list events = {0};

        bool lifted = type == EVENT_CUSTOMER_UNSUPPRESSED;
        event_add(c->arena, &events, type, suppression->customer_id,
                  lifted ? c->now : suppression->created_at, &suppression_event_shape,
                  &(struct suppression_event){contact_channel_names.v[suppression->channel],
                                              suppression_reason_names.v[suppression->reason]});
        TRY(audit_write(c, &(struct audit_change){.customer_id = suppression->customer_id,
                                                  .subject = customer_part(
                                                          c->arena, suppression->customer_id, "suppressions",
                                                          contact_channel_names.v[suppression->channel]),
                                                  .shape = &suppression_shape,
                                                  .before = lifted ? suppression : NULL,
                                                  .after = lifted ? NULL : suppression}));
        return events_store(c, &events);
}

static bool texts_equal(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Is what holds the same, or later than what is said? */
static bool suppression_holds(const struct list *known, const struct suppression *said)
{
        const struct suppression *holding = known->v;

        for (size_t i = 0; i < known->n; i++) {
                if (!uuid_equal(holding[i].customer_id, said->customer_id) ||
                    holding[i].channel != said->channel)
                        continue;
                bool same = holding[i].reason == said->reason && texts_equal(holding[i].detail, said->detail);
                return same ||
                       (instant_known(said->created_at) && said->created_at.us < holding[i].created_at.us);
        }
        return false;
}

enum err suppressions_record(struct ctx *c, struct suppression_call *calls, size_t n)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct list known = {0};

        for (size_t i = 0; i < n; i++)
                ids.ids.v[ids.ids.n++] = calls[i].suppression.customer_id;
        TRY(suppressions_load(c, &ids, &known));
        TRY(db_flush(c));
        for (size_t i = 0; i < n; i++) {
                struct suppression *suppression = &calls[i].suppression;
                calls[i].changed = !suppression_holds(&known, suppression);
                if (!calls[i].changed)
                        continue;
                if (!instant_known(suppression->created_at))
                        suppression->created_at = c->now;
                TRY(suppression_store(c, suppression, 1));
                TRY(suppression_told(c, EVENT_CUSTOMER_SUPPRESSED, suppression));
        }
        return ERR_OK;
}

enum err suppression_put(struct ctx *c, const char *customer, const struct suppression *in,
                         struct suppression *ret)
{
        struct customer locked;
        struct suppression suppression = *in;

        TRY(customer_lock(c, customer, &locked));
        suppression.customer_id = locked.id;
        suppression.created_at = c->now;
        TRY(suppression_store(c, &suppression, 1));
        TRY(suppression_told(c, EVENT_CUSTOMER_SUPPRESSED, &suppression));
        *ret = suppression;
        return ERR_OK;
}

enum err suppression_lift(struct ctx *c, const char *customer, unsigned channel)
{
        struct customer locked;
        struct list gone;

        TRY(customer_lock(c, customer, &locked));
        TRY(suppression_delete(c, &(struct suppression){.customer_id = locked.id, .channel = channel},
                               &gone));
        return gone.n == 1 ? suppression_told(c, EVENT_CUSTOMER_UNSUPPRESSED, gone.v)
                           : fail(c, ERR_NOT_FOUND, "The channel %s is not suppressed.",
                                  contact_channel_names.v[channel]);
}

enum err contacts_get(struct ctx *c, struct uuid customer_id, struct contact_states *ret)
{
        struct customer_ids ids = {{&customer_id, 1}};
        struct list consents = {0}, suppressions = {0};

        TRY(consents_load(c, &ids, &consents));
        TRY(suppressions_load(c, &ids, &suppressions));
        TRY(db_flush(c));
        *ret = (struct contact_states){.customer_id = customer_id};
        ret->channels.n = CONTACT_COUNT_ - 1;
        ret->channels.v = ARENA_ARRAY(c->arena, ret->channels.n, struct contact_state);
        for (unsigned channel = 1; channel < CONTACT_COUNT_; channel++)
                ret->channels.v[channel - 1].channel = channel;
        for (size_t i = 0; i < consents.n; i++) {
                const struct consent *consent = &((const struct consent *)consents.v)[i];
                struct contact_state *to = &ret->channels.v[consent->channel - 1];
                to->consent = consent->state;
                to->source = consent->source;
                to->evidence = consent->evidence;
                to->since = consent->occurred_at;
                to->contactable = consent->state == CONSENT_GRANTED;
        }
        for (size_t i = 0; i < suppressions.n; i++) {
                const struct suppression *suppression = &((const struct suppression *)suppressions.v)[i];
                struct contact_state *to = &ret->channels.v[suppression->channel - 1];
                to->suppression = suppression->reason;
                to->suppressed_at = suppression->created_at;
                to->contactable = false;
        }
        return ERR_OK;
}

enum err consents_history(struct ctx *c, const struct past_page *page, struct list *ret)
{
        return changes_page(c, page, ret);
}
