-- migrate:up
-- A customer's last order is the latest one that still counts: until now one that was cancelled or given back whole was it as well.

UPDATE tier_standings s SET last_order_at = o.last_order_at
FROM (SELECT t.customer_id, max(o.paid_at) FILTER (WHERE o.status <> 'cancelled' AND (o.total_minor = 0 OR o.refunded_minor < o.total_minor))
              AS last_order_at
      FROM tier_standings t JOIN orders o ON o.customer_id = t.customer_id AND o.counted_on IS NOT NULL GROUP BY t.customer_id) AS o
WHERE o.customer_id = s.customer_id AND s.last_order_at IS DISTINCT FROM o.last_order_at;

INSERT INTO customer_changes (customer_id)
SELECT d.customer_id FROM customer_directory d JOIN tier_standings s ON s.customer_id = d.customer_id
WHERE d.last_order_at <> coalesce(s.last_order_at, '-infinity');
