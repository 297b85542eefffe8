-- Make a copy of a seeded database ready for pgbench: the program computes a customer's id from its external_id with
-- SHA-1, which SQL lacks; here it becomes the MD5 of the same text, so that the floor needs no look-up either.
SET session_replication_role = replica; -- ids change in the referenced and the referencing table
SET synchronous_commit = off;

CREATE TEMPORARY TABLE renamed AS
SELECT id AS before, md5(external_id)::uuid AS after FROM customers WHERE external_id LIKE 'load-%';
CREATE UNIQUE INDEX ON renamed (before);
ANALYZE renamed;

DO $$
DECLARE
        target record;
BEGIN
        FOR target IN
                SELECT c.table_name, c.column_name
                FROM information_schema.columns c
                JOIN information_schema.tables t USING (table_schema, table_name)
                WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'uuid'
                  AND (c.column_name = 'customer_id' OR (c.table_name, c.column_name) = ('customers', 'id'))
        LOOP
                EXECUTE format('UPDATE %1$I SET %2$I = after FROM renamed WHERE %2$I = before',
                               target.table_name, target.column_name);
        END LOOP;
END $$;

-- The update left a dead version of every row: both databases begin without any.
RESET session_replication_role;
VACUUM (FULL, ANALYZE);
