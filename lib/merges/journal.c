/* Moving by the list: rows with their journal, and back. */
#include "merges/journal.h"

#include "db/query.h"
#include "privacy/holdings.h"

#define SHAPE_T struct joint
SHAPE(joint, "A merge at work.", FIELD(from), FIELD(to), FIELD(merge_id));
#undef SHAPE_T

#define SHAPE_T struct rows_count
SHAPE(rows_count, "How many rows.", FIELD(count));
#undef SHAPE_T

#define SHAPE_T struct moving_rows
SHAPE(moving_rows, "Rows that move.", FIELD(table, .need = true), FIELD(rows));
#undef SHAPE_T

/* A statement that changes rows, counted so that it has an answer. `text` is the arena's. */
static enum err change(struct ctx *c, const struct joint *joint, const char *text)
{
        struct list counted;
        struct query query = {
                .name = "merge",
                .text = arena_printf(c->arena,
                                     "WITH changed AS (%s RETURNING 1) SELECT count(*) AS count FROM changed",
                                     text),
                .in = &joint_shape,
                .out = &rows_count_shape,
        };

        return query_many(c, &query, joint, &counted);
}

#define NOTE        "INSERT INTO merge_rows (customer_id, merge_id, part, moved, content) SELECT :to, :merge_id, "
#define OF_MERGE    "r.customer_id = :to AND r.merge_id = :merge_id AND r.part = '%s'"
#define NOTED_IDS   "SELECT (r.content ->> 'id')::uuid FROM merge_rows r WHERE " OF_MERGE
#define NOTED(more) "FROM merge_rows r, jsonb_populate_record(NULL::%s, r.content) p WHERE " OF_MERGE more

static enum err set_move(struct ctx *c, const struct joint *joint, const struct holding *holding)
{
        const char *table = holding->table, *key = holding->key;
        const char *known = arena_printf(c->arena, "(%s) IN (SELECT %s FROM %s WHERE customer_id = :to)", key,
                                         key, table);

        TRY(change(c, joint,
                   arena_printf(c->arena,
                                NOTE "'%s', NOT (%s), to_jsonb(t) FROM %s t WHERE customer_id = :from", table,
                                known, table)));
        TRY(change(c, joint,
                   arena_printf(c->arena,
                                "UPDATE %s SET customer_id = :to WHERE customer_id = :from AND NOT (%s)",
                                table, known)));
        return change(c, joint, arena_printf(c->arena, "DELETE FROM %s WHERE customer_id = :from", table));
}

static enum err table_move(struct ctx *c, const struct joint *joint, const struct holding *holding)
{
        const char *table = holding->table;

        if (holding->moving == MOVE_SET)
                return set_move(c, joint, holding);
        if (holding->moving == MOVE_ROWS) {
                const char *keep =
                        holding->keep != NULL
                                ? holding->keep
                                : arena_printf(c->arena, "jsonb_build_object('id', %s)", holding->key);
                TRY(change(c, joint,
                           arena_printf(c->arena, NOTE "'%s', true, %s FROM %s WHERE customer_id = :from",
                                        table, keep, table)));
        }
        return change(
                c, joint,
                arena_printf(c->arena, "UPDATE %s SET customer_id = :to WHERE customer_id = :from", table));
}

static bool by_itself(const struct holding *holding)
{
        return holding->moving == MOVE_ROWS || holding->moving == MOVE_WITH || holding->moving == MOVE_SET;
}

enum err journal_move(struct ctx *c, const struct joint *joint)
{
        for (size_t i = 0; i < holding_count; i++)
                if (by_itself(&holdings[i]))
                        TRY(table_move(c, joint, &holdings[i]));
        return ERR_OK;
}

static enum err table_move_back(struct ctx *c, const struct joint *joint, const struct holding *holding)
{
        const char *table = holding->table, *key = holding->key;

        if (holding->moving != MOVE_SET)
                return change(
                        c, joint,
                        arena_printf(
                                c->arena,
                                "UPDATE %s SET customer_id = :from WHERE customer_id = :to AND %s IN (" NOTED_IDS
                                ")",
                                table, key, holding->moving == MOVE_WITH ? holding->with : table));
        TRY(change(c, joint,
                   arena_printf(c->arena,
                                "DELETE FROM %s WHERE customer_id = :to AND (%s) IN (SELECT %s " NOTED(
                                        " AND r.moved") ")",
                                table, key, key, table, table)));
        return change(c, joint,
                      arena_printf(c->arena, "INSERT INTO %s SELECT p.* " NOTED(""), table, table, table));
}

enum err journal_move_back(struct ctx *c, const struct joint *joint)
{
        for (size_t i = 0; i < holding_count; i++)
                if (by_itself(&holdings[i]))
                        TRY(table_move_back(c, joint, &holdings[i]));
        return ERR_OK;
}

enum err journal_count(struct ctx *c, const struct joint *joint, struct list *ret)
{
        struct moving_rows *moves = ARENA_ARRAY(c->arena, holding_count, struct moving_rows);
        size_t n = 0;

        for (size_t i = 0; i < holding_count; i++) {
                const struct holding *holding = &holdings[i];
                struct list counted;
                struct query query = {
                        .name = "merge preview",
                        .text = arena_printf(c->arena, "SELECT count(*) AS count FROM %s WHERE %s = :from",
                                             holding->table, holding_person(holding)),
                        .in = &joint_shape,
                        .out = &rows_count_shape};
                if (holding->copy)
                        continue;
                TRY(query_many(c, &query, joint, &counted));
                int64_t rows = ((const struct rows_count *)counted.v)[0].count;
                if (rows > 0)
                        moves[n++] = (struct moving_rows){holding->table, rows};
        }
        *ret = (struct list){moves, n};
        return ERR_OK;
}
