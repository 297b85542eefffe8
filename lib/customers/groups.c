#include "customers/groups.h"

#include "audit/audit.h"
#include "base/idmap.h"
#include "customers/customers.h"
#include "customers/store.h"
#include "db/page.h"
#include "events/events.h"

NAMES(platform_names, "wechat_group", "wechat_official_account", "qq_group", "qianniu_group", "douyin_group",
      "other");

#define GROUP_FIELDS                                                                                         \
        FIELD(platform, .names = &platform_names,                                                            \
              .doc = "Makes it a community; null: a group of the shop's own."),                              \
                FIELD(name, .need = true, .min = 1, .max = 200, .format = &format_printable),                \
                FIELD(introduction, .min = 1, .max = 2000, .format = &format_printable),                     \
                FIELD(invite_link, .min = 1, .max = 1000, .format = &format_printable)

#define SHAPE_T struct group_in
SHAPE(group_in, "What a group is.", GROUP_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct group
SHAPE(group, "A group of customers, or a community.", FIELD(id, .need = true), FIELD(code, .need = true),
      GROUP_FIELDS, FIELD(members, .doc = "Who have not left."),
      FIELD(version, .doc = "Counts up with every change; the ETag."), FIELD(created_at, .need = true),
      FIELD(updated_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct group_member
SHAPE(group_member, "A customer in a group.", FIELD(customer_id, .need = true), FIELD(group_id, .need = true),
      FIELD(group, .need = true, .doc = "Its code."), FIELD(joined_at, .need = true),
      FIELD(left_at, .doc = "null: is a member."));
#undef SHAPE_T

#define SHAPE_T struct group_member_line
SHAPE(group_member_line, "A customer in a group.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      FIELD(group, .need = true, .min = 1, .max = 60, .format = &format_code, .doc = "Its code."),
      FIELD(joined_at, .doc = "With backfill: when; else it is now."),
      FIELD(left_at, .doc = "Is no member any more; with backfill: since when, else it is now."));
#undef SHAPE_T

NAMES(group_sort_names, "code", "-code", "name", "-name", "members", "-members", "created_at", "-created_at");

#define SHAPE_T struct groups_page
SHAPE(groups_page, "A position.", FIELD(platform, .names = &platform_names), NEST(page, paging));
#undef SHAPE_T

#define SHAPE_T struct members_page
SHAPE(members_page, "A position.", FIELD(group), FIELD(gone), FIELD(after_id), FIELD(limit));
#undef SHAPE_T

struct group_customers {
        struct uuid group_id;
        struct uuids ids;
};
#define SHAPE_T struct group_customers
SHAPE(group_customers, "Customers in a group.", FIELD(group_id), FIELD(ids));
#undef SHAPE_T

#define GROUP_COLUMNS                                                                                        \
        "id, code, platform, name, introduction, invite_link, members, version, created_at, updated_at"
#define MEMBER_COLUMNS "m.customer_id, m.group_id, g.code AS \"group\", m.joined_at, m.left_at"

SQL_OPT(group_load, group, group, "SELECT " GROUP_COLUMNS " FROM groups WHERE code = :code")
SQL_OPT(group_find_locked, group, group,
        "SELECT " GROUP_COLUMNS " FROM groups WHERE code = :code FOR NO KEY UPDATE")
SQL_BATCH(group_store, group,
          "INSERT INTO groups (" GROUP_COLUMNS
          ") SELECT * FROM unnest(:id, :code, :platform, :name, :introduction, "
          ":invite_link, :members, :version, :created_at, :updated_at) ON CONFLICT (id) DO UPDATE SET "
          "platform = excluded.platform, name = excluded.name, introduction = excluded.introduction, "
          "invite_link = excluded.invite_link, members = excluded.members, version = excluded.version, "
          "updated_at = excluded.updated_at")
SQL_EXEC(group_delete, group, "DELETE FROM groups WHERE id = :id")
SQL_EXEC(group_members_delete, group, "DELETE FROM group_members WHERE group_id = :id")
SQL_LIST(groups_sorted, groups_page, group, GROUP_COLUMNS,
         "groups WHERE (:platform::text IS NULL OR platform = :platform)", "", "code", group_sort_names)
SQL_MANY(members_load, group_customers, group_member,
         "SELECT " MEMBER_COLUMNS " FROM group_members m JOIN groups g ON g.id = m.group_id "
         "WHERE m.customer_id = ANY(:ids) AND m.group_id = :group_id")
SQL_BATCH(
        members_store, group_member,
        "INSERT INTO group_members (customer_id, group_id, joined_at, left_at) SELECT * FROM unnest(:customer_id, "
        ":group_id, :joined_at, :left_at) ON CONFLICT (customer_id, group_id) DO UPDATE SET "
        "joined_at = excluded.joined_at, left_at = excluded.left_at")
SQL_PAGE(members_page, members_page, group_member, MEMBER_COLUMNS,
         "group_members m JOIN groups g ON g.id = m.group_id WHERE g.code = :group "
         "AND (:gone OR m.left_at IS NULL)",
         "AND (:after_id::uuid IS NULL OR m.customer_id > :after_id) ORDER BY m.group_id, m.customer_id")
/* 1,000 is GROUPS_OF_CUSTOMER_MAX. */
SQL_MANY(memberships_load, group_customers, group_member,
         "SELECT " MEMBER_COLUMNS " FROM group_members m JOIN groups g ON g.id = m.group_id "
         "WHERE m.customer_id = ANY(:ids) ORDER BY m.joined_at DESC, g.code LIMIT 1000")

static enum err no_group(struct ctx *c, const char *code)
{
        return fail(c, ERR_NOT_FOUND, "There is no group %s.", code);
}

enum err group_get(struct ctx *c, const char *code, struct group *ret)
{
        bool found;

        TRY(group_load(c, &(struct group){.code = code}, ret, &found));
        return found ? ERR_OK : no_group(c, code);
}

enum err group_find(struct ctx *c, const char *code, struct uuid *ret)
{
        struct group group = {0};
        bool found;

        TRY(group_load(c, &(struct group){.code = code}, &group, &found));
        *ret = group.id;
        return ERR_OK;
}

static enum err group_lock(struct ctx *c, const char *code, struct group *ret)
{
        bool found;

        TRY(group_find_locked(c, &(struct group){.code = code}, ret, &found));
        return found ? ERR_OK : no_group(c, code);
}

static enum err group_audit(struct ctx *c, const struct group *before, const struct group *after)
{
        const char *code = after != NULL ? after->code : before->code;

        return audit_write(c, &(struct audit_change){.subject = arena_printf(c->arena, "/v1/groups/%s", code),
                                                     .shape = &group_shape,
                                                     .before = before,
                                                     .after = after});
}

enum err group_put(struct ctx *c, const char *code, const struct group_in *in, int64_t expected_version,
                   struct group *ret, bool *ret_created)
{
        struct group group = {0}, before;
        bool found;

        TRY(group_find_locked(c, &(struct group){.code = code}, &group, &found));
        TRY(version_expect(c, "group", group.version, expected_version));
        before = group;
        if (!found)
                group = (struct group){
                        .id = uuid_of_external("group", code), .code = code, .created_at = c->now};
        group.platform = in->platform;
        group.name = in->name;
        group.introduction = in->introduction;
        group.invite_link = in->invite_link;
        group.version++;
        group.updated_at = c->now;
        TRY(group_store(c, &group, 1));
        TRY(group_audit(c, found ? &before : NULL, &group));
        *ret = group;
        *ret_created = !found;
        return ERR_OK;
}

enum err group_remove(struct ctx *c, const char *code)
{
        struct group group;

        TRY(group_lock(c, code, &group));
        TRY(group_members_delete(c, &group));
        TRY(group_audit(c, &group, /* after= */ NULL));
        return group_delete(c, &group);
}

enum err groups_list(struct ctx *c, const struct groups_page *page, struct page_rows *ret)
{
        return groups_sorted(c, page, ret);
}

/* Decide one; what was known of the customer in the group is in membership->member, or nothing. */
static void decide(struct ctx *c, struct group *group, struct membership *membership)
{
        struct group_member *member = &membership->member;
        struct instant at = instant_known(membership->at) ? membership->at : c->now;
        bool known = uuid_known(member->customer_id);
        bool inside = known && !instant_known(member->left_at);
        bool was_once = membership->leave && !known && instant_known(membership->joined_at);
        bool outdated = !membership->leave && !inside && instant_known(membership->at) &&
                        membership->at.us <= member->left_at.us;

        membership->was_once = was_once;
        membership->changed = was_once || (inside == membership->leave && !outdated);
        if (!membership->changed)
                return;
        if (was_once) {
                *member = (struct group_member){membership->customer_id, group->id, group->code,
                                                membership->joined_at, at};
                return;
        }
        if (membership->leave)
                member->left_at = at;
        else
                *member = (struct group_member){membership->customer_id, group->id, group->code, at, {0}};
        group->members += membership->leave ? -1 : 1;
}

/* Who is told only when he has left has joined as well. */
static void members_tell(struct ctx *c, const struct group *group, const struct membership *one,
                         struct event_list *events)
{
        const struct group_event event = {group->code};

        if (!one->leave || one->was_once)
                event_add(c->arena, events, EVENT_GROUP_JOINED, one->customer_id, one->member.joined_at,
                          &group_event_shape, &event);
        if (one->leave)
                event_add(c->arena, events, EVENT_GROUP_LEFT, one->customer_id, one->member.left_at,
                          &group_event_shape, &event);
}

enum err group_change(struct ctx *c, const char *code, struct membership *memberships, size_t n)
{
        struct group group;
        struct group_customers key = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct group_member *changed = ARENA_ARRAY(c->arena, n, struct group_member);
        struct audit_change *audits = ARENA_ARRAY(c->arena, n, struct audit_change);
        struct event_list events = {0};
        struct idmap at = idmap_new(c->arena, n);
        struct list known;
        size_t count = 0;

        TRY(group_lock(c, code, &group));
        key.group_id = group.id;
        for (size_t i = 0; i < n; i++) {
                idmap_put(&at, memberships[i].customer_id, i);
                memberships[i].member = (struct group_member){0};
                key.ids.v[key.ids.n++] = memberships[i].customer_id;
        }
        TRY(members_load(c, &key, &known));
        for (size_t i = 0; i < known.n; i++) {
                const struct group_member *member = &((const struct group_member *)known.v)[i];
                memberships[idmap_get(&at, member->customer_id)].member = *member;
        }
        for (size_t i = 0; i < n; i++) {
                struct membership *one = &memberships[i];
                decide(c, &group, one);
                if (!one->changed)
                        continue;
                audits[count] =
                        (struct audit_change){.customer_id = one->customer_id,
                                              .subject = arena_printf(c->arena, "/v1/groups/%s", group.code),
                                              .shape = &group_member_shape,
                                              .after = &one->member};
                changed[count++] = one->member;
                members_tell(c, &group, one, &events);
        }
        if (count == 0)
                return ERR_OK;
        TRY(members_store(c, changed, count));
        TRY(audit_write_all(c, audits, count));
        TRY(group_store(c, &group, 1));
        return events_store(c, &events);
}

/* Look the references of one list up; unknown ones and doubles are faults. */
static void memberships_take(struct ctx *c, const char *name, const struct texts *references,
                             const struct uuid *ids, struct idmap *seen, struct membership *memberships,
                             size_t *count)
{
        for (size_t i = 0; i < references->n; i++) {
                const char *pointer = arena_printf(c->arena, "#/%s/%zu", name, i);
                if (!uuid_known(ids[i])) {
                        fault_body(c, pointer, "not_found", "there is no customer %s", references->v[i]);
                } else if (idmap_get(seen, ids[i]) != SIZE_MAX) {
                        fault_body(c, pointer, "duplicate", "is named twice");
                } else {
                        idmap_put(seen, ids[i], *count);
                        memberships[*count] = (struct membership){.customer_id = ids[i],
                                                                  .leave = strcmp(name, "remove") == 0};
                        (*count)++;
                }
        }
}

enum err group_change_many(struct ctx *c, const struct group_changes *in, struct group_changed *ret)
{
        size_t n = in->add.n + in->remove.n, count = 0;
        struct texts all = {ARENA_ARRAY(c->arena, n, const char *), n};
        struct membership *memberships = ARENA_ARRAY(c->arena, n, struct membership);
        struct uuid *ids = ARENA_ARRAY(c->arena, n, struct uuid);
        struct idmap seen = idmap_new(c->arena, n);
        struct group group;

        if (n == 0 || n > GROUP_CHANGES_MAX)
                fault_body(c, "#", n == 0 ? "too_few" : "too_many", "must name 1 to %d customers",
                           GROUP_CHANGES_MAX);
        TRY(problem_check(c));
        for (size_t i = 0; i < n; i++)
                all.v[i] = i < in->add.n ? in->add.v[i] : in->remove.v[i - in->add.n];
        TRY(customers_lock_many(c, &all, ids));
        memberships_take(c, "add", &in->add, ids, &seen, memberships, &count);
        memberships_take(c, "remove", &in->remove, ids + in->add.n, &seen, memberships, &count);
        TRY(problem_check(c));
        TRY(group_change(c, in->group, memberships, count));
        TRY(group_get(c, in->group, &group));
        *ret = (struct group_changed){.members = group.members};
        for (size_t i = 0; i < count; i++) {
                ret->added += memberships[i].changed && !memberships[i].leave;
                ret->removed += memberships[i].changed && memberships[i].leave;
        }
        return ERR_OK;
}

enum err group_members(struct ctx *c, const struct members_page *page, struct list *ret)
{
        return members_page(c, page, ret);
}

enum err groups_of_customer(struct ctx *c, struct uuid customer_id, struct list *ret)
{
        return memberships_load(c, &(struct group_customers){.ids = {&customer_id, 1}}, ret);
}
