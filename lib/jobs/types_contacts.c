/* Types: what is kept of customers beside their orders. */
#include <stdlib.h>

#include "access/scopes.h"
#include "customers/addresses.h"
#include "customers/behaviour.h"
#include "customers/consent.h"
#include "customers/customers.h"
#include "customers/groups.h"
#include "customers/interactions.h"
#include "customers/tags.h"
#include "jobs/people.h"

#define BATCH_MAX 1000

/* A time of something that has happened. */
static void not_in_future(struct bulk_line *line, const char *pointer, struct instant at)
{
        if (at.us > line->c.now.us)
                fault_body(&line->c, pointer, "too_late", "must not lie in the future");
}

/* ------------------------------------------------------------------ tags */

static enum err tag_read(struct bulk_line *line, const struct bulk_options *options, struct uuid customer_id,
                         void *ret)
{
        const struct tag_line *in = line->object;
        struct tag_change *call = ret;

        if (!in->remove && instant_known(in->expires_at) && in->expires_at.us <= line->c.now.us)
                fault_body(&line->c, "#/expires_at", "too_early", "must lie in the future");
        if (options->backfill)
                not_in_future(line, "#/created_at", in->created_at);
        else if (!in->remove)
                TRY(tag_kind_check(&line->c, in->kind));
        TRY(problem_check(&line->c));
        *call = (struct tag_change){.tag = {.customer_id = customer_id,
                                            .kind = in->kind,
                                            .tag = in->tag,
                                            .expires_at = in->expires_at},
                                    .remove = in->remove};
        if (options->backfill)
                call->tag.created_at = in->created_at;
        return ERR_OK;
}

static enum err tags_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                           size_t n)
{
        struct people_calls read;

        TRY(people_read(c, options, lines, n, sizeof(struct tag_change), tag_read, &read));
        struct tag_change *changes = read.v;
        struct bulk_line **good = read.lines;
        TRY(tags_change(c, changes, read.n));
        for (size_t i = 0; i < read.n; i++) {
                const struct tag_change *change = &changes[i];
                if (change->err != ERR_OK)
                        good[i]->err = fail(&good[i]->c, change->err,
                                            "The customer has %d tags of the kind %s already.", TAGS_MAX,
                                            tag_kind_names.v[change->tag.kind]);
                good[i]->status = change->changed && !change->remove ? 201 : 200;
        }
        return ERR_OK;
}

SQL_EACH(
        tags_out, bulk_filter, tag_line,
        "SELECT " OUT_REFERENCE
        ", t.kind, t.tag, t.expires_at, t.created_at" OUT_OF("customer_tags") " AND (t.expires_at IS NULL OR t.expires_at > :now)" OUT_IN_TIME(
                "t.created_at") " ORDER BY t.customer_id, t.kind, t.tag")

const struct bulk_type bulk_type_tags = {
        .name = "tags",
        .doc = "Tags, put on or taken off.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &tag_line_shape,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .batch_max = BATCH_MAX,
        .names = people_names,
        .apply = tags_apply,
        .each = tags_out,
};

/* ------------------------------------------------------------------ members of groups */

struct member_place {
        struct bulk_line *line;
        const char *group;
        struct uuid customer_id;
        size_t at; /* in the batch */
};

