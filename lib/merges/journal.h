/* What the files of lib/merges share: the rows of two customers, and the journal of what was moved. Nobody
 * else includes this. */
#pragma once

#include "db/statement.h"
#include "merges/merges.h"

/* A merge while it is worked on. */
struct joint {
        struct uuid from, to; /* the absorbed customer, the survivor */
        struct uuid merge_id;
};
SHAPE_DECLARE(joint);

/* Move what the list says by itself (MOVE_ROWS, MOVE_WITH, MOVE_SET), and note it. */
enum err journal_move(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err journal_move_back(struct ctx *c, const struct joint *joint) MUST_CHECK;

/* Rows of a customer in each table. */
enum err journal_count(struct ctx *c, const struct joint *joint, struct list *ret) MUST_CHECK;

/* What lib/merges moves by itself, in journal order. */
enum err identities_move(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err identities_move_back(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err addresses_move(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err addresses_move_back(struct ctx *c, const struct joint *joint) MUST_CHECK;
/* How many addresses the survivor would have. */
enum err addresses_together(struct ctx *c, const struct joint *joint, size_t *ret) MUST_CHECK;
enum err coupons_move(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err coupons_move_back(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err consents_move(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err consents_move_back(struct ctx *c, const struct joint *joint, struct instant merged_at) MUST_CHECK;
/* The profiles: noted; joined, whereby the absorbed customer's row goes; and the way back. */
enum err profiles_keep(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err profiles_join(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err profiles_part(struct ctx *c, const struct joint *joint) MUST_CHECK;

/* Whom the absorbed customer referred, once he is joined; and the way back, behind all that is moved. */
enum err referred_join(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err referred_part(struct ctx *c, const struct joint *joint) MUST_CHECK;

/* Groups count their members: before and after members move. */
enum err groups_uncount(struct ctx *c, const struct joint *joint) MUST_CHECK;
enum err groups_count(struct ctx *c, const struct joint *joint) MUST_CHECK;

/* Only `count`, of a statement that is put together. */
struct rows_count {
        int64_t count;
};
SHAPE_DECLARE(rows_count);
