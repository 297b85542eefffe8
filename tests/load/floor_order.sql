-- The rows of one paid order with one line, written by one prepared statement: what PostgreSQL alone can do, one order
-- at a time. tools/bench compares the rows with those that the server writes and refuses a floor that writes others.
\set n random(0, :customers - 1)
\set price random(500, 1500)
WITH known AS (
        SELECT id FROM customers WHERE id = md5('load-' || :n)::uuid FOR NO KEY UPDATE
), given AS (
        SELECT id AS customer_id, gen_random_uuid() AS order_id, :price::bigint AS total_minor,
               :price::bigint / 100 AS points, clock_timestamp() AS now
        FROM known
), account AS (
        UPDATE points_accounts a
        SET active = a.active + g.points, lifetime_earned = a.lifetime_earned + g.points, last_seq = a.last_seq + 1
        FROM given g
        WHERE a.customer_id = g.customer_id
        RETURNING a.active, a.pending, a.held, a.debt, a.last_seq
), standing AS (
        UPDATE tier_standings s
        SET orders = s.orders + 1, spend_minor = s.spend_minor + g.total_minor, growth = s.growth + g.points,
            last_order_at = g.now
        FROM given g
        WHERE s.customer_id = g.customer_id
        RETURNING s.tier
), metric_day AS (
        INSERT INTO metric_days AS d (customer_id, day, orders, spend_minor, growth)
        SELECT customer_id, (now AT TIME ZONE 'Asia/Shanghai')::date, 1, total_minor, points FROM given
        ON CONFLICT (customer_id, day) DO UPDATE
        SET orders = d.orders + 1, spend_minor = d.spend_minor + excluded.spend_minor, growth = d.growth + excluded.growth
        RETURNING day
), ordered AS (
        INSERT INTO orders (customer_id, id, external_id, status, channel, currency, goods_minor, shipping_minor,
                            discount_minor, total_minor, refunded_minor, refunded_shipping_minor, points_earned,
                            growth_earned, points_reversed, growth_reversed, awarded, counted_on, placed_at, paid_at,
                            line_count, calls, version, created_at, updated_at)
        SELECT customer_id, order_id, '6b021d0e-284d-' || :n, 'paid', 'search', 'CNY', total_minor, 0, 0, total_minor,
               0, 0, points, points, 0, 0, true, (now AT TIME ZONE 'Asia/Shanghai')::date, now, now, 1, 1, 1, now, now
        FROM given
        RETURNING id
), line AS (
        INSERT INTO order_lines (customer_id, order_id, line_no, sku, name, category, quantity, unit_price_minor,
                                 discount_minor, total_minor, paid_minor, points, growth, refunded_quantity, refunded_minor)
        SELECT customer_id, order_id, 1, 'BAG-1', 'Bag', 'bags', 1, total_minor, 0, total_minor, total_minor, points,
               points, 0, 0
        FROM given
), called AS (
        INSERT INTO order_calls (customer_id, order_id, call_no, fingerprint, outcome, created_at, key_id, request_id)
        SELECT customer_id, order_id, 1, decode(repeat('5a', 16), 'hex'), repeat('{"order":{"id":"5"}}', 70), now,
               repeat('5', 12), repeat('5', 36)
        FROM given
), entry AS (
        INSERT INTO points_ledger (customer_id, seq, kind, amount, active_after, pending_after, held_after, debt_after,
                                   cause, order_id, reference, actor, created_at)
        SELECT g.customer_id, a.last_seq, 'earn', g.points, a.active, a.pending, a.held, a.debt, 'order', g.order_id,
               '6b021d0e-284d-' || :n, repeat('5', 12), g.now
        FROM given g, account a
), lot AS (
        INSERT INTO points_lots (customer_id, lot_no, amount, remaining, pending, active_from, order_id)
        SELECT g.customer_id, a.last_seq, g.points, g.points, false, g.now, g.order_id
        FROM given g, account a
), noted AS (
        INSERT INTO customer_changes (customer_id) SELECT customer_id FROM given
), event AS (
        INSERT INTO events (customer_id, id, type, payload, occurred_at)
        SELECT customer_id, gen_random_uuid(), 'order.paid',
               jsonb_build_object('order_id', order_id, 'external_id', '6b021d0e-284d-' || :n, 'refund_external_id', NULL,
                                  'total_minor', total_minor, 'refunded_minor', 0, 'points', points, 'growth', points),
               now
        FROM given
)
SELECT a.active, s.tier, d.day, o.id FROM account a, standing s, metric_day d, ordered o;
