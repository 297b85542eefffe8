-- A shop of :customers customers before the night of the year: every tier's cycle ended at the last midnight, and for
-- everybody the points of the first order lapsed then and those of the last of several became active. Two years of
-- history, three orders each on average; what no nightly work and no report reads (lines, calls) is left out.
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '256MB';

CREATE TEMPORARY TABLE night AS
SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai' AS at,
       (now() AT TIME ZONE 'Asia/Shanghai')::date AS today;

CREATE TEMPORARY TABLE person AS
SELECT md5('made-' || n)::uuid AS id, n, 1 + n % 5 AS orders FROM generate_series(1, :customers::bigint) AS n;

INSERT INTO customers (id, external_id, version, created_at, updated_at)
SELECT id, 'made-' || n, 1, at - interval '800 days', at - interval '800 days' FROM person, night ORDER BY n;

-- The k-th order of somebody, oldest first: 5 to 1,204 yuan, spread over 700 days.
CREATE TEMPORARY TABLE bought AS
SELECT p.id AS customer_id, p.n, p.orders, k, md5('order-' || p.n || '-' || k)::uuid AS order_id, 'made-' || p.n || '-' || k AS name,
       ((p.n * 7919 + k * 104729) % 1200 + 5) * 100 AS total_minor,
       today - (1 + 700 * (p.orders - k) / p.orders + (p.n * 31 % (700 / p.orders)))::int AS day
FROM person p CROSS JOIN night CROSS JOIN LATERAL generate_series(1, p.orders) AS k;
ANALYZE bought;

INSERT INTO orders (customer_id, id, external_id, status, channel, currency, goods_minor, shipping_minor, discount_minor,
                    total_minor, refunded_minor, refunded_shipping_minor, points_earned, growth_earned, points_reversed,
                    growth_reversed, awarded, counted_on, placed_at, paid_at, line_count, calls, version, created_at,
                    updated_at)
SELECT customer_id, order_id, name, 'completed', 'search', 'CNY', total_minor, 0, 0, total_minor, 0, 0, total_minor / 100,
       total_minor / 100, 0, 0, true, day, day, day, 1, 0, 1, day, day
FROM bought ORDER BY day;

INSERT INTO metric_days (customer_id, day, orders, spend_minor, growth)
SELECT customer_id, day, count(*), sum(total_minor), sum(total_minor) / 100
FROM bought GROUP BY customer_id, day ORDER BY day;

INSERT INTO points_ledger (customer_id, seq, kind, amount, active_after, pending_after, held_after, debt_after, cause,
                           order_id, reference, created_at)
SELECT customer_id, k, 'earn', total_minor / 100,
       sum(CASE WHEN k = orders AND k > 1 THEN 0 ELSE total_minor / 100 END) OVER w,
       sum(CASE WHEN k = orders AND k > 1 THEN total_minor / 100 ELSE 0 END) OVER w, 0, 0, 'order', order_id, name, day
FROM bought WINDOW w AS (PARTITION BY customer_id ORDER BY k) ORDER BY day;

INSERT INTO points_lots (customer_id, lot_no, amount, remaining, pending, active_from, expires_at, order_id, warned)
SELECT customer_id, k, total_minor / 100, total_minor / 100, k = orders AND k > 1,
       CASE WHEN k = orders AND k > 1 THEN at ELSE day END, CASE WHEN k = 1 THEN at END, order_id, true
FROM bought, night ORDER BY day;

INSERT INTO points_accounts (customer_id, active, pending, held, debt, lifetime_earned, lifetime_spent,
                             lifetime_expired, last_seq, moved_at, due_at)
SELECT customer_id, sum(total_minor / 100) FILTER (WHERE k < orders OR k = 1),
       coalesce(sum(total_minor / 100) FILTER (WHERE k = orders AND k > 1), 0), 0, 0, sum(total_minor / 100), 0, 0,
       max(k), max(day), max(at)
FROM bought, night GROUP BY customer_id, n ORDER BY n;

-- Everybody has the tier that all his orders together are worth, since a year ago.
INSERT INTO tier_standings (customer_id, tier, since, until, orders, spend_minor, growth, first_order_at, last_order_at,
                            changes, noticed_until)
SELECT customer_id, tier, at - interval '12 months', CASE WHEN tier <> 'basic' THEN at END, orders, spend, spend / 100,
       first_day, last_day, CASE WHEN tier <> 'basic' THEN 1 ELSE 0 END, CASE WHEN tier <> 'basic' THEN at END
FROM (SELECT customer_id, n, count(*) AS orders, sum(total_minor) AS spend, min(day) AS first_day, max(day) AS last_day,
             CASE WHEN sum(total_minor) >= 300000 THEN 'diamond' WHEN sum(total_minor) >= 150000 THEN 'gold'
                  WHEN sum(total_minor) >= 50000 THEN 'silver' ELSE 'basic' END AS tier
      FROM bought GROUP BY customer_id, n) AS s, night ORDER BY n;

INSERT INTO tier_history (customer_id, change_no, tier_before, tier_after, cause, created_at)
SELECT customer_id, 1, 'basic', tier, 'order', since FROM tier_standings WHERE tier <> 'basic';

-- Lists have caught up long ago.
INSERT INTO customer_directory (customer_id, created_at, updated_at, version, last_order_at, orders, spend_minor, growth, points_active,
                                paid, inquired, has_phone, has_email, tier, name)
SELECT c.id, c.created_at, c.updated_at, c.version, s.last_order_at, s.orders, s.spend_minor, s.growth, a.active, true, false, false, false,
       s.tier, ''
FROM customers c JOIN tier_standings s ON s.customer_id = c.id JOIN points_accounts a ON a.customer_id = c.id;
INSERT INTO customer_search (customer_id, content, pieces)
SELECT id, external_id, array_to_tsvector(ARRAY(SELECT DISTINCT substr(external_id, place, 3) FROM generate_series(1, length(external_id)) AS place))
FROM customers;
