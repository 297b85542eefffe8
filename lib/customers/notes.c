#include "customers/notes.h"

#include "audit/audit.h"
#include "customers/customers.h"
#include "customers/store.h"
#include "db/page.h"
#include "events/events.h"

#define NOTE_FIELDS                                                                                          \
        FIELD(author, .min = 1, .max = 200, .doc = "Who wrote it.", .format = &format_printable),            \
                FIELD(content, .min = 1, .max = NOTE_CHARS_MAX, .format = &format_printable,                 \
                      .pii = PII_ALL),                                                                       \
                FIELD(pinned, .doc = "Worth seeing first.")

#define SHAPE_T struct note_in
SHAPE(note_in, "What a note says.", PRESENCE(has), NOTE_FIELDS);
#undef SHAPE_T

#define SHAPE_T struct note
SHAPE(note, "A note about a customer.", FIELD(customer_id, .need = true, .subject = true),
      FIELD(id, .need = true), NOTE_FIELDS, FIELD(version, .doc = "Counts up with every change; the ETag."),
      FIELD(created_at, .need = true), FIELD(updated_at, .need = true));
#undef SHAPE_T

#define NOTE_COLUMNS "customer_id, id, author, content, pinned, version, created_at, updated_at"

SQL_BATCH(note_store, note,
          "INSERT INTO customer_notes (" NOTE_COLUMNS
          ") SELECT * FROM unnest(:customer_id, :id, :author, :content, "
          ":pinned, :version, :created_at, :updated_at) ON CONFLICT (customer_id, id) DO UPDATE SET "
          "author = excluded.author, content = excluded.content, pinned = excluded.pinned, "
          "version = excluded.version, updated_at = excluded.updated_at")
SQL_OPT(note_find, note, note,
        "SELECT " NOTE_COLUMNS " FROM customer_notes WHERE customer_id = :customer_id AND id = :id")
SQL_EXEC(note_delete, note, "DELETE FROM customer_notes WHERE customer_id = :customer_id AND id = :id")
SQL_PAGE(notes_page, past_page, note, NOTE_COLUMNS,
         "customer_notes WHERE customer_id = :customer_id AND " PAST_ONLY("created_at"),
         PAST_ORDER("created_at"))

/* The event and the audit of a change; before is NULL when there was none, after when there is none now. */
static enum err noted(struct ctx *c, enum event_type type, const struct note *note, const struct note *before,
                      const struct note *after)
{
        struct event_list events = {0};

        event_add(c->arena, &events, type, note->customer_id, c->now, &note_event_shape,
                  &(struct note_event){note->id});
        TRY(audit_write(c, &(struct audit_change){.customer_id = note->customer_id,
                                                  .subject = customer_part_by_id(c->arena, note->customer_id,
                                                                                 "notes", note->id),
                                                  .shape = &note_shape,
                                                  .before = before,
                                                  .after = after}));
        return events_store(c, &events);
}

enum err note_add(struct ctx *c, const char *customer, const struct note_in *in, struct note *ret)
{
        struct customer locked;

        if (in->content == NULL)
                fault_body(c, "#/content", "required", "is required");
        TRY(problem_check(c));
        TRY(customer_lock(c, customer, &locked));
        struct note note = {.customer_id = locked.id,
                            .id = uuid_new(c->now),
                            .author = in->author,
                            .content = in->content,
                            .pinned = in->pinned,
                            .version = 1,
                            .created_at = c->now,
                            .updated_at = c->now};
        TRY(note_store(c, &note, 1));
        TRY(noted(c, EVENT_NOTE_ADDED, &note, /* before= */ NULL, &note));
        *ret = note;
        return ERR_OK;
}

enum err note_get(struct ctx *c, const char *customer, struct uuid id, struct note *ret)
{
        struct customer owner;
        bool found;

        TRY(customer_get(c, customer, &owner));
        TRY(note_find(c, &(struct note){.customer_id = owner.id, .id = id}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "The customer has no such note.");
}

static enum err note_locked(struct ctx *c, const char *customer, struct uuid id, struct note *ret)
{
        struct customer locked;
        bool found;

        TRY(customer_lock(c, customer, &locked));
        TRY(note_find(c, &(struct note){.customer_id = locked.id, .id = id}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "The customer has no such note.");
}

enum err note_patch(struct ctx *c, const char *customer, struct uuid id, const struct note_in *in,
                    int64_t expected_version, struct note *ret)
{
        struct note note;

        if (SHAPE_HAS(note_in, in, content) && in->content == NULL)
                fault_body(c, "#/content", "required", "cannot be cleared");
        TRY(problem_check(c));
        TRY(note_locked(c, customer, id, &note));
        TRY(version_expect(c, "note", note.version, expected_version));
        struct note before = note;
        if (shape_merge(&note_in_shape, in, &note_shape, &note, MERGE_ALL)) {
                note.version++;
                note.updated_at = c->now;
                TRY(note_store(c, &note, 1));
                TRY(noted(c, EVENT_NOTE_CHANGED, &note, &before, &note));
        }
        *ret = note;
        return ERR_OK;
}

enum err note_remove(struct ctx *c, const char *customer, struct uuid id)
{
        struct note note;

        TRY(note_locked(c, customer, id, &note));
        TRY(note_delete(c, &note));
        return noted(c, EVENT_NOTE_REMOVED, &note, &note, /* after= */ NULL);
}

enum err notes_list(struct ctx *c, const struct past_page *page, struct list *ret)
{
        return notes_page(c, page, ret);
}
