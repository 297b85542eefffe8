/* The context of one request: its memory, its clock reading, its connection and what went wrong. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/instant.h"
#include "base/text.h"

struct db;
struct reply;

/* One thing that is wrong with the input. */
struct fault {
        const char *pointer;   /* JSON pointer into the body ("#/lines/0/quantity"), or NULL */
        const char *parameter; /* name of a path, query or header parameter, or NULL */
        const char *code;      /* stable: required unknown_field wrong_type too_small too_large ... */
        const char *detail;    /* a sentence for a person */
};

/* Faults listed in one answer at most: enough to mend a form, small enough for a hostile body. */
#define PROBLEM_FAULTS_MAX 100

/* What went wrong: an RFC 9457 problem in the making. */
struct problem {
        enum err code;
        const char *detail;
        const char
                *cause; /* for the log, never for the client: what the database or the system said; or NULL */
        struct fault *faults;
        size_t fault_count;
        size_t faults_dropped; /* beyond PROBLEM_FAULTS_MAX */
        struct text extra; /* further members as JSON text, each with a leading comma; freed by ctx_reset */
};

/* Settings of the one shop that a server serves; fixed while it runs. */
struct shop {
        const char *currency;     /* ISO 4217 */
        int64_t behaviour_months; /* behaviour older than that is forgotten; 0: never */
        struct zone zone;
};

/* Who asks. Scopes are a bit set; the names are in access/scopes.def. */
struct principal {
        const char *key_id;
        uint64_t scopes;
        bool pii;          /* may see personal data unmasked */
        bool token;        /* asks with a short-lived token of the key */
        int64_t secret_no; /* which of the key's secrets it knows */
};

struct ctx {
        struct arena *arena;
        struct instant now; /* the one reading of the clock */
        const struct shop *shop;
        const struct principal *principal; /* NULL for the process itself */
        const char *request_id;            /* NULL outside a request */
        const char *operation; /* what is being done, for the audit log; NULL: nothing with a name */
        const char *reason;    /* why, as the caller says; NULL: he does not */
        unsigned audited;      /* entries written to the audit log in this attempt */
        struct db *db;         /* NULL where no database may be touched */
        struct reply *reply;   /* the server's: headers of the answer; NULL outside HTTP */
        struct problem problem;
};

/* Say what went wrong; returns code. A later call replaces the detail, faults stay. */
enum err fail(struct ctx *c, enum err code, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold));

/* Add a member to the problem: an integer, or a string (NULL is written as null). */
void problem_int(struct ctx *c, const char *name, int64_t value);
void problem_string(struct ctx *c, const char *name, const char *value);

/* Note one fault of the input; the caller goes on looking for more and then calls problem_check. */
void fault_body(struct ctx *c, const char *pointer, const char *code, const char *fmt, ...)
        __attribute__((format(printf, 4, 5), cold));
void fault_parameter(struct ctx *c, const char *parameter, const char *code, const char *fmt, ...)
        __attribute__((format(printf, 4, 5), cold));

/* ERR_INVALID when faults were noted, else ERR_OK. */
enum err problem_check(struct ctx *c) MUST_CHECK;

/* Forget the problem and free what it holds outside the arena. */
void problem_reset(struct ctx *c);

/* The problem as application/problem+json; `instance` is "/requests/<id>" or NULL. */
void problem_write(const struct ctx *c, const char *instance, struct text *out);
