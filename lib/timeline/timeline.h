/* The timeline: everything that happened to a customer, newest first. Like the auditor (check/check.h) it
 * reads the tables of all domains, and only reads: each of them could tell a part, none the order of the
 * whole. */
#pragma once

#include "base/ctx.h"
#include "base/shape.h"

enum timeline_kind {
        TIMELINE_NONE,
        TIMELINE_ACTIVITY,
        TIMELINE_ADDRESS,
        TIMELINE_ADDRESS_CHANGED,
        TIMELINE_ADDRESS_REMOVED,
        TIMELINE_BEHAVIOUR,
        TIMELINE_CONSENT,
        TIMELINE_COUPON,
        TIMELINE_CREATED,
        TIMELINE_GROUP_JOINED,
        TIMELINE_GROUP_LEFT,
        TIMELINE_INTERACTION,
        TIMELINE_MERGED,
        TIMELINE_NOTE,
        TIMELINE_ORDER,
        TIMELINE_POINTS,
        TIMELINE_REDEMPTION,
        TIMELINE_REFUND,
        TIMELINE_SUPPRESSION,
        TIMELINE_SUPPRESSION_LIFTED,
        TIMELINE_TAG,
        TIMELINE_TAG_REMOVED,
        TIMELINE_TIER,
        TIMELINE_UNMERGED,
};
extern const struct names timeline_kind_names;

struct timeline_entry {
        struct uuid customer_id;
        struct instant at;
        unsigned kind;
        const char *key;       /* tells those of one kind and instant apart */
        struct json_text data; /* facts by kind, nothing personal */
        const char *content;   /* what was said, written or searched for; or NULL */
};
SHAPE_DECLARE(timeline_entry);

/* Before the position (at, kind, key); at none: from the newest. only 0: every kind. */
struct timeline_page {
        struct uuid customer_id;
        unsigned only;
        struct instant before_at;
        unsigned before_kind;
        const char *before_key;
        int64_t limit;
};
enum err timeline_list(struct ctx *c, const struct timeline_page *page, struct list *ret) MUST_CHECK;
