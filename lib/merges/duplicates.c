#include "merges/duplicates.h"

#include "base/idmap.h"
#include "db/statement.h"
#include "directory/directory.h"

NAMES(likeness_names, "number", "email", "account", "address");

#define SHAPE_T struct duplicate
SHAPE(duplicate, "Customers who may be one person.",
      FIELD(why, .need = true, .names = &likeness_names,
            .doc = "The same number, mailbox, account, or name and address."),
      FIELD(score, .doc = "How sure it is, from 1 to 100."), LIST(customers, customer));
#undef SHAPE_T

#define SHAPE_T struct duplicate_position
SHAPE(duplicate_position, "The last one shown.", FIELD(first_id, .need = true), FIELD(last_id, .need = true),
      FIELD(why, .need = true, .names = &likeness_names));
#undef SHAPE_T

#define SHAPE_T struct duplicates_page
SHAPE(duplicates_page, "A page.", NEST(after, duplicate_position), FIELD(limit));
#undef SHAPE_T

struct likely {
        unsigned why;
        int64_t score;
        struct texts ids;
};
#define SHAPE_T struct likely
SHAPE(likely, "Ids that may be one.", FIELD(why, .names = &likeness_names), FIELD(score), FIELD(ids));
#undef SHAPE_T

#define SCORE_NUMBER   "95"
#define SCORE_EMAIL    "90"
#define SCORE_ACCOUNT  "80"
#define SCORE_ADDRESS  "60"
#define SCORE_BIRTHDAY "85" /* name, address and day of birth */

#define IS_NUMBER "value ~ '^[-+0-9 ().]{8,20}$'"
#define MAILBOX                                                                                              \
        "replace(split_part(split_part(value, '@', 1), '+', 1), '.', '') || '@' || split_part(value, '@', 2)"

/* The page's position are ids alone: what the customers share is personal. */
SQL_MANY(
        duplicates_find, duplicates_page, likely,
        "WITH alike AS (SELECT customer_id AS id, NULL::text AS birthday, "
        "CASE WHEN kind = 'email' THEN 'email' WHEN " IS_NUMBER " THEN 'number' ELSE 'account' END AS why, "
        "CASE WHEN kind = 'email' THEN " MAILBOX " WHEN " IS_NUMBER
        " THEN right(regexp_replace(value, '[^0-9]', '', 'g'), 11) ELSE lower(value) END AS key FROM customer_identities "
        "UNION ALL SELECT id, birthday, 'address', concat_ws(E'\\x1f', lower(replace(name, ' ', '')), country, province, city, "
        "district) FROM customers WHERE NOT erased AND name IS NOT NULL AND city IS NOT NULL), "
        "groups AS (SELECT why, CASE why WHEN 'number' THEN " SCORE_NUMBER " WHEN 'email' THEN " SCORE_EMAIL
        " WHEN 'account' THEN " SCORE_ACCOUNT
        " ELSE CASE WHEN count(birthday) > 1 AND count(DISTINCT birthday) = 1 THEN " SCORE_BIRTHDAY
        " ELSE " SCORE_ADDRESS
        " END END::bigint AS score, array_agg(DISTINCT id ORDER BY id) AS ids FROM alike "
        "GROUP BY why, key HAVING count(*) > 1) SELECT why, score, ids::text[] AS ids FROM groups WHERE cardinality(ids) BETWEEN 2 AND 10 "
        "AND (:after.first_id::uuid IS NULL OR (ids[1], ids[cardinality(ids)], why) > "
        "(:after.first_id, :after.last_id, :after.why)) ORDER BY ids[1], ids[cardinality(ids)], why LIMIT :limit")

enum err duplicates_list(struct ctx *c, const struct duplicates_page *page, struct list *ret)
{
        struct list found, people;

        TRY(duplicates_find(c, page, &found));
        const struct likely *likely = found.v;
        struct uuids ids = {ARENA_ARRAY(c->arena, found.n * DUPLICATES_MAX, struct uuid), 0};
        for (size_t i = 0; i < found.n; i++)
                for (size_t k = 0; k < likely[i].ids.n; k++)
                        ids.n += uuid_from_text(likely[i].ids.v[k], &ids.v[ids.n]);
        TRY(customers_of(c, &ids, &people));
        struct customer *customers = people.v;
        struct idmap by_id = idmap_new(c->arena, people.n);
        for (size_t i = 0; i < people.n; i++)
                idmap_put(&by_id, customers[i].id, i);
        TRY(directory_complete(c, customers, people.n));
        size_t next = 0;
        struct duplicate *duplicates = ARENA_ARRAY(c->arena, found.n, struct duplicate);
        for (size_t i = 0; i < found.n; i++) {
                struct duplicate *one = &duplicates[i];
                one->why = likely[i].why;
                one->score = likely[i].score;
                one->customers.v = ARENA_ARRAY(c->arena, likely[i].ids.n, struct customer);
                for (size_t k = 0; k < likely[i].ids.n; k++) {
                        size_t at = idmap_get(&by_id, ids.v[next++]);
                        if (at != SIZE_MAX) /* or gone between the two looks */
                                one->customers.v[one->customers.n++] = customers[at];
                }
        }
        *ret = (struct list){duplicates, found.n};
        return ERR_OK;
}
