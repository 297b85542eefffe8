/* /v1/program: the loyalty programme and its versions */
#include "coupons/coupons.h"
#include "program/versions.h"
#include "resources/common.h"
#include "tiers/holders.h"

ENDPOINT(program_get_current, GET, "/v1/program", nothing, 200, program,
         .summary = "Get the loyalty programme", .scope = SCOPE_TIERS_READ,
         .doc = "The newest version, as one document.")
{
        (void)in;
        return program_newest(c, out);
}

static void template_check(struct ctx *c, const char *pointer, const char *code)
{
        struct coupon_template template;

        if (code != NULL && coupon_template_get(c, code, &template) == ERR_NOT_FOUND)
                fault_body(c, pointer, "unknown_value", "There is no coupon template %s.", code);
}

/* Note the templates that a programme names and nobody knows, for the check that follows to find. Templates
 * are switched off and never taken away, so what was stored once stays good. */
static void templates_check(struct ctx *c, const struct program *program)
{
        for (size_t i = 0; i < program->coupons.n; i++)
                template_check(c, arena_printf(c->arena, "#/coupons/%zu/template", i),
                               program->coupons.v[i].template);
        for (size_t i = 0; i < program->birthdays.n; i++)
                template_check(c, arena_printf(c->arena, "#/birthdays/%zu/template", i),
                               program->birthdays.v[i].template);
}

#define NOTE_MAX 500

struct program_replacement {
        const char *note;
        struct program program;
};
#define SHAPE_T struct program_replacement
SHAPE(program_replacement, "A programme to store.",
      FIELD(note, .in = IN_QUERY, .min = 1, .max = NOTE_MAX, .doc = "Why, for the list of versions."),
      NEST(program, program, .in = IN_WHOLE_BODY));
#undef SHAPE_T

ENDPOINT(
        program_replace, PUT, "/v1/program", program_replacement, 200, program,
        .summary = "Replace the loyalty programme", .scope = SCOPE_TIERS_WRITE, .minimal = true,
        .errors = ERRS(ERR_STALE, ERR_CONFLICT),
        .doc = "Stores a new version; every server uses it within a second. If-Match is honoured. Points already earned and tiers "
               "already held stay as they are until they are judged again. A tier goes, or gets another code, only when nobody holds it or is "
               "pinned to it: else it is a fault `tier_in_use` that says how many do (its name may change at any time). `POST /v1/program/diff` shows first what would change.")
{
        struct program_storing why = {c->reply->if_match, in->note};

        TRY(tiers_gone_check(c, &in->program,
                             "#/tiers")); /* first: it compiles the newest, without a fault */
        templates_check(c, &in->program);
        return program_put(c, &in->program, &why, out);
}

struct program_difference {
        int64_t from_version;
        struct opt_int to_version;
        LIST_OF(struct program_change) changes;
};
#define SHAPE_T struct program_difference
SHAPE(program_difference, "How two programmes differ.", FIELD(from_version, .need = true),
      FIELD(to_version, .doc = "null: the one that was sent."),
      LIST(changes, program_change, .doc = "In the order of the document; empty: they are the same."));
#undef SHAPE_T

static void tell_changes(struct program_difference *out, struct program_changes changes)
{
        out->changes.v = changes.v;
        out->changes.n = changes.n;
}

ENDPOINT(
        program_diff_proposed, POST, "/v1/program/diff", program, 200, program_difference,
        .summary = "Compare a proposed programme with the one in force", .scope = SCOPE_TIERS_READ,
        .only_asks = true,
        .doc = "Checks the document as PUT does and says what would change, by the names of rules and tiers. Nothing is stored.")
{
        struct program_changes changes;

        TRY(tiers_gone_check(c, in, "#/tiers"));
        templates_check(c, in);
        TRY(program_compare(c, in, &out->from_version, &changes));
        tell_changes(out, changes);
        return ERR_OK;
}

struct program_versions_query {
        PAGE_QUERY;
};
#define SHAPE_T struct program_versions_query
SHAPE(program_versions_query, "Which page.", PAGE_QUERY_FIELDS);
#undef SHAPE_T

struct program_version_list {
        PAGE_OF(struct program_version);
};
#define SHAPE_T struct program_version_list
SHAPE(program_version_list, "A page of versions.", PAGE_FIELDS(program_version));
#undef SHAPE_T