/* By group, so that all who work at once lock the groups in one order; then as they came. */
static int places_compare(const void *left, const void *right)
{
        const struct member_place *a = left, *b = right;
        int order = strcmp(a->group, b->group);

        return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static enum err member_read(struct bulk_line *line, const struct bulk_options *options,
                            struct uuid customer_id, struct membership *ret)
{
        const struct group_member_line *in = line->object;

        *ret = (struct membership){.customer_id = customer_id, .leave = instant_known(in->left_at)};
        if (!options->backfill)
                return ERR_OK;
        not_in_future(line, "#/joined_at", in->joined_at);
        not_in_future(line, "#/left_at", in->left_at);
        if (ret->leave && in->left_at.us < in->joined_at.us)
                fault_body(&line->c, "#/left_at", "too_early", "must not lie before joined_at");
        TRY(problem_check(&line->c));
        ret->at = ret->leave ? in->left_at : in->joined_at;
        ret->joined_at = in->joined_at;
        return ERR_OK;
}

/* Change one group by the next places, as far as they are its and nobody comes twice. */
static enum err group_next(struct ctx *c, const struct bulk_options *options,
                           const struct member_place *places, size_t n, size_t *ret_taken)
{
        struct membership *memberships = ARENA_ARRAY(c->arena, n, struct membership);
        struct bulk_line **good = ARENA_ARRAY(c->arena, n, struct bulk_line *);
        struct idmap seen = idmap_new(c->arena, n);
        size_t taken = 0, count = 0;

        for (; taken < n && strcmp(places[taken].group, places[0].group) == 0; taken++) {
                const struct member_place *place = &places[taken];
                if (idmap_get(&seen, place->customer_id) != SIZE_MAX)
                        break;
                idmap_put(&seen, place->customer_id, taken);
                place->line->err = member_read(place->line, options, place->customer_id, &memberships[count]);
                if (place->line->err == ERR_OK)
                        good[count++] = place->line;
        }
        *ret_taken = taken;
        struct ctx own = *c; /* an unknown group is not the batch's failure */
        own.problem = (struct problem){0};
        enum err err = group_change(&own, places[0].group, memberships, count);
        problem_reset(&own);
        if (err != ERR_OK && err != ERR_NOT_FOUND)
                return err;
        for (size_t i = 0; i < count; i++) {
                good[i]->status = memberships[i].changed && !memberships[i].leave ? 201 : 200;
                if (err == ERR_NOT_FOUND)
                        good[i]->err =
                                fail(&good[i]->c, ERR_NOT_FOUND, "There is no group %s.", places[0].group);
        }
        return ERR_OK;
}

static enum err members_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                              size_t n)
{
        struct member_place *places = ARENA_ARRAY(c->arena, n, struct member_place);
        struct uuid *ids;
        size_t count = 0, taken;

        TRY(people_lock(c, lines, n, &ids));
        for (size_t i = 0; i < n; i++) {
                const struct group_member_line *in = lines[i]->object;
                if (lines[i]->err == ERR_OK)
                        places[count++] = (struct member_place){lines[i], in->group, ids[i], i};
        }
        qsort(places, count, sizeof *places, places_compare);
        for (size_t i = 0; i < count; i += taken)
                TRY(group_next(c, options, &places[i], count - i, &taken));
        return ERR_OK;
}

SQL_EACH(group_members_out, bulk_filter, group_member_line,
         "SELECT " OUT_REFERENCE ", (SELECT g.code FROM groups g WHERE g.id = t.group_id) AS \"group\", "
         "t.joined_at, t.left_at" OUT_OF("group_members") OUT_IN_TIME(
                 "t.joined_at") " AND (:group::text IS NULL OR t.group_id = (SELECT g.id FROM groups g "
                                "WHERE g.code = :group)) ORDER BY t.customer_id, t.group_id")

const struct bulk_type bulk_type_group_members = {
        .name = "group_members",
        .doc = "Who is or was in which group or community.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &group_member_line_shape,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME | BULK_OF_GROUP,
        .batch_max = BATCH_MAX,
        .names = people_names,
        .apply = members_apply,
        .each = group_members_out,
};

/* ------------------------------------------------------------------ interactions */

static enum err interaction_read(struct bulk_line *line, const struct bulk_options *options,
                                 struct uuid customer_id, void *ret)
{
        const struct interaction_line *in = line->object;
        struct interaction_call *call = ret;

        if (options->from_file && in->external_id == NULL && !uuid_known(in->id))
                fault_body(&line->c, "#/external_id", "required", "a line of a file needs it, or an id");
        not_in_future(line, "#/occurred_at", in->occurred_at);
        TRY(problem_check(&line->c));
        *call = (struct interaction_call){.customer_id = customer_id, .in = &in->in, .id = in->id};
        return ERR_OK;
}

static enum err interactions_apply(struct ctx *c, const struct bulk_options *options,
                                   struct bulk_line **lines, size_t n)
{
        struct people_calls read;

        TRY(people_read(c, options, lines, n, sizeof(struct interaction_call), interaction_read, &read));
        struct interaction_call *calls = read.v;
        struct bulk_line **good = read.lines;
        TRY(interactions_add(c, calls, read.n));
        for (size_t i = 0; i < read.n; i++) {
                good[i]->status = calls[i].created ? 201 : 200;
                good[i]->id = calls[i].interaction.id;
                good[i]->external_id = calls[i].in->external_id;
                if (calls[i].err != ERR_OK)
                        good[i]->err = fail(
                                &good[i]->c, calls[i].err, "The interaction %s is known with other content.",
                                good[i]->external_id != NULL ? good[i]->external_id : "of this id");
        }
        return ERR_OK;
}

