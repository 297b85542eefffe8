/* What the files of adjustments share; nobody else includes this. */
#pragma once

#include "events/events.h"
#include "points/adjustments.h"
#include "points/store.h"

struct adjustment_probe {
        struct uuids customers, ids; /* pairs */
};

/* Queue: those of these that exist. */
enum err adjustments_later(struct ctx *c, const struct adjustment_probe *probe, struct list *ret) MUST_CHECK;

/* Queue the writes of adjustments, with their events and entries in the audit log. */
enum err adjustments_keep(struct ctx *c, const struct adjustment *adjustments, size_t n) MUST_CHECK;

/* Queue the write of a new or decided request. */
enum err approval_store(struct ctx *c, const struct approval *approval) MUST_CHECK;

/* Book one: it is ADJUSTMENT_APPLIED then; false, with nothing done, when there are too few points. */
bool adjustment_book(struct adjustment *adjustment, struct book *book, struct journal *journal,
                     struct instant now);
