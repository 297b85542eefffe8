-- :customers customers with contacts, orders' sums, points and tags, and the directory as the server would have made it.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';

CREATE FUNCTION pg_temp.pick(letters text, seed bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
        $$ SELECT substr(letters, 1 + (abs(hashint8(seed)::bigint) % length(letters))::int, 1) $$;

CREATE TEMP TABLE made AS
SELECT n, md5('customer ' || n)::uuid AS id, 'C-' || n AS external_id,
        pg_temp.pick('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', n) || pg_temp.pick('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平小文建华', n * 7)
                || CASE WHEN n % 3 = 0 THEN '' ELSE pg_temp.pick('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平小文建华红', n * 13) END AS name,
        '+861' || (30 + n % 69) || lpad((abs(hashint8(n)::bigint) % 100000000)::text, 8, '0') AS phone,
        'user' || n || '@example.com' AS email,
        pg_temp.pick('浙广上北江川', n * 3) AS province,
        timestamptz '2024-01-01 00:00:00Z' + n * interval '1 minute' AS created_at,
        abs(hashint8(n * 11)::bigint) % 20 AS orders, abs(hashint8(n * 17)::bigint) % 1000000 AS spend,
        timestamptz '2026-11-01 00:00:00Z' - (abs(hashint8(n * 19)::bigint) % 50000000) * interval '1 second' AS last_order_at
FROM generate_series(1, :customers) AS n;

INSERT INTO customers (id, external_id, name, province, owner, source_channel, version, created_at, updated_at)
SELECT id, external_id, name, province, 'agent-' || n % 500, 'search', 1, created_at, created_at FROM made;
INSERT INTO customer_identities SELECT 'phone', phone, id, created_at FROM made ON CONFLICT DO NOTHING;
INSERT INTO customer_identities SELECT 'email', email, id, created_at FROM made;
INSERT INTO tier_standings (customer_id, tier, since, orders, spend_minor, growth, first_order_at, last_order_at, changes)
SELECT id, 'basic', created_at, orders, spend, spend / 100, last_order_at, last_order_at, 0 FROM made WHERE orders > 0;
INSERT INTO points_accounts SELECT id, spend / 100, 0, 0, 0, spend / 100, 0, 0, 0 FROM made WHERE orders > 0;
INSERT INTO customer_tags SELECT id, 'manual', 'tag-' || n % 1000, NULL, created_at FROM made;

INSERT INTO customer_search (customer_id, created_at, updated_at, name, province, owner, channel, has_phone, has_email, inquired,
        content, pieces)
SELECT id, created_at, created_at, name, province, 'agent-' || n % 500, 'search', true, true, false, content,
        (SELECT array_to_tsvector(array_agg(DISTINCT substr(line, place, 3))) FROM string_to_table(content, E'\n') AS line,
         generate_series(1, length(line)) AS place)
FROM (SELECT *, name || E'\n' || phone || E'\n' || email || E'\n' || lower(external_id) AS content FROM made) AS m;
INSERT INTO customer_metrics SELECT id, 'basic', orders, CASE WHEN orders > 0 THEN spend ELSE 0 END,
        CASE WHEN orders > 0 THEN spend / 100 ELSE 0 END, CASE WHEN orders > 0 THEN spend / 100 ELSE 0 END, orders > 0,
        CASE WHEN orders > 0 THEN last_order_at ELSE '-infinity' END FROM made;
TRUNCATE customer_changes;
VACUUM ANALYZE;
