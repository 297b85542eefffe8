/* Whatever a client sends as a cursor: it is refused or leads to a position, and a position survives the way
 * out and in. Input: a cursor; behind a byte 0x00 the JSON of a position, which is then made into one. */
#include <assert.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/shape_json.h"

struct fuzz_position {
        struct instant at;
        struct uuid id;
        int64_t seq;
        const char *name;
};
#define SHAPE_T struct fuzz_position
SHAPE(fuzz_position, "A position.", FIELD(at), FIELD(id), FIELD(seq), FIELD(name, .max = 50));
#undef SHAPE_T

static void read_it(struct ctx *c, const char *cursor)
{
        struct fuzz_position at = {0};
        enum err err = cursor_read(c, cursor, "fuzz", &fuzz_position_shape, &at);

        assert(err == ERR_OK || err == ERR_BAD_CURSOR);
        assert(c->problem.fault_count == 0 && c->problem.extra.len == 0);
}

static void write_it(struct ctx *c, const char *bytes, size_t len)
{
        struct fuzz_position at = {0}, again = {0};
        json_t *json;

        if (json_parse(c, bytes, len, &json) != ERR_OK)
                return;
        shape_decode(c, &fuzz_position_shape, json, &at);
        json_decref(json);
        if (problem_check(c) != ERR_OK)
                return;
        const char *cursor = cursor_write(c->arena, "fuzz", &fuzz_position_shape, &at);
        enum err err = cursor_read(c, cursor, "fuzz", &fuzz_position_shape, &again);
        assert(err == ERR_OK);
        assert(at.at.us == again.at.us && uuid_equal(at.id, again.id) && at.seq == again.seq);
        assert((at.name == NULL) == (again.name == NULL) &&
               (at.name == NULL || strcmp(at.name, again.name) == 0));
        assert(cursor_read(c, cursor, "other", &fuzz_position_shape, &again) == ERR_BAD_CURSOR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ctx c = {.arena = arena_new()};

        if (size > 0 && data[0] == 0)
                write_it(&c, (const char *)data + 1, size - 1);
        else
                read_it(&c, arena_strndup(c.arena, (const char *)data, size));
        problem_reset(&c);
        arena_free(c.arena);
        return 0;
}
