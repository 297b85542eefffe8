/* /v1/customers/{customer}/notes */
#include "customers/notes.h"

#include "customers/customers.h"
#include "resources/common.h"

struct notes_list {
        PAGE_OF(struct note);
};
#define SHAPE_T struct notes_list
SHAPE(notes_list, "A page of notes.", PAGE_FIELDS(note));
#undef SHAPE_T

ENDPOINT(note_list, GET, "/v1/customers/{customer}/notes", past_query, 200, notes_list,
         .summary = "List the notes about a customer", .scope = SCOPE_CUSTOMERS_READ,
         .errors = ERRS(ERR_NOT_FOUND, ERR_BAD_CURSOR), .doc = "Newest first.")
{
        struct past past;
        struct list rows;

        TRY(past_begin(c, &past_query_shape, in, /* kind= */ NULL, PAGE_TOTAL(in, out), &past));
        TRY(notes_list(c, &past.page, &rows));
        const struct note *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL)
                out->next_cursor = past_next(c, &past, last->created_at, last->id);
        return ERR_OK;
}

struct note_new {
        const char *customer;
        struct note_in note;
};
#define SHAPE_T struct note_new
SHAPE(note_new, "A note to write.", CUSTOMER_PATH, NEST(note, note_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(note_create, POST, "/v1/customers/{customer}/notes", note_new, 201, note, .summary = "Write a note",
         .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true, .errors = ERRS(ERR_NOT_FOUND))
{
        TRY(note_add(c, in->customer, &in->note, out));
        c->reply->location = customer_part_by_id(c->arena, out->customer_id, "notes", out->id);
        return ERR_OK;
}

#define NOTE_PATH CUSTOMER_PATH, FIELD(note, .in = IN_PATH, .need = true, .doc = "The note's id.")

struct note_path {
        const char *customer;
        struct uuid note;
};
#define SHAPE_T struct note_path
SHAPE(note_path, "A note.", NOTE_PATH);
#undef SHAPE_T

ENDPOINT(note_get_one, GET, "/v1/customers/{customer}/notes/{note}", note_path, 200, note,
         .summary = "Get a note", .scope = SCOPE_CUSTOMERS_READ, .errors = ERRS(ERR_NOT_FOUND))
{
        return note_get(c, in->customer, in->note, out);
}

struct note_change {
        const char *customer;
        struct uuid note;
        struct note_in content;
};
#define SHAPE_T struct note_change
SHAPE(note_change, "A note and what changes.", NOTE_PATH, NEST(content, note_in, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(note_patch_one, PATCH, "/v1/customers/{customer}/notes/{note}", note_change, 200, note,
         .summary = "Change a note", .scope = SCOPE_CUSTOMERS_WRITE, .minimal = true,
         .errors = ERRS(ERR_NOT_FOUND, ERR_STALE),
         .doc = "JSON merge patch: what is left out stays, null clears. If-Match is honoured.")
{
        return note_patch(c, in->customer, in->note, &in->content, c->reply->if_match, out);
}

ENDPOINT(note_delete_one, DELETE, "/v1/customers/{customer}/notes/{note}", note_path, 204, nothing,
         .summary = "Remove a note", .scope = SCOPE_CUSTOMERS_WRITE, .errors = ERRS(ERR_NOT_FOUND))
{
        (void)out;
        return note_remove(c, in->customer, in->note);
}

RESOURCE(notes, "Notes", "What staff note about customers.", &note_list_endpoint, &note_create_endpoint,
         &note_get_one_endpoint, &note_patch_one_endpoint, &note_delete_one_endpoint);
