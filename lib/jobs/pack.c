#include "jobs/pack.h"

#include <stdbool.h>
#include <string.h>

/* Numbers are the machine's own: a block is read by the server that wrote it or its like. */
static void put32(struct text *block, uint32_t value)
{
        text_append(block, &value, sizeof value);
}

struct reader {
        const char *at, *end;
        bool sound;
};

static const char *take(struct reader *r, size_t len)
{
        const char *at = r->at;

        if (!r->sound || (size_t)(r->end - at) < len) {
                r->sound = false;
                return NULL;
        }
        r->at += len;
        return at;
}

static uint32_t take32(struct reader *r)
{
        uint32_t value = 0;
        const char *at = take(r, sizeof value);

        if (at != NULL)
                memcpy(&value, at, sizeof value);
        return value;
}

void pack_line(struct text *block, int64_t first, const struct staged_line *line)
{
        put32(block, (uint32_t)(line->line - first));
        put32(block, (uint32_t)line->fault);
        put32(block, (uint32_t)line->len);
        text_append(block, line->data, line->len);
        text_putc(block, '\0');
}

bool unpack_lines(const char *block, size_t len, int64_t first, struct staged_line *lines, size_t n)
{
        struct reader r = {block, block + len, true};

        for (size_t i = 0; i < n && r.sound; i++) {
                lines[i].line = first + take32(&r);
                lines[i].fault = (enum line_fault)take32(&r);
                lines[i].len = take32(&r);
                lines[i].data = take(&r, lines[i].len + 1);
        }
        return r.sound && r.at == r.end;
}

static void put_text(struct text *block, const char *value)
{
        size_t len = value != NULL ? strlen(value) + 1 : 0;

        put32(block, (uint32_t)len);
        text_append(block, value, len);
}

static const char *take_text(struct reader *r, struct arena *arena)
{
        size_t len = take32(r);
        const char *at = take(r, len);

        return len == 0 || at == NULL ? NULL : arena_strndup(arena, at, len - 1);
}

void pack_result(struct text *block, int64_t first, const struct line_result *result)
{
        put32(block, (uint32_t)(result->line - first));
        put32(block, (uint32_t)result->status);
        text_append(block, &result->id, sizeof result->id);
        put_text(block, result->external_id);
        put_text(block, result->error);
}

bool unpack_results(struct arena *arena, const char *block, size_t len, int64_t first,
                    struct line_result **ret, size_t *ret_n)
{
        const size_t smallest = 4 * sizeof(uint32_t) + sizeof(struct uuid);
        struct line_result *results = ARENA_ARRAY(arena, len / smallest, struct line_result);
        struct reader r = {block, block + len, true};
        size_t n = 0;

        for (; r.sound && (size_t)(r.end - r.at) >= smallest; n++) {
                results[n].line = first + take32(&r);
                results[n].status = (int)take32(&r);
                memcpy(&results[n].id, take(&r, sizeof(struct uuid)), sizeof(struct uuid));
                results[n].external_id = take_text(&r, arena);
                results[n].error = take_text(&r, arena);
        }
        *ret = results;
        *ret_n = n;
        return r.sound && r.at == r.end;
}
