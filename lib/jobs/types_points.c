/* Types: points given and taken by hand. */
#include "access/scopes.h"
#include "jobs/people.h"
#include "points/adjustments.h"
#include "program/programs.h"

/* An exported line of what was never booked gives nothing where it comes in. */
static bool is_booked(const struct adjustment_line *line)
{
        return line->state == ADJUSTMENT_NONE || line->state == ADJUSTMENT_APPLIED;
}

static int64_t adjustment_weight(const void *object)
{
        const struct adjustment_line *line = object;
        int64_t points = is_booked(line) ? line->points : 0;

        return points < 0 ? -points : points;
}

/* As a request of :batch is judged by all its items, a file is judged by all its lines. */
static bool adjustments_heavy(int64_t sum)
{
        PROGRAM(program);

        return sum > program->points.approval_above;
}

static enum err adjustments_apply(struct ctx *c, const struct bulk_options *options, struct bulk_line **lines,
                                  size_t n)
{
        struct adjustment_call *calls = ARENA_ARRAY(c->arena, n, struct adjustment_call);
        struct bulk_line **good = ARENA_ARRAY(c->arena, n, struct bulk_line *);
        struct uuid approval_id;
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                const struct adjustment_line *in = lines[i]->object;
                if (options->from_file && !is_booked(in)) {
                        lines[i]->status = 200;
                        lines[i]->external_id = in->external_id;
                        continue;
                }
                if (options->from_file && in->external_id == NULL && !uuid_known(in->id))
                        fault_body(&lines[i]->c, "#/external_id", "required",
                                   "a line of a file needs it, or id");
                lines[i]->err = problem_check(&lines[i]->c);
                if (lines[i]->err != ERR_OK)
                        continue;
                calls[count] = (struct adjustment_call){.c = &lines[i]->c, .in = &in->in};
                if (options->from_file)
                        calls[count].id = in->id;
                good[count++] = lines[i];
        }
        TRY(options->heavy ? points_adjust_waiting(c, calls, count, &approval_id)
                           : points_adjust(c, calls, count, &approval_id));
        for (size_t i = 0; i < count; i++) {
                bool waits = calls[i].adjustment.state == ADJUSTMENT_PENDING;
                good[i]->err = calls[i].err;
                good[i]->status = waits ? 202 : calls[i].replayed ? 200 : 201;
                good[i]->id = calls[i].adjustment.id;
                good[i]->external_id = calls[i].in->external_id;
        }
        return ERR_OK;
}

SQL_EACH(points_adjustments_out, bulk_filter, adjustment_line,
         "SELECT " OUT_REFERENCE ", t.points, t.reason, t.external_id, t.expiry, t.expires_at, t.allow_debt, "
         "t.state, t.id, t.created_at" OUT_OF("points_adjustments")
                 OUT_IN_TIME("t.created_at") " ORDER BY t.customer_id, t.id")

const struct bulk_type bulk_type_points_adjustments = {
        .name = "points_adjustments",
        .doc = "Points given and taken by hand.",
        .scope_read = SCOPE_POINTS_READ,
        .scope_write = SCOPE_POINTS_WRITE,
        .line_shape = &adjustment_line_shape,
        .filters = BULK_OF_CUSTOMER | BULK_IN_TIME,
        .batch_max = ADJUSTMENTS_MAX,
        .names = people_names,
        .apply = adjustments_apply,
        .weight = adjustment_weight,
        .heavy = adjustments_heavy,
        .each = points_adjustments_out,
};
