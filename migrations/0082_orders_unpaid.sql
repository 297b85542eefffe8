-- migrate:up
-- Whoever ordered and did not pay has asked.

WITH asked AS (
        UPDATE customers SET inquired_at = first.at
        FROM (SELECT customer_id, min(placed_at) AS at FROM orders WHERE counted_on IS NULL GROUP BY customer_id) AS first
        WHERE customers.id = first.customer_id AND customers.inquired_at IS NULL AND NOT customers.erased
        RETURNING customers.id
)
INSERT INTO customer_changes (customer_id) SELECT id FROM asked;
