/* Shapes: one descriptor table per plain C struct.
 *
 * A shape drives JSON decoding and encoding (shape_json.h), SQL parameters and rows (db/statement.h), OpenAPI
 * schemas (shape_schema.h) and the masking of personal data. The wire type of a field is inferred from the C
 * type of the member, so a fact is declared once.
 *
 *         struct redeem { struct uuid id; int64_t points; const char *reason; };
 *         #define SHAPE_T struct redeem
 *         SHAPE(redeem, "Spend points.",
 *               FIELD(id, .in = IN_PATH, .need = true, .doc = "The customer."),
 *               FIELD(points, .need = true, .min = 1, .doc = "Points to spend."),
 *               FIELD(reason, .max = 200, .doc = "Shown in the ledger."));
 *         #undef SHAPE_T
 *
 * Null: a text, id, instant, date, enum or nested pointer is absent when it is NULL or zero; an int64_t or
 * bool can't be (use struct opt_int for an integer that may be null). `.need` means: required on input, never
 * null on output. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/instant.h"
#include "base/uuid.h"

enum wire {
        WIRE_BOOL,
        WIRE_INT,      /* int64_t, pg int8 */
        WIRE_INT32,    /* int32_t, pg int4 */
        WIRE_OPT_INT,  /* struct opt_int, pg int8, may be null */
        WIRE_TEXT,     /* const char *, pg text */
        WIRE_ENUM,     /* unsigned or an enum whose 0 means none; pg text; needs .names */
        WIRE_UUID,     /* struct uuid, pg uuid */
        WIRE_INSTANT,  /* struct instant, pg timestamptz */
        WIRE_DATE,     /* struct date, pg date */
        WIRE_BIRTHDAY, /* struct birthday, pg text "MM-DD" or "YYYY-MM-DD" */
        WIRE_JSON,     /* struct json_text, pg jsonb: a JSON object (see .any), kept as text */
        WIRE_BYTES,    /* struct bytes, pg bytea; SQL only */
        WIRE_INTS,     /* struct ints, pg int8[]; SQL only */
        WIRE_TEXTS,    /* struct texts, pg text[] */
        WIRE_UUIDS,    /* struct uuids, pg uuid[] */
        WIRE_STRUCT,   /* a struct by value; needs .of */
        WIRE_POINTER,  /* a struct by pointer, may be NULL; needs .of */
        WIRE_LIST,     /* struct { T *v; size_t n; }; needs .of */
        WIRE_PRESENCE, /* struct presence: which fields were sent (PATCH); not on any wire */
};

struct opt_int {
        bool set;
        int64_t v;
};
struct json_text {
        const char *text; /* NULL is absent */
};
struct bytes {
        const uint8_t *v; /* NULL is SQL NULL */
        size_t n;
};
struct ints {
        int64_t *v;
        size_t n;
};
struct texts {
        const char **v;
        size_t n;
};
struct uuids {
        struct uuid *v;
        size_t n;
};
/* The layout that every LIST member shares. */
struct list {
        void *v;
        size_t n;
};
#define LIST_OF(type_)                                                                                       \
        struct {                                                                                             \
                type_ *v;                                                                                    \
                size_t n;                                                                                    \
        }

/* One bit for each field of the shape, in order: set when the input held it, be it null. */
struct presence {
        uint64_t bits;
};
#define SHAPE_FIELDS_MAX 64

