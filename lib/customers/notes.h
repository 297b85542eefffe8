/* Notes that staff keep about a customer. */
#pragma once

#include "customers/past.h"

#define NOTE_CHARS_MAX 10000

struct note {
        struct uuid customer_id, id;
        const char *author, *content;
        bool pinned;
        int64_t version;
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(note);

/* What may be said of a note. */
struct note_in {
        struct presence has;
        const char *author, *content;
        bool pinned;
};
SHAPE_DECLARE(note_in);

/* In a transaction. ERR_NOT_FOUND, ERR_INVALID (without content). */
enum err note_add(struct ctx *c, const char *customer, const struct note_in *in, struct note *ret) MUST_CHECK;
/* ERR_NOT_FOUND. */
enum err note_get(struct ctx *c, const char *customer, struct uuid id, struct note *ret) MUST_CHECK;
/* JSON merge patch; expected_version 0 takes any. ERR_NOT_FOUND, ERR_STALE, ERR_INVALID. */
enum err note_patch(struct ctx *c, const char *customer, struct uuid id, const struct note_in *in,
                    int64_t expected_version, struct note *ret) MUST_CHECK;
enum err note_remove(struct ctx *c, const char *customer, struct uuid id) MUST_CHECK;
/* Newest first. */
enum err notes_list(struct ctx *c, const struct past_page *page, struct list *ret) MUST_CHECK;
