#include "base/ctx.h"

enum err fail(struct ctx *c, enum err code, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        c->problem.code = code;
        c->problem.detail = arena_vprintf(c->arena, fmt, args);
        va_end(args);
        return code;
}

void problem_int(struct ctx *c, const char *name, int64_t value)
{
        text_printf(&c->problem.extra, ",\"%s\":%lld", name, (long long)value);
}

void problem_string(struct ctx *c, const char *name, const char *value)
{
        text_printf(&c->problem.extra, ",\"%s\":", name);
        if (value == NULL)
                text_puts(&c->problem.extra, "null");
        else
                text_put_json(&c->problem.extra, value);
}

static void fault_add(struct ctx *c, struct fault fault)
{
        struct problem *problem = &c->problem;

        if (problem->fault_count == PROBLEM_FAULTS_MAX) {
                problem->faults_dropped++;
                return;
        }
        if (problem->faults == NULL)
                problem->faults = ARENA_ARRAY(c->arena, PROBLEM_FAULTS_MAX, struct fault);
        problem->faults[problem->fault_count++] = fault;
}

void fault_body(struct ctx *c, const char *pointer, const char *code, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        fault_add(c, (struct fault){.pointer = arena_strdup(c->arena, pointer),
                                    .code = code,
                                    .detail = arena_vprintf(c->arena, fmt, args)});
        va_end(args);
}

void fault_parameter(struct ctx *c, const char *parameter, const char *code, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        fault_add(c, (struct fault){.parameter = arena_strdup(c->arena, parameter),
                                    .code = code,
                                    .detail = arena_vprintf(c->arena, fmt, args)});
        va_end(args);
}

enum err problem_check(struct ctx *c)
{
        size_t n = c->problem.fault_count + c->problem.faults_dropped;

        if (n == 0)
                return ERR_OK;
        return fail(c, ERR_INVALID, n == 1 ? "One value is not valid." : "%zu values are not valid.", n);
}

void problem_reset(struct ctx *c)
{
        text_free(&c->problem.extra);
        c->problem = (struct problem){0};
}

void problem_write(const struct ctx *c, const char *instance, struct text *out)
{
        const struct problem *problem = &c->problem;
        const struct err_info *info = err_info(problem->code);

        text_printf(out, "{\"type\":\"/problems/%s\",\"title\":", info->slug);
        text_put_json(out, info->title);
        text_printf(out, ",\"status\":%d,\"detail\":", info->status);
        text_put_json(out, problem->detail != NULL ? problem->detail : info->title);
        if (instance != NULL) {
                text_puts(out, ",\"instance\":");
                text_put_json(out, instance);
        }
        for (size_t i = 0; i < problem->fault_count; i++) {
                const struct fault *fault = &problem->faults[i];
                text_puts(out, i == 0 ? ",\"errors\":[{" : ",{");
                text_puts(out, fault->pointer != NULL ? "\"pointer\":" : "\"parameter\":");
                text_put_json(out, fault->pointer != NULL ? fault->pointer : fault->parameter);
                text_puts(out, ",\"code\":");
                text_put_json(out, fault->code);
                text_puts(out, ",\"detail\":");
                text_put_json(out, fault->detail);
                text_putc(out, '}');
        }
        if (problem->fault_count > 0)
                text_putc(out, ']');
        if (problem->faults_dropped > 0)
                text_printf(out, ",\"errors_dropped\":%zu", problem->faults_dropped);
        if (problem->extra.len > 0)
                text_append(out, problem->extra.data, problem->extra.len);
        text_putc(out, '}');
}