SQL_EACH(interactions_out, bulk_filter, interaction_line,
         "SELECT " OUT_REFERENCE
         ", t.external_id, t.kind, t.direction, t.channel, t.agent, t.content, t.outcome, "
         "t.satisfaction, t.occurred_at, t.id" OUT_OF("interactions") OUT_IN_TIME("t.occurred_at")
                 OUT_KIND("t.kind") " ORDER BY t.customer_id, t.id")

const struct bulk_type bulk_type_interactions = {
        .name = "interactions",
        .doc = "Contacts with customers.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &interaction_line_shape,
        .has_pii = true,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .kind = "kind",
        .kinds = &interaction_kind_names,
        .batch_max = BATCH_MAX,
        .names = people_names,
        .apply = interactions_apply,
        .each = interactions_out,
};

/* ------------------------------------------------------------------ behaviour */

static enum err behaviour_check(struct bulk_line *line, const struct bulk_options *options)
{
        const struct behaviour_in *in = line->object;

        if (options->from_file && in->key == NULL && !uuid_known(in->id))
                fault_body(&line->c, "#/key", "required", "a line of a file needs it, or an id");
        if (options->from_file && !instant_known(in->occurred_at))
                fault_body(&line->c, "#/occurred_at", "required", "a line of a file needs it");
        return problem_check(&line->c);
}

static void behaviour_blame(struct bulk_line *line, const struct behaviour_refused *refused)
{
        if (strcmp(refused->code, "not_found") == 0) {
                line->err = fail(&line->c, ERR_NOT_FOUND, "%s", refused->detail);
                return;
        }
        fault_body(&line->c, "#/occurred_at", refused->code, "%s", refused->detail);
        line->err = problem_check(&line->c);
}

static enum err behaviour_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                                size_t n)
{
        struct behaviour_in *events = ARENA_ARRAY(c->arena, n, struct behaviour_in);
        struct bulk_line **good = ARENA_ARRAY(c->arena, n, struct bulk_line *);
        struct behaviour_taken taken;
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                lines[i]->err = behaviour_check(lines[i], options);
                if (lines[i]->err != ERR_OK)
                        continue;
                events[count] = *(const struct behaviour_in *)lines[i]->object;
                good[count++] = lines[i];
        }
        TRY(behaviour_take(c, events, count, &taken));
        for (size_t i = 0; i < count; i++)
                good[i]->status = 200; /* whether it was new, nobody asked */
        for (size_t i = 0; i < taken.refused.n; i++)
                behaviour_blame(good[taken.refused.v[i].index], &taken.refused.v[i]);
        return ERR_OK;
}

SQL_EACH(behaviour_out, bulk_filter, behaviour_line,
         "SELECT " OUT_REFERENCE
         ", t.occurred_at, t.id, t.type, t.channel, t.sku, t.category, t.brand, t.query, "
         "t.quantity, t.value_minor" OUT_OF("behaviour_events") OUT_IN_TIME("t.occurred_at")
                 OUT_KIND("t.type") " ORDER BY t.customer_id, t.occurred_at, t.id")

const struct bulk_type bulk_type_behaviour_events = {
        .name = "behaviour_events",
        .doc = "What customers did in the shop.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &behaviour_line_shape,
        .has_pii = true,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .kind = "type",
        .kinds = &behaviour_names,
        .batch_max = BEHAVIOUR_MAX,
        .names = people_names,
        .apply = behaviour_apply,
        .each = behaviour_out,
};

/* ------------------------------------------------------------------ consents */

static enum err consent_read(struct bulk_line *line, const struct bulk_options *options,
                             struct uuid customer_id, void *ret)
{
        const struct consent_line *in = line->object;
        struct consent_call *call = ret;

        if (options->from_file && !instant_known(in->occurred_at))
                fault_body(&line->c, "#/occurred_at", "required", "a line of a file needs it");
        not_in_future(line, "#/occurred_at", in->occurred_at);
        TRY(problem_check(&line->c));
        *call = (struct consent_call){.customer_id = customer_id, .channel = in->channel, .in = &in->in};
        return ERR_OK;
}

static enum err consents_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                               size_t n)
{
        struct people_calls read;

        TRY(people_read(c, options, lines, n, sizeof(struct consent_call), consent_read, &read));
        struct consent_call *calls = read.v;
        struct bulk_line **good = read.lines;
        TRY(consents_record(c, calls, read.n));
        for (size_t i = 0; i < read.n; i++)
                good[i]->status = calls[i].recorded ? 201 : 200;
        return ERR_OK;
}

