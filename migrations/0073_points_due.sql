-- migrate:up
-- When time will next change something of a customer's points, so that whoever decides about them sees it without reading the lots.

ALTER TABLE points_accounts ADD COLUMN due_at timestamptz; -- nothing becomes active, lapses by a date or ends before it; null: nothing will
UPDATE points_accounts a SET due_at = d.at
        FROM (SELECT customer_id, min(at) AS at
              FROM (SELECT customer_id, CASE WHEN pending THEN active_from ELSE expires_at END AS at FROM points_lots WHERE remaining > 0
                    UNION ALL
                    SELECT customer_id, expires_at FROM points_holds WHERE state = 'open') AS t
              WHERE at IS NOT NULL
              GROUP BY customer_id) AS d
        WHERE d.customer_id = a.customer_id;
