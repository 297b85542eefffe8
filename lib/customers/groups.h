/* Groups of customers. A group with a platform is a community out there (a WeChat group, an official
 * account): its members join and leave. */
#pragma once

#include "base/ctx.h"
#include "base/page.h"
#include "base/shape.h"

extern const struct names platform_names;

struct group {
        struct uuid id;
        const char *code;
        unsigned platform; /* 0: a static group */
        const char *name, *introduction, *invite_link;
        int64_t members; /* who have not left */
        int64_t version;
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(group);

struct group_in {
        unsigned platform;
        const char *name, *introduction, *invite_link;
};
SHAPE_DECLARE(group_in);

struct group_member {
        struct uuid customer_id, group_id;
        const char *group; /* code */
        struct instant joined_at, left_at;
};
SHAPE_DECLARE(group_member);

/* Create or replace the group of a code, in a transaction; expected_version 0 takes any. ERR_STALE. */
enum err group_put(struct ctx *c, const char *code, const struct group_in *in, int64_t expected_version,
                   struct group *ret, bool *ret_created) MUST_CHECK;
/* ERR_NOT_FOUND. */
enum err group_get(struct ctx *c, const char *code, struct group *ret) MUST_CHECK;
/* The id of a group; nil when there is none. */
enum err group_find(struct ctx *c, const char *code, struct uuid *ret) MUST_CHECK;
/* The group and its list of members are gone; the members themselves stay. ERR_NOT_FOUND. */
enum err group_remove(struct ctx *c, const char *code) MUST_CHECK;

/* A page in one of these orders. */
extern const struct names group_sort_names;
struct groups_page {
        unsigned platform; /* only communities there; none: all */
        struct paging page;
};
enum err groups_list(struct ctx *c, const struct groups_page *page, struct page_rows *ret) MUST_CHECK;

/* A member in a file. */
struct group_member_line {
        const char *customer, *group; /* reference, code */
        struct instant joined_at, left_at;
};
SHAPE_DECLARE(group_member_line);

/* One who joins or leaves. */
struct membership {
        struct uuid customer_id; /* locked by the transaction */
        bool leave;
        struct instant
                at; /* none: now. History: who is known to have left then or later does not join by it */
        struct instant joined_at;   /* of one who leaves and was never seen: kept as a member since then until
                                       `at`; none: nothing is kept of him */
        bool changed, was_once;     /* out; was_once: kept as one who has joined and left */
        struct group_member member; /* out: as it is now; nothing when somebody left who never was a member */
};
/* Change members of one group, set-based; their locks are the transaction's, each customer comes once. Emits
 * group.joined and group.left. ERR_NOT_FOUND (the group). */
enum err group_change(struct ctx *c, const char *code, struct membership *memberships, size_t n) MUST_CHECK;

/* Add or take out customers by reference, at most GROUP_CHANGES_MAX, in a transaction. Unknown customers are
 * faults at "#/add/<i>" and "#/remove/<i>". ERR_NOT_FOUND, ERR_INVALID. */
#define GROUP_CHANGES_MAX 500
struct group_changes {
        const char *group;
        struct texts add, remove;
};
struct group_changed {
        int64_t added, removed, members;
};
enum err group_change_many(struct ctx *c, const struct group_changes *in,
                           struct group_changed *ret) MUST_CHECK;

/* Members of a group, by customer id after one; with gone also those who left. */
struct members_page {
        const char *group;
        bool gone;
        struct uuid after_id;
        PAGED;
};
enum err group_members(struct ctx *c, const struct members_page *page, struct list *ret) MUST_CHECK;

/* The groups that a customer is or was in, newest first; at most GROUPS_OF_CUSTOMER_MAX. */
#define GROUPS_OF_CUSTOMER_MAX 1000
enum err groups_of_customer(struct ctx *c, struct uuid customer_id, struct list *ret) MUST_CHECK;
