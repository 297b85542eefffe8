/* How addresses move: none is lost, none is there twice, and names stay apart. */
#include "customers/address_book.h"
#include "customers/addresses.h"
#include "merges/journal.h"

struct moving_address {
        struct uuid from, to, merge_id;
        const char *name, *new_name;
        bool moves, is_default;
};
#define SHAPE_T struct moving_address
SHAPE(moving_address, "An address of the absorbed customer's.", FIELD(from), FIELD(to), FIELD(merge_id),
      FIELD(name), FIELD(new_name), FIELD(moves), FIELD(is_default));
#undef SHAPE_T

#define ADDRESS_OF " a.customer_id = m.f AND a.name = m.n"
SQL_BATCH(addresses_note, moving_address,
          "INSERT INTO merge_rows (customer_id, merge_id, part, moved, content) SELECT m.t, m.i, "
          "'customer_addresses', m.moves, to_jsonb(a) || jsonb_build_object('new_name', m.new_name) "
          "FROM unnest(:from, :to, :merge_id, :name, :new_name, :moves) AS m (f, t, i, n, new_name, moves) "
          "JOIN customer_addresses a ON" ADDRESS_OF)
SQL_BATCH(addresses_take, moving_address,
          "UPDATE customer_addresses a SET customer_id = m.t, name = m.new_name, is_default = m.is_default "
          "FROM unnest(:from, :to, :name, :new_name, :moves, :is_default) AS m (f, t, n, new_name, moves, "
          "is_default) WHERE m.moves AND" ADDRESS_OF)
/* What is left is what the survivor has, too. */
SQL_EXEC(addresses_drop, joint, "DELETE FROM customer_addresses WHERE customer_id = :from")

#define NOTED                                                                                                \
        "FROM merge_rows r, jsonb_populate_record(NULL::customer_addresses, r.content) p "                   \
        "WHERE r.customer_id = :to AND r.merge_id = :merge_id AND r.part = 'customer_addresses'"
SQL_EXEC(
        addresses_return, joint,
        "UPDATE customer_addresses a SET customer_id = :from, name = p.name, is_default = p.is_default " NOTED
        " AND r.moved AND a.customer_id = :to AND a.name = r.content ->> 'new_name'")
SQL_EXEC(addresses_restore, joint, "INSERT INTO customer_addresses SELECT p.* " NOTED " AND NOT r.moved")

struct joining {
        struct address_book to, from;
        struct address_move *moves; /* one for each of from */
        size_t count;               /* how many move */
};

static enum err book_load(struct ctx *c, struct uuid customer_id, struct address_book *ret)
{
        struct list rows;

        TRY(addresses_list(c, customer_id, &rows));
        *ret = (struct address_book){.customer_id = customer_id, .v = rows.v, .n = rows.n};
        return ERR_OK;
}

static enum err joining_load(struct ctx *c, const struct joint *joint, struct joining *ret)
{
        TRY(book_load(c, joint->to, &ret->to));
        TRY(book_load(c, joint->from, &ret->from));
        ret->moves = ARENA_ARRAY(c->arena, ret->from.n, struct address_move);
        ret->count = address_books_join(c->arena, &ret->to, &ret->from, ret->moves);
        return ERR_OK;
}

enum err addresses_together(struct ctx *c, const struct joint *joint, size_t *ret)
{
        struct joining joining;

        TRY(joining_load(c, joint, &joining));
        *ret = joining.to.n + joining.count;
        return ERR_OK;
}

enum err addresses_move(struct ctx *c, const struct joint *joint)
{
        struct joining joining;

        TRY(joining_load(c, joint, &joining));
        size_t n = joining.from.n;
        struct moving_address *rows = ARENA_ARRAY(c->arena, n, struct moving_address);
        for (size_t i = 0; i < n; i++) {
                const struct address_move *move = &joining.moves[i];
                rows[i] = (struct moving_address){.from = joint->from,
                                                  .to = joint->to,
                                                  .merge_id = joint->merge_id,
                                                  .name = move->name,
                                                  .new_name = move->new_name,
                                                  .moves = move->moves,
                                                  .is_default = move->is_default};
        }
        TRY(addresses_note(c, rows, n));
        TRY(addresses_take(c, rows, n));
        return addresses_drop(c, joint);
}

enum err addresses_move_back(struct ctx *c, const struct joint *joint)
{
        TRY(addresses_return(c, joint));
        return addresses_restore(c, joint);
}
