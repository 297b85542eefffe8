-- The night at the end of a month, for a shop of loyalty_seed.sql after the night of the year: one in twelve has points that lapse with
-- the month, another one in twelve has some that become active, and one in 365 was made a member of his tier a year ago today.
SET synchronous_commit = off;
SET work_mem = '256MB';

CREATE TEMPORARY TABLE night AS
SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' AS at;

CREATE TEMPORARY TABLE person AS
SELECT id, substr(external_id, 6)::bigint AS n FROM customers;

-- The last lot of each: whatever else somebody has stays as it is.
CREATE TEMPORARY TABLE last_lot AS
SELECT DISTINCT ON (l.customer_id) l.customer_id, l.lot_no, l.remaining, n
FROM points_lots l JOIN person p ON p.id = l.customer_id WHERE l.remaining > 0 ORDER BY l.customer_id, l.lot_no DESC;

UPDATE points_lots l SET expires_at = at, warned = true FROM last_lot t, night
WHERE t.n % 12 = 0 AND l.customer_id = t.customer_id AND l.lot_no = t.lot_no;

UPDATE points_lots l SET pending = true, active_from = at FROM last_lot t, night
WHERE t.n % 12 = 1 AND l.customer_id = t.customer_id AND l.lot_no = t.lot_no;

UPDATE points_accounts a SET due_at = at, active = active - CASE WHEN t.n % 12 = 1 THEN t.remaining ELSE 0 END,
       pending = pending + CASE WHEN t.n % 12 = 1 THEN t.remaining ELSE 0 END FROM last_lot t, night
WHERE t.n % 12 IN (0, 1) AND a.customer_id = t.customer_id;

UPDATE tier_standings s SET until = at, noticed_until = at FROM person p, night
WHERE p.n % 365 = 7 AND s.customer_id = p.id AND s.tier <> 'basic';
