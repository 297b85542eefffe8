-- :customers customers with contacts, orders' sums, points, tags and groups, some of them twice, and the directory as the server
-- would have made it. What belongs together in a shop does here: cities to provinces, tiers to spend, agents to regions.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '1GB';

CREATE FUNCTION pg_temp.dice(seed bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        $$ SELECT (hashint8(seed)::bigint & 2147483647) % sides $$;
CREATE FUNCTION pg_temp.pick(letters text, seed bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
        $$ SELECT substr(letters, 1 + pg_temp.dice(seed, length(letters))::int, 1) $$;

-- Every fifth surname is 王 or 李, one in a thousand is of two characters; every 50th customer is his predecessor once more.
CREATE TEMP TABLE made AS
SELECT n, md5('customer ' || n)::uuid AS id, 'C-' || n AS external_id,
        CASE WHEN n % 1000 = 0 THEN '欧阳' ELSE pg_temp.pick('王王李李张张刘陈杨赵黄周吴徐孙胡朱高林何', who) END
                || pg_temp.pick('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平小文建华', who * 7)
                || CASE WHEN who % 3 = 0 THEN '' ELSE pg_temp.pick('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平小文建华红', who * 13) END AS name,
        CASE WHEN pg_temp.dice(n * 5, 100) < 5 THEN NULL WHEN pg_temp.dice(n * 5, 100) < 65 THEN 'female' ELSE 'male' END AS gender,
        CASE WHEN pg_temp.dice(n * 23, 10) < 7 THEN date '1960-01-01' + pg_temp.dice(who * 29, 16000)::int END AS born,
        '+861' || (30 + n % 69) || lpad((n * 7919 % 100000000)::text, 8, '0') AS phone,
        'user' || CASE WHEN n = who THEN '' ELSE '.' END || who || '@example.com' AS email,
        p AS province, p || pg_temp.pick('一二三四五六七八九十', who * 31) AS city, pg_temp.dice(who * 37, 12)::text AS district,
        'agent-' || (pg_temp.dice(who * 3, 10) * 50 + n % 50) AS owner, 'spring-' || n % 40 AS campaign,
        timestamptz '2024-01-01 00:00:00Z' + n * interval '1 minute' AS created_at,
        timestamptz '2024-01-01 00:00:00Z' + (n + pg_temp.dice(n * 41, 500000)) * interval '1 minute' AS updated_at,
        orders, CASE WHEN orders > 0 THEN orders * (1000 + pg_temp.dice(n * 17, 40000)) ELSE 0 END AS spend,
        timestamptz '2026-11-01 00:00:00Z' - pg_temp.dice(n * 19, 50000000) * interval '1 second' AS last_order_at
FROM (SELECT n, CASE WHEN n % 50 = 0 THEN n - 1 ELSE n END AS who FROM generate_series(1, :customers::bigint) AS n) AS numbers,
        LATERAL (SELECT substr('浙浙浙广广广广上上北江江川川湘鄂皖鲁', 1 + pg_temp.dice(who * 3, 18)::int, 1) AS p,
                greatest(0, pg_temp.dice(n * 11, 20) - 1) AS orders) AS picked;
ALTER TABLE made ADD tier text;
UPDATE made SET tier = CASE WHEN spend >= 600000 THEN 'diamond' WHEN spend >= 400000 THEN 'gold' WHEN spend >= 200000 THEN 'silver'
        ELSE 'basic' END;
ANALYZE made;

INSERT INTO customers (id, external_id, name, gender, birthday, province, city, district, owner, source_channel, source_campaign, version,
        created_at, updated_at)
SELECT id, external_id, name, gender, born::text, province, city, district, owner, 'search', campaign, 1, created_at, updated_at FROM made;
INSERT INTO customer_identities SELECT 'phone', phone, id, created_at FROM made ON CONFLICT DO NOTHING;
INSERT INTO customer_identities SELECT 'email', email, id, created_at FROM made;
-- One in 200 left his predecessor's number elsewhere.
INSERT INTO customer_identities SELECT 'alipay', substr(p.phone, 4), m.id, m.created_at FROM made m JOIN made p ON p.n = m.n - 1
WHERE m.n % 200 = 0;
INSERT INTO tier_standings (customer_id, tier, since, orders, spend_minor, growth, first_order_at, last_order_at, changes)
SELECT id, tier, created_at, orders, spend, spend / 100, last_order_at, last_order_at, 0 FROM made WHERE orders > 0;
INSERT INTO metric_days (customer_id, day, orders, spend_minor, growth)
SELECT id, last_order_at::date, orders, spend, spend / 100 FROM made WHERE orders > 0;
INSERT INTO points_accounts SELECT id, spend / 100, 0, 0, 0, spend / 100, 0, 0, 0 FROM made WHERE orders > 0;
INSERT INTO customer_tags SELECT id, 'manual', 'tag-' || n % 1000, NULL, created_at FROM made;
INSERT INTO customer_tags SELECT id, 'official', '88vip', NULL, created_at FROM made WHERE pg_temp.dice(n * 43, 5) = 0;
INSERT INTO groups (id, code, name, members, version, created_at, updated_at)
SELECT md5(code)::uuid, code, code, 0, 1, now(), now() FROM (VALUES ('newsletter'), ('testers')) AS g (code);
INSERT INTO group_members SELECT id, md5('newsletter')::uuid, created_at, NULL FROM made WHERE pg_temp.dice(n * 47, 3) = 0;
INSERT INTO group_members SELECT id, md5('testers')::uuid, created_at, NULL FROM made WHERE n % 2000 = 0;

-- Made at once at the end, the index of the pieces takes a fraction of the time.
SELECT pg_get_indexdef('customer_search_pieces'::regclass) AS pieces_index \gset
DROP INDEX customer_search_pieces;
INSERT INTO customer_search (customer_id, content, pieces)
SELECT id, content, (SELECT array_to_tsvector(array_agg(DISTINCT substr(line, place, 3))) FROM string_to_table(content, E'\n') AS line,
         generate_series(1, length(line)) AS place)
FROM (SELECT *, name || E'\n' || phone || E'\n' || email || E'\n' || lower(external_id) AS content FROM made) AS m;
:pieces_index;
INSERT INTO customer_directory (customer_id, created_at, updated_at, version, last_order_at, orders, spend_minor, growth, points_active, birth_day,
        paid, inquired, has_phone, has_email, tier, name, gender, province, city, district, owner, channel, campaign)
SELECT id, created_at, updated_at, 1, CASE WHEN orders > 0 THEN last_order_at ELSE '-infinity' END, orders, spend, spend / 100, spend / 100,
        extract(month FROM born) * 100 + extract(day FROM born), orders > 0, n % 7 = 0, true, true, tier, name, gender, province, city,
        district, owner, 'search', campaign FROM made;
INSERT INTO customer_alike
SELECT why, ('x' || encode(substr(sha256((SELECT hash_key FROM installation) || convert_to(normal, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint, id
FROM (SELECT 1 AS why, right(value, 11) AS normal, customer_id AS id FROM customer_identities WHERE kind IN ('phone', 'alipay')
      UNION ALL SELECT 2, replace(split_part(email, '@', 1), '.', '') || '@example.com', id FROM made
      UNION ALL SELECT 5, concat_ws(E'\x1f', name, province, city, district), id FROM made) AS told;
TRUNCATE customer_changes;
VACUUM ANALYZE;