struct program_version_position {
        int64_t version;
};
#define SHAPE_T struct program_version_position
SHAPE(program_version_position, "The last one shown.", FIELD(version));
#undef SHAPE_T

ENDPOINT(program_version_list_all, GET, "/v1/program/versions", program_versions_query, 200,
         program_version_list, .summary = "List the versions of the programme", .scope = SCOPE_TIERS_READ,
         .errors = ERRS(ERR_BAD_CURSOR), .doc = "Newest first; the first one is in force.")
{
        static const char filters[] = "program versions";
        struct program_version_position at = {0};
        struct list rows;

        TRY(cursor_read(c, in->cursor, filters, &program_version_position_shape, &at));
        TRY(program_versions(c, &(struct program_versions_page){at.version, PAGE_LIMITS(in, out)}, &rows));
        const struct program_version *last = PAGE_FILL(out, rows, in->limit);
        if (last != NULL) {
                at.version = last->version;
                out->next_cursor = cursor_write(c->arena, filters, &program_version_position_shape, &at);
        }
        return ERR_OK;
}

struct program_version_path {
        int64_t version;
};
#define SHAPE_T struct program_version_path
SHAPE(program_version_path, "Which version.",
      FIELD(version, .in = IN_PATH, .need = true, .min = 1, .doc = "Its number."));
#undef SHAPE_T

ENDPOINT(program_version_get, GET, "/v1/program/versions/{version}", program_version_path, 200, program,
         .summary = "Get a version of the programme", .scope = SCOPE_TIERS_READ,
         .errors = ERRS(ERR_NOT_FOUND))
{
        return program_get(c, in->version, out);
}

struct program_span {
        int64_t version;
        struct opt_int from;
};
#define SHAPE_T struct program_span
SHAPE(program_span, "Which versions.",
      FIELD(version, .in = IN_PATH, .need = true, .min = 1, .doc = "Its number."),
      FIELD(from, .in = IN_QUERY, .min = 1, .max = INT32_MAX,
            .doc = "Compared with which; absent: the one before."));
#undef SHAPE_T

ENDPOINT(
        program_version_diff, GET, "/v1/program/versions/{version}/diff", program_span, 200,
        program_difference, .summary = "Say what a version of the programme changed",
        .scope = SCOPE_TIERS_READ, .errors = ERRS(ERR_NOT_FOUND),
        .doc = "Compares it with the version before, or with any other; the first one is compared with itself.")
{
        struct program from, to;
        int64_t before = in->version > 1 ? in->version - 1 : in->version;

        TRY(program_get(c, in->version, &to));
        TRY(program_get(c, in->from.set ? in->from.v : before, &from));
        tell_changes(out, program_diff(c->arena, &from, &to));
        out->from_version = from.version;
        out->to_version = (struct opt_int){.set = true, .v = to.version};
        return ERR_OK;
}

struct program_rollback {
        int64_t version;
        const char *note;
};
#define SHAPE_T struct program_rollback
SHAPE(program_rollback, "Which version comes back.", FIELD(version, .need = true, .min = 1),
      FIELD(note, .min = 1, .max = NOTE_MAX, .doc = "Why, for the list of versions."));
#undef SHAPE_T

ENDPOINT(
        program_roll_back, POST, "/v1/program/rollback", program_rollback, 200, program,
        .summary = "Bring an earlier version of the programme back", .scope = SCOPE_TIERS_WRITE,
        .errors = ERRS(ERR_NOT_FOUND, ERR_STALE, ERR_CONFLICT),
        .doc = "Stores that version again as a new one, so that the list of versions tells everything that was ever in force. "
               "If-Match is honoured. A version that lacks a tier somebody holds by now is a fault `tier_in_use`.")
{
        struct program wanted;

        TRY(program_get(c, in->version, &wanted));
        TRY(tiers_gone_check(c, &wanted, "#/version"));
        TRY(problem_check(c));
        return program_restore(c, in->version, &(struct program_storing){c->reply->if_match, in->note}, out);
}

RESOURCE(program, "Program", "The loyalty programme, and the versions it had.", &program_get_current_endpoint,
         &program_replace_endpoint, &program_diff_proposed_endpoint, &program_version_diff_endpoint,
         &program_version_list_all_endpoint, &program_version_get_endpoint, &program_roll_back_endpoint);
