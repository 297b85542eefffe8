#include "directory/alike.h"

#include "db/statement.h"

NAMES(likeness_names, "number", "email", "account", "address", "region");

#define SHAPE_T struct alike
SHAPE(alike, "Customers who share something.", FIELD(why), FIELD(key), FIELD(ids));
#undef SHAPE_T

#define SHAPE_T struct alike_page
SHAPE(alike_page, "A page.", FIELD(after_why), FIELD(after_key), FIELD(why_last), FIELD(limit));
#undef SHAPE_T

#define SHAPE_T struct alike_ids
struct alike_ids {
        struct uuids ids;
};
SHAPE(alike_ids, "Customers.", FIELD(ids));
#undef SHAPE_T

#define IS_NUMBER "value ~ '^[-+0-9 ().]{8,20}$'"
#define MAILBOX                                                                                              \
        "replace(split_part(split_part(value, '@', 1), '+', 1), '.', '') || '@' || split_part(value, '@', 2)"
#define DIGITS "right(regexp_replace(value, '[^0-9]', '', 'g'), 11)"

/* The numbers of enum likeness. */
#define NUMBER  "1"
#define EMAIL   "2"
#define ACCOUNT "3"
#define ADDRESS "4"
#define REGION  "5"

/* However somebody types it: without case, spaces and signs; digits and dashes of double width as plain ones.
 */
#define TYPED(text_)                                                                                         \
        "translate(lower(" text_                                                                             \
        "), E'０１２３４５６７８９－—　 \\t\\n,，.。、;；:：#＃()（）/''\"', '0123456789--')"
/* Without what stands in a postal code or a province: many leave those out, and the rest tells a house. As
 * one text, for one writes the district into its own field and another one before the street. */
#define PLACE                                                                                                \
        TYPED("regexp_replace(coalesce(a.city, a.province, ''), '市$', '') || coalesce(a.district, '') || a.street")

/* Eight bytes keep ten million keys apart, and whoever merges looks at both customers anyway. */
SQL_EXEC(
        alike_store, alike_ids,
        "WITH told AS (SELECT customer_id, CASE WHEN kind = 'email' THEN " EMAIL " WHEN " IS_NUMBER
        " THEN " NUMBER " ELSE " ACCOUNT " END AS why, CASE WHEN kind = 'email' THEN " MAILBOX
        " WHEN " IS_NUMBER " THEN " DIGITS
        " ELSE lower(value) END AS normal FROM customer_identities WHERE customer_id = ANY(:ids) UNION ALL "
        "SELECT c.id, " ADDRESS ", " TYPED(
                "coalesce(c.name, a.recipient)") " || E'\\x1f' || " PLACE
                                                 " FROM customer_addresses a JOIN customers c ON c.id = a.customer_id WHERE a.customer_id = ANY(:ids) "
                                                 "AND NOT c.erased AND coalesce(c.name, a.recipient) IS NOT NULL UNION ALL "
                                                 "SELECT id, " REGION
                                                 ", concat_ws(E'\\x1f', lower(replace(name, ' ', '')), country, province, city, district) "
                                                 "FROM customers c WHERE id = ANY(:ids) AND NOT erased AND name IS NOT NULL AND city IS NOT NULL "
                                                 "AND NOT EXISTS (SELECT FROM customer_addresses a WHERE a.customer_id = c.id)), "
                                                 "keys AS MATERIALIZED (SELECT DISTINCT why::smallint AS why, "
                                                 "('x' || encode(substr(sha256(coalesce((SELECT hash_key FROM installation), '') || convert_to(normal, 'UTF8')), 1, 8), 'hex'))"
                                                 "::bit(64)::bigint AS key, customer_id FROM told), "
                                                 "gone AS (DELETE FROM customer_alike a WHERE a.customer_id = ANY(:ids) "
                                                 "AND (a.why, a.key, a.customer_id) NOT IN (SELECT why, key, customer_id FROM keys)) "
                                                 "INSERT INTO customer_alike (why, key, customer_id) SELECT why, key, customer_id FROM keys ON CONFLICT DO NOTHING")

/* Along the primary key, so that a page ends as soon as it is full. */
SQL_MANY(
        alike_find, alike_page, alike,
        "SELECT why::bigint AS why, key, array_agg(customer_id) AS ids FROM (SELECT why, key, customer_id FROM customer_alike "
        "WHERE (why, key) > (:after_why::smallint, :after_key) AND why <= :why_last ORDER BY why, key, customer_id) AS a "
        "GROUP BY why, key HAVING count(*) BETWEEN 2 AND 10 ORDER BY a.why, key LIMIT :limit") /* ALIKE_MAX */

enum err alike_list(struct ctx *c, const struct alike_page *page, struct list *ret)
{
        return alike_find(c, page, ret);
}

enum err alike_refresh(struct ctx *c, const struct uuids *ids)
{
        return alike_store(c, &(struct alike_ids){*ids});
}