SQL_EACH(consents_out, bulk_filter, consent_line,
         "SELECT " OUT_REFERENCE
         ", t.channel, t.state, t.source, t.evidence, t.occurred_at, t.created_at" OUT_OF("consent_changes")
                 OUT_IN_TIME("t.occurred_at")
                         OUT_KIND("t.channel") " ORDER BY t.customer_id, t.channel, t.change_no")

const struct bulk_type bulk_type_consents = {
        .name = "consents",
        .doc = "Every statement about being written to.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &consent_line_shape,
        .has_pii = true,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .kind = "channel",
        .kinds = &contact_channel_names,
        .batch_max = BATCH_MAX,
        .names = people_names,
        .apply = consents_apply,
        .each = consents_out,
};

/* ------------------------------------------------------------------ suppressions */

static enum err suppression_read(struct bulk_line *line, const struct bulk_options *options,
                                 struct uuid customer_id, void *ret)
{
        const struct suppression_line *in = line->object;
        struct suppression_call *call = ret;

        if (options->backfill)
                not_in_future(line, "#/created_at", in->created_at);
        TRY(problem_check(&line->c));
        *call = (struct suppression_call){.suppression = {.customer_id = customer_id,
                                                          .channel = in->channel,
                                                          .reason = in->reason,
                                                          .detail = in->detail}};
        if (options->backfill)
                call->suppression.created_at = in->created_at;
        return ERR_OK;
}

static enum err suppressions_apply(struct ctx *c, const struct bulk_options *options,
                                   struct bulk_line **lines, size_t n)
{
        struct people_calls read;

        TRY(people_read(c, options, lines, n, sizeof(struct suppression_call), suppression_read, &read));
        struct suppression_call *calls = read.v;
        struct bulk_line **good = read.lines;
        TRY(suppressions_record(c, calls, read.n));
        for (size_t i = 0; i < read.n; i++)
                good[i]->status = calls[i].changed ? 201 : 200;
        return ERR_OK;
}

SQL_EACH(suppressions_out, bulk_filter, suppression_line,
         "SELECT " OUT_REFERENCE ", t.channel, t.reason, t.detail, t.created_at" OUT_OF("suppressions")
                 OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.channel")

const struct bulk_type bulk_type_suppressions = {
        .name = "suppressions",
        .doc = "Channels that must not be used.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &suppression_line_shape,
        .has_pii = true,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .batch_max = BATCH_MAX,
        .names = people_names,
        .apply = suppressions_apply,
        .each = suppressions_out,
};

/* ------------------------------------------------------------------ addresses */

static enum err address_read(struct bulk_line *line, const struct bulk_options *options,
                             struct uuid customer_id, void *ret)
{
        const struct address_line *in = line->object;
        struct address_change *call = ret;

        if (!in->remove && in->street == NULL)
                fault_body(&line->c, "#/street", "required", "is required");
        if (options->backfill)
                not_in_future(line, "#/created_at", in->created_at);
        TRY(problem_check(&line->c));
        *call = (struct address_change){.who = &line->c,
                                        .customer_id = customer_id,
                                        .wanted = {.name = in->name, .content = in->content},
                                        .remove = in->remove};
        if (options->backfill)
                call->created_at = in->created_at;
        return ERR_OK;
}

static enum err addresses_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                                size_t n)
{
        struct people_calls read;

        TRY(people_read(c, options, lines, n, sizeof(struct address_change), address_read, &read));
        struct address_change *changes = read.v;
        struct bulk_line **good = read.lines;
        TRY(addresses_change(c, changes, read.n));
        for (size_t i = 0; i < read.n; i++) {
                good[i]->status = changes[i].created ? 201 : 200;
                if (changes[i].err != ERR_OK)
                        good[i]->err = addresses_too_many(&good[i]->c);
        }
        return ERR_OK;
}

SQL_EACH(
        addresses_out, bulk_filter, address_line,
        "SELECT " OUT_REFERENCE
        ", t.name, t.recipient, t.phone, t.country, t.province, t.city, t.district, t.street, t.postal_code, "
        "t.is_default, t.created_at, t.updated_at, t.version" OUT_OF("customer_addresses")
                OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.name")

const struct bulk_type bulk_type_addresses = {
        .name = "addresses",
        .doc = "Addresses, put or taken away.",
        .scope_read = SCOPE_CUSTOMERS_READ,
        .scope_write = SCOPE_CUSTOMERS_WRITE,
        .line_shape = &address_line_shape,
        .has_pii = true,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .batch_max = BATCH_MAX,
        .names = people_names,
        .apply = addresses_apply,
        .each = addresses_out,
};