/* Names of an enum: index 0 is "none" and has no name. */
struct names {
        const char *const *v;
        unsigned n; /* including index 0 */
};
#define NAMES(variable_, ...)                                                                                \
        static const char *const variable_##_v[] = {NULL, __VA_ARGS__};                                      \
        const struct names variable_ = {variable_##_v, sizeof(variable_##_v) / sizeof(variable_##_v[0])}

/* A text format: what it is called, its pattern for OpenAPI, and the check. */
struct format {
        const char *name, *pattern, *hint; /* hint completes "must be ..." */
        bool (*ok)(const char *text);
};
extern const struct format format_code;      /* ^[a-z][a-z0-9_]*$ */
extern const struct format format_currency;  /* ^[A-Z]{3}$ */
extern const struct format format_printable; /* no control characters but newline and tab */

/* Where a top-level field of an endpoint's input stands. IN_WHOLE_BODY: a NEST that takes the body as it is,
 * beside path and query fields; then there are no IN_BODY fields. */
enum place { IN_BODY, IN_PATH, IN_QUERY, IN_WHOLE_BODY };

/* Personal data, by how it is masked. */
enum pii { PII_NONE, PII_NAME, PII_PHONE, PII_EMAIL, PII_BIRTHDAY, PII_ALL };

struct shape;
struct text;

struct field {
        const char *name;
        enum wire wire;
        uint16_t offset, size;
        enum place in;
        enum pii pii;
        /* A JSON value with personal data in parts of it: append it without them. */
        void (*mask)(struct text *out, const char *json);
        bool need;
        bool subject;     /* an id: whose personal data stands beside and below it */
        bool any;         /* WIRE_JSON, on output only: any JSON value, not just an object */
        bool from_zero;   /* an integer: the minimum 0 holds (a min of 0 alone says nothing) */
        bool later;       /* of an input that is told again by its canonical form: added after such forms were
                             kept, and no part of them while it is null */
        int64_t min, max; /* of an integer, of characters (of each text in texts), of a list's items; max 0:
                             see field_max */
        const char *dflt; /* the value when absent, as it would stand in a query string */
        const struct names *names; /* WIRE_ENUM */
        const struct format *format;
        const struct shape *of; /* WIRE_STRUCT, WIRE_POINTER, WIRE_LIST */
        const char *doc;
        const char *example; /* JSON text, for the documentation */
};

struct shape {
        const char *name, *doc;
        size_t size;
        const struct field *fields;
        size_t count;
};

/* A text without .max may hold this many characters; a list without .max this many items. */
#define TEXT_MAX_DEFAULT 200
#define LIST_MAX_DEFAULT 500

#define WIRE_OF(lvalue_)                                                                                     \
        _Generic((lvalue_),                                                                                  \
                bool: WIRE_BOOL,                                                                             \
                int64_t: WIRE_INT,                                                                           \
                int32_t: WIRE_INT32,                                                                         \
                unsigned: WIRE_ENUM,                                                                         \
                struct opt_int: WIRE_OPT_INT,                                                                \
                const char *: WIRE_TEXT,                                                                     \
                char *: WIRE_TEXT,                                                                           \
                struct uuid: WIRE_UUID,                                                                      \
                struct instant: WIRE_INSTANT,                                                                \
                struct date: WIRE_DATE,                                                                      \
                struct birthday: WIRE_BIRTHDAY,                                                              \
                struct json_text: WIRE_JSON,                                                                 \
                struct bytes: WIRE_BYTES,                                                                    \
                struct ints: WIRE_INTS,                                                                      \
                struct texts: WIRE_TEXTS,                                                                    \
                struct uuids: WIRE_UUIDS,                                                                    \
                struct presence: WIRE_PRESENCE)

#define FIELD_AT_(wire_, member_, ...)                                                                       \
        {                                                                                                    \
                .name = #member_, .wire = (wire_), .offset = offsetof(SHAPE_T, member_),                     \
                .size = sizeof(((SHAPE_T *)0)->member_), ##__VA_ARGS__                                       \
        }

/* A member of a plain type (see enum wire). */
#define FIELD(member_, ...) FIELD_AT_(WIRE_OF(((SHAPE_T *)0)->member_), member_, ##__VA_ARGS__)
/* A struct by value, a struct by pointer (NULL when absent), a LIST_OF structs, each with the shape of its
 * content. */
#define NEST(member_, shape_, ...)    FIELD_AT_(WIRE_STRUCT, member_, .of = &shape_##_shape, ##__VA_ARGS__)
#define POINTER(member_, shape_, ...) FIELD_AT_(WIRE_POINTER, member_, .of = &shape_##_shape, ##__VA_ARGS__)
#define LIST(member_, shape_, ...)    FIELD_AT_(WIRE_LIST, member_, .of = &shape_##_shape, ##__VA_ARGS__)
/* The struct presence member of a struct that is decoded for PATCH. */
#define PRESENCE(member_) FIELD_AT_(WIRE_PRESENCE, member_)

#define SHAPE(name_, doc_, ...)                                                                              \
        static const struct field name_##_fields[] = {__VA_ARGS__};                                          \
        _Static_assert(sizeof(name_##_fields) / sizeof(struct field) <= SHAPE_FIELDS_MAX,                    \
                       "presence is 64 bits");                                                               \
        const struct shape name_##_shape = {.name = #name_,                                                  \
                                            .doc = (doc_),                                                   \
                                            .size = sizeof(SHAPE_T),                                         \
                                            .fields = name_##_fields,                                        \
                                            .count = sizeof(name_##_fields) / sizeof(struct field)}

/* For a header: the shape exists and describes struct name_. */
#define SHAPE_DECLARE(name_) extern const struct shape name_##_shape

/* The shape of calls that take nothing and of answers without a body. */
struct nothing {
        char none;
};
SHAPE_DECLARE(nothing);

/* A shape of the base's body fields and further ones, for a struct that begins with the base's struct. Made
 * once and kept for ever; the fields' and the name's memory must last as long. */
const struct shape *shape_extend(const struct shape *base, const char *name, const char *doc, size_t size,
                                 const struct field *more, size_t n);

/* The field that takes the whole body, or NULL. */
const struct field *shape_whole_body(const struct shape *in);

/* The shape of the body that an endpoint's input is decoded from: its own, that of its IN_WHOLE_BODY field,
 * or NULL when it has no body. */
const struct shape *shape_body(const struct shape *in);

/* The field of a name, or NULL. */
const struct field *shape_field(const struct shape *shape, const char *name, size_t len);

/* The field that a dotted path ("source.channel") leads to through nested structs, with its offset from the
 * outer object; NULL when there is none. */
const struct field *shape_path(const struct shape *shape, const char *path, size_t len, size_t *ret_offset);

/* Was the member in the input? Only for shapes with PRESENCE. */
bool shape_has(const struct shape *shape, const void *object, size_t offset);
#define SHAPE_HAS(shape_, object_, member_)                                                                  \
        shape_has(&shape_##_shape, (object_), offsetof(__typeof__(*(object_)), member_))

/* JSON merge patch (RFC 7396): copy every member that was sent from patch to the member of the same name in
 * object; nested structs with presence of their own merge likewise. With MERGE_KNOWN a null that was sent
 * changes nothing. Both shapes must agree on the types. Returns whether the object is another one now. */
enum merge { MERGE_ALL, MERGE_KNOWN };
bool shape_merge(const struct shape *patch_shape, const void *patch, const struct shape *shape, void *object,
                 enum merge merge);

/* A deep copy: texts, lists and nested structs are the arena's. Borrowed members outside the shape are copied
 * as they are. */
void shape_copy(struct arena *arena, const struct shape *shape, const void *from, void *ret);

/* Has the shape, or one below it, a field with personal data? */
bool shape_has_pii(const struct shape *shape);

/* A field of personal data that names nobody: no `.subject` id beside it, in a struct beside it or around it.
 * NULL: all name somebody. */
const struct field *shape_pii_of_nobody(const struct shape *shape);

/* The id in the object's own `.subject` field; nil when it has none. */
struct uuid shape_subject(const struct shape *shape, const void *object);

/* The people whose personal data the object holds, each once, added to the arena's list. */
void shape_subjects(struct arena *arena, const struct shape *shape, const void *object, struct uuids *people);

/* Does the value at this address stand for null? */
bool field_is_null(const struct field *field, const void *at);

/* The most characters or items a field takes. */
int64_t field_max(const struct field *field);

/* Index of a name in an enum, 0 when it has no such name. */
unsigned names_find(const struct names *names, const char *name);
